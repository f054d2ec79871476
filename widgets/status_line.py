"""The bottom line: keys of the focused pane on the left, and what is wrong with them; lags and rates on the right."""

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets import formats
from widgets.paint import TEXTS, draw_keycap, draw_mark, keycap_width
from widgets.theme import current_theme
from widgets.words import tr


def connected(clients: Sequence[str], trade: bool) -> tuple[str, str]:
    """Return who is connected to the engine besides one window, as a few words and as a sentence; empty for nobody."""
    count = Counter(clients)
    count["window"] -= 1

    def named(words: dict[str, str]) -> list[str]:
        there = [(word, count[name]) for name, word in words.items() if count[name] > 0]
        return [f"{word} ×{n}" if n > 1 else word for word, n in there]

    programs = named({"api": tr("service"), "mcp": tr("assistant"), "program": tr("another program")})
    people = named({"console": tr("console"), "window": tr("another window")})
    if not programs and not people:
        return "", ""
    about = tr("Connected to the engine besides this window: {names}.", names=", ".join((*programs, *people)))
    line = ", ".join(programs)
    if programs and trade:
        line = tr("{names}: may trade", names=line)
        about += " " + tr("Programs may read, propose and stop; while AUTO is armed they may trade within its limits.")
    elif programs:
        line = tr("{names}: may propose", names=line)
        about += " " + tr("Programs may read, propose and stop; they may not trade.")
    return " · ".join(part for part in (line, *people) if part), about


class StatusLine(QWidget):
    """Keys give way to figures where it is narrow; what is bad is never left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: list[tuple[str, str]] = []
        self._figures: list[tuple[str, str]] = []
        self._note = self._about = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(current_theme().px(24))

    def set_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """Set (key, what it does) of the focused pane, most useful first."""
        if list(keys) != self._keys:
            self._keys = list(keys)
            self._speak()

    def set_note(self, text: str) -> None:
        """Set what is wrong with the keys, before them; empty takes it away."""
        if text != self._note:
            self._note = text
            self._speak()

    def _speak(self) -> None:
        keys = ", ".join(f"{key} {text}" for key, text in self._keys)
        self.setAccessibleName(f"{self._note}. {keys}" if self._note else keys)
        self.setToolTip("\n".join(part for part in (self._note, self._about) if part))
        self.update()

    def set_figures(self, figures: Sequence[tuple[str, str]]) -> None:
        """Set (text, role) at the right edge."""
        if list(figures) != self._figures:
            self._figures = list(figures)
            self.setAccessibleDescription(", ".join(text for text, _ in figures))
            self.update()

    def set_measures(
        self,
        *,
        window_ms: float | None = None,
        engine_ms: float | None = None,
        broker_ms: float | None = None,
        symbols: int = 0,
        quotes_per_s: float = 0.0,
        disk_gb: float | None = None,
        clients: Sequence[str] = (),
        programs_trade: bool = False,
    ) -> None:
        """Set who else is connected to the engine, lags, rates and free disk; slow or nearly full is amber."""
        figures: list[tuple[str, str]] = []
        line, about = connected(clients, programs_trade)
        if line:
            figures.append((line, "t1"))
        if about != self._about:
            self._about = about
            self._speak()
        lags = ((tr("window"), window_ms, 50.0), (tr("engine"), engine_ms, 50.0), (tr("broker"), broker_ms, 1000.0))
        known = [(name, value, most) for name, value, most in lags if value is not None]
        for number, (name, value, most) in enumerate(known):
            lead = tr("lag:") + " " if number == 0 else ""
            figures.append((f"{lead}{name} {value:.0f} ms", "warn" if value > most else "t2"))
        if symbols:
            rate = formats.compact(quotes_per_s)
            figures.append((tr("{n} symbols · {rate} quotes/s", n=symbols, rate=rate), "t2"))
        if disk_gb is not None:
            figures.append((tr("disk {n} GB", n=f"{disk_gb:.0f}"), "warn" if disk_gb < 2 else "t2"))
        self.set_figures(figures)

    def sizeHint(self) -> QSize:
        return QSize(current_theme().px(600), current_theme().px(24))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setFixedHeight(current_theme().px(24))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg2"))
        painter.fillRect(0, 0, self.width(), 1, theme.color("hair"))
        middle, right = (self.height() + 1) / 2, float(self.width() - theme.px(12))
        for text, role in reversed(self._figures):
            weight = 600 if role in ("warn", "danger") else 400
            right -= TEXTS.draw(painter, theme, right, middle, text, theme.color(role), weight=weight, align="right")
            right -= theme.px(16)
        x = float(theme.px(12))
        if self._note:
            x += draw_mark(painter, theme, x, middle, "warn") + theme.px(6)
            note = TEXTS.elided(theme, self._note, max(0.0, right - x), 12, 600)
            x += TEXTS.draw(painter, theme, x, middle, note, theme.color("warn"), weight=600) + theme.px(16)
        for key, text in self._keys:
            width = keycap_width(TEXTS, theme, key) + theme.px(4) + TEXTS.width(theme, text)
            if x + width > right:
                break
            x += draw_keycap(painter, TEXTS, theme, x, middle, key, theme.color("t1")) + theme.px(4)
            x += TEXTS.draw(painter, theme, x, middle, text, theme.color("t2")) + theme.px(16)
        painter.end()
