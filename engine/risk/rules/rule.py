"""What a rule is, for ours and foreign ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.risk.say import Findings, hard
from engine.risk.situation import Situation


class ForeignRule(Protocol):
    """A rule of a plug-in (entry point group ``market_agent.risk_rules``). It can only object, never allow."""

    code: str
    """Short, unique, shown with every denial."""
    title: str

    def check(self, situation: Situation) -> Findings:
        """Return findings made with ``hard``, ``soft`` and ``warn`` of ``engine.risk.say``. Pure: no I/O, no clock."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in the gate's table."""

    code: str
    title: str
    check: Callable[[Situation], Findings]
    openings_only: bool = True
    """An order that can only shrink a position passes it unseen."""
    foreign: bool = False


def broken(code: str, text: str) -> Rule:
    """Return a rule that denies everything, in the place of one that could not be loaded."""
    return Rule(code, "could not be loaded", lambda situation: hard(code, text), openings_only=False, foreign=True)
