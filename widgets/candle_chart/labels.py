"""Words as small pictures: laid out and drawn once, then copied; a copy costs a tenth of a drawn text."""

import numpy as np
from PySide6.QtGui import QColor, QFont, QFontMetrics, QFontMetricsF, QImage, QPainter, QPainterPath

from widgets.candle_chart.lines import pen

MOST = 3000
"""Pictures and widths kept; a chart shows some hundred, and more only while prices run through many values."""
_RIM = 2


class Labels:
    """Pictures of words by font and colour, transparent around the letters. Fonts are told apart by object.

    Words stand on whole pixels. On screens between two densities (125 %, 150 %) pictures would fall between pixels:
    there the words are drawn.
    """

    def __init__(self, ground: QColor, ink: QColor) -> None:
        """Words stand on `ground`; words in the ground's own colour stand on `ink`."""
        self._ground, self._ink = ground, ink
        self._metrics: dict[int, tuple[QFont, QFontMetrics, int, int]] = {}
        self._widths: dict[tuple[int, str], int] = {}
        self._advances: dict[int, dict[str, float]] = {}
        self._figures: dict[tuple[int, int, float], dict[str, tuple[int, int, float, QImage]]] = {}
        self._pictures: dict[tuple[int, str, int, int, float], tuple[int, int, QImage]] = {}

    def _known(self, font: QFont) -> tuple[QFont, QFontMetrics, int, int]:
        known = self._metrics.get(id(font))
        if known is None:
            metrics = QFontMetrics(font)
            # The font is kept, so its identity is not given to another one.
            known = self._metrics[id(font)] = (font, metrics, metrics.ascent(), metrics.descent())
        return known

    def ascent(self, font: QFont) -> int:
        """Return the height above the baseline."""
        return self._known(font)[2]

    def width(self, font: QFont, text: str) -> int:
        """Return how wide a text is."""
        key = (id(font), text)
        width = self._widths.get(key)
        if width is None:
            if len(self._widths) >= MOST:
                self._widths.clear()
            width = self._widths[key] = self._known(font)[1].horizontalAdvance(text)
        return width

    def figures_width(self, font: QFont, text: str) -> int:
        """Return how wide a number is as `draw_figures` draws it."""
        known = self._advances.get(id(font))
        if known is None:
            known = self._advances[id(font)] = {}
        width = 0.0
        for character in text:
            advance = known.get(character)
            if advance is None:
                advance = known[character] = QFontMetricsF(self._known(font)[0]).horizontalAdvance(character)
            width += advance
        return int(width + 0.5)

    def height(self, font: QFont) -> int:
        """Return the height of a line."""
        return self._known(font)[1].height()

    def baseline(self, font: QFont, top: int, height: int) -> int:
        """Return the baseline that centres a line in [top, top + height)."""
        _, _, ascent, descent = self._known(font)
        return top + (height + ascent - descent) // 2

    def draw(
        self, painter: QPainter, x: int, baseline: int, text: str, font: QFont, colour: QColor, ratio: float
    ) -> None:
        """Draw one line of text with its left edge at x."""
        found = self.picture(text, font, colour, None, ratio)
        if found is None:
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(x, baseline, text)
            return
        left, top, image = found
        painter.drawImage(left + x, top + baseline, image)

    def draw_figures(
        self, painter: QPainter, x: int, baseline: int, text: str, font: QFont, colour: QColor, ratio: float
    ) -> None:
        """Draw a number that changes all the time: its figures are kept, not the number. They must not kern."""
        if ratio != int(ratio):
            self.draw(painter, x, baseline, text, font, colour, ratio)
            return
        key = (id(font), colour.rgba(), ratio)
        sheet = self._figures.get(key)
        if sheet is None:
            sheet = self._figures[key] = {}
        place = float(x)
        for character in text:
            found = sheet.get(character)
            if found is None:
                found = sheet[character] = self._figure(character, font, colour, ratio)
            left, top, advance, image = found
            painter.drawImage(int(place + 0.5) + left, baseline + top, image)
            place += advance

    def _figure(self, character: str, font: QFont, colour: QColor, ratio: float) -> tuple[int, int, float, QImage]:
        left, top, image = self._render(character, font, colour, None, ratio)
        return left, top, QFontMetricsF(font).horizontalAdvance(character), image

    def draw_haloed(
        self,
        painter: QPainter,
        x: int,
        baseline: int,
        text: str,
        font: QFont,
        colour: QColor,
        rim: QColor,
        ratio: float,
    ) -> None:
        """Draw one line of text that stays readable over bars: a rim of the ground's colour around the letters."""
        found = self.picture(text, font, colour, rim, ratio)
        if found is None:
            _paint(painter, x, baseline, text, font, colour, rim)
            return
        left, top, image = found
        painter.drawImage(left + x, top + baseline, image)

    def picture(
        self, text: str, font: QFont, colour: QColor, rim: QColor | None, ratio: float
    ) -> tuple[int, int, QImage] | None:
        """Return (x and y from the baseline's start, picture); None where words are to be drawn."""
        if ratio != int(ratio) or not text:
            return None
        key = (id(font), text, colour.rgba(), rim.rgba() if rim is not None else 0, ratio)
        found = self._pictures.get(key)
        if found is None:
            if len(self._pictures) >= MOST:
                self._pictures.clear()
            found = self._pictures[key] = self._render(text, font, colour, rim, ratio)
        return found

    def _render(
        self, text: str, font: QFont, colour: QColor, rim: QColor | None, ratio: float
    ) -> tuple[int, int, QImage]:
        _, _, ascent, descent = self._known(font)
        # Letters may reach over their advance by a little, and the rim does.
        left, top = 2 + _RIM, ascent + 1 + _RIM
        width, height = self.width(font, text) + 2 * left, top + descent + 1 + _RIM
        shape = int(width * ratio), int(height * ratio)
        under = self._ink if colour == self._ground else self._ground
        image = QImage(*shape, QImage.Format.Format_ARGB32_Premultiplied if rim else QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(0 if rim else under.rgb())
        painter = QPainter(image)
        _paint(painter, left, top, text, font, colour, rim)
        painter.end()
        if rim is None:
            image = _lifted(image, colour, under)
        return -left, -top, image


def _lifted(image: QImage, colour: QColor, under: QColor) -> QImage:
    # Qt thickens letters for the ground they are drawn on, and not on a transparent one: the cover of each pixel is
    # taken from letters drawn on their ground.
    ink, ground = (np.array([c.blue(), c.green(), c.red()], np.float64) for c in (colour, under))
    channel = int(np.argmax(np.abs(ink - ground)))
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    span = ink[channel] - ground[channel]
    cover = np.clip((pixels[..., channel] - ground[channel]) / span, 0.0, 1.0) if span else np.zeros(pixels.shape[:2])
    lifted = QImage(image.size(), QImage.Format.Format_ARGB32_Premultiplied)
    lifted.setDevicePixelRatio(image.devicePixelRatio())
    into = np.frombuffer(lifted.bits(), np.uint8).reshape(pixels.shape)
    into[..., :3] = np.rint(cover[..., None] * ink)
    into[..., 3] = np.rint(cover * 255)
    return lifted


def _paint(
    painter: QPainter, x: int, baseline: int, text: str, font: QFont, colour: QColor, rim: QColor | None
) -> None:
    if rim is not None:
        path = QPainterPath()
        path.addText(x, baseline, font, text)
        painter.strokePath(path, pen(rim, 3))
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(x, baseline, text)
