"""After keys were changed, the first orders by key want a second press: hands still know the old keys."""

from engine.api.commands import CancelAll, PlaceOrder
from market_agent_gui.keys.fresh import ORDERS, FreshKeys, touches_orders
from market_agent_gui.keys.key_map import KeyMap
from tests.support_gui.harness import Desk, until

REBOUND = KeyMap({"send": "Ctrl+Return"})


def test_only_a_change_of_a_key_that_concerns_orders_wants_confirmations() -> None:
    assert touches_orders(KeyMap(), REBOUND)
    assert touches_orders(KeyMap(), KeyMap({"exit_all": "Ctrl+9"}))
    assert not touches_orders(KeyMap(), KeyMap({"key_card": "F4"}))


def test_the_second_press_of_the_same_order_sends_and_counts() -> None:
    kept: list[int] = []
    fresh = FreshKeys(0, kept.append)
    assert not fresh.asks("a")
    fresh.changed(KeyMap(), REBOUND)
    for number in range(ORDERS):
        assert fresh.asks(f"i{number}")
        assert not fresh.asks(f"i{number}")
    assert not fresh.asks("later")
    assert kept == [3, 2, 1, 0]


def test_another_order_in_between_is_asked_about_itself() -> None:
    fresh = FreshKeys(1, lambda _left: None)
    assert fresh.asks("a")
    assert fresh.asks("b")
    assert not fresh.asks("b")
    assert not fresh.asks("c"), "all are confirmed"


def test_the_first_orders_by_key_after_a_change_are_sent_by_the_second_press_alone(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        await until(lambda: not shell.entry.blocked("AAPL"), "a fresh quote")
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
