"""Exposure to the unit: one symbol's line, what waits, what is reserved, what has no price, what orders may close."""

import math

import msgspec
import pytest

from engine.model.ids import OrderRef
from engine.model.market import Side
from engine.model.order import OrderState, OrderType, Origin
from engine.risk.exposure import Line
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, MSFT, XOM, World, d


def line(quantity: float, **changes: object) -> Line:
    made = Line(AAPL)
    made.quantity = quantity
    for name, value in changes.items():
        setattr(made, name, value)
    return made


# --- one symbol


def test_a_line_is_worth_its_units_times_what_one_stands_for() -> None:
    made = line(10.0, buys=5.0, sells=3.0, multiplier=4.0)
    made.revalue(100.0)
    assert (made.up, made.down, made.value) == (6_000.0, 2_800.0, 6_000.0)
    made = line(-10.0, buys=5.0, sells=3.0, multiplier=4.0)
    made.revalue(100.0)
    assert (made.up, made.down, made.value) == (-2_000.0, -5_200.0, 5_200.0)


@pytest.mark.parametrize(
    ("quantity", "stops", "lost"),
    [
        (100.0, [], 10_000.0),
        (100.0, [(97.0, 100.0)], 300.0),
        (-100.0, [(103.0, 100.0)], 300.0),
        (100.0, [(97.0, 60.0)], 180.0 + 4_000.0),
        (100.0, [(97.0, 60.0), (95.0, 60.0)], 180.0 + 200.0),
        (100.0, [(97.0, 500.0)], 300.0),
        (100.0, [(105.0, 100.0)], 0.0),
        (-100.0, [(95.0, 100.0)], 0.0),
        (1.0, [(97.0, 1.0)], 3.0),
        (-1.0, [(103.0, 1.0)], 3.0),
        (0.5, [(97.0, 0.5)], 1.5),
    ],
)
@pytest.mark.parametrize("multiplier", [1.0, 4.0])
@pytest.mark.parametrize("entry_risk", [0.0, 70.0])
def test_what_the_stops_cost_and_what_none_covers(
    quantity: float, stops: list[tuple[float, float]], lost: float, multiplier: float, entry_risk: float
) -> None:
    made = line(quantity, stops=stops, multiplier=multiplier, entry_risk=entry_risk)
    assert made.loss_at_stops(100.0) == pytest.approx(lost * multiplier + entry_risk)


# --- the book


def test_position_buys_and_sells_add_up_to_the_worst() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    world.desk.put(world.manual(quantity=30, limit_price=99))
    world.desk.put(world.manual(side=Side.SELL, quantity=20, limit_price=101, stop_loss=None, take_profit=None))
    exposure = world.gate._exposure.exposure()
    assert (exposure.gross, exposure.long, exposure.short) == (13_000.0, 13_000.0, 8_000.0)
    assert (exposure.net, exposure.symbols, exposure.openings) == (13_000.0, 1, 2)
    assert exposure.of(AAPL) == 13_000.0
    assert exposure.of(MSFT) == 0.0
    assert exposure.by_sector == {"Technology": 13_000.0}


def test_net_is_the_larger_of_both_ways() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    world.ledger.hold(XOM, -500, 60)
    exposure = world.gate._exposure.exposure()
    assert (exposure.gross, exposure.long, exposure.net) == (40_000.0, -20_000.0, 20_000.0)


def test_a_new_mark_counts_at_once() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    book = world.gate._exposure
    assert book.exposure().gross == 10_000.0
    world.market.set(AAPL, 110.0)
    assert book.exposure().gross == pytest.approx(11_000.0)


def test_a_reservation_a_release_and_a_change_count_at_once_though_nothing_else_moved() -> None:
    world = wide()
    book = world.gate._exposure
    assert book.line(AAPL).buys == 0.0
    book.reserve(OrderRef("one"), world.manual(quantity=7))
    assert (book.line(AAPL).buys, book.line(AAPL).openings) == (7.0, 1)
    book.reserve(OrderRef("two"), world.manual(quantity=5))
    assert (book.line(AAPL).buys, book.line(AAPL).openings) == (12.0, 2)
    book.release(OrderRef("one"))
    assert (book.line(AAPL).buys, book.line(AAPL).openings) == (5.0, 1)
    ref = world.desk.put(world.manual(quantity=10))
    assert book.line(AAPL).buys == 15.0
    book.reserve_change(ref, world.manual(quantity=30), world.desk.all[ref])
    assert book.line(AAPL).buys == 35.0
    book.release(ref)
    assert book.line(AAPL).buys == 15.0


