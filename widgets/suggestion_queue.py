"""The queue of suggestions: read, approve, edit, reject, each with one key while the queue has the focus."""

from collections.abc import Iterable
from decimal import Decimal

from PySide6.QtCore import QElapsedTimer, QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.api.commands import REASON_CODES
from engine.api.rows import SuggestionRow
from widgets.cells import side_text
from widgets.empty_state import EmptyState
from widgets.following_area import FollowingArea
from widgets.pane_head import PaneHead
from widgets.passing_note import PassingNote
from widgets.suggestion_card import SuggestionCard
from widgets.suggestion_standing import OPEN_STATES, Guards
from widgets.words import keep_said, tr

CHANGED_MS = 400
"""A card that changed under the finger is not approved by the press that was meant for the old one."""
SNOOZE_S = 300.0
_DONE_AT_MOST = 100


class SuggestionQueue(QWidget):
    """Cards by key. Emits what the person answered; the presenter sends it and reports failure back."""

    approve = Signal(str, str, tuple)
    """Id, approval hash of what is displayed, codes of soft limits confirmed by a second press."""
    edit = Signal(str)
    refuse = Signal(str, str)
    """Id and one of REASON_CODES."""
    snooze = Signal(str, float)
    approve_if = Signal(str, str, object, float)
    """Id, approval hash, price (Decimal), seconds."""
    requote = Signal(str)
    evidence = Signal(str)
    """Space: show why."""
    chosen = Signal(str)
    """The selected card changed (id, or empty)."""
    counts_changed = Signal(int, int)
    """Open, done."""

    def __init__(self, guards: Guards | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._rows: dict[str, SuggestionRow] = {}
        self._cards: dict[str, SuggestionCard] = {}
        self._current = ""
        self._guards = guards or Guards()
        self._now = 0
        self._mode, self._account = "paper", ""
        self._clock = QElapsedTimer()
        self._clock.start()
        self._changed_at: dict[str, int] = {}
        self.head = PaneHead([("open", ""), ("done", "")])
        self.head.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area = FollowingArea()
        self._note = PassingNote()
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._area.setWidget(self._inside)
        self._empty = EmptyState()
        keep_said(self, self._say)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.head)
        box.addWidget(self._empty, 1)
        box.addWidget(self._area, 1)
        box.addWidget(self._note)
        self.head.tab_changed.connect(lambda _: self._arrange())
        self._arrange()

    def _say(self) -> None:
        self.setAccessibleName(tr("Suggestions"))
        self.head.set_tabs([("open", tr("Open")), ("done", tr("Done", "suggestions"))])
        self.head.set_notes([(tr("next"), "J"), (tr("prev"), "K"), (tr("evidence"), "Space")])
        self._empty.set_words(
            tr("No open suggestions"), tr("When the agent finds a trade it appears here and waits for your answer.")
        )
        self._note.hide()

    # --- data --------------------------------------------------------------------------------------------------

    def apply(self, rows: Iterable[SuggestionRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed rows of the table ``suggestions``."""
        fresh = list(rows)
        if reset:
            kept = {row.key for row in fresh}
            removed = [key for key in self._rows if key not in kept]
        moved = False
        for key in removed:
            moved = self._rows.pop(key, None) is not None or moved
            self._changed_at.pop(key, None)
        for row in fresh:
            before = self._rows.get(row.key)
            self._rows[row.key] = row
            if before is None or before.state != row.state:
                moved = True
            if before is None or before.approval_hash != row.approval_hash or before.state != row.state:
                self._changed_at[row.key] = self._clock.elapsed()
            card = self._cards.get(row.key)
            if card is not None and before != row:
                if before is not None and (before.approval_hash, before.state) != (row.approval_hash, row.state):
                    card.waiting = card.said = ""
                    card.asks_again = False
                card.set_row(row)
        if moved:
            before = self._current
            self._arrange()
            if before and before != self._current:
                self._tell_of_the_gone(before)

    def set_now(self, now_ns: int) -> None:
        """Set the engine's time (UTC ns); cards grow older by it."""
        self._now = now_ns
        self._tell_cards()

    def set_book(self, mode: str, account: str) -> None:
        """Set whose money an approval moves: paper, live or replay, and the account's short name."""
        self._mode, self._account = mode, account
        self._tell_cards()

    def set_blocked(self, why: str) -> None:
        """Say why nothing can be approved now; empty lifts it."""
        self._guards = Guards(drift_atr=self._guards.drift_atr, drift_percent=self._guards.drift_percent, blocked=why)
        self._tell_cards()

    def failed(self, suggestion_id: str, text: str) -> None:
        """Show that an answer was not taken, and why; the card can be answered again."""
        card = self._cards.get(suggestion_id)
        if card is not None:
            card.waiting, card.said = "", text
            card.refresh()

    def _tell_cards(self) -> None:
        for card in self._cards.values():
            card.set_context(self._now, self._guards, self._mode, self._account)

    # --- arrangement -------------------------------------------------------------------------------------------

    def shown_keys(self) -> list[str]:
        """Return the keys of the cards of the current tab, top down."""
        wanted = self.head.current == "open"
        keys = [key for key, row in self._rows.items() if (row.state in OPEN_STATES) == wanted]
        keys.sort(key=lambda key: (-self._rows[key].made_ns, key))
        return keys if wanted else keys[:_DONE_AT_MOST]

    def _arrange(self) -> None:
        keys = self.shown_keys()
        below = self._neighbour()
        for key in [key for key in self._cards if key not in keys]:
            card = self._cards.pop(key)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for place, key in enumerate(keys):
            card = self._cards.get(key)
            if card is None:
                card = self._cards[key] = self._make(key)
            if self._column.indexOf(card) != place:
                self._column.insertWidget(place, card)
        if self._current not in keys:
            self._select(below if below in keys else (keys[0] if keys else ""))
        open_ = sum(row.state in OPEN_STATES for row in self._rows.values())
        self.head.set_count("open", open_)
        self.head.set_count("done", len(self._rows) - open_)
        self._empty.setVisible(not keys)
        self._area.setVisible(bool(keys))
        self.counts_changed.emit(open_, len(self._rows) - open_)

    def _neighbour(self) -> str:
        """Return the card that takes over when the current one leaves: the next below, else above."""
        order = [
            item.widget().row.key
            for place in range(self._column.count())
            if (item := self._column.itemAt(place)) is not None and isinstance(item.widget(), SuggestionCard)
        ]
        keys = set(self.shown_keys())
        if self._current not in order:
            return ""
        at = order.index(self._current)
        return next((key for key in (*order[at + 1 :], *reversed(order[:at])) if key in keys), "")

    def _tell_of_the_gone(self, key: str) -> None:
        """Say what became of the card that was selected, and which is selected now."""
        row = self._rows.get(key)
        what = f"{key} {side_text(row.side)} {row.symbol}: {tr(row.state)}" if row else tr("{key} is gone", key=key)
        now = self._rows.get(self._current)
        if now is not None:
            what += ". " + tr("Selected now: {key}", key=f"{now.key} {side_text(now.side)} {now.symbol}")
        self._note.tell(what)

    def _make(self, key: str) -> SuggestionCard:
        card = SuggestionCard(self._rows[key], self._inside)
        card.pressed.connect(self._on_pressed)
        card.acted.connect(self._on_acted)
        card.reason_chosen.connect(self._on_reason)
        card.if_taken.connect(self._on_if)
        card.set_context(self._now, self._guards, self._mode, self._account)
        card.show()
        return card

    # --- selection ---------------------------------------------------------------------------------------------

    @property
    def current(self) -> str:
        """Key of the selected card, or empty."""
        return self._current

    def select(self, key: str) -> bool:
        """Select a card, on the other tab if it is there; False when it is unknown."""
        row = self._rows.get(key)
        if row is None:
            return False
        self.head.set_current("open" if row.state in OPEN_STATES else "done")
        self._select(key)
        return True

    def _select(self, key: str) -> None:
        if key != self._current:
            before = self._cards.get(self._current)
            if before is not None:
                before.set_selected(False)
            self._current = key
            if key:
                # What has just come under the finger was not what the finger meant.
                self._changed_at[key] = max(self._changed_at.get(key, 0), self._clock.elapsed())
            self.chosen.emit(key)
        card = self._cards.get(key)
        if card is not None:
            card.set_selected(True)
            self._column.activate()
        self._area.follow(card)

    def step(self, by: int) -> None:
        """Select the next (+1) or previous (-1) card."""
        keys = self.shown_keys()
        if keys:
            at = keys.index(self._current) + by if self._current in keys else 0
            self._select(keys[max(0, min(len(keys) - 1, at))])
            self._changed_at[self._current] = self._clock.elapsed() - CHANGED_MS

    def _on_pressed(self, key: str) -> None:
        self._select(key)
        self._changed_at[key] = self._clock.elapsed() - CHANGED_MS
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    # --- answers -----------------------------------------------------------------------------------------------

    def act(self, letter: str) -> None:
        """Do what a key of the queue does to the selected card: A, E, C, Z, R, X or Space."""
        card = self._cards.get(self._current)
        if card is None:
            return
        if letter == "Space":
            self.evidence.emit(self._current)
            return
        if card.row.state not in OPEN_STATES or card.waiting:
            return
        if letter == "A":
            self._approve(card)
        elif letter == "E":
            self.edit.emit(self._current)
        elif letter == "C" and card.standing.approvable:
            card.ask_condition()
        elif letter == "Z" and not card.standing.requote:
            left = card.seconds_left
            if left is not None and left > 2:
                self.snooze.emit(self._current, min(SNOOZE_S, left / 2))
        elif letter == "R" and card.standing.requote:
            self._wait(card, tr("re-quote"))
            self.requote.emit(self._current)
        elif letter == "X":
            card.ask_reason()

    def _on_acted(self, key: str, letter: str) -> None:
        if key != self._current:
            self._select(key)
            self._changed_at[key] = self._clock.elapsed() - CHANGED_MS
        self.act(letter)

    def _approve(self, card: SuggestionCard) -> None:
        # The card may have grown stale since its last repaint: judge it once more as it stands.
        card.refresh()
        if not card.standing.approvable:
            return
        key = card.row.key
        if self._clock.elapsed() - self._changed_at.get(key, 0) < CHANGED_MS:
            card.said = tr("It has just changed: look, then press again.")
            card.refresh()
            return
        if not self._in_sight(card):
            self._area.follow(card)
            card.said = tr("Not all of it was in sight: look, then press again.")
            card.refresh()
            return
        if card.standing.confirm and not card.asks_again:
            card.asks_again = True
            self._changed_at[key] = self._clock.elapsed()  # a second press in haste has not read what it confirms
            card.refresh()
            return
        self._wait(card, tr("approve"))
        self.approve.emit(key, card.row.approval_hash, card.standing.confirm)

    def _in_sight(self, card: SuggestionCard) -> bool:
        view = self._area.viewport()
        if not view.isVisible() or card.height() > view.height():
            return view.isVisible()
        return self._area.shows(card)

    def _wait(self, card: SuggestionCard, what: str) -> None:
        card.waiting, card.said, card.asks_again = what, "", False
        card.refresh()

    def _on_reason(self, key: str, code: str) -> None:
        card = self._cards.get(key)
        if card is not None and not card.waiting:
            card.close_prompts()
            self._wait(card, tr("reject"))
            self.refuse.emit(key, code)

    def _on_if(self, key: str, price: Decimal, seconds: float) -> None:
        card = self._cards.get(key)
        if card is None:
            return
        card.close_prompts()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        if card.standing.approvable:
            self._wait(card, tr("approve if"))
            self.approve_if.emit(key, card.row.approval_hash, price, seconds)

    # --- keys: only while the queue has the focus --------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        none = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        key = Qt.Key(event.key())
        if not none:
            super().keyPressEvent(event)
            return
        if key in (Qt.Key.Key_J, Qt.Key.Key_Down):
            self.step(1)
        elif key in (Qt.Key.Key_K, Qt.Key.Key_Up):
            self.step(-1)
        elif event.isAutoRepeat():
            return  # a held key answers once
        elif self._reason_key(key):
            return
        elif key == Qt.Key.Key_Escape and self._prompt_open():
            self._cards[self._current].close_prompts()
        elif key == Qt.Key.Key_Space:
            self.act("Space")
        elif key in _LETTERS:
            self.act(_LETTERS[key])
        else:
            super().keyPressEvent(event)

    def _prompt_open(self) -> bool:
        card = self._cards.get(self._current)
        return card is not None and (card.prompting or card.asks_again)

    def _reason_key(self, key: Qt.Key) -> bool:
        card = self._cards.get(self._current)
        if card is None or not card.asking_reason:
            return False
        digit = int(key) - int(Qt.Key.Key_1)
        codes = list(REASON_CODES)
        if 0 <= digit < len(codes):
            self._on_reason(self._current, codes[digit])
            return True
        return False

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.head.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_cards"):
            self._tell_cards()


_LETTERS = {
    Qt.Key.Key_A: "A",
    Qt.Key.Key_E: "E",
    Qt.Key.Key_C: "C",
    Qt.Key.Key_Z: "Z",
    Qt.Key.Key_R: "R",
    Qt.Key.Key_X: "X",
}
