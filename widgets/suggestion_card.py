"""One suggestion as a card: what, at what risk, how sure, by when, and what speaks against approving it now."""

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.api.commands import REASON_CODES
from engine.api.rows import SuggestionRow
from widgets import formats
from widgets.cells import direction_role, price_text, side_role, side_text
from widgets.if_form import IfForm
from widgets.key_button import KeyButton
from widgets.paint import TEXTS, draw_mark
from widgets.suggestion_standing import OPEN_STATES, Guards, Standing, agreement, chance_text, record_text, standing
from widgets.theme import current_theme
from widgets.waterfall import draw_line
from widgets.words import tr

_HORIZONS = {"day": "day trade", "swing": "swing", "long": "long term"}


def about(row: SuggestionRow) -> str:
    """The words beside a symbol: what kind of trade, or which program proposes it."""
    kind = tr("by {source}", source=row.source) if row.source else tr(_HORIZONS.get(row.horizon, row.horizon))
    return " · ".join(part for part in (row.key, kind, tr("reduces") if row.reduces else "") if part)


class SuggestionCard(QWidget):
    """Paints a row and holds its buttons. Open when selected; else two lines."""

    pressed = Signal(str)
    """Key of the card that was clicked."""
    acted = Signal(str, str)
    """Key of the card and the letter of the button."""
    reason_chosen = Signal(str, str)
    if_taken = Signal(str, object, float)

    def __init__(self, row: SuggestionRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self.mode, self.account = "paper", ""
        self.selected = False
        self.waiting = ""
        """What was asked and not answered yet."""
        self.said = ""
        """Answer to the last press, in words."""
        self.asks_again = False
        self._now = 0
        self._guards = Guards()
        self.standing = Standing()
        self._form: IfForm | None = None
        self._asking_reason = False
        self._buttons: dict[str, KeyButton] = {}
        self._reasons: list[KeyButton] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for letter in "AECZRX":
            button = KeyButton("", letter, "send" if letter == "A" else "plain", self)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, letter=letter: self.acted.emit(self.row.key, letter))
            button.hide()
            self._buttons[letter] = button
        self.refresh()

    # --- state -------------------------------------------------------------------------------------------------

    def set_row(self, row: SuggestionRow) -> None:
        self.row = row
        self.refresh()

    def set_context(self, now_ns: int, guards: Guards, mode: str, account: str) -> None:
        """Set the engine's time, the guards and whose money it is."""
        same = guards == self._guards and mode == self.mode and account == self.account
        self._now, self._guards, self.mode, self.account = now_ns, guards, mode, account
        if same and standing(self.row, now_ns, guards) == self.standing:
            self.update()
        else:
            self.refresh()

    def set_selected(self, selected: bool) -> None:
        if selected != self.selected:
            self.selected = selected
            if not selected:
                self.close_prompts()
            self.asks_again = False
            self.refresh()

    def ask_reason(self) -> None:
        """Show the reject reasons on the digit keys."""
        self.close_prompts()
        self._asking_reason = True
        self.refresh()

    @property
    def asking_reason(self) -> bool:
        return self._asking_reason

    def ask_condition(self) -> None:
        """Open the form of the conditional approval."""
        self.close_prompts()
        self._form = IfForm(self)
        self._form.taken.connect(lambda price, seconds: self.if_taken.emit(self.row.key, price, seconds))
        self._form.dropped.connect(self._on_form_dropped)
        self.refresh()
        self._form.start(self.row)

    def _on_form_dropped(self) -> None:
        self.close_prompts()
        parent = self.parentWidget()
        if parent is not None:
            parent.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_prompts(self) -> None:
        """Put the buttons back."""
        self._asking_reason = False
        if self._form is not None:
            self._form.hide()
            self._form.deleteLater()
            self._form = None
        self.refresh()

    @property
    def prompting(self) -> bool:
        return self._asking_reason or self._form is not None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until it expires; None when closed or the time is not known."""
        if self._now <= 0 or self.row.state not in OPEN_STATES:
            return None
        return max(0.0, (self.row.expires_ns - self._now) / 1e9)

    @property
    def life(self) -> float:
        """Share of its time that is left, 0..1."""
        whole = (self.row.expires_ns - self.row.made_ns) / 1e9
        left = self.seconds_left
        return min(1.0, left / whole) if left is not None and whole > 0 else 0.0

    # --- geometry ----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Judge again and lay out again."""
        self.standing = standing(self.row, self._now, self._guards)
        self._say_buttons()
        self._arrange()
        self.setAccessibleName(self._spoken())
        self.update()

    @property
    def _wide(self) -> bool:
        return self.selected

    def _objection_lines(self) -> list[str]:
        words = f"{self.standing.word} {self.standing.text}".strip()
        if self.said:
            words = f"{words} {self.said}".strip()
        if not words:
            return []
        theme = current_theme()
        return _wrapped(words, self.width() - theme.px(24 + 19), 3)

    def sizeHint(self) -> QSize:
        theme = current_theme()
        lines = len(self._objection_lines())
        height = 8 + 20 + (70 if self._wide else 20) + (lines * 16 + 16 if lines else 0)
        if self._bar_shown:
            height += 30 * self._bar_rows
        return QSize(theme.px(300), theme.px(height + 6))

    @property
    def _bar_shown(self) -> bool:
        return self.row.state in OPEN_STATES and (self._wide or self.standing.requote)

    def _arrange(self) -> None:
        theme = current_theme()
        gap, left, right = theme.px(4), theme.px(12), self.width() - theme.px(12)
        shown = [b for b in (self._reasons if self._asking_reason else self._buttons.values()) if not b.isHidden()]
        if self.standing.requote and not self._asking_reason:
            shown.sort(key=lambda button: "RXEA".find(button.key))
        rows, x = 1, left
        places = []
        for button in shown:
            width = button.sizeHint().width()
            if x > left and x + width > right:
                rows, x = rows + 1, left
            places.append((button, x, rows - 1, min(width, max(theme.px(40), right - left))))
            x += width + gap
        self._bar_rows = rows
        height = self.sizeHint().height()
        top = height - theme.px(6) - theme.px(30) * rows + theme.px(2)
        for button, at, row, width in places:
            button.setGeometry(at, top + row * theme.px(30), width, theme.px(24))
        if self._form is not None:
            self._form.setGeometry(left, top, right - left, theme.px(26))
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.LanguageChange) and hasattr(self, "_buttons"):
            self.refresh()

    def _say_buttons(self) -> None:
        stand, open_ = self.standing, self._bar_shown
        buttons = self._buttons
        normal = open_ and not self.prompting
        whose = "LIVE " + self.account if self.mode == "live" else self.mode.upper()
        if self.waiting:
            approve = tr("Asked: {what}…", what=self.waiting)
        elif stand.requote:
            approve = tr("Approve")  # the box above says why not, the button beside it how
        elif self.asks_again:
            approve = tr("Press again: {codes}, {whose}", codes=" ".join(stand.confirm), whose=whose)
        else:
            approve = tr("Approve {whose}", whose=whose.strip())
        buttons["A"].role = "send" if stand.approvable else "plain"
        buttons["A"].set_mode(self.mode)
        buttons["A"].say(approve, enabled=stand.approvable and not self.waiting)
        buttons["E"].say(tr("Edit…"), enabled=not self.waiting)
        buttons["C"].say(tr("If…"), enabled=stand.approvable and not self.waiting)
        buttons["Z"].say(tr("Snooze"), enabled=not self.waiting)
        buttons["R"].say(tr("Re-quote and re-score"), enabled=not self.waiting)
        buttons["X"].say(tr("Reject…"), enabled=not self.waiting)
        for letter, button in buttons.items():
            wanted = normal and (letter == "R") == (letter == "R" and stand.requote)
            if stand.requote and letter in "CZ":
                wanted = False
            button.setVisible(wanted)
        for reason in self._reasons:
            reason.deleteLater()
        self._reasons = []
        if self._asking_reason:
            for digit, (code, words) in enumerate(REASON_CODES.items(), 1):
                button = KeyButton(tr(words), str(digit), "plain", self)
                button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
                button.clicked.connect(lambda _=False, code=code: self.reason_chosen.emit(self.row.key, code))
                button.show()
                self._reasons.append(button)

    def _spoken(self) -> str:
        row = self.row
        left = self.seconds_left
        parts = [
            f"{side_text(row.side)} {formats.quantity(row.quantity)} {row.symbol}",
            tr("entry {price}", price=price_text(row.entry)),
            tr("stop {price}", price=price_text(row.stop)),
            tr("target {price}", price=price_text(row.target)),
            tr("risks {money}", money=formats.number(row.risk)),
            tr("expires in {time}", time=formats.duration(left)) if left is not None else tr(row.state),
            f"{self.standing.word} {self.standing.text}".strip(),
        ]
        return ", ".join(part for part in parts if part)

    # --- mouse -------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit(self.row.key)
        super().mousePressEvent(event)

    # --- paint -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg1"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("hair"))
        if self.selected:
            painter.fillRect(0, 0, 2, self.height(), theme.color("focus"))
        top = theme.px(8)
        self._paint_title(painter, top)
        top += theme.px(20)
        if self._wide:
            self._paint_numbers(painter, top)
            top += theme.px(70)
        else:
            self._paint_brief(painter, top)
            top += theme.px(20)
        self._paint_objection(painter, top)
        left = self.seconds_left
        if left is not None:
            role = "warn" if left < 60 else "t1"
            painter.fillRect(0, self.height() - 2, round(self.width() * self.life), 2, theme.color(role))
        painter.end()

    def _paint_title(self, painter: QPainter, top: int) -> None:
        theme, row = current_theme(), self.row
        middle, x, right = top + theme.px(10), theme.px(12), self.width() - theme.px(12)
        live = self.standing.approvable or not self.standing.word
        ink = theme.color("t1" if live else "t2")
        chance, interval = chance_text(row)
        if interval:
            right -= TEXTS.draw(painter, theme, right, middle, interval, theme.color("t2"), pixels=13, align="right")
            right -= theme.px(4)
        if chance:
            right -= TEXTS.draw(painter, theme, right, middle, chance, ink, pixels=13, weight=600, align="right")
            right -= theme.px(4)
            right -= TEXTS.draw(painter, theme, right, middle, "p", theme.color("t2"), pixels=13, align="right")
        else:
            words = tr("p not known")
            right -= TEXTS.draw(painter, theme, right, middle, words, theme.color("t3"), pixels=13, align="right")
        role = side_role(row.side) if live else "t2"
        x += TEXTS.draw(painter, theme, x, middle, side_text(row.side), theme.color(role), pixels=16, weight=700)
        x += theme.px(8)
        what = f"{formats.quantity(row.quantity)} {row.symbol}"
        x += TEXTS.draw(painter, theme, x, middle, what, ink, pixels=16, weight=700) + theme.px(8)
        shown = TEXTS.elided(theme, about(row), right - x - theme.px(8))
        if right - x > theme.px(40):
            TEXTS.draw(painter, theme, x, middle, shown, theme.color("t3"))

    def _paint_numbers(self, painter: QPainter, top: int) -> None:
        theme, row = current_theme(), self.row
        left, right = theme.px(12), self.width() - theme.px(12)
        cells = (
            (tr("Entry"), price_text(row.entry)),
            (tr("Stop"), price_text(row.stop)),
            (tr("Target"), price_text(row.target)),
            (tr("Risks"), formats.number(row.risk)),
        )
        x = float(left)
        for label, value in cells:
            TEXTS.draw(painter, theme, x, top + theme.px(11), label, theme.color("t3"), pixels=11)
            width = TEXTS.draw(painter, theme, x, top + theme.px(27), value, theme.color("t1"), pixels=13, weight=600)
            x += max(width, TEXTS.width(theme, label, 11)) + theme.px(12)
        label = tr("Worth after costs")
        worth = tr("not known yet") if row.worth is None else formats.signed(row.worth)
        role = "t3" if row.worth is None else direction_role(row.worth)
        if right - x >= TEXTS.width(theme, label, 11):
            TEXTS.draw(painter, theme, right, top + theme.px(11), label, theme.color("t3"), pixels=11, align="right")
        if right - x >= TEXTS.width(theme, worth, 13, 600):
            TEXTS.draw(
                painter,
                theme,
                right,
                top + theme.px(27),
                worth,
                theme.color(role),
                pixels=13,
                weight=600,
                align="right",
            )
        self._paint_sources(painter, top + theme.px(38), left, right)
        middle = top + theme.px(61)
        drift = ""
        if row.drift is not None:
            drift = tr("price {drift} since made", drift=formats.signed(row.drift))
            drift += f", {row.drift_atr:.1f} ATR" if row.drift_atr is not None else ""
        used = TEXTS.draw(painter, theme, right, middle, drift, theme.color("t2"), pixels=11, align="right")
        shown = TEXTS.elided(theme, record_text(row), right - left - used - theme.px(8), 11)
        TEXTS.draw(painter, theme, left, middle, shown, theme.color("t2"), pixels=11)

    def _paint_sources(self, painter: QPainter, top: float, left: float, right: float) -> None:
        theme, row = current_theme(), self.row
        middle = top + theme.px(7)
        time = self._time_text()
        width = TEXTS.draw(
            painter, theme, right, middle, time, theme.color(self._time_role()), pixels=13, weight=600, align="right"
        )
        right -= max(width, theme.px(34)) + theme.px(8)
        agree, said = agreement(row)
        if said:
            words = tr("{n} of {all} agree", n=agree, all=said)
            right -= TEXTS.draw(painter, theme, right, middle, words, theme.color("t2"), pixels=11, align="right")
            right -= theme.px(8)
        if row.sources and right - left > theme.px(60):
            draw_line(painter, theme, QRectF(left, top, right - left, theme.px(14)), row.sources)

    def _time_text(self) -> str:
        left = self.seconds_left
        return tr(self.row.state) if left is None and self.row.state not in OPEN_STATES else formats.duration(left)

    def _time_role(self) -> str:
        left = self.seconds_left
        return "t2" if left is None else "warn" if left < 60 else "t1"

    def _paint_brief(self, painter: QPainter, top: int) -> None:
        theme, row = current_theme(), self.row
        middle, x, right = top + theme.px(10), float(theme.px(12)), self.width() - theme.px(12)
        width = TEXTS.draw(
            painter,
            theme,
            right,
            middle,
            self._time_text(),
            theme.color(self._time_role()),
            pixels=13,
            weight=600,
            align="right",
        )
        right -= round(width) + theme.px(8)
        x += TEXTS.draw(painter, theme, x, middle, price_text(row.entry), theme.color("t1"), pixels=13, weight=600)
        words = " · ".join(
            part
            for part in (
                tr("stop {price}", price=price_text(row.stop)),
                tr("target {price}", price=price_text(row.target)),
                tr("risks {money}", money=formats.number(row.risk)),
                row.outcome,
            )
            if part
        )
        x += theme.px(8)
        TEXTS.draw(painter, theme, x, middle, TEXTS.elided(theme, words, right - x), theme.color("t2"))

    def _paint_objection(self, painter: QPainter, top: int) -> None:
        lines = self._objection_lines()
        if not lines:
            return
        theme, stand = current_theme(), self.standing
        role = "danger" if stand.hard else "warn"
        if self.row.state not in OPEN_STATES:
            role = "t3"
        box = QRect(
            theme.px(12), top + theme.px(4), self.width() - theme.px(24), theme.px(16) * len(lines) + theme.px(8)
        )
        painter.fillRect(box, theme.blend(role, 0.10))
        painter.fillRect(box.left(), box.top(), theme.px(3), box.height(), theme.color(role))
        x, y = float(box.left() + theme.px(11)), box.top() + theme.px(12)
        for number, line in enumerate(lines):
            at = x
            if number == 0 and stand.word and line.startswith(stand.word):
                if role != "t3":
                    at += draw_mark(painter, theme, at, y, "bad" if stand.hard else "warn") + theme.px(4)
                at += TEXTS.draw(painter, theme, at, y, stand.word, theme.color(role), weight=600)
                line = line[len(stand.word) :]
            TEXTS.draw(painter, theme, at, y, line, theme.color("t1"))
            y += theme.px(16)


def _wrapped(text: str, width: float, most: int) -> list[str]:
    """Break words into lines of at most ``width``; the last line is cut with an ellipsis."""
    theme = current_theme()
    lines: list[str] = []
    line = ""
    words = text.split()
    for number, word in enumerate(words):
        longer = f"{line} {word}".strip()
        # The bold head of the first line and its mark take more room than plain text.
        room = width - (theme.px(24) if not lines else 0)
        if line and TEXTS.width(theme, longer) > room:
            if len(lines) == most - 1:
                lines.append(TEXTS.elided(theme, " ".join([line, *words[number:]]), room))
                return lines
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines
