"""Pictures of digits, drawn once per colour and ground: texts are what a table of live prices costs.

``number_cells`` copies them into the image of the visible rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from widgets.formats import MINUS, MISSING, THIN
from widgets.paint import draw_mark
from widgets.theme import Theme

Pixels = npt.NDArray[np.uint32]

BLANK, MINUS_GLYPH, PLUS_GLYPH, UP_GLYPH, DOWN_GLYPH, MISSING_GLYPH = 10, 11, 12, 13, 14, 15
_WIDE = "0123456789 " + MINUS + "+▲▼" + MISSING
_UNITS = " kMGT"
ROLES = ("t1", "up", "down", "t3", "t2")
"""Colours a number may have."""
GROUNDS = ("plain", "selected", "flash_up", "flash_down")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStyle:
    """How a column writes its numbers."""

    integers: int
    """Digits left of the point that have room."""
    fraction: int
    """Digits right of the point that have room; a row may use fewer."""
    signed: bool = False
    arrow: bool = False
    compact: bool = False
    """k, M, G, T after the number."""
    missing: bool = True
    """A dash where there is no number; else nothing."""


class GlyphAtlas:
    """Pictures of the glyphs for every colour on every ground; made again when theme, scale or screen change."""

    def __init__(self, theme: Theme, ratio: float, font: QFont) -> None:
        """``ratio`` is device pixels per pixel."""
        self.ratio = ratio
        metrics = QFontMetricsF(font)
        self.wide = max(1, round(metrics.horizontalAdvance("0") * ratio))
        self.point = max(1, round(metrics.horizontalAdvance(".") * ratio))
        self.thin = max(1, round(metrics.horizontalAdvance(THIN) * ratio))
        self.unit = max(1, round(metrics.horizontalAdvance("M") * ratio))
        self.height = max(1, round(metrics.height() * ratio))
        self.grounds = tuple(_ground(theme, name) for name in GROUNDS)
        self.ground_pixels = np.array([opaque(ground) for ground in self.grounds], np.uint32)
        self._font, self._ascent, self.theme = font, metrics.ascent(), theme
        self.digits = self._draw(_WIDE, self.wide)
        self.points = self._draw(" .", self.point)
        self.units = self._draw(_UNITS, self.unit)

    def _draw(self, glyphs: str, width: int) -> Pixels:
        pictures = np.zeros((len(ROLES) * len(GROUNDS), len(glyphs), self.height, width), np.uint32)
        image = QImage(width, self.height, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(self.ratio)
        for role_number, role in enumerate(ROLES):
            for ground_number, ground in enumerate(self.grounds):
                for number, glyph in enumerate(glyphs):
                    image.fill(ground)
                    painter = QPainter(image)
                    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
                    if glyph in "▲▼":
                        kind = "up" if glyph == "▲" else "down"
                        middle = self.height / self.ratio / 2
                        draw_mark(painter, self.theme, 0, middle, kind, self.theme.color(role))
                    elif glyph != " ":
                        painter.setFont(self._font)
                        painter.setPen(self.theme.color(role))
                        room = width / self.ratio - QFontMetricsF(self._font).horizontalAdvance(glyph)
                        painter.drawText(QPointF(room / 2, self._ascent), glyph)
                    painter.end()
                    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(self.height, -1)
                    pictures[role_number * len(GROUNDS) + ground_number, number] = pixels[:, :width]
        return pictures

    def width(self, style: NumberStyle) -> int:
        """Return the device pixels a style needs."""
        return sum(place[1] for place in self.places(style))

    def places(self, style: NumberStyle) -> list[tuple[str, int, int]]:
        """Return (kind, width, power of ten) from right to left."""
        places: list[tuple[str, int, int]] = []
        if style.compact:
            places += [("unit", self.unit, 0), ("gap", self.thin, 0)]
        places += [("digit", self.wide, power) for power in range(style.fraction)]
        if style.fraction:
            places.append(("point", self.point, 0))
        extra = (1 if style.signed else 0) + (1 if style.arrow else 0)
        for power in range(style.integers + extra):
            if power and power % 3 == 0 and power < style.integers:
                places.append(("gap", self.thin, 0))
            places.append(("digit", self.wide, power + style.fraction))
        return places


def _ground(theme: Theme, name: str) -> QColor:
    if name == "selected":
        return theme.blend("focus", theme.selection_alpha)
    if name in ("flash_up", "flash_down"):
        return theme.blend(name.removeprefix("flash_"), 0.28)
    return theme.color("bg1")


def opaque(colour: QColor) -> int:
    """Return a colour as a pixel of ``Format_RGB32``."""
    return int(colour.rgb()) | 0xFF000000


def picture(rows: int, row_height: int, width: int, ground: QColor) -> tuple[Pixels, QImage]:
    """Return an array (rows, row_height, width) and the image that shows the same memory."""
    pixels = np.full((max(1, rows), row_height, max(1, width)), opaque(ground), np.uint32)
    image = QImage(
        pixels.data, pixels.shape[2], pixels.shape[0] * row_height, pixels.shape[2] * 4, QImage.Format.Format_RGB32
    )
    return pixels, image
