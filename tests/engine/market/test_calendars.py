"""Sessions agree with what really happened, and what is not known is closed."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from engine.bus.clock import SECOND
from engine.market.calendars import Calendars
from engine.model.market import SessionState
from tests.engine.market.conftest import ns

# As the New York Stock Exchange published them; written here by hand, not by the library under test.
NYSE_HOLIDAYS = {
    "2022": "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
    "2023": "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25",
    "2024": "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
}
NYSE_HALF_DAYS = {"2022": "11-25", "2023": "07-03 11-24", "2024": "07-03 11-29 12-24"}


def test_three_years_of_new_york_sessions_equal_the_published_ones(calendars: Calendars) -> None:
    """T-M2: every day of three years, open, close and half-day, across every change of clocks."""
    table = calendars.table("XNYS", ns("2024-12-31 12:00"))
    assert table is not None
    day, last = date(2022, 1, 1), date(2024, 12, 31)
    checked = 0
    while day <= last:
        iso = day.isoformat()
        position = table.position_of(iso)
        if day.weekday() >= 5 or iso[5:] in NYSE_HOLIDAYS[iso[:4]].split():
            assert position is None, iso
        else:
            assert position is not None, iso
            assert table.opens[position] == ns(f"{iso} 09:30"), iso
            half = iso[5:] in NYSE_HALF_DAYS[iso[:4]].split()
            assert table.closes[position] == ns(f"{iso} {'13:00' if half else '16:00'}"), iso
            assert (position in table.early) is half, iso
            checked += 1
        day += timedelta(days=1)
    assert checked == 251 + 250 + 252


@pytest.mark.parametrize("name", ["SPY_20080101_20180101.csv", "AAPL_20040819_20180120.csv", "YHOO_1996_2015.csv"])
def test_every_day_that_really_traded_is_a_session_and_no_other(
    calendars: Calendars, shared_dir: Path, name: str
) -> None:
    with (shared_dir / "market_data" / "daily" / name).open() as lines:
        traded = [row["Date"] for row in csv.DictReader(lines)]
    table = calendars.table("XNYS", ns(f"{traded[-1]} 12:00"))
    assert table is not None
    assert traded == [day for day in table.dates if traded[0] <= day <= traded[-1]]


def test_a_session_is_found_before_during_and_after(calendars: Calendars) -> None:
    expected = {
        "2024-11-29 03:59": (SessionState.CLOSED, "2024-11-29"),
        "2024-11-29 04:00": (SessionState.PRE, "2024-11-29"),
        "2024-11-29 09:30": (SessionState.OPEN, "2024-11-29"),
        "2024-11-29 12:59": (SessionState.OPEN, "2024-11-29"),
        "2024-11-29 13:00": (SessionState.POST, "2024-11-29"),
        "2024-11-29 17:00": (SessionState.CLOSED, "2024-12-02"),
        "2024-12-01 12:00": (SessionState.CLOSED, "2024-12-02"),
    }
    for text, (state, day) in expected.items():
        session = calendars.session("XNYS", ns(text))
        assert session is not None
        assert (session.state, session.date) == (state, day), text
        assert session.early_close is (day == "2024-11-29")
        assert session.next_open_ns == (ns("2024-11-29 09:30") if text < "2024-11-29 09:30" else ns("2024-12-02 09:30"))


def test_the_look_up_that_is_remembered_says_the_same_as_the_table(calendars: Calendars) -> None:
    fresh = Calendars(None, lambda name, at: calendars.table(name, at))
    moment, end = ns("2024-03-07 00:00"), ns("2024-03-13 00:00")
    while moment < end:
        table = calendars.table("XNYS", moment)
        assert table is not None
        found = table.at(moment)
        assert found is not None
        assert fresh.session("XNYS", moment) == found[0]
        assert found[1] <= moment < found[2]
        moment += 437 * SECOND


def test_the_lunch_break_in_tokyo_is_closed(calendars: Calendars) -> None:
    session = calendars.session("XTKS", ns("2024-03-11 12:00", "Asia/Tokyo"))
    assert session is not None
    assert session.state is SessionState.CLOSED
    assert session.next_open_ns == ns("2024-03-11 12:30", "Asia/Tokyo")


def test_the_foreign_exchange_week_turns_at_five_in_new_york(calendars: Calendars) -> None:
    for text, state, day in (
        ("2024-03-08 16:59", SessionState.OPEN, "2024-03-08"),
        ("2024-03-08 17:00", SessionState.CLOSED, "2024-03-11"),
        ("2024-03-10 17:00", SessionState.OPEN, "2024-03-11"),  # the clocks went forward that morning
        ("2024-03-11 17:00", SessionState.OPEN, "2024-03-12"),
    ):
        session = calendars.session("24/5", ns(text))
        assert session is not None
        assert (session.state, session.date) == (state, day), text


def test_a_market_that_never_closes_is_open_on_a_sunday_night(calendars: Calendars) -> None:
    session = calendars.session("24/7", ns("2024-03-10 02:30", "UTC"))
    assert session is not None
    assert session.state is SessionState.OPEN
    assert session.date == "2024-03-10"


def test_what_the_calendar_does_not_know_is_unknown(calendars: Calendars) -> None:
    assert calendars.session("NOWHERE", ns("2024-03-08 12:00")) is None
    assert calendars.session("XNYS", ns("1970-03-02 12:00")) is None


def test_a_stored_table_is_read_without_the_library_and_a_damaged_one_is_built_anew(tmp_path: Path) -> None:
    moment = ns("2024-03-08 12:00")
    first = Calendars(tmp_path).session("XNYS", moment)
    loads: list[str] = []

    def load(name: str, at: int) -> None:
        loads.append(name)

    assert Calendars(tmp_path, load).session("XNYS", moment) == first
    assert loads == []
    for path in tmp_path.iterdir():
        path.write_bytes(b"\xff broken")
    assert Calendars(tmp_path, load).session("XNYS", moment) is None
    assert loads == ["XNYS"]
