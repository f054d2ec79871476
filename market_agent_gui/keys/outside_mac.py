"""Keys that macOS declares as its own: the file of symbolic hot keys, over what it has from the start."""

import plistlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from market_agent_gui.keys.key_map import KeyMapError, normal
from market_agent_gui.keys.outside import Owner

FILE = Path("Library", "Preferences", "com.apple.symbolichotkeys.plist")
# Qt calls Command Ctrl there, and Control Meta.
_MODIFIERS = ((0x40000, "Meta"), (0x100000, "Ctrl"), (0x80000, "Alt"), (0x20000, "Shift"))
_NO_CHARACTER = 0xFFFF
_CODES = {
    36: "Return", 48: "Tab", 49: "Space", 51: "Backspace", 53: "Esc", 115: "Home", 116: "PgUp", 117: "Del",
    119: "End", 121: "PgDown", 123: "Left", 124: "Right", 125: "Down", 126: "Up",
    122: "F1", 120: "F2", 99: "F3", 118: "F4", 96: "F5", 97: "F6", 98: "F7", 100: "F8", 101: "F9", 109: "F10",
    103: "F11", 111: "F12", 105: "F13", 107: "F14", 113: "F15", 106: "F16", 64: "F17", 79: "F18", 80: "F19",
}  # fmt: skip
_WHAT = {
    "9": "cycle-windows", "27": "cycle-windows", "28": "screenshot", "29": "screenshot", "30": "area-screenshot",
    "31": "area-screenshot", "32": "toggle-overview", "34": "toggle-overview", "33": "cycle-group",
    "35": "cycle-group", "36": "show-desktop", "37": "show-desktop", "60": "input-source", "61": "input-source",
    "64": "search", "65": "search", "79": "switch-workspace", "80": "switch-workspace", "81": "switch-workspace",
    "82": "switch-workspace", "98": "help", "118": "switch-workspace", "160": "panel-main-menu",
    "163": "toggle-message-tray", "184": "show-screenshot-ui",
}  # fmt: skip
DEFAULTS = {
    "27": ("Ctrl+`", "cycle-windows"),
    "28": ("Ctrl+Shift+3", "screenshot"),
    "30": ("Ctrl+Shift+4", "area-screenshot"),
    "32": ("Meta+Up", "toggle-overview"),
    "33": ("Meta+Down", "cycle-group"),
    "36": ("F11", "show-desktop"),
    "60": ("Meta+Space", "input-source"),
    "64": ("Ctrl+Space", "search"),
    "65": ("Ctrl+Alt+Space", "search"),
    "79": ("Meta+Left", "switch-workspace"),
    "81": ("Meta+Right", "switch-workspace"),
    "184": ("Ctrl+Shift+5", "show-screenshot-ui"),
}
"""The file holds what a person has changed and what a program has touched; the rest is as it came."""
RESERVED = {
    "Ctrl+Tab": "switch-applications",
    "Ctrl+Shift+Tab": "switch-applications",
    "Ctrl+Alt+Esc": "quit",
    "Ctrl+H": "hide",
    "Meta+Ctrl+Q": "screensaver",
    "Ctrl+Shift+Q": "logout",
}
"""What no setting changes."""


def read_symbolic(hot_keys: Mapping[str, object]) -> Iterator[tuple[str, Owner]]:
    """Read ``AppleSymbolicHotKeys``: number to whether it is on and its character, key code and modifiers."""
    for number, (key, what) in DEFAULTS.items():
        if number not in hot_keys:
            yield key, Owner(True, what)
    for number, entry in hot_keys.items():
        if isinstance(entry, Mapping) and entry.get("enabled"):
            value = entry.get("value")
            parameters = value.get("parameters") if isinstance(value, Mapping) else None
            # On, and with no key of its own: the one it came with.
            key = _key(parameters) if parameters else DEFAULTS.get(number, ("", ""))[0]
            if key:
                yield key, Owner(True, _WHAT.get(number, ""))


def _key(parameters: object) -> str:
    if not isinstance(parameters, list) or len(parameters) < 3 or not all(isinstance(n, int) for n in parameters):
        return ""
    character, code, flags = parameters[:3]
    name = _CODES.get(code, "")
    if not name and 0x20 < character < 0x7F and character != _NO_CHARACTER:
        name = chr(character).upper()
    if not name:
        return ""
    try:
        return normal("+".join([*(word for mask, word in _MODIFIERS if flags & mask), name]))
    except KeyMapError:
        return ""


def declared(home: Path) -> dict[str, Owner]:
    """Return key to owner. Raises ``OSError`` or ``ValueError`` where the file is there and cannot be read."""
    found = {key: Owner(True, what) for key, what in RESERVED.items()}
    try:
        content = plistlib.loads((home / FILE).read_bytes())
    except FileNotFoundError:
        content = {}
    except plistlib.InvalidFileException as error:
        raise ValueError(f"{FILE.name}: {error}") from error
    hot_keys = content.get("AppleSymbolicHotKeys", {}) if isinstance(content, dict) else {}
    return found | dict(read_symbolic(hot_keys if isinstance(hot_keys, Mapping) else {}))
