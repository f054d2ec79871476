"""Keys that Windows or another program has: each is registered as a hot key for a moment; who has it refuses ours."""

import ctypes
import logging
from collections.abc import Iterable
from typing import Protocol

from PySide6.QtCore import Qt

from market_agent_gui.keys.outside import Owner
from market_agent_gui.keys.strokes import CODES, parted

log = logging.getLogger(__name__)

ALREADY_REGISTERED = 1409
"""ERROR_HOTKEY_ALREADY_REGISTERED."""
_ALT, _CONTROL, _SHIFT, _WIN, _NO_REPEAT = 1, 2, 4, 8, 0x4000
_SIGNS = {
    Qt.Key.Key_Plus: 0xBB,
    Qt.Key.Key_Equal: 0xBB,
    Qt.Key.Key_Comma: 0xBC,
    Qt.Key.Key_Minus: 0xBD,
    Qt.Key.Key_Period: 0xBE,
}
RESERVED = {
    "Ctrl+Alt+Del": "security",
    "Ctrl+Shift+Esc": "task-manager",
    "Ctrl+Esc": "panel-main-menu",
    "Alt+Tab": "switch-windows",
    "Alt+Shift+Tab": "switch-windows",
    "Ctrl+Alt+Tab": "switch-windows",
    "Alt+Esc": "cycle-windows",
    "Alt+F4": "close",
    "Alt+Space": "activate-window-menu",
    "Print": "screenshot",
    "Alt+Print": "screenshot",
    "Meta+L": "screensaver",
    "Meta+D": "show-desktop",
    "Meta+Tab": "toggle-overview",
    "Meta+R": "panel-run-dialog",
    "Meta+Space": "input-source",
}
"""What Windows keeps for itself, registered or not; so is everything else with the Windows key."""


class HotKeys(Protocol):
    """What is asked of Windows."""

    def register(self, number: int, modifiers: int, code: int) -> int:
        """Register a hot key; return 0 or the error of Windows."""

    def unregister(self, number: int) -> None:
        """Give it back."""


class User32:
    """Windows itself."""

    def __init__(self) -> None:
        self._user32 = ctypes.WinDLL("user32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]

    def register(self, number: int, modifiers: int, code: int) -> int:
        if self._user32.RegisterHotKey(None, number, modifiers | _NO_REPEAT, code):
            return 0
        return int(ctypes.get_last_error())  # type: ignore[attr-defined,unused-ignore]

    def unregister(self, number: int) -> None:
        self._user32.UnregisterHotKey(None, number)


def stroke(key: str) -> tuple[int, int]:
    """Return (modifiers, virtual key) of a key in portable spelling; 0 for one that is not asked about."""
    modifiers, code = parted(key, shift=_SHIFT, control=_CONTROL, alt=_ALT, meta=_WIN)
    if code in CODES:
        return modifiers, CODES[code].windows
    if code in _SIGNS:
        return modifiers, _SIGNS[code]
    if Qt.Key.Key_F1 <= code <= Qt.Key.Key_F24:
        return modifiers, 0x70 + code - Qt.Key.Key_F1
    plain = int(code)
    return modifiers, plain if chr(plain).isascii() and chr(plain).isalnum() else 0


def asked_of_windows(key: str) -> bool:
    """Whether a key can be asked about: plain typing is nobody's hot key, and F12 is the debugger's at all times."""
    modifiers, code = stroke(key)
    return bool(code) and key != "F12" and (bool(modifiers & ~_SHIFT) or 0x70 <= code < 0x88)


def taken(keys: Iterable[str], hot_keys: HotKeys) -> dict[str, Owner]:
    """Return those of ``keys`` that Windows or another program has. An error that is none of these says nothing."""
    found: dict[str, Owner] = {}
    for number, key in enumerate(sorted(keys), start=1):
        if key in RESERVED or key.startswith("Meta+"):
            found[key] = Owner(True, RESERVED.get(key, ""))
        elif asked_of_windows(key):
            error = hot_keys.register(number, *stroke(key))
            if error == ALREADY_REGISTERED:
                found[key] = Owner(False)
            elif error:
                log.info("Windows would not say whose key %s is: error %s", key, error)
            else:
                hot_keys.unregister(number)
    return found
