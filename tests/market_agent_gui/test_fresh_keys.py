"""After keys were changed, the first orders by key want a second press: hands still know the old keys."""

from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from engine.api.commands import CancelAll, PlaceOrder
from market_agent_gui.keys.confirming import Act, Choice, Policy, When
from market_agent_gui.keys.fresh import ORDERS, FreshKeys, touches_orders
from market_agent_gui.keys.key_map import KeyMap, key_file, save_key_map
from market_agent_gui.loop import PreciseLoop
from market_agent_gui.preferences import PreferencesFile
from tests.support_gui.harness import Desk, until

REBOUND = KeyMap({"send": "Ctrl+Return"})


def test_only_a_change_of_a_key_that_concerns_orders_wants_confirmations() -> None:
    assert touches_orders(KeyMap(), REBOUND)
    assert touches_orders(KeyMap(), KeyMap({"exit_all": "Ctrl+9"}))
    assert not touches_orders(KeyMap(), KeyMap({"key_card": "F4"}))


def test_the_second_press_of_the_same_order_sends_and_only_what_was_sent_counts() -> None:
    kept: list[int] = []
    fresh = FreshKeys(0, kept.append)
    assert not fresh.asks("a")
    fresh.changed(KeyMap(), REBOUND)
    for number in range(ORDERS):
        assert fresh.asks(f"i{number}")
        assert not fresh.asks(f"i{number}")
        assert not fresh.asks(f"i{number}"), "the gate refused it, and it is pressed once more"
        fresh.sent()
    assert not fresh.asks("later")
    fresh.sent()
    assert kept == [3, 2, 1, 0]


def test_another_order_in_between_is_asked_about_itself() -> None:
    fresh = FreshKeys(1, lambda _left: None)
    assert fresh.asks("a")
    assert fresh.asks("b")
    assert not fresh.asks("b")
    fresh.sent()
    assert not fresh.asks("c"), "all are confirmed"


