"""What a person wants confirmed waits for a second press or a yes, in its book; everything else goes as before."""

import asyncio
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from engine.api.commands import CancelAll, CancelOrder, Flatten, Halt, ModifyOrder, PlaceOrder
from engine.model.market import Side
from engine.model.order import OrderType
from market_agent_gui.confirm_dialogs import ConfirmationsDialog, ConfirmDialog
from market_agent_gui.keys.confirming import HOLD_S, Act, Choice, Policy, When
from market_agent_gui.keys.fresh import ORDERS
from market_agent_gui.loop import PreciseLoop
from market_agent_gui.palette_source import PaletteSource
from market_agent_gui.preferences import FILE, PreferencesFile
from tests.support_gui.clock import Clock
from tests.support_gui.harness import Desk, asked, gone, opened, until
from widgets.depth_ladder import DepthLadder
from widgets.order_ticket import OrderTicket

SYMBOL = "AAPL"


@pytest.fixture(params=["paper", "live"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, qapp: QApplication, loop: PreciseLoop) -> Desk:
    """A desk in the book that a test names, else one on paper and one live."""
    return Desk(tmp_path, qapp, request.param)


live = pytest.mark.parametrize("desk", ["live"], indirect=True)


async def ready(desk: Desk) -> None:
    await desk.open_on(SYMBOL)
    shell = desk.shell
    shell.commander.run("arm", "key")
    clock = Clock()
    shell.confirming._second._monotonic = shell.guard._monotonic = clock
    desk.clock = clock  # type: ignore[attr-defined]


def later(desk: Desk, seconds: float = 1.1) -> None:
    desk.clock.now += seconds  # type: ignore[attr-defined]


def press(desk: Desk, key: str) -> None:
    """Press in the chart, a second after what was pressed before."""
    later(desk)
    desk.key(key, desk.shell.window.docks["chart"].pane)


async def quiet(desk: Desk, kind: type) -> bool:
    await asyncio.sleep(0.15)
    return not desk.sent(kind)


def stage(desk: Desk, size: str = "500") -> None:
    """By key; at 190 this is 95 000."""
    press(desk, "Ctrl+B")
    desk.shell.entry.set_size(D(size))


# --- keys


def test_a_large_order_by_key_goes_at_once_on_paper_and_by_the_second_press_live(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk)
        press(desk, "Return")
        if desk.engine.book == "live":
            assert await quiet(desk, PlaceOrder)
            reads = desk.shell.confirming.waiting
            limit = desk.shell.entry.staged.limit
            assert reads.startswith(f"Enter again sends BUY 500 AAPL at {limit} limit")
            assert reads.endswith(", LIVE")
            assert ("warn", reads) in desk.toasts
            press(desk, "Return")
        await until(lambda: desk.sent(PlaceOrder), "the order")
        assert len(desk.sent(PlaceOrder)) == 1
        assert not desk.shell.confirming.waiting

    run(story())


@live
def test_a_small_live_order_by_key_goes_at_once(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk, "100")
        press(desk, "Return")
        await until(lambda: desk.sent(PlaceOrder), "the order")

    run(story())


@live
def test_a_press_in_haste_a_held_key_and_a_late_press_do_not_confirm(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk)
        press(desk, "Return")
        later(desk, 0.5)
        desk.key("Return", desk.shell.window.docks["chart"].pane)
        desk.shell.keys.press("send", "Return", auto_repeat=True)
        later(desk, 2)
        desk.shell.keys.press("send", "Return", auto_repeat=True)
        assert await quiet(desk, PlaceOrder)
        assert desk.shell.confirming.waiting
        later(desk, HOLD_S)
        press(desk, "Return")
        assert await quiet(desk, PlaceOrder), "it asks anew"
        press(desk, "Return")
        await until(lambda: desk.sent(PlaceOrder), "the order")

    run(story())


@live
def test_the_wait_ends_by_itself(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        assert desk.shell.confirming._late.interval() == HOLD_S * 1000
        desk.shell.confirming._late.setInterval(30)
        stage(desk)
        press(desk, "Return")
        assert desk.shell.confirming.waiting
        await until(lambda: not desk.shell.confirming.waiting, "its end")

    run(story())


CHANGES: dict[str, Callable[[Desk], object]] = {
    "price": lambda desk: press(desk, "Up"),
    "size": lambda desk: press(desk, "7"),
    "stop": lambda desk: desk.shell.entry.move_leg("stop", D(150)),
    "other side": lambda desk: press(desk, "Ctrl+S"),
    "escape": lambda desk: press(desk, "Esc"),
}


@live
@pytest.mark.parametrize("change", CHANGES)
def test_escape_and_any_change_of_the_order_end_the_wait(desk: Desk, run, change: str) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk)
        press(desk, "Return")
        assert desk.shell.confirming.waiting
        CHANGES[change](desk)
        assert not desk.shell.confirming.waiting
        press(desk, "Return")
        assert await quiet(desk, PlaceOrder), "what is another order is asked about itself"

    run(story())


@live
def test_what_waits_follows_the_quote_no_more_and_is_sent_as_it_was_read(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk)
        assert desk.shell.entry.staged.joins
        press(desk, "Return")
        read = desk.shell.entry.staged.limit
        assert not desk.shell.entry.staged.joins
        desk.engine.quote(SYMBOL, float(read) + 1, float(read) + 1.02)
        await until(lambda: desk.shell.bridge.mirror.price(SYMBOL).bid > float(read), "the new quote")
        desk.shell.entry._follow()
        press(desk, "Return")
        await until(lambda: desk.sent(PlaceOrder), "the order")
        assert desk.sent(PlaceOrder)[0].request.limit_price == read

    run(story())


@live
def test_the_waiting_order_says_so_on_the_chart_and_in_the_ticket(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk)
        press(desk, "Return")
        chart = desk.shell.presenters["chart"]._pane.chart
        assert "Enter AGAIN sends BUY 500 · not sent" in [line.text for line in chart._layers.orders]
        ticket: OrderTicket = desk.shell.window.docks["ticket"].pane
        assert ticket._armed == ("Enter again sends it", False)

    run(story())


@live
def test_the_note_of_a_wait_goes_with_it(desk: Desk, run) -> None:
    async def story() -> None:
        del desk.shell.head.toast
        await ready(desk)
        stage(desk)
        press(desk, "Return")
        waiting = desk.shell.confirming.waiting
        assert waiting in [toast.text for toast in desk.shell.head.toaster.toasts]
        press(desk, "Esc")
        assert waiting not in [toast.text for toast in desk.shell.head.toaster.toasts]

    run(story())


@live
def test_one_second_press_answers_both_the_policy_and_the_new_hands(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        desk.shell.fresh_keys.sizes_changed()
        stage(desk)
        press(desk, "Return")
        assert await quiet(desk, PlaceOrder)
        press(desk, "Return")
        await until(lambda: desk.sent(PlaceOrder), "the order")
        assert desk.shell.fresh_keys.left == ORDERS - 1

    run(story())


# --- chart and ladder


def test_an_order_of_a_clicked_price_has_a_choice_of_its_own(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        book = desk.engine.book
        desk.shell.confirming.policy = Policy(
            {(book, Act.KEY): Choice(When.NEVER), (book, Act.CHART): Choice(When.ALWAYS)}
        )
        desk.shell.entry.stage_at(Side.BUY, D("189.00"))
        press(desk, "Return")
        assert await quiet(desk, PlaceOrder)
        press(desk, "Return")
        await until(lambda: desk.sent(PlaceOrder), "the clicked order")
        await until(lambda: desk.shell.entry.staged is None, "its end")
        press(desk, "Ctrl+B")
        press(desk, "Return")
        await until(lambda: len(desk.sent(PlaceOrder)) == 2, "the order of the keys")

    run(story())


@live
def test_an_entry_dragged_on_the_ladder_asks_and_a_stop_does_not(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        row = desk.engine.order(_request(D(500), D(180)))
        await until(lambda: desk.shell.bridge.mirror.rows("orders").get(row.key), "the order")
        stop = next(r for r in desk.shell.bridge.mirror.working() if r.leg == "stop")
        ladder: DepthLadder = desk.shell.window.docks["depth"].pane
        ladder.order_dragged.emit(stop.key, stop.stop_price + 1)
        await until(lambda: len(desk.sent(ModifyOrder)) == 1, "the stop")
        ladder.order_dragged.emit(row.key, D(185))
        question = await asked(ConfirmDialog)
        assert question.text.text() == "BUY 500 AAPL at 185.00 limit (a change)"
        question.reject()
        assert len(desk.sent(ModifyOrder)) == 1
        ladder.order_dragged.emit(row.key, D(186))
        (await asked(ConfirmDialog)).yes.click()
        await until(lambda: len(desk.sent(ModifyOrder)) == 2, "the change")
        assert desk.sent(ModifyOrder)[1].limit_price == D(186)

    run(story())


# --- the ticket


def _request(size: D, limit: D | None = None, kind: OrderType = OrderType.LIMIT):
    from engine.model.ids import IntentId, Symbol
    from engine.model.order import OrderRequest

    return OrderRequest(
        intent_id=IntentId("t-1"),
        symbol=Symbol(SYMBOL),
        side=Side.BUY,
        quantity=size,
        order_type=kind,
        limit_price=limit,
    )


async def pressed(desk: Desk, size: D, limit: D) -> OrderTicket:
    ticket: OrderTicket = desk.shell.window.docks["ticket"].pane
    ticket.open_request(_request(size, limit))
    await until(lambda: not any(ticket._standing()), "a verdict")
    ticket.press_send()
    return ticket


def test_the_ticket_sends_at_once_on_paper_and_asks_live_with_no_as_the_default(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        ticket = await pressed(desk, D(500), D("190.10"))
        if desk.engine.book == "live":
            question = await asked(ConfirmDialog)
            assert question.text.text() == "BUY 500 AAPL at 190.10 limit"
            assert question.windowTitle().endswith("LIVE U…318")
            assert question.no.isDefault()
            assert question.no.text() == "Do not send"
            assert not question.yes.isDefault()
            assert question.focusWidget() is question.no
            assert ticket.send.text() == "Waiting for your answer"
            enter = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
            QCoreApplication.sendEvent(question, enter)
            await until(lambda: gone(question), "no")
            assert await quiet(desk, PlaceOrder)
            assert ticket.draft.size == D(500), "what was written stays"
            assert ticket._said is None, "a person's no is no refusal"
            await until(lambda: not any(ticket._standing()), "a new verdict")
            ticket.press_send()
            (await asked(ConfirmDialog)).yes.click()
        await until(lambda: desk.sent(PlaceOrder), "the order")
        assert len(desk.sent(PlaceOrder)) == 1
        assert desk.sent(PlaceOrder)[0].request.limit_price == D("190.10")

    run(story())


@live
def test_a_market_order_without_a_price_is_asked_about(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        subjects = desk.shell.confirming.subjects
        subject = subjects.request(_request(D(1), kind=OrderType.MARKET), Act.TICKET)
        assert subject.notional is not None
        assert not desk.shell.confirming._wanted(subject)
        desk.engine.quote(SYMBOL, 190.0, 190.02, flags=1)
        await until(lambda: not desk.shell.bridge.mirror.price(SYMBOL).live, "a stale quote")
        subject = subjects.request(_request(D(1), kind=OrderType.MARKET), Act.TICKET)
        assert subject.notional is None
        assert desk.shell.confirming._wanted(subject)

    run(story())


@live
def test_an_order_is_worth_what_it_may_cost_at_most(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        desk.engine.quote(SYMBOL, 190.0, 190.02)
        await until(lambda: desk.shell.bridge.mirror.price(SYMBOL).bid == 190.0, "the quote")
        subjects = desk.shell.confirming.subjects

        def worth(side: Side, kind: OrderType, limit: D | None, stop: D | None) -> D | None:
            plain = msgspec.structs.replace(_request(D(100), limit, kind), side=side, stop_price=stop)
            return subjects.request(plain, Act.TICKET).notional

        assert worth(Side.BUY, OrderType.LIMIT, D(180), None) == D(18000), "a limit is the most a buy costs"
        assert worth(Side.BUY, OrderType.STOP, None, D(180)) == D(19002), "it triggers at once"
        assert worth(Side.BUY, OrderType.STOP, None, D(200)) == D(20000)
        assert worth(Side.SELL, OrderType.LIMIT, D(180), None) == D(19000), "a sell under the market is filled there"
        assert worth(Side.SELL, OrderType.LIMIT, D(200), None) == D(20000)
        assert worth(Side.BUY, OrderType.MARKET, None, None) == D(19002)

    run(story())


@live
@pytest.mark.parametrize(
    ("told", "worth"),
    [
        ({"currency": "USD"}, D(19000)),
        ({"currency": "USD", "multiplier": 50.0}, D(950_000)),
        ({"currency": "EUR"}, None),
        ({"currency": ""}, None),
    ],
)
def test_an_order_is_worth_its_contracts_and_what_another_currency_is_worth_is_not_known(
    desk: Desk, run, told: dict[str, object], worth: D | None
) -> None:
    async def story() -> None:
        await ready(desk)
        row = desk.engine.tables["quotes"].get(SYMBOL)
        desk.engine.put("quotes", msgspec.structs.replace(row, **told))
        mirror = desk.shell.bridge.mirror
        await until(lambda: mirror.rows("quotes")[SYMBOL].multiplier == told.get("multiplier", 1.0)
                    and mirror.rows("quotes")[SYMBOL].currency == told["currency"], "the row")  # fmt: skip
        subjects, wanted = desk.shell.confirming.subjects, desk.shell.confirming._wanted
        subject = subjects.request(_request(D(100), D(190)), Act.TICKET)
        assert subject.notional == worth
        assert wanted(subject) is (worth != D(19000)), "what is not known is asked about"
        held = mirror.position(SYMBOL)
        closing = subjects.exit(SYMBOL, D(1))
        assert closing.notional == (None if worth is None else held.mark * held.quantity * worth / D(19000))
        assert (subjects.flatten_all().notional is None) is (worth is None), "a sum of two currencies is none"

    run(story())


@live
def test_somebody_elses_order_of_an_unknown_kind_is_read_all_the_same(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        row = desk.engine.order(_request(D(500), D(180)), order_type="LIT")
        await until(lambda: desk.shell.bridge.mirror.rows("orders").get(row.key), "the order")
        subject = desk.shell.confirming.subjects.change(row.key, Act.CHART, limit_price=D(185))
        assert subject.words == "BUY 500 AAPL at 185.00 LIT (a change)"

    run(story())


@live
def test_a_yes_after_the_account_has_changed_sends_nothing(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        await pressed(desk, D(500), D("190.10"))
        question = await asked(ConfirmDialog)
        desk.engine.state(account="U7777777")
        await until(lambda: desk.shell.bridge.mirror.state().account == "U7777777", "the other account")
        question.yes.click()
        assert await quiet(desk, PlaceOrder)
        assert any("no longer what you were asked" in text for _, text in desk.toasts)

    run(story())


@live
def test_a_yes_after_the_order_has_changed_sends_nothing(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk)
        desk.shell.commander.run("send", "menu")
        question = await asked(ConfirmDialog)
        desk.shell.entry.set_size(D(600))
        question.yes.click()
        assert await quiet(desk, PlaceOrder)
        assert any("no longer what you were asked" in text for _, text in desk.toasts)

    run(story())


@live
def test_send_in_the_menu_asks_with_a_question(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        stage(desk)
        assert not desk.shell.commander.run("send", "menu")
        question = await asked(ConfirmDialog)
        assert question.text.text().startswith("BUY 500 AAPL at")
        assert await quiet(desk, PlaceOrder)
        question.yes.click()
        await until(lambda: desk.sent(PlaceOrder), "the order")

    run(story())


# --- what closes and cancels


def test_reverse_goes_at_once_on_paper_and_is_confirmed_live(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        held = desk.shell.bridge.mirror.position(SYMBOL)
        press(desk, "Ctrl+Shift+R")
        if desk.engine.book == "live":
            assert await quiet(desk, Flatten)
            waiting = desk.shell.confirming.waiting
            assert waiting.startswith(f"Ctrl+Shift+R again will close {held.quantity} AAPL, then stage the other side")
            desk.key("Esc")
            assert not desk.shell.confirming.waiting
            desk.shell.window.docks["positions"].pane.reverse_wanted.emit(SYMBOL)
            (await asked(ConfirmDialog)).no.click()
            assert await quiet(desk, Flatten)
            desk.shell.window.activateWindow()
            await until(lambda: QApplication.focusWindow() is not None, "the focus")
            press(desk, "Ctrl+Shift+R")
            press(desk, "Ctrl+Shift+R")
        await until(lambda: desk.sent(Flatten), "the exit")
        assert len(desk.sent(Flatten)) == 1

    run(story())


@live
def test_esc_that_drops_the_staged_order_and_the_lock_take_back_a_waiting_reverse_too(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        shell = desk.shell
        press(desk, "Ctrl+B")
        press(desk, "Ctrl+Shift+R")
        assert shell.confirming.waiting
        press(desk, "Esc")
        assert shell.entry.staged is None
        assert not shell.confirming.waiting
        press(desk, "Ctrl+Shift+R")
        shell.program.pins.set("2468")
        shell.program.lock()
        assert not shell.confirming.waiting
        shell.program.lock_page.line.setText("2468")
        shell.program.lock_page._on_entered()
        press(desk, "Ctrl+Shift+R")
        assert await quiet(desk, Flatten), "it is asked about anew"

    run(story())


def test_an_exit_by_key_and_by_button_is_never_asked_about_unless_a_person_wants_it(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        press(desk, "Ctrl+0")
        await until(lambda: len(desk.sent(Flatten)) == 1, "the exit")
        positions = desk.shell.window.docks["positions"].pane
        positions.flatten_wanted.emit(SYMBOL, D(1))
        await until(lambda: len(desk.sent(Flatten)) == 2, "the second exit")
        desk.shell.confirming.policy = Policy({(desk.engine.book, Act.FLATTEN): Choice(When.ALWAYS)})
        press(desk, "Ctrl+Shift+F")
        positions.flatten_wanted.emit(SYMBOL, D("0.5"))
        question = await asked(ConfirmDialog)
        assert question.text.text().startswith("Close ")
        assert len(desk.sent(Flatten)) == 2
        question.yes.click()
        await until(lambda: len(desk.sent(Flatten)) == 3, "the confirmed exit")
        assert desk.sent(Flatten)[2].fraction == D("0.5")

    run(story())


def test_flatten_all_that_was_typed_goes_at_once_on_paper_and_is_confirmed_live(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        source = PaletteSource(desk.shell, desk.shell.program)
        source.entries("flatten all")[0].do()
        if desk.engine.book == "live":
            question = await asked(ConfirmDialog)
            assert question.text.text().startswith("Close every position (")
            assert SYMBOL in question.text.text()
            assert await quiet(desk, Flatten)
            question.yes.click()
        await until(lambda: desk.sent(Flatten), "the exits")
        assert desk.sent(Flatten)[0].symbol is None

    run(story())


def test_cancel_all_is_confirmed_only_where_a_person_wants_it_and_stop_never(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        press(desk, "Ctrl+Shift+Backspace")
        await until(lambda: len(desk.sent(CancelAll)) == 1, "the cancel")
        every = {(desk.engine.book, act): Choice(When.ALWAYS) for act in Act}
        desk.shell.confirming.policy = Policy(every)
        press(desk, "Ctrl+Shift+Backspace")
        await asyncio.sleep(0.15)
        assert len(desk.sent(CancelAll)) == 1
        press(desk, "Ctrl+Shift+Backspace")
        await until(lambda: len(desk.sent(CancelAll)) == 2, "the confirmed cancel")
        desk.key("Ctrl+.")
        await until(lambda: desk.sent(Halt), "STOP")
        assert opened(ConfirmDialog) == []

    run(story())


# --- the rehearsal


def test_in_a_rehearsal_no_hand_sends_anything_but_stop(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        shell = desk.shell
        docks = {name: shell.window.docks[name].pane for name in ("depth", "orders", "positions", "ticket")}
        order = desk.engine.order(_request(D(500), D(180)))
        await until(lambda: shell.bridge.mirror.rows("orders").get(order.key), "the order")
        stop = next(row for row in shell.bridge.mirror.working(SYMBOL) if row.leg == "stop")
        shell.commander.run("rehearse", "key")
        before = len(desk.engine.commands)
        docks["depth"].cancel_wanted.emit(order.key)
        docks["depth"].order_dragged.emit(order.key, D(181))
        docks["orders"].cancel_wanted.emit([order.key, stop.key])
        docks["orders"].modify_wanted.emit(order.key, "limit_price", D(182))
        docks["positions"].flatten_wanted.emit(SYMBOL, D(1))
        docks["positions"].reverse_wanted.emit(SYMBOL)
        docks["positions"].break_even_wanted.emit(SYMBOL)
        docks["ticket"].flatten_wanted.emit(SYMBOL)
        shell.presenters["chart"]._on_dragged(order.key, "entry", D(183))
        for text in (f"cancel {SYMBOL}", "flatten all"):
            PaletteSource(shell, shell.program).entries(text)[0].do()
        for key in ("Ctrl+0", "Ctrl+Z", "Ctrl+Shift+Backspace", "Ctrl+Shift+R", "Alt+Up"):
            press(desk, key)
        await asyncio.sleep(0.15)
        assert not opened(ConfirmDialog), "what is not sent is not asked about"
        kinds = (CancelAll, CancelOrder, Flatten, ModifyOrder, PlaceOrder)
        assert [each for each in desk.engine.commands[before:] if isinstance(each, kinds)] == []
        assert desk.toasts[-1] == ("warn", "rehearsal: nothing is sent")
        desk.key("Ctrl+.")
        await until(lambda: desk.sent(Halt), "STOP")
        shell.commander.run("rehearse", "key")
        docks["orders"].cancel_wanted.emit([order.key])
        await until(lambda: desk.sent(CancelOrder), "the cancel once it is over")

    run(story())


@live
def test_the_rehearsal_says_which_keys_would_want_a_second_press(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        shell = desk.shell
        overlay = shell.program.rehearsal.overlay

        def effects() -> dict[str, str]:
            shell.program.rehearsal.refresh()
            return {line.action: line.effect for line in overlay._lines}

        stage(desk, "100")
        shell.commander.run("rehearse", "key")
        small = effects()
        assert small["send"].startswith("BUY 100 AAPL @ ")
        assert not small["send"].endswith("press twice")
        assert small["reverse"].endswith(" · press twice"), "live it is always confirmed"
        assert not small["exit_all"].endswith("press twice")
        shell.entry.set_size(D(500))
        assert effects()["send"].endswith(" · press twice")
        shell.entry.set_size(D(100))
        shell.fresh_keys.sizes_changed()
        new = effects()
        assert new["send"].endswith(" · press twice"), "the hands are new"
        assert new["bracket_up"] == "moves entry, stop and target together"
        assert "price_up" in new
        assert not new["price_up"].endswith("press twice")
        shell.entry.drop()
        assert effects()["bracket_up"] == "moves 2 orders · press twice"

    run(story())


# --- the choice


@live
def test_the_policy_is_chosen_kept_and_only_a_looser_one_makes_the_hands_new(desk: Desk, run) -> None:
    async def story() -> None:
        await ready(desk)
        shell = desk.shell

        async def choose(act: Act, when: When, amount: str = "25000") -> ConfirmationsDialog:
            assert shell.commander.run("confirmations", "palette")
            page = await asked(ConfirmationsDialog)
            cell = page.cells["live", act]
            cell.when.setCurrentIndex(list(When).index(when))
            cell.amount.setText(amount)
            page.yes.click()
            return page

        page = await choose(Act.KEY, When.ABOVE, "much")
        assert page.problem.text() == "Order by key, Live: 'much' is not an amount of money"
        page.reject()
        await until(lambda: gone(page), "its end")
        assert shell.confirming.policy == Policy()
        page = await choose(Act.KEY, When.ABOVE, "10000")
        await until(lambda: gone(page), "its end")
        assert not shell.fresh_keys.left, "stricter"
        page = await choose(Act.REVERSE, When.NEVER)
        await until(lambda: gone(page), "its end")
        assert (shell.fresh_keys.left, shell.fresh_keys.why) == (ORDERS, "confirmations")
        kept = PreferencesFile(desk.profile).now.confirm
        assert (kept["live.key"], kept["live.reverse"]) == ("above 10000", "never")
        assert not shell.confirming.policy.asks("live", Act.REVERSE, None)

    run(story())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ broken", "window.json cannot be used"),
        ('{"confirm": ["always"]}', "window.json cannot be used"),
        ('{"confirm": {"live.key": "sometimes"}, "sizes": ["x"]}', "live.key: sometimes"),
    ],
)
def test_choices_that_cannot_be_read_fall_back_to_the_defaults_and_it_is_said(
    tmp_path: Path, qapp: QApplication, loop: PreciseLoop, text: str, said: str
) -> None:
    (tmp_path / FILE).write_text(text)
    desk = Desk(tmp_path, qapp, "live")

    async def story() -> None:
        try:
            await desk.open()
            assert desk.shell.confirming.policy == Policy()
            await until(lambda: any(kind == "warn" and said in line for kind, line in desk.toasts), "the warning")
        finally:
            await desk.close()

    loop.run_until_complete(story())
