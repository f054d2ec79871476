"""The pace of simulated time, by key and button."""

from PySide6.QtCore import QObject

from engine.api.commands import SetSpeed, StepTime
from market_agent_gui.actions import key_text
from market_agent_gui.bridge import EngineBridge
from market_agent_gui.commander import Commander, Refusal
from market_agent_gui.keys.controller import KeyController
from market_agent_gui.translate import say
from widgets.replay_bar import SPEEDS, ReplayBar

STEP_S = 60.0


class PacePresenter(QObject):
    """Sends what the bar and the keys ask; a live market is refused."""

    def __init__(
        self, bar: ReplayBar, bridge: EngineBridge, commander: Commander, keys: KeyController, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._bar, self._bridge, self._keys = bar, bridge, keys
        commander.register("time_pause", self.pause)
        commander.register("time_step", self.step)
        commander.register("time_faster", lambda: self._shift(1))
        commander.register("time_slower", lambda: self._shift(-1))
        bar.pause_wanted.connect(lambda: commander.run("time_pause", "button"))
        bar.step_wanted.connect(lambda: commander.run("time_step", "button"))
        bar.speed_wanted.connect(lambda speed: bridge.fire(SetSpeed(speed=speed)))

    def show_keys(self) -> None:
        """Print the keys as they are now."""
        keys = self._keys.keys
        self._bar.set_keys({"pause": key_text(keys.key("time_pause")), "step": key_text(keys.key("time_step"))})

    def pause(self) -> None:
        """Stop market time, or let it go on as it went."""
        self._need_simulated()
        speed = (self._bar.speed if self._bar.speed != 0 else 1.0) if self._bar.paused else 0.0
        self._bridge.fire(SetSpeed(speed=speed))

    def step(self) -> None:
        """Let one minute pass, then pause."""
        self._need_simulated()
        self._bridge.fire(StepTime(seconds=STEP_S))

    def _shift(self, way: int) -> None:
        self._need_simulated()
        now = self._bar.speed
        order = [float("inf") if speed is None else speed for speed in SPEEDS]
        value = float("inf") if now is None else now
        nearest = min(range(len(order)), key=lambda at: abs(min(order[at], 1e6) - min(value, 1e6)))
        self._bridge.fire(SetSpeed(speed=SPEEDS[min(max(nearest + way, 0), len(SPEEDS) - 1)]))

    def _need_simulated(self) -> None:
        state = self._bridge.mirror.state()
        if state is None or not state.simulated_time:
            raise Refusal(say("a live market has its own speed"))
