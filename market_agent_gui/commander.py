"""Runs actions by id, wherever they come from: key, menu, palette, button."""

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from market_agent_gui.actions import BY_ID, ActionSpec, in_order

log = logging.getLogger(__name__)


class Refusal(Exception):
    """An action cannot act now; the message is one plain sentence for the person."""


class Commander(QObject):
    """Knows who fulfils each action. What nobody fulfils is not shown anywhere."""

    refused = Signal(str, str)
    """Action id and a plain sentence."""
    ran = Signal(str, str)
    """Action id and by what road: key, menu, palette, button."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._doers: dict[str, Callable[[], object]] = {}
        self.objection: Callable[[ActionSpec], str] = lambda _spec: ""
        """Says why an action may not run now, whatever the road; empty lets it."""
        self.asks: Callable[[str, Callable[[], object]], bool] = lambda _action, _do: False
        """Whether a person is asked first, and the action run once they agree. A key asks by a second press."""

    def register(self, action: str, do: Callable[[], object]) -> None:
        """Let ``do`` fulfil ``action``. Raises ``KeyError`` for an action that is not in the table."""
        self._doers[BY_ID[action].id] = do

    def forget(self, action: str) -> None:
        """Nobody fulfils ``action`` any more."""
        self._doers.pop(action, None)

    def known(self) -> list[ActionSpec]:
        """Return the actions that somebody fulfils, in the table's order."""
        return in_order(self._doers)

    def knows(self, action: str) -> bool:
        return action in self._doers

    def run(self, action: str, road: str = "menu", *, confirmed: bool = False) -> bool:
        """Run an action; a refusal is shown, not raised. False also while a person is asked whether it shall run."""
        do = self._doers.get(action)
        if do is None:
            return False
        if reason := self.objection(BY_ID[action]):
            self.refused.emit(action, reason)
            return False
        if road != "key" and not confirmed and self.asks(action, lambda: self.run(action, road, confirmed=True)):
            return False
        try:
            do()
        except Refusal as refusal:
            self.refused.emit(action, str(refusal))
            return False
        self.ran.emit(action, road)
        return True
