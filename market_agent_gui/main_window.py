"""The main window arranges: strip and banner on top, docks, status line below. It decides nothing."""

import math
from collections.abc import Iterable

from PySide6.QtCore import QByteArray, QEvent, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QMouseEvent, QResizeEvent, QScreen, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QTabBar, QTabWidget, QVBoxLayout, QWidget

from market_agent_gui.arrange import arrange, fit_heads, resize
from market_agent_gui.dock_frame import DockFrame
from market_agent_gui.docks import BOOK, BY_ID, DOCKS, EXTRA_CHARTS, TEMPLATES, DockSpec, default_template
from market_agent_gui.mode_frame import BookLine, ModeFrame, account_tail
from market_agent_gui.translate import say

LAYOUT_VERSION = 1
DEFAULT_SIZE = QSize(1600, 940)
SMALLEST = QSize(1024, 640)
CHART_SHAPE = 1.4
"""Width by height of a chart that reads well."""
_SEPARATOR = "qt_qmainwindow_extended_splitter"
FIRST = ("chart", "depth", "positions")
"""Panes that may have the focus at the start: no plain key in them sends, approves or chooses another symbol."""


def halved(size: QSize) -> Qt.Orientation:
    """Return how a chart is halved, so that both halves come as near to a chart's usual shape as they can."""

    def off(width: float, height: float) -> float:
        return abs(math.log(max(1.0, width) / max(1.0, height) / CHART_SHAPE))

    across, down = off(size.width() / 2, size.height()), off(size.width(), size.height() / 2)
    return Qt.Orientation.Horizontal if across <= down else Qt.Orientation.Vertical


def _area(dock: QWidget) -> int:
    return dock.width() * dock.height()


