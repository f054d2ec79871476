"""STOP, from every surface. It never asks, never waits, and always says what became of it."""

from PySide6.QtCore import QObject, Signal

from engine.api.commands import AnyCommand, Halt, Receipt
from market_agent_gui.bridge import EngineBridge
from market_agent_gui.commander import Commander
from market_agent_gui.translate import say
from widgets.words import told


class HaltPresenter(QObject):
    """Sends :class:`Halt` by every road and tells the outcome."""

    said = Signal(str, str)
    pressed = Signal(str)
    """The surface it was pressed on."""

    def __init__(self, bridge: EngineBridge, commander: Commander, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        bridge.answered.connect(self._on_answered)
        bridge.failed.connect(self._on_failed)
        commander.register("stop", lambda: self.stop("key"))
        commander.register("stop_hold", lambda: self.stop("held key"))

    def stop(self, surface: str, *, flatten: bool = False) -> None:
        """Halt now. ``flatten`` also closes every position."""
        self.pressed.emit(surface)
        self._bridge.halt(Halt(flatten=flatten, reason=f"stop pressed ({surface})", by="window"))

    def _on_answered(self, command: AnyCommand, receipt: Receipt) -> None:
        if isinstance(command, Halt):
            if receipt.ok:
                what = (
                    say("STOP: entries are being cancelled, positions are being closed")
                    if command.flatten
                    else say("STOP: entries are being cancelled, protective stops stay")
                )
                self.said.emit("warn", what)
            else:
                self.said.emit("bad", say("STOP was refused: {text}", text=told(receipt.text) or receipt.code))

    def _on_failed(self, command: AnyCommand, reason: str) -> None:
        if isinstance(command, Halt):
            self.said.emit("bad", say("STOP: {reason}", reason=reason))
