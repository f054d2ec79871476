"""History of a live market: what is refused holds nobody up, and what the broker says of an instrument is taken."""

import asyncio
import math
from decimal import Decimal

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.bus.errors import ProviderError
from engine.features.engine import FeatureEngine
from engine.market.bars import BarStore
from engine.market.calendars import Calendars
from engine.market.instruments import Authority, Instruments, described
from engine.market.settings import MarketSettings
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Session, SessionState
from engine.runtime.last_look import agreed
from engine.runtime.live_history import HISTORY, LiveHistory

GOOD, BAD, LATE = Symbol("GOOD"), Symbol("BAD"), Symbol("LATE")


class Market:
    """Stands for collector, cache, bars, calendars and features: what is asked of them is written down."""

    intervals = (300,)

    def __init__(self) -> None:
        self.asked: list[tuple[Symbol, int]] = []
        self.seeded: list[tuple[Symbol, int]] = []
        self.features: list[tuple[int, tuple[Symbol, ...]]] = []
        self.refuse = {BAD}
        self.closes: dict[Symbol, float] = {}
        self.news: list[Symbol] = []
        self.looked_at: list[tuple[Symbol, int]] = []
        self.banner = ""

    def symbols(self) -> tuple[Symbol, ...]:
        return (BAD, GOOD, LATE)

    def note(self, symbol: Symbol, seconds: int) -> None:
        self.looked_at.append((symbol, seconds))

    def light(self, code: str, severity: str, happened: str, did: str, you_can: str) -> None:
        self.banner = happened

    def over(self, code: str, text: str) -> None:
        self.banner = ""

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int):  # type: ignore[no-untyped-def]
        self.asked.append((symbol, seconds))
        if symbol in self.refuse:
            raise ProviderError("no permission (162)")
        price = 0.0 if symbol == LATE and len(self.asked) < 5 else 10.0
        column = np.full(3, price)
        return "ibkr", {
            "ts_open": np.arange(3) * seconds * SECOND,
            **dict.fromkeys(("open", "high", "low", "close", "volume"), column),
        }

    def seed(self, first, second, third=None):  # type: ignore[no-untyped-def]
        if third is None:
            self.features.append((first, tuple(second)))
            return None
        if third["close"][0] <= 0:
            raise ValueError("a seeded price is missing, not finite or not positive")
        self.seeded.append((first, second))
        return 3

    def compute(self, seconds: int) -> int:
        return 0

    def arrays(self, symbol: Symbol, seconds: int, count: int):  # type: ignore[no-untyped-def]
        class Bars:
            size = 3
            volume = np.array([1e6, 2e6, 3e6])

        return Bars() if (symbol, seconds) in self.seeded and seconds == 86_400 else None

    def newest(self, symbol: Symbol, seconds: int) -> int:
        return 1 + 3 * seconds * SECOND if (symbol, seconds) in self.seeded else 0

    def seed_close(self, symbol: Symbol, price: float) -> None:
        self.closes[symbol] = price

    def described(self, symbol: Symbol) -> None:
        self.news.append(symbol)

    def amended(self, calendar: str, hours: object, at_ns: int) -> str:
        return calendar


async def test_a_symbol_that_is_refused_holds_nobody_up_and_is_asked_for_again() -> None:
    clock, market = StepClock(0), Market()
    book = Instruments((described(s) for s in market.symbols()), Authority.GUESS)
    unknown = {LATE}

    async def describe(symbols: tuple[Symbol, ...]) -> tuple[Instrument, ...]:
        return tuple(Instrument(symbol=s, sector="Technology") for s in symbols if s not in unknown)

    history = LiveHistory("ibkr", describe, clock, *[market] * 3, book, *[market] * 4)  # type: ignore[arg-type]
    task = asyncio.create_task(history.fetch())
    for _ in range(200):
        await asyncio.sleep(0)
    assert {s for s, _ in market.seeded} == {GOOD, LATE}
    assert market.closes == {GOOD: 10.0} | ({LATE: 10.0} if LATE in market.closes else {})
    assert book.get(GOOD).adv20 == 2e6  # type: ignore[union-attr]
    assert book.get(GOOD).sector == "Technology"  # type: ignore[union-attr]
    assert market.features[-1][0] == 300
    assert not task.done()
    assert "of BAD, LATE: no permission (162)" in market.banner
    assert (GOOD, 300) in market.looked_at
    market.refuse.clear()
    unknown.clear()
    for _ in range(20):
        clock.advance(30)
        await asyncio.sleep(0.001)
    assert task.done()
    await task
    assert set(market.seeded) == {(s, seconds) for s in market.symbols() for seconds in HISTORY}
    assert book.get(LATE).sector == "Technology"  # type: ignore[union-attr]
    assert not math.isnan(book.get(BAD).adv20)  # type: ignore[union-attr]
    assert set(market.news) == {GOOD, BAD, LATE}
    assert market.banner == ""