class MainWindow(QMainWindow):
    """Docks by id; a head for the mode strip and the banner; the frame that says LIVE."""

    close_asked = Signal()
    dock_added = Signal(str)
    """A chart more: its dock stands empty and waits for its pane."""
    rearranged = Signal()
    """A pane was moved, closed, opened or resized by hand."""
    pane_menu_wanted = Signal(str, QPoint)
    """The menu of a pane, at a point of the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("main")
        self.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.GroupedDragging
        )
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setMinimumSize(SMALLEST)
        self.may_close = False
        self.template = ""
        self._book, self._account = "", ""
        self.line = BookLine()
        self._head = QWidget()
        self._head_column = QVBoxLayout(self._head)
        self._head_column.setContentsMargins(0, 0, 0, 0)
        self._head_column.setSpacing(0)
        self.setMenuWidget(self._head)
        self.docks: dict[str, DockFrame] = {}
        self._frames = {"main": ModeFrame(self)}
        self._settled = False
        self._touched = False
        self._on_separator = False
        self._unplaced: set[str] = set()
        """Closed panes that become a tab of their home when they are opened."""
        for spec in DOCKS:
            self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self._make_dock(spec))
        self.show_book("", "")

    # --- parts

    def add_dock(self, spec: DockSpec) -> DockFrame:
        """Take in a pane of a package, where the layout in use has it; else it is closed, at home in the book."""
        settled, self._settled = self._settled, False
        dock = self._make_dock(spec)
        if not self.restoreDockWidget(dock):
            self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
            self.tabifyDockWidget(self.docks[BOOK], dock)
            dock.hide()
            if spec.home != BOOK:
                self._unplaced.add(spec.id)
        self._frames[spec.id].show_book(self._book)
        dock.head.show_book(self._book)
        fit_heads(self, self.docks)
        self._shape_tabs()
        self._settled = settled
        return dock

    def add_to_head(self, widget: QWidget) -> None:
        """Put a line under the others on top."""
        self._head_column.addWidget(widget)

    def set_status(self, widget: QWidget) -> None:
        """Put the status line in."""
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(widget, 1)

    def show_book(self, book: str, account: str) -> None:
        """Say whose money it is, in title, line and frame."""
        self._book, self._account = book, account
        self.line.show_book(book)
        for frame in self._frames.values():
            frame.show_book(book)
        for dock in self.docks.values():
            dock.head.show_book(book)
        parts = ["Market Agent"]
        if book:
            parts += [say(book.upper()), account_tail(account)]
        else:
            parts.append(say("no engine"))
        self.setWindowTitle(" · ".join(part for part in parts if part))

    @property
    def head_height(self) -> int:
        """Height of what stays on top whatever happens: strip and banner."""
        return self._head.height()

    # --- docks

    def _make_dock(self, spec: DockSpec) -> DockFrame:
        dock = DockFrame(spec, self)
        self.docks[spec.id] = dock
        self._frames[spec.id] = ModeFrame(dock)
        dock.dockLocationChanged.connect(self._on_moved)
        dock.visibilityChanged.connect(self._on_moved)
        dock.topLevelChanged.connect(self._on_taken)
        dock.closed.connect(self._on_taken)
        dock.head.menu_wanted.connect(lambda at: self.pane_menu_wanted.emit(spec.id, at))
        return dock

    def ensure_docks(self, names: Iterable[str]) -> None:
        """Make the docks among ``names`` that are not there yet: charts a template or a workspace has more."""
        for name in names:
            if name not in self.docks and name in BY_ID:
                dock = self._make_dock(BY_ID[name])
                self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
                dock.hide()
                self._frames[name].show_book(self._book)
                dock.head.show_book(self._book)
                self.dock_added.emit(name)

    @property
    def added_charts(self) -> tuple[str, ...]:
        """The charts beside the first that are open."""
        return tuple(name for name in EXTRA_CHARTS if name in self.docks and not self.docks[name].isHidden())

    def add_chart(self) -> str:
        """Open one chart more in half the room of the largest; empty when there are as many as there may be."""
        name = next((name for name in EXTRA_CHARTS if name not in self.added_charts), "")
        if not name:
            return ""
        shown = [other for other in ("chart", *self.added_charts) if not self._away(other)]
        beside = max(shown, key=lambda other: _area(self.docks[other]), default="chart")
        self.ensure_docks((name,))
        dock = self.docks[name]
        dock.setFloating(False)
        self.removeDockWidget(dock)
        self._put_beside(self.docks[beside], dock)
        self._touched = True
        self.show_dock(name)
        return name

    def _put_beside(self, one: DockFrame, dock: DockFrame) -> None:
        """Put ``dock`` beside or under one that may be a tab: Qt would make it a tab too, so its mates step aside."""
        size, mates = one.size(), [mate for mate in self.tabifiedDockWidgets(one) if isinstance(mate, DockFrame)]
        way = halved(size)
        half = (size.width() if way is Qt.Orientation.Horizontal else size.height()) // 2
        for other in self.docks.values():
            if other.isHidden() and other.spec.home == one.spec.id:  # closed, but Qt keeps its tab
                self.tabifyDockWidget(self.docks[BOOK], other)
                other.hide()
                self._unplaced.add(other.spec.id)
        for mate in mates:
            self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, mate)
        self.splitDockWidget(one, dock, way)
        for mate in mates:
            self.tabifyDockWidget(one, mate)
        dock.show()
        self.resizeDocks([one, dock], [half, half], way)
        if mates:
            one.raise_()

    def _find_unplaced(self) -> None:
        self._unplaced = {name for name, dock in self.docks.items() if dock.isHidden() and dock.spec.home != BOOK}

    def _away(self, name: str) -> bool:
        dock = self.docks[name]
        return dock.isHidden() or dock.isFloating()

    # --- layout

    def use_template(self, name: str) -> None:
        """Arrange by a template. Raises ``KeyError`` for a name that is none."""
        tree = TEMPLATES[name]
        self._settled = self._touched = False
        self.template = name
        self.ensure_docks(tree.docks())
        arrange(self, self.docks, tree)
        self._find_unplaced()
        if self.isVisible():
            self.fit_shares()
        self.focus_first()
        self._settled = True

    def fill_screen(self) -> None:
        """Take the whole screen; a window of its own size may follow from a workspace."""
        self.resize(self.screen().availableGeometry().size())
        self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)

    def use_default(self) -> None:
        """Arrange as the window's width asks for."""
        self.use_template(default_template(self.width()))

    def fit_shares(self) -> None:
        """Give the template's shares again, once the real size is known."""
        if self.template:
            resize(self, self.docks, TEMPLATES[self.template], self._dock_area())
            fit_heads(self, self.docks)
            self._shape_tabs()

    @property
    def untouched_template(self) -> str:
        """The template in use, empty once a person has moved anything."""
        return "" if self._touched else self.template

    def layout_state(self) -> bytes:
        """Return the arrangement as Qt keeps it."""
        return bytes(self.saveState(LAYOUT_VERSION).data())

    def restore_layout(self, state: bytes) -> bool:
        """Take an arrangement back; False when it is of another version or damaged."""
        self._settled = False
        restored = self.restoreState(QByteArray(state), LAYOUT_VERSION)
        if restored:
            self.template = ""
            self._find_unplaced()
            fit_heads(self, self.docks)
            self._shape_tabs()
            self.focus_first()
        self._settled = True
        return restored

    def show_dock(self, name: str, *, focus: bool = True) -> DockFrame:
        """Bring a pane to the front and give it the focus, or leave that where it is."""
        dock = self.docks[name]
        if dock.isHidden():
            self._touched = True
        if name in self._unplaced and not self._away(dock.spec.home):
            self.tabifyDockWidget(self.docks[dock.spec.home], dock)
        self._unplaced.discard(name)
        dock.show()
        dock.raise_()
        if focus:
            self._focus_dock(dock)
        return dock

    def float_dock(self, name: str, floating: bool = True) -> None:
        """Make a pane a window of its own, or put it back; it keeps the focus."""
        dock = self.docks[name]
        dock.let_go()
        dock.setFloating(floating)
        dock.show()
        dock.raise_()
        self._focus_dock(dock)

    def move_dock(self, name: str, screen: QScreen) -> None:
        """Let a pane float on a screen, as large as it was, as far as that has room."""
        dock, area = self.docks[name], screen.availableGeometry()
        self.float_dock(name)
        size = dock.size().boundedTo(area.size())
        dock.resize(size)
        dock.move(area.center() - QPoint(size.width() // 2, size.height() // 2))
        self._focus_dock(dock)

    def focused_dock(self) -> str:
        """Return the pane that has the focus, empty for none."""
        focus = QApplication.focusWidget()
        found = (name for name, dock in self.docks.items() if focus is not None and dock.isAncestorOf(focus))
        return next(found, "")

    def _focus_dock(self, dock: DockFrame) -> None:
        dock.activateWindow()
        if dock.pane is not None:
            dock.pane.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_first(self) -> None:
        """Give the focus to a pane unless one has it: Qt gives it to the first control of the window, which is STOP."""
        focus = self.focusWidget()
        if focus is not None and any(dock.isAncestorOf(focus) for dock in self.docks.values()):
            return
        for name in FIRST:
            dock = self.docks[name]
            if dock.pane is not None and dock.isVisible() and not dock.visibleRegion().isEmpty():
                dock.pane.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def _dock_area(self) -> QSize:
        used = self._head.height() + (self.statusBar().height() if self.statusBar().isVisible() else 0)
        return QSize(self.width(), max(200, self.height() - used))

    def _shape_tabs(self) -> None:
        for bar in self.findChildren(QTabBar):
            if bar.parent() is self:
                bar.setDrawBase(False)
                bar.setExpanding(False)
                bar.setDocumentMode(True)
                bar.setElideMode(Qt.TextElideMode.ElideNone)
                bar.setUsesScrollButtons(True)
                if bar.contextMenuPolicy() is not Qt.ContextMenuPolicy.CustomContextMenu:
                    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
                    bar.customContextMenuRequested.connect(lambda at, bar=bar: self._on_tab_menu(bar, at))
                    bar.tabBarClicked.connect(lambda number, bar=bar: self._on_tab(bar, number))

    def _tab_dock(self, bar: QTabBar, number: int) -> str:
        """Return the pane a tab stands for: titles are all different."""
        text = bar.tabText(number)
        return next((name for name, dock in self.docks.items() if dock.windowTitle() == text), "")

    def _on_tab_menu(self, bar: QTabBar, at: QPoint) -> None:
        if name := self._tab_dock(bar, bar.tabAt(at)):
            self.pane_menu_wanted.emit(name, bar.mapToGlobal(at))

    def _on_tab(self, bar: QTabBar, number: int) -> None:
        # Keys belong to the pane one looks at, not to the one that went behind it.
        if name := self._tab_dock(bar, number):
            QTimer.singleShot(0, self, lambda: self._focus_dock(self.docks[name]))

    def _lift_floating(self) -> None:
        """Put panes that float over the window: those restored before it was shown stand behind it."""
        for dock in self.docks.values():
            if dock.isFloating() and not dock.isHidden():
                dock.raise_()

    def _on_taken(self, *_: object) -> None:
        """A pane floats, came back or was closed: the arrangement is the person's own from now on."""
        self._touched = self._touched or self._settled
        self._on_moved()

    def _on_moved(self, *_: object) -> None:
        if self._settled:
            if self.isActiveWindow() and QApplication.focusWidget() is None:
                self.focus_first()
            fit_heads(self, self.docks)
            self._shape_tabs()
            self.rearranged.emit()

    # --- Qt

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate:
            # Window managers that raise the one they give the focus to would leave its panes behind it.
            for dock in self.docks.values():
                if dock.isFloating() and dock.isVisible():
                    dock.raise_()
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            # Between the docks there is no widget, or Qt's own: a separator. A click nobody took comes here as well.
            under = self.childAt(event.position().toPoint())
            self._on_separator = under is None or under.objectName() == _SEPARATOR
        if event.type() == QEvent.Type.MouseButtonRelease and self._settled and self._on_separator:
            # A separator was let go: from now on the shares are the person's own.
            self._touched, self._on_separator = True, False
            self.rearranged.emit()
        return super().event(event)

    def sizeHint(self) -> QSize:
        return DEFAULT_SIZE

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.fit_shares()
        QTimer.singleShot(0, self, self._lift_floating)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self.template or self._touched:
            return
        wanted = default_template(event.size().width())
        if {self.template, wanted} == {"Terminal", "Small screen"}:
            self.use_template(wanted)
        self.fit_shares()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.show_book(self._book, self._account)
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.may_close:
            super().closeEvent(event)
            return
        event.ignore()
        self.close_asked.emit()
