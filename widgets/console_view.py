"""A prompt and what it answers: output above, one line to type below, with the lines typed before under Up and Down."""

import re
import textwrap
from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from widgets.theme import current_theme, tabular_font
from widgets.words import keep_said, tr

LINES = 5_000
LETTERS = 2_000
"""Letters of one line that are shown: a line of millions would stop the window while it is laid out."""
INDENT = "    "
NAMES, WIDE = 60, 96
"""Names that are offered at one time, and the letters of a line of them."""
_WORD = re.compile(r"[\w.]+$")
_NOISE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Clipper:
    """Cuts lines that come in pieces to a length that can be shown."""

    def __init__(self, letters: int = LETTERS) -> None:
        self._letters, self._column = letters, 0

    def clip(self, text: str) -> str:
        """Return the text with long lines cut, escapes and control characters left out."""
        lines = _NOISE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
        kept = []
        for number, line in enumerate(lines):
            if number:
                self._column = 0
            room = self._letters - self._column
            shown = line if len(line) <= room else line[: max(room, 0)] + ("…" if room > 0 else "")
            self._column += len(line)
            kept.append(shown)
        return "\n".join(kept)


class TypedLine(QLineEdit):
    """One line; Up and Down bring back what was typed, Tab completes, Ctrl+C without a selection interrupts."""

    submitted = Signal(str)
    interrupt_wanted = Signal()
    complete_wanted = Signal(str)
    """Tab behind a name: what can become of it?"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._past: list[str] = []
        self._at = 0
        self._draft = ""
        self.returnPressed.connect(self._submit)

    def remember(self, lines: Sequence[str]) -> None:
        """Take what was typed in earlier sessions, oldest first."""
        self._past = [*lines, *self._past]
        self._at = len(self._past)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if control and event.key() == Qt.Key.Key_C and not self.hasSelectedText():
            self.clear()
            self.interrupt_wanted.emit()
        elif event.key() == Qt.Key.Key_Up:
            self._turn(-1)
        elif event.key() == Qt.Key.Key_Down:
            self._turn(1)
        else:
            super().keyPressEvent(event)

    def word(self) -> str:
        """The name before the cursor, with dots, as far as it is typed; empty for none."""
        found = _WORD.search(self.text()[: self.cursorPosition()])
        return found.group() if found and not found.group()[0].isdigit() and found.group()[0] != "." else ""

    def offer(self, word: str, names: Sequence[str]) -> bool:
        """Type on what all names begin with; False where that is no more than is there."""
        first, last = min(names, default=""), max(names, default="")
        same = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
        common = first[:same]
        if word != self.word() or not common.startswith(word) or common == word:
            return False
        self.deselect()
        self.insert(common[len(word) :])
        return True

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Tab:
            if not event.modifiers() and not self.text()[: self.cursorPosition()].strip():
                self.insert(INDENT)
                return True
            if not event.modifiers() and (word := self.word()):
                self.complete_wanted.emit(word)
                return True
        return super().event(event)

    def _submit(self) -> None:
        text = self.text()
        if text.strip() and (not self._past or self._past[-1] != text):
            self._past.append(text)
        self._at, self._draft = len(self._past), ""
        self.clear()
        self.submitted.emit(text)

    def _turn(self, way: int) -> None:
        if self._at == len(self._past):
            self._draft = self.text()
        at = min(max(self._at + way, 0), len(self._past))
        if at != self._at:
            self._at = at
            self.setText(self._past[at] if at < len(self._past) else self._draft)


class ConsoleView(QWidget):
    """Output, input, and two buttons. It runs nothing itself."""

    submitted = Signal(str)
    interrupt_wanted = Signal()
    restart_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("ownsKeys", True)
        self.setProperty("writesText", True)
        theme = current_theme()
        self._clipper = Clipper()
        self._running = False
        self.output = QPlainTextEdit()
        self.output.setReadOnly(True)
        self.output.setUndoRedoEnabled(False)
        self.output.setMaximumBlockCount(LINES)
        self.output.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.line = TypedLine()
        self.state = QLabel()
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setProperty("role", "secondary")
        self.stop, self.restart = QToolButton(), QToolButton()
        row = QHBoxLayout()
        row.setContentsMargins(theme.px(8), theme.px(3), theme.px(8), theme.px(3))
        row.setSpacing(theme.px(6))
        row.addWidget(self.line, 1)
        for part in (self.state, self.stop, self.restart):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.output, 1)
        column.addLayout(row)
        self.setFocusProxy(self.line)
        self.line.submitted.connect(self._on_submitted)
        self.line.interrupt_wanted.connect(self.interrupt_wanted)
        self.stop.clicked.connect(self.interrupt_wanted)
        self.restart.clicked.connect(self.restart_wanted)
        self._dress()
        self.show_running(False, "")
        keep_said(self, self._say)

    def _say(self) -> None:
        self.output.setAccessibleName(tr("What the console says"))
        self.line.setAccessibleName(tr("Python, a line"))
        self.stop.setText(tr("Interrupt"))
        self.stop.setToolTip(tr("End what runs in the console; the engine is not concerned") + "  Ctrl+C")
        self._say_running()

    def _say_running(self) -> None:
        self.restart.setText(tr("Start anew") if self._running else tr("Start"))
        self.line.setPlaceholderText(tr('Python, such as quotes("AAPL") or help()') if self._running else "")

    def append(self, text: str) -> None:
        """Show more output; the end stays in sight while it was."""
        bar = self.output.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 1
        cursor = QTextCursor(self.output.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(self._clipper.clip(text))
        if follows:
            bar.setValue(bar.maximum())

    def offer(self, word: str, names: Sequence[str]) -> None:
        """Complete a word, or show what it can become above the prompt."""
        if self.line.offer(word, names) or len(names) < 2 or word != self.line.word():
            return
        shown = "  ".join(name.rpartition(".")[2] for name in names[:NAMES])
        more = f"\n… {tr('{n} more', n=len(names) - NAMES)}" if len(names) > NAMES else ""
        prompt = self.output.document().lastBlock().text()
        self.append(f"\n{textwrap.fill(shown, WIDE, break_long_words=False)}{more}\n{prompt}")

    def show_running(self, running: bool, told: str) -> None:
        """Say whether anything can be typed; ``told`` is why not."""
        self._running = running
        self.line.setEnabled(running)
        self.stop.setEnabled(running)
        self.state.setText(told)
        self.state.setVisible(bool(told))
        self._say_running()

    def _on_submitted(self, text: str) -> None:
        self.append(f"{text}\n")
        self.output.verticalScrollBar().setValue(self.output.verticalScrollBar().maximum())
        self.submitted.emit(text)

    def _dress(self) -> None:
        font = tabular_font(current_theme().px(12), mono=True)
        self.output.setFont(font)
        self.line.setFont(font)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "line"):
            self._dress()
