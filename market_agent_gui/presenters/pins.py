"""One PIN for a person: the engine's, and with it the window's own lock."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.api.commands import AnyCommand, Receipt, SetPin
from market_agent_gui.bridge import EngineBridge
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.lock import PinStore
from market_agent_gui.presenters.asking import Asking
from market_agent_gui.translate import say
from widgets.words import told


class PinsPresenter(QObject):
    """Sets the engine's PIN; the lock takes it over once the engine has it."""

    said = Signal(str, str)
    dialog_wanted = Signal(object)
    changed = Signal()
    """The window's lock has a new PIN."""

    def __init__(self, bridge: EngineBridge, pins: PinStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._pins = bridge, pins
        self._asking = Asking(bridge, self)
        self._then: Callable[[], object] | None = None
        bridge.answered.connect(self._on_answered)
        bridge.rows_changed.connect(self._on_rows)

    def ask(self, then: Callable[[], object] | None = None) -> None:
        """Open the dialog; ``then`` runs once the engine said that a PIN is set."""
        from market_agent_gui.pin_dialog import PinDialog

        state = self._bridge.mirror.state()
        dialog = PinDialog(change=(state is not None and state.pin_set) or self._pins.exists)
        dialog.chosen.connect(lambda new, old: self._send(dialog, new, old))
        if then is not None:
            dialog.accepted.connect(lambda: self._follow(then))
        self.dialog_wanted.emit(dialog)

    def set_first(self, new: str) -> None:
        """Set the first PIN, without a dialog (First steps)."""
        self._bridge.fire(SetPin(new=new))

    def _follow(self, then: Callable[[], object]) -> None:
        self._then = then
        self._on_rows("state")

    def _on_rows(self, table: str, *_: object) -> None:
        """What was waiting for a PIN goes on when the tables show it, not before: it reads them."""
        state = self._bridge.mirror.state()
        if table == "state" and self._then is not None and state is not None and state.pin_set:
            then, self._then = self._then, None
            then()

    def _send(self, dialog: PlainDialog, new: str, old: str) -> None:
        state = self._bridge.mirror.state()
        if state is not None and not state.pin_set and self._pins.exists and not self._pins.check(old):
            dialog.complain(say("That is not the PIN"))
            return
        self._asking.send(dialog, SetPin(new=new, old=old))

    def _on_answered(self, command: AnyCommand, receipt: Receipt) -> None:
        if not isinstance(command, SetPin):
            return
        if not receipt.ok:
            self.said.emit("bad", told(receipt.text) or receipt.code)
            return
        try:
            self._pins.set(command.new)
        except (ValueError, OSError) as error:
            self.said.emit(
                "warn", say("The PIN is set, but the window cannot be locked with it: {reason}", reason=error)
            )
        else:
            self.said.emit("info", told(receipt.text))
            self.changed.emit()
