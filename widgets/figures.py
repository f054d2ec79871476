"""A row of small figures: a quiet label over a strong value."""

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.paint import TEXTS
from widgets.theme import current_theme

Figure = tuple[str, str, str]
"""(label, value, quiet addition)."""


class Figures(QWidget):
    """Figures side by side; those without room go to a second line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figures: list[Figure] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_figures(self, figures: Sequence[Figure]) -> None:
        if list(figures) != self._figures:
            self._figures = list(figures)
            self.setAccessibleName(", ".join(f"{label} {value} {more}".strip() for label, value, more in figures))
            self._fit()
            self.update()

    @property
    def texts(self) -> dict[str, str]:
        """Return what is shown, by label."""
        return {label: f"{value} {more}".strip() for label, value, more in self._figures}

    def _width(self, figure: Figure) -> float:
        theme = current_theme()
        label, value, more = figure
        wide = TEXTS.width(theme, value, 13, 600) + (TEXTS.width(theme, more) + theme.px(4) if more else 0)
        return max(TEXTS.width(theme, label, 11), wide) + theme.px(16)

    def _lines(self) -> list[list[Figure]]:
        lines: list[list[Figure]] = [[]]
        used = 0.0
        for figure in self._figures:
            width = self._width(figure)
            if lines[-1] and used + width - current_theme().px(16) > self.width():
                lines.append([])
                used = 0.0
            lines[-1].append(figure)
            used += width
        return lines

    def sizeHint(self) -> QSize:
        return QSize(current_theme().px(240), current_theme().px(34) * len(self._lines()))

    def _fit(self) -> None:
        height = self.sizeHint().height()
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        y = 0
        for line in self._lines():
            needed = sum(self._width(figure) for figure in line)
            spare = max(0.0, (self.width() - needed) / max(1, len(line)))
            x = 0.0
            for figure in line:
                label, value, more = figure
                TEXTS.draw(painter, theme, x, y + theme.px(8), label, theme.color("t3"), pixels=11)
                wide = TEXTS.draw(painter, theme, x, y + theme.px(24), value, theme.color("t1"), pixels=13, weight=600)
                if more:
                    TEXTS.draw(painter, theme, x + wide + theme.px(4), y + theme.px(24), more, theme.color("t2"))
                x += self._width(figure) + min(spare, theme.px(24))
            y += theme.px(34)
        painter.end()
