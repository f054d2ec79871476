"""Several charts in one window: each with its own choices, one of them with the keys, all with one time and one ink."""

import asyncio
import itertools
from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, QSize, Qt

from engine.model.market import Side
from market_agent_gui.docks import EXTRA_CHARTS
from market_agent_gui.main_window import halved
from market_agent_gui.presenters.workspaces import WorkspacesPresenter
from tests.support_gui.harness import Desk, until
from widgets.candle_chart.layers import BarStyle, Drawing, DrawingKind

LINE = Drawing(id="d1", kind=DrawingKind.HORIZONTAL, points=((1_700_000_000_000_000_000, 190.0),))


async def two(desk: Desk):
    """Open a second chart; return the presenters of both once they have bars."""
    await desk.open()
    first = desk.shell.presenters["chart"]
    await until(lambda: first._pane.chart.bar_count > 0, "bars")
    desk.key("Alt+N", first._pane.chart)
    await until(lambda: "chart-2" in desk.shell.presenters, "the second chart")
    second = desk.shell.presenters["chart-2"]
    await until(lambda: second.pane is not None and second._pane.chart.bar_count > 0, "its bars")
    return first, second


def test_another_chart_shows_the_same_symbol_over_another_time_and_its_choices_are_its_own(
    desk: Desk, run: Callable
) -> None:
    async def story() -> None:
        first, second = await two(desk)
        assert (first.symbol, first.seconds) == (second.symbol, 300)
        assert second.seconds == 86_400
        second._pane.interval_chosen.emit(60)
        assert (first.seconds, second.seconds) == (300, 60)
        first.choose("MSFT")
        assert second.symbol == "MSFT"
        desk.shell.links.join("chart-2", "violet")
        first.choose("AAPL")
        assert (first.symbol, second.symbol) == ("AAPL", "MSFT")

    run(story())


