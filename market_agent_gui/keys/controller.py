"""Turns key events of every window into actions. The one place where a press is judged."""

import logging
from collections.abc import Callable

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QWindow
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

from market_agent_gui.actions import BY_ID, ActionSpec, Risk, key_text
from market_agent_gui.commander import Commander
from market_agent_gui.keys.arming import Arming
from market_agent_gui.keys.fresh import WHY, FreshKeys
from market_agent_gui.keys.guard import Drop, PressGuard, Repeats
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.log import KeyLog
from market_agent_gui.translate import say

log = logging.getLogger(__name__)

HOLD_MS = 1000
LET_GO_MS = 60
"""A key that is held may seem to be let go for a moment; only then is it."""
_RUSSIAN = dict(zip("ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ", "`QWERTYUIOP[]ASDFGHJKL;'ZXCVBNM,.", strict=True))
"""A key of the Russian layout means what is printed in Latin on the same cap: Ctrl and Ю is STOP."""
_ALONE = {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr}


def key_of(event: QKeyEvent) -> str:
    """Return the portable spelling of a press, empty for a modifier alone or a key without a name."""
    key = event.key()
    if key in _ALONE or key in (0, int(Qt.Key.Key_unknown)):
        return ""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    latin = _RUSSIAN.get(chr(key)) if 0x400 <= key < 0x500 else None
    if latin is not None:
        key = ord(latin)
    elif key == Qt.Key.Key_Backtab:
        key, modifiers = Qt.Key.Key_Tab, modifiers | Qt.KeyboardModifier.ShiftModifier
    elif key == Qt.Key.Key_Enter:
        key = Qt.Key.Key_Return
    combination = QKeyCombination(modifiers, Qt.Key(key))
    return QKeySequence(combination).toString(QKeySequence.SequenceFormat.PortableText)


def takes_text(widget: QObject | None) -> bool:
    """Whether typing into ``widget`` writes text."""
    if isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit):
        return not widget.isReadOnly()
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QAbstractSpinBox)


def owns_keys(widget: QObject | None) -> bool:
    """Whether a pane around ``widget`` gives its own meaning to plain keys (ticket, queue)."""
    return _within(widget, "ownsKeys")


def writes(widget: QObject | None) -> bool:
    """Whether ``widget`` is where one writes at length: keys of other editors are pressed there by habit."""
    return _within(widget, "writesText")


def keeps(widget: QObject | None, key: str) -> bool:
    """Whether a pane around ``widget`` has a meaning of its own for this key, modifiers and all."""
    while widget is not None:
        if key in (widget.property("keepsKeys") or ()):
            return True
        widget = widget.parent()
    return False


def in_chart(widget: QObject | None) -> bool:
    """Whether ``widget`` is part of a chart."""
    return _within(widget, "chartKeys")


def takes_letters(widget: QObject | None) -> bool:
    """Whether letters filter the table around ``widget``."""
    return _within(widget, "takesLetters")


def _within(widget: QObject | None, mark: str) -> bool:
    while widget is not None:
        if widget.property(mark):
            return True
        widget = widget.parent()
    return False


