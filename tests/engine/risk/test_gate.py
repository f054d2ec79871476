"""The gate as a whole: nasty numbers, races, failing rules, counters, repetition, self-trading, many objections."""

import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.clock import SECOND
from engine.execution.brokers.alpaca.wire_order import NO_GOOD_TILL
from engine.model.decision import Book, Mode
from engine.model.events.decision import RiskCleared, RiskDenied, TradingHalted
from engine.model.events.system import Alarm
from engine.model.ids import Symbol
from engine.model.market import DataType, Side
from engine.model.order import OrderState, OrderType, Origin, TimeInForce
from engine.risk import say
from engine.risk.rules.rule import Rule, broken
from engine.risk.rules.table import own_rules
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, DAY, HOUR, MSFT, START, XOM, World, d, limits

NASTY = [float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 1e308, 1.7976931348623157e308]
NASTY_DECIMALS = [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal(-1), Decimal(0), Decimal("1e308")]


# --- T-K2: nasty numbers


@pytest.mark.parametrize("field", ["quantity", "limit_price", "stop_loss", "take_profit", "stop_price", "trail_amount"])
@pytest.mark.parametrize("value", NASTY_DECIMALS, ids=str)
def test_t_k2_a_nasty_number_in_the_order_is_denied_and_named(field: str, value: Decimal) -> None:
    world = World()
    denials = world.gate.check(world.request(**{field: value})).denials
    assert [denial.code for denial in denials] == ["VALUES"]
    assert field.replace("_", " ") in denials[0].text
    assert world.clear(world.request(**{field: value})) is None


@pytest.mark.parametrize("field", ["bid", "ask"])
@pytest.mark.parametrize("value", NASTY)
def test_t_k2_a_nasty_number_in_the_quote_lets_no_agent_order_out(field: str, value: float) -> None:
    world = World()
    world.market.set(AAPL, 100.0, **{field: value})
    assert world.clear(world.request()) is None
    assert world.clear(world.request(order_type=OrderType.MARKET, limit_price=None)) is None
    assert world.modes.mode is Mode.AUTO  # a bad quote is no fault of the engine


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in ("equity", "session_equity", "available_funds", "excess_liquidity")
        for value in (*NASTY_DECIMALS, None)
        if (field, value) != ("session_equity", None)  # before the first session equity now is the only figure
    ],
    ids=str,
)
def test_t_k2_a_nasty_number_in_the_account_lets_no_opening_order_out(field: str, value: Decimal | None) -> None:
    world = World()
    world.ledger.change(**{field: value})
    if value == Decimal("1e308"):
        assert field not in ("equity", "session_equity") or world.codes(world.request()) == ["EQUITY"]
        return
    assert world.clear(world.request()) is None
    assert world.clear(world.manual()) is None


def test_t_k2_without_an_account_nothing_opens_and_closing_still_works() -> None:
    world = World()
    world.ledger.hold(AAPL, 10)
    world.ledger.values = None
    assert world.codes(world.request()) == ["EQUITY"]
    assert world.codes(world.close(10)) == []


def test_t_k2_a_crossed_book_denies_everyone() -> None:
    world = World()
    world.market.set(AAPL, 100.0, bid=100.1, ask=99.9)
    assert "G21" in world.codes(world.request()) or "G4" in world.codes(world.request())
    assert world.clear(world.manual(confirmed=("G21", "G4"))) is None


@pytest.mark.parametrize("kind", [DataType.FROZEN, DataType.DELAYED, DataType.DELAYED_FROZEN])
def test_t_k2_prices_that_are_not_live_let_no_agent_order_out(kind: DataType) -> None:
    world = World()
    world.market.set(AAPL, 100.0, data_type=kind)
    assert world.codes(world.request()) == ["G21"]


def test_t_k2_a_quote_stale_by_its_source_but_fresh_by_arrival_is_stale() -> None:
    world = World()
    world.market.set(AAPL, 100.0, ts_event=START - 10 * SECOND, ts_seen=START)
    assert world.codes(world.request()) == ["G21"]


