"""A dialog that asks the engine: it stays open until the engine agrees, and shows its words when it does not."""

from PySide6.QtCore import QObject

from engine.api.commands import AnyCommand, Receipt
from market_agent_gui.bridge import EngineBridge
from market_agent_gui.dialogs import PlainDialog


class Asking(QObject):
    """Keeps which dialog waits for the receipt of which command."""

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._waiting: list[tuple[AnyCommand, PlainDialog]] = []
        bridge.answered.connect(self._on_answered)
        bridge.failed.connect(self._on_failed)

    def send(self, dialog: PlainDialog, command: AnyCommand) -> None:
        """Send for a dialog; a second press while it waits sends nothing."""
        if any(waiting is dialog for _, waiting in self._waiting):
            return
        dialog.complain("")
        dialog.yes.setEnabled(False)
        self._waiting.append((command, dialog))
        dialog.finished.connect(lambda: self._forget(dialog))
        self._bridge.fire(command)

    def _forget(self, dialog: PlainDialog) -> None:
        self._waiting = [item for item in self._waiting if item[1] is not dialog]

    def _take(self, command: AnyCommand) -> PlainDialog | None:
        for number, (sent, dialog) in enumerate(self._waiting):
            if sent is command:
                del self._waiting[number]
                dialog.yes.setEnabled(True)
                return dialog
        return None

    def _on_answered(self, command: AnyCommand, receipt: Receipt) -> None:
        dialog = self._take(command)
        if dialog is None:
            return
        if receipt.ok:
            dialog.accept()
        else:
            dialog.complain(receipt.text or receipt.code)

    def _on_failed(self, command: AnyCommand, reason: str) -> None:
        dialog = self._take(command)
        if dialog is not None:
            dialog.complain(reason)
