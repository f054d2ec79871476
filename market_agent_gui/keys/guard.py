"""One press, one act: no auto-repeat, a minimum gap, one flight per intent."""

import itertools
import time
from collections.abc import Callable
from enum import StrEnum

from market_agent_gui.actions import Risk

GAP_S = 0.08
BOUNCE_MS = 20
"""Nobody lets go of a key and presses it again within this time: a held key, or a worn one."""
SEND_GAP_S = 1.0
"""A second Enter within this time is dropped."""


class Drop(StrEnum):
    """Why a press did nothing."""

    REPEAT = "auto-repeat ignored"
    GAP = "too soon after the last press"
    STRAY = "the press before was for another window or field"
    FLIGHT = "the first one is still under way"


class PressGuard:
    """Judges presses. Acts of safety are never dropped but for auto-repeat."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: dict[str, float] = {}
        self._strayed: float | None = None
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
        if risk is not Risk.ADDS:
            self._strayed = None
        elif self._strayed is not None and now - self._strayed < SEND_GAP_S:
            return Drop.STRAY
        self._last[action] = now
        return None

    def stray(self) -> None:
        """The key that sends was pressed for something else: a second press in haste is meant for that, too."""
        self._strayed = self._monotonic()

    def take_off(self, intent: str) -> bool:
        """Begin the one flight of an intent; False when it is in the air already."""
        if intent in self._flying:
            return False
        self._flying.add(intent)
        return True

    def flies(self, intent: str) -> bool:
        """Whether an intent is in the air."""
        return intent in self._flying

    def land(self, intent: str) -> None:
        """The receipt came, or the command failed."""
        self._flying.discard(intent)


class Repeats:
    """Knows a repeat that Qt took for a fresh press.

    X tells of a held key by a release and a press at one time. Qt knows them by the press that waits behind the
    release; under load the two are read apart, and both look like a person's.
    """

    def __init__(self) -> None:
        self._released: dict[int, int] = {}

    def release(self, key: int, time_ms: int) -> None:
        """A key was let go, or so it says; ``time_ms`` is the system's, 0 where it is not known."""
        self._released[key] = time_ms

    def is_repeat(self, key: int, time_ms: int) -> bool:
        """Whether this press follows the release of the same key too soon for a hand."""
        last = self._released.get(key, 0)
        return bool(last and time_ms) and 0 <= time_ms - last < BOUNCE_MS


class Intents:
    """Ids of intents: a prefix of this run and a counter, never reused."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = itertools.count(1)
        self.last = ""
        """The one minted last."""

    def mint(self) -> str:
        self.last = f"{self._prefix}-{next(self._numbers):04d}"
        return self.last
