"""Themes can be read, switched and trusted: contrast is computed, not promised."""

import re
from itertools import product
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFontMetrics, QImage
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from widgets.theme import apply_theme, current_theme, mix, tabular_font, theme, theme_names
from widgets.theme_qss import style_sheet
from widgets.theme_tiles import build

THEMES = ("dark", "light", "dark-colour-blind", "light-colour-blind", "high-contrast")


def luminance(colour: QColor) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = [colour.redF(), colour.greenF(), colour.blueF()]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: QColor, b: QColor) -> float:
    """Contrast ratio, WCAG 2.1."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_themes_of_the_design_are_there() -> None:
    assert set(theme_names()) == set(THEMES)
    with pytest.raises(KeyError, match="no theme 'neon'; there are dark, light"):
        theme("neon")
    with pytest.raises(KeyError, match="no colour role 'name'"):
        theme("dark").color("name")


@pytest.mark.parametrize("name", THEMES)
def test_text_is_readable_on_every_ground(name: str) -> None:
    chosen = theme(name)
    roles = ("t1", "t2", "t3", "focus", "up", "down", "warn", "danger", "paper", "replay")
    for role, ground in product(roles, ("bg0", "bg1", "bg2")):
        assert contrast(chosen.color(role), chosen.color(ground)) >= 4.5, f"{role} on {ground}"
    for text, ground in (("on_focus", "focus"), ("on_live", "live")):
        assert contrast(chosen.color(text), chosen.color(ground)) >= 4.5, f"{text} on {ground}"


@pytest.mark.parametrize("name", THEMES)
def test_text_is_readable_on_tints_and_hatches(name: str) -> None:
    chosen = theme(name)
    for role, share in (("paper", 0.38), ("replay", 0.38), ("danger", 0.26), ("warn", 0.09)):
        assert contrast(chosen.color("t1"), chosen.blend(role, share)) >= 4.5, f"t1 on {role}"
    selection = chosen.blend("focus", chosen.selection_alpha)
    for role in ("t1", "t2", "up", "down"):
        assert contrast(chosen.color(role), selection) >= 4.5, f"{role} on the selection"
    for ground in (chosen.color("session"), chosen.blend("warn", 0.09), chosen.blend("danger", 0.14)):
        assert contrast(chosen.color("t1"), ground) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_up_and_down_differ_for_every_eye(name: str) -> None:
    chosen = theme(name)
    up, down = chosen.color("up"), chosen.color("down")
    if "colour-blind" in name:
        # Blue against orange: the blue part alone tells them apart.
        assert abs(up.blue() - down.blue()) > 100
        assert contrast(chosen.color("focus"), up) > 1.2, "a staged order must not look like a rise"
    assert up != down


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_the_style_sheet_is_complete_and_its_images_exist(qapp: QApplication, name: str, scale: float) -> None:
    text = style_sheet(theme(name, scale))
    assert "$" not in text
    folder = Path(__file__).resolve().parents[2] / "resources" / "styles"
    for image in re.findall(r"url\(styles:([^)]+)\)", text):
        assert (folder / image).is_file(), image
        assert (folder / image.replace(".png", "@2x.png")).is_file(), image
    assert f"min-height: {round(22 * scale)}px" in text


def test_switching_reaches_widgets_that_are_shown(qtbot: QtBot, qapp: QApplication) -> None:
    button = QPushButton("Send to LIVE U…318")
    button.setProperty("role", "send")
    button.setProperty("mode", "live")
    qtbot.addWidget(button)
    button.show()
    for name in ("dark", "light", "high-contrast"):
        apply_theme(qapp, name)
        assert current_theme().name == name
        image = button.grab().toImage()
        assert image.pixelColor(4, image.height() // 2) == current_theme().color("live")
    apply_theme(qapp, "dark")


def test_the_paper_send_button_is_hatched_and_the_blocked_one_is_not(qtbot: QtBot, qapp: QApplication) -> None:
    chosen = apply_theme(qapp, "dark")
    button = QPushButton("Send to PAPER DU…567")
    button.setProperty("role", "send")
    button.setProperty("mode", "paper")
    qtbot.addWidget(button)
    button.show()

    def colours() -> set[str]:
        image = button.grab().toImage()
        return {image.pixelColor(x, 4).name() for x in range(4, image.width() - 4)}

    assert {chosen.blend("paper", 0.38).name(), chosen.blend("paper", 0.26).name()} <= colours()
    button.setEnabled(False)
    assert {colour.upper() for colour in colours()} == {chosen.bg1}
    button.setEnabled(True)
    button.setProperty("mode", "live")
    button.style().polish(button)
    assert chosen.live in {colour.upper() for colour in colours()}
    button.setEnabled(False)
    assert {colour.upper() for colour in colours()} == {chosen.bg1}


def test_digits_share_one_width_under_the_style_sheet(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    for role in ("", "value", "caption", "headline"):
        label = QLabel("0")
        label.setProperty("role", role)
        qtbot.addWidget(label)
        label.ensurePolished()
        widths = {label.fontMetrics().horizontalAdvance(digit * 8) for digit in "0123456789"}
        assert len(widths) == 1, role
    metrics = QFontMetrics(tabular_font(13))
    assert len({metrics.horizontalAdvance(digit * 8) for digit in "0123456789"}) == 1


def test_the_images_are_those_of_the_tokens(tmp_path: Path) -> None:
    build(tmp_path)
    folder = Path(__file__).resolve().parents[2] / "resources" / "styles"
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in folder.glob("*.png"))
    for name in made:
        fresh, kept = (
            QImage(str(place / name)).convertToFormat(QImage.Format.Format_ARGB32) for place in (tmp_path, folder)
        )
        assert fresh == kept, f"{name}: run python -m widgets.theme_tiles"


def test_a_mix_is_opaque_and_between() -> None:
    half = mix(QColor("#FFFFFF"), QColor("#000000"), 0.5)
    assert half.name() == "#808080"
    assert half.alpha() == 255


@pytest.mark.parametrize("scale", [1.0, 1.25, 2.0])
def test_lengths_scale_and_never_vanish(scale: float) -> None:
    chosen = theme("dark", scale)
    for pixels in (0, 0.3, 1, 2, 7, 12.5, 13):
        assert chosen.px(pixels) == max(1, round(pixels * scale))


def test_a_colour_is_parsed_once_and_follows_its_theme_and_opacity() -> None:
    dark, light = theme("dark"), theme("light")
    assert dark.color("up") is dark.color("up")
    assert dark.color("up") == QColor(dark.up)
    assert light.color("up") == QColor(light.up)
    assert dark.color("up", 0.5).alphaF() == pytest.approx(0.5, abs=0.01)
    assert dark.color("up").alpha() == 255
    with pytest.raises(KeyError):
        dark.color("no such role")
    with pytest.raises(KeyError):
        dark.color("name")
