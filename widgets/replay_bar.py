"""The pace of simulated time: pause, one minute, speeds. Shown only while time is not the market's own."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from engine.api.rows import StateRow
from widgets.key_button import KeyButton
from widgets.theme import current_theme
from widgets.words import tr

SPEEDS: tuple[float | None, ...] = (1.0, 5.0, 20.0, 60.0, None)
"""Market seconds per second; None is as fast as it goes."""


def speed_text(speed: float | None) -> str:
    return tr("max") if speed is None else f"×{speed:g}"


class ReplayBar(QWidget):
    """``apply`` takes rows of the table ``state``."""

    pause_wanted = Signal()
    """Pause, or go on."""
    step_wanted = Signal()
    speed_wanted = Signal(object)
    """Market seconds per second, None for as fast as it goes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: dict[str, str] = {}
        self._state: StateRow | None = None
        self.pause = KeyButton(tr("Pause"))
        self.step = KeyButton(tr("Step 1 min"))
        self.speeds = {speed: KeyButton(speed_text(speed)) for speed in SPEEDS}
        row = QHBoxLayout(self)
        theme = current_theme()
        row.setContentsMargins(theme.px(12), theme.px(2), theme.px(12), theme.px(2))
        row.setSpacing(theme.px(6))
        self._title = QLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        for part in (self._title, self.pause, self.step, *self.speeds.values()):
            row.addWidget(part)
        row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.pause.clicked.connect(self.pause_wanted)
        self.step.clicked.connect(self.step_wanted)
        for speed, button in self.speeds.items():
            button.clicked.connect(lambda _=False, speed=speed: self.speed_wanted.emit(speed))
        self.setVisible(False)

    @property
    def paused(self) -> bool:
        return self._state is not None and self._state.paused

    @property
    def speed(self) -> float | None:
        """As it is, or as it will be after a pause."""
        return self._state.speed if self._state is not None else None

    def set_keys(self, keys: dict[str, str]) -> None:
        """Print the keys of ``pause`` and ``step`` on their buttons."""
        self._keys = dict(keys)
        self._show()

    def apply(self, rows: Iterable[StateRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take the one row of the table ``state``."""
        before = self._state
        for row in rows:
            self._state = row
        state = self._state
        if state is None:
            return
        if before is None or _look(before) != _look(state):
            self._show()

    def _show(self) -> None:
        state = self._state
        self.setVisible(state is not None and state.simulated_time)
        replay = state is not None and state.book.lower() == "replay"
        self._title.setText(tr("Recorded market") if replay else tr("Simulated market"))
        self.pause.say(tr("Go on") if self.paused else tr("Pause"), key=self._keys.get("pause", ""))
        self.step.say(tr("Step 1 min"), key=self._keys.get("step", ""))
        for speed, button in self.speeds.items():
            now = state is not None and not self.paused and state.speed == speed
            button.setProperty("current", now)
            button.role = "plain" if now else "quiet"
            button.say(speed_text(speed))
            button.setAccessibleDescription(tr("now") if now else "")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and hasattr(self, "speeds"):
            self._show()


def _look(state: StateRow) -> tuple[object, ...]:
    return state.simulated_time, state.paused, state.speed, state.book
