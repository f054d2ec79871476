"""A unit of a future is worth more than its price: sizes, risks and questions count that."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from engine.api.rows import OrderRow, PositionRow
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest
from market_agent_gui.chart_layers import order_lines
from market_agent_gui.keys.confirming import Act
from market_agent_gui.keys.staging import size_from_risk, stage
from market_agent_gui.mirror import Price
from tests.support_gui.harness import Desk, until
from widgets.order_ticket import OrderTicket
from widgets.ticket_draft import SizeIn

D = Decimal


def test_a_size_from_risk_counts_what_a_unit_is_worth() -> None:
    price = Price(symbol="ES", bid=5000.0, ask=5000.25, last=5000.0, tick=0.25, ts=1, flags=0, multiplier=50.0)
    staged = size_from_risk(replace(stage("i", Side.BUY, price, D(1)), stop=D(4990)), D(2000))
    assert (staged.quantity, staged.risk) == (D(4), D(2000))


def test_the_ticket_the_keys_and_the_question_count_it_too(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        row = shell.bridge.mirror.rows("quotes")["AAPL"]
        desk.engine.put("quotes", msgspec.structs.replace(row, kind="FUT", multiplier=50.0))
        await until(lambda: shell.bridge.mirror.rows("quotes")["AAPL"].kind == "FUT", "the future")
        shell.links.choose("chart", "AAPL")
        ticket: OrderTicket = shell.window.docks["ticket"].pane
        ticket.sentence.size_in.choose(SizeIn.RISK.value)
        for name, text in (("size", "2000"), ("limit", "190.00"), ("stop", "180.00")):
            field = ticket.sentence._fields[name]
            field.setText(text)
            field.textEdited.emit(text)
        request = ticket.request()
        assert request is not None
        assert request.quantity == D(4)
        staged = shell.entry.staged
        assert staged is not None
        assert staged.risk == D(2000)
        bought = OrderRequest(
            intent_id=IntentId("x"), symbol=Symbol("AAPL"), side=Side.BUY, quantity=D(4), limit_price=D(190)
        )
        subject = shell.confirming.subjects.request(bought, Act.TICKET)
        assert subject.notional == D(4) * 190 * 50

    run(story())


def test_what_a_stop_on_the_chart_would_lose_counts_it() -> None:
    stop = OrderRow(
        key="s", symbol="ES", side="SELL", quantity=D(2), filled=D(0), state="WORKING", order_type="STP",
        stop_price=D(4990), leg="stop", working=True,
    )  # fmt: skip
    held = PositionRow(key="ES", symbol="ES", quantity=D(2), average_price=D(5000))
    (line,) = order_lines([stop], held, D(50))
    assert "1\u2009000.00" in line.text
