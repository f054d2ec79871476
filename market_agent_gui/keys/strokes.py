"""A key as systems name it: a mask of modifiers and a code, of Windows or of X."""

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence


class Code(NamedTuple):
    windows: int
    """Virtual key."""
    x: int
    """Keysym."""


CODES = {
    Qt.Key.Key_Backspace: Code(0x08, 0xFF08),
    Qt.Key.Key_Tab: Code(0x09, 0xFF09),
    Qt.Key.Key_Return: Code(0x0D, 0xFF0D),
    Qt.Key.Key_Pause: Code(0x13, 0xFF13),
    Qt.Key.Key_Escape: Code(0x1B, 0xFF1B),
    Qt.Key.Key_Space: Code(0x20, 0x20),
    Qt.Key.Key_PageUp: Code(0x21, 0xFF55),
    Qt.Key.Key_PageDown: Code(0x22, 0xFF56),
    Qt.Key.Key_End: Code(0x23, 0xFF57),
    Qt.Key.Key_Home: Code(0x24, 0xFF50),
    Qt.Key.Key_Left: Code(0x25, 0xFF51),
    Qt.Key.Key_Up: Code(0x26, 0xFF52),
    Qt.Key.Key_Right: Code(0x27, 0xFF53),
    Qt.Key.Key_Down: Code(0x28, 0xFF54),
    Qt.Key.Key_Print: Code(0x2C, 0xFF61),
    Qt.Key.Key_Insert: Code(0x2D, 0xFF63),
    Qt.Key.Key_Delete: Code(0x2E, 0xFFFF),
    Qt.Key.Key_Menu: Code(0x5D, 0xFF67),
}
"""Keys that write nothing; characters and function keys are reckoned."""


def parted(key: str, *, shift: int, control: int, alt: int, meta: int) -> tuple[int, Qt.Key]:
    """Return the mask of a key in portable spelling, from the given bits, and the key without its modifiers."""
    combination = QKeySequence.fromString(key, QKeySequence.SequenceFormat.PortableText)[0]
    bits = (
        (Qt.KeyboardModifier.ShiftModifier, shift),
        (Qt.KeyboardModifier.ControlModifier, control),
        (Qt.KeyboardModifier.AltModifier, alt),
        (Qt.KeyboardModifier.MetaModifier, meta),
    )
    return sum(bit for flag, bit in bits if combination.keyboardModifiers() & flag), combination.key()
