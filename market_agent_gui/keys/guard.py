"""One press, one act: no auto-repeat, a minimum gap, one flight per intent."""

import itertools
import time
from collections.abc import Callable
from enum import StrEnum

from market_agent_gui.actions import Risk

GAP_S = 0.08
SEND_GAP_S = 1.0
"""A second Enter within this time is dropped."""


class Drop(StrEnum):
    """Why a press did nothing."""

    REPEAT = "auto-repeat ignored"
    GAP = "too soon after the last press"
    FLIGHT = "the first one is still under way"


class PressGuard:
    """Judges presses. Acts of safety are never dropped but for auto-repeat."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: dict[str, float] = {}
        self._flying: set[str] = set()

    def judge(self, action: str, risk: Risk, *, auto_repeat: bool) -> Drop | None:
        """Return why the press is dropped; ``None`` lets it through and counts it."""
        if auto_repeat:
            return Drop.REPEAT
        now = self._monotonic()
        if risk is Risk.SAFETY:
            return None
        sends = risk in (Risk.ADDS, Risk.REDUCES)
        last = self._last.get(action)
        if sends and last is not None and now - last < (SEND_GAP_S if risk is Risk.ADDS else GAP_S):
            return Drop.GAP
        self._last[action] = now
        return None

    def take_off(self, intent: str) -> bool:
        """Begin the one flight of an intent; False when it is in the air already."""
        if intent in self._flying:
            return False
        self._flying.add(intent)
        return True

    def land(self, intent: str) -> None:
        """The receipt came, or the command failed."""
        self._flying.discard(intent)


class Intents:
    """Ids of intents: a prefix of this run and a counter, never reused."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def mint(self) -> str:
        return f"{self._prefix}-{next(self._numbers):04d}"
