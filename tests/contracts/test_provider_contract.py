"""What every provider promises, run over ours. A provider of your own: add a builder to ``BUILDERS``."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from engine.bus.clock import SECOND, StepClock
from engine.collection.provider import DataKind, Emit, Provider
from engine.collection.providers._template import TemplateProvider
from engine.collection.providers.files import FilesProvider
from engine.collection.providers.simulated import SimulatedProvider
from engine.collection.settings import FilesSettings, SimulatedSettings
from engine.memory.bar_archive import BarArchive
from engine.model.events.base import Event
from engine.model.ids import Symbol
from engine.simulation.market.instruments import instruments_for
from engine.simulation.market.market import SimulatedMarket
from engine.simulation.market.sessions import weekday_sessions
from engine.simulation.market.world import World

A, B = Symbol("AAPL"), Symbol("MSFT")
DAYS = weekday_sessions(date(2024, 3, 4), 3)
START = DAYS[1].open_ns


def template(emit: Emit, clock: StepClock, folder: Path) -> Provider:
    return TemplateProvider(emit, clock)


def simulated(emit: Emit, clock: StepClock, folder: Path) -> Provider:
    market = SimulatedMarket(World("mixed", 7), instruments_for([A, B]), DAYS)
    return SimulatedProvider(emit, clock, SimulatedSettings(), market, DAYS[0].index)


def files(emit: Emit, clock: StepClock, folder: Path) -> Provider:
    archive = BarArchive(folder)
    starts = np.concatenate([day.open_ns + np.arange(78, dtype=np.int64) * 300 * SECOND for day in DAYS])
    flat = np.full(len(starts), 100.0)
    for symbol in (A, B):
        archive.append(
            symbol,
            300,
            {"ts_open": starts, "open": flat, "high": flat + 1, "low": flat - 1, "close": flat, "volume": flat * 10},
        )
    return FilesProvider(emit, clock, FilesSettings(), archive)


BUILDERS: dict[str, Callable[[Emit, StepClock, Path], Provider]] = {
    "template": template,
    "simulated": simulated,
    "files": files,
}


class Case(NamedTuple):
    provider: Provider
    clock: StepClock
    heard: list[Event]


@pytest.fixture(params=BUILDERS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    clock = StepClock(START)
    heard: list[Event] = []
    case = Case(BUILDERS[request.param](heard.append, clock, tmp_path), clock, heard)
    yield case
    asyncio.run(case.provider.stop())


def symbols_of(events: list[Event]) -> set[str]:
    return {event.symbol for event in events if hasattr(event, "symbol")}


async def test_it_has_a_name_and_says_what_it_gives(case: Case) -> None:
    assert case.provider.name
    assert case.provider.name == case.provider.name.lower()
    assert case.provider.kinds
    assert all(isinstance(kind, DataKind) for kind in case.provider.kinds)


async def test_it_may_be_stopped_before_it_started_and_twice(case: Case) -> None:
    await case.provider.stop()
    await case.provider.start()
    await case.provider.stop()
    await case.provider.stop()


async def test_it_says_nothing_of_symbols_nobody_watches(case: Case) -> None:
    await case.provider.start()
    case.clock.advance(600)
    prices = [event for event in case.heard if hasattr(event, "bid") or hasattr(event, "price")]
    assert prices == []
    case.provider.watch([A])
    case.clock.advance(600)
    assert symbols_of([event for event in case.heard if hasattr(event, "price") or hasattr(event, "bid")]) == {A}


async def test_it_is_silent_after_unwatch_and_after_stop(case: Case) -> None:
    await case.provider.start()
    case.provider.watch([A, B])
    case.clock.advance(900)
    assert {A, B} <= symbols_of(case.heard)
    case.provider.unwatch([A, Symbol("NEVER")])
    case.heard.clear()
    case.clock.advance(900)
    prices = [event for event in case.heard if hasattr(event, "bid") or hasattr(event, "price")]
    assert symbols_of(prices) == {B}
    await case.provider.stop()
    case.heard.clear()
    case.clock.advance(900)
    assert case.heard == []


async def test_its_events_carry_its_name_and_times_that_do_not_step_back(case: Case) -> None:
    await case.provider.start()
    case.provider.watch([A, B], depth=DataKind.DEPTH in case.provider.kinds)
    case.clock.advance(900)
    assert case.heard
    newest: dict[tuple[type, str], int] = {}
    for event in case.heard:
        assert event.source == case.provider.name
        assert event.ts_event <= event.ts_init
        key = (type(event), getattr(event, "symbol", ""))
        assert event.ts_event >= newest.get(key, 0)
        newest[key] = event.ts_event


async def test_unknown_symbols_are_no_fault(case: Case) -> None:
    await case.provider.start()
    case.provider.watch([Symbol("NOBODY-HAS-THIS"), A])
    case.provider.watch([A])
    case.clock.advance(400)
    assert A in symbols_of(case.heard)


async def test_its_history_is_in_order_and_never_ahead_of_its_time(case: Case) -> None:
    await case.provider.start()
    end = START + 4_000 * SECOND
    for seconds in (60, 300, 86_400):
        for count in (1, 20):
            bars = await case.provider.history(A, seconds, count, end)
            if bars is None:
                continue
            assert DataKind.HISTORY in case.provider.kinds
            times = bars["ts_open"]
            assert 0 < len(times) <= count
            assert times.dtype == np.int64
            assert bool((np.diff(times) > 0).all())
            closes = bars.get("ts_close", times + seconds * SECOND)
            assert int(closes[-1]) <= end
            for name in ("open", "high", "low", "close", "volume"):
                assert len(bars[name]) == len(times)
                assert bool(np.isfinite(bars[name]).all())
            assert bool((bars["high"] >= bars["low"]).all())
    assert await case.provider.history(Symbol("NOBODY-HAS-THIS"), 300, 10, end) is None


async def test_the_same_start_gives_the_same_events_again(case: Case, tmp_path: Path) -> None:
    again: list[Event] = []
    clock = StepClock(START)
    other = BUILDERS[case.provider.name](again.append, clock, tmp_path / "again")
    for provider, its_clock in ((case.provider, case.clock), (other, clock)):
        await provider.start()
        provider.watch([A, B])
        its_clock.advance(700)
    # By their text: a vwap nobody knows is NaN, and that equals nothing.
    assert [repr(event) for event in case.heard] == [repr(event) for event in again]
    await other.stop()