async def test_what_is_refused_for_ever_is_asked_for_ever_less_often() -> None:
    clock, market = StepClock(0), Market()
    book = Instruments((described(s) for s in market.symbols()), Authority.GUESS)
    history = LiveHistory("alpaca", None, clock, *[market] * 3, book, *[market] * 4)  # type: ignore[arg-type]
    task = asyncio.create_task(history.fetch())
    for _ in range(3600):
        clock.advance(1)
        await asyncio.sleep(0)
    task.cancel()
    asked = sum(1 for symbol, _ in market.asked if symbol == BAD)
    assert 3 * 10 < asked < 3 * 25


def test_books_agree_to_the_cent_that_a_broker_rounds_to_and_not_beyond() -> None:
    from engine.model.ids import AccountId
    from engine.model.position import Account
    from engine.model.report import BrokerPosition, BrokerSnapshot

    held = BrokerPosition(account=AccountId("DU1"), symbol=GOOD, quantity=Decimal(10), average_price=Decimal(1))
    account = Account(account=AccountId("DU1"), currency="USD", cash={"USD": Decimal("99.65")}, ts_event=0)
    snapshot = BrokerSnapshot(
        taken_ns=1, open_orders=(), completed=(), executions=(), positions=(held,), account=account
    )
    assert agreed(snapshot, {GOOD: Decimal(10)}, {"USD": Decimal("99.6465")}) is True
    assert agreed(snapshot, {GOOD: Decimal(10)}, {"USD": Decimal("99.64")}) is False
    assert agreed(snapshot, {GOOD: Decimal(9)}, {"USD": Decimal("99.65")}) is False
    assert agreed(snapshot, {GOOD: Decimal(10)}, {"USD": Decimal("99.65"), "EUR": Decimal(1)}) is False
    assert agreed(None, {}, {}) is None


def test_what_differs_from_the_brokers_books_is_named() -> None:
    from engine.model.ids import AccountId
    from engine.model.position import Account
    from engine.model.report import BrokerPosition, BrokerSnapshot
    from engine.runtime.last_look import differences

    held = BrokerPosition(account=AccountId("DU1"), symbol=GOOD, quantity=Decimal(10), average_price=Decimal(1))
    account = Account(account=AccountId("DU1"), currency="USD", cash={"USD": Decimal("99.65")}, ts_event=0)
    snapshot = BrokerSnapshot(
        taken_ns=1, open_orders=(), completed=(), executions=(), positions=(held,), account=account
    )
    assert differences(snapshot, {BAD: Decimal(5)}, {"USD": Decimal("99.6")}) == (
        *sorted((f"{GOOD}: ours 0, the broker's 10", f"{BAD}: ours 5, the broker's 0")),
        "cash in USD: ours 99.60, the broker's 99.65",
    )
    assert differences(snapshot, {GOOD: Decimal(10)}, {"USD": Decimal("99.65")}) == ()


class Desk:
    """As much of the order desk as a last look asks for."""

    synced = True

    def __init__(self) -> None:
        self.taken: list[object] = []

    def reconcile(self, snapshot: object) -> None:
        self.taken.append(snapshot)


async def test_books_that_differ_are_asked_for_again_because_cash_is_told_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.runtime import last_look as module

    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    snapshots = iter(("stale", "stale", "fresh", "never asked for"))

    class Teller:
        async def snapshot(self) -> object:
            return next(snapshots)

    desk = Desk()
    seen = await module.last_look(Teller(), desk, lambda snapshot: snapshot == "fresh")  # type: ignore[arg-type]
    assert seen == "fresh"
    assert desk.taken == ["stale", "stale", "fresh"]


async def test_a_silent_request_does_not_make_the_other_symbols_wait() -> None:
    clock, market = StepClock(0), Market()
    market.refuse.clear()
    book = Instruments((described(s) for s in market.symbols()), Authority.GUESS)
    told = market.history

    async def history(symbol: Symbol, seconds: int, count: int, end_ns: int):  # type: ignore[no-untyped-def]
        if symbol == BAD:
            await clock.sleep(25.0)
            raise ProviderError("no history within 25 s")
        return await told(symbol, seconds, count, end_ns)

    market.history = history  # type: ignore[method-assign]
    work = LiveHistory("ibkr", None, clock, *[market] * 3, book, *[market] * 4)  # type: ignore[arg-type]
    task = asyncio.create_task(work.fetch())
    for _ in range(200):
        await asyncio.sleep(0)
    assert {s for s, _ in market.seeded} == {GOOD}
    task.cancel()
    await asyncio.wait([task])


