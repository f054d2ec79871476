"""The window's process: application, theme, language, first paint; then the session does the rest."""

import itertools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from market_agent_gui.opening import Opening, paint_first
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.translate import Language
from market_agent_gui.window_log import HeldLog
from widgets.theme import apply_theme, theme_names

log = logging.getLogger(__name__)


def run_gui(
    profile: Path,
    engine_command: Sequence[str],
    *,
    screenshot: Path | None = None,
    after_s: float = 5.0,
    settings_argv: Sequence[str] = (),
    allowed_panes: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda names: (),
) -> int:
    """Open the window and return its exit code.

    ``engine_command`` with ``settings_argv`` starts the engine of ``profile``. With ``screenshot`` the window is drawn
    into that file after ``after_s`` seconds and everything ends again: 0, or 1 when the file cannot be written.
    ``allowed_panes`` says which of the panes that packages offer may be shown; it is asked when there are any.
    """
    held = HeldLog()
    try:
        app = make_application()
        preferences = PreferencesFile(profile)
        use_theme(app, preferences)
        language = Language(app)
        _use_language(language, preferences)
        opening = Opening(profile)
        opening.show()
        paint_first(app, opening.window)
    finally:
        handler = held.write_to(profile)
    # Only now the rest, the engine's client and asyncio among it: nobody should wait for them before an empty window.
    from market_agent_gui.session import run_session

    try:
        return run_session(
            app,
            profile,
            [*engine_command, *settings_argv],
            preferences,
            language,
            opening,
            settings_file=_settings_file(profile, settings_argv),
            screenshot=screenshot,
            after_s=after_s,
            allowed_panes=allowed_panes,
        )
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