class KeyController(QObject):
    """Filters the key events of whichever window has the focus. Presses it knows never reach a widget.

    It sits on windows, not on the application: there every paint and timer of the program would pass through Python.
    """

    letter_typed = Signal(str)
    """A letter where none means anything else: the beginning of a symbol."""
    escaped = Signal()
    """The key that drops a staged order, with none staged."""
    hold_changed = Signal(str, bool)
    """An action whose key is being held began (True) or ended (False)."""

    def __init__(
        self,
        app: QApplication,
        commander: Commander,
        arming: Arming,
        guard: PressGuard,
        key_log: KeyLog,
        *,
        staged_intent: Callable[[], str],
        locked: Callable[[], bool],
        fresh: FreshKeys,
        claimed: Callable[[ActionSpec, str], str] = lambda _spec, _key: "",
        minted: Callable[[], str] = str,
        confirm: Callable[[ActionSpec, str], tuple[str, bool]] = lambda _spec, _key: ("", False),
        risk: Callable[[ActionSpec], Risk] = lambda spec: spec.risk,
    ) -> None:
        """``staged_intent`` names the staged order's intent, empty when none is staged; ``minted`` the newest intent.
        ``claimed`` says why a key that somebody outside has may not act, empty when it may. ``confirm`` says what a
        second press would do, where a person wants to confirm it, and whether this press is the second. ``risk`` is
        what an action may do to the book as things stand."""
        super().__init__(app)
        self.keys = KeyMap()
        self.rehearsing = False
        """While rehearsing, keys that would send are told, not obeyed."""
        self._commander = commander
        self._arming = arming
        self._guard = guard
        self._log = key_log
        self._staged_intent = staged_intent
        self._locked = locked
        self._fresh = fresh
        self._claimed = claimed
        self._minted = minted
        self._confirm = confirm
        self._risk = risk
        self._repeats = Repeats()
        self._held = ""
        self._outside = False
        """What is held is heard from the system, not from a window."""
        self._hold = QTimer(self, singleShot=True, interval=HOLD_MS)
        self._hold.timeout.connect(self._on_held)
        self._letting_go = QTimer(self, singleShot=True, interval=LET_GO_MS)
        self._letting_go.timeout.connect(self._end_hold)
        self._window: QWindow | None = None
        commander.objection = self.objection
        app.focusWindowChanged.connect(self._on_focus_window)
        # The window is on the screen, and may have the focus, before its keys are known.
        self._listen_to(app.focusWindow())

    def close(self) -> None:
        """Stop listening."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self._listen_to(None)
            app.focusWindowChanged.disconnect(self._on_focus_window)
        self._hold.stop()
        self._letting_go.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) or not isinstance(event, QKeyEvent):
            return False
        cap = event.nativeScanCode() or event.key()
        if kind == QEvent.Type.KeyRelease:
            if not event.isAutoRepeat():
                self._repeats.release(cap, event.timestamp())
                if self._held and self.keys.key(self._held) == key_of(event):
                    self._letting_go.start()
            return False
        missed = not event.isAutoRepeat() and self._repeats.is_repeat(cap, event.timestamp())
        target = QApplication.focusWidget() or QApplication.activeWindow()
        action = self._resolve(target, event) if target is not None else None
        if action is None:
            if key_of(event) == self.keys.key("send") and not event.isAutoRepeat():
                self._guard.stray()
            if key_of(event) == self.keys.key("drop"):
                self.escaped.emit()
            letter = self._letter(target, event) if target is not None and not missed else ""
            if letter:
                self.letter_typed.emit(letter)
            # For a widget it would be a press of its own: Enter in the ticket, A in the queue.
            return bool(letter) or missed
        self.press(action, key_of(event), auto_repeat=event.isAutoRepeat() or missed)
        return True

    def _resolve(self, watched: QWidget, event: QKeyEvent) -> str | None:
        key = key_of(event)
        if not key:
            return None
        window = watched.window()
        records = window is not None and window.property("recordsKeys")
        staged = bool(self._staged_intent()) and not owns_keys(watched)
        action = self.keys.find(key, staged=staged, in_text=takes_text(watched), chart=in_chart(watched))
        if action is None or not self._commander.knows(action):
            return None
        if records and BY_ID[action].risk is not Risk.SAFETY:
            return None  # a key that stops does so here too: in this window nobody reaches the button
        sends = BY_ID[action].risk in (Risk.ADDS, Risk.REDUCES)
        if keeps(watched, key) or (sends and writes(watched)):
            return None
        popup = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if (popup is not None or self._locked()) and BY_ID[action].risk is not Risk.SAFETY:
            return None
        return action

    def _letter(self, target: QWidget, event: QKeyEvent) -> str:
        """Return the letter that begins a symbol, empty where it has another meaning or nobody may type."""
        key = key_of(event).removeprefix("Shift+")
        if len(key) != 1 or not key.isascii() or not key.isalpha() or event.isAutoRepeat():
            return ""
        window, popup = target.window(), QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if popup is not None or self._locked() or isinstance(window, QDialog) or window.property("recordsKeys"):
            return ""
        taken = takes_text(target) or owns_keys(target) or takes_letters(target) or isinstance(target, QComboBox)
        return "" if taken else key

    def press(self, action: str, key: str, *, auto_repeat: bool = False) -> None:
        """Judge one press and act on it."""
        spec = BY_ID[action]
        intent = self._staged_intent()
        if spec.holds:
            if self._held == action:
                self._letting_go.stop()
            elif not auto_repeat and not self._held:
                self._held = action
                self._hold.start()
                self.hold_changed.emit(action, True)
            return
        risk = self._risk(spec)
        drop = self._guard.judge(action, risk, auto_repeat=auto_repeat)
        if drop is not None:
            if drop is not Drop.REPEAT or self._log.last != (action, drop.value):
                self._log.add(key, action, intent, drop.value)  # a held key is one line, not thirty a second
            return
        if reason := self._claimed(spec, key) or self.objection(spec):
            self._log.add(key, action, intent, reason)
            self._commander.refused.emit(action, reason)
            return
        reads, confirmed = self._confirm(spec, key)
        if reads:
            self._log.add(key, action, intent, reads)
            self._commander.refused.emit(action, reads)
            return
        if risk is Risk.ADDS and not confirmed and self._fresh.asks(intent or action):
            again = say(
                "{why}: press {key} again to send ({n} orders to confirm)",
                why=say(WHY[self._fresh.why]),
                key=key_text(key),
                n=self._fresh.left,
            )
            self._log.add(key, action, intent, again)
            self._commander.refused.emit(action, again)
            return
        before = self._minted()
        done = self._commander.run(action, "key")
        if done and risk is Risk.ADDS:
            self._fresh.sent()
        minted = self._minted()
        if minted != before:
            intent = minted  # of what this press has begun: another order is staged, or a position is closed
        elif risk in (Risk.REDUCES, Risk.SAFETY):
            intent = ""  # what is staged has no part in it
        self._log.add(key, action, intent, "done" if done else "refused")

    def hold_outside(self, down: bool) -> None:
        """STOP's held key was pressed or let go, whoever has the focus."""
        if down:
            self._outside = not self._held or self._outside
            self.press("stop_hold", self.keys.key("stop_hold"))
        elif self._held and self._outside:
            self._letting_go.start()

    def objection(self, spec: ActionSpec) -> str:
        """Say why an action that reaches the broker may not run now: rehearsal, or not armed."""
        risk = self._risk(spec)
        if self.rehearsing and risk in (Risk.ADDS, Risk.REDUCES):
            return say("rehearsal: nothing is sent")
        if risk is Risk.ADDS and not self._arming.armed:
            key = key_text(self.keys.key("arm")) or say(BY_ID["arm"].title)
            return say("not armed ({reason}): press {key}", reason=self._arming.reason, key=key)
        return ""

    def _on_held(self) -> None:
        action = self._held
        self._log.add(self.keys.key(action), action, "", "held")
        self._commander.run(action, "key")

    def _end_hold(self) -> None:
        action, self._held = self._held, ""
        self._outside = False
        self._hold.stop()
        self._letting_go.stop()
        self.hold_changed.emit(action, False)

    def _on_focus_window(self, window: QWindow | None) -> None:
        self._listen_to(window)
        if window is None:
            self._arming.disarm(lambda: say("the window lost the focus"))
            if self._held and not self._outside:
                self._end_hold()

    def _listen_to(self, window: QWindow | None) -> None:
        if self._window is not None and isValid(self._window):
            self._window.removeEventFilter(self)
        self._window = window
        if window is not None:
            window.installEventFilter(self)
