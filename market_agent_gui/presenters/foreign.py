"""The frame of a foreign pane: says whose it is, loads it when it is opened, and says what went wrong in it."""

import logging

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from engine.api.wire import Follow
from market_agent_gui.foreign.find import Found, PaneError, load_spec
from market_agent_gui.foreign.host import ForeignHost
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services
from market_agent_gui.translate import say
from widgets.theme import current_theme

log = logging.getLogger(__name__)


class ForeignFrame(QWidget):
    """A line that names the package, and the pane under it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("ownsKeys", True)
        theme = current_theme()
        self.whose, self.problem = QLabel(), QLabel()
        self.whose.setProperty("role", "caption")
        self.problem.setProperty("tone", "danger")
        self.again = QToolButton()
        for label in (self.whose, self.problem):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setMinimumWidth(40)
        self.problem.setWordWrap(True)
        line = QHBoxLayout()
        line.setContentsMargins(theme.px(12), theme.px(2), theme.px(12), theme.px(2))
        line.setSpacing(theme.px(12))
        line.addWidget(self.whose)
        line.addWidget(self.problem, 1)
        line.addWidget(self.again)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(line)
        self._filler = QWidget()
        self._column.addWidget(self._filler, 1)
        self.show_problem("")

    def put(self, widget: QWidget | None) -> None:
        """Show the pane, or nothing."""
        old = self._filler
        self._filler = QWidget() if widget is None else widget
        self._column.replaceWidget(old, self._filler)
        self._column.setStretchFactor(self._filler, 1)
        old.hide()
        old.deleteLater()
        self.setFocusProxy(widget)

    def show_problem(self, text: str, *, again: bool = False) -> None:
        """Say what went wrong, empty when nothing did."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.again.setVisible(again)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), current_theme().color("bg1"))
        painter.end()


class ForeignPresenter(PanePresenter):
    """One foreign pane."""

    def __init__(self, services: Services, found: Found) -> None:
        self.dock = found.dock.id
        self._found = found
        self._host: ForeignHost | None = None
        self._hosts: list[ForeignHost] = []
        """Those of attempts that failed too: what they have sent is ended with the window."""
        self._tried = False
        self._error = ""
        super().__init__(services)

    def make(self) -> QWidget:
        self._frame = frame = ForeignFrame()
        frame.again.clicked.connect(self._load)
        self.retranslate()
        return frame

    def retranslate(self) -> None:
        if self.pane is None and not hasattr(self, "_frame"):
            return
        package = self._found.dock.package
        self._frame.whose.setText(say("From the package {package}; not part of Market Agent", package=package))
        self._frame.again.setText(say("Try again"))
        self._show_problem()

    def wish(self) -> Follow:
        return Follow(quotes=True)

    def set_visible(self, visible: bool) -> None:
        super().set_visible(visible)
        if visible and self.pane is not None and not self._tried:
            self._load()

    async def close(self) -> None:
        for host in self._hosts:
            await host.close()

    def _load(self) -> None:
        self._tried = True
        self._error = ""
        name = self._found.point.name
        host = ForeignHost(self.services, self.dock, name, self._frame, self._on_failed)
        self._hosts.append(host)
        try:
            spec = load_spec(self._found.point)
            widget = spec.factory(host)
            if not isinstance(widget, QWidget):
                raise PaneError(f"its factory made {type(widget).__name__}, not a widget")
            if widget.isWindow() and widget.isVisible():
                widget.hide()
        except Exception as error:
            log.warning("the pane %s of %s cannot be shown", name, self._found.dock.package, exc_info=error)
            host.let_go()
            self._error = f"{type(error).__name__}: {error}"
            self._frame.put(None)
        else:
            self._host = host
            self._frame.put(widget)
        self._show_problem()

    def _on_failed(self, error: BaseException) -> None:
        log.warning("the pane %s made a mistake", self._found.point.name, exc_info=error)
        self._error = f"{type(error).__name__}: {error}"
        self._show_problem()

    def _show_problem(self) -> None:
        text = say("This pane made a mistake: {error}", error=self._error) if self._error else ""
        self._frame.show_problem(text, again=bool(self._error) and self._host is None)
