"""STOP: acts on the press, never asks. Held for a second and a half it also closes every position."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.paint import TEXTS, draw_keycap, keycap_width
from widgets.theme import current_theme
from widgets.words import tr

HOLD_MS = 1500
_STEP_MS = 50


class HaltButton(QWidget):
    """Always in its place, never disabled; says what a press does."""

    halt_wanted = Signal()
    flatten_wanted = Signal()
    """Held long enough: halt and close everything, reduce-only."""

    def __init__(self, key: str = "Ctrl+.", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self._does = tr("cancels entries, keeps stops")
        self._halted = False
        self._held_ms = 0
        self._fired = False
        self._compact = False
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._on_step)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._speak()

    def set_state(self, halted: bool, does: str = "") -> None:
        """Say whether trading is stopped and what a press does now (for example `on reconnect`)."""
        does = does or (tr("stopped · hold: flatten") if halted else tr("cancels entries, keeps stops"))
        if (halted, does) != (self._halted, self._does):
            self._halted, self._does = halted, does
            self._speak()
            self.updateGeometry()
            self.update()

    def set_key(self, key: str) -> None:
        """Name the key that does the same."""
        if key != self._key:
            self._key = key
            self.updateGeometry()
            self.update()

    def set_compact(self, compact: bool) -> None:
        """Leave out what it does where there is no room; the tool tip still says it."""
        if compact != self._compact:
            self._compact = compact
            self.updateGeometry()
            self.update()

    def _speak(self) -> None:
        self.setAccessibleName(tr("STOP"))
        self.setAccessibleDescription(self._does + ". " + tr("Hold to close every position."))
        self.setToolTip(f"{self._does}\n{tr('Hold to close every position.')}")

    def sizeHint(self) -> QSize:
        theme = current_theme()
        width = theme.px(12 + 10 + 6) + TEXTS.width(theme, tr("STOP"), 15, 700) + theme.px(8 + 12)
        width += keycap_width(TEXTS, theme, self._key)
        if not self._compact:
            width += TEXTS.width(theme, self._does, 11, 500) + theme.px(8)
        return QSize(round(width), theme.px(34))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    # --- pressing ----------------------------------------------------------------------------------------------

    def _press(self) -> None:
        self._held_ms, self._fired = 0, False
        self.halt_wanted.emit()
        self._timer.start()
        self.update()

    def _release(self) -> None:
        self._timer.stop()
        self._held_ms = 0
        self.update()

    def _on_step(self) -> None:
        self._held_ms += _STEP_MS
        if self._held_ms >= HOLD_MS and not self._fired:
            self._fired = True
            self._timer.stop()
            self.flatten_wanted.emit()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._release()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Not Enter: that key sends orders, and one too many must not cancel what the first has sent.
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._press()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat():
            self._release()
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._release()
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._release()
        super().leaveEvent(event)

    # --- paint -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        rect = self.rect()
        painter.fillRect(rect, theme.blend("danger", 0.30 if self._halted else 0.16))
        if self._held_ms:
            painter.fillRect(
                0, 0, round(rect.width() * min(1.0, self._held_ms / HOLD_MS)), rect.height(), theme.blend("danger", 0.5)
            )
        painter.setPen(QPen(theme.color("t1" if self.hasFocus() else "danger"), 2 if self.hasFocus() else 1))
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        middle, x = rect.height() / 2, float(theme.px(12))
        painter.fillRect(QRectF(x, middle - theme.px(5), theme.px(10), theme.px(10)), theme.color("danger"))
        x += theme.px(16)
        x += TEXTS.draw(painter, theme, x, middle, tr("STOP"), theme.color("danger"), pixels=15, weight=700) + theme.px(
            8
        )
        x += draw_keycap(painter, TEXTS, theme, x, middle, self._key, theme.color("danger")) + theme.px(8)
        if not self._compact:
            TEXTS.draw(painter, theme, x, middle, self._does, theme.color("t1"), pixels=11, weight=500)
        painter.end()
