"""Bars: keeping and finding them beside sqlite3 and pandas; ticks through cache and bars.

Run: ``python tests/benchmarks/bench_bars.py`` from the root of the tree. CPU seconds, median of three.
"""

import asyncio
import sqlite3
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.collection.files.context import ImportContext
from engine.collection.files.mapping import Mapping
from engine.collection.files.plan import plan_import
from engine.collection.files.run import run_import
from engine.collection.providers.simulated import SimulatedProvider
from engine.collection.settings import SimulatedSettings
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.market.calendars import Calendars
from engine.market.instruments import Instruments, described
from engine.market.settings import MarketSettings
from engine.memory.bar_archive import BarArchive
from engine.memory.bar_archive_recorder import BarRecorder
from engine.model.events.market import BarClosed, QuoteTick, TradeTick
from engine.model.ids import Symbol
from engine.simulation.market.instruments import default_universe
from engine.simulation.market.market import SimulatedMarket
from engine.simulation.market.sessions import weekday_sessions
from engine.simulation.market.world import World

MINUTE = 60 * SECOND
SYMBOLS = 500
DDL = "create table bar(sym int, ts int, o, h, l, c, v, primary key(sym, ts)) without rowid"


def columns(count: int, first: int = 0) -> dict[str, np.ndarray]:
    close = 100 + np.arange(count) * 0.01
    return {
        "ts_open": (first + np.arange(count, dtype=np.int64)) * MINUTE,
        "open": close,
        "high": close + 1,
        "low": close - 1,
        "close": close,
        "volume": close * 10,
    }


def cpu(run: object, *arguments: object) -> float:
    times = []
    for _ in range(3):
        start = process_time()
        run(*arguments)  # type: ignore[operator]
        times.append(process_time() - start)
    return median(times)


def append_sqlite(minutes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(f"{folder}/bars.db", isolation_level=None)
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=normal")
        db.execute(DDL)
        for minute in range(minutes):
            rows = [(s, minute, 1.0, 2.0, 0.5, 1.5, 100.0) for s in range(SYMBOLS)]
            db.execute("begin")
            db.executemany("insert into bar values(?,?,?,?,?,?,?)", rows)
            db.execute("commit")
        db.close()


def append_recorder(minutes: int) -> tuple[float, float]:
    """CPU seconds of the hot path (journal), and of taking it all into the archive afterwards."""
    names = [Symbol(f"S{n}") for n in range(SYMBOLS)]
    values = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 100.0, "seconds": 60}
    events = [
        [BarClosed(ts_event=ts + MINUTE, ts_init=ts, symbol=name, ts_open=ts, **values) for name in names]  # type: ignore[arg-type]
        for ts in range(0, minutes * MINUTE, MINUTE)
    ]
    with tempfile.TemporaryDirectory() as folder:
        bus = Bus(lambda *failure: sys.exit(str(failure)))
        recorder = BarRecorder(bus, StepClock(0), BarArchive(Path(folder) / "a"), Path(folder) / "j")
        asyncio.run(recorder.start())
        start = process_time()
        for minute in events:
            for event in minute:
                bus.publish(event)
            recorder.flush()
        hot = process_time() - start
        asyncio.run(recorder.stop())
        return hot, process_time() - start - hot


def append_bulk(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        BarArchive(Path(folder)).append("AAPL", 60, columns(count), sync=False)


def through_the_house(symbols: int, seconds: int) -> tuple[float, int, int]:
    universe = default_universe()[:symbols]
    days = weekday_sessions(date(2024, 3, 4), 1)
    clock = StepClock(days[0].open_ns)
    counted = [0, 0]
    bus = Bus(lambda *failure: sys.exit(str(failure)))
    instruments = Instruments(described(Symbol(one.symbol)) for one in universe)
    settings, calendars = MarketSettings(), Calendars()
    bars = BarStore(bus, clock, settings, instruments, calendars)
    cache = MarketCache(bus, clock, settings, instruments, calendars, bars)

    def count(position: int) -> None:
        counted[position] += 1

    for kind, position in ((QuoteTick, 0), (TradeTick, 0), (BarClosed, 1)):
        bus.subscribe(kind, lambda event, position=position: count(position), owner="bench")
    market = SimulatedMarket(World("mixed", 1), universe, days)
    provider = SimulatedProvider(cache.accept, clock, SimulatedSettings(), market, days[0].index)

    async def begin() -> None:
        await bars.start()
        await cache.start()
        await provider.start()

    asyncio.run(begin())
    provider.watch([Symbol(one.symbol) for one in universe])
    clock.advance(60)  # kernels are compiled, calendars loaded
    counted[:] = [0, 0]
    start = process_time()
    clock.advance(seconds)
    return process_time() - start, counted[0], counted[1]


def main() -> None:
    gates.no_other(__doc__, "beside ours: sqlite3 and pandas, in this process")
    minutes = 200
    rows = minutes * SYMBOLS
    sqlite_s = cpu(append_sqlite, minutes)
    hot, merge = append_recorder(minutes)
    print(f"append, a batch a minute of {SYMBOLS}: sqlite3 {rows / sqlite_s:,.0f} rows/s, bus and recorder "
          f"{rows / hot:,.0f} rows/s ({sqlite_s / hot:.1f}x), into the archive {rows / merge:,.0f} rows/s")  # fmt: skip
    bulk_s = cpu(append_bulk, 1_000_000)
    print(f"append, one series of a million: {1e6 / bulk_s:,.0f} rows/s")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        archive = BarArchive(path / "archive")
        db = sqlite3.connect(path / "bars.db")
        db.execute(DDL)
        for symbol in range(20):
            block = columns(100_000)
            archive.append(f"S{symbol}", 60, block, sync=False)
            values = zip(
                *(block[n].tolist() for n in ("ts_open", "open", "high", "low", "close", "volume")), strict=True
            )
            db.executemany("insert into bar values(?,?,?,?,?,?,?)", ((symbol, *row) for row in values))
        db.commit()
        query = "select ts, o, h, l, c, v from bar where sym = 7 order by ts desc limit 1000"
        sqlite_s = cpu(lambda: [np.array(db.execute(query).fetchall()) for _ in range(100)]) / 100
        ours_s = cpu(lambda: [archive.last("S7", 60, 1_000) for _ in range(100)]) / 100
        print(f"last 1000 of 2 million: sqlite3 {sqlite_s * 1e3:.2f} ms, archive {ours_s * 1e3:.2f} ms "
              f"({ours_s / sqlite_s:.2f}x)")  # fmt: skip
        db.close()

    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "EURUSD.csv"
        count = 1_000_000
        block = columns(count)
        moments = pd.to_datetime(block.pop("ts_open"), unit="ns").strftime("%Y-%m-%d %H:%M:%S")
        pd.DataFrame({"timestamp": moments, **block}).to_csv(path, index=False)
        context = ImportContext(Calendars(), described)
        start = process_time()
        pd.read_csv(path, parse_dates=["timestamp"])
        pandas_s = process_time() - start
        start = process_time()
        run_import(plan_import(path, Mapping(), context), BarArchive(Path(folder) / "archive"))
        print(f"a million rows of CSV: pandas reads in {pandas_s:.2f} s, "
              f"import with all checks and the archive {process_time() - start:.2f} s")  # fmt: skip

    took, ticks, closed = through_the_house(100, 3_600)
    print(f"100 symbols x 3600 s through provider, cache and bars: {took:.2f} s, {ticks:,} ticks "
          f"({took / ticks * 1e6:.1f} us each), {closed:,} bars")  # fmt: skip


if __name__ == "__main__":
    main()
