"""Market family."""

from engine.model.events.base import Event
from engine.model.ids import Symbol
from engine.model.market import DataType


class QuoteTick(Event, frozen=True, kw_only=True):
    symbol: Symbol
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    data_type: DataType = DataType.LIVE
    source: str = ""
    synthetic: bool = False
    """Part of a path drawn inside a bar: it moves prices and builds no bars."""


class TradeTick(Event, frozen=True, kw_only=True):
    symbol: Symbol
    price: float
    size: float
    aggressor: int = 0
    """+1 the buyer lifted the offer, -1 the seller hit the bid, 0 unknown."""
    data_type: DataType = DataType.LIVE
    source: str = ""
    synthetic: bool = False
    """Part of a path drawn inside a bar: it moves prices and builds no bars."""


class BookChanged(Event, frozen=True, kw_only=True):
    """Depth of one symbol, best first. Prices and sizes are parallel."""

    symbol: Symbol
    bid_prices: tuple[float, ...]
    bid_sizes: tuple[float, ...]
    ask_prices: tuple[float, ...]
    ask_sizes: tuple[float, ...]
    source: str = ""


class BarClosed(Event, frozen=True, kw_only=True):
    """A finished bar; ``ts_event`` is its end."""

    symbol: Symbol
    seconds: int
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float = float("nan")
    trades: int = 0
    source: str = ""


class HaltChanged(Event, frozen=True, kw_only=True):
    symbol: Symbol
    halted: bool
    reason: str = ""
    source: str = ""


class NewsArrived(Event, frozen=True, kw_only=True):
    id: str
    symbols: tuple[Symbol, ...]
    headline: str
    """Plain text, cleaned."""
    body: str = ""
    url: str = ""
    kind: str = ""
    source: str = ""


class PostSeen(Event, frozen=True, kw_only=True):
    id: str
    symbols: tuple[Symbol, ...]
    text: str
    author: str = ""
    sentiment: float | None = None
    source: str = ""


class FilingSeen(Event, frozen=True, kw_only=True):
    id: str
    symbol: Symbol
    form: str
    title: str
    url: str = ""
    source: str = ""


class InvestorTraded(Event, frozen=True, kw_only=True):
    id: str
    investor: str
    symbol: Symbol
    direction: int
    amount: float = float("nan")
    traded_on: str = ""
    source: str = ""


class TickRejected(Event, frozen=True, kw_only=True):
    symbol: Symbol
    reason: str
    text: str = ""
    source: str = ""


class FeedStale(Event, frozen=True, kw_only=True):
    source: str
    symbol: Symbol | None = None
    age_s: float = 0.0
    fresh: bool = False
    """True when it has become fresh again."""


class ProviderConnected(Event, frozen=True, kw_only=True):
    source: str
    text: str = ""


class ProviderLost(Event, frozen=True, kw_only=True):
    source: str
    reason: str = ""
