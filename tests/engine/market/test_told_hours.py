"""Hours as a broker tells them, where they are not the calendar's; and who may describe an instrument."""

import math
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from engine.market.calendars import Calendars
from engine.market.instruments import Authority, Instruments, described
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import SessionState
from tests.engine.market.conftest import Rig, ns

MONDAY, TUESDAY, SUNDAY = "2024-03-11", "2024-03-12", "2024-03-10"
AAPL = Symbol("AAPL")


def test_hours_that_agree_with_the_calendar_leave_it_as_it_is(calendars: Calendars) -> None:
    told = ((MONDAY, ns(f"{MONDAY} 09:30"), ns(f"{MONDAY} 16:00")), (SUNDAY, 0, 0))
    assert calendars.amended("XNYS", told, ns(f"{MONDAY} 12:00")) == "XNYS"
    assert calendars.amended("XNYS", (), ns(f"{MONDAY} 12:00")) == "XNYS"
    assert calendars.amended("nowhere", told, ns(f"{MONDAY} 12:00")) == "nowhere"


def test_a_day_told_closed_has_no_session_and_the_next_one_has(calendars: Calendars) -> None:
    name = calendars.amended("XNYS", ((MONDAY, 0, 0),), ns(f"{MONDAY} 08:00"))
    session = calendars.session(name, ns(f"{MONDAY} 12:00"))
    assert session is not None
    assert (session.state, session.date) == (SessionState.CLOSED, TUESDAY)
    assert calendars.session("XNYS", ns(f"{MONDAY} 12:00")).state is SessionState.OPEN  # type: ignore[union-attr]


def test_a_day_told_open_has_a_session_where_the_calendar_has_none(calendars: Calendars) -> None:
    name = calendars.amended("XNYS", ((SUNDAY, ns(f"{SUNDAY} 10:00"), ns(f"{SUNDAY} 15:00")),), ns(f"{SUNDAY} 08:00"))
    session = calendars.session(name, ns(f"{SUNDAY} 12:00"))
    assert session is not None
    assert (session.state, session.date, session.close_ns) == (SessionState.OPEN, SUNDAY, ns(f"{SUNDAY} 15:00"))
    after = calendars.session(name, ns(f"{MONDAY} 12:00"))
    assert after is not None
    assert (after.state, after.date) == (SessionState.OPEN, MONDAY)


def test_an_early_close_that_is_told_ends_the_day_early_and_other_early_days_stay(calendars: Calendars) -> None:
    told = ((MONDAY, ns(f"{MONDAY} 09:30"), ns(f"{MONDAY} 13:00")),)
    name = calendars.amended("XNYS", told, ns(f"{MONDAY} 08:00"))
    session = calendars.session(name, ns(f"{MONDAY} 13:30"))
    assert session is not None
    assert session.state is SessionState.POST
    early = calendars.session(name, ns("2024-11-29 10:00"))
    assert early is not None
    assert early.early_close


@pytest.mark.parametrize("order", ["told first", "told twice"])
def test_sessions_that_are_told_never_lie_over_each_other(calendars: Calendars, order: str) -> None:
    told = (
        (SUNDAY, ns(f"{SUNDAY} 10:00"), ns(f"{MONDAY} 12:00")),
        (MONDAY, ns(f"{MONDAY} 09:30"), ns(f"{MONDAY} 16:00")),
    )
    name = calendars.amended("XNYS", told if order == "told first" else told[::-1], ns(f"{SUNDAY} 08:00"))
    table = calendars.table(name, ns(f"{MONDAY} 10:00"))
    assert table is not None
    assert all(close <= after for close, after in zip(table.closes, table.opens[1:], strict=False))


async def test_bars_and_prices_follow_hours_that_are_told_after_the_first_price(rig: Callable[..., Rig]) -> None:
    market = rig(f"{SUNDAY} 12:00")
    await market.bars.start()
    market.trade(190.0)
    told = ((SUNDAY, ns(f"{SUNDAY} 10:00"), ns(f"{SUNDAY} 15:00")),)
    known = market.instruments.get(AAPL)
    assert known is not None
    name = market.calendars.amended("XNYS", told, market.clock.now())
    assert market.instruments.add(msgspec.structs.replace(known, calendar=name), Authority.SETTINGS)
    market.bars.described(AAPL)
    market.cache.described(AAPL)
    session = market.cache.session(AAPL, market.clock.now())
    assert session is not None
    assert session.state is SessionState.OPEN
    for minute in range(1, 4):
        market.at(f"{SUNDAY} 12:0{minute}").trade(190.0 + minute)
    market.at(f"{SUNDAY} 12:10")
    assert [bar.close for bar in market.closed(60)] == [191.0, 192.0, 193.0]
    quote = market.cache.quote(AAPL)
    assert quote is not None
    assert quote.volume == 300.0


def test_what_a_broker_lists_replaces_a_guess_and_not_the_settings() -> None:
    guess = Instruments([described(AAPL)], Authority.GUESS)
    said = Instruments([described(AAPL)])
    listed = Instrument(symbol=AAPL, sector="Technology", tick=Decimal("0.05"))
    assert guess.add(listed, Authority.BROKER)
    assert not said.add(listed, Authority.BROKER)
    assert guess.get(AAPL).sector == "Technology"  # type: ignore[union-attr]


def test_an_average_volume_is_learned_by_nobodys_leave_and_kept() -> None:
    book = Instruments([described(AAPL)], Authority.GUESS)
    book.traded(AAPL, 5e6)
    book.traded(Symbol("NOBODY"), 1.0)
    assert book.add(Instrument(symbol=AAPL, sector="Technology"), Authority.BROKER)
    assert book.get(AAPL).adv20 == 5e6  # type: ignore[union-attr]
    assert book.add(Instrument(symbol=AAPL, adv20=7e6), Authority.BROKER)
    assert book.get(AAPL).adv20 == 7e6  # type: ignore[union-attr]
    assert book.get(Symbol("NOBODY")) is None
    assert math.isnan(described(AAPL).adv20)
