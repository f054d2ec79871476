"""Files as people have them: understood or asked about, and every wrong row named."""

import gzip
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine.bus.errors import UserError
from engine.collection.files.context import ImportContext
from engine.collection.files.mapping import Mapping, parse_mapping
from engine.collection.files.plan import ImportPlan, plan_import
from engine.collection.files.report import ImportReport
from engine.collection.files.run import run_import
from engine.memory.bar_archive import BarArchive


def ns(text: str, zone: str = "America/New_York") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000_000


class Bench:
    def __init__(self, folder: Path, context: ImportContext) -> None:
        self.folder = folder
        self.context = context
        self.archive = BarArchive(folder / "archive")

    def write(self, text: str, name: str = "AAPL.csv") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def plan(self, text: str, mapping: str = "", name: str = "AAPL.csv") -> ImportPlan:
        return plan_import(self.write(text, name), parse_mapping(mapping), self.context)

    def load(self, text: str, mapping: str = "", name: str = "AAPL.csv", on_bad: str = "refuse") -> ImportReport:
        return run_import(self.plan(text, mapping, name), self.archive, on_bad)  # type: ignore[arg-type]

    def starts(self, symbol: str, seconds: int, kind: str = "bar") -> list[int]:
        return self.archive.read(symbol, seconds, kind=kind)["ts_open"].tolist()


@pytest.fixture
def bench(tmp_path: Path, context: ImportContext) -> Bench:
    return Bench(tmp_path, context)


DAY = "Date,Open,High,Low,Close,Volume\n"
GOOD = DAY + "2024-03-07,10,12,9,11,100\n2024-03-08,11,13,10,12,200\n2024-03-11,12,14,11,13,300\n"

WRONG = {
    "2024-03-08,11,13,10,abc,200": ("Close", "abc", "not a number"),
    "2024-03-08,11,13,10,,200": ("Close", "(empty)", "missing"),
    "2024-03-08,11,13,10,NaN,200": ("Close", "(empty)", "missing"),
    "2024-03-08,11,13,10,inf,200": ("Close", "inf", "not finite"),
    "2024-03-08,11,13,10,-12,200": ("Close", "-12", "not positive"),
    "2024-03-08,11,9,10,9.5,200": ("High", "high 9, low 10", "below the low"),
    "2024-03-08,11,13,10,12,-5": ("Volume", "-5", "not be negative"),
    "2024-03-07,11,13,10,12,200": ("Date", "2024-03-07", "twice"),
    "2024-03-06,11,13,10,12,200": ("Date", "2024-03-06", "older than a row before"),
    "2024-02-30,11,13,10,12,200": ("Date", "2024-02-30", "cannot be read"),
    "yesterday,11,13,10,12,200": ("Date", "yesterday", "cannot be read"),
    "2024-03-08,11,13,10,12": ("(whole line)", "2024-03-08,11,13,10,12", "number of fields"),
}


@pytest.mark.parametrize("row", WRONG)
def test_a_wrong_row_is_named_and_nothing_is_imported(bench: Bench, row: str) -> None:
    column, value, text = WRONG[row]
    report = bench.load(f"{DAY}2024-03-07,10,12,9,11,100\n{row}\n2024-03-11,12,14,11,13,300\n")
    assert report.refused
    assert (report.imported, report.skipped, report.rows) == (0, 1, 3)
    (issue,) = [issue for issue in report.issues if issue.fatal]
    assert (issue.line, issue.column) == (3, column)
    assert value in issue.value
    assert text in issue.text
    assert bench.archive.list() == ()
    assert "line 3" in report.text()


@pytest.mark.parametrize("row", WRONG)
def test_with_skip_the_other_rows_are_imported(bench: Bench, row: str) -> None:
    report = bench.load(f"{DAY}2024-03-07,10,12,9,11,100\n{row}\n2024-03-11,12,14,11,13,300\n", on_bad="skip")
    assert not report.refused
    assert (report.imported, report.skipped) == (2, 1)
    assert bench.starts("AAPL", 86400) == [ns("2024-03-07 09:30"), ns("2024-03-11 09:30")]


