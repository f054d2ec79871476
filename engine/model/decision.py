"""Verdicts, modes and levels of autonomy."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.model.order import OrderRequest


class Mode(StrEnum):
    """Trading mode; lower is safer. The engine only lowers it (reliability.md §7.1)."""

    AUTO = "AUTO"
    MANUAL = "MANUAL"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"
    OBSERVE = "OBSERVE"

    @property
    def level(self) -> int:
        return _LEVEL[self]


_LEVEL = {Mode.OBSERVE: 0, Mode.HALTED: 1, Mode.REDUCE_ONLY: 2, Mode.MANUAL: 3, Mode.AUTO: 4}


PEOPLE = frozenset({"window", "cli", "phone", "hotkey", "tray"})
"""The doors through which a person speaks; what a command names as its sender otherwise is a part of the program."""

OURS = frozenset({"window", "cli", "console"})
"""What connects to the engine's door with a person behind it. Whatever else has the door's token is a program."""

PROGRAMS = frozenset({"api", "mcp", "watchdog"})
"""What connects without one: the service, an assistant's tools, and the watchdog, which only knocks. The door writes
their name into every command that comes through their connection."""
PROGRAM = "program"
"""What the door calls one that gives no name of these."""


class Autonomy(StrEnum):
    """What the agent may do with its suggestions (features.md §4.3)."""

    OBSERVE = "observe"
    SUGGEST = "suggest"
    ASK = "ask"
    ASK_ABOVE_LIMITS = "ask_above_limits"
    AUTO = "auto"


class Book(StrEnum):
    """Whose money it is."""

    PAPER = "paper"
    LIVE = "live"
    REPLAY = "replay"


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """One objection of the gate: a code, a plain sentence, and the numbers behind it."""

    code: str
    text: str
    hard: bool = True
    """Hard: no confirmation helps. Soft: a person may confirm it once; AUTO treats it as hard."""
    limit: str = ""
    value: str = ""


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit is used: a row of the risk panel."""

    code: str
    title: str
    used: float
    limit: float
    unit: str = ""
    key: str = ""
    """Name of the limit for ``ChangeLimits``, such as ``auto.position_percent``."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says to a request. ``request`` is what would be sent; objections say why not."""

    request: OrderRequest
    denials: tuple[Denial, ...] = ()
    warnings: tuple[Denial, ...] = ()
    notional: Decimal = Decimal(0)
    risk: Decimal | None = None
    """Money lost from entry to stop."""
    margin: Decimal | None = None
    commission: Decimal | None = None
    position_after: Decimal | None = None
    risk_used_after: float | None = None

    @property
    def cleared(self) -> bool:
        return not self.denials
