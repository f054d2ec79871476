"""Keys that X programs have grabbed: each is grabbed for a moment on a connection of our own; who has it refuses ours.

Qt's own platform plugin needs the two libraries, so where there is an X window they are there. An error of the server
comes back as an answer here; the window's connection never sees it. A press that falls into that moment is given back
to whom it was meant for. Alt is taken for Mod1 and Super for Mod4, as every current keyboard has them.
"""

import ctypes
import select
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt

from market_agent_gui.keys.strokes import CODES, parted

BAD_ACCESS = 10
_GRAB_SYNC, _GRAB_ASYNC = 0, 1
_REPLAY_KEYBOARD = 5
_KEY_PRESS, _KEY_RELEASE = 2, 3
_SHIFT, _LOCK, _CONTROL, _ALT, _NUM, _SUPER = 1, 2, 4, 8, 16, 64
LOCKS = (0, _LOCK, _NUM, _LOCK | _NUM)
"""A grab is for exactly its modifiers: with Caps Lock or Num Lock on it is another one."""


def keysym(key: str) -> tuple[int, int]:
    """Return (X modifiers, keysym) of a key in portable spelling; keysym 0 for one X has no name for here."""
    modifiers, code = parted(key, shift=_SHIFT, control=_CONTROL, alt=_ALT, meta=_SUPER)
    if code in CODES:
        return modifiers, CODES[code].x
    if Qt.Key.Key_F1 <= code <= Qt.Key.Key_F35:
        return modifiers, 0xFFBE + code - Qt.Key.Key_F1
    plain = int(code)
    if 0x20 <= plain < 0x100:
        return modifiers, ord(chr(plain).lower())
    return modifiers, 0


class _Cookie(ctypes.Structure):
    _fields_ = [("sequence", ctypes.c_uint)]


class _Screens(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_uint32)), ("rem", ctypes.c_int), ("index", ctypes.c_int)]


class _Error(ctypes.Structure):
    _fields_ = [("response_type", ctypes.c_uint8), ("error_code", ctypes.c_uint8)]


_PTR, _U8, _U16, _U32 = ctypes.c_void_p, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32
_XCB = {
    "xcb_connect": (_PTR, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]),
    "xcb_connection_has_error": (ctypes.c_int, [_PTR]),
    "xcb_disconnect": (None, [_PTR]),
    "xcb_get_setup": (_PTR, [_PTR]),
    "xcb_setup_roots_iterator": (_Screens, [_PTR]),
    "xcb_screen_next": (None, [ctypes.POINTER(_Screens)]),
    "xcb_grab_key_checked": (_Cookie, [_PTR, _U8, _U32, _U16, _U8, _U8, _U8]),
    "xcb_ungrab_key": (_Cookie, [_PTR, _U8, _U32, _U16]),
    "xcb_allow_events": (_Cookie, [_PTR, _U8, _U32]),
    "xcb_request_check": (_PTR, [_PTR, _Cookie]),
    "xcb_flush": (ctypes.c_int, [_PTR]),
    "xcb_poll_for_event": (_PTR, [_PTR]),
    "xcb_get_file_descriptor": (ctypes.c_int, [_PTR]),
}
_SYMS = {
    "xcb_key_symbols_alloc": (_PTR, [_PTR]),
    "xcb_key_symbols_free": (None, [_PTR]),
    "xcb_key_symbols_get_keycode": (_PTR, [_PTR, _U32]),
    "xcb_key_symbols_get_keysym": (_U32, [_PTR, _U8, ctypes.c_int]),
}


def _load(name: str, functions: dict[str, tuple[object, list[object]]]) -> ctypes.CDLL:
    library = ctypes.CDLL(name)
    for function, (result, arguments) in functions.items():
        each = getattr(library, function)
        each.restype, each.argtypes = result, arguments
    return library


