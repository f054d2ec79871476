"""The menu of the chart: an order at the price clicked on, what is under the mouse, and the chart's own actions."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from engine.model.market import Side
from market_agent_gui.actions import BY_ID, key_text
from market_agent_gui.alerts import PREFIX
from market_agent_gui.commander import Refusal
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.candle_chart.drawings import hit
from widgets.candle_chart.layers import OrderLine
from widgets.formats import decimals_of, number, round_to_tick

if TYPE_CHECKING:
    from market_agent_gui.chart_pane import ChartPane

LEGS = {"entry": "Price of the staged order here", "stop": "Stop of the staged order here", "target": "Target here"}


class ChartMenu:
    """Makes a menu anew at each right click; nothing in it sends an order that adds risk."""

    def __init__(self, services: Services, dock: str, pane: "ChartPane", where: Callable[[], tuple[str, int]]) -> None:
        self._services, self._dock, self._pane, self._where = services, dock, pane, where
        pane.chart.customContextMenuRequested.connect(lambda at: self.make(at).popup(pane.chart.mapToGlobal(at)))

    def make(self, at: QPoint) -> QMenu:
        """Return the menu for a place on the chart; it deletes itself when it closes."""
        chart = self._pane.chart
        self._services.charts.make_current(self._dock)
        menu = QMenu(self._pane)
        menu.aboutToHide.connect(menu.deleteLater)
        if chart.bar_count:
            self._add_order(menu, at)
            if chart.frame().geometry.price.contains(at):
                self._add_prices(menu, self._price(at))
            self._add_drawing(menu, at)
        for words, actions in self._pane.groups():
            if len(actions) == 1:
                self._add_actions(menu, actions)
            else:
                self._add_actions(menu.addMenu(words), actions)
        menu.addSeparator()
        if chart.bar_count:
            self._entry(menu, say("Back to the last bars"), chart.autoscale, "End")
            self._entry(menu, say("Copy the chart as a picture"), self._copy)
        return menu

    def _entry(self, menu: QMenu, words: str, do: Callable[[], object], key: str = "") -> None:
        menu.addAction(f"{words}\t{key}" if key else words).triggered.connect(lambda _=False: do())

    def _add_actions(self, menu: QMenu, actions: Sequence[str]) -> None:
        for name in actions:
            key = key_text(self._services.keys.keys.key(name))
            self._entry(menu, say(BY_ID[name].title), lambda name=name: self._services.commander.run(name, "menu"), key)

    def _price(self, at: QPoint) -> Decimal:
        frame = self._pane.chart.frame()
        return round_to_tick(frame.scale.price(float(at.y())), frame.instrument.tick)

    def _add_prices(self, menu: QMenu, price: Decimal) -> None:
        symbol, _ = self._where()
        if not symbol or price <= 0:
            return
        shown = number(price, decimals_of(self._pane.chart.frame().instrument.tick))
        for side, key in ((Side.BUY, "Ctrl"), (Side.SELL, "Shift")):
            words = say("Stage {side} at {price}", side=say(side.value), price=shown)
            self._entry(menu, words, lambda side=side: self._stage(side, price), say("{key}+click", key=key))
        words = say("Alert at {price}", price=shown)
        self._entry(menu, words, lambda: self._alert(symbol, price), say("{key}+click", key="Ctrl+Shift"))
        staged = self._services.entry.staged
        if staged is not None and staged.symbol == symbol:
            for leg, title in LEGS.items():
                move = lambda leg=leg: self._services.entry.move_leg(leg, price)  # noqa: E731
                self._entry(menu, say(title), lambda move=move: self._attempt(move))
        menu.addSeparator()

    def _stage(self, side: Side, price: Decimal) -> None:
        self._services.links.choose("ticket", self._where()[0])  # the order is for what was clicked on
        self._attempt(lambda: self._services.entry.stage_at(side, price))

    def _attempt(self, do: Callable[[], object]) -> None:
        try:
            do()
        except Refusal as refusal:
            self._services.say("warn", str(refusal))

    def _alert(self, symbol: str, price: Decimal) -> None:
        try:
            self._services.alerts.add(symbol, price)
        except Refusal as refusal:
            self._services.say("warn", str(refusal))

    def _add_order(self, menu: QMenu, at: QPoint) -> None:
        line = self._line_at(at)
        if line is None:
            return
        if line.ref == "staged":
            self._add_actions(menu, ["drop"])
        elif line.leg == "alert":
            symbol, id = self._where()[0], line.ref.removeprefix(PREFIX)
            shown = number(line.price, decimals_of(self._pane.chart.frame().instrument.tick))
            words = say("Delete the alert at {price}", price=shown)
            self._entry(menu, words, lambda: self._services.alerts.remove(symbol, id))
        else:
            cancel = lambda: self._services.entry.cancel(line.ref)  # noqa: E731
            self._entry(menu, say("Cancel {text}", text=line.text), lambda: self._attempt(cancel))
        menu.addSeparator()

    def _line_at(self, at: QPoint) -> OrderLine | None:
        for item in reversed(self._pane.chart.scene.tags):
            near = item.grip.adjusted(-4, -3, 4, 3)
            if item.order is not None and (near.contains(at) or item.tag.contains(at) or item.axis_tag.contains(at)):
                return item.order
        return None

    def _add_drawing(self, menu: QMenu, at: QPoint) -> None:
        chart = self._pane.chart
        found = hit(chart.frame(), chart.drawings, QPointF(at), None)
        if found is None:
            return
        gone = found[0]

        def remove() -> None:
            chart.set_drawings(tuple(item for item in chart.drawings if item.id != gone))
            chart.drawings_changed.emit()

        self._entry(menu, say("Delete this drawing"), remove)
        menu.addSeparator()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setPixmap(self._pane.chart.grab())
        self._services.say("info", say("The chart is on the clipboard"))
