"""Short notes at the bottom right: a fill, an order that went. They go by themselves and never take the focus."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from widgets.objections import wrap
from widgets.paint import TEXTS, draw_mark
from widgets.theme import current_theme
from widgets.words import keep_said

SHOW_MS = 6000
BAD_MS = 15_000
MOST = 4
LATE_MS = 250
_ROLES = {"info": "focus", "good": "up", "warn": "warn", "bad": "danger"}
_MARKS = {"good": "ok", "warn": "warn", "bad": "bad"}


class Toast(QWidget):
    """One note; a click closes it."""

    closed = Signal(object)

    def __init__(self, parent: QWidget, title: str, text: str, kind: str) -> None:
        super().__init__(parent)
        self.title, self.text, self.kind = title, "", kind
        self.words: Callable[[], tuple[str, str]] | None = None
        """Title and text in the language of the moment."""
        self.count = 0
        self._gone = QTimer(self)
        self._gone.setSingleShot(True)
        self._gone.setInterval(BAD_MS if kind in ("bad", "warn") else SHOW_MS)
        self._gone.timeout.connect(self.close)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.say(text)

    def say(self, text: str) -> None:
        """Say the newest of several notes under one title, and how many there were; it stays for its time again."""
        self.text = text
        self.count += 1
        self._fit()
        self._gone.start()

    def say_again(self) -> None:
        """Say it in another language; its time runs on."""
        if self.words is not None:
            self.title, self.text = self.words()
            self._fit()

    def _fit(self) -> None:
        self.setAccessibleName(f"{self.shown_title}. {self.text}".strip(". "))
        self.resize(self.sizeHint())
        self.update()

    @property
    def shown_title(self) -> str:
        return self.title if self.count < 2 else f"{self.title} ×{self.count}"

    def sizeHint(self) -> QSize:
        theme = current_theme()
        width = theme.px(320)
        lines = wrap(self.text, width - theme.px(36)) if self.text else []
        return QSize(width, theme.px(16 + 18 + 16 * len(lines)))

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg2"))
        role = _ROLES.get(self.kind, "focus")
        painter.fillRect(0, 0, theme.px(3), self.height(), theme.color(role))
        painter.setPen(theme.color("hair"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        x, y = float(theme.px(14)), theme.px(17)
        if self.kind in _MARKS:
            x += draw_mark(painter, theme, x, y, _MARKS[self.kind]) + theme.px(6)
        room = self.width() - x - theme.px(10)
        title = TEXTS.elided(theme, self.shown_title, room, 12, 600)
        TEXTS.draw(painter, theme, x, y, title, theme.color("t1"), weight=600)
        for line in wrap(self.text, self.width() - theme.px(36)) if self.text else []:
            y += theme.px(16)
            TEXTS.draw(painter, theme, theme.px(14), y, line, theme.color("t2"))
        painter.end()


def free_place(size: QSize, room: QRect, taken: Iterable[QRect], gap: int) -> QPoint:
    """Return where the bottom right corner of a stack goes: as low, then as far right in ``room``, as it covers nothing
    of ``taken``; where it must, it covers as little as may be."""
    blocks = [rect for rect in taken if rect.intersects(room)]
    rights = {room.right() + 1, *(rect.left() - gap for rect in blocks)}
    bottoms = {room.bottom() + 1, *(rect.top() - gap for rect in blocks)}
    best, least = QPoint(room.right() + 1, room.bottom() + 1), -1
    for bottom in sorted(bottoms, reverse=True):
        for right in sorted(rights, reverse=True):
            stack = QRect(QPoint(right - size.width(), bottom - size.height()), size)
            if not room.contains(stack):
                continue
            cut = [rect.intersected(stack) for rect in blocks]
            covered = sum(part.width() * part.height() for part in cut if not part.isEmpty())
            if least < 0 or covered < least:
                best, least = QPoint(right, bottom), covered
            if not covered:
                return best
    return best


class Toaster(QObject):
    """Stacks toasts, the newest at the bottom, as near to a window's bottom right corner as they cover nothing that
    acts: they come and go by themselves, and a click must not meet one where a button was, nor the other way round."""

    def __init__(
        self,
        window: QWidget,
        bottom_margin: int = 32,
        keep_free: Callable[[], Iterable[QRect]] = tuple,
        top_margin: Callable[[], int] = int,
    ) -> None:
        """``keep_free`` tells rectangles of the window that no toast may cover, ``top_margin`` the height on top."""
        super().__init__(window)
        self._window, self._margin, self._keep_free, self._top = window, bottom_margin, keep_free, top_margin
        self._toasts: list[Toast] = []
        self._late = QTimer(self)
        """After a resize: the panes take their places, and what must stay free its own, a moment later."""
        self._late.setSingleShot(True)
        self._late.setInterval(LATE_MS)
        self._late.timeout.connect(self._place)
        window.installEventFilter(self)
        keep_said(self, self._say_again)

    @property
    def toasts(self) -> list[Toast]:
        """What is on screen, oldest first."""
        return list(self._toasts)

    def take_back(self, text: str) -> None:
        """Close the note that says ``text``: it is true no longer."""
        for toast in [toast for toast in self._toasts if toast.text == text]:
            toast.close()

    def show_toast(
        self, title: str, text: str = "", kind: str = "info", words: Callable[[], tuple[str, str]] | None = None
    ) -> Toast:
        """Show a note; ``kind`` is info, good, warn or bad. Plain text, whatever it holds. ``words`` says title and
        text once more when the language changes."""
        same = next((toast for toast in self._toasts if (toast.title, toast.kind) == (title, kind)), None)
        if same is not None and text:
            # An order filled in ten parts is one note, not a wall of them.
            same.words = words
            same.say(text)
            self._toasts.remove(same)
            self._toasts.append(same)
            self._place()
            return same
        toast = Toast(self._window, title, text, kind)
        toast.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        toast.words = words
        toast.closed.connect(self._forget)
        self._toasts.append(toast)
        for old in self._toasts[:-MOST]:
            old.close()
        self._toasts = self._toasts[-MOST:]
        toast.show()
        self._place()
        return toast

    def clear(self) -> None:
        """Take every note away."""
        for toast in self.toasts:
            toast.close()

    def _say_again(self) -> None:
        for toast in self._toasts:
            toast.say_again()
        self._place()

    def _forget(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            self._place()

    def _place(self) -> None:
        theme = current_theme()
        if not self._toasts:
            return
        gap, side, top = theme.px(8), theme.px(12), self._top()
        room = QRect(side, top, self._window.width() - 2 * side, self._window.height() - theme.px(self._margin) - top)
        width = max(toast.width() for toast in self._toasts)
        height = sum(toast.height() + gap for toast in self._toasts) - gap
        corner = free_place(QSize(width, height), room, self._keep_free(), gap)
        bottom = corner.y()
        for toast in reversed(self._toasts):
            toast.move(corner.x() - toast.width(), bottom - toast.height())
            toast.raise_()
            bottom -= toast.height() + gap

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._place()
            self._late.start()
        return False
