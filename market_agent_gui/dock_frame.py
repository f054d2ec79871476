"""A dock: a thin head with the title, a link mark and a close button, and the pane under it."""

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QEnterEvent,
    QFont,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QDockWidget, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from market_agent_gui.docks import DockSpec, title
from market_agent_gui.links import LETTERS, ROLES
from market_agent_gui.mode_frame import BookLine
from market_agent_gui.translate import say
from widgets.pane_head import PaneHead
from widgets.theme import HEAD_PX, current_theme


class HeadMark(QWidget):
    """A letter one can click; painted, because a style sheet for each of thirty buttons costs the first paint."""

    clicked = Signal()

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text, self._role, self._over = text, "t2", False
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._fit()

    def _fit(self) -> None:
        self.setFixedSize(current_theme().px(20), current_theme().px(20))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._fit()

    @property
    def text(self) -> str:
        return self._text

    def say(self, text: str, role: str) -> None:
        """Show a letter in a colour role."""
        self._text, self._role = text, role
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._over = True
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._over = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        if self._over:
            painter.fillRect(self.rect(), theme.color("bg2"))
        painter.setFont(theme.font(12, QFont.Weight.Bold))
        painter.setPen(theme.color(self._role))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()


class DockHead(QWidget):
    """The title bar. Mouse presses on its empty parts reach the dock, which drags."""

    link_clicked = Signal()
    close_clicked = Signal()
    menu_wanted = Signal(QPoint)
    """Where on the screen."""

    def __init__(self, spec: DockSpec, dock: QWidget | None = None) -> None:
        super().__init__(dock)
        self.setObjectName("dockHead")
        self._spec = spec
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.line = BookLine(self)
        self.line.hide()
        self.book = QLabel()
        self.book.setTextFormat(Qt.TextFormat.PlainText)
        self.book.setProperty("role", "title")
        self.book.hide()
        self._floats, self._book_id = False, ""
        self.note = QLabel()
        self.note.setProperty("role", "caption")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.link = HeadMark()
        self.link.clicked.connect(self.link_clicked)
        self.shut = HeadMark("×")
        self.shut.clicked.connect(self.close_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 4, 0)
        row.setSpacing(8)
        row.addWidget(self.book)
        row.addWidget(self.title)
        row.addWidget(self.note, 1)
        marks = QHBoxLayout()
        marks.setSpacing(2)
        marks.addWidget(self.link)
        marks.addWidget(self.shut)
        row.addLayout(marks)
        # Only now: shown before it has a parent, each mark would be a window of its own and take the focus away.
        self.link.setVisible(spec.linked)
        self.shut.setVisible(not spec.pinned)
        self._row = row
        self.retranslate()

    def take(self, bar: QWidget) -> None:
        """Show the pane's own bar beside the title: one line instead of two."""
        self.note.hide()
        self._row.insertWidget(self._row.indexOf(self.title) + 1, bar, 1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()
        self.menu_wanted.emit(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("hair"))
        painter.end()

    def retranslate(self) -> None:
        self.title.setText(title(self._spec))
        if self._spec.package:
            self.note.setText(say("from {package}", package=self._spec.package))
        self.link.setToolTip(say("Link colour: panes of one colour show one symbol"))
        self.link.setAccessibleName(say("Link colour of {pane}", pane=self.title.text()))
        self.shut.setToolTip(say("Close this pane; the View menu brings it back"))
        self.shut.setAccessibleName(say("Close {pane}", pane=self.title.text()))
        self._say_book()

    def show_book(self, book: str) -> None:
        """Say whose money it is; shown while the pane is a window of its own, far from the strip that says it too."""
        self._book_id = book
        self.line.show_book(book)
        self._say_book()

    def set_floating(self, floats: bool) -> None:
        self._floats = floats
        self._say_book()

    def _say_book(self) -> None:
        self.book.setText(say(self._book_id.upper()) if self._book_id else "")
        for part in (self.line, self.book):
            part.setVisible(self._floats and bool(self._book_id))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.line.setGeometry(0, 0, self.width(), self.line.height())

    def show_group(self, group: str) -> None:
        """Show the link mark of a group."""
        self.link.say(LETTERS[group], ROLES[group])

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), current_theme().px(HEAD_PX))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, current_theme().px(HEAD_PX))