number = st.one_of(st.sampled_from(NASTY), st.floats(allow_nan=True, allow_infinity=True))
exact = st.one_of(st.sampled_from(NASTY_DECIMALS), st.decimals(allow_nan=True, allow_infinity=True))


@given(
    quantity=exact, limit=exact, stop=exact, target=exact, bid=number, ask=number, last=number, close=number, adv=number
)
def test_t_k2_whatever_the_numbers_what_is_cleared_is_finite_and_inside_the_limits(
    quantity: Decimal,
    limit: Decimal,
    stop: Decimal,
    target: Decimal,
    bid: float,
    ask: float,
    last: float,
    close: float,
    adv: float,
) -> None:
    world = World()
    instrument = world.market.instruments[AAPL]
    world.market.instruments[AAPL] = msgspec.structs.replace(instrument, adv20=adv)
    world.market.set(AAPL, 100.0, bid=bid, ask=ask, last=last, previous_close=close)
    request = world.request(quantity=quantity, limit_price=limit, stop_loss=stop, take_profit=target)
    verdict, cleared = world.gate.clear(request)
    assert (cleared is None) == bool(verdict.denials)
    assert not world.of(TradingHalted), verdict.denials
    if cleared is not None:
        sent = cleared.request
        assert sent.limit_price is not None
        assert sent.quantity.is_finite()
        assert sent.limit_price.is_finite()
        assert 0 < sent.quantity * sent.limit_price <= 50_000


@given(price=st.decimals("0.01", "10000", places=2), quantity=st.integers(1, 10_000))
def test_no_order_of_the_agent_exceeds_five_percent_of_equity(price: Decimal, quantity: int) -> None:
    world = World()
    world.market.set(AAPL, float(price))
    _, cleared = world.gate.clear(
        world.request(quantity=quantity, limit_price=price, stop_loss=price * d("0.5"), take_profit=price * 2)
    )
    if cleared is not None:
        assert quantity * price <= 50_000


# --- T-K3: races


@pytest.mark.parametrize("seed", range(50))
def test_t_k3_three_orders_of_60_percent_never_reserve_more_than_the_limit(seed: int) -> None:
    rng = random.Random(seed)  # the test's own shuffle
    world = wide(
        {
            "gross_percent": 100,
            "position_percent": 100,
            "working_entries": 9,
            "messages_per_second": 20,
            "spread_percent": 9,
        }
    )
    orders = [
        world.request(
            symbol=symbol, limit_price=price, quantity=600_000 // price, stop_loss=price * 0.9, take_profit=price * 2
        )
        for symbol, price in ((AAPL, 100), (MSFT, 400), (XOM, 60))
    ]
    rng.shuffle(orders)
    cleared = [world.gate.clear(order)[1] for order in orders]
    assert sum(c is not None for c in cleared) == 1
    assert world.gate._exposure.exposure().gross <= 1_000_000


def test_t_k3_a_reservation_counts_until_the_desk_knows_the_order_and_not_twice() -> None:
    world = wide({"position_percent": 10, "duplicate_seconds": 1, "working_entries": 9})
    cleared = world.clear(world.request(quantity=600))
    assert cleared is not None
    assert world.gate._exposure.exposure().gross == pytest.approx(60_000)
    world.desk.submit(cleared)
    assert world.gate._exposure.exposure().gross == pytest.approx(60_000)
    world.clock.advance(2)
    assert world.codes(world.request(quantity=500)) == ["G12"]
    world.desk.move(cleared.ref, OrderState.CANCELLED)
    for leg in cleared.legs:
        world.desk.move(leg.ref, OrderState.CANCELLED)
    assert world.gate._exposure.exposure().gross == 0
    assert world.codes(world.request(quantity=500)) == []


def test_a_released_reservation_no_longer_counts() -> None:
    world = wide()
    cleared = world.clear(world.request(quantity=600))
    assert cleared is not None
    world.gate.release(cleared.ref)
    assert world.gate._exposure.exposure().gross == 0


