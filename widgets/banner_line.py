"""One line under the strip: what happened, what the program did, what you can do. The worst first; never modal.

It is always there: a line that came and went would move every button below it under the mouse of somebody who is about
to click. While nothing is wrong it says, quietly, what was told last.
"""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QElapsedTimer, QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.api.rows import AlarmRow
from widgets.key_button import KeyButton
from widgets.paint import TEXTS, draw_mark
from widgets.theme import Theme, current_theme
from widgets.words import keep_said, told, tr

_RANKS = {
    "critical": 0,
    "red": 0,
    "danger": 0,
    "error": 0,
    "amber": 1,
    "warning": 1,
    "warn": 1,
    "yellow": 2,
    "info": 2,
    "notice": 2,
}


HEIGHT_PX = 28
HASTE_MS = 300
"""A press so soon after another alarm took the line was meant for the one before it."""


def rank(row: AlarmRow) -> int:
    """Return 0 for red, 1 for amber, 2 for a note; a severity it does not know is red."""
    return _RANKS.get(row.severity.lower(), 0)


class BannerLine(QWidget):
    """Quiet while there is nothing to say. ``apply`` takes rows of the table ``alarms``."""

    acknowledge = Signal(str)
    """Code of the alarm that was read."""
    show_wanted = Signal(str)
    """The person wants to see what it is about."""

    def __init__(self, key: str = "F8", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, AlarmRow] = {}
        self._button = KeyButton("", key, parent=self)
        self._button.key_first = False
        self._button.clicked.connect(self.acknowledge_current)
        self._more = KeyButton("", "", parent=self)
        self._more.clicked.connect(self._on_show)
        for button in (self._button, self._more):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys with the pane they are in
        self._asked: set[str] = set()
        self._note: tuple[str, Callable[[], str]] = ("", str)
        self._shown = ""
        self._taken = QElapsedTimer()
        """Since another alarm took the place of one on the line."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        keep_said(self, self._say)

    def _say(self) -> None:
        self._button.say(tr("Acknowledge"))
        self._refresh()

    def set_key(self, key: str) -> None:
        """Name the key that acknowledges."""
        if key != self._button.key:
            self._button.say(self._button.text(), key=key)
            self._refresh()

    def apply(self, rows: Iterable[AlarmRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed rows."""
        if reset:
            self._rows = {}
        for key in removed:
            self._rows.pop(key, None)
        for row in rows:
            self._rows[row.key] = row
            if not row.acknowledged:
                self._asked.discard(row.key)
        self._refresh()

    def note(self, when: str, words: Callable[[], str]) -> None:
        """Take what was told last and its time of day; ``words`` says it in the language of the moment."""
        self._note = (when, words)
        self._refresh()

    def shown(self) -> list[AlarmRow]:
        """Return what is not yet acknowledged, most severe and newest first."""
        open_ = [row for row in self._rows.values() if not row.acknowledged]
        return sorted(open_, key=lambda row: (rank(row), -row.since_ns, row.key))

    def standing(self) -> list[AlarmRow]:
        """Return what has been acknowledged and is not over, most severe and newest first."""
        read = [row for row in self._rows.values() if row.acknowledged]
        return sorted(read, key=lambda row: (rank(row), -row.since_ns, row.key))

    @property
    def current(self) -> AlarmRow | None:
        """The alarm on the line."""
        return next(iter(self.shown()), None)

    def acknowledge_current(self) -> None:
        """Say that the alarm on the line has been read; it stays until the engine takes it away."""
        row = self.current
        if self._taken.isValid() and self._taken.elapsed() < HASTE_MS:
            return
        if row is not None and row.key not in self._asked:
            self._asked.add(row.key)
            self.acknowledge.emit(row.key)
            self._refresh()

    def _on_show(self) -> None:
        row = self.current
        if row is not None:
            self.show_wanted.emit(row.key)

    def _refresh(self) -> None:
        rows = self.shown()
        theme = current_theme()
        self.setFixedHeight(theme.px(HEIGHT_PX))
        for button in (self._button, self._more):
            gone = not rows or rows[0].key in self._asked
            if gone and self.window().focusWidget() is button:
                button.clearFocus()  # Qt would hand it to the next control in line, such as STOP
            button.setVisible(bool(rows))
        now = rows[0].key if rows else ""
        if now != self._shown:
            if now and self._shown:
                self._taken.start()
            else:
                self._taken.invalidate()
            self._shown = now
        if rows:
            row = rows[0]
            waiting = row.key in self._asked
            self._button.say(tr("Acknowledging…") if waiting else tr("Acknowledge"), enabled=not waiting)
            more = tr("{n} more", n=len(rows) - 1) if len(rows) > 1 else tr("Show")
            self._more.say(more)
            parts = [told(part) for part in (row.happened, row.did, row.you_can) if part]
            self.setToolTip("\n".join(parts))
            self.setAccessibleName(". ".join(parts))
            self._arrange()
        else:
            still = [told(row.happened) for row in self.standing()]
            when, said = self._note[0], self._note[1]()
            self.setToolTip("\n".join(part for part in (said, *still) if part))
            spoken = [tr("No alarms"), f"{when} {said}".strip(), *(f"{tr('Not over')}: {text}" for text in still)]
            self.setAccessibleName(". ".join(part for part in spoken if part))
        self.update()

    def _arrange(self) -> None:
        theme = current_theme()
        right = self.width() - theme.px(12)
        for button in (self._button, self._more):
            hint = button.sizeHint()
            right -= hint.width()
            button.setGeometry(right, (self.height() - hint.height()) // 2, hint.width(), hint.height())
            right -= theme.px(8)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.LanguageChange) and hasattr(self, "_asked"):
            self._refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        row = self.current
        if row is None:
            self._paint_quiet(painter, theme)
            painter.end()
            return
        role = ("danger", "warn", "t2")[rank(row)]
        painter.fillRect(self.rect(), theme.blend(role, 0.18))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color(role))
        middle, x = self.height() / 2, float(theme.px(16))
        x += draw_mark(painter, theme, x, middle, ("bad", "warn", "off")[rank(row)]) + theme.px(10)
        limit = self._more.x() - theme.px(12)
        times = f" ×{row.count}" if row.count > 1 else ""
        parts = [(told(row.happened) + times, 600), (told(row.did), 400), (told(row.you_can), 600)]
        for number, (text, weight) in enumerate((text, weight) for text, weight in parts if text):
            if number:
                x += TEXTS.draw(painter, theme, x, middle, " · ", theme.color("t3"), pixels=13)
            shown = TEXTS.elided(theme, text, limit - x, 13, weight)
            x += TEXTS.draw(painter, theme, x, middle, shown, theme.color("t1"), pixels=13, weight=weight)
            if shown != text:
                break
        painter.end()

    def _paint_quiet(self, painter: QPainter, theme: Theme) -> None:
        """Paint what was told last, and on the right what is acknowledged and still so."""
        painter.fillRect(self.rect(), theme.color("bg0"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("hair"))
        middle, x, right = (self.height() - 1) / 2, float(theme.px(16)), float(self.width() - theme.px(12))
        still = self.standing()
        if still:
            more = f"  +{len(still) - 1}" if len(still) > 1 else ""
            text = f"{tr('Not over')}: {told(still[0].happened)}{more}"
            text = TEXTS.elided(theme, text, self.width() / 2, 12)
            right -= TEXTS.draw(painter, theme, right, middle, text, theme.color("t2"), align="right") + theme.px(16)
            draw_mark(painter, theme, right, middle, ("bad", "warn", "off")[rank(still[0])])
            right -= theme.px(16)
        when, words = self._note
        if when:
            x += TEXTS.draw(painter, theme, x, middle, when, theme.color("t3")) + theme.px(8)
        said = TEXTS.elided(theme, words() or tr("No alarms"), max(0.0, right - x), 12)
        TEXTS.draw(painter, theme, x, middle, said, theme.color("t2" if when else "t3"))
