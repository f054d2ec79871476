"""The lock: hides money and takes no keys but STOP's. Its PIN is kept as a salted scrypt hash in the profile."""

import hashlib
import hmac
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QMainWindow, QPushButton, QVBoxLayout, QWidget

from market_agent_gui.dock_frame import DockFrame
from market_agent_gui.translate import say

FILE = "window-lock.json"
TRIES = 5
PAUSE_S = 15 * 60
SHORTEST = 4
_ACTIVITY = (
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.Wheel,
    QEvent.Type.TouchBegin,
)


class _Stored(msgspec.Struct, frozen=True):
    salt: str
    hash: str


class PinStore:
    """Sets and checks the window's PIN. After five wrong ones it refuses to look for a quarter of an hour."""

    def __init__(self, profile: Path, wall: Callable[[], float] = time.time) -> None:
        self._path = profile / FILE
        self._wall = wall
        self._wrong = 0
        self._until = 0.0

    @property
    def exists(self) -> bool:
        return self._path.exists()

    @property
    def waits_s(self) -> float:
        """Seconds until the next try is looked at."""
        return max(0.0, self._until - self._wall())

    def set(self, pin: str) -> None:
        """Keep a PIN. Raises ``ValueError`` for a short one, ``OSError`` when the disk refuses."""
        if len(pin) < SHORTEST:
            raise ValueError(f"a PIN has at least {SHORTEST} characters")
        salt = os.urandom(16)
        stored = _Stored(salt.hex(), _hash(pin, salt).hex())
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(stored))

    def check(self, pin: str) -> bool:
        """Say whether the PIN is right. A damaged file never opens; deleting it, outside, is the owner's way."""
        if self.waits_s:
            return False
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=_Stored)
            right = hmac.compare_digest(bytes.fromhex(stored.hash), _hash(pin, bytes.fromhex(stored.salt)))
        except (OSError, ValueError, msgspec.MsgspecError):
            right = False
        if right:
            self._wrong = 0
        else:
            self._wrong += 1
            if self._wrong >= TRIES:
                self._wrong = 0
                self._until = self._wall() + PAUSE_S
        return right


def _hash(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1)


class Cover(QWidget):
    """Lies over all of a window, whatever size that takes."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Window)
        window.installEventFilter(self)
        self.hide()

    def cover(self) -> None:
        """Come to the front."""
        self.setGeometry(self.parentWidget().rect())
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded) and not self.isHidden():
            self.setGeometry(self.parentWidget().rect())
            self.raise_()
        return False


class Curtain:
    """What lies behind the lock takes neither mouse nor keys; panes in windows of their own are gone meanwhile."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._hidden: list[DockFrame] = []

    def draw(self) -> None:
        """Close what is asked, and put everything out of reach."""
        while (popup := QApplication.activePopupWidget()) is not None and popup.close():
            pass
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog) and dialog.isVisible():
                dialog.reject()
        self._enable(False)
        for dock in self._window.findChildren(DockFrame):
            if dock.isFloating() and dock.isVisible():
                self._hidden.append(dock)
                self._show(dock, False)

    def lift(self) -> None:
        """Give everything back."""
        for dock in self._hidden:
            self._show(dock, True)
        self._hidden.clear()
        self._enable(True)

    @staticmethod
    def _show(dock: DockFrame, on: bool) -> None:
        blocked = dock.blockSignals(True)  # nobody rearranged anything
        dock.setVisible(on)
        dock.blockSignals(blocked)

    def _enable(self, on: bool) -> None:
        # Tab would walk from the PIN to a button that sends, and Space would press it.
        for part in self._window.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if not isinstance(part, Cover | QDialog):
                part.setEnabled(on)


class LockPage(Cover):
    """Covers the window. STOP stays in reach."""

    unlocked = Signal()
    stop_pressed = Signal()

    def __init__(self, parent: QMainWindow, pins: PinStore) -> None:
        super().__init__(parent)
        self._pins = pins
        self._curtain = Curtain(parent)
        self.whose = QLabel()
        """Whose money lies behind it: the strip that says so is covered."""
        self.whose.setTextFormat(Qt.TextFormat.PlainText)
        self.heading = QLabel()
        self.heading.setProperty("role", "headline")
        self.line = QLineEdit()
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setMaximumWidth(240)
        self.line.returnPressed.connect(self._on_entered)
        self.told = QLabel()
        self.told.setProperty("tone", "warn")
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.stop = QPushButton()
        self.stop.setProperty("role", "stop")
        self.stop.setMinimumSize(260, 44)
        self.stop.clicked.connect(self.stop_pressed)
        column = QVBoxLayout(self)
        column.addStretch(2)
        for widget in (self.whose, self.heading, self.line, self.told):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        column.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)

    @property
    def locked(self) -> bool:
        return not self.isHidden()

    def lock(self, whose: str = "", stop_key: str = "") -> None:
        """Cover the window, and every other one of the program. ``stop_key``: the one that stops, for the button."""
        self._curtain.draw()
        self.whose.setText(whose)
        self.whose.setVisible(bool(whose))
        self.heading.setText(say("Locked. The engine goes on."))
        self.line.setPlaceholderText(say("PIN"))
        self.line.setAccessibleName(say("PIN"))
        self.stop.setText(say("■ STOP  {key}  cancels entries, keeps stops", key=stop_key))
        self.told.setText("")
        self.line.clear()
        self.cover()
        self.window().activateWindow()
        self.line.setFocus()

    def give_back(self) -> None:
        """Put back what the lock took away, before the arrangement is kept for the next start."""
        self._curtain.lift()

    def _on_entered(self) -> None:
        pin, wait = self.line.text(), self._pins.waits_s
        self.line.clear()
        if wait:
            self.told.setText(say("Too many wrong PINs: wait {minutes} min", minutes=int(wait // 60) + 1))
        elif self._pins.check(pin):
            self.hide()
            self._curtain.lift()
            self.unlocked.emit()
        elif self._pins.waits_s:
            self.told.setText(say("Too many wrong PINs: wait {minutes} min", minutes=PAUSE_S // 60))
        else:
            self.told.setText(say("That is not the PIN"))


class IdleWatch(QObject):
    """Says when nobody touched the program for a while."""

    idle = Signal()

    def __init__(self, app: QApplication, minutes: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.idle)
        self._app = app
        self.set_minutes(minutes)

    def set_minutes(self, minutes: float) -> None:
        """Change the time; 0 switches it off."""
        self._app.removeEventFilter(self)
        self._timer.stop()
        if minutes > 0:
            self._timer.setInterval(int(minutes * 60_000))
            self._app.installEventFilter(self)
            self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTIVITY:
            self._timer.start()
        return False