@pytest.mark.parametrize("state", [s for s in OrderState if s.exposed])
def test_i4_every_order_that_is_not_closed_counts_as_exposure(state: OrderState) -> None:
    world = wide()
    world.desk.put(world.manual(quantity=100), state=state, filled=d(40))
    assert world.gate._exposure.exposure().gross == pytest.approx(6_000)


def test_a_change_counts_the_larger_of_old_and_new_until_it_is_settled() -> None:
    world = wide()
    ref = world.desk.put(world.manual(quantity=100))
    changed = msgspec.structs.replace(world.desk.all[ref].request, quantity=d(300))
    verdict = world.gate.clear_change(ref, changed)
    assert verdict.cleared, verdict.denials
    assert world.gate._exposure.exposure().gross == pytest.approx(30_000)
    world.desk.move(ref, OrderState.PENDING_MODIFY)
    assert world.gate._exposure.exposure().gross == pytest.approx(30_000)
    world.desk.move(ref, OrderState.WORKING)
    assert world.gate._exposure.exposure().gross == pytest.approx(10_000)
    smaller = msgspec.structs.replace(world.desk.all[ref].request, quantity=d(50))
    assert world.gate.clear_change(ref, smaller).cleared
    assert world.gate._exposure.exposure().gross == pytest.approx(10_000)


def test_g8b_an_order_is_changed_only_so_often() -> None:
    world = wide(manual={"modifies_per_order": 3, "messages_per_second": 20})
    ref = world.desk.put(world.manual(quantity=100))
    request = world.desk.all[ref].request
    assert all(world.gate.clear_change(ref, request).cleared for _ in range(3))
    verdict = world.gate.clear_change(ref, request)
    assert [denial.code for denial in verdict.denials] == ["G8b"]


def test_a_change_obeys_the_limits_of_a_new_order_and_keeps_symbol_and_side() -> None:
    world = wide(manual={"position_percent": 20})
    ref = world.desk.put(world.manual(quantity=100))
    request = world.desk.all[ref].request
    too_much = msgspec.structs.replace(request, quantity=d(2001))
    assert [x.code for x in world.gate.clear_change(ref, too_much).denials] == ["G12"]
    assert world.gate.clear_change(ref, msgspec.structs.replace(request, quantity=d(2000))).cleared
    assert not world.gate.clear_change(ref, msgspec.structs.replace(request, side=Side.SELL)).cleared
    assert not world.gate.clear_change("nothing", request).cleared


# --- T-K4: failing rules


def failing(situation: object) -> object:
    raise RuntimeError("bug")


def slow(world: list[World]) -> object:
    def check(situation: object) -> tuple[()]:
        world[0].clock.advance(0.06)
        return ()

    return check


def test_t_k4_a_rule_that_raises_denies_and_halts_with_a_banner() -> None:
    world = World(foreign=(Rule("MINE", "mine", failing, openings_only=False, foreign=True),))
    assert world.clear(world.request()) is None
    assert world.modes.mode is Mode.HALTED
    assert [alarm.severity for alarm in world.of(Alarm)] == ["red"]
    assert world.of(TradingHalted)
    assert world.of(RiskDenied)[-1].denials[0].code == "MINE"


@pytest.mark.parametrize("index", range(len(own_rules())))
def test_t_k4_any_own_rule_that_raises_denies_and_halts(index: int) -> None:
    rules = list(own_rules())
    rules[index] = Rule(rules[index].code, "broken", failing, rules[index].openings_only)
    world = World(rules=rules)
    assert world.clear(world.request()) is None
    assert world.modes.mode is Mode.HALTED


def test_t_k4_a_foreign_rule_that_takes_too_long_denies_and_halts() -> None:
    box: list[World] = []
    world = World(foreign=(Rule("SLOW", "slow", slow(box), foreign=True),))
    box.append(world)
    assert world.clear(world.request()) is None
    assert world.modes.mode is Mode.HALTED


