"""What the gate changes in an order, and how it reads prices and equity before it judges."""

import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.bus.clock import SECOND
from engine.model.decision import Book
from engine.model.market import Side
from engine.model.order import OrderState, OrderType, Origin, TimeInForce
from engine.risk import reading
from engine.risk.conversion import expiry, marketable
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, START, World, d

# --- the life of an entry


@pytest.mark.parametrize(
    ("book", "wanted_s", "ends_s"),
    [
        (Book.PAPER, None, 300),
        (Book.PAPER, 100, 100),
        (Book.PAPER, 1000, 300),
        (Book.LIVE, 1000, 300),
        (Book.REPLAY, None, 300),
        (Book.REPLAY, 1000, 1000),
        (Book.REPLAY, 100, 100),
        (Book.REPLAY, -5, 0),
    ],
)
def test_an_entry_ends_when_it_wants_to_and_within_its_life_save_in_a_replay(
    book: Book, wanted_s: int | None, ends_s: int
) -> None:
    wanted = START + wanted_s * SECOND if wanted_s is not None else None
    request = World().request(live_until_ns=wanted)
    assert expiry(request, book, 300.0, START) == START + ends_s * SECOND


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG])
def test_an_entry_that_ends_by_itself_keeps_its_kind(tif: TimeInForce) -> None:
    request = World().gate.check(World().request(tif=tif)).request
    assert (request.tif, request.good_till_ns) == (tif, None)


def test_only_the_agent_s_entries_get_an_end() -> None:
    world = wide()
    world.ledger.hold(AAPL, 10)
    assert world.gate.check(world.close(10, origin=Origin.AUTO)).request.tif is TimeInForce.DAY
    assert world.gate.check(world.manual()).request.tif is TimeInForce.DAY
    until = START + 200 * SECOND
    mine = world.manual(tif=TimeInForce.GTD, good_till_ns=START + 9000 * SECOND)
    assert world.gate.check(mine).request.good_till_ns == START + 9000 * SECOND
    kept = world.request(tif=TimeInForce.GTD, good_till_ns=until)
    assert world.gate.check(kept).request.good_till_ns == until


# --- market to limit


@pytest.mark.parametrize(
    ("side", "price"),
    [(Side.BUY, "100.51"), (Side.SELL, "99.50")],  # 100.01 + 0.5 % = 100.51005, 99.99 - 0.5 % = 99.49005
)
def test_a_limit_in_place_of_a_market_order_is_rounded_into_its_collar(side: Side, price: str) -> None:
    world = World()
    quote = world.market.quote(AAPL)
    assert marketable(side, quote, 100.0, d("0.01"), 0.5, anything=False) == d(price)


