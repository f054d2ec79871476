"""What the gate says against an order: code, sentence; red where no confirmation helps, amber where one does."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.model.decision import Denial
from widgets.paint import TEXTS
from widgets.theme import current_theme
from widgets.words import keep_said, told, tr


def wrap(text: str, width: float, first_indent: float = 0.0) -> list[str]:
    """Break text into lines; ``first_indent`` is taken from the first one."""
    theme = current_theme()
    lines: list[str] = []
    line, room = "", width - first_indent
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and TEXTS.width(theme, longer) > room:
            lines.append(line)
            line, room = word, width
        else:
            line = longer
    return [*lines, line]


class Objections(QWidget):
    """Boxes, hard ones first; as high as they need."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._denials: tuple[Denial, ...] = ()
        self._warnings: tuple[Denial, ...] = ()
        self._items: list[tuple[str, str, str]] = []
        self._note = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        keep_said(self, self._say)

    def show_items(self, denials: Sequence[Denial], warnings: Sequence[Denial] = (), note: str = "") -> None:
        """Show objections and warnings; ``note`` is a plain line after them."""
        self._denials, self._warnings, self._note = tuple(denials), tuple(warnings), note
        self._say()

    def _say(self) -> None:
        said = [(denial.code, tr("denies"), told(denial.text), "danger") for denial in self._denials if denial.hard]
        said += [(denial.code, tr("asks"), told(denial.text), "warn") for denial in self._denials if not denial.hard]
        said += [(denial.code, tr("warns"), told(denial.text), "warn") for denial in self._warnings]
        self._items = [(f"{code} {verb}" if code else tr("Blocked"), text, role) for code, verb, text, role in said]
        spoken = [f"{head}: {text}" for head, text, _ in self._items]
        self.setAccessibleName(". ".join([*spoken, self._note]).strip(". "))
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    @property
    def texts(self) -> list[str]:
        """Return what is shown, one line each."""
        return [f"{head} · {text}" for head, text, _ in self._items] + ([self._note] if self._note else [])

    def _blocks(self) -> list[tuple[str, list[str], str]]:
        theme = current_theme()
        width = self.width() - theme.px(19)
        made = []
        for head, text, role in self._items:
            indent = TEXTS.width(theme, f"{head} · ", 12, 600)
            made.append((head, wrap(text, width, indent), role))
        return made

    def sizeHint(self) -> QSize:
        theme = current_theme()
        height = sum(theme.px(16) * len(lines) + theme.px(12) for _, lines, _ in self._blocks())
        if self._note:
            height += theme.px(18) * len(wrap(self._note, self.width()))
        return QSize(theme.px(200), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wanted = self.sizeHint().height()
        if wanted != self.height():
            self.setFixedHeight(wanted)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setFixedHeight(self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        y = 0
        for head, lines, role in self._blocks():
            box = QRect(0, y, self.width(), theme.px(16) * len(lines) + theme.px(8))
            painter.fillRect(box, theme.blend(role, 0.11))
            painter.fillRect(0, y, theme.px(3), box.height(), theme.color(role))
            middle = y + theme.px(12)
            x = float(theme.px(11))
            x += TEXTS.draw(painter, theme, x, middle, head, theme.color(role), weight=600)
            TEXTS.draw(painter, theme, x, middle, f" · {lines[0]}", theme.color("t1"))
            for line in lines[1:]:
                middle += theme.px(16)
                TEXTS.draw(painter, theme, theme.px(11), middle, line, theme.color("t1"))
            y += box.height() + theme.px(4)
        if self._note:
            for line in wrap(self._note, self.width()):
                TEXTS.draw(painter, theme, 0, y + theme.px(9), line, theme.color("t2"))
                y += theme.px(18)
        painter.end()