def test_the_first_orders_by_key_after_a_change_are_sent_by_the_second_press_alone(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        shell.program._use_keys(REBOUND)
        shell.commander.run("arm", "key")
        chart = shell.window.docks["chart"].pane
        desk.key("Ctrl+B", chart)
        desk.key("Ctrl+Return")
        assert not desk.sent(PlaceOrder)
        assert shell.entry.staged is not None, "it is staged still"
        assert any("press Ctrl+Enter again" in text for _, text in desk.toasts)
        shell.guard._last.clear()  # a second later
        desk.key("Ctrl+Return")
        await until(lambda: desk.sent(PlaceOrder), "the order")
        assert shell.preferences.now.keys_to_confirm == ORDERS - 1
        # What lowers risk is never asked about.
        desk.key("Ctrl+Shift+Backspace")
        await until(lambda: desk.sent(CancelAll), "the cancel")

    run(story())


def test_only_what_was_known_before_can_have_changed() -> None:
    fresh = FreshKeys(0, lambda _left: None)
    fresh.look("account", "", "paper DU1")
    fresh.look("account", "paper DU1", "paper DU1")
    assert not fresh.left
    fresh.look("account", "paper DU1", "paper DU2")
    assert (fresh.left, fresh.why) == (ORDERS, "account")


def test_on_another_account_the_first_orders_are_of_the_smallest_size_and_confirmed(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        assert not shell.fresh_keys.left, "a first account is no change"
        desk.engine.state(account="DU7654321")
        await until(lambda: shell.fresh_keys.left, "the other account")
        shell.commander.run("arm", "key")
        chart = shell.window.docks["chart"].pane
        desk.key("Ctrl+B", chart)
        assert shell.entry.staged is not None
        assert shell.entry.staged.quantity == min(shell.entry.sizes)
        shell.guard._last.clear()
        desk.key("Return", chart)
        assert not desk.sent(PlaceOrder)
        assert any("the account is another one: press Enter again" in text for _, text in desk.toasts)
        desk.key("5")
        assert shell.entry.staged.quantity == shell.entry.sizes[4], "a size that is asked for is taken"
        shell.guard._last.clear()
        desk.key("Return", chart)
        await until(lambda: desk.sent(PlaceOrder), "the order")
        shell.fresh_keys._count(0)
        assert shell.entry.first_size == shell.entry.size
        assert shell.preferences.now.keys_account.endswith("DU7654321")

    run(story())


def test_other_sizes_in_the_file_want_confirmations(desk: Desk, run) -> None:
    async def story() -> None:
        desk.shell.preferences.change(keys_sizes="1 2 3 4 5 6 7 8 9 250")
        await desk.open()
        await until(lambda: desk.shell.fresh_keys.left == ORDERS, "the change of sizes")
        assert desk.shell.fresh_keys.why == "sizes"
        assert desk.shell.preferences.now.keys_sizes.startswith("25 50 100")

    run(story())


def test_presses_that_sent_nothing_are_no_confirmed_orders(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        shell.fresh_keys.sizes_changed()
        assert shell.fresh_keys.why == "sizes"
        shell.commander.run("arm", "key")
        chart = shell.window.docks["chart"].pane
        desk.key("Ctrl+B", chart)
        for _ in range(4):
            desk.key("Alt+Up", chart)  # moves what is staged: no order, and no second press
            shell.guard._last.clear()
        assert shell.fresh_keys.left == ORDERS
        desk.engine.state(halted=True)
        await until(lambda: shell.bridge.mirror.state().halted, "the halt")
        for _ in range(4):
            desk.key("Return", chart)
            shell.guard._last.clear()
        assert not desk.sent(PlaceOrder)
        assert shell.fresh_keys.left == ORDERS

    run(story())


def test_why_a_second_press_is_wanted_is_remembered_with_the_count() -> None:
    assert FreshKeys(2, lambda _left: None, "account").why == "account"
    assert FreshKeys(2, lambda _left: None, "the moon").why == "keys"


async def looked_at(desk: Desk) -> None:
    """Wait until the window has compared what the hands know with what is."""
    shell = desk.shell
    await until(lambda: shell.outside.watch.now.asked, "the answer about keys outside")
    await until(lambda: shell.preferences.now.confirm_used == shell.confirming.policy.stored(), "everything looked at")


def opened(tmp_path: Path, qapp: QApplication, loop: PreciseLoop, book: str = "paper") -> tuple[int, str, KeyMap]:
    """Start a window on a profile; return what it wants confirmed, why, and the keys that hold."""
    desk = Desk(tmp_path, qapp, book)

    async def story() -> tuple[int, str, KeyMap]:
        try:
            await desk.open()
            await looked_at(desk)
            return desk.shell.fresh_keys.left, desk.shell.fresh_keys.why, desk.shell.keys.keys
        finally:
            await desk.close()

    return loop.run_until_complete(story())


@pytest.mark.parametrize("how", ["another file", "a damaged file"])
def test_keys_that_became_others_outside_the_window_want_confirmations(
    tmp_path: Path, qapp: QApplication, loop: PreciseLoop, how: str
) -> None:
    file = key_file(tmp_path, "paper")
    save_key_map(file, REBOUND)
    assert opened(tmp_path, qapp, loop)[0] == 0, "a first start is no change"
    assert opened(tmp_path, qapp, loop)[0] == 0
    if how == "another file":
        save_key_map(file, KeyMap({"send": "Ctrl+Return", "exit_all": "Ctrl+9"}))
    else:
        file.write_text("{")
    left, why, keys = opened(tmp_path, qapp, loop)
    assert (left, why) == (ORDERS, "keys")
    assert keys.key("send") == ("Ctrl+Return" if how == "another file" else "Return")
    PreferencesFile(tmp_path).change(keys_to_confirm=1, keys_why="sizes")
    assert opened(tmp_path, qapp, loop)[:2] == (1, "sizes")


def test_a_book_whose_keys_cannot_be_read_has_the_defaults_not_those_of_the_book_before(desk: Desk, run) -> None:
    async def story() -> None:
        save_key_map(key_file(desk.profile, "paper"), REBOUND)
        key_file(desk.profile, "live").write_text("{")
        await desk.open()
        assert desk.shell.keys.keys.key("send") == "Ctrl+Return"
        desk.engine.state(book="live", account="U4412318")
        await until(lambda: desk.shell.program._book == "live", "the other book")
        assert desk.shell.keys.keys.key("send") == "Return"

    run(story())


def test_confirmations_that_were_loosened_in_the_file_make_the_hands_new(
    tmp_path: Path, qapp: QApplication, loop: PreciseLoop
) -> None:
    assert opened(tmp_path, qapp, loop)[0] == 0
    stricter = Policy({("paper", Act.KEY): Choice(When.ALWAYS)})
    PreferencesFile(tmp_path).change(confirm=stricter.stored())
    assert opened(tmp_path, qapp, loop)[0] == 0
    PreferencesFile(tmp_path).change(confirm=Policy().stored())
    assert opened(tmp_path, qapp, loop)[:2] == (ORDERS, "confirmations")
    PreferencesFile(tmp_path).change(keys_to_confirm=0)
    assert opened(tmp_path, qapp, loop)[0] == 0, "it has been told once"


def test_a_persons_own_sizes_hold_from_the_first_order_and_their_change_counts_once(
    tmp_path: Path, qapp: QApplication, loop: PreciseLoop
) -> None:
    desk = Desk(tmp_path, qapp)
    sizes = tuple(Decimal(n) for n in range(1, 10))

    async def story() -> None:
        try:
            await desk.open()
            desk.shell.program._use_sizes(sizes, Decimal(50))
            assert desk.shell.fresh_keys.left == ORDERS
            desk.shell.fresh_keys._count(0)
            assert desk.shell.entry.first_size == Decimal(3), "a hundred is none of them"
        finally:
            await desk.close()

    loop.run_until_complete(story())
    again = Desk(tmp_path, qapp)

    async def later() -> None:
        try:
            await again.open()
            await looked_at(again)
            assert again.shell.fresh_keys.left == 0, "it was confirmed yesterday"
            assert again.shell.entry.first_size in sizes
        finally:
            await again.close()

    loop.run_until_complete(later())
