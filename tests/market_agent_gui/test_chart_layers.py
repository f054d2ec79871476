"""Fills on the chart: what was filled in parts within one bar is one mark with the whole size and the mean price."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest

from engine.api.rows import FillRow, OrderRow
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState, OrderStatus, OrderType, Origin
from engine.views.orders import order_row
from market_agent_gui.chart_layers import fill_marks, order_lines, staged_lines
from market_agent_gui.keys.staging import stage_change
from widgets.candle_chart.orders import _text

D = Decimal
START = 1_795_185_000 * 10**9


def fill(key: str, quantity: int, price: str, after_s: int, side: str = "BUY") -> FillRow:
    return FillRow(
        key=key, ref="r", symbol="PM", side=side, quantity=D(quantity), price=D(price), commission=D(0),
        ts_event=START + after_s * 10**9,
    )  # fmt: skip


def test_parts_within_a_bar_are_one_mark_with_the_mean_price() -> None:
    (mark,) = fill_marks([fill("a", 100, "103.30", 1), fill("b", 300, "103.34", 2)], 300)
    assert mark.text == "BUY 400 @ 103.33 · 2 fills"
    assert mark.price == 103.33
    assert mark.ts_ns == START + 2 * 10**9


def test_other_sides_and_other_bars_are_marks_of_their_own() -> None:
    rows = [fill("a", 100, "103.30", 1), fill("b", 100, "103.40", 2, "SELL"), fill("c", 100, "103.35", 301)]
    assert [mark.text for mark in fill_marks(rows, 300)] == [
        "BUY 100 @ 103.30",
        "SELL 100 @ 103.40",
        "BUY 100 @ 103.35",
    ]


@pytest.mark.usefixtures("qapp")
def test_the_tag_of_a_change_says_which_key_changes_what_and_that_nothing_is_changed_yet() -> None:
    row = OrderRow(key="r-1", symbol="AAPL", side="BUY", quantity=D(100), filled=D(0), state="WORKING",
                   order_type="LMT", limit_price=D("190.10"))  # fmt: skip
    (line,) = staged_lines(stage_change("i-1", row, D("0.01")), "Ctrl+Enter")
    assert line.text == "Ctrl+Enter changes BUY 100 · not changed yet"
    frame = SimpleNamespace(decimals=2)
    assert _text(line, frame) == line.text, "a change is not an order that was not sent"
    (sent,) = staged_lines(stage_change("i-1", row, D("0.01")), sending=True)
    assert _text(sent, frame) == "SENDING BUY 100 · not confirmed"
    ghost = replace(line, text="STAGED BUY 100")
    assert _text(ghost, frame).endswith("not sent")


def stop_row(**fields: object) -> OrderRow:
    return OrderRow(
        key="r", symbol="PM", side="SELL", quantity=D(100), filled=D(0), state="WORKING", order_type="STP",
        stop_price=D("184.00"), leg="stop", working=True, **fields,
    )  # fmt: skip


def test_a_change_that_was_asked_for_shows_old_and_new_until_it_is_confirmed() -> None:
    row = msgspec.structs.replace(stop_row(), state="PENDING_MODIFY", wanted_price=D("184.59"))
    (line,) = order_lines([row], None)
    assert (line.price, line.pending_price, line.draggable) == (184.0, 184.59, False)
    assert line.text.endswith("change asked")
    (line,) = order_lines([stop_row()], None)
    assert (line.pending_price, line.draggable) == (None, True)
    assert "change asked" not in line.text


def test_the_row_of_an_order_names_the_price_asked_for_and_no_other() -> None:
    request = OrderRequest(
        intent_id=IntentId("i"), symbol=Symbol("PM"), side=Side.SELL, quantity=D(100), order_type=OrderType.STOP,
        stop_price=D(184), origin=Origin.MANUAL,
    )  # fmt: skip
    status = OrderStatus(ref=OrderRef("r"), account=AccountId("DU1"), request=request, state=OrderState.PENDING_MODIFY)
    assert order_row(status).wanted_price is None
    moved = msgspec.structs.replace(request, stop_price=D("184.59"))
    assert order_row(msgspec.structs.replace(status, pending=moved)).wanted_price == D("184.59")
    resized = msgspec.structs.replace(request, quantity=D(50))
    assert order_row(msgspec.structs.replace(status, pending=resized)).wanted_price is None
