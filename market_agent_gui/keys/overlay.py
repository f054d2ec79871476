"""The rehearsal overlay: four columns of keys and what each would send now. While it is up, nothing is sent."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from market_agent_gui.actions import ORDER_GROUPS, key_text
from market_agent_gui.keys.rehearsal import TITLES, Line
from market_agent_gui.translate import say
from widgets.paint import TEXTS, draw_keycap, keycap_width
from widgets.theme import current_theme

ROW_PX = 24
ROWS = 20
TITLE_PX = 48
"""What a title keeps where there is little room."""
CAPS_PX = 1600
"""Narrower, keys are plain words: what they would do needs the room."""


class RehearsalOverlay(QWidget):
    """Covers the lower part of the window; takes neither mouse nor focus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._lines: list[Line] = []
        self._context = ""
        self._armed = ""
        self._key = ""
        self.hide()

    def show_lines(self, lines: list[Line], context: str, armed: str, key: str = "F2") -> None:
        """Show what every key would do.

        ``context`` names symbol and account, ``armed`` the state of arming, ``key`` ends it.
        """
        self._lines, self._context, self._armed, self._key = lines, context, armed, key
        self.setAccessibleName(say("REHEARSAL"))
        spoken = "; ".join(f"{line.key}: {line.title}, {line.effect}" for line in lines if line.able)
        self.setAccessibleDescription(spoken)
        self.fit()
        self.update()

    def fit(self) -> None:
        """Stand at the lower edge, as high as the longest column needs."""
        theme, parent = current_theme(), self.parentWidget()
        most = max((sum(line.group == group for line in self._lines) for group in ORDER_GROUPS), default=0)
        height = theme.px(ROW_PX) * (min(most, ROWS) + 2) + theme.px(8)
        self.setGeometry(0, max(0, parent.height() - height), parent.width(), min(height, parent.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        painter.setPen(theme.color("focus"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        row, pad = theme.px(ROW_PX), theme.px(12)
        painter.setFont(theme.font(12, QFont.Weight.Bold))
        title = say("REHEARSAL")
        head = QRect(pad, 0, self.width() - 2 * pad, row + theme.px(4))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(head, middle | Qt.AlignmentFlag.AlignLeft, title)
        x = painter.fontMetrics().horizontalAdvance(title) + pad
        painter.setFont(theme.font(12))
        painter.setPen(theme.color("t1"))
        text = say(
            "what each key would send now · {context} · until {key} ends it nothing but STOP is sent",
            context=self._context,
            key=self._key,
        )
        painter.drawText(head.adjusted(x, 0, 0, 0), middle | Qt.AlignmentFlag.AlignLeft, text)
        painter.setPen(theme.color("focus"))
        painter.drawText(head, middle | Qt.AlignmentFlag.AlignRight, self._armed)
        left = 0
        for group, width in zip(ORDER_GROUPS, self._widths(), strict=True):
            lines = [line for line in self._lines if line.group == group]
            self._paint_column(painter, QRect(left, head.bottom(), width, self.height()), group, lines)
            left += width
        painter.end()

    def _widths(self) -> list[int]:
        """Share the width: what would be sent has its room in every column first, the titles share what is left."""
        theme = current_theme()
        least, wanted = [], []
        for group in ORDER_GROUPS:
            lines = [line for line in self._lines if line.group == group][:ROWS]
            frame = self._key_width(lines) + theme.px(8 + 2 * 12)
            title = theme.px(TITLE_PX)
            effects = max((min(self._title_width(line), title) + self._effect_width(line) for line in lines), default=0)
            words = max((self._title_width(line) + self._effect_width(line) for line in lines), default=0)
            least.append(frame + effects)
            wanted.append(max(frame + words - least[-1], 0))
        spare = self.width() - sum(least)
        shares = wanted if spare > 0 else least
        widths = [each + spare * share // max(1, sum(shares)) for each, share in zip(least, shares, strict=True)]
        return [*widths[:-1], self.width() - sum(widths[:-1])]

    @property
    def _caps(self) -> bool:
        """Whether there is room for the caps of keys."""
        return self.width() >= current_theme().px(CAPS_PX)

    def _key_width(self, lines: list[Line]) -> int:
        theme = current_theme()
        keys, metrics = [key_text(line.key) for line in lines], QFontMetrics(theme.font(12))
        widths = [keycap_width(TEXTS, theme, key) if self._caps else metrics.horizontalAdvance(key) for key in keys]
        return max(widths, default=0) + theme.px(12)

    @staticmethod
    def _title_width(line: Line) -> int:
        return QFontMetrics(current_theme().font(12, QFont.Weight.DemiBold)).horizontalAdvance(line.title)

    @staticmethod
    def _effect_width(line: Line) -> int:
        return QFontMetrics(current_theme().font(12)).horizontalAdvance(line.effect)

    def _paint_column(self, painter: QPainter, place: QRect, group: str, lines: list[Line]) -> None:
        theme = current_theme()
        row, pad = theme.px(ROW_PX), theme.px(12)
        painter.setPen(theme.color("hair"))
        painter.drawLine(place.topLeft(), place.bottomLeft())
        painter.setFont(theme.font(11))
        painter.setPen(theme.color("t3"))
        inner = place.adjusted(pad, 0, -pad, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(inner.left(), inner.top(), inner.width(), row), middle, say(TITLES[group]))
        key_width = self._key_width(lines[:ROWS])
        for number, line in enumerate(lines[:ROWS]):
            rect = QRect(inner.left(), inner.top() + row * (number + 1), inner.width(), row)
            ink, centre = theme.color("t1" if line.able else "t3"), rect.top() + rect.height() / 2
            painter.setPen(ink)
            if self._caps:
                draw_keycap(painter, TEXTS, theme, rect.left(), centre, key_text(line.key), ink)
            else:
                TEXTS.draw(painter, theme, rect.left(), centre, key_text(line.key), ink)
            painter.setFont(theme.font(12, QFont.Weight.DemiBold))
            name = rect.adjusted(key_width, 0, 0, 0)
            # What would be sent is never cut: the title, which the key already names, gives way.
            wanted = min(self._effect_width(line), name.width() - theme.px(TITLE_PX))
            shown = painter.fontMetrics().elidedText(
                line.title, Qt.TextElideMode.ElideRight, name.width() - wanted - theme.px(8)
            )
            painter.drawText(name, middle | Qt.AlignmentFlag.AlignLeft, shown)
            painter.setFont(theme.font(12))
            painter.setPen(theme.color("t2" if line.able else "t3"))
            effect = painter.fontMetrics().elidedText(line.effect, Qt.TextElideMode.ElideRight, wanted + 1)
            painter.drawText(name, middle | Qt.AlignmentFlag.AlignRight, effect)
