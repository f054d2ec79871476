"""STOP from any program: its held key is heard although another window has the focus, where the system lets us.

Only the halt, never anything that adds risk. Meanwhile no other program has the key: a choice, off at first.
"""

import ctypes
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal

from market_agent_gui.actions import key_text
from market_agent_gui.keys.outside import System
from market_agent_gui.translate import say

log = logging.getLogger(__name__)

TURN_S = 0.1
JOIN_S = 1.0


class Holder(Protocol):
    """Whoever takes a key from the system. All of it is called in one thread."""

    def hold(self, key: str) -> bool:
        """Take the key; False when somebody else has it. Raises ``OSError`` where the system does not answer."""

    def events(self, seconds: float) -> list[bool]:
        """Wait so long for what happens to the key: True pressed, False let go."""

    def close(self) -> None:
        """Give it back."""


class XHolder:
    """The key by a grab of X."""

    def __init__(self) -> None:
        from market_agent_gui.keys.outside_x11 import XKeys

        self._link = XKeys()

    def hold(self, key: str) -> bool:
        return self._link.hold(key)

    def events(self, seconds: float) -> list[bool]:
        return self._link.events(seconds)

    def close(self) -> None:
        self._link.close()


class WindowsHolder:
    """The key by a hot key of Windows, which tells of presses alone: whether it is still down is looked at."""

    _WM_HOTKEY, _REMOVE, _DOWN = 0x0312, 1, 0x8000

    def __init__(self) -> None:
        from ctypes import wintypes

        from market_agent_gui.keys.outside_windows import User32

        self._hot_keys = User32()
        self._user32 = ctypes.WinDLL("user32")  # type: ignore[attr-defined,unused-ignore]
        self._message = wintypes.MSG()
        self._code = 0
        self._is_down = False

    def hold(self, key: str) -> bool:
        from market_agent_gui.keys.outside_windows import ALREADY_REGISTERED, stroke

        modifiers, self._code = stroke(key)
        error = self._hot_keys.register(1, modifiers, self._code) if self._code else 0
        if error and error != ALREADY_REGISTERED:
            raise OSError(f"error {error}")
        return bool(self._code) and not error

    def events(self, seconds: float) -> list[bool]:
        time.sleep(seconds)
        found = []
        message = ctypes.byref(self._message)
        while self._user32.PeekMessageW(message, None, self._WM_HOTKEY, self._WM_HOTKEY, self._REMOVE):
            found.append(True)
        down = bool(self._user32.GetAsyncKeyState(self._code) & self._DOWN)
        if found:
            self._is_down = True
        if self._is_down and not down:
            self._is_down = False
            found.append(False)
        return found

    def close(self) -> None:
        self._hot_keys.unregister(1)


HOLDERS: dict[System, Callable[[], Holder]] = {System.X11: XHolder, System.WINDOWS: WindowsHolder}


class GlobalStop(QObject):
    """Hears one key in a thread of its own."""

    pressed = Signal()
    released = Signal()
    settled = Signal(str)
    """Why the key is not heard outside; empty when it is."""
    _told = Signal(object, str, str)

    def __init__(self, parent: QObject | None = None, *, holder: Callable[[], Holder] | None = None) -> None:
        super().__init__(parent)
        self._holder = holder
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        self.key = ""
        """The key that is held, empty while none is."""
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)

    def start(self, system: System, key: str) -> None:
        """Take a key; ``settled`` tells whether it is ours."""
        self.stop()
        holder = self._holder or HOLDERS.get(system)
        if holder is None:
            self.settled.emit(say(_NOT_HERE[system]))
            return
        self._end = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(holder, key, self._end), name="STOP from any program", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Give the key back."""
        self._end.set()
        self.key = ""
        if self._thread is not None:
            self._thread.join(JOIN_S)
            self._thread = None

    def _work(self, holder: Callable[[], Holder], key: str, end: threading.Event) -> None:
        held: Holder | None = None
        try:
            held = holder()
            if not held.hold(key):
                self._told.emit(end, key, "taken")
                return
            self._told.emit(end, key, "")
            while not end.is_set():
                for down in held.events(TURN_S):
                    (self.pressed if down else self.released).emit()
        except OSError as error:
            log.warning("%s is not heard outside the window: %s", key, error)
            if not end.is_set():
                self._told.emit(end, key, f"error {error}")
        finally:
            if held is not None:
                held.close()

    def _on_told(self, end: threading.Event, key: str, problem: str) -> None:
        if end is not self._end or end.is_set():
            return  # another key since
        self.key = "" if problem else key
        if problem == "taken":
            self.settled.emit(say("{key} is taken by another program", key=key_text(key)))
        elif problem:
            self.settled.emit(say("the system does not give it: {reason}", reason=problem.removeprefix("error ")))
        else:
            self.settled.emit("")


_NOT_HERE = {
    System.WAYLAND: "Wayland gives no key to a program that does not have the focus",
    System.MAC: "macOS gives no key to a program that does not have the focus without a permission we do not ask for",
    System.NOBODY: "this system gives no key to a program that does not have the focus",
}