def bar_of(pane: QWidget) -> QWidget | None:
    """Return the line of tabs and words over a pane, None where it has none."""
    bar = getattr(pane, "bar", None) or getattr(pane, "head", None)
    return bar if isinstance(bar, QWidget) else None


_MARKS = ("ownsKeys", "chartKeys", "takesLetters")
"""What keys mean in a pane holds in its bar too."""


class _NoHead(QWidget):
    """The title bar of a tabbed dock: its tab is its title."""

    def sizeHint(self) -> QSize:
        return QSize(0, 0)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)


class DockFrame(QDockWidget):
    """Holds one pane; says what loads until the pane is there."""

    closed = Signal()
    """By a person: its cross, a menu, the window's own way to close."""

    def __init__(self, spec: DockSpec, window: QWidget | None = None) -> None:
        """Born inside its window: Qt takes a dock without one for a window of its own and fits it out as such."""
        super().__init__(window)
        self.spec = spec
        self.setObjectName(spec.id)
        features = QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        if not spec.pinned:
            features |= QDockWidget.DockWidgetFeature.DockWidgetClosable
        self.setFeatures(features)
        self.head = DockHead(spec, self)
        self.head.close_clicked.connect(self.close)
        self._no_head = _NoHead()
        self.setTitleBarWidget(self.head)
        self._body = QWidget()
        self._body.setObjectName("dockBody")
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.setWidget(self._body)
        self.pane: QWidget | None = None
        self.topLevelChanged.connect(self._on_floating)
        self.retranslate()

    def fill(self, pane: QWidget) -> None:
        """Put the pane in."""
        self.pane = pane
        self._column.addWidget(pane, 1)
        self._place_bar()

    def _on_floating(self, floating: bool) -> None:
        self.head.set_floating(floating)
        self.fit_head()

    def _place_bar(self) -> None:
        """Put the pane's bar into the head, or back over the pane where the dock is a tab and has no head."""
        bar = bar_of(self.pane) if self.pane is not None else None
        layout = self.pane.layout() if self.pane is not None else None
        if bar is None or not isinstance(layout, QVBoxLayout):
            return
        in_head = self.titleBarWidget() is self.head
        for part in (bar, *bar.findChildren(PaneHead)):
            if isinstance(part, PaneHead):
                part.set_plain(in_head)
        for mark in _MARKS:
            bar.setProperty(mark, self.pane.property(mark) if self.pane is not None else None)
        if in_head:
            self.head.take(bar)
        elif layout.indexOf(bar) < 0:
            layout.insertWidget(0, bar)

    def fit_head(self, tabbed: bool = False) -> None:
        """Hide the head while the dock is a tab."""
        wanted = self._no_head if tabbed and not self.isFloating() else self.head
        if self.titleBarWidget() is not wanted:
            old = self.titleBarWidget()
            self.setTitleBarWidget(wanted)
            if old is not None:
                old.hide()
            wanted.show()
            self._place_bar()

    def setVisible(self, visible: bool) -> None:
        """Let go of the focus first: Qt would hand that of what is hidden to the next control in line, such as STOP."""
        self.let_go(not visible)
        super().setVisible(visible)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()

    def let_go(self, wanted: bool = True) -> bool:
        """Take the focus from what is in this dock; say whether it was there."""
        focus = QApplication.focusWidget()
        if not wanted or focus is None or not self.isAncestorOf(focus):
            return False
        focus.clearFocus()
        return True

    def retranslate(self) -> None:
        self.setWindowTitle(title(self.spec))
        self.setAccessibleName(self.windowTitle())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
