"""Words kept as pictures look like drawn words."""

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from widgets.candle_chart.labels import MOST, Labels
from widgets.candle_chart.style import ChartStyle
from widgets.theme import theme

pytestmark = pytest.mark.usefixtures("qapp")
GROUND = theme("dark").color("bg1")
INK = theme("dark").color("t1")


def canvas(ratio: float = 1.0) -> QImage:
    image = QImage(round(200 * ratio), round(40 * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(GROUND)
    return image


def pixels(image: QImage) -> np.ndarray:
    return np.frombuffer(image.constBits(), np.uint8).astype(np.int16)


def drawn(text: str, ratio: float) -> np.ndarray:
    image = canvas(ratio)
    painter = QPainter(image)
    painter.setFont(ChartStyle.of(theme("dark")).axis)
    painter.setPen(INK)
    painter.drawText(20, 25, text)
    painter.end()
    return pixels(image)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
@pytest.mark.parametrize("text", ["12:30", "1\u2009234.50", "Wed 7 Jan", "gjpqy|ÄÅ", "+0.12 %"])
def test_a_label_has_the_pixels_of_the_drawn_text(text: str, ratio: float) -> None:
    style, image = ChartStyle.of(theme("dark")), canvas(ratio)
    for _ in range(2):
        image.fill(GROUND)
        painter = QPainter(image)
        style.labels.draw(painter, 20, 25, text, style.axis, INK, ratio)
        painter.end()
        assert np.abs(pixels(image) - drawn(text, ratio)).max() <= 6


@pytest.mark.parametrize("text", ["100.25", "\u221212.5", "5:07"])
def test_figures_take_the_room_they_say(text: str) -> None:
    style, image = ChartStyle.of(theme("dark")), canvas()
    painter = QPainter(image)
    style.labels.draw_figures(painter, 20, 25, text, style.axis_bold, INK, 1.0)
    painter.end()
    touched = np.flatnonzero((pixels(image).reshape(40, 200, 4) != pixels(canvas()).reshape(40, 200, 4)).any((0, 2)))
    width = style.labels.figures_width(style.axis_bold, text)
    assert touched.min() >= 20 - 1
    assert touched.max() <= 20 + width + 1
    assert touched.max() - touched.min() > width * 0.7


def test_a_rim_keeps_words_readable_over_bars() -> None:
    style, image = ChartStyle.of(theme("dark")), canvas()
    image.fill(INK)
    painter = QPainter(image)
    style.labels.draw_haloed(painter, 20, 25, "EMA 20", style.small, INK, GROUND, 1.0)
    painter.end()
    assert (pixels(image).reshape(-1, 4)[:, :3] == np.array([GROUND.blue(), GROUND.green(), GROUND.red()])).all(1).any()


def test_an_endless_run_of_new_words_does_not_fill_the_memory() -> None:
    style, labels = ChartStyle.of(theme("dark")), Labels(GROUND, INK)
    image = canvas()
    painter = QPainter(image)
    for i in range(MOST + 50):
        labels.draw(painter, 20, 25, str(i), style.axis, INK, 1.0)
        labels.width(style.axis, str(i))
    painter.end()
    assert len(labels._pictures) <= MOST
    assert len(labels._widths) <= MOST
