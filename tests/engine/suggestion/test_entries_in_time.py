"""When a strategy proposes an entry: not within its pause, restarts included, and not before the open has settled."""

from decimal import Decimal

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.model.events.market import QuoteTick
from engine.model.events.thought import Scored, Suggested
from engine.model.ids import SourceId, Symbol
from engine.model.instrument import Instrument
from engine.model.market import BarColumns, Quote, Session, SessionState
from engine.model.score import Evidence, Forecast
from engine.suggestion.board import Board
from engine.suggestion.plan import Recipe
from engine.suggestion.strategist import AFTER_OPEN_S, Strategist

ACME = Symbol("ACME")
OPEN, CLOSE = 10 * 3600 * SECOND, 16 * 3600 * SECOND
NAN = float("nan")


class Store(dict[str, str]):
    """The journal's small values."""

    def set(self, name: str, value: str) -> None:
        self[name] = value


class Market:
    """Prices, bars, books and sizes of one symbol."""

    def quote(self, symbol: Symbol) -> Quote:
        prices = dict.fromkeys(("volume", "open", "high", "low", "previous_close"), NAN)
        sizes = dict.fromkeys(("bid_size", "ask_size", "last_size"), 1.0)
        return Quote(symbol=symbol, bid=10.0, ask=10.02, last=10.01, ts_event=1, ts_seen=1, **prices, **sizes)

    def instrument(self, symbol: Symbol) -> Instrument:
        return Instrument(symbol=symbol)

    def session(self, symbol: Symbol, at_ns: int) -> Session:
        state = SessionState.OPEN if OPEN <= at_ns < CLOSE else SessionState.CLOSED
        return Session(state=state, date="d", open_ns=OPEN, close_ns=CLOSE, next_open_ns=OPEN)

    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns:
        steps = np.arange(30, dtype=np.float64)
        part = dict.fromkeys(("open", "close"), (10 + steps * 0.01).tobytes())
        high, low = (10.5 + steps * 0.01).tobytes(), (9.5 + steps * 0.01).tobytes()
        ones = np.ones(30).tobytes()
        stamps = np.arange(30, dtype=np.int64).tobytes()
        return BarColumns(symbol=symbol, seconds=seconds, ts_open=stamps, high=high, low=low, volume=ones, **part)

    def positions(self) -> dict[Symbol, object]:
        return {}

    def open_orders(self) -> tuple[object, ...]:
        return ()

    def size(self, *details: object) -> Decimal:
        return Decimal(10)


def recipe(seconds: int) -> Recipe:
    return Recipe(
        bar_seconds=seconds,
        atr_period=5,
        stop_atr=2.0,
        target_atr=4.0,
        risk_percent=0.2,
        expires_bars=1,
        cooldown_bars=12,
        entry="touch",
    )


async def strategist(bus: Bus, clock: StepClock, store: Store, seconds: int) -> list[Suggested]:
    market, found = Market(), list[Suggested]()
    board = Board(bus, clock, store)
    made = Strategist(
        bus,
        clock,
        market=market,
        history=market,
        ledger=market,  # type: ignore[arg-type]
        orders=market,  # type: ignore[arg-type]
        sizer=market,  # type: ignore[arg-type]
        board=board,
        store=store,
        recipes={"trend": recipe(seconds)},
    )
    await made.start()
    bus.subscribe(Suggested, found.append, owner="test")
    return found


def score(bus: Bus, clock: StepClock) -> None:
    now = clock.now()
    forecast = Forecast(
        source=SourceId("technical:trend"),
        symbol=ACME,
        horizon="day",
        score=0.8,
        reason="enter",
        evidence=(Evidence(id="T1", source="trend", kind="bar", text="up", direction=1, available_at=now),),
        available_at=now,
        expires_at=now + 3600 * SECOND,
    )
    bus.publish(Scored(ts_event=now, ts_init=now, forecast=forecast))
    clock.advance(0.01)


@pytest.fixture
def bus() -> Bus:
    def fail(*what: object) -> None:
        raise AssertionError(what)

    return Bus(fail)


async def test_a_restart_does_not_propose_again_what_was_proposed_a_moment_ago(bus: Bus) -> None:
    clock, store = StepClock(OPEN + 3600 * SECOND), Store()
    found = await strategist(bus, clock, store, 300)
    score(bus, clock)
    assert len(found) == 1
    clock.advance(60)
    second = Bus(lambda *_: None)
    again = await strategist(second, clock, store, 300)
    score(second, clock)
    assert again == []
    clock.advance(12 * 300)
    score(second, clock)
    assert len(again) == 1


@pytest.mark.parametrize(
    ("seconds", "after_open_s", "at_once"), [(86_400, 60, False), (86_400, 400, True), (300, 60, True)]
)
async def test_what_a_day_says_waits_until_the_open_has_settled(
    bus: Bus, seconds: int, after_open_s: int, at_once: bool
) -> None:
    clock = StepClock(OPEN + after_open_s * SECOND)
    found = await strategist(bus, clock, Store(), seconds)
    score(bus, clock)
    assert bool(found) is at_once
    clock.advance(max(AFTER_OPEN_S - after_open_s, 0) + 1)
    now = clock.now()
    tick = dict.fromkeys(("bid_size", "ask_size"), 1.0)
    bus.publish(QuoteTick(ts_event=now, ts_init=now, symbol=ACME, bid=10.0, ask=10.02, source="test", **tick))
    clock.advance(0.01)
    assert len(found) == 1
