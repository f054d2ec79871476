"""STOP from any program, by choice: keeps the system's key in step with the key map, and says what became of it."""

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from market_agent_gui.actions import key_text
from market_agent_gui.keys.global_stop import GlobalStop
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from market_agent_gui.shell import Shell

log = logging.getLogger(__name__)


class FarStop(QObject):
    """Off until a person switches it on; then on at every start."""

    said = Signal(str, str)
    """severity and one sentence."""

    def __init__(self, shell: "Shell") -> None:
        super().__init__(shell)
        self._shell = shell
        self._wanted = ""
        self._open = True
        self.key = GlobalStop(self)
        self.key.pressed.connect(lambda: shell.keys.hold_outside(True))
        self.key.released.connect(lambda: shell.keys.hold_outside(False))
        self.key.settled.connect(self._on_settled)
        shell.commander.register("global_stop", self.toggle)

    def toggle(self) -> None:
        """Switch it on or off."""
        on = not self._shell.preferences.now.global_stop
        self._shell.program.prefer(global_stop=on)
        self.refresh()
        if not on:
            self.said.emit("info", say("STOP is heard in this window alone"))

    def refresh(self) -> None:
        """Hold the key that the map names now, or none."""
        wanted = self._shell.keys.keys.key("stop_hold") if self._shell.preferences.now.global_stop else ""
        if wanted == self._wanted or not self._open:
            return
        self._wanted = wanted
        watch = self._shell.outside.watch
        # Before it is held: a question asked meanwhile must not find us.
        watch.own = frozenset({wanted} if wanted else ())
        if wanted:
            self.key.start(watch.now.system, wanted)
        else:
            self.key.stop()

    def close(self) -> None:
        """Give the key back for good."""
        self._open = False
        self.key.stop()

    def _on_settled(self, problem: str) -> None:
        key = key_text(self._wanted)
        if problem:
            self._shell.outside.watch.own = frozenset()
            self._shell.outside.watch.ask()
            self.said.emit("warn", say("STOP is heard in this window alone: {reason}", reason=problem))
        else:
            log.info("%s held for a second stops trading from any program", key)
            self.said.emit("info", say("{key} held for a second stops trading from any program", key=key))
