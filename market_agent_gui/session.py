"""What runs behind the painted window until it closes: the loop, the exception hooks, the shell."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from PySide6.QtWidgets import QApplication

from market_agent_gui.foreign.find import Allowed, find_panes
from market_agent_gui.loop import PreciseLoop
from market_agent_gui.opening import Opening
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.shell import Shell
from market_agent_gui.translate import Language

log = logging.getLogger(__name__)


def run_session(
    app: QApplication,
    profile: Path,
    engine_command: Sequence[str],
    preferences: PreferencesFile,
    language: Language,
    opening: Opening,
    *,
    settings_file: Path,
    screenshot: Path | None,
    after_s: float,
    allowed_panes: Allowed,
) -> int:
    """Run the window that is open until somebody quits; return the exit code."""
    foreign = find_panes(allowed_panes)
    with asyncio.Runner(loop_factory=lambda: PreciseLoop(app)) as runner:
        shell = Shell(
            app,
            profile,
            engine_command,
            preferences,
            language,
            settings_file=settings_file,
            ask_first=screenshot is None,
            opening=opening,
            foreign=foreign,
        )
        hooks = Hooks(shell)
        hooks.install(runner.get_loop())
        try:
            return runner.run(shell.run(screenshot=screenshot, after_s=after_s))
        finally:
            hooks.remove()


ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Asked to end from outside, at a log-off for example. Cut off in mid-air, the window would pass for frozen."""


class Hooks:
    """Errors nobody caught are logged and shown; the window goes on, the engine is not concerned.

    A signal to end closes the window in order: the engine hears its goodbye and ends with it if the window started it,
    unless the person chose to keep it.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._before = sys.excepthook
        self._handlers: dict[int, Any] = {}

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        sys.excepthook = self._on_error
        loop.set_exception_handler(self._on_loop_error)
        # What whoever started us wants ignored (nohup) stays ignored.
        heard = [number for number in ENDS if signal.getsignal(number) is not signal.SIG_IGN]
        self._handlers = {number: signal.signal(number, self._on_signal) for number in heard}

    def remove(self) -> None:
        sys.excepthook = self._before
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        log.info("%s: the window closes", signal.Signals(number).name)
        self._shell.quit(keep_engine=self._shell.preferences.now.on_close == "keep")

    def _on_error(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._shell.quit()
            return
        log.error("an error nobody caught", exc_info=(kind, error, traceback))
        self._before(kind, error, traceback)
        self._shell.show_error(f"{kind.__name__}: {error}")

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        log.error("in the loop: %s", context.get("message"), exc_info=error if isinstance(error, Exception) else None)
        self._shell.show_error(str(error or context.get("message")))
