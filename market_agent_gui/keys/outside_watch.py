"""Asks the system whose keys ours are, off the window's thread: at the start, when the window is come back to."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

from market_agent_gui.keys.outside import Outside, Owner, System, merge, system_of

log = logging.getLogger(__name__)

JOIN_S = 0.5

Ask = Callable[[frozenset[str]], tuple[dict[str, Owner], str]]
"""Keys to those that are taken, and why some of the answer is missing, if it is. Raises ``OSError`` where all is."""


def asker(system: System) -> Ask:
    """Return whoever asks this system; it may take its time, so never on the window's thread."""
    if system in (System.X11, System.WAYLAND):
        from market_agent_gui.keys.outside_desktop import DesktopKeys
        from market_agent_gui.keys.outside_x11 import grabbed

        desktop = DesktopKeys(os.environ, Path.home())

        def ask_desktop(keys: frozenset[str]) -> tuple[dict[str, Owner], str]:
            held = grabbed(keys) if os.environ.get("DISPLAY") else set()
            declared, failed = _tried(desktop.read)
            return merge(declared, held, trust=system is System.WAYLAND or desktop.certain), failed

        return ask_desktop
    if system is System.WINDOWS:
        from market_agent_gui.keys.outside_windows import User32, taken

        user32 = User32()
        return lambda keys: (taken(keys, user32), "")
    if system is System.MAC:
        from market_agent_gui.keys.outside_mac import declared

        return lambda _keys: _tried(lambda: declared(Path.home()))
    return lambda _keys: ({}, "")


def _tried(read: Callable[[], dict[str, Owner]]) -> tuple[dict[str, Owner], str]:
    try:
        return read(), ""
    except (OSError, ValueError) as error:
        return {}, str(error)


class OutsideWatch(QObject):
    """Knows what the system last answered."""

    changed = Signal(object)
    """An :class:`Outside`: every answer, whether or not it differs from the last."""
    _answered = Signal(object)

    def __init__(
        self,
        keys: Callable[[], Iterable[str]],
        parent: QObject | None = None,
        *,
        system: System | None = None,
        ask: Ask | None = None,
    ) -> None:
        """``keys``: those in use. ``system`` and ``ask`` stand in for this machine."""
        super().__init__(parent)
        self._system = system or system_of(sys.platform, QGuiApplication.platformName(), os.environ)
        self.now = Outside(system=self._system)
        self.own: frozenset[str] = frozenset()
        """Keys that we have taken from the system ourselves."""
        self._keys = keys
        self._ask = ask
        self._more: frozenset[str] = frozenset()
        self._thread: threading.Thread | None = None
        self._again = self._closed = self._listening = False
        self._answered.connect(self._on_answer, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Ask now, and whenever the program is come back to."""
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication) and self._system is not System.NOBODY:
            app.applicationStateChanged.connect(self._on_state)
            self._listening = True
        self.ask()

    def close(self) -> None:
        """Stop; a question under way ends by itself."""
        app = QGuiApplication.instance()
        if self._listening and isinstance(app, QGuiApplication):
            app.applicationStateChanged.disconnect(self._on_state)
        self._closed = True
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def ask(self, more: Iterable[str] = ()) -> None:
        """Ask about the keys in use, and ``more``; the answer comes by :attr:`changed`. One question at a time."""
        self._more |= frozenset(more)
        if self._closed:
            return
        if self._thread is not None:
            self._again = True
            return
        keys = frozenset(self._keys()) | self._more
        self._more = frozenset()
        if self._system is System.NOBODY and self._ask is None:
            self._on_answer(Outside(asked=keys))
            return
        self._thread = threading.Thread(target=self._work, args=(keys,), name="keys outside", daemon=True)
        self._thread.start()

    def _work(self, keys: frozenset[str]) -> None:
        try:
            self._ask = self._ask or asker(self._system)
            taken, failed = self._ask(keys - self.own)
        except OSError as error:
            # What was known stays: a server that does not answer has given nothing back.
            taken, failed = dict(self.now.taken), str(error)
        if not self._closed:
            self._answered.emit(Outside(system=self._system, asked=keys, taken=taken, failed=failed))

    def _on_answer(self, outside: Outside) -> None:
        if self._thread is not None:
            self._thread.join()  # it has nothing left to do but end
            self._thread = None
        if outside.failed and outside.failed != self.now.failed:
            log.info("whose keys ours are is not wholly known: %s", outside.failed)
        self.now = outside
        self.changed.emit(outside)
        if self._again:
            self._again = False
            self.ask()

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.ask()
