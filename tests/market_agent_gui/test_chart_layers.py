"""Fills on the chart: what was filled in parts within one bar is one mark with the whole size and the mean price."""

from decimal import Decimal

from engine.api.rows import FillRow
from market_agent_gui.chart_layers import fill_marks

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
