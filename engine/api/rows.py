"""Rows: what tables show. Keyed, frozen, flat; a view sends a row again when it changed."""

from decimal import Decimal

import msgspec

from engine.model.decision import Autonomy, Denial, LimitUse, Mode
from engine.model.score import Evidence

_BY_ITSELF = (Autonomy.ASK_ABOVE_LIMITS.value, Autonomy.AUTO.value)


class Row(msgspec.Struct, frozen=True, kw_only=True, tag_field="row", tag=lambda name: name):
    """Base; ``key`` is unique in its table and never changes."""

    key: str


class QuoteRow(Row, frozen=True, kw_only=True):
    """Static part of a watchlist row; prices travel in packed quote blocks, in the order of ``index``."""

    index: int
    name: str = ""
    sector: str = ""
    kind: str = ""
    """What it is, a word of ``InstrumentKind``; empty while unknown."""
    tick: float = 0.01
    currency: str = ""
    """Of its price; empty while that is not known."""
    multiplier: float = 1.0
    """Money for one unit of its price: 1 of a share, 50 of some futures."""
    held: bool = False
    badges: tuple[str, ...] = ()
    """HALT, E2d (earnings in two days), N3 (news today), SHORT, LOCK, STALE."""


class PositionRow(Row, frozen=True, kw_only=True):
    symbol: str
    quantity: Decimal
    average_price: Decimal
    last: float | None = None
    mark: Decimal | None = None
    """What ``open_pnl`` and the result of the day are both reckoned with: mid of the quote, else the last price."""
    break_even: Decimal | None = None
    """The price at which it pays the fees of its way in, and as much for its way out."""
    open_pnl: Decimal | None = None
    open_pnl_percent: float | None = None
    realised: Decimal = Decimal(0)
    stop: Decimal | None = None
    target: Decimal | None = None
    to_stop: Decimal | None = None
    """Money won or lost against the average price if the stop is hit."""
    protected: str = ""
    """``stop at broker``, ``no stop`` or why unsure."""
    opened_by: str = ""
    opened_ns: int = 0
    locked: str = ""


class OrderRow(Row, frozen=True, kw_only=True):
    """``key`` is the reference."""

    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal
    state: str
    order_type: str
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    tif: str = ""
    average_price: Decimal | None = None
    origin: str = ""
    parent: str = ""
    oca: str = ""
    suggestion: str = ""
    strategy: str = ""
    note: str = ""
    working: bool = False
    external: bool = False
    created_ns: int = 0
    changed_ns: int = 0
    leg: str = ""
    """entry, stop or target."""
    wanted_price: Decimal | None = None
    """Of a change that was asked for and not yet confirmed."""


class FillRow(Row, frozen=True, kw_only=True):
    ref: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    ts_event: int
    slippage_bps: float | None = None
    origin: str = ""
    note: str = ""


class SuggestionRow(Row, frozen=True, kw_only=True):
    symbol: str
    side: str
    quantity: Decimal
    entry: Decimal
    stop: Decimal
    target: Decimal
    risk: Decimal
    state: str
    horizon: str
    strategy: str
    evidence_state: str
    made_ns: int
    expires_ns: int
    probability: float | None = None
    probability_low: float | None = None
    probability_high: float | None = None
    worth: Decimal | None = None
    """Expected money after costs; None while there is no record to say so."""
    reference_price: float = float("nan")
    drift: float | None = None
    drift_atr: float | None = None
    sources: tuple[tuple[str, float, float, str], ...] = ()
    """(source, contribution in points of probability or score, weight, state)."""
    evidence: tuple[Evidence, ...] = ()
    denials: tuple[Denial, ...] = ()
    approval_hash: str = ""
    record_n: int = 0
    record_hit: float | None = None
    reason: str = ""
    """Why it is asked, was refused or expired."""
    invalidation: str = ""
    reduces: bool = False
    outcome: str = ""
    source: str = ""
    """The program that proposed it; empty for the agent's own."""


