"""The depth ladder and the tape."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent

from engine.api.frames import DepthBlock, TapePrint
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest
from tests.widgets.factories import NOW, SECOND, order
from widgets.depth_ladder import DepthLadder
from widgets.ladder_rows import Own, at_step, build, own_orders, sizes
from widgets.paint import TextCache
from widgets.pane_head import PaneHead
from widgets.tape import KEEP, Tape

CENT = Decimal("0.01")


def depth(symbol: str = "AAPL", bid: float = 190.33, levels: int = 5) -> DepthBlock:
    return DepthBlock(
        symbol=symbol,
        bid_prices=tuple(round(bid - n * 0.01, 2) for n in range(levels)),
        bid_sizes=(100.0,) * levels,
        ask_prices=tuple(round(bid + 0.02 + n * 0.01, 2) for n in range(levels)),
        ask_sizes=(200.0,) * levels,
        ts=NOW,
    )


@pytest.fixture
def ladder(qtbot):
    made = DepthLadder()
    qtbot.addWidget(made)
    made.resize(320, 520)
    made.show()
    made.throttle.set_interval(0)
    made.set_symbol("AAPL")
    made.set_depth(depth())
    made.set_last(190.34)
    return made


def click(qtbot, ladder: DepthLadder, price: str, column: int, button=Qt.MouseButton.LeftButton) -> None:
    rungs = ladder.rungs
    edges = rungs._columns()
    at = QPoint((edges[column] + edges[column + 1]) // 2, rungs.y_of(Decimal(price)) + 10)
    qtbot.mouseClick(rungs, button, pos=at)


def test_a_right_click_away_from_own_orders_and_the_menu_key_ask_for_the_menu_of_a_price(qtbot, ladder) -> None:
    wanted: list[Decimal] = []
    cancelled: list[str] = []
    ladder.price_menu_wanted.connect(lambda price, _at: wanted.append(price))
    ladder.cancel_wanted.connect(cancelled.append)
    ladder.set_orders([order("o1", limit_price=Decimal("190.30"))])
    ladder._refresh()
    rungs = ladder.rungs
    mine, price = rungs._columns()[0] + 5, rungs._columns()[2] + 5

    def ask(x: int, y: int, reason: QContextMenuEvent.Reason = QContextMenuEvent.Reason.Mouse) -> None:
        rungs.contextMenuEvent(QContextMenuEvent(reason, QPoint(x, y), rungs.mapToGlobal(QPoint(x, y))))

    ask(price, rungs.y_of(Decimal("190.31")) + 4)
    assert wanted == [Decimal("190.31")]
    ask(mine, rungs.y_of(Decimal("190.30")) + 4)
    assert (len(wanted), cancelled) == (1, ["o1"]), "an own order is cancelled as before"
    rungs.cursor = Decimal("190.29")
    ask(0, 0, QContextMenuEvent.Reason.Keyboard)
    assert wanted[-1] == Decimal("190.29")
    before = rungs.grab().toImage()
    ladder.set_alerts([Decimal("190.31")])
    assert rungs.grab().toImage() != before, "a bell beside the price"


@given(
    st.lists(st.tuples(st.sampled_from(["BUY", "SELL"]), st.decimals("180", "200", places=2)), max_size=8),
    st.integers(5, 40),
    st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.25")]),
)
def test_no_own_order_is_ever_lost_from_sight(orders, count, step):
    own = [Own(str(n), side, price, Decimal(1), "working") for n, (side, price) in enumerate(orders)]
    levels, above, below = build(Decimal("190.00"), count, step, None, own)
    seen = [o for level in levels for o in (*level.buys, *level.sells)] + above + below
    assert sorted(o.ref for o in seen) == sorted(o.ref for o in own)
    assert all(o.price > levels[0].price for o in above)
    assert all(o.price < levels[-1].price for o in below)
    assert [level.price for level in levels] == sorted((level.price for level in levels), reverse=True)


@given(st.decimals("1", "500", places=2), st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.10")]))
def test_folded_levels_never_make_a_price_look_better_than_it_is(price, step):
    assert at_step(price, step, "BUY") <= price <= at_step(price, step, "SELL")


def test_folding_keeps_the_whole_size():
    bids, asks = sizes(depth(levels=10), Decimal("0.05"))
    assert sum(bids.values()) == 1000
    assert sum(asks.values()) == 2000


def test_orders_that_are_done_or_of_another_symbol_are_not_shown():
    rows = [
        order("w"),
        order("f", working=False, state="FILLED"),
        order("m", symbol="MSFT"),
        order("u", working=False, state="UNKNOWN"),
    ]
    assert [(o.ref, o.kind) for o in own_orders(rows, "AAPL")] == [("w", "working"), ("u", "unknown")]


def test_a_click_left_of_the_price_buys_and_right_of_it_sells(qtbot, ladder):
    told = []
    ladder.price_clicked.connect(lambda side, price, _held: told.append((side, price)))
    click(qtbot, ladder, "190.31", 1)
    click(qtbot, ladder, "190.37", 3)
    assert told == [("BUY", Decimal("190.31")), ("SELL", Decimal("190.37"))]


def test_an_own_order_is_cancelled_by_delete_at_its_price(qtbot, ladder):
    ladder.set_orders([order("w", limit_price=Decimal("190.31"))])
    told = []
    ladder.cancel_wanted.connect(told.append)
    ladder.rungs.cursor = Decimal("190.31")
    qtbot.keyClick(ladder.rungs, Qt.Key.Key_Delete)
    assert told == ["w"]


def test_a_click_on_an_own_order_does_not_stage_another(qtbot, ladder):
    ladder.set_orders([order("w", limit_price=Decimal("190.31"))])
    staged, clicked = [], []
    ladder.price_clicked.connect(lambda *what: staged.append(what))
    ladder.order_clicked.connect(clicked.append)
    click(qtbot, ladder, "190.31", 0)
    assert (staged, clicked) == ([], ["w"])


def test_dragging_an_order_asks_for_the_price_of_the_row_it_is_dropped_on(qtbot, ladder):
    ladder.set_orders([order("w", limit_price=Decimal("190.31"))])
    told = []
    ladder.order_dragged.connect(lambda *what: told.append(what))
    rungs = ladder.rungs
    start = QPoint(20, rungs.y_of(Decimal("190.31")) + 10)
    end = QPoint(20, rungs.y_of(Decimal("190.28")) + 10)
    qtbot.mousePress(rungs, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(rungs, end)
    qtbot.mouseRelease(rungs, Qt.MouseButton.LeftButton, pos=end)
    assert told == [("w", Decimal("190.28"))]


def test_the_ladder_stands_still_while_the_price_moves_within_it(ladder):
    top = ladder.rungs._levels[0].price
    ladder.set_depth(depth(bid=190.36))
    assert ladder.rungs._levels[0].price == top
    ladder.set_depth(depth(bid=195.00))
    assert ladder.rungs.y_of(Decimal("195.00")) is not None


def test_a_scrolled_ladder_stays_until_home(qtbot, ladder):
    ladder.rungs.scroll_rows(100)
    assert ladder.rungs.y_of(Decimal("190.33")) is None
    ladder.set_depth(depth())
    assert ladder.rungs.y_of(Decimal("190.33")) is None
    qtbot.keyClick(ladder.rungs, Qt.Key.Key_Home)
    assert ladder.rungs.y_of(Decimal("190.33")) is not None


def test_depth_of_another_symbol_is_passed_over(ladder):
    ladder.set_depth(depth("MSFT", 420.0))
    assert ladder.rungs.depth.symbol == "AAPL"


def test_another_symbol_starts_empty(ladder):
    ladder.set_orders([order("w")])
    ladder.set_symbol("MSFT")
    assert ladder.rungs.depth is None
    assert ladder.rungs.orders == []
    ladder.grab()


def test_the_staged_order_is_shown_until_it_is_dropped(ladder):
    request = OrderRequest(
        intent_id=IntentId("i"),
        symbol=Symbol("AAPL"),
        side=Side.BUY,
        quantity=Decimal(100),
        limit_price=Decimal("190.30"),
    )
    ladder.set_staged(request)
    assert any(o.kind == "staged" for level in ladder.rungs._levels for o in level.buys)
    ladder.set_staged(None)
    assert not any(level.buys for level in ladder.rungs._levels)


def test_a_step_the_ladder_does_not_offer_is_refused(ladder):
    with pytest.raises(ValueError, match="3"):
        ladder.set_ticks_per_row(3)


# --- tape


def prints(count: int, size: float = 100.0, symbol: str = "AAPL") -> list[TapePrint]:
    return [
        TapePrint(symbol=symbol, ts=NOW + n * SECOND, price=190.0 + n / 100, size=size, aggressor=1)
        for n in range(count)
    ]


@pytest.fixture
def tape(qtbot):
    made = Tape()
    qtbot.addWidget(made)
    made.resize(280, 224)
    made.show()
    made.set_symbol("AAPL")
    return made


def test_the_newest_print_is_on_top(tape):
    tape.add(prints(30))
    assert tape.list.shown()[0].price == pytest.approx(190.29)


def test_prints_of_other_symbols_and_small_ones_are_left_out(tape):
    tape.set_least_size(50)
    tape.add([*prints(3), *prints(3, symbol="MSFT"), *prints(3, size=10)])
    assert len(tape.list.shown()) == 3


def test_a_tape_scrolled_back_stands_still_while_prints_come(qtbot, tape):
    tape.add(prints(40))
    qtbot.keyClick(tape.list, Qt.Key.Key_PageDown)
    seen = [item.price for item in tape.list.shown()]
    tape.add(prints(5))
    assert [item.price for item in tape.list.shown()] == seen
    qtbot.keyClick(tape.list, Qt.Key.Key_Home)
    assert [item.price for item in tape.list.shown()] != seen


def test_the_tape_forgets_the_oldest(tape):
    tape.add(prints(KEEP + 100))
    assert len(tape.list.prints) == KEEP


def test_prints_of_the_last_minute_are_counted(tape):
    tape.add(prints(100))
    assert tape.per_minute() == 60


@pytest.mark.parametrize("width", [220, 260, 320])
def test_an_order_off_screen_is_named_whole_however_narrow_the_ladder(ladder, monkeypatch, width):
    drawn: list[str] = []
    draw = TextCache.draw

    def telling(self, painter, theme, x, middle, text, *rest, **named):
        drawn.append(text)
        return draw(self, painter, theme, x, middle, text, *rest, **named)

    ladder.resize(width, 520)
    ladder.set_orders([order("o-1", side="SELL", limit_price=Decimal("194.00"), leg="target")])
    monkeypatch.setattr(TextCache, "draw", telling)
    ladder.grab()
    assert "SELL 100 target 194.00" in drawn
    assert any(text.startswith("▲") for text in drawn)


def test_both_sides_of_the_book_keep_a_quarter_of_the_ladder(ladder):
    for step in range(60):
        ladder.set_depth(depth(bid=round(190.33 + step * 0.01, 2)))
        ladder._refresh()
        levels = ladder.rungs._levels
        asks = [level for level in levels if level.price >= Decimal(str(round(190.35 + step * 0.01, 2)))]
        assert len(levels) // 4 <= len(asks) <= len(levels) * 3 // 4 + 1


@pytest.mark.parametrize("width", range(120, 420, 15))
def test_a_figure_in_a_bar_is_whole_or_not_there(qtbot, monkeypatch, width):
    head = PaneHead()
    qtbot.addWidget(head)
    head.set_words([("AAPL", "t1", 600), ("190.33 × 190.35", "t1", 400), ("spread 0.02", "t3", 400)])
    head.resize(width, 24)
    drawn, real = [], TextCache.draw

    def draw(cache, painter, theme, x, y, text, *more, **named):
        drawn.append(text)
        return real(cache, painter, theme, x, y, text, *more, **named)

    monkeypatch.setattr(TextCache, "draw", draw)
    head.grab()
    assert drawn[0] == "AAPL"
    assert set(drawn) <= {"AAPL", "190.33 × 190.35", "spread 0.02"}
    assert width < 400 or len(drawn) == 3


def test_a_narrow_bar_keeps_whose_it_is_and_folds_its_tabs_into_the_current_one(qtbot):
    head = PaneHead([("60", "1m"), ("300", "5m"), ("900", "15m"), ("86400", "1D")])
    qtbot.addWidget(head)
    head.set_lead("AAPL")
    head.resize(400, 24)
    head.grab()
    assert [name for _, name in head._places] == ["60", "300", "900", "86400"]
    head.set_current("900")
    head.resize(120, 24)
    head.grab()
    assert [name for _, name in head._places] == ["900"]
    menu = head.choices()
    assert [(entry.text(), entry.isChecked()) for entry in menu.actions()] == [
        ("1m", False), ("5m", False), ("15m", True), ("1D", False),
    ]  # fmt: skip
    menu.actions()[3].trigger()
    assert head.current == "86400"
    assert "AAPL" in head.accessibleName()