def test_t_k4_a_rule_that_could_not_be_loaded_denies_everything() -> None:
    world = World(foreign=(broken("mine", "The rule mine could not be loaded."),))
    world.ledger.hold(AAPL, 10)
    assert world.codes(world.request()) == ["mine"]
    assert world.codes(world.close(10)) == ["mine"]


@pytest.mark.parametrize("missing", sorted({rule.code for rule in own_rules()}))
def test_t_k4_a_missing_own_rule_denies_everything(missing: str) -> None:
    world = World(rules=[rule for rule in own_rules() if rule.code != missing])
    assert world.codes(world.request()) == ["RULES"]


@pytest.mark.parametrize("part", ["market", "ledger", "desk", "vitals"])
def test_t_k4_a_part_that_fails_denies_and_halts(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    method = {"market": "quote", "ledger": "positions", "desk": "open_orders", "vitals": "vitals"}[part]
    monkeypatch.setattr(getattr(world, part), method, failing if method == "quote" else lambda: failing(None))
    assert world.clear(world.request()) is None
    assert world.modes.mode is Mode.HALTED


def test_t_x2_an_order_that_cannot_be_counted_is_not_cleared_and_nothing_stays_reserved() -> None:
    world = World()
    world.counters.broken = True
    assert world.clear(world.request()) is None
    assert world.of(RiskDenied)[-1].denials[0].code == "JOURNAL"
    assert world.gate._exposure.exposure().gross == 0


# --- T-K5: counters


def test_t_k5_counters_survive_a_crash_in_the_session() -> None:
    world = wide({"orders_per_day": 2, "duplicate_seconds": 1, "working_entries": 9, "entries_per_day": 9})
    for symbol, price in ((AAPL, 100), (MSFT, 400)):
        world.send(world.request(symbol=symbol, limit_price=price, stop_loss=price * 0.9, take_profit=price * 2))
        world.clock.advance(1)
    after = world.restarted(mode=Mode.AUTO)
    assert "G11" in after.codes(after.request(symbol=XOM, limit_price=60, stop_loss=55, take_profit=70))


def test_t_k5_counters_reset_at_the_exchange_date_not_at_utc_or_local_midnight() -> None:
    world = wide(manual={"orders_per_day": 1})
    world.send(world.manual())
    world.desk.all.clear()
    world.clock._now = START + 5 * HOUR  # after midnight in Tokyo, the same session in New York
    assert "G11" in world.codes(world.manual(quantity=11))
    world.clock._now = START - HOUR + DAY - SECOND  # the next UTC day, before the next open: the next session's date
    assert "G11" not in world.codes(world.manual(quantity=11, outside_rth=True))
    world.clock._now = START + DAY
    assert world.codes(world.manual(quantity=11)) == []


def test_t_k5_the_duplicate_guard_survives_a_restart() -> None:
    world = wide({"working_entries": 9})
    world.send(world.request(strategy="a"))
    after = world.restarted(mode=Mode.AUTO, settings=world.settings)
    assert "G9" in after.codes(after.request(strategy="b"))


# --- T-K6: a strategy gone wild


def test_t_k6_a_strategy_that_repeats_itself_is_latched_off_until_a_person_re_arms_it_also_after_a_restart() -> None:
    world = wide()
    sent = 0
    for _ in range(6000):  # every 100 ms for 10 minutes
        cleared = world.clear(world.request())
        if cleared is not None:
            world.desk.submit(cleared)
            sent += 1
        world.clock.advance(0.1)
    assert sent <= 2
    latch = world.latches.get("G10", "momentum")
    assert latch is not None
    other = world.request(symbol=XOM, limit_price=60, stop_loss=55, take_profit=70)
    assert "G10" in world.codes(other)

    after = world.restarted(mode=Mode.AUTO)
    after.desk.all.clear()
    after.clock.advance_to(START + 2 * HOUR)
    assert after.codes(other) == ["G10"]
    assert not after.modes.rearm("G10", "momentum", "agent", "looks fine").ok
    assert not after.modes.rearm("G10", "momentum", "window", "").ok
    assert after.modes.rearm("G10", "momentum", "window", "fixed the data").ok
    assert after.codes(other) == []


def test_a_strategy_whose_orders_the_session_refuses_is_not_latched() -> None:
    world = wide()
    world.clock._now = START - HOUR + SECOND
    for _ in range(20):
        world.gate.clear(world.request())
        world.clock.advance(10)
    assert world.latches.get("G10", "momentum") is None


def test_the_resume_word_lifts_a_strategys_latch_and_the_count_begins_anew() -> None:
    world = wide({"working_entries": 1})
    world.send(world.request())
    for _ in range(5):
        world.gate.clear(world.request())
        world.clock.advance(1)
    assert world.latches.get("G10", "momentum") is not None
    assert world.modes.resume("resume", "looked at it", "window").ok
    assert world.latches.get("G10", "momentum") is None
    world.desk.all.clear()
    world.clock.advance(400)
    assert world.codes(world.request()) == []
    world.gate.clear(world.request())
    assert world.latches.get("G10", "momentum") is None


# --- T-K8: never with oneself, never accidentally short


def test_t_k8_a_buy_that_would_meet_the_own_resting_sell_is_denied() -> None:
    world = World()
    world.ledger.hold(AAPL, 10)
    world.market.set(AAPL, 10.0)
    world.desk.put(world.close(10, limit_price=d("10.05"), reduce_only=False))
    assert "G29" in world.codes(world.manual(limit_price=d("10.10"), stop_loss=9, take_profit=12))


def test_t_k8_a_second_sell_of_the_same_position_is_denied() -> None:
    world = World()
    world.ledger.hold(AAPL, 100)
    world.desk.put(world.close(100, limit_price=101, reduce_only=False))
    denials = world.gate.check(world.close(100, limit_price=101)).denials
    assert "G28" in [denial.code for denial in denials]
    assert world.clear(world.close(100, limit_price=101, reduce_only=False)) is None


def test_t_k8_stop_and_target_without_a_common_group_are_denied_with_one_they_pass() -> None:
    world = World()
    world.ledger.hold(AAPL, 100)
    protective = {"origin": Origin.PROTECTIVE, "order_type": OrderType.STOP, "limit_price": None, "stop_price": d(95)}
    world.desk.put(world.close(100, **protective))
    assert "G28" in world.codes(world.close(100, limit_price=105))
    world.desk.all.clear()
    world.desk.put(world.close(100, **protective, oca_group="x"))
    assert world.codes(world.close(100, limit_price=105, oca_group="x")) == []


def test_closing_a_whole_position_joins_the_group_of_its_protective_orders() -> None:
    world = wide({"working_entries": 9})
    cleared = world.send(world.request(quantity=100))
    world.desk.move(cleared.ref, OrderState.FILLED, filled=d(100))
    world.ledger.hold(AAPL, 100)
    closing = world.clear(world.close(100, order_type=OrderType.MARKET, limit_price=None))
    assert closing is not None
    assert closing.request.oca_group == cleared.legs[0].request.oca_group != ""
    assert "G28" in world.codes(world.close(50, order_type=OrderType.MARKET, limit_price=None))


@given(data=st.data())
def test_i9_whatever_is_cleared_to_close_can_never_cross_zero(data: st.DataObject) -> None:
    world = wide(manual={"messages_per_second": 20, "messages_per_minute": 1000, "duplicate_seconds": 0.001})
    held = data.draw(st.integers(-300, 300))
    world.ledger.hold(AAPL, held)
    side = Side.SELL if held > 0 else Side.BUY
    closing = Decimal(0)
    for _ in range(data.draw(st.integers(1, 6))):
        quantity = data.draw(st.integers(1, 300))
        state = data.draw(st.sampled_from([OrderState.WORKING, OrderState.UNKNOWN, OrderState.PENDING_CANCEL, None]))
        reduce_only = data.draw(st.booleans()) or side is Side.BUY
        origin = data.draw(st.sampled_from([Origin.MANUAL, Origin.FLATTEN, Origin.PROTECTIVE]))
        request = world.close(quantity, side=side, limit_price=100, reduce_only=reduce_only, origin=origin)
        _, cleared = world.gate.clear(request)
        if cleared is not None:
            closing += cleared.request.quantity
            if state is not None:
                world.desk.put(cleared.request, cleared.ref, state)
        world.clock.advance(1)
    assert closing <= abs(held)


# --- T-K9: many objections, and fat fingers


def test_t_k9_twelve_violations_are_kept_five_are_shown_hard_ones_first() -> None:
    world = World(settings=limits(restricted_list=["AAPL"]), mode=Mode.AUTO)
    world.vitals.change(clock_skew_s=60.0, lag_ms=9999.0, disk_free_mb=1.0, queue_depth=10**6)
    world.market.set(AAPL, 100.0, spread=9.0, halted=True, previous_close=10.0, data_type=DataType.DELAYED)
    world.modes.lock(AAPL, "G20", "rejects")
    world.clock._now = START + 20 * HOUR
    request = world.manual(quantity=100_000, limit_price=150, stop_loss=10, take_profit=200)
    verdict = world.gate.check(request)
    assert len(verdict.denials) >= 12
    screen = say.shown(verdict.denials)
    assert len(screen) == 5
    assert all(denial.hard for denial in screen)
    confirmed = msgspec.structs.replace(request, confirmed=tuple(denial.code for denial in verdict.denials))
    assert not world.gate.check(confirmed).cleared  # no OK leads through a hard objection


def test_t_k9_a_quantity_typed_in_the_money_field_asks_for_the_amount_again() -> None:
    world = wide()
    request = world.manual(quantity=1000, intended_notional=d(1000))
    assert world.codes(request) == ["G33"]
    assert world.codes(msgspec.structs.replace(request, confirmed=("G33",))) == []


def test_a_confirmation_helps_a_person_once_and_the_agent_never() -> None:
    world = wide()
    soft = {"limit_price": d(79), "stop_loss": d(70)}
    assert world.codes(world.manual(**soft)) == ["G5"]
    assert world.codes(world.manual(**soft, confirmed=("G5",))) == []
    denials = world.gate.check(world.request(**soft, confirmed=("G5",))).denials
    assert [(denial.code, denial.hard) for denial in denials] == [("G5", True)]


# --- conversion, bracket, what is cleared


def test_g6_a_market_order_becomes_a_limit_inside_its_collar() -> None:
    world = World()
    cleared = world.clear(world.request(order_type=OrderType.MARKET, limit_price=None))
    assert cleared is not None
    assert cleared.request.order_type is OrderType.LIMIT
    assert cleared.request.limit_price == d("100.51")  # ask 100.01 and half a percent, on the tick
    sell = world.gate.check(
        world.manual(side=Side.SELL, order_type=OrderType.MARKET, limit_price=None, stop_loss=None, take_profit=None)
    )
    assert sell.request.limit_price == d("99.00")


@given(
    price=st.decimals("0.02", "5000", places=2),
    spread=st.decimals("0", "0.2", places=2),
    tick=st.sampled_from(["0.01", "0.05", "0.0001", "1"]),
)
def test_g6_the_limit_is_on_the_tick_reaches_the_quote_and_stays_in_the_collar(
    price: Decimal, spread: Decimal, tick: str
) -> None:
    from engine.risk.conversion import marketable
    from tests.engine.risk.world import FakeMarket, StepClock

    market = FakeMarket(StepClock(START))
    market.set(AAPL, float(price), float(spread))
    quote = market.quote(AAPL)
    assert quote is not None
    step = Decimal(tick)
    buy = marketable(Side.BUY, quote, quote.mid, step, 0.5, anything=False)
    if buy is None:
        assert not quote.two_sided
        return
    assert buy % step == 0
    assert float(buy) >= quote.ask - 1e-9
    assert buy <= Decimal(repr(quote.ask)) * Decimal("1.005") or buy - Decimal(repr(quote.ask)) < step


def test_a_stop_entry_becomes_a_stop_limit_and_a_protective_stop_stays_a_stop() -> None:
    world = World()
    entry = world.gate.check(
        world.manual(order_type=OrderType.STOP, limit_price=None, stop_price=102, stop_loss=98, take_profit=110)
    )
    assert entry.request.order_type is OrderType.STOP_LIMIT
    assert entry.request.limit_price == d("103.02")
    world.ledger.hold(AAPL, 10)
    stop = world.gate.check(
        world.close(10, origin=Origin.PROTECTIVE, order_type=OrderType.STOP, limit_price=None, stop_price=95)
    )
    assert stop.cleared, stop.denials
    assert stop.request.order_type is OrderType.STOP


def test_g36_the_agents_entries_expire_within_five_minutes_and_its_stops_do_not() -> None:
    world = World()
    for tif in (TimeInForce.DAY, TimeInForce.GTC):
        request = world.gate.check(world.request(tif=tif)).request
        assert request.tif is TimeInForce.GTD
        assert request.good_till_ns == START + 300 * SECOND
    soon = world.gate.check(world.request(tif=TimeInForce.GTD, good_till_ns=START + SECOND)).request
    assert soon.good_till_ns == START + SECOND
    cleared = world.clear(world.request())
    assert cleared is not None
    assert {leg.request.tif for leg in cleared.legs} == {TimeInForce.GTC}


def test_g36_at_a_broker_without_a_good_till_time_the_denial_names_the_setting() -> None:
    world = World()
    world.no_good_till = NO_GOOD_TILL
    gate = world.make_gate()
    gate.restore()
    verdict = gate.check(world.request())
    assert [denial.code for denial in verdict.denials] == ["G36"]
    assert "alpaca.expire_by_program" in verdict.denials[0].text
    assert "no good-till time" in verdict.denials[0].text
    assert gate.check(world.request(origin=Origin.MANUAL, tif=TimeInForce.DAY)).cleared


def test_g36_an_entry_that_would_outlive_the_engine_is_denied_should_the_conversion_ever_fail() -> None:
    from engine.risk.rules import g36_deadman

    world = World()
    verdict, situation = world.gate._judge(world.request(), None)
    assert verdict.cleared
    assert situation is not None
    assert g36_deadman.check(situation) == ()
    situation.request = msgspec.structs.replace(situation.request, good_till_ns=START + 301 * SECOND)
    assert g36_deadman.check(situation)[0].denial.code == "G36"
    situation.request = msgspec.structs.replace(situation.request, tif=TimeInForce.GTC)
    assert g36_deadman.check(situation)[0].denial.code == "G36"


def test_a_bracket_has_a_stop_and_a_target_that_cancel_each_other_and_only_reduce() -> None:
    world = World()
    cleared = world.clear(world.request())
    assert cleared is not None
    stop, target = cleared.legs
    assert (stop.request.order_type, stop.request.stop_price) == (OrderType.STOP, d("98.00"))
    assert (target.request.order_type, target.request.limit_price) == (OrderType.LIMIT, d("104.00"))
    for leg in cleared.legs:
        assert leg.request.side is Side.SELL
        assert leg.request.reduce_only
        assert leg.request.origin is Origin.PROTECTIVE
        assert leg.request.parent_ref == cleared.ref
    assert stop.request.oca_group == target.request.oca_group != ""
    assert len({cleared.ref, stop.ref, target.ref}) == 3


def test_i11_every_cleared_order_carries_decision_limits_and_build() -> None:
    world = World()
    cleared = world.clear(world.request())
    assert cleared is not None
    for order in (cleared, *cleared.legs):
        assert order.decision_id
        assert order.limits_hash == world.gate.limits_hash != ""
        assert order.build_hash == "build"
    assert cleared.reference_price == d("100.0")
    assert world.of(RiskCleared)[-1].ref == cleared.ref


def test_prices_off_the_tick_are_rounded_to_the_passive_side() -> None:
    world = World()
    assert world.gate.check(world.request(limit_price=d("99.999"))).request.limit_price == d("99.99")
    world.ledger.hold(AAPL, 10)
    assert world.gate.check(world.close(10, limit_price=d("100.001"))).request.limit_price == d("100.01")


# --- closing passes what opening may not


def test_closing_passes_locks_limits_stale_quotes_and_missing_equity() -> None:
    world = World(settings=limits(restricted_list=["AAPL"]), mode=Mode.REDUCE_ONLY)
    world.ledger.hold(AAPL, 5000)
    world.modes.lock(AAPL, "G27", "a split")
    world.market.set(AAPL, 100.0, ts_event=START - HOUR)
    world.counters.add("orders.manual", "2026-03-02", 1000)
    world.vitals.change(lag_ms=9999.0, disk_free_mb=1.0, clock_skew_s=99.0)
    assert world.codes(world.close(5000)) == []
    assert world.codes(world.manual()) != []


def test_a_sell_inside_the_position_is_known_as_closing_without_being_told() -> None:
    world = World(mode=Mode.REDUCE_ONLY)
    world.ledger.hold(AAPL, 100)
    verdict = world.gate.check(world.close(100, reduce_only=False))
    assert verdict.cleared
    assert verdict.request.reduce_only


def test_flatten_works_while_halted_and_only_inside_the_position() -> None:
    world = World(mode=Mode.HALTED)
    world.ledger.hold(AAPL, 100)
    flatten = {"origin": Origin.FLATTEN, "order_type": OrderType.MARKET, "limit_price": None}
    cleared = world.clear(world.close(100, **flatten))
    assert cleared is not None
    assert cleared.request.limit_price == d("98.00")  # bid 99.99 less two percent is 97.99.., kept inside the collar
    assert world.clear(world.close(101, **flatten)) is None
    assert world.clear(world.close(100)) is None


def test_i12_after_halt_nothing_is_cleared_until_a_person_resumes() -> None:
    world = World()
    world.ledger.hold(MSFT, 10)
    world.modes.halt("window", "stop")
    for request in (world.request(), world.manual(), world.close(10, MSFT, limit_price=400)):
        assert world.clear(request) is None
    after = world.restarted()
    assert after.modes.mode is Mode.HALTED
    assert after.clear(after.manual()) is None


def test_paper_has_no_caps_in_money_and_units_and_live_has() -> None:
    request = {"quantity": 400}
    paper, live = World(), World(book=Book.LIVE, settings=limits(what_if="full_value"))
    live.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    assert "G1" not in paper.codes(paper.request(**request))
    assert "G1" in live.codes(live.request(**request))


def test_the_first_five_live_sessions_count_by_exchange_date() -> None:
    world = World(book=Book.LIVE, settings=limits(what_if="full_value"))
    for n in range(5):
        assert world.codes(world.request(quantity=6)) == ["G1"], n
        assert world.clear(world.request(quantity=5)) is not None
        world.gate = world.make_gate()
        world.clock._now += 7 * DAY
    assert world.codes(world.request(quantity=50)) == []


def test_uses_show_every_limit_with_what_is_used_of_it() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    world.desk.put(
        world.close(100, origin=Origin.PROTECTIVE, order_type=OrderType.STOP, limit_price=None, stop_price=d(97))
    )
    world.desk.put(world.manual(symbol=MSFT, limit_price=400, stop_loss=390, take_profit=None, quantity=10))
    uses = {(use.code, use.title): use for use in world.gate.uses()}
    assert uses[("STOPS", "Lost if every stop is hit")].used == pytest.approx((300 + 100) / 10_000)
    assert uses[("G13", "Gross exposure")].used == pytest.approx(1.4)
    assert uses[("G13", "Positions")].used == 2
    assert uses[("G11", "Opening orders at work")].used == 1
    assert world.gate.risk_at_stops() == pytest.approx(0.04 / 3)


def test_a_position_without_a_stop_counts_in_full_as_what_may_be_lost() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    assert next(use for use in world.gate.uses() if use.code == "STOPS").used == pytest.approx(1.0)


def test_an_unknown_symbol_is_denied() -> None:
    world = World()
    assert world.codes(world.request(symbol=Symbol("NOPE"))) == ["G3"]