async def test_a_source_that_has_no_bars_is_named_where_a_strategy_wants_them() -> None:
    clock, market = StepClock(0), Market()
    book = Instruments((described(s) for s in market.symbols()), Authority.GUESS)

    async def none(symbol: Symbol, seconds: int, count: int, end_ns: int) -> None:
        return None

    market.history = none  # type: ignore[method-assign, assignment]
    await LiveHistory("ibkr", None, clock, *[market] * 3, book, *[market] * 4).fetch()  # type: ignore[arg-type]
    assert market.banner.startswith("History is missing of BAD, GOOD, LATE: ibkr: it has none of BAD")


async def test_a_bar_that_should_have_closed_and_did_not_is_asked_for_once_in_its_time() -> None:
    clock, market = StepClock(0), Market()
    market.refuse.clear()
    book = Instruments((described(s) for s in market.symbols()), Authority.GUESS)
    newest = {GOOD: 3_000, LATE: 3_000}
    state = SessionState.OPEN

    def kept(symbol: Symbol, seconds: int) -> int:
        return newest[symbol] * SECOND + len(market.seeded) if symbol in newest and seconds == 300 else 0

    def session(symbol: Symbol, at_ns: int) -> Session:
        return Session(state=state, date="d", open_ns=1, close_ns=10**18, next_open_ns=10**18)

    market.newest, market.session = kept, session  # type: ignore[method-assign, attr-defined]
    clock.advance(3_001)
    history = LiveHistory("ibkr", None, clock, *[market] * 3, book, *[market] * 4)  # type: ignore[arg-type]
    task = asyncio.create_task(history.keep())

    async def live(seconds: int) -> None:
        for _ in range(seconds):
            await asyncio.sleep(0)
            clock.advance(1)
            await asyncio.sleep(0)

    await live(320)
    assert market.asked == []
    newest[LATE] = 3_300
    await live(60)
    assert market.asked == [(GOOD, 60), (GOOD, 300)]
    assert (GOOD, 300) in market.looked_at
    market.refuse = {GOOD, LATE}
    await live(200)
    assert market.asked == [(GOOD, 60), (GOOD, 300)], "not more often than bars close"
    await live(200)
    assert {s for s, _ in market.asked} == {LATE, GOOD}
    assert market.banner == "", "that a bar is late is no lack of history"
    state, known = SessionState.CLOSED, len(market.asked)
    await live(2_000)
    assert len(market.asked) == known
    task.cancel()
    await asyncio.wait([task])


async def test_five_minutes_that_are_not_given_are_made_of_the_minutes_that_are() -> None:
    now = 1_767_970_800 * SECOND + 130 * SECOND
    clock, told = StepClock(now), list[tuple[Symbol, int]]()
    bus = Bus(lambda *_: None)
    book = Instruments((Instrument(symbol=GOOD, calendar="24/7"),), Authority.GUESS)
    bars = BarStore(bus, clock, MarketSettings(), book, Calendars())
    features = FeatureEngine(bus, clock, [GOOD], [300])

    class Minutes(Market):
        def symbols(self) -> tuple[Symbol, ...]:
            return (GOOD,)

        async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int):  # type: ignore[no-untyped-def]
            if seconds != 60:
                raise ProviderError("no data (162)")
            opens = now // (60 * SECOND) * (60 * SECOND) - np.arange(400, 0, -1) * 60 * SECOND
            column = np.linspace(10.0, 11.0, 400)
            return "ibkr", {"ts_open": opens, **dict.fromkeys(("open", "high", "low", "close", "volume"), column)}

        def note(self, symbol: Symbol, seconds: int) -> None:
            told.append((symbol, seconds))

    market = Minutes()
    history = LiveHistory(
        "ibkr",
        None,
        clock,
        market,
        market,
        bars,
        book,
        Calendars(),
        features,
        market,
        market,  # type: ignore[arg-type]
    )
    task = asyncio.create_task(history.fetch())
    for _ in range(200):
        await asyncio.sleep(0)
    known = bars.arrays(GOOD, 300, 500)
    assert known is not None
    assert 77 <= known.size <= 80
    assert int(known.ts_close[-1]) == now // (300 * SECOND) * 300 * SECOND
    assert bars.newest(GOOD, 300) == int(known.ts_close[-1])
    assert told == [(GOOD, 300)]
    for _ in range(30):
        clock.advance(1)
        await asyncio.sleep(0)
    assert told == [(GOOD, 300)], "asked for again, but judged once"
    task.cancel()
    await asyncio.wait([task])
