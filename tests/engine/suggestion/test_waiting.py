"""A daily signal waits for the next open over a restart, and is dropped when that session is over."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.model.events.market import QuoteTick
from engine.model.events.thought import Scored, Suggested
from engine.model.ids import AccountId, SourceId, Symbol
from engine.model.instrument import Instrument
from engine.model.market import BarColumns, Quote, Session, SessionState, Side
from engine.model.position import Position
from engine.model.score import Evidence, Forecast
from engine.suggestion.board import Board
from engine.suggestion.plan import Recipe
from engine.suggestion.strategist import AFTER_OPEN_S, Strategist
from engine.suggestion.waiting import NAME
from tests.engine.suggestion.store import Store

D = Decimal
AAPL = Symbol("AAPL")
DAY = 86_400 * SECOND
HOUR = 3600 * SECOND
MIDNIGHT = 20_000 * DAY
RECIPE = Recipe(
    bar_seconds=86_400,
    atr_period=14,
    stop_atr=2.0,
    target_atr=3.0,
    risk_percent=0.5,
    expires_bars=5.0,
    cooldown_bars=1,
    entry="close",
)


class Market:
    """A session from 14 to 21 o'clock every day."""

    def __init__(self, clock: StepClock) -> None:
        self.clock = clock

    def session(self, symbol: Symbol, at_ns: int) -> Session:
        day = at_ns // DAY * DAY
        opens, closes = day + 14 * HOUR, day + 21 * HOUR
        if at_ns >= closes:
            opens, closes = opens + DAY, closes + DAY
        return Session(
            state=SessionState.OPEN if opens <= at_ns < closes else SessionState.CLOSED,
            date=f"day {opens // DAY}",
            open_ns=opens,
            close_ns=closes,
            next_open_ns=opens + DAY,
        )

    def instrument(self, symbol: Symbol) -> Instrument:
        return Instrument(symbol=symbol)

    def quote(self, symbol: Symbol) -> Quote:
        nan, now = float("nan"), self.clock.now()
        fields = dict.fromkeys(("volume", "open", "high", "low", "previous_close"), nan)
        return Quote(
            symbol=symbol, bid=99.99, ask=100.01, bid_size=1, ask_size=1, last=100, last_size=1,
            ts_event=now, ts_seen=now, **fields,
        )  # fmt: skip

    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> Any:
        steps = np.arange(60) % 3
        close = 99.0 + steps
        columns = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": close * 1000}
        made: dict[str, Any] = {name: np.asarray(column, np.float64).tobytes() for name, column in columns.items()}
        return BarColumns(symbol=symbol, seconds=seconds, ts_open=np.arange(60, dtype=np.int64).tobytes(), **made)

    def size(self, *asked: object) -> Decimal:
        return D(10)

    def worth(self, *asked: object) -> bool:
        return True


class Run:
    """One life of the program; the store outlives it."""

    def __init__(self, store: Store, at_ns: int, held: dict[Symbol, Position] | None = None) -> None:
        self.clock = StepClock(at_ns)
        self.failures: list[Exception] = []
        self.bus = Bus(lambda owner, role, event, error: self.failures.append(error))
        self.market = Market(self.clock)
        self.held = held or {}
        self.said: list[Suggested] = []
        self.bus.subscribe(Suggested, self.said.append, owner="test")
        self.strategist = Strategist(
            self.bus,
            self.clock,
            market=self.market,
            history=self.market,
            ledger=self,
            orders=self,
            sizer=self.market,
            board=Board(self.bus, self.clock, store),
            store=store,
            recipes={"daily": RECIPE},
        )

    def positions(self) -> dict[Symbol, Position]:
        return self.held

    def open_orders(self) -> tuple[()]:
        return ()

    async def start(self) -> "Run":
        await self.strategist.start()
        return self

    def score(self, score: float, reason: str = "entry", life_s: float = 5 * 86_400) -> None:
        now = self.clock.now()
        row = Evidence(id="r", source="bars", kind="bar", text="a row")
        forecast = Forecast(
            source=SourceId("technical:daily"),
            symbol=AAPL,
            horizon="swing",
            score=score,
            reason=reason,
            evidence=(row,),
            available_at=now,
            expires_at=now + round(life_s * SECOND),
        )
        self.bus.publish(Scored(ts_event=now, ts_init=now, forecast=forecast))
        self.clock.advance(0.001)

    def quote_at(self, at_ns: int) -> None:
        self.clock.advance_to(at_ns)
        fields = {"bid": 99.99, "ask": 100.01, "bid_size": 1.0, "ask_size": 1.0, "source": "test"}
        self.bus.publish(QuoteTick(ts_event=at_ns, ts_init=at_ns, symbol=AAPL, **fields))
        self.clock.advance(0.001)
        assert not self.failures, self.failures