def test_a_reserved_closing_order_is_no_opening_and_no_exposure() -> None:
    world = wide()
    world.ledger.hold(AAPL, 10)
    book = world.gate._exposure
    book.reserve(OrderRef("one"), world.close(10))
    assert (book.line(AAPL).sells, book.line(AAPL).openings) == (0.0, 0)
    assert len(book.line(AAPL).reserved) == 1


def test_a_change_of_a_part_filled_order_counts_what_is_still_to_fill() -> None:
    world = wide()
    ref = world.desk.put(world.manual(quantity=100), state=OrderState.PARTIAL, filled=d(40))
    book = world.gate._exposure
    assert book.line(AAPL).buys == 60.0
    book.reserve_change(ref, world.manual(quantity=300), world.desk.all[ref])
    assert book.line(AAPL).buys == 260.0
    book.reserve_change(ref, world.manual(quantity=50), world.desk.all[ref])
    assert book.line(AAPL).buys == 60.0


@pytest.mark.parametrize(("quantity", "side"), [(1, Side.SELL), (-1, Side.BUY), ("0.5", Side.SELL), (100, Side.SELL)])
def test_a_stop_protects_a_position_of_any_size_on_its_own_side(quantity: object, side: Side) -> None:
    world = wide()
    world.ledger.hold(AAPL, quantity)
    size = abs(d(quantity))
    price = d(97) if side is Side.SELL else d(103)
    stop = {"origin": Origin.PROTECTIVE, "order_type": OrderType.STOP, "limit_price": None, "stop_price": price}
    world.desk.put(world.close(size, side=side, **stop))
    assert world.gate._exposure.line(AAPL).stops == [(float(price), float(size))]
    other = Side.BUY if side is Side.SELL else Side.SELL
    world.desk.put(world.close(size, side=other, **stop))
    assert len(world.gate._exposure.line(AAPL).stops) == 1


def test_a_trailing_order_with_a_first_stop_is_not_reckoned_as_a_stop() -> None:
    world = wide()
    world.ledger.hold(AAPL, 10)
    trail = {"order_type": OrderType.TRAIL, "limit_price": None, "stop_price": d(97), "trail_amount": d(3)}
    world.desk.put(world.close(10, origin=Origin.PROTECTIVE, **trail))
    assert world.gate._exposure.line(AAPL).stops == []
    world.desk.put(world.close(10, origin=Origin.PROTECTIVE, limit_price=104))
    assert world.gate._exposure.exposure().at_stops == 1_000.0


@pytest.mark.parametrize(
    ("changes", "risk"),
    [
        ({"stop_loss": d(98)}, 20.0),
        ({"stop_loss": None}, 1_000.0),
        ({"limit_price": None, "order_type": OrderType.STOP, "stop_price": d(101), "stop_loss": d(98)}, 30.0),
        ({"side": Side.SELL, "stop_loss": d(103), "take_profit": d(90)}, 30.0),
    ],
)
def test_a_working_entry_risks_what_lies_between_its_price_and_its_stop(changes: dict, risk: float) -> None:
    for multiplier in (1, 5):
        world = wide()
        contract = msgspec.structs.replace(world.market.instruments[AAPL], multiplier=d(multiplier))
        world.market.instruments[AAPL] = contract
        world.desk.put(world.manual(**changes))
        assert world.gate._exposure.line(AAPL).entry_risk == pytest.approx(risk * multiplier)


# --- without a price


def unpriced(world: World) -> float:
    del world.market.quotes[MSFT]
    return world.gate._exposure.exposure().of(MSFT)


def test_without_a_price_a_symbol_counts_at_what_was_paid() -> None:
    world = wide()
    world.ledger.hold(MSFT, 10, 500)
    world.desk.put(world.manual(symbol=MSFT, quantity=1, limit_price=900, stop_loss=None, take_profit=None))
    assert unpriced(world) == 11 * 500.0


