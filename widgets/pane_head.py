"""The thin line over a pane: choices on the left, a note on the right."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from widgets.paint import TEXTS, draw_keycap, keycap_width
from widgets.theme import Theme, current_theme


class PaneHead(QWidget):
    """Tabs with counts, and words. Left and Right move between tabs."""

    tab_changed = Signal(str)

    def __init__(self, tabs: Sequence[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        """``tabs`` are (id, title) pairs; the first is current."""
        super().__init__(parent)
        self._tabs = list(tabs)
        self._counts: dict[str, str] = {}
        self._current = tabs[0][0] if tabs else ""
        self._places: list[tuple[QRect, str]] = []
        self._words: list[tuple[str, str, int]] = []
        self._notes: list[tuple[str, str]] = []
        self._plain = False
        self._lead = ""
        self._folded = False
        self.setFixedHeight(current_theme().px(24))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if tabs:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._speak()

    def set_tabs(self, tabs: Sequence[tuple[str, str]]) -> None:
        """Give the same tabs other titles: another language."""
        self._tabs = list(tabs)
        self._speak()
        self.update()

    def set_plain(self, plain: bool) -> None:
        """Leave ground and line to what it stands on, beside a title."""
        if plain != self._plain:
            self._plain = plain
            self.update()

    @property
    def current(self) -> str:
        return self._current

    def set_current(self, tab: str) -> None:
        """Choose a tab; says so when it changed."""
        if tab != self._current and any(tab == name for name, _ in self._tabs):
            self._current = tab
            self._speak()
            self.update()
            self.tab_changed.emit(tab)

    def set_count(self, tab: str, count: int | str) -> None:
        if self._counts.get(tab) != str(count):
            self._counts[tab] = str(count)
            self._speak()
            self.update()

    def set_lead(self, text: str) -> None:
        """Set what stands before the tabs and is never cut: whose they are."""
        if text != self._lead:
            self._lead = text
            self._speak()
            self.update()

    def set_words(self, words: Sequence[tuple[str, str, int]]) -> None:
        """Set the (text, role, weight) words right of the tabs."""
        if list(words) != self._words:
            self._words = list(words)
            self._speak()
            self.update()

    def set_notes(self, notes: Sequence[tuple[str, str]]) -> None:
        """Set (text, key) notes at the right edge; they give way when it is narrow."""
        if list(notes) != self._notes:
            self._notes = list(notes)
            self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setFixedHeight(current_theme().px(24))

    def _speak(self) -> None:
        tabs = [f"{title} {self._counts.get(name, '')}".strip() for name, title in self._tabs]
        lead = [self._lead] if self._lead else []
        self.setAccessibleName(", ".join([*lead, *tabs, *(text for text, _, _ in self._words)]))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        if not self._plain:
            painter.fillRect(self.rect(), theme.color("bg1"))
            painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("hair"))
        middle, x = (self.height() - 1) / 2, float(theme.px(4 if self._plain else 12))
        if self._lead:
            x += TEXTS.draw(painter, theme, x, middle, self._lead, theme.color("t1"), weight=600) + theme.px(14)
        x = self._paint_tabs(painter, theme, x, middle)
        for text, role, weight in self._words:
            room = self.width() - x - theme.px(12)
            # A figure of which a part is cut says something else: words with figures are whole or not there.
            figures = any(character.isdigit() for character in text) and (text, role, weight) != self._words[0]
            least = theme.px(20 if (text, role, weight) == self._words[0] and not self._lead else 64)
            if TEXTS.width(theme, text, 12, weight) <= room or (room > least and not figures):
                shown = TEXTS.elided(theme, text, room, 12, weight)
                x += TEXTS.draw(painter, theme, x, middle, shown, theme.color(role), weight=weight) + theme.px(8)
        right = float(self.width() - theme.px(12))
        for text, key in reversed(self._notes):
            width = TEXTS.width(theme, text, 11) + (keycap_width(TEXTS, theme, key) + theme.px(4) if key else 0)
            if right - width < x + theme.px(8):
                break
            if key:
                cap = keycap_width(TEXTS, theme, key)
                draw_keycap(painter, TEXTS, theme, right - cap, middle, key, theme.color("t3"))
                right -= cap + theme.px(4)
            TEXTS.draw(painter, theme, right, middle, text, theme.color("t3"), pixels=11, align="right")
            right -= TEXTS.width(theme, text, 11) + theme.px(8)
        painter.end()

    def _paint_tabs(self, painter: QPainter, theme: Theme, x: float, middle: float) -> float:
        """Paint the tabs from ``x`` on, or the current one alone with a mark where they do not fit; return the end."""
        gap = theme.px(16)
        self._places = []
        wide = sum(self._tab_width(theme, name, title) + gap for name, title in self._tabs) - gap
        self._folded = len(self._tabs) > 1 and bool(self._lead) and x + wide > self.width()
        for name, title in self._tabs:
            on = name == self._current
            if self._folded and not on:
                continue
            start, ink = x, theme.color("t1" if on else "t2")
            words = f"{title} ▾" if self._folded else title
            x += TEXTS.draw(painter, theme, x, middle, words, ink, weight=600 if on else 400)
            count = self._counts.get(name, "")
            if count:
                x += theme.px(4)
                x += TEXTS.draw(painter, theme, x, middle, count, theme.color("t3"))
            if on:
                role = "focus" if self.hasFocus() else "t1"
                painter.fillRect(round(start), self.height() - 2, round(x - start), 2, theme.color(role))
            self._places.append((QRect(round(start) - 4, 0, round(x - start) + 8, self.height()), name))
            x += gap
        return x

    def _tab_width(self, theme: Theme, name: str, title: str) -> float:
        count = self._counts.get(name, "")
        width = TEXTS.width(theme, title, 12, 600 if name == self._current else 400)
        return width + (theme.px(4) + TEXTS.width(theme, count) if count else 0)

    def choices(self) -> QMenu:
        """Return the menu of tabs for a line too narrow to show them; it deletes itself when it closes."""
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        for name, title in self._tabs:
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(name == self._current)
            action.triggered.connect(lambda _=False, name=name: self.set_current(name))
        return menu

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for rect, name in self._places:
            if rect.contains(event.position().toPoint()):
                if self._folded:
                    self.choices().popup(self.mapToGlobal(rect.bottomLeft()))
                else:
                    self.set_current(name)
                return
        event.ignore()  # beside a title, an empty place is taken hold of to move the pane

    def keyPressEvent(self, event: QKeyEvent) -> None:
        names = [name for name, _ in self._tabs]
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()))
        if step is None or not names:
            super().keyPressEvent(event)
            return
        self.set_current(names[(names.index(self._current) + step) % len(names)])

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
