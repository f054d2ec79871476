"""Many requests, one call: repaint and resize at the rate a person can see."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Throttle(QObject):
    """Call `action` at most once in `interval_ms`; 0 calls at once, every time (tests).

    The first request in a quiet time runs at once; further ones are folded into one call at the end of the interval.
    """

    def __init__(self, action: Callable[[], None], interval_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        if interval_ms < 0:
            raise ValueError(f"interval_ms must not be negative, not {interval_ms}")
        self._action = action
        self._wanted = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self._on_interval_over)

    @property
    def pending(self) -> bool:
        """Whether a call is still owed."""
        return self._wanted

    def set_interval(self, interval_ms: int) -> None:
        """Change the interval; 0 switches the throttle off and pays what is owed."""
        self._timer.setInterval(interval_ms)
        if interval_ms == 0:
            self.flush()

    def request(self) -> None:
        """Ask for a call."""
        if self._timer.interval() == 0:
            self._action()
        elif self._timer.isActive():
            self._wanted = True
        else:
            self._timer.start()
            self._action()

    def flush(self) -> None:
        """Make the owed call now."""
        self._timer.stop()
        if self._wanted:
            self._wanted = False
            self._action()

    def cancel(self) -> None:
        """Forget the owed call."""
        self._timer.stop()
        self._wanted = False

    def _on_interval_over(self) -> None:
        if self._wanted:
            self._wanted = False
            self._timer.start()
            self._action()
