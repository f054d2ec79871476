"""What travels up: lossy frames of changed rows, and lossless notices."""

import msgspec

from engine.api.rows import AnyRow


class UpMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="up", tag=lambda name: name):
    """Base of everything the engine sends to a client."""


class QuoteBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of the symbols that changed, as packed little-endian columns in the same order.

    ``index`` is int32 (see ``QuoteRow.index``); the rest are float64, NaN where unknown; ``ts`` is int64 UTC ns;
    ``flags`` uint8: 1 stale, 2 halted, 4 delayed.
    """

    index: bytes
    bid: bytes
    ask: bytes
    bid_size: bytes
    ask_size: bytes
    last: bytes
    volume: bytes
    previous_close: bytes
    ts: bytes
    flags: bytes


class BarUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The forming (or just closed) bar of a symbol that the client charts."""

    symbol: str
    seconds: int
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool = False


class DepthBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Depth of one symbol, best first."""

    symbol: str
    bid_prices: tuple[float, ...]
    bid_sizes: tuple[float, ...]
    ask_prices: tuple[float, ...]
    ask_sizes: tuple[float, ...]
    ts: int


class TapePrint(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    ts: int
    price: float
    size: float
    aggressor: int


class Frame(UpMessage, frozen=True, kw_only=True):
    """Lossy: newest wins, at the client's rate. An empty one each second says that the engine lives."""

    seq: int
    sent_ns: int
    quotes: QuoteBlock | None = None
    bars: tuple[BarUpdate, ...] = ()
    depth: tuple[DepthBlock, ...] = ()
    tape: tuple[TapePrint, ...] = ()


class RowsChanged(UpMessage, frozen=True, kw_only=True):
    """Changed and removed rows of one table: lossless in effect (the newest state of every key arrives)."""

    table: str
    rows: tuple[AnyRow, ...] = ()
    removed: tuple[str, ...] = ()
    reset: bool = False
    """Forget the table first: this is a snapshot."""


class Notice(UpMessage, frozen=True, kw_only=True):
    """Lossless and ordered: orders, fills, refusals, halts, faults. ``event`` is the event as builtins (JSON-like)."""

    seq: int
    kind: str
    event: dict[str, object]


class Answer(UpMessage, frozen=True, kw_only=True):
    """The receipt of command ``id``."""

    id: int
    ok: bool
    receipt: bytes
    """msgpack of :class:`engine.api.commands.Receipt`."""


class Welcome(UpMessage, frozen=True, kw_only=True):
    """First message after the handshake."""

    version: int
    engine_pid: int
    build: str
    profile: str
    notice_seq: int
    missed: bool = False
    """True when notices were lost since the client's last one and only the snapshot tells."""


class Refused(UpMessage, frozen=True, kw_only=True):
    """The door stays shut: wrong version, wrong token."""

    code: str
    text: str


AnyUp = Frame | RowsChanged | Notice | Answer | Welcome | Refused
