"""Imported files as a market: the declared path, the ready bar, and nothing that was not in the file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import MILLISECOND, SECOND, StepClock
from engine.bus.errors import ProviderRefused
from engine.collection.files.context import ImportContext
from engine.collection.files.mapping import Mapping
from engine.collection.files.plan import plan_import
from engine.collection.files.run import run_import
from engine.collection.providers.files import FilesProvider
from engine.collection.settings import FilesSettings
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.market.calendars import Calendars
from engine.market.instruments import Instruments, described
from engine.market.settings import MarketSettings
from engine.memory.bar_archive import BarArchive
from engine.model.events.base import Event
from engine.model.events.market import BarClosed, QuoteTick, TickRejected, TradeTick
from engine.model.ids import Symbol

A = Symbol("AAPL")
OPEN = 1_709_908_200 * SECOND  # 2024-03-08 09:30 New York


def archive_of(folder: Path, kind: str = "bar", shift: float = 0.0, seconds: int = 300) -> BarArchive:
    archive = BarArchive(folder)
    archive.append(
        A,
        seconds,
        {
            "ts_open": OPEN + np.arange(3, dtype=np.int64) * seconds * SECOND,
            "open": np.array([10.0, 11.0, 12.0]) + shift,
            "high": np.array([12.0, 13.0, 14.0]) + shift,
            "low": np.array([9.0, 10.0, 11.0]) + shift,
            "close": np.array([11.0, 12.0, 13.0]) + shift,
            "volume": np.array([400.0, 800.0, 1200.0]),
        },
        kind=kind,
    )
    return archive


def provider(
    archive: BarArchive,
    clock: StepClock,
    heard: list[Event],
    held: Callable[[Symbol], float] = lambda s: 0.0,
    **more: str,
) -> FilesProvider:
    return FilesProvider(heard.append, clock, FilesSettings(**more), archive, held)  # type: ignore[arg-type]


def prices(heard: list[Event]) -> list[float]:
    return [event.price for event in heard if type(event) is TradeTick]


async def test_a_bar_is_its_path_and_then_itself(tmp_path: Path) -> None:
    clock, heard = StepClock(OPEN), []
    files = provider(archive_of(tmp_path), clock, heard)
    await files.start()
    files.watch([A])
    clock.advance_to(OPEN + 300 * SECOND)
    first = [event for event in heard if event.ts_event < OPEN + 300 * SECOND]
    assert [event.ts_event - OPEN for event in first if type(event) is TradeTick] == [
        0,
        100 * SECOND,
        200 * SECOND,
        300 * SECOND - MILLISECOND,
    ]
    assert prices(first) == [10.0, 9.0, 12.0, 11.0]
    assert all(event.synthetic for event in first)
    for quote in [event for event in first if type(event) is QuoteTick]:
        assert quote.ask - quote.bid == pytest.approx(2e-4 * (quote.ask + quote.bid) / 2)
    # At the same instant the ready bar comes before the next bar's open.
    at_end = [event for event in heard if event.ts_event == OPEN + 300 * SECOND]
    assert [type(event) for event in at_end] == [BarClosed, QuoteTick, TradeTick]
    assert (at_end[0].open, at_end[0].high, at_end[0].low, at_end[0].close, at_end[0].volume) == (10, 12, 9, 11, 400)


async def test_in_a_long_bar_the_opens_quote_is_told_again_once_prices_have_settled(tmp_path: Path) -> None:
    clock, heard = StepClock(OPEN), []
    files = provider(archive_of(tmp_path, seconds=23_400), clock, heard)
    await files.start()
    files.watch([A])
    clock.advance_to(OPEN + 7_799 * SECOND)
    quotes = [event for event in heard if type(event) is QuoteTick]
    assert [(quote.ts_event - OPEN) // SECOND for quote in quotes] == [0, 360]
    assert (quotes[0].bid, quotes[0].ask) == (quotes[1].bid, quotes[1].ask)
    assert prices(heard) == [10.0]


@pytest.mark.parametrize(
    ("position", "path", "second"),
    [
        (5.0, "adverse", 9.0),
        (0.0, "adverse", 9.0),
        (-5.0, "adverse", 12.0),
        (-5.0, "low_first", 9.0),
        (5.0, "high_first", 12.0),
    ],
)
async def test_the_extreme_against_the_position_comes_first(
    tmp_path: Path, position: float, path: str, second: float
) -> None:
    clock, heard = StepClock(OPEN), []
    files = provider(archive_of(tmp_path), clock, heard, lambda symbol: position, path=path)
    await files.start()
    files.watch([A])
    clock.advance_to(OPEN + 150 * SECOND)
    assert prices(heard) == [10.0, second]


async def test_the_position_is_asked_anew_for_each_bar(tmp_path: Path) -> None:
    clock, heard = StepClock(OPEN), []
    files = provider(
        archive_of(tmp_path), clock, heard, lambda symbol: -1.0 if any(type(e) is BarClosed for e in heard) else 1.0
    )
    await files.start()
    files.watch([A])
    clock.advance_to(OPEN + 600 * SECOND - 1)
    assert prices(heard) == [10.0, 9.0, 12.0, 11.0, 11.0, 13.0, 10.0, 12.0]


async def test_bid_and_ask_bars_pair_into_quotes(tmp_path: Path) -> None:
    archive_of(tmp_path, "bid")
    clock, heard = StepClock(OPEN), []
    files = provider(archive_of(tmp_path, "ask", 0.5), clock, heard)
    await files.start()
    files.watch([A])
    clock.advance_to(OPEN + 300 * SECOND)
    quotes = [(q.bid, q.ask) for q in heard if type(q) is QuoteTick][:4]
    assert quotes == [(10.0, 10.5), (9.0, 9.5), (12.0, 12.5), (11.0, 11.5)]
    (bar,) = [event for event in heard if type(event) is BarClosed]
    assert (bar.open, bar.high, bar.low, bar.close) == (10.25, 12.25, 9.25, 11.25)
    mid = files.bars(A, 300, 10, OPEN + 10_000 * SECOND)
    assert mid["close"].tolist() == [11.25, 12.25, 13.25]


async def test_the_end_of_the_files_is_known_and_an_empty_archive_is_refused(tmp_path: Path) -> None:
    clock, heard = StepClock(OPEN - SECOND), []
    files = provider(archive_of(tmp_path / "full"), clock, heard)
    await files.start()
    files.watch([A])
    assert files.next_wake() == OPEN
    clock.advance(10_000)
    assert files.next_wake() is None
    assert sum(type(event) is BarClosed for event in heard) == 3
    with pytest.raises(ProviderRefused, match="holds no bars"):
        await provider(BarArchive(tmp_path / "empty"), clock, heard).start()


async def test_genuine_files_pass_through_cache_and_bars_unchanged(
    shared_dir: Path, context: ImportContext, calendars: Calendars, tmp_path: Path
) -> None:
    """Minutes of an index, five minutes of another, quotes of a currency: what comes out is what is in the file."""
    archive = BarArchive(tmp_path)
    for name in ("minute/SP500_NOV2019_1min.csv", "minute/ESTX50_2006_5min.csv", "tick/USDJPY_truefx_ticks.csv"):
        run_import(plan_import(shared_dir / "market_data" / name, Mapping(), context), archive)
    for name, seconds in (("SP500", 60), ("ESTX50", 300), ("USDJPY", 0)):
        symbol = Symbol(name)
        kind = "quote" if seconds == 0 else "bar"
        columns = archive.read(symbol, seconds, kind=kind)
        times = columns["ts" if seconds == 0 else "ts_open"]
        clock = StepClock(int(times[0]) - SECOND)
        rejected: list[Event] = []
        bus = Bus(lambda *failure: pytest.fail(str(failure)))
        bus.subscribe(TickRejected, rejected.append, owner="test")
        instruments = Instruments([described(symbol)])
        bars = BarStore(bus, clock, MarketSettings(), instruments, calendars)
        cache = MarketCache(bus, clock, MarketSettings(), instruments, calendars, bars)
        await bars.start()
        files = FilesProvider(cache.accept, clock, FilesSettings(), archive)
        await files.start()
        files.watch([symbol])
        while (wake := files.next_wake()) is not None:
            clock.advance_to(wake)
        clock.advance(86_400)
        assert rejected == []
        if seconds:
            made = bars.arrays(symbol, seconds, 10_000)
            for field in ("ts_open", "open", "high", "low", "close"):
                np.testing.assert_array_equal(getattr(made, field), columns[field])
        else:
            minutes = bars.arrays(symbol, 60, 100)
            mid = (columns["bid"] + columns["ask"]) / 2
            first = times < minutes.ts_close[0]
            assert minutes.high[0] == mid[first].max()
            assert minutes.volume.sum() == len(times)
