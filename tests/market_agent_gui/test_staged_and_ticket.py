"""The staged order outlives whatever a ticket cannot read at the moment; only a person drops it."""

import asyncio
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from engine.api.commands import Flatten, Halt, ModifyOrder, PlaceOrder, Receipt
from engine.model.decision import Denial
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType, TimeInForce
from tests.support_gui.harness import Desk, until
from widgets.order_ticket import OrderTicket

D = Decimal


def test_a_quote_that_runs_past_the_stop_does_not_drop_what_the_keys_have_staged(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        desk.key("Ctrl+B", shell.window.docks["chart"].pane)
        staged = shell.entry.staged
        assert staged is not None
        desk.key("L")
        desk.key("Up")
        assert shell.entry.staged is not None, "a stop above the entry is for a person to mend"
        assert shell.entry.staged.stop == staged.limit + staged.tick
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        assert ticket.draft.stop == staged.limit + staged.tick
        assert ticket.request() is None
        desk.key("Shift+Down")
        assert shell.entry.staged.stop == staged.limit - 9 * staged.tick
        await until(lambda: ticket.request() is not None, "the ticket reads the same order")

    run(story())


def test_typing_a_target_digit_by_digit_keeps_the_rest_of_the_order(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        desk.key("Ctrl+B", shell.window.docks["chart"].pane)
        staged = shell.entry.staged
        assert staged is not None
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        field = ticket.sentence._fields["target"]
        for text in ("1", "19", "199"):
            field.setText(text)
            field.textEdited.emit(text)
            assert ticket.draft.size == staged.quantity, f"after {text!r}"
            assert ticket.draft.limit is not None
        assert shell.entry.staged is not None
        assert shell.entry.staged.target == D(199)

    run(story())


def test_a_staged_price_is_shown_with_all_decimals_of_its_tick(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.links.choose("chart", "AAPL")
        desk.key("Ctrl+B", desk.shell.window.docks["chart"].pane)
        desk.shell.entry.move_leg("entry", D("190.1"))
        ticket: OrderTicket = desk.shell.window.docks["ticket"].pane
        assert ticket.sentence._fields["limit"].text() == "190.10"
        assert ticket.sentence.size_field.text() == "100"

    run(story())


def test_a_refusal_on_a_held_symbol_offers_to_close_it_and_closes_the_one_the_ticket_shows(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        held = next(iter(shell.bridge.mirror.rows("positions")))
        desk.engine.denials = (Denial(code="G12", text="The position would be too large."),)
        shell.links.choose("ticket", held)
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        for name, text in (("size", "100"), ("limit", "100")):
            field = ticket.sentence._fields[name]
            field.setText(text)
            field.textEdited.emit(text)
        await until(ticket.flatten.isVisible, "the way out")
        shell.links.next_group("ticket")
        shell.links.choose("chart", next(symbol for symbol in ("AAPL", "MSFT", "NVDA") if symbol != held))
        ticket.flatten.click()
        await until(lambda: desk.sent(Flatten), "the close")
        assert [command.symbol for command in desk.sent(Flatten)] == [held]

    run(story())


def test_reverse_closes_now_and_stages_as_much_of_the_other_side_which_waits_for_enter(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        desk.key("Ctrl+Shift+R", shell.window.docks["chart"].pane)
        await until(lambda: desk.sent(Flatten), "the close")
        assert [(command.symbol, command.fraction) for command in desk.sent(Flatten)] == [("AAPL", D(1))]
        staged = shell.entry.staged
        assert staged is not None
        assert (staged.symbol, staged.side, staged.quantity) == ("AAPL", Side.SELL, D(200))
        desk.key("Return")
        assert not desk.sent(PlaceOrder), "what adds risk needs arming"
        shell.links.choose("chart", "ORCL")
        shell.commander.run("reverse", "palette")
        assert len(desk.sent(Flatten)) == 1
        assert any("no position" in text for _, text in desk.toasts)

    run(story())


def test_the_stop_of_a_position_is_changed_in_the_ticket_and_where_there_is_none_one_is_offered(
    desk: Desk, run
) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        shell.presenters["positions"]._on_stop("MSFT")
        staged = shell.entry.staged
        assert staged is not None
        assert (staged.symbol, staged.order_type, staged.ref) == ("MSFT", OrderType.STOP, "ma-4567-261120-MSFTstop-P")
        assert ticket.change.isVisibleTo(ticket)
        shell.entry.drop()
        desk.engine.tables["orders"].remove("ma-4567-261120-MSFTstop-P")
        await until(lambda: not [r for r in shell.bridge.mirror.working("MSFT") if r.leg == "stop"], "no stop")
        shell.presenters["positions"]._on_stop("MSFT")
        draft = ticket.draft
        assert (draft.symbol, draft.side, draft.size) == ("MSFT", Side.SELL, D(60))
        assert (draft.order_type, draft.tif, draft.trigger) == (OrderType.STOP, TimeInForce.GTC, None)
        assert ticket.sentence.trigger.isVisibleTo(ticket)
        assert ticket.request() is None, "it lacks its price"

    run(story())


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("buy AAPL 10 moc", OrderType.MARKET_ON_CLOSE, "BUY 10 AAPL"),
        ("sell MSFT 60 stp 400 gtc", OrderType.STOP, "SELL 60 MSFT"),
        ("buy NVDA 5 mkt", OrderType.MARKET, "BUY 5 NVDA"),
        ("buy AAPL risk 250 @ 190.33 stop 188", OrderType.LIMIT, "BUY 107 AAPL"),
    ],
)
def test_an_order_typed_in_the_palette_stands_in_the_ticket_whatever_its_type(
    desk: Desk, run, text: str, kind: OrderType, says: str
) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        entry = shell.program.palette_source.entries(text)[0]
        assert entry.title == text
        entry.do()
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        assert ticket.draft.order_type is kind
        await until(lambda: ticket.send.text().startswith(says), "the gate's yes")
        assert not desk.sent(PlaceOrder)

    run(story())


@pytest.mark.parametrize("press", ["Return", "Enter"])
def test_no_enter_after_the_start_or_after_the_palette_reaches_stop(desk: Desk, run, press: str) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        chart = shell.window.docks["chart"]
        await until(lambda: chart.isAncestorOf(QApplication.focusWidget()), "the focus on the chart")
        desk.key(press)
        QApplication.focusWidget().clearFocus()
        desk.key("Ctrl+Space")
        palette = shell.program.palette
        palette.line.setText("MSFT")
        palette._run()
        await until(lambda: shell.links.symbol("chart") == "MSFT", "the symbol")
        assert QApplication.focusWidget() is None, "nothing had the focus before"
        shell.head.strip.halt.setFocus(Qt.FocusReason.TabFocusReason)
        desk.key(press)
        await asyncio.sleep(0.1)
        assert not desk.sent(Halt)
        desk.key("Space")
        await until(lambda: desk.sent(Halt), "the halt that Space asks for on the button")

    run(story())


def test_while_a_working_order_is_changed_the_ticket_reads_the_change_and_sends_it(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        await until(lambda: shell.bridge.mirror.working("AAPL"), "a working order")
        await until(lambda: "stale" not in ticket.send.text(), "a fresh quote")
        desk.key("Ctrl+M", shell.window.docks["chart"].pane)
        staged = shell.entry.staged
        assert staged is not None
        assert staged.ref
        assert "not complete" not in ticket.send.text()
        assert "nothing is changed yet" in ticket.send.text()
        assert ticket.sentence.isHidden()
        desk.key("Up")
        moved = shell.entry.staged
        assert moved is not None
        assert str(staged.limit) in ticket.change.accessibleName()
        assert f"→ {moved.limit}" in ticket.change.accessibleName()
        assert ticket.send.text() == "Send the change to PAPER DU…567"
        ticket.press_send()
        await until(lambda: desk.sent(ModifyOrder), "the change at the engine")
        assert desk.sent(ModifyOrder)[0].ref == staged.ref
        await until(lambda: not ticket.sentence.isHidden(), "the sentence again")
        assert "not complete" in ticket.send.text()

    run(story())


def test_esc_in_the_ticket_drops_the_change_of_a_working_order(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        await until(lambda: shell.bridge.mirror.working("AAPL"), "a working order")
        await until(lambda: "stale" not in ticket.send.text(), "a fresh quote")
        desk.key("Ctrl+M", shell.window.docks["chart"].pane)
        ticket.drop()
        assert shell.entry.staged is None
        assert not ticket.sentence.isHidden()
        assert not desk.sent(ModifyOrder)

    run(story())


def test_what_is_clicked_in_the_positions_is_what_is_acted_on_whatever_the_colour_of_the_ticket(
    desk: Desk, run
) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        shell.links.join("ticket", "amber")
        shell.links.choose("ticket", "AAPL")
        positions = shell.window.docks["positions"].pane
        stop = next(row for row in shell.bridge.mirror.working("MSFT") if row.leg == "stop")
        held = shell.bridge.mirror.position("MSFT")
        even = float(held.break_even or held.average_price)
        desk.engine.quote("MSFT", even + 5, even + 5.02)
        await until(lambda: shell.bridge.mirror.price("MSFT").bid > even + 4, "a quote above break-even")
        positions.break_even_wanted.emit("MSFT")
        await until(lambda: desk.sent(ModifyOrder), "the stop")
        assert {command.ref for command in desk.sent(ModifyOrder)} == {stop.key}
        shell.links.choose("ticket", "AAPL")
        positions.stop_wanted.emit("MSFT")
        assert (shell.entry.staged.symbol, shell.symbol()) == ("MSFT", "MSFT")
        shell.links.choose("ticket", "AAPL")
        positions.reverse_wanted.emit("MSFT")
        await until(lambda: desk.sent(Flatten), "the close")
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        assert desk.sent(Flatten)[0].symbol == shell.entry.staged.symbol == shell.symbol() == "MSFT"
        assert ticket.draft.symbol == "MSFT"

    run(story())


def test_the_change_of_a_working_order_does_not_outlive_its_symbol_in_the_ticket(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        chart = shell.window.docks["chart"].pane
        await until(lambda: shell.bridge.mirror.working("AAPL"), "a working order")
        desk.key("Ctrl+M", chart)
        assert shell.entry.staged.ref
        shell.links.choose("chart", "MSFT")
        assert shell.entry.staged is None, "what Enter would send is no longer shown"
        await until(lambda: not shell.entry.blocked("MSFT"), "a fresh quote")
        shell.commander.run("arm", "key")
        desk.key("Return", chart)
        assert not desk.sent(ModifyOrder)

    run(story())


def test_what_was_staged_on_one_account_is_not_sent_on_another(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        desk.key("Ctrl+B", shell.window.docks["chart"].pane)
        desk.engine.state()
        await asyncio.sleep(0.1)
        assert shell.entry.staged is not None, "the same account told once more drops nothing"
        desk.engine.state(account="DU7654321")
        await until(lambda: shell.entry.staged is None, "nothing staged")

    run(story())


def test_a_working_order_that_goes_while_it_is_dragged_does_not_move_the_staged_one(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        shell.entry.stage_at(Side.BUY, D("189.00"))
        shell.window.docks["depth"].pane.order_dragged.emit("filled-meanwhile", D("195.00"))
        assert shell.entry.staged.limit == D("189.00")
        assert not desk.sent(ModifyOrder)

    run(story())


def test_an_order_that_was_refused_from_the_ticket_and_sent_by_key_is_not_in_the_ticket_a_second_time(
    desk: Desk, run
) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        shell.entry.stage_at(Side.BUY, D("190.00"))
        await until(lambda: not any(ticket._standing()), "a verdict")
        desk.engine.refuse[PlaceOrder] = Receipt(ok=False, code="G4", text="The collar is 189.00.")
        ticket.press_send()
        await until(lambda: ticket._said is not None, "the refusal")
        assert shell.entry.staged.intent == ticket.draft.intent != desk.sent(PlaceOrder)[0].request.intent_id
        assert shell.entry.staged.clicked
        del desk.engine.refuse[PlaceOrder]
        shell.commander.run("arm", "key")
        desk.key("Return", shell.window.docks["chart"].pane)
        await until(lambda: len(desk.sent(PlaceOrder)) == 2, "the order")
        await until(lambda: shell.entry.staged is None, "its end")
        assert ticket.request() is None, "it would be sent twice"

    run(story())


def test_what_the_gate_judged_is_what_enter_sends_also_once_a_key_has_changed_the_size(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        worth = OrderRequest(
            intent_id=IntentId("w-1"), symbol=Symbol("AAPL"), side=Side.BUY, quantity=D(52), limit_price=D("190.00"),
            intended_notional=D(10_000),
        )  # fmt: skip
        shell.entry.stage_request(worth)
        assert shell.entry.staged.request() == worth
        desk.key("1", shell.window.docks["chart"].pane)
        assert shell.entry.staged.quantity == shell.entry.sizes[0]
        assert shell.entry.staged.request() == ticket.request(), "the amount meant was of another size"

    run(story())


def test_a_ticket_on_a_symbol_without_a_price_leaves_no_other_order_staged(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")
        shell.entry.stage_at(Side.BUY, D("190.00"))
        unknown = OrderRequest(
            intent_id=IntentId("w-1"), symbol=Symbol("NOSUCH"), side=Side.BUY, quantity=D(1), limit_price=D(5)
        )
        shell.window.docks["ticket"].pane.open_request(unknown)
        assert shell.entry.staged is None, "Enter would send what is no longer shown"

    run(story())


def test_what_is_staged_is_in_sight_and_the_hands_stay_where_they_are(desk: Desk, run) -> None:
    async def story() -> None:
        chart = await desk.open_on("AAPL")
        shell = desk.shell
        ticket = shell.window.docks["ticket"]
        ticket.hide()
        await until(lambda: not shell.presenters["ticket"].visible, "the ticket out of sight")
        desk.key("Ctrl+B", chart)
        assert shell.entry.staged is not None
        assert not ticket.isVisible(), "the chart shows it"
        desk.key("Esc")
        shell.links.join("chart", "amber")
        shell.links.choose("chart", "MSFT")
        desk.key("Ctrl+B", chart)
        assert shell.entry.staged.symbol == "AAPL", "the symbol of the ticket"
        assert ticket.isVisible()
        focus = QApplication.focusWidget()
        assert focus is not None
        assert shell.window.docks["chart"].isAncestorOf(focus)

    run(story())
