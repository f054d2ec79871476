"""A button with its key on it. One that sends carries the mode: hatched PAPER, solid LIVE; blocked is outlined."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from widgets.paint import TEXTS, draw_keycap, keycap_width, paper_hatch
from widgets.theme import current_theme

_GAP = 6
SEND_MIN_PX = 150
LINE_PX = 16


class KeyButton(QPushButton):
    """``role``: plain, quiet, warn, send. ``mode`` (paper, live, replay) colours a send button."""

    def __init__(self, text: str = "", key: str = "", role: str = "plain", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.key, self.role, self.mode = key, role, "paper"
        self.blocked = False
        self.key_first = True
        self.folds = False
        """What has no room in one line stands in two, and the button is as high as that."""
        wide = QSizePolicy.Policy.Preferred if role == "send" else QSizePolicy.Policy.Minimum
        self.setSizePolicy(wide, QSizePolicy.Policy.Fixed)
        self.setAutoDefault(False)
        self._speak()

    def say(self, text: str, *, key: str | None = None, blocked: bool = False, enabled: bool = True) -> None:
        """Change what it says. A blocked button is outlined; it can still be pressed to hear why when enabled."""
        if key is not None:
            self.key = key
        self.blocked = blocked
        self.setText(text)
        self.setEnabled(enabled)
        self._speak()
        self._fit()
        self.updateGeometry()
        self.update()

    def _fit(self) -> None:
        if self.folds:
            height = self.sizeHint().height() + current_theme().px(LINE_PX) * (len(self.lines(700)) - 1)
            if height != self.height():
                self.setFixedHeight(height)

    def lines(self, weight: int) -> list[str]:
        """Return what is drawn, cut only where two lines do not hold it."""
        theme = current_theme()
        cap = keycap_width(TEXTS, theme, self.key)
        room = self.width() - theme.px(10) - cap - (theme.px(_GAP) if cap else 0)
        if not self.folds or TEXTS.width(theme, self.text(), 12, weight) <= room:
            return [TEXTS.elided(theme, self.text(), room, 12, weight)]
        first, _, rest = self.text().rpartition(" · ")
        if first and max(TEXTS.width(theme, part, 12, weight) for part in (f"{first} ·", rest)) <= room:
            return [f"{first} ·", rest]
        return TEXTS.wrapped(theme, self.text(), room, 2, weight)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def set_mode(self, mode: str) -> None:
        """Set the mode it sends in."""
        if mode != self.mode:
            self.mode = mode
            self.update()

    def _speak(self) -> None:
        self.setAccessibleName(self.text())
        self.setAccessibleDescription(self.key)
        if self.role == "send":
            self.setToolTip(self.text())

    def sizeHint(self) -> QSize:
        theme = current_theme()
        weight = 700 if self.role == "send" else 500
        cap = keycap_width(TEXTS, theme, self.key)
        width = TEXTS.width(theme, self.text(), 12, weight) + (cap + theme.px(_GAP) if cap else 0) + theme.px(18)
        return QSize(round(width), theme.px(28 if self.role == "send" else 24))

    def minimumSizeHint(self) -> QSize:
        # A long reason on a send button must not push the panes apart.
        hint = self.sizeHint()
        return QSize(min(hint.width(), current_theme().px(SEND_MIN_PX)), hint.height()) if self.role == "send" else hint

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.EnabledChange):
            self._fit()
            self.updateGeometry()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = self.rect()
        ink, edge, width, style = theme.color("t1"), theme.color("hair"), 1.0, Qt.PenStyle.SolidLine
        weight = 700 if self.role == "send" else 400
        off = not self.isEnabled()
        if self.role == "send" and not off and not self.blocked:
            if self.mode == "live":
                painter.fillRect(rect, theme.color("live"))
                ink, edge = theme.color("on_live"), theme.color("live")
            elif self.mode == "replay":
                painter.fillRect(rect, theme.blend("replay", 0.26))
                edge = theme.color("replay")
            else:
                paper_hatch(painter, rect, theme)
                edge = theme.color("paper")
                weight = 600
        elif off or self.blocked:
            outlined = self.role == "send"
            edge = theme.color("live" if outlined and self.mode == "live" else "t3")
            style = Qt.PenStyle.SolidLine if outlined else Qt.PenStyle.DashLine
            width = 2.0 if outlined else 1.0
            ink = theme.color("t1" if outlined else "t3")
            weight = 600 if outlined else 400
        elif self.role == "quiet":
            edge = theme.color("bg1")
        else:
            painter.fillRect(rect, theme.color("bg2") if not self.isDown() else theme.blend("focus", 0.3))
            if self.role == "warn":
                edge = ink = theme.color("warn")
        if self.underMouse() and not off and self.role != "send":
            edge = theme.color("t3")
        painter.setPen(QPen(edge, width, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = width / 2
        painter.drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), 2, 2)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("t1" if self.role == "send" else "focus"), 2))
            painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), 2, 2)
        self._paint_words(painter, ink, weight)
        painter.end()

    def _paint_words(self, painter: QPainter, ink: object, weight: int) -> None:
        theme = current_theme()
        cap = keycap_width(TEXTS, theme, self.key)
        gap = theme.px(_GAP) if cap else 0
        shown = self.lines(weight)
        words = max((TEXTS.width(theme, line, 12, weight) for line in shown), default=0.0)
        x, middle = (self.width() - words - cap - gap) / 2, self.height() / 2
        if cap and self.key_first:
            draw_keycap(painter, TEXTS, theme, x, middle, self.key, ink)
            x += cap + gap
        for number, line in enumerate(shown):
            at = middle + theme.px(LINE_PX) * (number - (len(shown) - 1) / 2)
            TEXTS.draw(painter, theme, x + words / 2, at, line, ink, weight=weight, align="centre")
        if cap and not self.key_first:
            draw_keycap(painter, TEXTS, theme, x + words + gap, middle, self.key, ink)