def test_without_a_price_or_a_cost_a_symbol_counts_at_the_dearest_of_its_orders() -> None:
    world = wide()
    world.ledger.hold(MSFT, 10, 0)
    for price in (600, 700, 650):
        world.desk.put(world.manual(symbol=MSFT, quantity=1, limit_price=price, stop_loss=None, take_profit=None))
    assert unpriced(world) == 13 * 700.0


def test_without_a_price_a_reservation_counts_at_its_limit_or_its_stop() -> None:
    world = wide()
    fields = {"symbol": MSFT, "quantity": 1, "stop_loss": None, "take_profit": None}
    book = world.gate._exposure
    book.reserve(OrderRef("limit"), world.manual(**fields, limit_price=600))
    book.reserve(OrderRef("both"), world.manual(**fields, limit_price=650, stop_price=900))
    assert unpriced(world) == 2 * 650.0
    stop = world.manual(**{**fields, "order_type": OrderType.STOP}, limit_price=None, stop_price=800)
    book.reserve(OrderRef("stop"), stop)
    assert book.exposure().of(MSFT) == 3 * 800.0
    book.reserve(OrderRef("none"), world.manual(**fields, order_type=OrderType.MARKET, limit_price=None))
    assert book.exposure().of(MSFT) == 4 * 800.0
    for ref in ("limit", "both", "stop"):
        book.release(OrderRef(ref))
    assert book.exposure().of(MSFT) == 0.0


@pytest.mark.parametrize(
    ("quote", "price"),
    [
        ({"bid": 99.0, "ask": 103.0}, 101.0),
        ({"bid": 100.0, "ask": 100.0}, 100.0),
        ({"bid": 103.0, "ask": 99.0, "last": 98.0}, 98.0),
        ({"bid": 0.0, "ask": 99.0, "last": 98.0}, 98.0),
        ({"bid": 99.0, "ask": math.inf, "last": 98.0}, 98.0),
        ({"bid": math.nan, "ask": math.nan, "last": 98.0}, 98.0),
        ({"bid": math.nan, "ask": math.nan, "last": math.nan}, 77.0),
        ({"bid": math.nan, "ask": math.nan, "last": 0.0}, 77.0),
        ({"bid": math.nan, "ask": math.nan, "last": 1e308}, 77.0),
    ],
)
def test_a_mark_is_the_mid_else_the_last_else_what_was_paid(quote: dict[str, float], price: float) -> None:
    world = wide()
    world.ledger.hold(AAPL, 1, 77)
    world.market.set(AAPL, 100.0, **quote)
    assert world.gate._exposure.exposure().gross == price


# --- what orders may still close


def closable(world: World, most: int) -> None:
    """At most ``most`` units can be closed, by the unit."""
    assert "G28" not in world.codes(world.close(most, limit_price=100)), most
    assert "G28" in world.codes(world.close(most + 1, limit_price=100)), most


def held(quantity: int = 100) -> World:
    world = wide()
    world.ledger.hold(AAPL, quantity)
    return world


def test_orders_of_one_oca_group_close_the_largest_of_them_once() -> None:
    world = held()
    for quantity, price in ((40, 110), (60, 111), (50, 112)):
        world.desk.put(world.close(quantity, limit_price=price, oca_group="x"))
    closable(world, 40)
    world.desk.put(world.close(30, limit_price=113, oca_group="y"))
    closable(world, 10)


def test_a_child_of_a_closed_or_forgotten_parent_closes_all_it_has_left() -> None:
    world = held()
    entry = world.desk.put(world.manual(limit_price=95, quantity=50), state=OrderState.CANCELLED, filled=d(10))
    world.desk.put(world.close(50, limit_price=110, origin=Origin.PROTECTIVE, parent_ref=entry))
    closable(world, 50)
    world.desk.put(world.close(20, limit_price=110, origin=Origin.PROTECTIVE, parent_ref=OrderRef("forgotten")))
    closable(world, 30)


def test_a_reserved_sell_closes_what_it_will_sell() -> None:
    world = held()
    world.gate._exposure.reserve(OrderRef("one"), world.close(30))
    world.gate._exposure.reserve(OrderRef("two"), world.manual(quantity=30))
    closable(world, 70)


def test_a_change_does_not_stand_in_its_own_way() -> None:
    world = held()
    ref = world.desk.put(world.close(60, limit_price=110))
    world.desk.put(world.close(30, limit_price=111))
    request = world.desk.all[ref].request
    for quantity, passes in ((70, True), (71, False)):
        verdict = world.gate.check_change(ref, msgspec.structs.replace(request, quantity=d(quantity)))
        assert verdict.cleared is passes, verdict.denials


