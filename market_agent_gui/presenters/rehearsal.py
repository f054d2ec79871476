"""The rehearsal: while it is on, keys tell what they would send and send nothing."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer

from engine.model.market import Side
from market_agent_gui.actions import BY_ID, Risk, key_text
from market_agent_gui.commander import Refusal
from market_agent_gui.keys.beginning import Begun
from market_agent_gui.keys.bracket import risk_now
from market_agent_gui.keys.overlay import RehearsalOverlay
from market_agent_gui.keys.rehearsal import Scene, rehearse
from market_agent_gui.mode_frame import account_tail
from market_agent_gui.translate import say
from widgets.formats import duration

if TYPE_CHECKING:
    from market_agent_gui.shell import Shell

REFRESH_MS = 250


class RehearsalPresenter(QObject):
    def __init__(self, shell: "Shell", parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self.overlay = RehearsalOverlay(shell.window)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        shell.window.installEventFilter(self)

    def toggle(self) -> None:
        """Switch it on or off."""
        on = not self._shell.keys.rehearsing
        self._shell.keys.rehearsing = on
        self.overlay.setVisible(on)
        if on:
            self.refresh()
            self.overlay.raise_()
            self._timer.start()
        else:
            self._timer.stop()

    def close(self) -> None:
        """Stop refreshing."""
        self._timer.stop()

    def refresh(self) -> None:
        """Say anew what each key would do."""
        shell = self._shell
        entry, mirror, symbol, outside = shell.entry, shell.bridge.mirror, shell.symbol(), shell.outside
        about = entry.staged.symbol if entry.staged is not None else symbol
        scene = Scene(
            mirror=mirror,
            symbol=symbol,
            staged=entry.staged,
            size=entry.first_size,
            sizes=entry.sizes,
            risk_money=entry.risk_money,
            armed=shell.arming.armed,
            blocked=entry.blocked(about) if about else say("choose a symbol first"),
            begin=self._begin,
            asks=self._asks,
            taken={key: owner for key, owner in outside.now.taken.items() if key not in outside.accepted},
        )
        state = mirror.state()
        where = f"{say(state.book.upper())} {account_tail(state.account)}" if state is not None else say("no engine")
        armed = say("armed {left}", left=duration(shell.arming.left_s)) if shell.arming.armed else say("not armed")
        lines, key = rehearse(scene, shell.keys.keys), key_text(shell.keys.keys.key("rehearse"))
        self.overlay.show_lines(lines, f"{symbol or '–'} · {where}", armed, key)

    def _asks(self, action: str) -> bool:
        """Whether the key would want a second press: by a person's choice, or while the hands are new."""
        shell = self._shell
        new = shell.fresh_keys.left > 0 and risk_now(BY_ID[action], shell.entry.staged) is Risk.ADDS
        return new or shell.confirming.wants(action)

    def _begin(self, side: Side, preset: str) -> Begun:
        try:
            return self._shell.entry.begin(side, preset, intent="rehearsal")
        except Refusal as refusal:
            raise ValueError(str(refusal)) from refusal

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.overlay.isVisible():
            self.overlay.fit()
        return False
