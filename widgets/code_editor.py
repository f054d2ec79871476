"""An editor for short texts of rules: line numbers, the current line, colours, and faults at their lines."""

import re
from collections.abc import Mapping

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip, QWidget

from widgets.theme import current_theme, tabular_font

_PAD = 6
_MARK = 6
STEP = "  "
"""What Tab writes: YAML knows no tabs."""


class Colours(QSyntaxHighlighter):
    """Keys, strings, numbers and remarks of YAML, a line at a time."""

    RULES = (
        (re.compile(r"^\s*(?:- )?(?:\{\s*)?([A-Za-z_]\w*)\s*:"), 1, "focus"),
        (re.compile(r"[,{]\s*([A-Za-z_]\w*)\s*:"), 1, "focus"),
        (re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])"), 0, "replay"),
        (re.compile(r"\b(?:and|or|not|true|false)\b"), 0, "warn"),
        (re.compile(r"(?:^|\s)#.*$"), 0, "t3"),
    )

    PROSE = re.compile(r"^\s+(?![-{#\s])(?![A-Za-z_]\w*\s*:)")
    """Lines that go on from the one before: words for people."""

    def highlightBlock(self, text: str) -> None:
        theme = current_theme()
        rules = self.RULES[-1:] if self.PROSE.match(text) else self.RULES
        for pattern, group, role in rules:
            look = QTextCharFormat()
            look.setForeground(theme.color(role))
            if role == "focus":
                look.setFontWeight(QFont.Weight.DemiBold)
            for found in pattern.finditer(text):
                self.setFormat(found.start(group), found.end(group) - found.start(group), look)


class CodeEditor(QPlainTextEdit):
    """Plain text with a margin of line numbers. ``set_faults`` marks lines; their words are shown under the pointer."""

    save_wanted = Signal()
    """Ctrl+S, while the editor has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("writesText", True)
        self._faults: dict[int, str] = {}
        self._margin = _Margin(self)
        self._colours = Colours(QTextDocument(self))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.blockCountChanged.connect(self._fit)
        self.updateRequest.connect(self._on_update)
        self.cursorPositionChanged.connect(self._mark_lines)
        self._colours.setDocument(self.document())
        self._dress()

    @property
    def faults(self) -> Mapping[int, str]:
        """Line, from 1, to what is wrong there."""
        return self._faults

    def set_faults(self, faults: Mapping[int, str]) -> None:
        """Mark lines, counted from 1, with what is wrong there."""
        self._faults = dict(faults)
        self._mark_lines()
        self._margin.update()

    def replace_text(self, text: str) -> None:
        """Show another text; the steps back to the one before are forgotten."""
        self._faults = {}
        self.setPlainText(text)
        self._mark_lines()

    def go_to(self, line: int) -> None:
        """Put the cursor at the beginning of a line and show it."""
        block = self.document().findBlockByNumber(max(line, 1) - 1)
        if block.isValid():
            self.setTextCursor(QTextCursor(block))
            self.centerCursor()

    def margin_width(self) -> int:
        """Pixels of the margin: as many figures as the last line needs, and the mark."""
        theme = current_theme()
        figures = max(2, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("0") * figures + theme.px(_MARK) + 2 * theme.px(_PAD)

    def paint_margin(self, event: QPaintEvent) -> None:
        """Paint the numbers of the lines in sight."""
        theme = current_theme()
        painter = QPainter(self._margin)
        painter.fillRect(event.rect(), theme.color("bg0"))
        painter.setFont(self.font())
        here = self.textCursor().blockNumber()
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= event.rect().bottom():
            height = self.blockBoundingRect(block).height()
            number = block.blockNumber() + 1
            if block.isVisible():
                wrong = number in self._faults
                if wrong:
                    mark = QRect(0, round(top), theme.px(3), round(height))
                    painter.fillRect(mark, theme.color("danger"))
                role = "danger" if wrong else "t1" if block.blockNumber() == here else "t3"
                painter.setPen(theme.color(role))
                room = QRect(0, round(top), self._margin.width() - theme.px(_PAD), round(height))
                painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number))
            top += height
            block = block.next()
        painter.end()

    # --- Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if control and event.key() == Qt.Key.Key_S:
            if not event.isAutoRepeat():
                self.save_wanted.emit()
        elif event.key() == Qt.Key.Key_Tab and not self.textCursor().hasSelection():
            self.insertPlainText(STEP)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            line = self.textCursor().block().text()
            self.insertPlainText("\n" + line[: len(line) - len(line.lstrip(" "))])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self.viewport().mapFrom(self, event.pos())
            text = self._faults.get(self.cursorForPosition(place).blockNumber() + 1, "")
            if text:
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_colours"):
            self._dress()

    # --- small

    def _dress(self) -> None:
        self.setFont(tabular_font(current_theme().px(12), mono=True))
        self.setTabStopDistance(self.fontMetrics().horizontalAdvance(STEP))
        self._colours.rehighlight()
        self._fit()
        self._mark_lines()

    def _fit(self, *_: object) -> None:
        width = self.margin_width()
        self.setViewportMargins(width, 0, 0, 0)
        room = self.contentsRect()
        self._margin.setGeometry(QRect(room.left(), room.top(), width, room.height()))

    def _on_update(self, room: QRect, moved: int) -> None:
        if moved:
            self._margin.scroll(0, moved)
        else:
            self._margin.update(0, room.y(), self._margin.width(), room.height())

    def _mark_lines(self) -> None:
        theme = current_theme()
        marks = []
        if not self.isReadOnly():
            here = QTextEdit.ExtraSelection()
            here.format.setBackground(theme.color("bg2"))  # type: ignore[attr-defined]
            here.format.setProperty(QTextFormat.Property.FullWidthSelection, True)  # type: ignore[attr-defined]
            cursor = self.textCursor()
            cursor.clearSelection()
            here.cursor = cursor  # type: ignore[attr-defined]
            marks.append(here)
        for line in self._faults:
            block = self.document().findBlockByNumber(max(line, 1) - 1)
            if not block.isValid():
                continue
            wrong = QTextEdit.ExtraSelection()
            wrong.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)  # type: ignore[attr-defined]
            wrong.format.setUnderlineColor(theme.color("danger"))  # type: ignore[attr-defined]
            cursor = QTextCursor(block)
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            wrong.cursor = cursor  # type: ignore[attr-defined]
            marks.append(wrong)
        self.setExtraSelections(marks)
        self._margin.update()


class _Margin(QWidget):
    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.margin_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._editor.paint_margin(event)
