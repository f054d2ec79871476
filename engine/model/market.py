"""Market values that are not events: prices now, columns of bars, state of a session."""

from enum import IntEnum, StrEnum

import msgspec

from engine.model.ids import Symbol


class DataType(IntEnum):
    """How fresh a price may be by contract, numbered as IB numbers it."""

    LIVE = 1
    FROZEN = 2
    DELAYED = 3
    DELAYED_FROZEN = 4


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class SessionState(StrEnum):
    CLOSED = "closed"
    PRE = "pre"
    OPEN = "open"
    POST = "post"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The session that holds an instant, or the next one when closed. Times in UTC ns."""

    state: SessionState
    date: str
    """Exchange date, ISO; counters reset by it."""
    open_ns: int
    close_ns: int
    next_open_ns: int
    early_close: bool = False


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The last known prices of one symbol. NaN where unknown."""

    symbol: Symbol
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    last: float
    last_size: float
    volume: float
    """Units traded since the session opened."""
    open: float
    high: float
    low: float
    previous_close: float
    ts_event: int
    """Source time of the newest part, UTC ns."""
    ts_seen: int
    data_type: DataType = DataType.LIVE
    halted: bool = False
    quote_ns: int = 0
    """Source time of bid and ask alone, UTC ns; 0 when there never were any."""

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2.0

    @property
    def two_sided(self) -> bool:
        """Both sides are there, positive and not crossed (NaN compares false)."""
        return 0.0 < self.bid <= self.ask


class BarColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of one symbol as columns of little-endian float64 / int64 bytes; ready for ``numpy.frombuffer``."""

    symbol: Symbol
    seconds: int
    ts_open: bytes
    """int64 UTC ns of the bar's start."""
    open: bytes
    high: bytes
    low: bytes
    close: bytes
    volume: bytes

    @property
    def count(self) -> int:
        return len(self.ts_open) // 8