def test_blank_lines_do_not_shift_the_line_numbers(bench: Bench) -> None:
    report = bench.load(f"{DAY}2024-03-07,10,12,9,11,100\n\n\n2024-03-08,11,13,10,abc,200\n")
    assert [issue.line for issue in report.issues] == [5]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("timestamp;open;high;low;close;volume", "2024-03-07 10:00;10,5;12;9;11,25;100"),
        ("Timestamp\tO\tH\tL\tC\tV", "2024-03-07T10:00:00\t10.5\t12\t9\t11.25\t100"),
        ("time|Close|Low|High|Open", "2024-03-07 10:00|11.25|9|12|10.5"),
        ("<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>", "20240307,100000,10.5,12,9,11.25,100"),
        ("Date,Time,Open,High,Low,Close", "03/07/2024,10:00 AM,10.5,12,9,11.25"),
        ("date,open,high,low,close", "2024-03-07 15:00:00+00:00,10.5,12,9,11.25"),
        ("ts,open,high,low,close", "1709823600,10.5,12,9,11.25"),
        ("ts,open,high,low,close", "1709823600000,10.5,12,9,11.25"),
        ("ts,open,high,low,close", "1709823600000000000,10.5,12,9,11.25"),
        ("DateTime,open,high,low,close", "07-Mar-2024 10:00,10.5,12,9,11.25"),
        ("DateTime,open,high,low,close", "2024/03/07 10:00,10.5,12,9,11.25"),
    ],
)
def test_many_ways_to_write_the_same_bar(bench: Bench, header: str, row: str) -> None:
    report = bench.load(f"{header}\n{row}\n", "interval=300,dates=MDY")
    assert (report.imported, report.issues) == (1, ())
    back = bench.archive.read("AAPL", 300)
    assert back["ts_open"].tolist() == [ns("2024-03-07 10:00")]
    assert [float(back[name][0]) for name in ("open", "high", "low", "close")] == [10.5, 12, 9, 11.25]


def test_the_order_of_day_and_month_is_proved_or_asked(bench: Bench) -> None:
    head = "Date,Open,High,Low,Close\n"
    proved = bench.plan(head + "25/03/2024,1,1,1,1\n26/03/2024,1,1,1,1\n")
    assert "day/month/year (a day above 12 proves it)" in str(proved)
    by_sessions = bench.plan(head + "03/07/2024,1,1,1,1\n03/08/2024,1,1,1,1\n")  # 3 August 2024 was a Saturday
    assert by_sessions.problems == ()
    assert "month/day/year (read the other way" in str(by_sessions)
    # 2 and 3 May, or 5 February and 5 March: all four were sessions.
    asked = bench.plan(head + "02/05/2024,1,1,1,1\n03/05/2024,1,1,1,1\n")
    assert "Say dates=MDY or dates=DMY" in asked.problems[0]
    with pytest.raises(UserError, match="month/day/year or day/month/year"):
        run_import(asked, bench.archive)
    said = bench.load(head + "02/05/2024,1,1,1,1\n03/05/2024,1,1,1,1\n", "dates=DMY")
    assert said.imported == 2
    assert bench.starts("AAPL", 86400) == [ns("2024-05-02 09:30"), ns("2024-05-03 09:30")]


def test_the_hour_that_does_not_exist_is_refused_and_the_double_one_is_told_apart(bench: Bench) -> None:
    head = "timestamp,open,high,low,close\n"
    lost = bench.load(
        head + "2024-03-10 01:00,1,1,1,1\n2024-03-10 02:30,1,1,1,1\n2024-03-10 03:00,1,1,1,1\n",
        "tz=America/New_York,interval=1800,symbol=EURUSD",
    )
    assert [(issue.line, issue.text) for issue in lost.issues] == [
        (3, "this time does not exist, the clocks went forward")
    ]
    rows = "".join(f"2024-11-03 {t},1,1,1,1\n" for t in ("00:30", "01:00", "01:30", "01:00", "01:30", "02:00"))
    bench.load(head + rows, "tz=America/New_York,interval=1800,symbol=EURUSD")
    starts = bench.starts("EURUSD", 1800)
    assert np.diff(starts).tolist() == [1_800_000_000_000] * 5


