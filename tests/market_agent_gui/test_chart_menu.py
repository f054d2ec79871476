"""A right click on the chart: an order at that price, what is under the mouse, and the chart's own actions."""

from decimal import Decimal

from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from engine.api.commands import CancelOrder, PlaceOrder
from engine.model.market import Side
from tests.support_gui.harness import Desk, until
from widgets.candle_chart.layers import Drawing, DrawingKind


def entries(menu: QMenu) -> dict[str, QAction]:
    """Every entry, those of submenus too, by its words."""
    found = {}
    for action in menu.actions():
        if action.menu() is not None:
            found |= entries(action.menu())
        elif action.text():
            found[action.text().split("\t")[0]] = action
    return found


async def chart_of(desk: Desk):  # type: ignore[no-untyped-def]
    await desk.open()
    pane = desk.shell.window.show_dock("chart").pane
    await until(lambda: pane.chart.bar_count, "bars")
    return pane


def at_price(pane, price: float) -> QPoint:  # type: ignore[no-untyped-def]
    frame = pane.chart.frame()
    return QPoint(frame.geometry.plot_width // 3, round(frame.y(price)))


def test_a_price_clicked_on_is_staged_and_never_sent(desk: Desk, run) -> None:
    async def story() -> None:
        pane = await chart_of(desk)
        menu = desk.shell.presenters["chart"]._tools.menu
        frame = pane.chart.frame()
        price = round((frame.scale.low + frame.scale.high) / 2, 2)
        found = entries(menu.make(at_price(pane, price)))
        words = next(text for text in found if text.startswith("Stage SELL at"))
        found[words].trigger()
        staged = desk.shell.entry.staged
        assert staged is not None
        assert staged.side is Side.SELL
        assert f"{staged.limit:.2f}" == words.split()[-1].replace("\u2009", "")
        found = entries(menu.make(at_price(pane, price * 1.0001)))
        found["Stop of the staged order here"].trigger()
        assert desk.shell.entry.staged.stop is not None
        assert not desk.sent(PlaceOrder)

    run(story())


def test_every_action_of_the_buttons_is_in_the_menu_and_runs(desk: Desk, run) -> None:
    async def story() -> None:
        pane = await chart_of(desk)
        found = entries(desk.shell.presenters["chart"]._tools.menu.make(QPoint(5, 60)))
        assert {"Draw a trend line", "Indicators…", "Compare with…", "Bars of 1 h", "Heikin-Ashi"} <= set(found)
        assert found["Indicators…"].text().endswith("\tI")
        found["Logarithmic scale"].trigger()
        assert desk.shell.charts.main.now.axis == "log"
        assert pane.axis.text().startswith("Log")
        found["Bars of 1 h"].trigger()
        assert desk.shell.charts.main.seconds == 3600

    run(story())


def test_a_drawing_under_the_mouse_can_be_deleted_alone(desk: Desk, run) -> None:
    async def story() -> None:
        pane = await chart_of(desk)
        chart, frame = pane.chart, pane.chart.frame()
        low, high = frame.scale.low, frame.scale.high
        prices = (low + (high - low) * 0.25, low + (high - low) * 0.75)
        stamp = chart.time_of(chart.bar_count - 1)
        chart.set_drawings(
            tuple(
                Drawing(id=f"line-{n}", kind=DrawingKind.HORIZONTAL, points=((stamp, price),))
                for n, price in enumerate(prices)
            )
        )
        menu = desk.shell.presenters["chart"]._tools.menu
        assert "Delete this drawing" not in entries(menu.make(at_price(pane, (low + high) / 2)))
        entries(menu.make(at_price(pane, prices[1])))["Delete this drawing"].trigger()
        assert [drawing.id for drawing in chart.drawings] == ["line-0"]
        symbol = desk.shell.links.symbol("chart")
        assert [kept.id for kept in desk.shell.presenters["chart"]._tools._store.get(symbol)] == ["line-0"]

    run(story())


def test_an_order_under_the_mouse_can_be_cancelled(desk: Desk, run) -> None:
    async def story() -> None:
        pane = await chart_of(desk)
        order = next(row for row in desk.shell.bridge.mirror.rows("orders").values() if row.limit_price is not None)
        desk.shell.links.choose("chart", order.symbol)
        await until(lambda: pane.chart.bar_count, "bars of its symbol")
        await until(lambda: any(tag.order and tag.order.ref == order.key for tag in pane.chart.scene.tags), "its line")
        tag = next(tag for tag in pane.chart.scene.tags if tag.order and tag.order.ref == order.key)
        found = entries(desk.shell.presenters["chart"]._tools.menu.make(tag.tag.center()))
        next(action for words, action in found.items() if words.startswith("Cancel ")).trigger()
        await until(lambda: desk.sent(CancelOrder), "the command")
        assert desk.sent(CancelOrder)[-1].ref == order.key
        assert isinstance(order.limit_price, Decimal)

    run(story())


def test_a_symbol_nobody_knows_is_told_from_one_whose_history_is_still_to_come(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        presenter = desk.shell.presenters["chart"]
        known = next(iter(desk.shell.bridge.mirror.rows("quotes")))
        assert "bars will build here" in presenter._no_history(known)
        assert "No source has told a price of BRKB" in presenter._no_history("BRKB")

    run(story())


def test_the_volume_profile_is_a_key_of_the_chart_and_kept_in_the_workspace(desk: Desk, run) -> None:
    async def story() -> None:
        pane = await chart_of(desk)
        await until(lambda: desk.shell.window.focused_dock() == "chart", "the focus")
        desk.key("V", pane.chart)
        assert pane.chart.frame().options.show_profile
        kept = desk.shell.workspaces._now("Kept")
        desk.key("V", pane.chart)
        assert not pane.chart.frame().options.show_profile
        desk.shell.workspaces._take(kept)
        assert pane.chart.frame().options.show_profile

    run(story())
