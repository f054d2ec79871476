"""Draw the small images the style sheet needs, at 1x and 2x; run once after a change of tokens.

`python -m widgets.theme_tiles` writes hatch, arrow and tick tiles into `resources/styles`; a test says when they are
not those of the tokens.
"""

from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPen, QPolygonF

from widgets.theme import Theme, theme


def _canvas(side: int, ratio: int) -> QImage:
    image = QImage(side * ratio, side * ratio, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    return image


def hatch(stripe: QColor, ground: QColor, ratio: int) -> QImage:
    """Return a seamless tile of 45 degree stripes."""
    side = 16 * ratio
    image = QImage(side, side, QImage.Format.Format_ARGB32)
    for y in range(side):
        for x in range(side):
            image.setPixelColor(x, y, stripe if (x + y) % side < side // 2 else ground)
    return image


def arrow(colour: QColor, ratio: int, points: tuple[tuple[float, float], ...]) -> QImage:
    """Return an 8 px triangle."""
    image = _canvas(8, ratio)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(ratio, ratio)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    painter.end()
    return image


def tick(colour: QColor, ratio: int) -> QImage:
    """Return a 14 px check mark."""
    image = _canvas(14, ratio)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(ratio, ratio)
    painter.setPen(QPen(colour, 2))
    painter.drawPolyline(QPolygonF([QPointF(3, 7.5), QPointF(6, 10.5), QPointF(11, 4)]))
    painter.end()
    return image


def build(folder: Path) -> None:
    """Write every tile into `folder`."""
    for shade in ("dark", "light"):
        chosen: Theme = theme(shade)
        for ratio, suffix in ((1, ""), (2, "@2x")):
            for mode in ("paper", "replay"):
                tile = hatch(chosen.blend(mode, 0.38), chosen.blend(mode, 0.26), ratio)
                tile.save(str(folder / f"hatch-{shade}-{mode}{suffix}.png"))
            down = ((1.0, 2.5), (7.0, 2.5), (4.0, 6.0))
            right = ((2.5, 1.0), (2.5, 7.0), (6.0, 4.0))
            left = ((5.5, 1.0), (5.5, 7.0), (2.0, 4.0))
            arrow(chosen.color("t2"), ratio, down).save(str(folder / f"arrow-down-{shade}{suffix}.png"))
            arrow(chosen.color("t2"), ratio, left).save(str(folder / f"arrow-left-{shade}{suffix}.png"))
            arrow(chosen.color("t2"), ratio, right).save(str(folder / f"arrow-right-{shade}{suffix}.png"))
            tick(chosen.color("on_focus"), ratio).save(str(folder / f"tick-{shade}{suffix}.png"))


if __name__ == "__main__":
    application = QGuiApplication(["-platform", "offscreen"])
    build(Path(__file__).resolve().parents[1] / "resources" / "styles")
