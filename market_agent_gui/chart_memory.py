"""What the chart shows beside the bars: interval, style, indicators, compared symbols. Kept in the workspace."""

from typing import Final

import msgspec
from PySide6.QtCore import QObject, Signal

DAY_S: Final = 86_400
EVERY: Final = "*"


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator on the chart."""

    id: str
    params: dict[str, int | float | str] = {}
    outputs: tuple[str, ...] = ()
    """Names of the lines shown; empty shows all."""


class ChartState(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace keeps. ``studies`` is by "symbol seconds"; the symbol ``*`` stands for every other one."""

    seconds: int = 300
    style: str = "candles"
    axis: str = "linear"
    compare: tuple[str, ...] = ()
    profile: bool = False
    studies: dict[str, tuple[Study, ...]] = {}


_AVERAGES: Final = (Study(id="ema", params={"period": 20}), Study(id="ema", params={"period": 50}))
_INTRADAY: Final = (*_AVERAGES, Study(id="vwap", outputs=("middle",)))


class ChartMemory(QObject):
    """The one owner of these choices; charts follow ``changed``."""

    changed = Signal(str)
    """What: seconds, style, axis, compare, profile or studies."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now = ChartState()
        self._for_now: int | None = None

    @property
    def now(self) -> ChartState:
        """What a person chose, and the workspace keeps."""
        return self._now

    @property
    def seconds(self) -> int:
        """Of a bar, as shown: what a person chose, or what there is bars of."""
        return self._now.seconds if self._for_now is None else self._for_now

    def show_for_now(self, seconds: int) -> None:
        """Show bars of another length until a person chooses: there are none of the chosen one. Not kept."""
        before, self._for_now = self.seconds, seconds
        if self.seconds != before:
            self.changed.emit("seconds")

    def set(self, **changes: object) -> None:
        """Change seconds, style, axis, compare or profile; says what became different."""
        before, shown = self._now, self.seconds
        self._now = msgspec.structs.replace(self._now, **changes)
        if "seconds" in changes:
            self._for_now = None
        for name in changes:
            if name == "seconds":
                differs = self.seconds != shown
            else:
                differs = getattr(before, name) != getattr(self._now, name)
            if differs:
                self.changed.emit(name)

    def restore(self, state: ChartState) -> None:
        """Take what a workspace kept."""
        self.set(**msgspec.structs.asdict(state))

    def studies(self, symbol: str, seconds: int) -> tuple[Study, ...]:
        """Return the indicators of one chart: its own, else those of every symbol, else the usual ones."""
        kept = self._now.studies
        usual = _INTRADAY if seconds < DAY_S else _AVERAGES
        return kept.get(_key(symbol, seconds), kept.get(_key(EVERY, seconds), usual))

    def set_studies(self, symbol: str, seconds: int, studies: tuple[Study, ...]) -> None:
        """Choose the indicators of one chart."""
        self.set(studies={**self._now.studies, _key(symbol, seconds): studies})

    def use_everywhere(self, symbol: str, seconds: int) -> None:
        """Let every symbol have the indicators of this one at this interval."""
        chosen = self.studies(symbol, seconds)
        others = {key: kept for key, kept in self._now.studies.items() if not key.endswith(f" {seconds}")}
        self.set(studies={**others, _key(EVERY, seconds): chosen})


def _key(symbol: str, seconds: int) -> str:
    return f"{symbol} {seconds}"
