"""What painted panes share: cached text, marks that differ by shape, hatching, keycaps."""

from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPolygonF,
    QStaticText,
    QTextOption,
)

from widgets.theme import Theme, mix

_KEEP = 6000


class TextCache:
    """Laid-out texts by content and font; laying out is what makes text dear."""

    def __init__(self) -> None:
        self._fonts: dict[tuple[int, int], tuple[QFont, QFontMetricsF, float]] = {}
        self._texts: dict[tuple[str, int, int], tuple[QStaticText, float]] = {}
        self._widths: dict[tuple[str, int, int], float] = {}
        self._option = QTextOption()
        self._option.setWrapMode(QTextOption.WrapMode.NoWrap)

    def font(self, theme: Theme, pixels: int = 12, weight: int = 400) -> QFont:
        """Return the font of a size and weight at the theme's scale."""
        return self._font(theme.px(pixels), weight)[0]

    def metrics(self, theme: Theme, pixels: int = 12, weight: int = 400) -> QFontMetricsF:
        """Return the metrics of the same font."""
        return self._font(theme.px(pixels), weight)[1]

    def _font(self, real: int, weight: int) -> tuple[QFont, QFontMetricsF, float]:
        """Return a font, its metrics and half the height of a line."""
        found = self._fonts.get((real, weight))
        if found is None:
            font = _tabular(real, weight)
            metrics = QFontMetricsF(font)
            found = self._fonts[(real, weight)] = (font, metrics, metrics.height() / 2)
        return found

    def width(self, theme: Theme, text: str, pixels: int = 12, weight: int = 400) -> float:
        """Return how wide a text is drawn."""
        key = (text, theme.px(pixels), weight)
        width = self._widths.get(key)
        if width is None:
            if len(self._widths) > _KEEP:
                self._widths.clear()
            width = self._widths[key] = self._font(key[1], weight)[1].horizontalAdvance(text)
        return width

    def elided(self, theme: Theme, text: str, width: float, pixels: int = 12, weight: int = 400) -> str:
        """Return the text, cut with an ellipsis where it is wider than ``width``."""
        if self.width(theme, text, pixels, weight) <= width + 0.5:
            return text
        return self.metrics(theme, pixels, weight).elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, width))

    def wrapped(self, theme: Theme, text: str, width: float, most: int = 3, weight: int = 400) -> list[str]:
        """Return the text in lines no wider than ``width`` where its words allow it; what is left over is cut."""
        lines: list[str] = []
        for word in filter(None, text.split(" ")):  # a space that does not break stays in its word
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and (self.width(theme, longer, weight=weight) <= width or len(lines) == most):
                lines[-1] = longer
            else:
                lines.append(word)
        return [self.elided(theme, line, width, weight=weight) for line in lines]

    def draw(
        self,
        painter: QPainter,
        theme: Theme,
        x: float,
        middle: float,
        text: str,
        colour: QColor,
        *,
        pixels: int = 12,
        weight: int = 400,
        align: str = "left",
    ) -> float:
        """Draw one line, vertically centred on ``middle``; return its width. ``x`` is the edge that ``align`` names."""
        if not text:
            return 0.0
        key = (text, theme.px(pixels), weight)
        font, _, half = self._font(key[1], weight)
        found = self._texts.get(key)
        if found is None:
            if len(self._texts) > _KEEP:
                self._texts.clear()
            static = QStaticText(text)
            static.setTextFormat(Qt.TextFormat.PlainText)
            static.setTextOption(self._option)
            static.prepare(font=font)
            found = self._texts[key] = static, self.width(theme, text, pixels, weight)
        static, width = found
        left = x - width if align == "right" else x - width / 2 if align == "centre" else x
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawStaticText(QPointF(round(left), round(middle - half)), static)
        return width


@lru_cache(maxsize=64)
def _tabular(real: int, weight: int) -> QFont:
    from widgets.theme import tabular_font

    return tabular_font(real, QFont.Weight(weight))


