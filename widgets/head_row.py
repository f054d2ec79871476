"""The header of a painted table: quiet titles, the sort arrow beside the title and never over it."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from widgets.paint import TEXTS, draw_mark
from widgets.theme import current_theme


class HeadRow(QHeaderView):
    """Horizontal header, painted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.held = False
        """A person holds the mouse on it: what changes its width now was dragged."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.held = True
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self.held = False

    def sizeHint(self) -> QSize:
        return QSize(0, current_theme().px(22))  # a table asks for the height alone, and often

    def paintSection(self, painter: QPainter, rect: QRect, number: int) -> None:
        theme = current_theme()
        model = self.model()
        painter.fillRect(rect, theme.color("bg1"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, theme.color("hair"))
        title = str(model.headerData(number, Qt.Orientation.Horizontal) or "")
        align = model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
        right_aligned = bool(align is not None and Qt.AlignmentFlag(align) & Qt.AlignmentFlag.AlignRight)
        sorts = self.isSortIndicatorShown() and self.sortIndicatorSection() == number
        pad, middle = theme.px(6), rect.center().y() + 0.5
        room = rect.width() - 2 * pad - (theme.px(9) if sorts else 0)
        shown = TEXTS.elided(theme, title, room + 2, 11)
        colour = theme.color("t2" if sorts else "t3")
        arrow = "up" if self.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder else "down"
        if right_aligned:
            drawn = TEXTS.draw(painter, theme, rect.right() + 1 - pad, middle, shown, colour, pixels=11, align="right")
            if sorts:
                draw_mark(painter, theme, rect.right() + 1 - pad - drawn - theme.px(10), middle, arrow, colour)
        else:
            drawn = TEXTS.draw(painter, theme, rect.left() + pad, middle, shown, colour, pixels=11)
            if sorts:
                draw_mark(painter, theme, rect.left() + pad + drawn + theme.px(3), middle, arrow, colour)
