"""The window's process: application, loop, exception hooks; then the shell does the rest."""

import asyncio
import itertools
import logging
import logging.handlers
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from market_agent_gui.loop import PreciseLoop
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.shell import Shell
from market_agent_gui.translate import Language
from widgets.theme import apply_theme, theme_names

log = logging.getLogger(__name__)


def run_gui(
    profile: Path,
    engine_command: Sequence[str],
    *,
    demo: bool = False,
    screenshot: Path | None = None,
    after_s: float = 5.0,
    settings_argv: Sequence[str] = (),
) -> int:
    """Open the window and return its exit code.

    ``engine_command`` with ``settings_argv`` starts the engine of ``profile``. ``demo`` says that the money is
    simulated from the first moment on. With ``screenshot`` the window is drawn into that file after ``after_s``
    seconds and everything ends again: 0, or 1 when the file cannot be written.
    """
    handler = _log_to(profile)
    app = make_application()
    preferences = PreferencesFile(profile)
    use_theme(app, preferences)
    language = Language(app)
    _use_language(language, preferences)
    try:
        with asyncio.Runner(loop_factory=lambda: PreciseLoop(app)) as runner:
            shell = Shell(
                app,
                profile,
                [*engine_command, *settings_argv],
                preferences,
                language,
                demo=demo,
                settings_file=_settings_file(profile, settings_argv),
                ask_first=screenshot is None,
            )
            hooks = Hooks(shell)
            hooks.install(runner.get_loop())
            try:
                return runner.run(shell.run(screenshot=screenshot, after_s=after_s))
            finally:
                hooks.remove()
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def make_application() -> QApplication:
    """Make the one QApplication."""
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["market-agent"])
    app.setApplicationName("market-agent")
    app.setApplicationDisplayName("")
    app.setDesktopFileName("market-agent")
    app.setQuitOnLastWindowClosed(False)
    return app


def use_theme(app: QApplication, preferences: PreferencesFile) -> None:
    """Apply the chosen theme; one that is no more gives way to the dark one."""
    name = preferences.now.theme
    apply_theme(app, name if name in theme_names() else "dark", preferences.now.scale)


def _use_language(language: Language, preferences: PreferencesFile) -> None:
    try:
        language.use(preferences.now.language)
    except (ValueError, OSError) as error:
        preferences.problem = f"the window speaks English: {error}"


def _settings_file(profile: Path, settings_argv: Sequence[str]) -> Path:
    for flag, value in itertools.pairwise(settings_argv):
        if flag == "--settings":
            return Path(value)
    return profile / "settings.yaml"


def _log_to(profile: Path) -> logging.Handler:
    folder = profile / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / "window.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


class Hooks:
    """Errors nobody caught are logged and shown; the window goes on, the engine is not concerned."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._before = sys.excepthook

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        sys.excepthook = self._on_error
        loop.set_exception_handler(self._on_loop_error)

    def remove(self) -> None:
        sys.excepthook = self._before

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
