"""The tables of the book and the journal: positions, orders, fills, refusals, news, limits, log."""

from decimal import Decimal

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from engine.api.commands import AdoptExternal, ModifyOrder
from engine.api.rows import StateRow
from engine.model.ids import IntentId, OrderRef
from market_agent_gui.presenters.asking import Asking
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.translate import say


class PositionsPresenter(PanePresenter):
    dock = "positions"
    tables = ("positions",)

    def make(self) -> QWidget:
        from widgets.position_table import PositionTable

        table = PositionTable()
        table.symbol_chosen.connect(self.choose)
        table.flatten_wanted.connect(self._on_flatten)
        table.break_even_wanted.connect(self._on_break_even)
        table.stop_wanted.connect(self._on_stop)
        table.reverse_wanted.connect(self._on_reverse)
        self.feed("positions", table.apply)
        self.feed("state", lambda rows, _removed, _reset: self._on_state(table, rows))
        return table

    @staticmethod
    def _on_state(table: QWidget, rows: tuple[StateRow, ...]) -> None:
        for row in rows:
            table.set_day(row.day_pnl, row.day_realised)

    def _on_flatten(self, symbol: str, fraction: Decimal) -> None:
        self.choose(symbol)
        asks = self.services.confirming
        asks.run(
            lambda: asks.subjects.exit(symbol, fraction),
            lambda: self.services.entry.exit(fraction, symbol),
        )

    def _on_break_even(self, symbol: str) -> None:
        self._point(symbol)
        self.services.commander.run("stop_even", "button")

    def _on_stop(self, symbol: str) -> None:
        self._point(symbol)
        self.attempt(lambda: self.services.entry.set_stop(symbol))

    def _on_reverse(self, symbol: str) -> None:
        self._point(symbol)
        asks = self.services.confirming
        asks.run(lambda: asks.subjects.reverse(symbol), lambda: self.services.entry.reverse(symbol))

    def _point(self, symbol: str) -> None:
        """Show a symbol here and in the ticket, whatever its colour: what was clicked on is what is acted on."""
        self.choose(symbol)
        self.services.links.choose("ticket", symbol)


class OrdersPresenter(PanePresenter):
    dock = "orders"
    tables = ("orders",)

    def make(self) -> QWidget:
        from widgets.order_blotter import OrderBlotter

        table = OrderBlotter()
        table.cancel_wanted.connect(self._on_cancel)
        table.modify_wanted.connect(self._on_modify)
        table.symbol_chosen.connect(self.choose)
        table.adopt_wanted.connect(lambda ref: self.services.bridge.fire(AdoptExternal(ref=OrderRef(ref))))
        table.resolve_wanted.connect(self._on_resolve)
        table.suggestion_wanted.connect(lambda _key: self.services.show_pane("suggestions"))
        self.feed("orders", table.apply)
        return table

    def _on_cancel(self, refs: list[str]) -> None:
        self.attempt(lambda: [self.services.entry.cancel(ref) for ref in refs])

    def _on_modify(self, ref: str, field: str, value: Decimal) -> None:
        intent = IntentId(self.services.entry.mint())
        asks = self.services.confirming
        command = ModifyOrder(ref=OrderRef(ref), intent_id=intent, **{field: value})
        asks.run(lambda: asks.subjects.command(command), lambda: self.services.entry.fire(command))

    def _on_resolve(self, ref: str) -> None:
        from market_agent_gui.resolve_dialog import ResolveDialog

        dialog = ResolveDialog(ref)
        dialog.resolved.connect(self.services.bridge.fire)
        self.services.open_dialog(dialog)


class FillsPresenter(PanePresenter):
    dock = "fills"
    tables = ("fills",)

    def make(self) -> QWidget:
        from widgets.fill_table import FillTable

        table = FillTable()
        table.symbol_chosen.connect(self.choose)
        self.feed("fills", table.apply)
        return table


class DenialsPresenter(PanePresenter):
    dock = "denials"
    tables = ("denials",)

    def make(self) -> QWidget:
        from widgets.denial_table import DenialTable

        table = DenialTable()
        table.symbol_chosen.connect(self.choose)
        self.feed("denials", table.apply)
        return table


class NewsPresenter(PanePresenter):
    dock = "news"
    tables = ("news",)

    def make(self) -> QWidget:
        from widgets.news_list import NewsList

        table = NewsList()
        table.symbol_chosen.connect(self.choose)
        table.link_wanted.connect(self._on_link)
        self.feed("news", table.apply)
        return table

    def _on_link(self, address: str) -> None:
        url = QUrl(address, QUrl.ParsingMode.StrictMode)
        if url.isValid() and url.scheme() == "https" and QDesktopServices.openUrl(url):
            return
        self.services.say("warn", say("That address is not opened: only https links are."))


class LimitsPresenter(PanePresenter):
    dock = "limits"
    tables = ("limits",)

    def make(self) -> QWidget:
        from widgets.limit_panel import LimitPanel

        self._asking = Asking(self.services.bridge, self)
        panel = LimitPanel()
        panel.change_wanted.connect(self._on_change)
        self.feed("limits", panel.apply)
        return panel

    def _on_change(self, code: str) -> None:
        from market_agent_gui.limit_dialog import LimitDialog

        row = self.services.bridge.mirror.rows("limits").get(code)
        if row is not None:
            dialog = LimitDialog(row)
            dialog.changed.connect(lambda command: self._asking.send(dialog, command))
            self.services.open_dialog(dialog)


class LogPresenter(PanePresenter):
    dock = "log"
    tables = ("log",)

    def make(self) -> QWidget:
        from widgets.log_view import LogView

        view = LogView()
        self.feed("log", view.apply)
        return view
