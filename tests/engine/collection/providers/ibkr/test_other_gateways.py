"""Market data of gateways that speak the protocol another way, and hours as they are told."""

import asyncio
import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from ib_async import Contract, ContractDetails

from engine.bus.clock import SECOND
from engine.collection.providers.ibkr.hours import Hours, told_sessions
from engine.model.events.market import QuoteTick, TradeTick
from engine.model.market import DataType
from tests.engine.collection.providers.ibkr.test_ibkr_provider import AAPL, KO, MSFT, Kit, tell
from tests.support.tws_gateway.protocol import Req

NEW_YORK = ZoneInfo("America/New_York")


def ns(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * SECOND


def test_live_prices_are_asked_for_first_by_a_gateway_that_gives_what_is_asked() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        assert kit.of(QuoteTick)[-1].data_type is DataType.LIVE

    tell(story, config={"literal_data_type": True})


@pytest.mark.parametrize("code", [354, 10089, 10168, 10186])
def test_delayed_prices_are_asked_for_once_live_ones_are_refused(code: int) -> None:
    async def story(kit: Kit) -> None:
        kit.gateway.set_data("AAPL", "delayed")
        kit.gateway.set_data("MSFT", "delayed")
        await kit.open(AAPL, MSFT)
        assert {q.data_type for s in ("AAPL", "MSFT") for q in kit.of(QuoteTick, s)} == {DataType.DELAYED}
        assert kit.asked(Req.MARKET_DATA_TYPE) == 2

    tell(story)


def test_extras_that_a_gateway_does_not_know_are_left_out_and_prices_come() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL, KO)
        assert kit.said[-1:] in ([], [""])

    tell(story, config={"generic_ticks": frozenset()})


def test_only_headlines_are_left_out_where_only_they_are_refused() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        asked = [frame.fields for frame in kit.gateway.wire.select(Req.MKT_DATA, "in")]
        assert any("233" in fields for fields in asked[1:])

    tell(story, config={"generic_ticks": frozenset({233})})


def test_a_size_that_comes_apart_from_its_price_makes_a_quote() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        kit.gateway.set_quote("AAPL", 189.5, 189.7, 300, 400)
        await asyncio.sleep(0.2)
        last = kit.of(QuoteTick)[-1]
        assert (last.bid, last.ask, last.bid_size, last.ask_size) == (189.5, 189.7, 300, 400)

    tell(story, config={"accents": ("sizes apart",)})


def test_a_side_whose_size_goes_and_comes_back_is_a_side_again() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        line = kit.provider._lines.get(AAPL)
        assert line is not None
        bid = kit.of(QuoteTick)[-1].bid
        for size in (0.0, 700.0):
            line.ticks("size", 0, size)
            line.ticks.flush()
        gone, back = kit.of(QuoteTick)[-2:]
        assert math.isnan(gone.bid)
        assert (back.bid, back.bid_size) == (bid, 700)

    tell(story)


@pytest.mark.parametrize("accents", [("no bundled trades",), ("single trades never come",)])
@pytest.mark.parametrize("single", [0, 3])
def test_trades_come_from_what_the_gateway_has(accents: tuple[str, ...], single: int) -> None:
    """Bars are made of trades: a gateway that takes the better request and stays silent must not leave us without."""

    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        for number in range(20):
            kit.gateway.trade("AAPL", 190 + number / 100, 7)
            await asyncio.sleep(0.3)
        told = [(t.price, t.size) for t in kit.of(TradeTick)]
        assert len(told) == len(set(told)), "none twice"
        assert told[-16:] == [(190 + number / 100, 7) for number in range(4, 20)]

    tell(story, config={"accents": accents}, trade_lines=single)


@pytest.mark.parametrize("accent", [(), ("plain history",)])
def test_bars_lie_where_they_were_in_whatever_form_their_time_comes(accent: tuple[str, ...]) -> None:
    async def story(kit: Kit) -> None:
        found = await kit.provider.history(AAPL, 300, 50, kit.clock.now())
        assert found is not None
        opens = [int(t) for t in found["ts_open"]]
        local = [datetime.fromtimestamp(t / SECOND, NEW_YORK) for t in opens]
        assert {(t.hour * 60 + t.minute) // 5 >= 114 and t.hour < 16 for t in local} == {True}
        assert kit.clock.now() - opens[-1] < 4 * 86_400 * SECOND

    tell(story, config={"accents": accent})


def listed(hours: str, zone: str = "US/Eastern", currency: str = "USD") -> ContractDetails:
    contract = Contract(conId=1, secType="STK", symbol="X", currency=currency)
    return ContractDetails(contract=contract, liquidHours=hours, timeZoneId=zone)


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ("", ()),
        ("nonsense;20260105", ()),
        ("20260105:CLOSED", (("2026-01-05", 0, 0),)),
        ("20260105:0930-20260105:1600", (("2026-01-05", ns("2026-01-05T09:30"), ns("2026-01-05T16:00")),)),
        ("20260105:0930-1600", (("2026-01-05", ns("2026-01-05T09:30"), ns("2026-01-05T16:00")),)),
        (
            "20260105:0930-20260105:1130;20260105:1300-20260105:1600",
            (("2026-01-05", ns("2026-01-05T09:30"), ns("2026-01-05T16:00")),),
        ),
        ("20260105:0000-20260106:0000", (("2026-01-05", ns("2026-01-05T00:00"), ns("2026-01-06T00:00")),)),
        ("20260104:1800-20260105:1700", (("2026-01-05", ns("2026-01-04T18:00"), ns("2026-01-05T17:00")),)),
        ("20260105:1600-20260105:0930", ()),
        ("20260105:0970-20260105:1600", ()),
        # The day on which summer time begins has 23 hours.
        ("20260308:0000-20260309:0000", (("2026-03-08", ns("2026-03-08T00:00"), ns("2026-03-09T00:00")),)),
    ],
)
def test_hours_are_read_as_they_are_told(hours: str, told: tuple[tuple[str, int, int], ...]) -> None:
    assert told_sessions(listed(hours)) == told


@pytest.mark.parametrize(
    ("zone", "currency", "expected"),
    [
        ("US/Eastern", "USD", "America/New_York"),
        ("EST (Eastern Standard Time)", "USD", "America/New_York"),
        ("EST", "USD", "America/New_York"),
        ("", "USD", "America/New_York"),
        ("Nowhere/Land", "USD", "America/New_York"),
        ("JST", "JPY", "Asia/Tokyo"),
        ("MET", "EUR", "Europe/Berlin"),
        ("Nowhere/Land", "EUR", "UTC"),
    ],
)
def test_a_zone_of_any_name_is_understood(zone: str, currency: str, expected: str) -> None:
    found = Hours(listed("20260703:0900-20260703:1500", zone, currency), regular_wanted=True)
    assert found.start_ns(date(2026, 7, 3)) == ns("2026-07-03T09:00", ZoneInfo(expected))


def test_a_day_without_told_hours_is_new_yorks_for_dollars() -> None:
    found = Hours(listed("", ""), regular_wanted=True)
    assert found.start_ns(date(2026, 1, 5)) == ns("2026-01-05T09:30")
    assert found.end_ns(date(2026, 1, 5), 86_400) == ns("2026-01-05T16:00")
    assert found.start_ns(datetime(2026, 1, 5, 10, 0)) == ns("2026-01-05T10:00")  # noqa: DTZ001  as brokers send it
