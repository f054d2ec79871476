"""One table of tokens drives the palette, the style sheet and every painted widget."""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from widgets.theme_qss import style_sheet

FONT_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
MONO_FAMILIES = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Noto Sans Mono", "DejaVu Sans Mono")

UNIT_PX = 4
ROW_PX = 22
HEAD_PX = 28
STRIP_PX = 40
STATUS_PX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours by role (`#RRGGBB`) and the opacity of tints; metrics are pixels at 100 %."""

    name: str
    bg0: str
    bg1: str
    bg2: str
    hair: str
    t1: str
    t2: str
    t3: str
    focus: str
    on_focus: str
    up: str
    down: str
    warn: str
    danger: str
    live: str
    on_live: str
    paper: str
    replay: str
    session: str
    zone_alpha: float
    watermark_alpha: float
    selection_alpha: float
    grid_alpha: float
    depth_alpha: float
    scale: float = 1.0
    _colours: dict[tuple[str, float], QColor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def color(self, role: str, alpha: float = 1.0) -> QColor:
        """Return the colour of a role such as `up` or `t2`: one object, to be used and not changed."""
        found = self._colours.get((role, alpha))
        if found is None:
            found = self._colours[role, alpha] = self._parsed(role, alpha)
        return found

    def _parsed(self, role: str, alpha: float) -> QColor:
        value = getattr(self, role, None)
        if not isinstance(value, str) or not value.startswith("#"):
            raise KeyError(f"theme {self.name!r} has no colour role {role!r}")
        colour = QColor(value)
        if alpha < 1.0:
            colour.setAlphaF(alpha)
        return colour

    def blend(self, role: str, share: float, over: str = "bg1") -> QColor:
        """Mix `share` of a role into another, as an opaque colour."""
        return mix(self.color(role), self.color(over), share)

    def mode_role(self, mode: str) -> str:
        """Return the role that says LIVE, PAPER or REPLAY; an unknown mode looks like danger."""
        return {"live": "live", "paper": "paper", "replay": "replay"}.get(mode.lower(), "danger")

    def px(self, pixels: float) -> int:
        """Scale a length of the 100 % design."""
        if self.scale == 1.0 and pixels.__class__ is int:
            return pixels if pixels > 1 else 1
        return max(1, round(pixels * self.scale))

    def font(self, pixels: float = 12, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Return the text font with tabular figures."""
        return tabular_font(self.px(pixels), weight)


def mix(top: QColor, under: QColor, share: float) -> QColor:
    """Return `share` of `top` over `under`, opaque."""
    rest = 1.0 - share
    return QColor(
        round(top.red() * share + under.red() * rest),
        round(top.green() * share + under.green() * rest),
        round(top.blue() * share + under.blue() * rest),
    )


def tabular_font(pixels: int, weight: QFont.Weight = QFont.Weight.Normal, mono: bool = False) -> QFont:
    """Return a font whose digits share one width."""
    font = QFont()
    font.setFamilies(list(MONO_FAMILIES if mono else FONT_FAMILIES))
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    font.setFeature(QFont.Tag("lnum"), 1)
    return font


@cache
def _table() -> dict[str, dict[str, str | float]]:
    text = resources.files("resources").joinpath("styles", "tokens.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str | float]] = json.loads(text)
    return table


def theme_names() -> tuple[str, ...]:
    """Return the names `apply_theme` knows."""
    return tuple(_table())


def theme(name: str, scale: float = 1.0) -> Theme:
    """Return a theme by name; KeyError says which names exist."""
    table = _table()
    if name not in table:
        raise KeyError(f"no theme {name!r}; there are {', '.join(table)}")
    values = dict(table[name])
    parent = values.pop("extends", None)
    if parent is not None:
        values = {**table[str(parent)], **values}
    tokens: dict[str, Any] = values
    return Theme(name=name, scale=min(2.0, max(1.0, scale)), **tokens)


_current: list[Theme] = []
_APPLIED = "appliedTheme"
"""Property of the application: name and scale that it wears."""


def current_theme() -> Theme:
    """Return the theme applied last; the dark one before any."""
    if not _current:
        _current.append(theme("dark"))
    return _current[0]


def apply_theme(app: QApplication, name: str, scale: float = 1.0) -> Theme:
    """Give the whole program a theme; call again to switch while it runs.

    Painted widgets hear of it as `QEvent.StyleChange` and read `current_theme()`.
    """
    chosen, before = theme(name, scale), app.property(_APPLIED)
    _current[:] = [chosen]
    # Each of these dresses every widget of the program anew: only what is another is set.
    if before is None:
        app.setStyle("Fusion")
    if before is None or before[1] != chosen.scale:
        app.setFont(chosen.font(12))
    if before is None or before[0] != name:
        app.setPalette(palette(chosen))
    app.setProperty(_APPLIED, (name, chosen.scale))
    app.setStyleSheet(style_sheet(chosen))
    return chosen


def dress(widget: QWidget, sheet: str) -> None:
    """Give a widget a style sheet of its own; one that it wears already is not read and put on once more."""
    if widget.styleSheet() != sheet:
        widget.setStyleSheet(sheet)


def palette(chosen: Theme) -> QPalette:
    """Return the theme as a palette for what a style sheet does not reach."""
    roles = QPalette.ColorRole
    result = QPalette()
    for role, token in (
        (roles.Window, "bg0"),
        (roles.WindowText, "t1"),
        (roles.Base, "bg1"),
        (roles.AlternateBase, "bg2"),
        (roles.Text, "t1"),
        (roles.Button, "bg2"),
        (roles.ButtonText, "t1"),
        (roles.BrightText, "danger"),
        (roles.ToolTipBase, "bg2"),
        (roles.ToolTipText, "t1"),
        (roles.PlaceholderText, "t3"),
        (roles.Highlight, "focus"),
        (roles.HighlightedText, "on_focus"),
        (roles.Accent, "focus"),
        (roles.Link, "focus"),
        (roles.Mid, "hair"),
        (roles.Dark, "hair"),
        (roles.Light, "bg2"),
        (roles.Midlight, "bg2"),
        (roles.Shadow, "bg0"),
    ):
        result.setColor(role, chosen.color(token))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, chosen.color("t3"))
    return result
