"""What the window shows where the panes would be while there is no engine: what happened, and the one next step."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from market_agent_gui.engine_host import HostState, Phase
from market_agent_gui.translate import say
from widgets.words import keep_said, told

TITLES = {
    Phase.BAD_SETTINGS: "The settings cannot be used",
    Phase.DOWN: "The engine stays down",
    Phase.STOPPED: "The engine has stopped",
    Phase.ABSENT: "No engine is running",
}
ADVICE = {
    Phase.BAD_SETTINGS: "Nothing was started and nothing was sent. Mend the line that is named, then try again.",
    Phase.DOWN: "Protective stops at the broker remain. Look at the last lines below before you start it again.",
    Phase.STOPPED: "Protective stops at the broker remain. Orders that waited in the engine do not run.",
    Phase.ABSENT: "Start it here, or with the command line.",
}


class EnginePage(QWidget):
    """A page, never a dialog: STOP and the strip above stay free."""

    retry_wanted = Signal()
    settings_wanted = Signal()

    def __init__(self, parent: QWidget, settings_file: str) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Window)
        self._settings_file = settings_file
        self._top = 0
        self._state: HostState | None = None
        self.heading = QLabel()
        self.heading.setProperty("role", "headline")
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setProperty("tone", "danger")
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.advice = QLabel()
        self.advice.setWordWrap(True)
        self.advice.setProperty("role", "secondary")
        self.lines = QPlainTextEdit()
        self.lines.setReadOnly(True)
        self.lines.setMaximumHeight(260)
        self.retry = QPushButton()
        self.retry.setProperty("role", "primary")
        self.retry.clicked.connect(self.retry_wanted)
        self.open = QPushButton()
        self.open.clicked.connect(self.settings_wanted)
        buttons = QHBoxLayout()
        buttons.addWidget(self.retry)
        buttons.addWidget(self.open)
        buttons.addStretch(1)
        inner = QVBoxLayout()
        inner.setSpacing(12)
        for widget in (self.heading, self.text, self.advice, self.lines):
            inner.addWidget(widget)
        inner.addLayout(buttons)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        holder = QWidget()
        holder.setLayout(inner)
        holder.setMinimumWidth(560)
        holder.setMaximumWidth(860)
        outer.addWidget(holder, 4, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)
        parent.installEventFilter(self)
        keep_said(self, self._say)
        self.hide()

    def show_state(self, state: HostState, top: int) -> None:
        """Show what is the matter, below ``top`` pixels; hide when nothing is."""
        self._top = top
        if state.phase not in TITLES:
            self.hide()
            return
        self._state = state
        self._say()
        self._fit()
        self.show()
        self.raise_()
        self.retry.setFocus()

    def _say(self) -> None:
        state = self._state
        if state is None:
            return
        self.heading.setText(say(TITLES[state.phase]))
        self.text.setText(told(state.text))
        self.text.setVisible(bool(state.text))
        self.advice.setText(say(ADVICE[state.phase]))
        self.lines.setPlainText("\n".join(state.last_lines))
        self.lines.setVisible(bool(state.last_lines))
        self.lines.setAccessibleName(say("Last lines of the engine"))
        bad = state.phase is Phase.BAD_SETTINGS
        self.retry.setText(say("Try again") if bad else say("Start the engine"))
        self.open.setText(say("Open {file}", file=self._settings_file))

    def _fit(self) -> None:
        parent = self.parentWidget()
        self.setGeometry(0, self._top, parent.width(), parent.height() - self._top)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._fit()
        return False
