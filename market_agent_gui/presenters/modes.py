"""Mode and autonomy: lowered at a click, raised only with a reason and, where one is set, the PIN."""

from PySide6.QtCore import QObject, Signal

from engine.api.commands import AnyCommand, Receipt, SetAutonomy, SetMode
from engine.model.decision import Autonomy, Mode
from market_agent_gui.bridge import EngineBridge
from market_agent_gui.translate import say

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

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        bridge.answered.connect(self._on_answered)

    def choose_autonomy(self, name: str) -> None:
        """Change what the agent may do."""
        after = Autonomy(name)
        state = self._bridge.mirror.state()
        if state is not None and state.autonomy == after.value:
            return
        if not raises(state.autonomy if state is not None else "", after):
            self._bridge.fire(SetAutonomy(autonomy=after, reason="lowered in the window"))
            return
        from market_agent_gui.raise_dialog import RaiseDialog

        dialog = RaiseDialog(say(TITLES[after]))
        dialog.confirmed.connect(
            lambda reason, pin: self._bridge.fire(SetAutonomy(autonomy=after, reason=reason, pin=pin))
        )
        self.dialog_wanted.emit(dialog)

    def choose_mode(self, name: str) -> None:
        """Change the trading mode."""
        after = Mode(name)
        state = self._bridge.mirror.state()
        before = Mode(state.mode) if state is not None else Mode.OBSERVE
        if after.level <= before.level:
            self._bridge.fire(SetMode(mode=after, reason="lowered in the window"))
            return
        from market_agent_gui.raise_dialog import RaiseDialog

        dialog = RaiseDialog(after.value)
        dialog.confirmed.connect(lambda reason, pin: self._bridge.fire(SetMode(mode=after, reason=reason, pin=pin)))
        self.dialog_wanted.emit(dialog)

    def _on_answered(self, command: AnyCommand, receipt: Receipt) -> None:
        if isinstance(command, SetAutonomy | SetMode) and not receipt.ok:
            self.said.emit("bad", receipt.text or receipt.code)
