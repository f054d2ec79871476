"""Every genuine file loads as it is, with nothing said."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from engine.collection.files.context import ImportContext
from engine.collection.files.mapping import Mapping
from engine.collection.files.plan import plan_import
from engine.collection.files.report import ImportReport
from engine.collection.files.run import run_import
from engine.memory.bar_archive import BarArchive

FILES = {
    # file: (rows, symbol, kind, seconds, first time UTC, first close)
    "daily/AAPL_20040819_20180120.csv": (3379, "AAPL", "bar", 86400, "2004-08-19 13:30", 2.193571),
    "daily/AAPL_zipline_csvdir.csv": (754, "AAPL", "bar", 86400, "2012-01-03 14:30", 58.747143),
    "daily/GOOG_2004_2013.csv": (2148, "GOOG", "bar", 86400, "2004-08-19 13:30", 100.34),
    "daily/IBM_zipline_csvdir.csv": (754, "IBM", "bar", 86400, "2012-01-03 14:30", 186.300003),
    "daily/KO_zipline_csvdir.csv": (754, "KO", "bar", 86400, "2012-01-03 14:30", 35.07),
    "daily/SPY_20080101_20180101.csv": (2519, "SPY", "bar", 86400, "2007-12-31 14:30", 146.210007),
    "daily/YHOO_1996_2015.csv": (4965, "YHOO", "bar", 86400, "1996-04-12 13:30", 1.375),
    "hourly/EURUSD_2017_2018_1h.csv": (5000, "EURUSD", "bar", 3600, "2017-04-19 09:00", 1.07219),
    "minute/ESTX50_2006_5min.csv": (2142, "ESTX50", "bar", 300, "2006-01-02 08:00", 3582.99),
    "minute/GBPUSD_m1_ask_201202.csv": (11345, "GBPUSD", "ask", 60, "2012-02-01 00:00", 1.57585),
    "minute/GBPUSD_m1_bid_201202.csv": (11345, "GBPUSD", "bid", 60, "2012-02-01 00:00", 1.57576),
    "minute/SP500_NOV2019_1min.csv": (1563, "SP500", "bar", 60, "2019-11-05 14:30", 3080.49),
}


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000_000_000


def load(path: Path, context: ImportContext, archive: BarArchive) -> ImportReport:
    plan = plan_import(path, Mapping(), context)
    assert plan.problems == ()
    return run_import(plan, archive)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_bars_loads_whole(name: str, data_dir: Path, context: ImportContext, tmp_path: Path) -> None:
    rows, symbol, kind, seconds, first, close = FILES[name]
    archive = BarArchive(tmp_path)
    report = load(data_dir / name, context, archive)
    assert (report.rows, report.imported, report.skipped, report.refused) == (rows, rows, 0, False)
    back = archive.read(symbol, seconds, kind=kind)
    assert back is not None
    assert len(back["close"]) == rows
    assert int(back["ts_open"][0]) == ns(first)
    assert float(back["close"][0]) == close
    assert bool((back["high"] >= back["low"]).all())
    assert bool((back["ts_close"] > back["ts_open"]).all())
    assert not [issue for issue in report.issues if issue.fatal]


def test_bars_stamped_at_their_end_are_moved_to_their_start(
    data_dir: Path, context: ImportContext, tmp_path: Path
) -> None:
    """The index is said to be stamped 09:05 for the bar that begins at 09:00 in Frankfurt."""
    plan = plan_import(data_dir / "minute/ESTX50_2006_5min.csv", Mapping(), context)
    assert (plan.stamp, plan.tz, plan.calendar) == ("end", "Europe/Berlin", "XETR")
    plan = plan_import(data_dir / "minute/SP500_NOV2019_1min.csv", Mapping(), context)
    assert (plan.stamp, plan.tz) == ("start", "America/New_York")
    assert "read the other way some days were no sessions" in str(plan)


def test_columns_in_an_odd_order_are_not_confused(data_dir: Path, context: ImportContext, tmp_path: Path) -> None:
    """The file has Open,Close,High,Low."""
    archive = BarArchive(tmp_path)
    load(data_dir / "minute/SP500_NOV2019_1min.csv", context, archive)
    back = archive.read("SP500", 60)
    assert [float(back[name][0]) for name in ("open", "high", "low", "close")] == [3080.8, 3081.47, 3080.3, 3080.49]


def test_a_bar_that_contradicts_itself_a_little_is_kept_and_told(
    data_dir: Path, context: ImportContext, tmp_path: Path
) -> None:
    report = load(data_dir / "daily/SPY_20080101_20180101.csv", context, BarArchive(tmp_path))
    assert [(issue.line, issue.column, issue.fatal) for issue in report.issues] == [
        (1808, "Open", False),
        (1825, "Open", False),
    ]


def test_dividends_and_splits_become_facts(data_dir: Path, context: ImportContext, tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    load(data_dir / "daily/AAPL_zipline_csvdir.csv", context, archive)
    actions = archive.read("AAPL", 0, kind="action")
    assert len(actions["ts"]) == 11
    split = actions["split"] != 1.0
    assert np.datetime_as_string(actions["ts"][split].view("datetime64[ns]"), unit="D").tolist() == ["2014-06-09"]


def test_a_yield_curve_is_kept_as_rates(data_dir: Path, context: ImportContext, tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    report = load(data_dir / "rates/treasury_curves.csv", context, archive)
    assert (report.rows, report.imported) == (6816, 6816)
    assert len(report.series) == 11
    ten = archive.read("treasury_curves.10year", 86400, kind="rate")
    assert (len(ten["ts"]), float(ten["value"][0])) == (6816, 0.0794)
    month = archive.read("treasury_curves.1month", 86400, kind="rate")
    assert int(month["ts"][0]) == ns("2001-07-31 00:00")  # before, the file has blanks, and a blank is no rate


def test_quote_ticks_keep_their_milliseconds(data_dir: Path, context: ImportContext, tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    load(data_dir / "tick/USDJPY_truefx_ticks.csv", context, archive)
    ticks = archive.read("USDJPY", 0, kind="quote")
    assert (len(ticks["ts"]), float(ticks["bid"][0]), float(ticks["ask"][0])) == (1000, 86.655, 86.728)
    assert int(ticks["ts"][0]) == ns("2013-01-01 22:00") + 295_000_000


def test_importing_twice_changes_nothing(data_dir: Path, context: ImportContext, tmp_path: Path) -> None:
    archive = BarArchive(tmp_path)
    path = data_dir / "daily/GOOG_2004_2013.csv"
    load(path, context, archive)
    (series,) = load(path, context, archive).series
    assert (series.added, series.replaced, series.unchanged) == (0, 0, 2148)