@pytest.mark.parametrize("mid", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("side", list(Side))
def test_without_a_price_there_is_no_limit(side: Side, mid: float) -> None:
    assert marketable(side, None, mid, d("0.01"), 0.5, anything=True) is None


def test_half_a_quote_prices_what_closes_and_nothing_else() -> None:
    world = World()
    world.market.set(AAPL, 100.0, ask=math.nan)
    quote = world.market.quote(AAPL)
    assert marketable(Side.BUY, quote, 50.0, d("0.01"), 2.0, anything=True) == d("51.00")
    assert marketable(Side.BUY, quote, 50.0, d("0.01"), 2.0, anything=False) is None


def test_a_limit_in_place_of_a_market_order_reaches_a_quote_between_two_ticks() -> None:
    world = World()
    world.market.set(AAPL, 100.0, bid=100.005, ask=100.005)
    quote = world.market.quote(AAPL)
    prices = [marketable(side, quote, 100.0, d("0.01"), 0.001, anything=False) for side in (Side.BUY, Side.SELL)]
    assert prices == [d("100.01"), d("100.00")]


def test_a_sell_in_place_of_a_market_order_costs_a_tick_at_least() -> None:
    assert marketable(Side.SELL, None, 0.01, d("0.01"), 2.0, anything=True) == d("0.01")
    assert marketable(Side.SELL, None, 0.004, d("0.01"), 2.0, anything=True) == d("0.01")


def test_a_stop_entry_gets_a_limit_beyond_its_stop_on_either_side() -> None:
    world = wide(allow_short=True)
    stop: dict[str, Any] = {"order_type": OrderType.STOP, "limit_price": None, "take_profit": None}
    buy = world.gate.check(world.manual(**stop, stop_price=d(102))).request
    sell = world.gate.check(world.manual(**stop, side=Side.SELL, stop_price=d(98), stop_loss=d(105))).request
    assert (buy.limit_price, sell.limit_price) == (d("103.02"), d("97.02"))


# --- how prices are read


@pytest.mark.parametrize(
    ("order", "notional"),
    [
        ({"limit_price": 90}, 900),
        ({"order_type": OrderType.STOP, "limit_price": None, "stop_price": d(95)}, 1000),
        ({"order_type": OrderType.STOP, "limit_price": None, "stop_price": d(105)}, 1050),
        ({"order_type": OrderType.TRAIL, "limit_price": None, "trail_amount": d(1)}, 1000),
    ],
)
def test_an_order_is_worth_its_limit_else_the_dearer_of_stop_and_market(order: dict[str, Any], notional: int) -> None:
    world = wide()
    world.ledger.hold(AAPL, 10)
    assert world.gate.check(world.close(10, **order)).notional == notional


def test_without_a_market_a_stop_is_worth_its_price_and_a_trail_nothing_that_is_known() -> None:
    world = wide()
    world.ledger.hold(AAPL, 10)
    del world.market.quotes[AAPL]
    stop = world.close(10, origin=Origin.PROTECTIVE, order_type=OrderType.STOP, limit_price=None, stop_price=d(95))
    assert world.gate.check(stop).notional == 950
    trail = world.close(10, origin=Origin.PROTECTIVE, order_type=OrderType.TRAIL, limit_price=None, trail_amount=d(1))
    assert world.gate.check(trail).notional == 0


@pytest.mark.parametrize(
    ("value", "found"), [(None, None), (math.nan, None), (math.inf, None), (0.0, None), (-1.0, None), (1e-9, 1e-9)]
)
def test_a_number_is_finite_and_above_zero(value: float | None, found: float | None) -> None:
    assert reading.number(value) == found


@pytest.mark.parametrize(
    ("equity", "start", "found"),
    [
        (d(100), d(90), 90.0),
        (d(90), d(100), 90.0),
        (d(90), None, 90.0),
        (d(90), Decimal("NaN"), math.nan),
        (None, d(90), math.nan),
        (Decimal("NaN"), d(90), math.nan),
    ],
)
def test_equity_is_the_smaller_of_now_and_the_session_s_start(
    equity: Decimal | None, start: Decimal | None, found: float
) -> None:
    world = World()
    world.ledger.change(equity=equity, session_equity=start)
    assert reading.equity(world.ledger.account()) == pytest.approx(found, nan_ok=True)


@pytest.mark.parametrize(
    ("quote", "age_s", "anything", "found"),
    [
        ({"bid": 99.0, "ask": 101.0}, 0, False, (100.0, 2.0)),
        ({"bid": 100.0, "ask": 100.0}, 0, False, (100.0, 0.0)),
        ({"bid": 99.0, "ask": 1e300, "last": 98.0}, 0, False, (98.0, math.nan)),
        ({"bid": 101.0, "ask": 99.0}, 0, False, (math.nan, math.nan)),
        ({"bid": 101.0, "ask": 99.0}, 0, True, (100.0, math.nan)),
        ({"bid": 101.0, "ask": 0.0}, 0, False, (100.0, math.nan)),
        ({"ask": math.nan}, 5, False, (100.0, math.nan)),
        ({"ask": math.nan}, 6, False, (math.nan, math.nan)),
        ({"ask": math.nan}, 6, True, (100.0, math.nan)),
        ({"ask": math.nan, "last": 0.0}, 0, True, (math.nan, math.nan)),
        ({"ask": math.nan, "last": 1e300}, 0, True, (math.nan, math.nan)),
    ],
)
def test_the_mid_and_what_stands_in_for_it(
    quote: dict[str, float], age_s: int, anything: bool, found: tuple[float, float]
) -> None:
    world = World()
    at = START - age_s * SECOND
    world.market.set(AAPL, 100.0, ts_event=at, ts_seen=START, **quote)
    assert reading.mid(world.market.quotes[AAPL], START, anything) == pytest.approx(found, nan_ok=True)


# --- joining the group of stop and target


def protected(*groups: str) -> World:
    world = wide()
    world.ledger.hold(AAPL, 100)
    for n, group in enumerate(groups):
        world.desk.put(
            world.close(100, origin=Origin.PROTECTIVE, limit_price=110 + n, oca_group=group), state=OrderState.WORKING
        )
    return world


@pytest.mark.parametrize(
    ("groups", "changes", "joined"),
    [
        (("x", "x"), {}, "x"),
        (("x",), {"oca_group": "own"}, "own"),
        (("x",), {"quantity": d(99)}, ""),
        (("x", "y"), {}, ""),
        (("",), {}, ""),
        ((), {}, ""),
    ],
)
def test_an_order_that_closes_all_joins_the_one_group_there_is(
    groups: tuple[str, ...], changes: dict[str, Any], joined: str
) -> None:
    world = protected(*groups)
    line = world.gate._exposure.line(AAPL)
    request = msgspec.structs.replace(world.close(100), **changes)
    assert reading.join_group(request, line, True).oca_group == joined
    assert reading.join_group(request, line, False) is request
