"""The first thing a person sees: the window with its lines and empty docks, painted before the rest is imported."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QThread, QTimer
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from market_agent_gui.docks import TEMPLATES
from market_agent_gui.main_window import MainWindow
from market_agent_gui.translate import say
from market_agent_gui.workspace import Workspace, WorkspaceStore
from widgets.banner_line import BannerLine
from widgets.mode_strip import ModeStrip
from widgets.replay_bar import ReplayBar
from widgets.status_line import StatusLine
from widgets.theme import current_theme

PATIENCE_MS = 400
"""A window nobody can see (another desktop) is never painted; the rest must not wait for it."""


class Lines:
    """What is never hidden: mode strip, replay bar and banner on top, the status line below. ``Head`` feeds them."""

    def __init__(self, window: MainWindow) -> None:
        self.strip, self.banner, self.status = ModeStrip(), BannerLine(), StatusLine()
        self.replay = ReplayBar()
        self.menu_button = QToolButton()
        self.menu_button.setText("☰")
        self.menu_button.setProperty("role", "flat")
        self.menu_button.setFixedWidth(current_theme().px(36))
        self.menu_button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.menu_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.menu_button.setAccessibleName(say("Menu"))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        corner = QVBoxLayout()
        corner.setContentsMargins(0, 0, 0, 0)
        corner.setSpacing(0)
        corner.addWidget(window.line)
        corner.addWidget(self.menu_button, 1)
        line.addLayout(corner)
        line.addWidget(self.strip, 1)
        window.add_to_head(row)
        window.add_to_head(self.replay)
        window.add_to_head(self.banner)
        window.set_status(self.status)
        self.strip.set_away(say("starting"))


class Opening:
    """The window as it was left, or in its default look; nothing stands behind it yet."""

    def __init__(self, profile: Path) -> None:
        self.window = MainWindow()
        self.lines = Lines(self.window)
        self.store = WorkspaceStore(profile)
        self.last: Workspace | None = None
        """The look that was taken up again."""

    def show(self) -> None:
        """Arrange and show the window; once."""
        if self.window.isVisible():
            return
        self.window.fill_screen()
        last = self.store.load_last()
        if last is not None and last.layout and arrange_as(self.window, last):
            self.last = last
        else:
            self.window.use_default()
        self.window.show()


def arrange_as(window: MainWindow, workspace: Workspace) -> bool:
    """Arrange the docks as in a workspace; False when it is of another version or damaged."""
    window.ensure_docks(workspace.charts)
    if workspace.geometry:
        window.restoreGeometry(QByteArray(workspace.geometry_bytes))
    if workspace.template in TEMPLATES:
        window.use_template(workspace.template)
        return True
    return window.restore_layout(workspace.layout_bytes)


class _FirstPaint(QObject):
    """Ends the application's first loop once the window has been painted."""

    def __init__(self, app: QApplication, window: QWidget) -> None:
        super().__init__()
        self._app, self._window = app, window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, lambda: self._app.exit(0))
        return False


def paint_first(app: QApplication, window: QWidget) -> None:
    """Run Qt until the shown window has been painted once. Raises ``RuntimeError`` inside a loop that runs already."""
    if QThread.currentThread().loopLevel() > 0:
        raise RuntimeError("the first paint comes before the program's own loop, never inside it")
    watch = _FirstPaint(app, window)
    patience = QTimer(watch, interval=PATIENCE_MS, singleShot=True)
    patience.timeout.connect(lambda: app.exit(0))
    patience.start()
    app.exec()
    patience.stop()
    window.removeEventFilter(watch)
    watch.deleteLater()
