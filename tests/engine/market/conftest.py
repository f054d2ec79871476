"""A small market on a step clock."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, StepClock
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.market.calendars import Calendars
from engine.market.corporate_actions import CorporateActions
from engine.market.instruments import Instruments, described
from engine.market.settings import MarketSettings
from engine.model.events.base import Event
from engine.model.events.market import (
    BarClosed,
    BookChanged,
    FeedStale,
    HaltChanged,
    NewsArrived,
    QuoteTick,
    TickRejected,
    TradeTick,
)
from engine.model.ids import Symbol


def ns(text: str, zone: str = "America/New_York") -> int:
    """UTC ns of a local time such as ``2024-03-08 09:30``."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return round(local.timestamp() * 1_000_000) * 1_000


class Rig:
    """Cache and bars on a bus, and everything they said."""

    def __init__(self, calendars: Calendars, start: str, settings: MarketSettings) -> None:
        self.clock = StepClock(ns(start))
        self.heard: list[Event] = []
        self.failures: list[Exception] = []
        self.locks: list[tuple[str, str, str]] = []
        self.bus = Bus(self._failed)
        self.calendars = calendars
        self.instruments = Instruments(described(Symbol(name)) for name in ("AAPL", "MSFT", "EURUSD"))
        self.bars = BarStore(self.bus, self.clock, settings, self.instruments, calendars)
        self.actions = CorporateActions(
            settings.jump_up, settings.jump_down, lambda *lock: self.locks.append((lock[0], lock[1], lock[2]))
        )
        self.cache = MarketCache(self.bus, self.clock, settings, self.instruments, calendars, self.bars, self.actions)
        for kind in (QuoteTick, TradeTick, BarClosed, BookChanged, HaltChanged, NewsArrived, TickRejected, FeedStale):
            self.bus.subscribe(kind, self.heard.append, owner="test")

    def _failed(self, owner: str, role: Role, event: Event, error: Exception) -> None:
        self.failures.append(error)

    def at(self, text: str) -> "Rig":
        self.clock.advance_to(ns(text))
        return self

    def quote(self, bid: float, ask: float, symbol: str = "AAPL", *, age: float = 0.0, source: str = "feed") -> None:
        now = self.clock.now()
        self.cache.accept(
            QuoteTick(
                ts_event=now - round(age * SECOND),
                ts_init=now,
                symbol=Symbol(symbol),
                bid=bid,
                ask=ask,
                bid_size=100.0,
                ask_size=100.0,
                source=source,
            )
        )

    def trade(self, price: float, size: float = 100.0, symbol: str = "AAPL", *, age: float = 0.0) -> None:
        now = self.clock.now()
        self.cache.accept(
            TradeTick(
                ts_event=now - round(age * SECOND),
                ts_init=now,
                symbol=Symbol(symbol),
                price=price,
                size=size,
                source="feed",
            )
        )

    def of(self, kind: type) -> list:
        return [event for event in self.heard if type(event) is kind]

    def reasons(self) -> list[str]:
        return [event.reason for event in self.of(TickRejected)]

    def closed(self, seconds: int, symbol: str = "AAPL") -> list[BarClosed]:
        return [bar for bar in self.of(BarClosed) if bar.seconds == seconds and bar.symbol == symbol]


@pytest.fixture(scope="session")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Calendars:
    return Calendars(tmp_path_factory.mktemp("calendars"))


@pytest.fixture
async def rig(calendars: Calendars) -> Callable[..., Rig]:
    made: list[Rig] = []

    def make(start: str = "2024-03-08 09:00", **settings: object) -> Rig:
        rig = Rig(calendars, start, MarketSettings(**settings))  # type: ignore[arg-type]
        made.append(rig)
        return rig

    yield make
    for one in made:
        assert one.failures == []
