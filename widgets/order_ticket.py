"""The order ticket reads as a sentence. It asks the gate while one types and lets an order out once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from engine.model.decision import Denial, Verdict
from engine.model.market import Side
from engine.model.order import OrderRequest, TimeInForce
from widgets.figures import Figures
from widgets.inline_edit import read_number
from widgets.key_button import KeyButton
from widgets.objections import Objections
from widgets.theme import current_theme
from widgets.ticket_change import OrderChange, TicketChange
from widgets.ticket_draft import Around, Draft, SizeIn, from_request, problems, quantity, to_request
from widgets.ticket_extras import Algo
from widgets.ticket_figures import figures_of
from widgets.ticket_head import TicketHead
from widgets.ticket_preset import after_edit, place_legs, waits
from widgets.ticket_sentence import TicketSentence
from widgets.ticket_words import flatten_words, order_words
from widgets.words import keep_said, told, tr

PREVIEW_MS = 60
READ_MS = 400
"""What a second press confirms has stood there for so long."""
RETYPE = "G33"
"""The fat-finger rule is confirmed by typing the quantity again, not by a second press."""


class OrderTicket(QWidget):
    """Writes one :class:`OrderRequest`. Nothing leaves without a current verdict of the gate on what is shown."""

    preview_wanted = Signal(object)
    """OrderRequest: ask the gate what it would say."""
    send_wanted = Signal(object)
    """OrderRequest: emitted once per order; the intent id stays the same until :meth:`sent` is called."""
    dropped = Signal()
    draft_changed = Signal(object)
    """OrderRequest or None: for the ghost on chart and ladder."""
    symbol_typed = Signal(str)
    flatten_wanted = Signal(str)
    change_wanted = Signal()
    """Send the change of a working order that is shown."""

    def __init__(self, mint: Callable[[], str], parent: QWidget | None = None) -> None:
        """``mint`` returns a fresh intent id."""
        super().__init__(parent)
        self._mint = mint
        self._draft = Draft(intent=mint())
        self._around = Around()
        self._mode, self._account = "paper", ""
        self._verdict: Verdict | None = None
        self._risk_before: float | None = None
        self._blocked: tuple[str, str] = ("", "")
        self._sending = self._person_asked = False
        self._asked: OrderRequest | None = None
        self._second_press = False
        self._since = QElapsedTimer()
        """The first press, while :attr:`_second_press` is true."""
        self._said: Denial | None = None
        self._typed_amount = ""
        self._armed = ("", False)
        self._position = Decimal(0)
        self._change: OrderChange | None = None
        self._begin: Callable[[Draft, bool], Draft] = lambda draft, _sized: draft
        self._begun: Draft | None = None
        self._build()
        self._preview = QTimer(self)
        self._preview.setSingleShot(True)
        self._preview.setInterval(PREVIEW_MS)
        self._preview.timeout.connect(self._ask)
        self._fill()
        keep_said(self, self._say)

    def _say(self) -> None:
        self.setAccessibleName(tr("Order ticket"))
        self._outside.setText(tr("also outside regular hours"))
        self._retype.setPlaceholderText(tr("type the quantity again"))
        self._retype.setAccessibleName(tr("Type the quantity again"))
        self.drop_button.say(tr("Drop"))
        self.bar.say()
        self.sentence.say()
        self._show()

    # --- construction ------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.bar = TicketHead()
        self.head = self.bar.words
        self._outside = QCheckBox()
        self.sentence = TicketSentence(lambda: self._around.tick)
        self.sentence.end_with(self._outside)
        self.sentence.set_time(lambda: self._around.now_ns)
        self.change = TicketChange()
        self.figures = Figures()
        self.objections = Objections()
        self._retype = QLineEdit()
        self._retype.hide()
        self._reckoned = QLabel()
        self._reckoned.setTextFormat(Qt.TextFormat.PlainText)
        self._reckoned.setProperty("role", "secondary")
        self.send = KeyButton("", "Enter", "send")
        self.send.key_first, self.send.folds = False, True
        self.drop_button = KeyButton("", "Esc")
        self.drop_button.key_first = False
        self.flatten = KeyButton("", "Ctrl+0", "send")
        self.flatten.key_first, self.flatten.folds = False, True
        self.flatten.hide()
        self.flatten.clicked.connect(lambda: self.flatten_wanted.emit(self._draft.symbol))
        self._lay_out()
        self.sentence.edited.connect(self._on_edited)
        self.sentence.symbol_done.connect(self.symbol_typed)
        self._outside.toggled.connect(self._on_edited)
        self._retype.textEdited.connect(self._on_retyped)
        self.send.clicked.connect(self.press_send)
        self.drop_button.clicked.connect(self.drop)

    def _lay_out(self) -> None:
        theme = current_theme()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(theme.px(12), theme.px(6), theme.px(12), theme.px(4))
        column.setSpacing(theme.px(6))
        for part in (self.change, self.sentence, self.figures):
            column.addWidget(part)
        column.addStretch(1)
        self._area = area = QScrollArea()
        area.setWidget(body)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # What is said against the order stands over the button, out of what scrolls: a refusal is always seen.
        said = QVBoxLayout()
        said.setContentsMargins(theme.px(12), 0, theme.px(12), theme.px(2))
        said.setSpacing(theme.px(4))
        said.addWidget(self.objections)
        said.addWidget(self._retype)
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.px(12), theme.px(2), theme.px(12), theme.px(4))
        foot.setSpacing(theme.px(8))
        foot.addWidget(self.send, 1)
        foot.addWidget(self.drop_button)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.bar)
        box.addWidget(area, 1)
        box.addLayout(said)
        box.addLayout(foot)
        out = QHBoxLayout()
        out.setContentsMargins(theme.px(12), 0, theme.px(12), 0)
        out.addWidget(self.flatten)
        box.addLayout(out)
        box.addSpacing(theme.px(4))
        self.setFocusProxy(self.sentence.size_field)
        QWidget.setTabOrder(self.sentence.display, self._outside)
        QWidget.setTabOrder(self._outside, self._retype)
        QWidget.setTabOrder(self._retype, self.send)
        QWidget.setTabOrder(self.send, self.drop_button)

    # --- what others tell it -----------------------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        return self._draft

    def request(self) -> OrderRequest | None:
        """Return the order as it stands; None while a field is wrong or cannot be read."""
        # An unreadable stop is an empty one in the draft: it must not pass for an order without a stop.
        return to_request(self._draft, self._around) if self.sentence.readable(self._draft) else None

    def open_request(
        self, request: OrderRequest, source: str = "", preset: tuple[str, ...] = (), left: tuple[str, ...] = ()
    ) -> None:
        """Show a request, a suggestion to edit or what the keys staged; ``preset``, ``left``: what filled it."""
        if not self._sending and self.request() != request:
            self._take(replace(from_request(request, source), preset=preset, preset_left=left))

    def open_symbol(self, symbol: str) -> None:
        """Start on another symbol; the same symbol changes nothing, and an order being sent is left alone."""
        if symbol != self._draft.symbol and not self._sending:
            keep = self._draft
            size = keep.size if keep.size_in is SizeIn.SHARES and not keep.preset else None
            tif = TimeInForce.DAY if keep.preset else keep.tif
            # The quote known here is the other symbol's: nothing is put at a distance from it.
            draft = Draft(intent=self._mint(), symbol=symbol, side=keep.side, size=size, tif=tif)
            self._take(self._begin(draft, True), begins=True)

    def set_begin(self, begin: Callable[[Draft, bool], Draft]) -> None:
        """Let ``begin(draft, sized)`` fill what an empty order begins with: presets."""
        self._begin = begin

    def renew(self) -> None:
        """Begin anew where nobody has touched what the order began with: presets or the broker's offer changed."""
        if self._draft == self._begun and not self._sending:
            plain = Draft(intent=self._mint(), symbol=self._draft.symbol, side=self._draft.side)
            self._take(place_legs(self._begin(plain, True), self._around), begins=True)

    def fill_in(self, fill: Callable[[Draft], Draft]) -> None:
        """Let a person's choice fill in fields of what is written: a preset by name."""
        if not self._sending:
            self._take(place_legs(fill(replace(self._draft, intent=self._mint())), self._around))

    def set_side(self, side: Side) -> None:
        """Turn the order."""
        self.sentence.side.choose(side.value)

    def set_market(self, around: Around) -> None:
        """Set quote, tick and equity; sizes in money are reckoned again, and the gate is asked when they changed."""
        if around == self._around and not waits(self._draft):
            return
        before = (self.request(), problems(self._draft, self._around))
        self._around = around
        self._place_waiting()
        after = (self.request(), problems(self._draft, self._around))
        if after == before:
            return  # a quote that changes nothing costs nothing
        if after[0] != before[0]:
            self._verdict, self._second_press = None, False
            self._preview.start()
            self.draft_changed.emit(after[0])
        self._show()

    def _place_waiting(self) -> None:
        # Once placed they stay, whatever the quotes do: what is read is what is sent.
        if waits(self._draft) and not self._sending:
            placed = place_legs(self._draft, self._around)
            self._begun = placed if self._begun == self._draft else self._begun
            self._draft = placed
            self.sentence.fill_legs(placed)

    def offer(self, types: Sequence[str], tifs: Sequence[str], algos: Sequence[Algo]) -> None:
        """Offer what the broker in use takes, and the algorithms of the engine; nothing else is shown."""
        self.sentence.offer(types, tifs, algos)
        self._show()

    def set_position(self, size: Decimal) -> None:
        """Set what is held of the symbol: when the gate denies an order, the way out is offered beside it."""
        if size != self._position:
            self._position = size
            self._show_button()

    def set_book(self, mode: str, account: str) -> None:
        """Set whose money it is: paper, live or replay, and the account's short name. A change disarms what is open."""
        if (mode, account) != (self._mode, self._account):
            self._mode, self._account = mode, account
            self._verdict, self._second_press = None, False
            self._preview.start()
            self._show()

    def set_blocked(self, code: str, text: str) -> None:
        """Say why nothing may be sent now, whatever the gate says; empty lifts it."""
        if (code, text) != self._blocked:
            self._blocked = (code, text)
            self._show()

    def set_change(self, change: OrderChange | None) -> None:
        """Show the change of a working order instead of the sentence; None brings the sentence back."""
        if change != self._change:
            self._change = change
            for part in (self.sentence, self.figures):
                part.setVisible(change is None)
            self._show()

    def set_armed(self, text: str, armed: bool) -> None:
        """Show the state of the keys: `keys armed 4:31`."""
        self._armed = (text, armed)
        self.bar.show_words(self._draft, *self._armed)

    def set_verdict(self, verdict: Verdict, asked: OrderRequest, risk_used_before: float | None = None) -> None:
        """Take the gate's answer to ``asked``; an answer to an older wording is dropped."""
        if asked != self._asked or asked != self.request() or verdict.request.intent_id != asked.intent_id:
            return
        self._verdict, self._risk_before = verdict, risk_used_before
        self._second_press = False
        self._show()

    def ask_person(self, on: bool) -> None:
        """Say that the order waits for a person's yes, or goes to the engine now."""
        self._person_asked = on
        self._show()

    def give_back(self) -> None:
        """The person said no: the order stands as it is written, and the gate is asked anew."""
        self._sending = self._person_asked = self._second_press = False
        self._verdict, self._asked = None, None
        self._preview.start()
        self._show()

    def sent(self, ok: bool, text: str = "", denials: tuple[Denial, ...] = ()) -> None:
        """Report what became of the order. Sent: the ticket empties. Refused: it stays, with the reasons."""
        self._sending = self._person_asked = False
        if ok:
            self._take_empty(self._draft.side, self._draft.tif)
            return
        self._draft = replace(self._draft, intent=self._mint())
        self._verdict, self._asked = None, None
        self._said = Denial(code=denials[0].code if denials else tr("Not sent"), text=text or tr("no reason was given"))
        self._preview.start()
        self._show()

    def drop(self) -> None:
        """Forget what is written; nothing is sent, nothing kept. A change is dropped before the order under it."""
        if self._change is not None:
            self.dropped.emit()
        elif not self._sending:
            self._take_empty(Side.BUY, TimeInForce.DAY)
            self.dropped.emit()

    def _take_empty(self, side: Side, tif: TimeInForce) -> None:
        # Without the size of a preset: a second Enter would send the same again.
        draft = Draft(intent=self._mint(), symbol=self._draft.symbol, side=side, tif=tif)
        self._take(place_legs(self._begin(draft, False), self._around), begins=True)

    # --- editing -----------------------------------------------------------------------------------------------

    def _take(self, draft: Draft, *, begins: bool = False) -> None:
        self._begun = draft if begins else None
        self._draft = draft
        self._verdict, self._asked, self._said = None, None, None
        self._second_press, self._typed_amount = False, ""
        self._retype.clear()
        self._fill()
        self._preview.start()
        self._show()
        self.draft_changed.emit(self.request())

    def _fill(self) -> None:
        self.sentence.fill(self._draft)
        blocked = self._outside.blockSignals(True)
        self._outside.setChecked(self._draft.outside_rth)
        self._outside.blockSignals(blocked)

    def _on_edited(self, *_: Any) -> None:
        if self._sending:
            self._fill()
            return
        read = replace(self.sentence.read(self._draft), outside_rth=self._outside.isChecked())
        self._draft = after_edit(self._draft, read, self._around)
        if self._draft is not read:
            self.sentence.fill_legs(self._draft)
        # Whatever the gate said was said of another order.
        self._verdict, self._said = None, None
        self._second_press, self._typed_amount = False, ""
        self._retype.clear()
        self._preview.start()
        self._show()
        self.draft_changed.emit(self.request())

    def _on_retyped(self, text: str) -> None:
        self._typed_amount = text
        self._show()

    def _ask(self) -> None:
        request = self.request()
        self._asked = request
        if request is not None and not self._sending:
            self.preview_wanted.emit(request)

    # --- sending -----------------------------------------------------------------------------------------------

    def _standing(self) -> tuple[str, str]:
        """Return (code, reason) why it cannot be sent now; both empty when it can."""
        wrong = problems(self._draft, self._around)
        if self._blocked[1]:
            return self._blocked[0], told(self._blocked[1])
        if self._change is not None:
            return "", "" if self._change.moved else tr("nothing is changed yet")
        if wrong or not self.sentence.readable(self._draft):
            return "", tr("not complete")
        if self._verdict is None:
            return "", tr("asking the gate…")
        hard = [denial for denial in self._verdict.denials if denial.hard]
        if hard:
            return hard[0].code, told(hard[0].text)
        if self._must_retype() and not self._retyped():
            return RETYPE, tr("type the quantity again")
        return "", ""

    def _soft(self) -> tuple[str, ...]:
        if self._verdict is None:
            return ()
        return tuple(dict.fromkeys(denial.code for denial in self._verdict.denials if not denial.hard))

    def _must_retype(self) -> bool:
        return RETYPE in self._soft()

    def _retyped(self) -> bool:
        return read_number(self._typed_amount) == quantity(self._draft, self._around)

    def press_send(self) -> None:
        """Send if nothing is against it; soft objections want a second press (G33: the quantity typed again)."""
        if self._sending:
            return
        _, why = self._standing()
        if why:
            self._show()
            return
        if self._change is not None:
            self.change_wanted.emit()
            return
        soft = self._soft()
        if [code for code in soft if code != RETYPE]:
            if not self._second_press:
                self._second_press = True
                self._since.start()
                self._show()
                return
            if self._since.elapsed() < READ_MS:
                return  # a second press in haste has not read what it confirms
        request = to_request(self._draft, self._around, confirmed=soft)
        if request is None:
            return
        self._sending = True
        self._show()
        self.send_wanted.emit(request)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_room()

    def _fit_room(self) -> None:
        """Give the objections what the order itself leaves; the order scrolls before the first of them does."""
        theme = current_theme()
        parts = (self.head, self.change, self.sentence, self.figures, self._retype, self.send, self.flatten)
        taken = sum(part.height() + theme.px(6) for part in parts if not part.isHidden())
        self.objections.set_room(max(theme.px(46), self.height() - taken - theme.px(12)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.drop()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self.press_send()
        else:
            super().keyPressEvent(event)

    # --- showing -----------------------------------------------------------------------------------------------

    def _show(self) -> None:
        wrong = problems(self._draft, self._around)
        self.sentence.show_draft(self._draft, quantity(self._draft, self._around), wrong)
        self._show_words(wrong)
        self._show_button()
        self._fit_room()

    def _show_words(self, wrong: dict[str, str]) -> None:
        verdict = self._verdict
        blocked = [Denial(code=self._blocked[0], text=self._blocked[1])] if self._blocked[1] else []
        self.change.show_change(self._change)
        if self._change is not None:
            self._retype.hide()
            self.objections.show_items(blocked)
            return
        made = figures_of(verdict, self._draft, self._around, self._risk_before) if verdict is not None else []
        self.figures.show_figures(made)
        notes = list(dict.fromkeys(wrong.values())) if self._draft.size is not None and self._draft.symbol else []
        if verdict is not None and not verdict.denials and not verdict.warnings and not self._blocked[1]:
            notes.append(tr("All limits pass."))
        denials = (*blocked, *filter(None, [self._said]), *(verdict.denials if verdict is not None else ()))
        self.objections.show_items(denials, verdict.warnings if verdict is not None else (), " ".join(notes))
        # Nothing is confirmed while something is denied.
        self._retype.setVisible(self._must_retype() and not any(denial.hard for denial in denials))

    def _show_button(self) -> None:
        whose = f"{self._mode.upper()} {self._account}".strip()
        code, why = self._standing()
        order = order_words(self._draft, self._around)
        self.send.set_mode(self._mode)
        if self._person_asked:
            self.send.say(tr("Waiting for your answer"), enabled=False)
        elif self._sending:
            self.send.say(tr("Sending to {whose}…", whose=whose), enabled=False)
        elif self._change is not None and not why:
            self.send.say(tr("Send the change to {whose}", whose=whose))
        elif self._second_press:
            codes = " ".join(code for code in self._soft() if code != RETYPE)
            self.send.say(tr("Confirm {codes}: {order} · {whose}", codes=codes, order=order, whose=whose))
        elif code:
            self.send.say(tr("Send {whose} · blocked by {code}", whose=whose, code=code), blocked=True)
        elif why:
            self.send.say(tr("Send to {whose} · {why}", whose=whose, why=why), blocked=True)
        else:
            self.send.say(f"{order} · {whose}")
        self.drop_button.setEnabled(not self._sending)
        # Reducing is never held back by what holds back an entry.
        denied = bool(code) and self._position != 0
        self.flatten.setVisible(denied)
        if denied:
            self.flatten.set_mode(self._mode)
            self.flatten.say(flatten_words(whose, self._position, self._draft.symbol))
        self.bar.show_words(self._draft, *self._armed)
