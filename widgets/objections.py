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
    """Boxes, hard ones first; as high as they need, and never higher than their room: a last line names the rest."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._denials: tuple[Denial, ...] = ()
        self._warnings: tuple[Denial, ...] = ()
        self._items: list[tuple[str, str, str]] = []
        self._note = ""
        self._room: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        keep_said(self, self._say)

    def show_items(self, denials: Sequence[Denial], warnings: Sequence[Denial] = (), note: str = "") -> None:
        """Show objections and warnings; ``note`` is a plain line after them."""
        self._denials, self._warnings, self._note = tuple(denials), tuple(warnings), note
        self._say()

    def set_room(self, pixels: int) -> None:
        """Set how high it may become; the first box and the line that names the rest are always shown."""
        if pixels != self._room:
            self._room = pixels
            self._fit()

    def _fit(self) -> None:
        wanted = self.sizeHint().height()
        if wanted != self.height():
            self.setFixedHeight(wanted)
        self.update()

    def _say(self) -> None:
        said = [(denial.code, tr("denies"), told(denial.text), "danger") for denial in self._denials if denial.hard]
        said += [(denial.code, tr("asks"), told(denial.text), "warn") for denial in self._denials if not denial.hard]
        said += [(denial.code, tr("warns"), told(denial.text), "warn") for denial in self._warnings]
        self._items = [(f"{code} {verb}" if code else tr("Blocked"), text, role) for code, verb, text, role in said]
        spoken = [f"{head}: {text}" for head, text, _ in self._items]
        self.setAccessibleName(". ".join([*spoken, self._note]).strip(". "))
        self.setToolTip("\n".join(self.texts) if len(self._items) > 1 else "")
        self._fit()

    @property
    def texts(self) -> list[str]:
        """Return what is shown, one line each."""
        return [f"{head} · {text}" for head, text, _ in self._items] + ([self._note] if self._note else [])

    @property
    def folded(self) -> str:
        """Return the line that names what has no room; empty while everything has."""
        _, hidden = self._shown()
        codes: dict[str, list[str]] = {}
        for head, _, _ in hidden:
            code, _, verb = head.partition(" ")
            if code not in codes.setdefault(verb, []):
                codes[verb].append(code)
        words = " · ".join(f"{' '.join(some)} {verb}".strip() for verb, some in codes.items())
        return tr("also: {codes}", codes=words) if hidden else ""

    def _shown(self) -> tuple[list[tuple[str, list[str], str]], list[tuple[str, list[str], str]]]:
        """Return what is drawn whole, and what only its name stands for."""
        theme, blocks = current_theme(), self._blocks()
        heights = [theme.px(16) * len(lines) + theme.px(12) for _, lines, _ in blocks]
        if self._room is None or sum(heights) <= self._room:
            return blocks, []
        used, count = theme.px(18), 0
        for height in heights:
            if count and used + height > self._room:
                break
            used, count = used + height, count + 1
        return blocks[:count], blocks[count:]

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
        height = sum(theme.px(16) * len(lines) + theme.px(12) for _, lines, _ in self._shown()[0])
        for line in (self.folded, self._note):
            if line:
                height += theme.px(18) * len(wrap(line, self.width()))
        return QSize(theme.px(200), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        y = 0
        for head, lines, role in self._shown()[0]:
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
        for text, role in ((self.folded, "t1"), (self._note, "t2")):
            for line in wrap(text, self.width()) if text else []:
                TEXTS.draw(painter, theme, 0, y + theme.px(9), line, theme.color(role))
                y += theme.px(18)
        painter.end()
