"""Latches: what has tripped and stays off until its day is over or a person re-arms it. Durable."""

from collections.abc import Mapping

import msgspec

from engine.bus.errors import IntegrityError
from engine.model.decision import Mode
from engine.risk.ports import Store

KEY = "risk.latches"


class Latch(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is off."""

    code: str
    scope: str = ""
    """Strategy the latch is for; empty for all."""
    text: str
    date: str
    """Exchange date on which it tripped."""
    since_ns: int
    ceiling: Mode = Mode.MANUAL
    """Highest mode allowed while it holds (only without scope)."""
    needs_person: bool = True
    """A person must re-arm; otherwise it falls by itself on another exchange date."""
    next_session: bool = False
    """Not to be re-armed on the date it tripped."""


class Latches:
    """The tripped latches. Writing is durable before it counts as lifted; tripping counts at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._latches: dict[str, Latch] = {}

    def load(self) -> None:
        """Read what an earlier run left."""
        text = self._store.get(KEY)
        if text is None:
            return
        try:
            found = msgspec.json.decode(text, type=list[Latch])
        except msgspec.MsgspecError as error:
            raise IntegrityError(f"the stored latches cannot be read: {error}") from error
        self._latches = {name(latch.code, latch.scope): latch for latch in found}

    def trip(self, latch: Latch) -> bool:
        """Set a latch; return False when it was set already. Holds even when the store fails (which then raises)."""
        key = name(latch.code, latch.scope)
        if key in self._latches:
            return False
        self._latches[key] = latch
        self._save(self._latches)
        return True

    def lift(self, code: str, scope: str = "") -> Latch | None:
        """Clear a latch once that is durable; return it, or None when it was not set."""
        key = name(code, scope)
        latch = self._latches.get(key)
        if latch is not None:
            rest = {k: v for k, v in self._latches.items() if k != key}
            self._save(rest)
            self._latches = rest
        return latch

    def roll(self, date: str) -> tuple[Latch, ...]:
        """Let fall what ends with its exchange date; return those."""
        over = [v for v in self._latches.values() if not v.needs_person and v.date != date]
        for latch in over:
            self.lift(latch.code, latch.scope)
        return tuple(over)

    def get(self, code: str, scope: str = "") -> Latch | None:
        """Return a latch that is set."""
        return self._latches.get(name(code, scope))

    def all(self) -> Mapping[str, Latch]:
        """Return the set latches by name."""
        return self._latches

    def ceiling(self) -> tuple[Mode, Latch | None]:
        """Return the highest mode the latches allow, and which of them says so."""
        lowest: Latch | None = None
        for latch in self._latches.values():
            if not latch.scope and (lowest is None or latch.ceiling.level < lowest.ceiling.level):
                lowest = latch
        return (Mode.AUTO, None) if lowest is None else (lowest.ceiling, lowest)

    def _save(self, latches: Mapping[str, Latch]) -> None:
        self._store.set(KEY, msgspec.json.encode(list(latches.values())).decode())


def name(code: str, scope: str) -> str:
    """Name a latch."""
    return f"{code}:{scope}" if scope else code