def draw_mark(
    painter: QPainter, theme: Theme, x: float, middle: float, kind: str, colour: QColor | None = None
) -> float:
    """Draw a state mark with its left edge at ``x``; return its width. Shapes differ, not only colours.

    ``ok`` disc, ``warn`` triangle, ``bad`` cross, ``off`` ring, ``held`` diamond, ``up``/``down`` small arrows.
    """
    size = theme.px(8)
    rect = QRectF(x, middle - size / 2, size, size)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    if kind == "ok":
        painter.setBrush(colour or theme.color("up"))
        painter.drawEllipse(rect)
    elif kind == "warn":
        painter.setBrush(colour or theme.color("warn"))
        painter.drawPolygon(QPolygonF([QPointF(x + size / 2, rect.top() - 1), rect.bottomRight(), rect.bottomLeft()]))
    elif kind == "bad":
        painter.setPen(QPen(colour or theme.color("danger"), max(2, theme.px(2))))
        painter.drawLine(rect.topLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomLeft())
    elif kind == "off":
        painter.setPen(QPen(colour or theme.color("t3"), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(rect.adjusted(0.5, 0.5, -0.5, -0.5))
    elif kind == "held":
        painter.setBrush(colour or theme.color("focus"))
        centre = rect.center()
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(centre.x(), rect.top()),
                    QPointF(rect.right(), centre.y()),
                    QPointF(centre.x(), rect.bottom()),
                    QPointF(rect.left(), centre.y()),
                ]
            )
        )
    elif kind in ("up", "down"):
        painter.setBrush(colour or theme.color(kind))
        half = size / 2 - 0.5
        tip, base = (
            (middle - half * 0.9, middle + half * 0.8) if kind == "up" else (middle + half * 0.9, middle - half * 0.8)
        )
        painter.drawPolygon(QPolygonF([QPointF(x + half, tip), QPointF(x + 2 * half, base), QPointF(x, base)]))
        size = round(2 * half)
    painter.restore()
    return size


@lru_cache(maxsize=64)
def _hatch_tile(first: int, second: int, step: int) -> QPixmap:
    side = step * 2
    tile = QPixmap(side, side)
    tile.fill(QColor.fromRgba(second))
    painter = QPainter(tile)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor.fromRgba(first), step * 0.70))
    for shift in (-side, 0, side):
        painter.drawLine(QPointF(shift - 1, side + 1), QPointF(shift + side + 1, -1))
    painter.end()
    return tile


def hatch(painter: QPainter, rect: QRect, first: QColor, second: QColor, step: int = 6) -> None:
    """Fill with diagonal stripes of two colours."""
    painter.drawTiledPixmap(rect, _hatch_tile(first.rgba(), second.rgba(), step), rect.topLeft())


def paper_hatch(painter: QPainter, rect: QRect, theme: Theme, strong: float = 0.38, weak: float = 0.26) -> None:
    """Fill with the stripes that say PAPER."""
    ground = theme.color("bg1")
    paper = theme.color("paper")
    hatch(painter, rect, mix(paper, ground, strong), mix(paper, ground, weak), theme.px(6))


def keycap_width(cache: TextCache, theme: Theme, key: str) -> int:
    """Return the width of a keycap."""
    return max(theme.px(16), round(cache.width(theme, key, 11, 500)) + theme.px(8)) if key else 0


def draw_keycap(
    painter: QPainter, cache: TextCache, theme: Theme, x: float, middle: float, key: str, colour: QColor
) -> int:
    """Draw a key in its cap; return its width."""
    width = keycap_width(cache, theme, key)
    height = theme.px(16)
    painter.setPen(colour)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(round(x) + 0.5, round(middle - height / 2) + 0.5, width - 1, height - 1), 2, 2)
    cache.draw(painter, theme, x + width / 2, middle, key, colour, pixels=11, weight=500, align="centre")
    return width


TEXTS = TextCache()
"""One cache for all panes: they share fonts and words."""


def draw_bell(painter: QPainter, colour: QColor, box: QRectF) -> None:
    """Draw a bell into a square box: a dome on a rim, and its clapper."""
    x, y, side = box.left(), box.top(), box.width()
    path = QPainterPath()
    path.moveTo(x, y + 0.78 * side)
    path.cubicTo(x + 0.3 * side, y + 0.6 * side, x + 0.05 * side, y, x + 0.5 * side, y)
    path.cubicTo(x + 0.95 * side, y, x + 0.7 * side, y + 0.6 * side, x + side, y + 0.78 * side)
    path.closeSubpath()
    path.addEllipse(QRectF(x + 0.36 * side, y + 0.78 * side, 0.28 * side, 0.22 * side))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(path, colour)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
