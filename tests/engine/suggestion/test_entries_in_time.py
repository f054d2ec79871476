"""When a strategy proposes an entry: not within its pause, restarts included, and not before the open has settled."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest

from engine.approval.requests import order_for
from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.model.decision import Denial
from engine.model.events.decision import ApprovalExpired, RiskDenied
from engine.model.events.market import QuoteTick
from engine.model.events.thought import Scored, Suggested
from engine.model.ids import IntentId, SourceId, Symbol
from engine.model.instrument import Instrument
from engine.model.market import BarColumns, Quote, Session, SessionState
from engine.model.order import Origin
from engine.model.score import Evidence, Forecast
from engine.suggestion.board import Board
from engine.suggestion.plan import Recipe
from engine.suggestion.strategist import AFTER_OPEN_S, Strategist
from tests.engine.suggestion.store import Store

ACME = Symbol("ACME")
OPEN, CLOSE = 10 * 3600 * SECOND, 16 * 3600 * SECOND
NAN = float("nan")


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

    def worth(self, *details: object) -> bool:
        return self.worthy

    worthy = True


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
    return (await shop(bus, clock, store, seconds)).found


@dataclass
class Shop:
    """A strategist with its board, and what it proposed."""

    market: Market
    strategist: Strategist
    found: list[Suggested]


async def shop(bus: Bus, clock: StepClock, store: Store, seconds: int = 300) -> Shop:
    market, found = Market(), list[Suggested]()
    board = Board(bus, clock, store)
    await board.start()
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
    return Shop(market, made, found)


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


def denied(bus: Bus, clock: StepClock, event: Suggested, *codes: str) -> None:
    suggestion, now = event.suggestion, clock.now()
    bus.publish(
        RiskDenied(
            ts_event=now,
            ts_init=now,
            symbol=ACME,
            side=suggestion.side,
            intent_id=IntentId(f"s-{suggestion.id}"),
            denials=tuple(Denial(code=code, text=code) for code in codes),
            request=order_for(suggestion, Origin.AUTO, None),
            origin=Origin.AUTO,
            suggestion_id=suggestion.id,
        )
    )


@pytest.mark.parametrize(
    ("codes", "again"),
    [(("G8",), 2), (("G21",), 2), (("DRIFT",), 2), (("G8", "G21"), 2), (("G8", "G13"), 1), (("G13",), 1)],
)
async def test_a_pause_begins_with_what_was_sent_or_refused_not_with_what_had_no_turn(
    bus: Bus, codes: tuple[str, ...], again: int
) -> None:
    clock, store = StepClock(OPEN + 3600 * SECOND), Store()
    made = await shop(bus, clock, store)
    score(bus, clock)
    clock.advance(20)
    denied(bus, clock, made.found[0], *codes)
    score(bus, clock)
    assert len(made.found) == again
    after = Bus(lambda *_: None)
    later = await shop(after, clock, store)
    score(after, clock)
    assert later.found == []


async def test_the_pause_that_was_given_back_is_given_back_over_a_restart(bus: Bus) -> None:
    clock, store = StepClock(OPEN + 3600 * SECOND), Store()
    made = await shop(bus, clock, store)
    score(bus, clock)
    denied(bus, clock, made.found[0], "G8")
    after = Bus(lambda *_: None)
    later = await shop(after, clock, store)
    score(after, clock)
    assert len(later.found) == 1


@pytest.mark.parametrize("unasked", [True, False])
async def test_what_expired_in_the_queue_burns_no_pause_and_what_a_person_left_unanswered_does(
    bus: Bus, unasked: bool
) -> None:
    clock = StepClock(OPEN + 3600 * SECOND)
    made = await shop(bus, clock, Store())
    score(bus, clock)
    clock.advance(20)
    now, name = clock.now(), made.found[0].suggestion.id
    bus.publish(ApprovalExpired(ts_event=now, ts_init=now, suggestion_id=name, symbol=ACME, unasked=unasked))
    score(bus, clock)
    assert len(made.found) == (2 if unasked else 1)


async def test_what_is_not_worth_its_commissions_is_not_proposed_and_burns_no_pause(bus: Bus) -> None:
    clock = StepClock(OPEN + 3600 * SECOND)
    made = await shop(bus, clock, Store())
    made.market.worthy = False
    score(bus, clock)
    assert (made.found, made.strategist.silent) == ([], {"too small to be worth its commissions": 1})
    made.market.worthy = True
    score(bus, clock)
    assert len(made.found) == 1


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