class NewsRow(Row, frozen=True, kw_only=True):
    symbols: tuple[str, ...]
    headline: str
    kind: str = ""
    source: str = ""
    url: str = ""
    ts_event: int = 0
    ts_seen: int = 0


class DenialRow(Row, frozen=True, kw_only=True):
    """A row of *Why no trade*."""

    ts: int
    symbol: str
    side: str
    origin: str
    what: str
    denials: tuple[Denial, ...] = ()
    stage: str = "gate"
    """pre-filter, strategy, gate, approval, broker."""


class LogRow(Row, frozen=True, kw_only=True):
    ts: int
    level: str
    part: str
    text: str


class AlarmRow(Row, frozen=True, kw_only=True):
    """A banner line; ``key`` is its code."""

    severity: str
    happened: str
    did: str = ""
    you_can: str = ""
    since_ns: int = 0
    acknowledged: bool = False
    count: int = 1


class LimitRow(Row, frozen=True, kw_only=True):
    use: LimitUse


class SourceRow(Row, frozen=True, kw_only=True):
    """A data source or the broker in the health strip."""

    kind: str
    state: str
    """up, degraded, down, off."""
    text: str = ""
    lag_ms: float | None = None
    rate: float = 0.0


class StateRow(Row, frozen=True, kw_only=True):
    """The one row of the mode strip."""

    book: str
    mode: str
    autonomy: str
    account: str
    currency: str = "USD"
    equity: Decimal | None = None
    cash: Decimal | None = None
    day_pnl: Decimal | None = None
    day_pnl_percent: float | None = None
    day_realised: Decimal | None = None
    """Profit taken today after commissions, in symbols held and in those that are flat by now."""
    risk_used: float | None = None
    """0..1 of what may be lost today at the stops."""
    link: str = "down"
    now_ns: int = 0
    simulated_time: bool = False
    speed: float | None = None
    paused: bool = False
    session: str = "closed"
    session_date: str = ""
    session_open_ns: int = 0
    session_close_ns: int = 0
    next_open_ns: int = 0
    halted: bool = False
    halt_reason: str = ""
    pin_set: bool = False
    """Going up asks for the PIN."""
    latches: tuple[tuple[str, str, str], ...] = ()
    """(code, strategy or symbol or empty, what happened) of everything that is off until a person arms it again."""
    reconciled_ns: int = 0
    unknown: int = 0
    working: int = 0
    engine_lag_ms: float = 0.0
    clients: tuple[str, ...] = ()
    """Who is connected to the door, by name, once for each connection: window, cli, console; api, mcp, program."""
    programs_trade: bool = False
    """Whether programs may send orders, or propose alone."""
    symbols: int = 0
    quotes_per_s: float = 0.0
    disk_free_gb: float | None = None
    llm_spent: float | None = None
    llm_budget: float | None = None
    engine_pid: int = 0
    version: str = ""

    @property
    def stands_down(self) -> bool:
        """Whether the agent may send by itself by its level of autonomy, and does not: it asks until it is armed."""
        return self.mode == Mode.MANUAL.value and self.autonomy in _BY_ITSELF


class DriftRow(Row, frozen=True, kw_only=True):
    """Our position in a symbol beside the broker's, while they differ; ``key`` is the symbol."""

    symbol: str
    ours: Decimal
    theirs: Decimal
    average_price: Decimal | None = None
    """The broker's."""
    since_ns: int = 0


AnyRow = (
    QuoteRow
    | PositionRow
    | OrderRow
    | FillRow
    | SuggestionRow
    | NewsRow
    | DenialRow
    | LogRow
    | AlarmRow
    | LimitRow
    | SourceRow
    | DriftRow
    | StateRow
)

TABLES = (
    "state",
    "quotes",
    "positions",
    "orders",
    "fills",
    "suggestions",
    "news",
    "denials",
    "log",
    "alarms",
    "limits",
    "sources",
    "drifts",
)
"""Names of the tables a client may follow."""
