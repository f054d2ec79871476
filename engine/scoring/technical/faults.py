"""What is wrong with a strategy, and in which line: for the person who wrote it."""

from collections.abc import Sequence
from typing import NamedTuple

from engine.bus.errors import SettingsError


class Fault(NamedTuple):
    """One thing that is wrong. ``line`` counts from 1; 0 where no line can be named."""

    line: int
    key: str
    """Such as ``long.enter``; empty for the whole file."""
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


class StrategyError(SettingsError):
    """A strategy that is not used; names the file and every fault with its line."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        """``name``: of the file, or whatever the person knows the text by."""
        self.faults = tuple(faults)
        places = (f"{name}, line {fault.line}" if fault.line else name for fault in self.faults)
        super().__init__("\n".join(f"{place}: {fault}" for place, fault in zip(places, self.faults, strict=True)))
