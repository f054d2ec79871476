"""The charts of the window: the first, which is always there, and those a person adds, each with its own choices."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from market_agent_gui.chart_memory import DAY_S, ChartMemory, ChartState
from market_agent_gui.commander import Commander, Refusal
from market_agent_gui.docks import EXTRA_CHARTS, FIRST_CHART
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from market_agent_gui.drawing_store import DrawingStore

FIRST_SECONDS: dict[str, int] = dict(zip(EXTRA_CHARTS, (DAY_S, 3_600, 60, 900, 604_800, 300, 60), strict=True))
"""The interval of an added chart until a person chooses another: beside five minutes first the day, then the hour."""


class Charts(QObject):
    """What charts share: which of them the keys mean, the drawings, the time under the mouse."""

    changed = Signal(str, str)
    """dock, what: a chart's seconds, style, axis, compare or studies."""
    drawn = Signal(str, str)
    """symbol, dock: the drawings of a symbol were changed on this chart."""
    time_pointed = Signal(str, object)
    """dock, UTC ns: where the mouse is on this chart; None when it has left."""

    def __init__(self, profile: Path, commander: Commander, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._profile, self._commander = profile, commander
        self._memories: dict[str, ChartMemory] = {}
        self._doers: dict[str, Mapping[str, Callable[[], object]]] = {}
        self._store: DrawingStore | None = None
        self._current = FIRST_CHART
        self.main = self.memory(FIRST_CHART)

    @property
    def store(self) -> "DrawingStore":
        """The drawings; their file is read when the first chart is built."""
        if self._store is None:
            from market_agent_gui.drawing_store import DrawingStore

            self._store = DrawingStore(self._profile)
        return self._store

    def memory(self, dock: str) -> ChartMemory:
        """Return the choices of one chart."""
        found = self._memories.get(dock)
        if found is None:
            found = self._memories[dock] = ChartMemory(self)
            found.changed.connect(lambda what: self.changed.emit(dock, what))
            if dock in FIRST_SECONDS:
                found.set(seconds=FIRST_SECONDS[dock])
        return found

    # --- which one the keys mean

    @property
    def current(self) -> str:
        """The chart that last had the focus."""
        return self._current

    def make_current(self, dock: str) -> None:
        """Let the chart's actions mean this one."""
        self._current = dock

    def enlist(self, dock: str, doers: Mapping[str, Callable[[], object]]) -> None:
        """Take what a chart can do; the commander asks the current one."""
        self._doers[dock] = doers
        for name in doers:
            self._commander.register(name, lambda name=name: self._do(name))

    def _do(self, name: str) -> None:
        doers = self._doers.get(self._current) or self._doers.get(FIRST_CHART)
        if doers is None:
            raise Refusal(say("There is no chart yet"))
        doers[name]()

    # --- workspaces

    def state(self, docks: tuple[str, ...]) -> dict[str, ChartState]:
        """Return the choices of the added charts among ``docks``."""
        return {dock: self.memory(dock).now for dock in docks if dock in FIRST_SECONDS}

    def restore(self, first: ChartState, added: Mapping[str, ChartState]) -> None:
        """Take what a workspace kept."""
        self.main.restore(first)
        for dock, state in added.items():
            if dock in FIRST_SECONDS:
                self.memory(dock).restore(state)
