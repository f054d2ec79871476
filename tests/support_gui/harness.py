"""A window and a small engine, driven by coroutines of a test."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from shiboken6 import isValid

from market_agent_gui.bridge import LinkState
from market_agent_gui.foreign.find import Found
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.shell import Shell
from market_agent_gui.translate import Language
from tests.support_gui.fake_engine import FakeEngine
from widgets.theme import apply_theme
from widgets.words import once_more

W = TypeVar("W", bound=QWidget)


async def until(condition: Callable[[], object], what: str = "the condition", seconds: float = 8.0) -> None:
    """Wait for a condition. Raises ``AssertionError`` naming it when it does not come true."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"it did not come true: {what}")


def gone(widget: QWidget) -> bool:
    """Whether a widget is closed; a dialog that has closed is soon deleted, too."""
    return not isValid(widget) or not widget.isVisible()


def opened(kind: type[W] = QDialog) -> list[W]:
    """Return the windows of a kind that are in sight: dialogs, unless another is named."""
    return [found for found in QApplication.topLevelWidgets() if isinstance(found, kind) and not gone(found)]


def dialog_of(kind: type[W] = QDialog) -> W:
    """Return the one window of a kind that is in sight."""
    (found,) = opened(kind)
    return found


async def asked(kind: type[W] = QDialog) -> W:
    """Wait for the one window of a kind; return it."""
    await until(lambda: opened(kind), f"a {kind.__name__}")
    return dialog_of(kind)


class Desk:
    """``shell`` before ``engine``."""

    def __init__(self, profile: Path, app: QApplication, book: str = "paper", foreign: Sequence[Found] = ()) -> None:
        self.profile = profile
        apply_theme(app, "dark")
        self.engine = FakeEngine(profile, book)
        command = [sys.executable, "-c", "raise SystemExit(0)"]
        self.shell = Shell(
            app,
            profile,
            command,
            PreferencesFile(profile),
            Language(app),
            settings_file=profile / "settings.yaml",
            ask_first=False,
            foreign=foreign,
        )
        self.toasts: list[tuple[str, str]] = []
        self.shell.head.toast = lambda severity, text: self.toasts.append((severity, once_more(text)))  # type: ignore[method-assign]
        self._running: asyncio.Task[int] | None = None

    async def open(self, *, furnish: bool = True) -> None:
        """Start the engine, open the window, wait until it is attached and every pane stands."""
        if furnish:
            self.engine.furnish()
        await self.engine.start()
        self._running = asyncio.ensure_future(self.shell.run())
        await until(lambda: self.shell.bridge.link is LinkState.UP, "the link")
        await until(lambda: self.shell.presenters and not self.shell._unbuilt, "all panes")
        await until(lambda: self.shell.bridge.mirror.state() is not None, "the state")
        self.shell.window.activateWindow()
        await until(lambda: QApplication.focusWindow() is not None, "the focus")

    async def open_on(self, symbol: str) -> QWidget:
        """Open, show a symbol, and wait for its quote; return the chart."""
        await self.open()
        self.shell.links.choose("chart", symbol)
        await until(lambda: not self.shell.entry.blocked(symbol), "a fresh quote")
        return self.shell.window.docks["chart"].pane

    def key(self, key: str, widget: QWidget | None = None) -> None:
        """Press a key where the focus is, or on a widget: ``Ctrl+B``."""
        combination = QKeySequence(key)[0]
        if widget is not None:
            widget.setFocus()
        # Through the window, as the platform does it: there the keys are listened to. QTest would turn the event
        # loop once more inside this one, and qasync loses timers there.
        window = QApplication.focusWindow() or self.shell.window.windowHandle()
        text = chr(combination.key()).lower() if combination.key() < 0x100 else ""
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            event = QKeyEvent(kind, combination.key(), combination.keyboardModifiers(), text)
            QCoreApplication.sendEvent(window, event)

    def sent(self, kind: type) -> list:
        """Return the commands of a kind that the engine has had."""
        return [command for command in self.engine.commands if isinstance(command, kind)]

    async def close(self) -> None:
        if self._running is not None:
            self.shell.quit(keep_engine=True)
            await self._running
            await self.engine.stop()
            await asyncio.sleep(0.02)
        else:
            await self.shell._close()
        self.shell.window.deleteLater()
        self.shell.deleteLater()