CLOSE = MIDNIGHT + 21 * HOUR
NEXT_OPEN = MIDNIGHT + DAY + 14 * HOUR
SETTLED = NEXT_OPEN + round(AFTER_OPEN_S * SECOND)


async def night(store: Store, score: float = 0.8, reason: str = "entry", **fields: float) -> None:
    """A daily bar closes and speaks; then the program ends without a goodbye."""
    run = await Run(store, CLOSE).start()
    run.score(score, reason, **fields)
    assert run.said == []


async def test_a_daily_signal_is_proposed_after_the_next_open_although_the_engine_was_off_at_night() -> None:
    store = Store()
    await night(store)
    morning = await Run(store, NEXT_OPEN - HOUR).start()
    morning.quote_at(NEXT_OPEN + SECOND)
    assert morning.said == []
    morning.quote_at(SETTLED)
    assert [event.suggestion.side for event in morning.said] == [Side.BUY]
    again = await Run(store, SETTLED + HOUR).start()
    again.quote_at(SETTLED + HOUR + SECOND)
    assert again.said == []


@pytest.mark.parametrize("late", [MIDNIGHT + DAY + 21 * HOUR, SETTLED + DAY], ids=["after the close", "a day later"])
async def test_a_signal_whose_session_is_over_is_dropped(late: int) -> None:
    store = Store()
    await night(store)
    run = await Run(store, late).start()
    run.quote_at(late + SECOND)
    assert run.said == []
    assert run.strategist.silent == {"the signal was for a session that is over": 1}


async def test_a_signal_that_is_older_than_its_strategy_allows_is_dropped() -> None:
    store = Store()
    await night(store, life_s=600)
    run = await Run(store, NEXT_OPEN).start()
    run.quote_at(NEXT_OPEN + HOUR)
    assert run.said == []
    assert run.strategist.silent == {"the signal was for a session that is over": 1}


async def test_an_exit_waits_as_long_as_what_it_closes_is_held() -> None:
    store = Store()
    await night(store, 0.0, "exit long")
    held = Position(
        account=AccountId("DU1"), symbol=AAPL, quantity=D(10), average_price=D(90), opened_by="daily", opened_ns=1
    )
    run = await Run(store, SETTLED + 2 * DAY, {AAPL: held}).start()
    run.quote_at(SETTLED + 2 * DAY + SECOND)
    assert [event.suggestion.reduces for event in run.said] == [True]


async def test_an_exit_is_not_about_a_position_that_was_opened_after_it() -> None:
    store = Store()
    await night(store, 0.0, "exit long")
    held = Position(
        account=AccountId("DU1"), symbol=AAPL, quantity=D(10), average_price=D(90), opened_by="daily",
        opened_ns=CLOSE + HOUR,
    )  # fmt: skip
    run = await Run(store, SETTLED, {AAPL: held}).start()
    run.quote_at(SETTLED + SECOND)
    assert run.said == []


async def test_the_newer_signal_of_a_strategy_takes_the_place_of_the_older() -> None:
    store = Store()
    await night(store, 0.8)
    await night(store, -0.8)
    run = await Run(store, NEXT_OPEN).start()
    run.quote_at(SETTLED)
    assert [event.suggestion.side for event in run.said] == [Side.SELL]


async def test_what_cannot_be_kept_or_read_is_counted_and_the_rest_goes_on() -> None:
    store = Store()
    store.broken = True
    run = await Run(store, CLOSE).start()
    run.score(0.8)
    assert run.strategist.silent == {"signals of this session could not be kept": 1}
    store.broken = False
    run.quote_at(SETTLED)
    assert len(run.said) == 1
    store[NAME] = "{"
    other = await Run(store, CLOSE).start()
    assert other.strategist.silent == {"signals of the last session cannot be read": 1}
