"""Mode, autonomy and what tripped: lowered at a click, raised only with a reason and, where one is set, the PIN."""

from PySide6.QtCore import QObject, Signal

from engine.api.commands import AnyCommand, Receipt, Resume, SetAutonomy, SetMode
from engine.model.decision import Autonomy, Mode
from market_agent_gui.bridge import EngineBridge
from market_agent_gui.commander import Refusal
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.mode_frame import account_tail
from market_agent_gui.presenters.asking import Asking
from market_agent_gui.translate import say
from widgets.words import told

LEVELS = (Autonomy.OBSERVE, Autonomy.SUGGEST, Autonomy.ASK, Autonomy.ASK_ABOVE_LIMITS, Autonomy.AUTO)
TITLES = {
    Autonomy.OBSERVE: "Observe",
    Autonomy.SUGGEST: "Suggest",
    Autonomy.ASK: "Ask",
    Autonomy.ASK_ABOVE_LIMITS: "Ask above limits",
    Autonomy.AUTO: "Automatic",
}


def raises(before: str, after: Autonomy) -> bool:
    """Whether ``after`` lets the agent do more; from an unknown level everything but the lowest does."""
    try:
        return LEVELS.index(after) > LEVELS.index(Autonomy(before))
    except ValueError:
        return after is not Autonomy.OBSERVE


class ModesPresenter(QObject):
    said = Signal(str, str)
    dialog_wanted = Signal(object)
    """A dialog to open."""
    pin_wanted = Signal(object)
    """No PIN is set, and what comes next needs one; the object is called once it is."""

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._asking = Asking(bridge, self)
        bridge.answered.connect(self._on_answered)

    def choose_autonomy(self, name: str) -> None:
        """Change what the agent may do."""
        after = Autonomy(name)
        state = self._bridge.mirror.state()
        arms = state is not None and state.autonomy == after.value and state.stands_down
        if state is not None and state.autonomy == after.value and not arms:
            return
        if not arms and not raises(state.autonomy if state is not None else "", after):
            self._bridge.fire(SetAutonomy(autonomy=after, reason="lowered in the window"))
            return
        if self._without_pin(lambda: self.choose_autonomy(name)):
            return
        from market_agent_gui.raise_dialog import RaiseDialog

        dialog = RaiseDialog(
            say("Raise to “{level}”?", level=say(TITLES[after])),
            say("The agent will be allowed more than now. Faults lower it again at once; you alone can raise it."),
            accept=say("Raise"),
            pin=state is None or state.pin_set,
        )
        dialog.confirmed.connect(
            lambda reason, pin: self._asking.send(dialog, SetAutonomy(autonomy=after, reason=reason, pin=pin))
        )
        self.dialog_wanted.emit(dialog)

    def open_trading(self) -> None:
        """Let positions be opened again: after a start with real money, or when only closing was allowed."""
        state = self._bridge.mirror.state()
        if state is None:
            raise Refusal(say("the engine does not answer"))
        if state.halted:
            raise Refusal(say("trading is halted; resume it first"))
        if Mode(state.mode).level >= Mode.MANUAL.level:
            raise Refusal(say("trading is open"))
        if self._without_pin(self.open_trading):
            return
        from market_agent_gui.raise_dialog import RaiseDialog

        live = state.book == "live"
        if live:
            tail = account_tail(state.account)
            text = say("This is REAL money, account {account}. From here on you can open positions.", account=tail)
        else:
            text = say("Only closing is allowed now. From here on positions can be opened again.")
        dialog = RaiseDialog(
            say("Open trading?"),
            f"{text}\n\n{told(state.halt_reason)}",
            accept=say("Open trading"),
            reason=say("start of the session") if live else "",
            pin=state.pin_set,
        )
        dialog.confirmed.connect(
            lambda reason, pin: self._asking.send(dialog, SetMode(mode=Mode.MANUAL, reason=reason, pin=pin))
        )
        self.dialog_wanted.emit(dialog)

    def resume(self) -> None:
        """Trade again after a halt."""
        from market_agent_gui.resume_dialog import ResumeDialog

        state = self._bridge.mirror.state()
        if state is not None and not state.halted and not state.latches:
            raise Refusal(say("trading is not halted"))
        if self._without_pin(self.resume):
            return
        dialog = ResumeDialog(pin=state is None or state.pin_set)
        self._ask(dialog, dialog.resumed)

    def rearm(self) -> None:
        """Arm again one thing that a limit switched off."""
        from market_agent_gui.rearm_dialog import RearmDialog

        state = self._bridge.mirror.state()
        if state is None or not state.latches:
            raise Refusal(say("no limit has switched anything off"))
        if self._without_pin(self.rearm):
            return
        dialog = RearmDialog(state.latches, pin=state.pin_set)
        self._ask(dialog, dialog.chosen)

    def sign_mandate(self) -> None:
        """Sign what the agent may do alone."""
        from market_agent_gui.mandate_dialog import MandateDialog

        state = self._bridge.mirror.state()
        if self._without_pin(self.sign_mandate):
            return
        dialog = MandateDialog(currency=state.currency if state else "USD", pin=state is None or state.pin_set)
        self._ask(dialog, dialog.chosen)

    def _ask(self, dialog: PlainDialog, chosen: Signal) -> None:
        chosen.connect(lambda command: self._asking.send(dialog, command))
        self.dialog_wanted.emit(dialog)

    def _without_pin(self, then: object) -> bool:
        """Ask for a PIN to be set first where real money needs one; ``then`` follows."""
        state = self._bridge.mirror.state()
        if state is None or state.book != "live" or state.pin_set:
            return False
        self.pin_wanted.emit(then)
        return True

    def _on_answered(self, command: AnyCommand, receipt: Receipt) -> None:
        if isinstance(command, Resume):
            text = told(receipt.text) or (say("Trading is resumed") if receipt.ok else receipt.code)
            self.said.emit("info" if receipt.ok else "bad", text)
        elif isinstance(command, SetAutonomy | SetMode) and not receipt.ok:
            self.said.emit("bad", told(receipt.text) or receipt.code)
