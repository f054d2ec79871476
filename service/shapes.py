"""What the service answers with, as types: the routes write them, the OpenAPI document is made from them."""

from typing import Any

import msgspec

from engine.api.rows import AlarmRow, FillRow, LimitRow, OrderRow, PositionRow, Row, SuggestionRow
from service.mirror import Price


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base. ``as_of`` is the engine's time when it was told, UTC nanoseconds."""

    as_of: int


def _rows(name: str, kind: type[Row]) -> Any:
    """An answer that is the rows of one table."""
    return msgspec.defstruct(name, [("rows", list[kind])], bases=(Answer,), frozen=True, kw_only=True)


Positions = _rows("Positions", PositionRow)
Orders = _rows("Orders", OrderRow)
Fills = _rows("Fills", FillRow)
Suggestions = _rows("Suggestions", SuggestionRow)
Limits = _rows("Limits", LimitRow)
Alarms = _rows("Alarms", AlarmRow)


class Quotes(Answer, frozen=True, kw_only=True):
    rows: list[Price]
    unknown: list[str]
    """Symbols of which no price was heard."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    seconds: int
    bars: list[Bar]
    """Oldest first."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it works."""

    engine: bool
    why: str = ""
    """Why there is no engine."""
    mode: str = ""
    link: str = ""
    """To the broker."""
    session: str = ""
    halted: bool = False
    unknown: int = 0
    """Orders of which the broker has not said what became of them."""
    lag_ms: float = 0.0
    sources: dict[str, str] = {}
    """State by source: up, degraded, down, off."""
    clients: list[str] = []
    """Who is connected to the engine: window, cli, console; api (this service), mcp, program."""
    as_of: int = 0


class OneSuggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A suggestion as it stands, with the hash that an approval names."""

    suggestion: dict[str, Any]
    state: str
    approval_hash: str
    drift: float | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What ``main.py status --json`` answers; these keys are always there, and there are more."""

    book: str
    mode: str
    autonomy: str
    link: str
    account: str
    halted: bool


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delivery. Why is not told: who signals from outside learns nothing of the account."""

    ok: bool
    repeat: bool = False
    suggestion_id: str = ""
    state: str = ""