def test_long_form_is_split_by_symbol_and_sectors_are_told(bench: Bench) -> None:
    text = "symbol,timestamp,open,high,low,close,volume,sector\n" + "".join(
        f"{symbol},2024-03-0{day},10,12,9,11,100,{sector}\n"
        for day in (7, 8)
        for symbol, sector in (("MSFT", "Tech"), ("KO", "Food"))
    )
    report = bench.load(text, name="anything.csv")
    assert [(one.symbol, one.rows) for one in report.series] == [("MSFT", 2), ("KO", 2)]
    assert report.sectors == {"MSFT": "Tech", "KO": "Food"}
    assert bench.starts("KO", 86400) == [ns("2024-03-07 09:30"), ns("2024-03-08 09:30")]


def test_a_file_that_is_newest_first_is_turned_round(bench: Bench) -> None:
    lines = GOOD.splitlines()
    report = bench.load("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    assert report.imported == 3
    assert any("newest first" in note for note in report.notes)
    assert bench.archive.read("AAPL", 86400)["close"].tolist() == [11, 12, 13]


def test_a_missing_session_is_told(bench: Bench) -> None:
    report = bench.load(DAY + "2024-03-07,10,12,9,11,1\n2024-03-12,11,13,10,12,1\n")
    assert "AAPL: 2 sessions have no bar (2024-03-08, 2024-03-11)" in report.notes


def test_a_name_without_a_symbol_is_asked_about(bench: Bench) -> None:
    plan = bench.plan(GOOD, name="prices_2024.csv")
    assert "which symbol is this?" in plan.problems[0]
    assert bench.load(GOOD, "symbol=MSFT", name="prices_2024.csv").series[0].symbol == "MSFT"


def test_times_that_do_not_fit_the_market_are_asked_about(bench: Bench) -> None:
    rows = "".join(f"2024-03-07 {h:02}:{m:02},1,1,1,1\n" for h in range(1, 8) for m in (0, 15, 30, 45))
    plan = bench.plan("timestamp,open,high,low,close\n" + rows)
    assert "lie outside the sessions of XNYS" in plan.problems[0]
    assert bench.plan("timestamp,open,high,low,close\n" + rows, "tz=Asia/Tokyo").problems == ()


def test_said_columns_win_over_names(bench: Bench) -> None:
    text = "when,a,b,c,d,Open\n2024-03-07,10,12,9,11,99\n2024-03-08,10,12,9,11,99\n"
    report = bench.load(text, "timestamp=when,open=a,high=b,low=c,close=d")
    assert report.imported == 2
    assert bench.archive.read("AAPL", 86400)["open"].tolist() == [10, 10]


def test_a_plan_shows_what_goes_where(bench: Bench) -> None:
    shown = str(bench.plan(GOOD + "", "tz=America/New_York"))
    assert "3 rows of kind bar, 1 day, AAPL" in shown
    assert "timestamp  <-  Date" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("opne=Open", "'opne' is unknown"),
        ("open=Opening", "there is no such column"),
        ("tz=Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ("stamp=middle", "stamp must be start or end"),
        ("interval=five", "interval must be a number"),
        ("open", "not of the form name=value"),
        ("kind=candles", "kind must be"),
    ],
)
def test_a_wrong_wish_is_named(bench: Bench, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        bench.plan(GOOD, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("Date,Open,High,Low,Close\n", "no rows below the header"),
        ("Date,Open,Open,Low,Close\n1,2,3,4,5\n", "'Open' occurs twice"),
        ("2024-03-07,1,1,1,1\n2024-03-08,1,1,1,1\n", "the first line holds values, not names"),
        ("Open,High,Low,Close\n1,1,1,1\n", "no column holds the time"),
        ("Date,Open,High,Low\n2024-03-07,1,1,1\n", "bars need a column for close"),
        ("Date,Name\n2024-03-07,x\n", "no column looks like prices"),
    ],
)
def test_a_file_that_cannot_be_understood_says_why(bench: Bench, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        bench.plan(text)


def test_a_file_without_a_header_can_be_named(bench: Bench) -> None:
    report = bench.load(
        "2024-03-07,1,2,1,2\n2024-03-08,x,2,1,2\n", "columns=timestamp|open|high|low|close", on_bad="skip"
    )
    assert (report.imported, [issue.line for issue in report.issues]) == (1, [2])


def test_what_is_no_text_and_what_is_not_there_is_said(bench: Bench) -> None:
    path = bench.folder / "AAPL.csv"
    path.write_bytes(b"\x00\x01\x02")
    with pytest.raises(UserError, match="not a text file"):
        plan_import(path, Mapping(), bench.context)
    with pytest.raises(UserError, match="there is no such file"):
        plan_import(bench.folder / "none.csv", Mapping(), bench.context)
    path = bench.folder / "AAPL.parquet"
    path.write_bytes(b"not parquet at all")
    with pytest.raises(UserError, match="not a readable Parquet file"):
        plan_import(path, Mapping(), bench.context)


def test_parquet_and_gzip_give_the_same_as_text(bench: Bench) -> None:
    import pandas as pd

    bench.load(GOOD)
    plain = bench.archive.read("AAPL", 86400)
    table = pd.read_csv(bench.write(GOOD), parse_dates=["Date"], index_col="Date")
    table.to_parquet(bench.folder / "MSFT.parquet")
    run_import(plan_import(bench.folder / "MSFT.parquet", Mapping(), bench.context), bench.archive)
    with gzip.open(bench.folder / "KO.csv.gz", "wt") as file:
        file.write(GOOD)
    run_import(plan_import(bench.folder / "KO.csv.gz", Mapping(), bench.context), bench.archive)
    for symbol in ("MSFT", "KO"):
        back = bench.archive.read(symbol, 86400)
        for name, column in plain.items():
            np.testing.assert_array_equal(back[name], column)


def test_a_quote_with_the_bid_above_the_ask_is_refused(bench: Bench) -> None:
    head = "timestamp,bid,ask,bid_size,ask_size\n"
    report = bench.load(head + "2024-03-07 15:00:00Z,10,11,5,5\n2024-03-07 15:00:01Z,12,11,5,5\n")
    assert [(issue.line, issue.column) for issue in report.issues] == [(3, "bid")]


def test_trades_of_one_instant_are_all_kept(bench: Bench) -> None:
    rows = "2024-03-07 15:00:00Z,10,5\n" * 3
    bench.load("timestamp,price,size\n" + rows)
    assert bench.archive.read("AAPL", 0, kind="trade")["price"].tolist() == [10, 10, 10]


def test_weekly_bars_are_recognised(bench: Bench) -> None:
    rows = "".join(f"2024-0{m}-{d:02},1,1,1,1\n" for m, d in ((2, 5), (2, 12), (2, 19), (2, 26), (3, 4)))
    assert bench.load("Date,Open,High,Low,Close\n" + rows).series[0].seconds == 604_800


def test_a_long_file_is_read_in_pieces_without_a_seam(bench: Bench) -> None:
    """Longer than the reader's block of a megabyte: lines and times still belong together."""
    days = np.datetime64("2024-03-01T00:00") + np.arange(45_000).astype("timedelta64[m]")
    rows = []
    for number, moment in enumerate(days.astype(object)):
        price = "bad" if number == 40_000 else f"{100 + number}"
        rows.append(f"{moment:%m/%d/%Y %H:%M},{price},{price},{price},{price}")
    text = "timestamp,open,high,low,close\n" + "\n".join(rows) + "\n"
    assert len(text) > 1_100_000
    report = bench.load(text, "symbol=EURUSD", on_bad="skip")
    assert (report.imported, report.skipped) == (44_999, 1)
    assert {issue.line for issue in report.issues} == {40_002}
    back = bench.archive.read("EURUSD", 60)
    start = int(days[0].astype("datetime64[ns]").astype(np.int64))
    np.testing.assert_array_equal(back["open"] - 100, (back["ts_open"] - start) // 60_000_000_000)
