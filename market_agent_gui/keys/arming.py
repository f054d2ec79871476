"""Arming: risk-adding keys act only while armed; it times out and falls at any change of what they would hit."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from market_agent_gui.translate import say
from widgets.words import told

ARMED_S = 5 * 60.0


_CONTEXT = ("the mode changed", "the account changed", "the symbol changed")


class Arming(QObject):
    """Armed or not, how long still, and why not."""

    changed = Signal()
    """Armed, disarmed, or a second has passed."""

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        seconds: float = ARMED_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._why: Callable[[], str] = lambda: say("not armed yet")
        self._seconds = seconds
        self._monotonic = monotonic
        self._until: float | None = None
        self._context: tuple[str, ...] = ()
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._on_tick)

    @property
    def armed(self) -> bool:
        return self._until is not None and self._monotonic() < self._until

    @property
    def reason(self) -> str:
        """Why the keys are down, in the language of the moment; empty while they are armed."""
        return self._why()

    @property
    def left_s(self) -> float:
        """Seconds until it falls, 0 when disarmed."""
        return max(0.0, self._until - self._monotonic()) if self._until is not None else 0.0

    def arm(self, blocked: str = "") -> bool:
        """Arm for a while; with a reason in ``blocked`` it stays down and says so."""
        if blocked:
            self.disarm(lambda: told(blocked))
            return False
        self._until = self._monotonic() + self._seconds
        self._why = str
        self._tick.start()
        self.changed.emit()
        return True

    def disarm(self, reason: str | Callable[[], str]) -> None:
        """Fall, and remember why: words, or what says them in the language of the moment."""
        why: Callable[[], str] = (lambda: reason) if isinstance(reason, str) else reason
        was = self._until is not None
        self._until = None
        self._tick.stop()
        if was or why() != self.reason:
            self._why = why
            self.changed.emit()

    def close(self) -> None:
        """Fall for good, without a word: the window is going."""
        self._until = None
        self._tick.stop()

    def watch(self, mode: str, account: str, symbol: str) -> None:
        """What the keys would hit now; any change of it disarms."""
        context = (mode, account, symbol)
        if self._context and context != self._context:
            what = next(name for name, a, b in zip(_CONTEXT, self._context, context, strict=True) if a != b)
            if self._until is not None:
                self.disarm(lambda: say(what))
        self._context = context

    def _on_tick(self) -> None:
        if self._until is not None and not self.armed:
            self.disarm(lambda: say("the time ran out"))
        else:
            self.changed.emit()
