"""Hands on the chart: what a drag, a click, a wheel and a key do."""

import itertools
from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.widgets.candle_chart.sample import STEP, random_bars
from widgets.candle_chart.chart import CandleChart
from widgets.candle_chart.layers import (
    AverageLine,
    ChartInstrument,
    Drawing,
    DrawingKind,
    OrderLine,
    OrderState,
    Pin,
)
from widgets.candle_chart.orders import last_price_boxes, last_price_height

MakeChart = Callable[..., CandleChart]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def chart(make_chart: MakeChart) -> CandleChart:
    return make_chart(random_bars(300))


def working(price: float, **fields: object) -> OrderLine:
    values = {"ref": "A-1", "leg": "stop", "price": price, "text": "SELL 100 stop", "state": OrderState.WORKING}
    return OrderLine(**(values | fields))


def drag(qtbot: QtBot, chart: CandleChart, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(chart, LEFT, pos=start)
    qtbot.mouseMove(chart, (start + end) / 2)
    qtbot.mouseMove(chart, end)
    qtbot.mouseRelease(chart, LEFT, pos=end)


def test_dragging_a_line_tells_the_price_rounded_to_the_tick(qtbot: QtBot, chart: CandleChart) -> None:
    chart.set_instrument(ChartInstrument(symbol="AAPL", tick=Decimal("0.05")))
    chart.set_orders((working(99.95),))
    (tag,) = chart.scene.tags
    frame, start = chart.frame(), tag.grip.center()
    end = start + QPoint(0, -37)
    with qtbot.waitSignal(chart.order_dragged) as told:
        drag(qtbot, chart, start, end)
    ref, leg, price = told.args
    assert (ref, leg) == ("A-1", "stop")
    assert isinstance(price, Decimal)
    assert price % Decimal("0.05") == 0
    assert float(price) == pytest.approx(frame.scale.price(frame.y(99.95) - 37), abs=0.026)
    assert chart.scene.tags[0].price == 99.95, "the line stays until the broker has said so"


@pytest.mark.parametrize("grip", ["tag", "axis_tag", "grip"])
def test_a_line_can_be_taken_at_its_tag_its_price_or_its_handle(qtbot: QtBot, chart: CandleChart, grip: str) -> None:
    chart.set_orders((working(100.0),))
    start = getattr(chart.scene.tags[0], grip).center()
    with qtbot.waitSignal(chart.order_dragged):
        drag(qtbot, chart, start, start + QPoint(0, 30))


def test_a_drag_shows_old_and_new_and_esc_takes_it_back(qtbot: QtBot, chart: CandleChart) -> None:
    chart.set_orders((working(100.0),))
    start = chart.scene.tags[0].grip.center()
    with qtbot.assertNotEmitted(chart.order_dragged):
        qtbot.mousePress(chart, LEFT, pos=start)
        qtbot.mouseMove(chart, start + QPoint(0, 40))
        order = chart.scene.tags[0].order
        assert order is not None
        assert order.pending_price is not None
        assert order.pending_price < 100.0
        assert "→" in chart.scene.tags[0].text
        qtbot.keyClick(chart, Qt.Key.Key_Escape)
        qtbot.mouseRelease(chart, LEFT, pos=start + QPoint(0, 40))
    assert "→" not in chart.scene.tags[0].text


def test_a_press_without_a_move_moves_no_order(qtbot: QtBot, chart: CandleChart) -> None:
    chart.set_orders((working(100.0),))
    start = chart.scene.tags[0].grip.center()
    with qtbot.assertNotEmitted(chart.order_dragged):
        drag(qtbot, chart, start, start + QPoint(0, 1))


def test_an_order_that_goes_while_it_is_dragged_is_not_moved(qtbot: QtBot, chart: CandleChart) -> None:
    chart.set_orders((working(100.0),))
    start = chart.scene.tags[0].grip.center()
    with qtbot.assertNotEmitted(chart.order_dragged):
        qtbot.mousePress(chart, LEFT, pos=start)
        qtbot.mouseMove(chart, start + QPoint(0, 40))
        chart.set_orders(())
        qtbot.mouseRelease(chart, LEFT, pos=start + QPoint(0, 40))


def test_unknown_orders_and_the_average_have_no_handle_and_say_why(qtbot: QtBot, chart: CandleChart) -> None:
    chart.set_orders((working(100.0, state=OrderState.UNKNOWN, draggable=False, text="UNKNOWN BUY 10"),))
    chart.set_average(AverageLine(price=99.5, text="+200 average"))
    unknown, average = chart.scene.tags
    assert "not confirmed: do not re-enter" in unknown.text
    assert unknown.grip.isNull()
    assert average.grip.isNull()
    start = unknown.tag.center()
    with qtbot.assertNotEmitted(chart.order_dragged):
        drag(qtbot, chart, start, start + QPoint(0, 50))


def test_a_staged_order_says_that_it_is_not_sent(chart: CandleChart) -> None:
    chart.set_orders((working(100.0, state=OrderState.STAGED, text="STAGED BUY 100"),))
    assert chart.scene.tags[0].text == "STAGED BUY 100 · not sent"


def test_tags_of_close_prices_are_twenty_pixels_apart_and_their_lines_are_true(chart: CandleChart) -> None:
    chart.set_orders(tuple(working(100.0 + i * 0.001, leg=f"leg{i}") for i in range(5)))
    tops = sorted(tag.tag.top() for tag in chart.scene.tags)
    assert all(b - a >= 19 for a, b in itertools.pairwise(tops))
    frame = chart.frame()
    assert all(tag.line_y == round(frame.y(tag.price)) for tag in chart.scene.tags)


def test_a_price_far_away_is_pinned_at_the_edge_with_its_distance(chart: CandleChart) -> None:
    chart.set_orders((working(500.0),))
    (tag,) = chart.scene.tags
    assert tag.outside == -1
    assert tag.text.startswith("▲ ")
    assert "away" in tag.text
    assert chart.frame().scale.high < 200.0


def test_the_last_price_is_never_cut_nor_hidden_by_orders(make_chart: MakeChart) -> None:
    bars = random_bars(300)
    last = float(bars.close[-1])
    for height in (150, 260, 500):
        chart = make_chart(bars, 500, height)
        chart.set_orders(tuple(working(last + (i - 2) * 0.02, leg=f"leg{i}") for i in range(5)))
        _, box, _ = last_price_boxes(chart.frame(), chart.scene.tags, last_price_height(chart.frame()))
        pane = chart.frame().geometry.price
        assert pane.top() <= box.top()
        assert box.bottom() <= pane.bottom()
        if height >= 260:
            assert not any(box.intersects(tag.axis_tag) for tag in chart.scene.tags)


def test_a_click_tells_price_and_modifiers(qtbot: QtBot, chart: CandleChart) -> None:
    spot = QPoint(50, 60)
    with qtbot.waitSignal(chart.price_clicked) as told:
        qtbot.mouseClick(chart, LEFT, Qt.KeyboardModifier.ShiftModifier, spot)
    price, modifiers = told.args
    assert float(price) == pytest.approx(chart.frame().scale.price(60.0), abs=0.006)
    assert modifiers == Qt.KeyboardModifier.ShiftModifier


def test_a_pin_tells_its_id(qtbot: QtBot, chart: CandleChart) -> None:
    time = chart.time_of(chart.bar_count - 20)
    chart.set_pins((Pin(id="evidence-3", ts_ns=time, label="E3", direction=1),))
    with qtbot.waitSignal(chart.pin_clicked) as told, qtbot.assertNotEmitted(chart.price_clicked):
        qtbot.mouseClick(chart, LEFT, pos=chart.scene.pins[0].box.center())
    assert told.args == ["evidence-3"]


def test_crowded_pins_do_not_cover_each_other(chart: CandleChart) -> None:
    time = chart.time_of(chart.bar_count - 20)
    chart.set_pins(tuple(Pin(id=str(i), ts_ns=time + i * STEP, label=f"N{i}") for i in range(4)))
    boxes = [item.box for item in chart.scene.pins]
    assert len(boxes) >= 3
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_dragging_the_ground_pans_by_the_same_distance(qtbot: QtBot, chart: CandleChart) -> None:
    before = chart.view
    drag(qtbot, chart, QPoint(200, 80), QPoint(300, 80))
    assert chart.view.low == pytest.approx(before.low - 100 / before.pitch, abs=0.01)
    assert chart.view.span == pytest.approx(before.span)


def wheel(chart: CandleChart, at: QPoint, steps: int) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(chart.mapToGlobal(at)), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(chart, event)


def test_the_wheel_zooms_around_the_mouse(chart: CandleChart) -> None:
    before = chart.view
    bar = before.bar(300)
    wheel(chart, QPoint(300, 100), 2)
    assert chart.view.span < before.span
    assert chart.view.x(bar) == pytest.approx(300, abs=0.5)


def test_keys_pan_zoom_and_leave_order_keys_alone(qtbot: QtBot, chart: CandleChart) -> None:
    chart.setFocus()
    before = chart.view
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.view.low < before.low
    qtbot.keyClick(chart, Qt.Key.Key_Plus)
    assert chart.view.span < before.span
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.view.low == -1.0
    qtbot.keyClick(chart, Qt.Key.Key_End)
    assert chart.view.high > chart.bar_count
    view = chart.view
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_1, Qt.Key.Key_Return, Qt.Key.Key_B):
        qtbot.keyClick(chart, key)
    qtbot.keyClick(chart, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert chart.view == view


def test_shift_and_arrow_walk_the_crosshair(qtbot: QtBot, chart: CandleChart) -> None:
    chart.setFocus()
    with qtbot.waitSignal(chart.crosshair_moved):
        qtbot.keyClick(chart, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(chart.crosshair_moved) as told:
        qtbot.keyClick(chart, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert told.args[0] == chart.time_of(chart.bar_count - 2)


def test_going_left_of_the_first_bar_asks_for_history_once(qtbot: QtBot, chart: CandleChart) -> None:
    with qtbot.waitSignal(chart.history_wanted):
        chart.show_range(-20, 60)
    with qtbot.assertNotEmitted(chart.history_wanted):
        chart.show_range(-30, 50)


def test_older_bars_in_front_leave_the_view_at_its_time(chart: CandleChart) -> None:
    chart.show_range(10, 60)
    time = chart.time_of(10)
    longer = random_bars(500)
    longer.ts[:] -= 200 * STEP
    chart.set_bars(*longer.all())
    assert chart.time_of(round(chart.view.low)) == time


def test_the_crosshair_tells_the_bar_under_the_mouse_and_its_leaving(qtbot: QtBot, chart: CandleChart) -> None:
    x = int(chart.frame().middle(250))
    with qtbot.waitSignal(chart.crosshair_moved) as told:
        qtbot.mouseMove(chart, QPoint(x, 100))
    assert told.args[0] == chart.time_of(250)
    assert told.args[1] == pytest.approx(chart.frame().scale.price(100.0))
    with qtbot.waitSignal(chart.crosshair_moved) as told:
        qtbot.mouseMove(chart, QPoint(chart.width() - 4, 100))
    assert told.args == [None, None]


def test_another_chart_can_place_the_crosshair(chart: CandleChart) -> None:
    chart.set_crosshair_time(chart.time_of(240))
    assert chart.scene.crosshair == (240, None)
    chart.set_crosshair_time(None)
    assert chart.scene.crosshair is None


@pytest.mark.parametrize("kind", list(DrawingKind))
def test_every_drawing_is_placed_by_clicks_and_removed_by_a_key(
    qtbot: QtBot, chart: CandleChart, kind: DrawingKind
) -> None:
    chart.setFocus()
    chart.start_drawing(kind, "note")
    with qtbot.waitSignal(chart.drawings_changed), qtbot.assertNotEmitted(chart.price_clicked):
        qtbot.mouseClick(chart, LEFT, pos=QPoint(100, 100))
        if kind.points == 2:
            qtbot.mouseMove(chart, QPoint(180, 140))
            qtbot.mouseClick(chart, LEFT, pos=QPoint(200, 150))
    (made,) = chart.drawings
    assert made.kind is kind
    assert len(made.points) == kind.points
    assert not chart.grab().isNull()
    with qtbot.waitSignal(chart.drawings_changed):
        qtbot.keyClick(chart, Qt.Key.Key_Delete)
    assert chart.drawings == ()


def test_dragging_the_end_of_a_trend_line_moves_that_end_only(qtbot: QtBot, chart: CandleChart) -> None:
    frame = chart.frame()
    low, high = frame.scale.price(250.0), frame.scale.price(120.0)
    line = Drawing(id="t", kind=DrawingKind.TREND, points=((chart.time_of(230), low), (chart.time_of(260), high)))
    chart.set_drawings((line,))
    end = QPoint(round(frame.x_of_time(line.points[1][0])), 120)
    middle = (QPoint(round(frame.x_of_time(line.points[0][0])), 250) + end) / 2
    qtbot.mouseClick(chart, LEFT, pos=middle)
    with qtbot.waitSignal(chart.drawings_changed):
        drag(qtbot, chart, end, end + QPoint(20, 40))
    (moved,) = chart.drawings
    assert moved.points[0] == line.points[0]
    assert moved.points[1][1] == pytest.approx(frame.scale.price(160.0), abs=0.01)


def test_another_symbol_empties_the_chart(chart: CandleChart) -> None:
    chart.set_orders((working(100.0),))
    chart.set_instrument(ChartInstrument(symbol="MSFT"))
    assert chart.bar_count == 0
    assert chart.scene.tags == ()
    assert "MSFT" in chart.accessibleName()


def test_a_line_of_the_wrong_name_or_length_is_refused(chart: CandleChart) -> None:
    with pytest.raises(KeyError, match="nosuch"):
        chart.update_bar(chart.time_of(299), 100, 101, 99, 100, 5, {"nosuch": 1.0})
