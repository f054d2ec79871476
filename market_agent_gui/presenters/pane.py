"""What a pane's presenter is: it builds the pane late, feeds it, and wishes for rows only while it is seen."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from engine.api.wire import Follow
from market_agent_gui.commander import Refusal
from market_agent_gui.services import Services


class PanePresenter(QObject):
    """One pane of one dock."""

    dock = ""
    tables: tuple[str, ...] = ()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self.pane: QWidget | None = None
        self.visible = False
        self._takers: dict[str, Callable[[Any, Any, bool], object]] = {}
        services.bridge.rows_changed.connect(self._on_rows)
        services.links.changed.connect(self._on_linked)

    def build(self) -> QWidget:
        """Make the pane and fill it with what is known already."""
        self.pane = self.make()
        mirror = self.services.bridge.mirror
        for table, take in self._takers.items():
            take(tuple(mirror.rows(table).values()), (), True)
        if symbol := self.symbol:
            self.on_symbol(symbol)
        return self.pane

    @abstractmethod
    def make(self) -> QWidget:
        """Make the widget and connect its signals; heavy imports happen here."""

    def wish(self) -> Follow | None:
        """Return what the pane needs while it is seen."""
        return Follow(tables=self.tables) if self.tables else None

    def on_symbol(self, symbol: str) -> None:
        """Show another symbol."""

    def retranslate(self) -> None:
        """Say again, in another language, what the presenter itself has put into the pane."""

    async def close(self) -> None:
        """End what runs: the window is going."""

    @property
    def symbol(self) -> str:
        """The symbol of the pane's link group."""
        return self.services.links.symbol(self.dock)

    def choose(self, symbol: str) -> None:
        """A person chose a symbol in this pane."""
        self.services.links.choose(self.dock, symbol)

    def attempt(self, do: Callable[[], object]) -> None:
        """Do it; a refusal is told."""
        try:
            do()
        except Refusal as refusal:
            self.services.say("warn", str(refusal))

    def feed(self, table: str, take: Callable[[Any, Any, bool], object]) -> None:
        """Hand every change of ``table`` to ``take(rows, removed, reset)``."""
        self._takers[table] = take

    def set_visible(self, visible: bool) -> None:
        """The dock was shown or hidden."""
        self.visible = visible
        self.renew_wish()

    def renew_wish(self) -> None:
        """Say again what is needed: the pane shows something else now."""
        self.services.bridge.want(self.dock, self.wish() if self.visible and self.pane is not None else None)

    def _on_rows(self, table: str, rows: object, removed: object, reset: bool) -> None:
        take = self._takers.get(table)
        if take is not None and self.pane is not None:
            take(rows, removed, reset)

    def _on_linked(self, pane: str, symbol: str) -> None:
        if pane == self.dock and self.pane is not None:
            self.on_symbol(symbol)