def test_a_larger_close_that_is_asked_for_counts_until_the_change_is_settled() -> None:
    """A sell of 40 that is being changed to 90 may sell 90: no second order may sell what it could."""
    world = held()
    ref = world.desk.put(world.close(40, limit_price=101))
    request = world.desk.all[ref].request
    closable(world, 60)
    larger = msgspec.structs.replace(request, quantity=d(90))
    assert world.gate.clear_change(ref, larger).cleared
    closable(world, 10)
    world.desk.move(ref, OrderState.PENDING_MODIFY, pending=larger)
    closable(world, 10)
    world.gate.release(ref)  # refused by the broker
    world.desk.move(ref, OrderState.WORKING, pending=None)
    closable(world, 60)
    assert world.gate.clear_change(ref, msgspec.structs.replace(request, quantity=d(10))).cleared
    closable(world, 60)


def test_an_open_change_of_an_earlier_run_counts_the_larger_of_old_and_new() -> None:
    world = wide()
    ref = world.desk.put(world.manual(quantity=100), state=OrderState.PARTIAL, filled=d(40))
    request = world.desk.all[ref].request
    world.desk.move(ref, OrderState.PENDING_MODIFY, pending=msgspec.structs.replace(request, quantity=d(300)))
    assert world.gate._exposure.line(AAPL).buys == 260.0
    world.desk.move(ref, OrderState.PENDING_MODIFY, pending=msgspec.structs.replace(request, quantity=d(50)))
    assert world.gate._exposure.line(AAPL).buys == 60.0
    sell = world.desk.put(world.close(10, limit_price=110))
    world.ledger.hold(AAPL, 100)
    larger = msgspec.structs.replace(world.desk.all[sell].request, quantity=d(70))
    world.desk.move(sell, OrderState.PENDING_MODIFY, pending=larger)
    closable(world, 30)


# --- a change sees the rest of the symbol


def test_a_changed_order_meets_the_other_own_orders_and_not_itself() -> None:
    world = held(10)
    world.desk.put(world.close(10, limit_price=102))
    ref = world.desk.put(world.manual(limit_price=99))
    request = world.desk.all[ref].request
    below = msgspec.structs.replace(request, limit_price=d("101.99"))
    assert world.gate.check_change(ref, below).cleared
    meets = msgspec.structs.replace(request, limit_price=d("102"))
    assert "G29" in [found.code for found in world.gate.check_change(ref, meets).denials]


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_change_of_an_entry_frees_what_the_entry_had_taken(side: Side) -> None:
    from engine.risk.ports import ShortFacts

    world = wide(manual={"position_percent": 20}, allow_short=True)
    world.shorts.answer = ShortFacts(shortable=3.0, shares=1e9, fee_percent=1.0)
    stops = {"stop_loss": None, "take_profit": None}
    ref = world.desk.put(world.manual(side=side, quantity=1500, **stops))
    request = world.desk.all[ref].request
    for quantity, passes in ((2000, True), (2001, False)):
        verdict = world.gate.check_change(ref, msgspec.structs.replace(request, quantity=d(quantity)))
        assert ("G12" not in [found.code for found in verdict.denials]) is passes


# --- what closing orders that are reserved may take


@pytest.mark.parametrize(("group", "passes"), [("g", True), ("", False), ("h", False)])
def test_a_stop_joins_a_reserved_target_of_its_group_and_no_other(group: str, passes: bool) -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    world.gate._exposure.reserve(OrderRef("r"), world.close(100, limit_price=110, oca_group="g"))
    stop = world.close(
        100, order_type=OrderType.STOP, limit_price=None, stop_price=95, oca_group=group, origin=Origin.PROTECTIVE
    )
    assert (world.codes(stop) == []) is passes


def test_reserved_closing_orders_of_one_group_count_once() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    for name, units in (("a", 60), ("b", 40)):
        world.gate._exposure.reserve(OrderRef(name), world.close(units, limit_price=110, oca_group="g"))
    assert world.codes(world.close(40, limit_price=110)) == []
    assert "G28" in world.codes(world.close(41, limit_price=110))