class XKeys:
    """A connection to the X server for questions about keys. Raises ``OSError`` where there is none."""

    def __init__(self, display: str = "") -> None:
        """``display`` empty: the one of the environment."""
        self._xcb, self._syms = _load("libxcb.so.1", _XCB), _load("libxcb-keysyms.so.1", _SYMS)
        self._libc = ctypes.CDLL(None)
        self._libc.free.argtypes, self._libc.free.restype = [_PTR], None
        number = ctypes.c_int(0)
        self._link = self._xcb.xcb_connect(display.encode() or None, ctypes.byref(number))
        if code := self._xcb.xcb_connection_has_error(self._link):
            self._xcb.xcb_disconnect(self._link)
            raise OSError(f"the X server does not answer (error {code})")
        screens = self._xcb.xcb_setup_roots_iterator(self._xcb.xcb_get_setup(self._link))
        for _ in range(number.value):
            self._xcb.xcb_screen_next(ctypes.byref(screens))
        self._root = screens.data[0]
        self._table = self._syms.xcb_key_symbols_alloc(self._link)

    def close(self) -> None:
        self._syms.xcb_key_symbols_free(self._table)
        self._xcb.xcb_disconnect(self._link)

    def taken(self, keys: Iterable[str]) -> set[str]:
        """Return those of ``keys`` that another X program has grabbed, with any of the locks."""
        asked: list[tuple[str, _Cookie]] = []
        for key in keys:
            for code, modifiers in self._strokes(key):
                for lock in LOCKS:
                    asked.append((key, self._grab(code, modifiers | lock, _GRAB_SYNC)))
                    self._xcb.xcb_ungrab_key(self._link, code, self._root, modifiers | lock)
        # A press that met one of these grabs has frozen the keyboard: it goes where it was meant to.
        self._xcb.xcb_allow_events(self._link, _REPLAY_KEYBOARD, 0)
        return {key for key, cookie in asked if self._refused(cookie)}

    def hold(self, key: str) -> bool:
        """Grab a key until this connection closes; False when another program has it."""
        cookies = [
            self._grab(code, modifiers | lock, _GRAB_ASYNC) for code, modifiers in self._strokes(key) for lock in LOCKS
        ]
        refused = [self._refused(cookie) for cookie in cookies]
        return bool(refused) and not any(refused)

    def events(self, seconds: float) -> list[bool]:
        """Wait so long for the held key; return True for each press and False for each release."""
        found: list[bool] = []
        ready, _, _ = select.select([self._xcb.xcb_get_file_descriptor(self._link)], [], [], seconds)
        while ready:
            with self._freed(self._xcb.xcb_poll_for_event(self._link)) as event:
                if not event:
                    break
                kind = ctypes.cast(event, ctypes.POINTER(_U8))[0] & 0x7F
            if kind in (_KEY_PRESS, _KEY_RELEASE):
                found.append(kind == _KEY_PRESS)
        if self._xcb.xcb_connection_has_error(self._link):
            raise OSError("the X server has gone")
        return found

    def _grab(self, code: int, modifiers: int, keyboard: int) -> _Cookie:
        return self._xcb.xcb_grab_key_checked(self._link, 1, self._root, modifiers, code, _GRAB_ASYNC, keyboard)

    def _refused(self, cookie: _Cookie) -> bool:
        with self._freed(self._xcb.xcb_request_check(self._link, cookie)) as answer:
            error = ctypes.cast(answer, ctypes.POINTER(_Error)).contents.error_code if answer else 0
        if not answer and self._xcb.xcb_connection_has_error(self._link):
            raise OSError("the X server has gone")
        return error == BAD_ACCESS

    def _strokes(self, key: str) -> list[tuple[int, int]]:
        """Return (keycode, modifiers) of every place where the keyboard has this key."""
        modifiers, symbol = keysym(key)
        if not symbol:
            return []
        with self._freed(self._syms.xcb_key_symbols_get_keycode(self._table, symbol)) as found:
            codes = ctypes.cast(found, ctypes.POINTER(_U8)) if found else ()
            here = []
            for code in codes:
                if not code:
                    break
                here.append(code)
        return [(code, modifiers | self._shift(code, symbol)) for code in here]

    def _shift(self, code: int, symbol: int) -> int:
        """Return Shift for a symbol that the key has on its second level only, such as plus."""
        first, second = (self._syms.xcb_key_symbols_get_keysym(self._table, code, level) for level in (0, 1))
        return _SHIFT if second == symbol != first else 0

    @contextmanager
    def _freed(self, pointer: int | None) -> Iterator[int | None]:
        try:
            yield pointer
        finally:
            if pointer:
                self._libc.free(pointer)


def grabbed(keys: Iterable[str]) -> set[str]:
    """Return those of ``keys`` that another X program has. Raises ``OSError`` where X cannot be asked."""
    link = XKeys()
    try:
        return link.taken(keys)
    finally:
        link.close()
