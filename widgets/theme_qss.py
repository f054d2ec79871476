"""The style sheet: a template in `resources/styles`, filled from a theme's tokens."""

import re
from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QDir

if TYPE_CHECKING:
    from widgets.theme import Theme

_LENGTH = re.compile(r"(?<![\w#-])(\d+)px")

METRICS = {
    "fs": 12,
    "fs_s": 11,
    "fs_m": 13,
    "fs_l": 16,
    "row": 22,
    "head": 28,
    "tab": 26,
    "strip": 40,
    "status": 24,
    "control": 22,
    "send": 28,
}


@cache
def _template() -> Template:
    folder = resources.files("resources").joinpath("styles")
    QDir.addSearchPath("styles", str(folder))
    return Template(folder.joinpath("base.qss").read_text(encoding="utf-8"))


def style_sheet(theme: "Theme") -> str:
    """Return the style sheet of a theme; an unknown token in the template is a KeyError."""
    dark = theme.color("bg1").lightness() < 128
    values: dict[str, str] = {role: getattr(theme, role) for role in _COLOUR_ROLES}
    values |= {name: str(pixels) for name, pixels in METRICS.items()}
    values |= {
        "selection": theme.blend("focus", theme.selection_alpha).name(),
        "field_focus": theme.blend("focus", theme.selection_alpha + 0.02).name(),
        "hover": theme.blend("t1", 0.04).name(),
        "paper_tint": theme.blend("paper", 0.26).name(),
        "replay_tint": theme.blend("replay", 0.26).name(),
        "danger_tint": theme.blend("danger", 0.14).name(),
        "danger_tint_strong": theme.blend("danger", 0.26).name(),
        "warn_tint": theme.blend("warn", 0.09).name(),
        "blocked": theme.t3,
        "shade": "dark" if dark else "light",
        "hatch_paper": "dark-paper" if dark else "light-paper",
        "hatch_replay": "dark-replay" if dark else "light-replay",
    }
    text = _template().substitute(values)
    if theme.scale == 1.0:
        return text
    return _LENGTH.sub(lambda match: _scaled(int(match[1]), theme.scale), text)


def _scaled(pixels: int, scale: float) -> str:
    # Hairlines stay hairlines until 150 %.
    return f"{pixels if pixels <= 1 and scale < 1.5 else round(pixels * scale)}px"


_COLOUR_ROLES = (
    "bg0",
    "bg1",
    "bg2",
    "hair",
    "t1",
    "t2",
    "t3",
    "focus",
    "on_focus",
    "up",
    "down",
    "warn",
    "danger",
    "live",
    "on_live",
    "paper",
    "replay",
)