def test_the_keys_of_a_chart_and_its_buttons_mean_the_chart_they_stand_in(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        first, second = await two(desk)
        desk.key("S", second._pane.chart)
        assert (first._pane.chart._options.bar_style, second._pane.chart._options.bar_style) == (
            BarStyle.CANDLES,
            BarStyle.BARS,
        )
        desk.key("Alt+1", first._pane.chart)
        assert (first.seconds, second.seconds) == (60, 86_400)
        second._run("next_style")
        assert second._pane.chart._options.bar_style is BarStyle.LINE
        assert first._pane.chart._options.bar_style is BarStyle.CANDLES

    run(story())


def test_a_drawing_stands_on_every_chart_of_its_symbol_and_on_no_other(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        first, second = await two(desk)
        second._pane.chart.set_drawings((LINE,))
        second._pane.chart.drawings_changed.emit()
        assert first._pane.chart.drawings == (LINE,)
        desk.shell.links.join("chart-2", "")
        second.choose("MSFT")
        first._pane.chart.set_drawings(())
        first._pane.chart.drawings_changed.emit()
        assert second._pane.chart.drawings == ()
        second.choose(first.symbol)
        assert second._pane.chart.drawings == ()

    run(story())


def test_the_mouse_over_one_chart_marks_the_same_time_on_the_others(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        first, second = await two(desk)
        stamp = int(second._pane.chart._data.ts[-2])
        second._pane.chart.crosshair_moved.emit(stamp, 190.0)
        crosshair = first._pane.chart._scene.crosshair
        assert crosshair is not None
        assert first._pane.chart.time_of(crosshair[0]) <= stamp < first._pane.chart.time_of(crosshair[0] + 1)
        second._pane.chart.crosshair_moved.emit(None, None)
        assert first._pane.chart._scene.crosshair is None

    run(story())


def test_an_order_placed_on_a_chart_is_for_the_symbol_of_that_chart(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        first, second = await two(desk)
        desk.shell.links.join("chart-2", "violet")
        second.choose("MSFT")
        assert first.symbol != "MSFT"
        second._pane.chart.price_clicked.emit(Decimal("400.00"), Qt.KeyboardModifier.ControlModifier)
        staged = desk.shell.entry.staged
        assert staged is not None
        assert (staged.symbol, staged.limit) == ("MSFT", Decimal("400.00"))
        assert desk.shell.links.symbol("ticket") == "MSFT"
        desk.shell.entry.drop()
        desk.shell.links.choose("ticket", "AAPL")
        second._tools.menu.make(QPoint(20, 60))
        second._tools.menu._stage(Side.SELL, Decimal("410.00"))
        assert (desk.shell.entry.staged.symbol, desk.shell.charts.current) == ("MSFT", "chart-2")

    run(story())


def test_a_workspace_brings_its_charts_back_and_a_closed_one_stays_away(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        _, second = await two(desk)
        second._pane.interval_chosen.emit(3_600)
        desk.key("Alt+N", second._pane.chart)
        await until(lambda: "chart-3" in desk.shell.presenters, "the third chart")
        shell, workspaces = desk.shell, desk.shell.workspaces
        shell.window.docks["chart-3"].close()
        workspaces._save("Mine")
        kept = workspaces._store.load("Mine")
        assert {name: state.seconds for name, state in kept.charts.items()} == {"chart-2": 3_600}
        workspaces.use("Terminal")
        assert shell.window.docks["chart-2"].isHidden()
        shell.charts.memory("chart-2").set(seconds=60)
        workspaces.use("Mine")
        assert not shell.window.docks["chart-2"].isHidden()
        assert shell.window.docks["chart-3"].isHidden()
        assert second.seconds == 3_600

    run(story())


def test_there_are_as_many_charts_as_there_may_be_and_then_a_reason(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        workspaces: WorkspacesPresenter = desk.shell.workspaces
        for _ in EXTRA_CHARTS:
            workspaces.add_chart()
        said: list[str] = []
        desk.shell.commander.refused.connect(lambda _action, text: said.append(text))
        desk.shell.commander.run("new_chart")
        assert said == ["There are as many charts as one window has; close one first"]
        await asyncio.sleep(0)
        assert all(desk.shell.presenters[name].pane is not None for name in EXTRA_CHARTS)

    run(story())


@pytest.mark.parametrize("closed", [False, True])
def test_another_chart_stands_beside_one_that_has_the_strategies_as_a_tab(
    desk: Desk, run: Callable, closed: bool
) -> None:
    async def story() -> None:
        await desk.open()
        window = desk.shell.window
        window.resize(1900, 1000)
        window.use_template("Terminal")
        window.show_dock("strategies")
        if closed:
            window.docks["strategies"].close()
        names = ["chart", window.add_chart(), window.add_chart()]
        await asyncio.sleep(0.1)
        boxes = [window.docks[name].geometry() for name in names]
        assert all(not window.docks[name].visibleRegion().isEmpty() for name in names)
        assert not any(one.intersects(other) for one, other in itertools.combinations(boxes, 2))
        window.show_dock("strategies")
        assert window.docks["strategies"] in window.tabifiedDockWidgets(window.docks["chart"])

    run(story())


def test_a_new_chart_takes_half_of_the_largest_so_that_the_fourth_is_as_large_as_the_first(
    desk: Desk, run: Callable
) -> None:
    async def story() -> None:
        await desk.open()
        window = desk.shell.window
        window.resize(1900, 1000)
        window.use_template("Terminal")
        await asyncio.sleep(0.1)
        whole = window.docks["chart"].geometry()
        names = ["chart"]
        for _ in range(3):
            names.append(window.add_chart())
            await asyncio.sleep(0.1)
        boxes = [window.docks[name].geometry() for name in names]
        assert not any(one.intersects(other) for one, other in itertools.combinations(boxes, 2))
        assert all(whole.adjusted(-2, -2, 2, 2).contains(box) for box in boxes), "no other pane gave way"
        assert min(box.width() for box in boxes) > 0.45 * whole.width()
        assert min(box.height() for box in boxes) > 0.4 * whole.height()

    run(story())


@pytest.mark.parametrize(
    ("width", "height", "way"),
    [
        (1060, 550, Qt.Orientation.Horizontal),
        (530, 550, Qt.Orientation.Vertical),
        (400, 900, Qt.Orientation.Vertical),
        (1900, 300, Qt.Orientation.Horizontal),
        (0, 0, Qt.Orientation.Horizontal),
    ],
)
def test_a_chart_is_halved_into_two_that_still_look_like_charts(width: int, height: int, way: Qt.Orientation) -> None:
    assert halved(QSize(width, height)) is way
