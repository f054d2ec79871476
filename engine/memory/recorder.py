"""The recorder: what was seen, thought and decided, in market.db. Batched, never on the order's way.

A batch that cannot be written is kept and tried again; when too much waits, the oldest is dropped and counted, and
the count is shown. Orders and fills are not recorded here: the journal has them.
"""

from collections import deque
from collections.abc import Callable, Iterator

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock, Timer
from engine.bus.errors import JournalError
from engine.memory import tables as t
from engine.memory.database import Database, Statement
from engine.model.events.base import Event
from engine.model.events.decision import (
    ApprovalAsked,
    ApprovalExpired,
    Approved,
    AutonomyChanged,
    Edited,
    LimitsChanged,
    ModeChanged,
    Refused,
    RiskCleared,
    RiskDenied,
    Snoozed,
    TradingHalted,
    TradingResumed,
)
from engine.model.events.market import FilingSeen, InvestorTraded, NewsArrived, PostSeen
from engine.model.events.system import StrategyChanged
from engine.model.events.thought import Scored, Suggested, SuggestionSuperseded, SuggestionWithdrawn
from engine.model.ids import SourceId, SuggestionId
from engine.model.score import Forecast

DECISIONS: tuple[type[Event], ...] = (
    Suggested,
    SuggestionWithdrawn,
    SuggestionSuperseded,
    RiskCleared,
    RiskDenied,
    ApprovalAsked,
    Approved,
    Edited,
    Refused,
    Snoozed,
    ApprovalExpired,
    ModeChanged,
    AutonomyChanged,
    TradingHalted,
    TradingResumed,
    LimitsChanged,
    StrategyChanged,
)

_DECISION = Statement(
    insert(t.decisions).values(dict.fromkeys(("ts_ns", "event", "symbol", "suggestion_id", "payload")))
)
_FORECAST = Statement(
    insert(t.forecasts).values(
        dict.fromkeys(("ts_ns", "source", "symbol", "horizon", "score", "probability", "payload"))
    )
)
_NEWS = Statement(insert(t.news).values(dict.fromkeys(c.name for c in t.news.c)).on_conflict_do_nothing())
_FORGET_NEWS = Statement(delete(t.news).where(t.news.c.ts_ns < bindparam("before")))
_FORECASTS = Statement(
    select(t.forecasts.c.payload)
    .where(
        t.forecasts.c.source == bindparam("source"),
        t.forecasts.c.ts_ns >= bindparam("since"),
        t.forecasts.c.ts_ns < bindparam("until"),
    )
    .order_by(t.forecasts.c.ts_ns, t.forecasts.c.seq)
)
_DECISIONS_OF = Statement(
    select(t.decisions.c.ts_ns, t.decisions.c.event, t.decisions.c.payload)
    .where(t.decisions.c.suggestion_id == bindparam("suggestion_id"))
    .order_by(t.decisions.c.seq)
)
_NEWS_SINCE = Statement(select(t.news.c.payload).where(t.news.c.ts_ns >= bindparam("since")).order_by(t.news.c.ts_ns))
_ENCODE = msgspec.msgpack.Encoder().encode
Seen = NewsArrived | PostSeen | FilingSeen | InvestorTraded
_SEEN = msgspec.msgpack.Decoder(Seen)


