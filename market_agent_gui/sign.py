"""The program's sign: on the window, in the taskbar and in the tray."""

from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap

from widgets.theme import current_theme


def draw_sign(book: str = "") -> QIcon:
    """Draw three candles, the middle one in the book's colour."""
    icon = QIcon()
    theme = current_theme()
    role = theme.mode_role(book) if book else "focus"
    for size in (16, 24, 32, 48, 64, 128):
        pixmap = QPixmap(size, size)
        pixmap.fill(QColor(0, 0, 0, 0))
        painter = QPainter(pixmap)
        unit = size / 16
        for x, top, height, colour in ((2, 6, 7, "t2"), (7, 2, 10, role), (12, 5, 6, "t2")):
            brush = theme.color(colour)
            painter.fillRect(round(x * unit), round(top * unit), max(1, round(3 * unit)), round(height * unit), brush)
            middle = round((x + 1) * unit)
            painter.fillRect(middle, round((top - 1) * unit), max(1, round(unit)), round((height + 3) * unit), brush)
        painter.end()
        icon.addPixmap(pixmap)
    return icon