class Recorder:
    """Writes market.db."""

    name = "recorder"

    def __init__(
        self, bus: Bus, clock: Clock, database: Database, *, flush_ms: int = 500, most_waiting: int = 100_000
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._database = database
        self._flush_s = flush_ms / 1000
        self._waiting: deque[tuple[str, tuple[object, ...]]] = deque(maxlen=most_waiting)
        self._timer: Timer | None = None
        self._leave: list[Callable[[], None]] = []
        self.dropped = 0
        """Rows lost because the disk could not take them."""
        self.failed = 0
        """Batches that could not be written at the first try."""

    async def start(self) -> None:
        """Begin to listen."""
        subscribe = self._bus.subscribe
        self._leave = [subscribe(kind, self._on_decision, owner=self.name) for kind in DECISIONS]
        self._leave.append(subscribe(Scored, self._on_scored, owner=self.name))
        self._leave.append(subscribe(NewsArrived, self._on_news, owner=self.name))
        self._leave.append(subscribe(PostSeen, self._on_news, owner=self.name))
        self._leave.append(subscribe(FilingSeen, self._on_news, owner=self.name))
        self._leave.append(subscribe(InvestorTraded, self._on_news, owner=self.name))

    async def stop(self) -> None:
        """Write what waits and leave."""
        for leave in self._leave:
            leave()
        self._leave = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.flush()

    def flush(self) -> None:
        """Write what waits now. Raises ``JournalError``; it is kept then."""
        if not self._waiting:
            return
        with self._database.transaction() as cursor:
            for sql, values in self._waiting:
                cursor.execute(sql, values)
        self._waiting.clear()

    def forget(self, days: int) -> None:
        """Delete news and posts older than ``days``."""
        with self._database.transaction() as cursor:
            cursor.execute(_FORGET_NEWS.sql, (self._clock.now() - days * 86_400 * SECOND,))

    # --- reading

    def forecasts(self, source: SourceId, since_ns: int, until_ns: int) -> Iterator[Forecast]:
        """Forecasts of one source made in [since, until), oldest first."""
        self.flush()
        decoder = msgspec.msgpack.Decoder(Forecast)
        for (payload,) in self._database.rows(_FORECASTS, (source, since_ns, until_ns)):
            yield decoder.decode(payload)

    def decisions(self, suggestion_id: SuggestionId) -> Iterator[tuple[int, str, dict[str, object]]]:
        """The story of one suggestion: (UTC ns, event, its fields)."""
        self.flush()
        for ts_ns, event, payload in self._database.rows(_DECISIONS_OF, (suggestion_id,)):
            yield ts_ns, event, msgspec.msgpack.decode(payload)

    def news(self, since_ns: int) -> Iterator[Seen]:
        """News, posts, filings and investors' trades since an instant, oldest first."""
        self.flush()
        for (payload,) in self._database.rows(_NEWS_SINCE, (since_ns,)):
            yield _SEEN.decode(payload)

    # --- listening

    def _on_decision(self, event: Event) -> None:
        symbol = getattr(event, "symbol", "")
        suggestion = getattr(event, "suggestion_id", None) or getattr(event, "id", "")
        if isinstance(event, Suggested):
            symbol, suggestion = event.suggestion.symbol, event.suggestion.id
        row = (event.ts_init, type(event).__name__, symbol, suggestion or "", _ENCODE(event))
        self._keep(_DECISION.sql, row)

    def _on_scored(self, event: Scored) -> None:
        forecast = event.forecast
        row = (
            forecast.available_at or event.ts_init,
            forecast.source,
            forecast.symbol,
            forecast.horizon,
            forecast.score,
            forecast.probability,
            _ENCODE(forecast),
        )
        self._keep(_FORECAST.sql, row)

    def _on_news(self, event: Seen) -> None:
        symbols = event.symbols if isinstance(event, NewsArrived | PostSeen) else (event.symbol,)
        row = (
            f"{event.source}:{event.id}",
            event.ts_event,
            event.ts_init,
            type(event).__name__,
            event.source,
            " ".join(symbols),
            _ENCODE(event),
        )
        self._keep(_NEWS.sql, row)

    def _keep(self, sql: str, row: tuple[object, ...]) -> None:
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append((sql, row))
        if self._timer is None:
            self._timer = self._clock.call_later(self._flush_s, self._due)

    def _due(self) -> None:
        self._timer = None
        try:
            self.flush()
        except JournalError:
            self.failed += 1
            self._timer = self._clock.call_later(self._flush_s * 5, self._due)
