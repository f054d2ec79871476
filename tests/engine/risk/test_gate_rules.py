"""Rules at their edges: what is exempt, what is missing, what is zero, who may send."""

import math
from typing import Any

import msgspec
import pytest

from engine.bus.clock import SECOND
from engine.model.decision import Book, Mode
from engine.model.events.decision import RiskDenied, TradingHalted
from engine.model.ids import OrderRef
from engine.model.market import Session, SessionState, Side
from engine.model.order import OrderState, OrderType, Origin
from engine.risk.ports import ShortFacts
from engine.risk.rules import g15_funds
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, DAY, MINUTE, MSFT, XOM, World, d, limits, unchecked


def instrument(world: World, **changes: Any) -> None:
    world.market.instruments[AAPL] = msgspec.structs.replace(world.market.instruments[AAPL], **changes)


def texts(world: World, request: Any) -> list[str]:
    verdict = world.gate.check(request)
    return [found.text for found in (*verdict.denials, *verdict.warnings)]


# --- who may send


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("origin", [Origin.PROTECTIVE, Origin.FLATTEN])
def test_an_order_that_says_it_closes_and_does_not_is_refused_whatever_else_it_is_exempt_from(
    side: Side, origin: Origin
) -> None:
    world = wide(allow_short=True)
    world.shorts.answer = ShortFacts(shortable=3.0, shares=1e9, fee_percent=1.0)
    opening = {"side": side, "origin": origin, "stop_loss": None, "take_profit": None}
    assert "G28" in world.codes(world.manual(**opening))
    assert world.clear(world.manual(**opening)) is None
    world.ledger.hold(AAPL, 5 if side is Side.SELL else -5)
    assert "G28" in world.codes(world.manual(**opening))
    assert world.clear(world.manual(**opening, quantity=5)) is not None


def test_a_leg_of_a_bracket_may_wait_for_its_parent_and_not_beyond_it() -> None:
    world = wide()
    entry = world.desk.put(world.manual(limit_price=95, quantity=50))
    leg = {"origin": Origin.PROTECTIVE, "limit_price": 110, "parent_ref": entry}
    assert world.codes(world.close(50, **leg)) == []
    assert world.codes(world.close(51, **leg)) == ["G28"]
    assert world.codes(world.close(50, **{**leg, "side": Side.BUY})) == ["G28"]
    world.desk.move(entry, OrderState.CANCELLED)
    assert world.codes(world.close(50, **leg)) == ["G28"]


def test_the_stop_of_a_bracket_may_be_moved_while_its_entry_rests_and_no_other_order_may_cross_it() -> None:
    world = wide()
    entry = world.desk.put(world.manual(limit_price=100, quantity=50))
    stop = {"order_type": OrderType.STOP, "limit_price": None, "stop_price": d(95), "origin": Origin.PROTECTIVE}
    leg = world.desk.put(world.close(50, **stop, parent_ref=entry), state=OrderState.HELD)
    nearer = msgspec.structs.replace(world.desk.all[leg].request, stop_price=d(97))
    assert world.gate.check_change(leg, nearer).denials == ()
    world.desk.put(world.manual(limit_price=100, quantity=50))
    assert "G29" in [found.code for found in world.gate.check_change(leg, nearer).denials]


def test_orders_made_elsewhere_are_not_sent() -> None:
    assert texts(wide(), wide().manual(origin=Origin.EXTERNAL)) == ["Orders made elsewhere are not sent by us."]


@pytest.mark.parametrize("origin", [Origin.PROTECTIVE, Origin.FLATTEN])
def test_what_protects_or_flattens_is_exempt_from_rate_and_duplicates(origin: Origin) -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    for _ in range(40):
        world.gate.note_message()
    world.gate._sent.seed([world.desk.all[world.desk.put(world.manual(side=Side.SELL))]], lambda symbol: 1.0)
    world.desk.all.clear()
    assert set(world.codes(world.close(10))) == {"G8", "G9"}
    assert world.codes(world.close(10, origin=origin)) == []


@pytest.mark.parametrize("changes", [{}, {"take_profit": None}, {"stop_loss": None, "take_profit": None}])
def test_a_cleared_order_counts_a_message_for_itself_and_each_of_its_exits(changes: dict[str, None]) -> None:
    world = wide()
    cleared = world.send(world.manual(**changes))
    assert world.gate._messages.within(world.clock.now(), 1.0) == 1 + len(cleared.legs)


def test_a_bracket_is_one_message_where_the_broker_takes_it_in_one() -> None:
    world = wide(world={"brackets_in_one": True})
    for symbol, price in ((AAPL, 100), (MSFT, 400)):
        world.send(world.request(symbol=symbol, limit_price=price, stop_loss=price * 0.9, take_profit=price * 2))
    assert world.gate._messages.within(world.clock.now(), 1.0) == 2
    (found,) = world.gate.check(world.request(symbol=XOM, limit_price=60, stop_loss=55, take_profit=70)).denials
    assert (found.code, found.text) == ("G8", "2 messages in the last second and 1 to send; the limit is 2.")


def test_an_order_that_is_worked_here_is_no_message_and_one_that_the_broker_works_is() -> None:
    world = wide(manual={"messages_per_second": 20})
    plain = {"stop_loss": None, "take_profit": None}
    world.send(world.manual(algo="twap", **plain))
    assert world.gate._messages.within(world.clock.now(), 1.0) == 0
    world.gate._observer._native = frozenset({"ib.twap"})
    world.desk.all.clear()
    world.clock.advance(61)
    world.send(world.manual(algo="ib.twap", **plain))
    assert world.gate._messages.within(world.clock.now(), 1.0) == 1


def test_a_bracket_larger_than_a_second_allows_goes_in_a_second_of_its_own() -> None:
    world = wide()
    world.send(world.request())
    other = world.request(symbol=XOM, limit_price=60, stop_loss=55, take_profit=70)
    (found,) = world.gate.check(other).denials
    assert (found.text, found.value, found.limit) == (
        "3 messages in the last second and 3 to send; the limit is 2.",
        "3",
        "2",
    )
    world.clock.advance(1)
    assert world.codes(other) == []


def test_a_change_and_a_closing_order_are_one_message_each() -> None:
    world = wide(manual={"messages_per_second": 20})
    ref = world.desk.put(world.manual(quantity=100))
    assert world.gate.clear_change(ref, world.desk.all[ref].request).cleared
    assert world.gate._messages.within(world.clock.now(), 1.0) == 1
    world.desk.all.clear()
    world.ledger.hold(AAPL, 100)
    world.send(world.close(10))
    assert world.gate._messages.within(world.clock.now(), 1.0) == 2


# --- what is zero or missing


def test_an_unknown_volume_is_no_share_of_it() -> None:
    for volume in (0.0, -1.0, math.nan, math.inf):
        world = wide()
        instrument(world, adv20=volume)
        assert texts(world, world.manual()) == ["The average volume of AAPL is not known."]
        assert not world.of(TradingHalted)
    world = wide()
    instrument(world, adv20=1.0)
    assert texts(world, world.manual(quantity=1)) == []


def test_without_a_last_close_nothing_looks_like_a_split() -> None:
    for close in (0.0, -1.0, math.nan):
        world = wide()
        world.market.set(AAPL, 100.0, previous_close=close)
        assert world.codes(world.manual()) == []


def test_the_agent_trades_in_its_currencies_alone() -> None:
    world = wide()
    world.ledger.change(currency="EUR")
    instrument(world, currency="EUR")
    assert texts(world, world.request()) == ["The agent does not trade in EUR."]
    assert world.codes(world.manual()) == []
    world = wide(currencies=["EUR"])
    world.ledger.change(currency="EUR")
    instrument(world, currency="EUR")
    assert world.codes(world.request()) == []


def test_the_rule_of_funds_refuses_without_an_account_by_itself_too() -> None:
    _, situation = wide().gate._judge(wide().request(), None)
    assert situation is not None
    assert g15_funds.check(situation) == ()
    situation.account = None
    (found,) = g15_funds.check(situation)
    assert found.denial.text == "The account's values are not known."


def test_closing_without_equity_halts_nothing_and_shows_no_share_of_it() -> None:
    world = wide()
    world.ledger.hold(AAPL, 10)
    world.ledger.change(equity=d(0))
    verdict = world.gate.check(world.close(10))
    assert verdict.cleared
    assert verdict.risk_used_after is None
    assert not world.of(TradingHalted)


def test_a_verdict_says_what_of_the_day_s_risk_is_used_afterwards() -> None:
    world = wide(manual={"day_loss_halt_percent": 2})
    assert world.gate.check(world.manual(quantity=100)).risk_used_after == pytest.approx(200 / 20_000)
    without = world.manual(quantity=100, stop_loss=None)
    assert world.gate.check(without).risk_used_after == pytest.approx(10_000 / 20_000)
    assert world.gate.check(without).risk is None
    assert world.gate.check(world.manual(quantity=100)).risk == 200


@pytest.mark.parametrize("multiplier", [1, 5])
def test_the_risk_of_a_trade_counts_what_a_unit_stands_for(multiplier: int) -> None:
    most = 2500 // multiplier
    for quantity, denied in ((most, False), (most + 1, True)):
        world = wide({"risk_percent": 0.5, "order_notional_percent": 100})
        instrument(world, multiplier=d(multiplier))
        assert ("G16" in world.codes(world.request(quantity=quantity))) is denied


# --- passive orders count at the market


@pytest.mark.parametrize(
    ("auto", "code"),
    [({"position_percent": 1}, "G12"), ({"gross_percent": 1}, "G13"), ({"net_percent": 1}, "G13")],
)
def test_a_buy_far_below_the_market_counts_at_the_market(auto: dict[str, float], code: str) -> None:
    for quantity, denied in ((100, False), (101, True)):
        world = wide(auto)
        waiting = world.request(quantity=quantity, limit_price=92, stop_loss=90)
        assert world.codes(waiting) == ([code] if denied else [])


def test_a_sector_counts_a_buy_far_below_the_market_at_the_market_and_its_multiplier() -> None:
    for quantity, denied in ((100, False), (101, True)):
        world = wide({"sector_percent": 5})
        instrument(world, multiplier=d(5))
        waiting = world.request(quantity=quantity, limit_price=92, stop_loss=90)
        assert world.codes(waiting) == (["G14"] if denied else [])


# --- sessions and days


def test_a_market_that_never_closes_has_no_first_and_last_minutes() -> None:
    for opens, closes, denied in ((0, 0, False), (1, 0, False), (0, 1, True)):
        world = wide()
        now = world.clock.now()
        session = Session(
            state=SessionState.OPEN, date="2026-03-02", open_ns=now * opens, close_ns=now * closes, next_open_ns=0
        )
        world.market.session = lambda symbol, at_ns, session=session: session
        assert ("G25" in world.codes(world.request())) is denied


def test_the_edges_of_the_session_hold_for_the_agent_s_openings_alone() -> None:
    world = wide()
    world.ledger.hold(AAPL, 10)
    world.clock._now += 5 * 60 * MINUTE + 29 * MINUTE
    assert world.codes(world.request()) == ["G25"]
    assert world.codes(world.manual()) == []
    assert world.codes(world.close(10, origin=Origin.AUTO)) == []


def test_a_wash_sale_is_a_buy_after_a_loss() -> None:
    world = wide(allow_short=True, wash_sale_guard=True)
    world.shorts.answer = ShortFacts(shortable=3.0, shares=1e9, fee_percent=1.0)
    short = {"side": Side.SELL, "stop_loss": d(102), "take_profit": d(95)}
    assert texts(world, world.request()) == texts(world, world.request(**short)) == []
    world.losses.closed(AAPL, d(-5), world.clock.now() - 3 * DAY)
    assert texts(world, world.request(**short)) == []
    assert texts(world, world.request()) == ["AAPL was sold at a loss 3 days ago; the loss may not count for tax."]


@pytest.mark.parametrize(
    ("regime", "left", "said"),
    [
        ("auto", None, ""),
        ("auto", -1, ""),
        ("auto", 0, "Day trades left: 0, kept in reserve: 1."),
        ("auto", 1, "Day trades left: 1, kept in reserve: 1."),
        ("auto", 2, ""),
        ("legacy_pdt", None, "The broker does not say how many day trades are left."),
        ("legacy_pdt", -1, ""),
        ("legacy_pdt", 0, "Day trades left: 0, kept in reserve: 1."),
        ("intraday_margin", None, ""),
        ("intraday_margin", 0, ""),
    ],
)
def test_day_trades_left_by_regime_deny_the_agent_and_warn_a_person(regime: str, left: int | None, said: str) -> None:
    world = wide(day_trade_regime=regime)
    world.ledger.change(day_trades_remaining=left)
    for request, denies in ((world.request(), True), (world.manual(), False)):
        assert texts(world, request) == ([said] if said else [])
        assert world.gate.check(request).cleared is not (bool(said) and denies)


# --- what is told


def test_a_refused_change_is_told_like_a_refused_order() -> None:
    world = wide()
    world.gate.clear_change(OrderRef("nothing"), world.manual())
    assert [event.denials[0].code for event in world.of(RiskDenied)] == ["ORDER"]
    ref = world.desk.put(world.manual())
    world.counters.broken = True
    world.gate.clear_change(ref, world.manual(quantity=11))
    assert [event.denials[0].code for event in world.of(RiskDenied)] == ["ORDER", "JOURNAL"]


def test_the_first_rule_that_is_missing_is_named() -> None:
    from engine.risk.rules.table import own_rules

    rules = [rule for rule in own_rules() if rule.code not in ("G12", "G28")]
    (found,) = World(rules=rules).gate.check(World().request()).denials
    assert found.text == "Rule G12 is not loaded, so nothing is sent."


def test_nothing_is_sized_while_a_limit_is_broken() -> None:
    world = World(settings=unchecked("auto.gross_percent", None))
    assert world.gate.size(AAPL, Side.BUY, d(100), d(98)).bound_by == "LIMITS"
    assert World(settings=unchecked("manual.day_loss_halt_percent", 0)).gate.risk_at_stops() is None


@pytest.mark.parametrize("percent", [0.5, 3])
def test_the_risk_at_stops_is_a_share_of_the_day_s_loss(percent: float) -> None:
    world = wide(manual={"day_loss_halt_percent": percent})
    world.ledger.hold(AAPL, 10)
    assert world.gate.risk_at_stops() == pytest.approx(0.1 / percent)


def test_the_reference_price_has_eight_decimals_at_most() -> None:
    world = wide()
    world.market.set(AAPL, 100.0, bid=100.0, ask=100.0000000125)
    cleared = world.clear(world.manual())
    assert cleared is not None
    assert cleared.reference_price == d("100.00000001")


def test_a_clock_set_back_or_forward_pauses_the_agent_to_the_second() -> None:
    for ago, denied in ((59, True), (60, False), (-5, True)):
        world = wide()
        world.vitals.change(clock_step_ns=world.clock.now() - ago * SECOND)
        assert ("G23" in world.codes(world.request())) is denied
        assert "G23" not in world.codes(world.manual())


@pytest.mark.parametrize(("origin", "passes"), [(Origin.MANUAL, True), (Origin.AUTO, False)])
def test_an_unknown_clock_stops_only_the_agent_and_only_with_real_money(origin: Origin, passes: bool) -> None:
    world = wide(world={"book": Book.LIVE, "mode": Mode.AUTO}, what_if="full_value")
    world.vitals.change(clock_skew_s=None)
    assert ("G23" not in world.codes(world.request(origin=origin, quantity=1))) is passes


def test_a_stop_of_no_position_protects_nothing() -> None:
    world = wide()
    stop = {"origin": Origin.PROTECTIVE, "order_type": OrderType.STOP, "limit_price": None, "stop_price": d(105)}
    world.desk.put(world.close(10, side=Side.BUY, **stop))
    assert world.gate._exposure.line(AAPL).stops == []


def test_an_own_resting_order_is_no_obstacle_to_a_flatten() -> None:
    world = World(settings=limits())
    world.ledger.hold(AAPL, 10)
    world.desk.put(world.manual(limit_price=d("99.99")))
    market = {"order_type": OrderType.MARKET, "limit_price": None}
    assert "G29" in world.codes(world.close(10, **market))
    assert world.codes(world.close(10, origin=Origin.FLATTEN, **market)) == []


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("multiplier", [1, 5])
def test_net_exposure_counts_a_changed_order_once(side: Side, multiplier: int) -> None:
    world = wide(manual={"net_percent": 100, "position_percent": 100, "gross_percent": 400}, allow_short=True)
    world.shorts.answer = ShortFacts(shortable=3.0, shares=1e9, fee_percent=1.0)
    instrument(world, multiplier=d(multiplier))
    plain = {"side": side, "stop_loss": None, "take_profit": None}
    ref = world.desk.put(world.manual(quantity=6000 // multiplier, **plain))
    world.desk.put(world.manual(quantity=100 // multiplier, **plain))
    world.desk.put(world.manual(symbol=XOM, quantity=1000, limit_price=60, **plain))
    price = d("99.50") if side is Side.BUY else d("100.50")
    request = msgspec.structs.replace(world.desk.all[ref].request, limit_price=price)
    most = (1_000_000 - 60_000 - 10_000) // (max(price, d(100)) * multiplier)
    for quantity, passes in ((most, True), (most + 1, False)):
        verdict = world.gate.check_change(ref, msgspec.structs.replace(request, quantity=d(quantity)))
        assert ("G13" not in [found.code for found in verdict.denials]) is passes, verdict.denials


@pytest.mark.parametrize(("equity", "said"), [("0", "0.00"), ("-5000", "-5,000"), ("NaN", "not known")])
def test_without_equity_nothing_opens_and_nothing_halts(equity: str, said: str) -> None:
    world = wide()
    world.ledger.change(equity=d(equity))
    for request in (world.request(), world.manual()):
        assert texts(world, request) == [f"The account's equity is {said}, so nothing is opened."]
    assert not world.of(TradingHalted)


@pytest.mark.parametrize(("book", "shown"), [(Book.LIVE, True), (Book.PAPER, False)])
def test_limits_in_money_and_units_are_on_the_panel_with_real_money_alone(book: Book, shown: bool) -> None:
    titles = {use.title for use in wide(world={"book": book}).gate.uses()}
    assert ("Order value, agent, money" in titles) is shown


@pytest.mark.parametrize("held", [1, -1, "0.5", "-0.5"])
def test_a_position_of_one_unit_or_less_can_be_closed(held: object) -> None:
    world = wide()
    world.ledger.hold(AAPL, held)
    world.market.instruments[AAPL] = msgspec.structs.replace(world.market.instruments[AAPL], lot=d("0.5"))
    side = Side.SELL if d(held) > 0 else Side.BUY
    assert world.codes(world.close(abs(d(held)), side=side)) == []
    assert world.codes(world.close(abs(d(held)) + d("0.5"), side=side)) == ["G28"]


def test_the_panel_counts_orders_of_today_also_while_nothing_is_held_and_messages_of_a_minute() -> None:
    world = wide()

    def rows() -> tuple[float, ...]:
        found = {use.title: use.used for use in world.gate.uses()}
        return tuple(found[name] for name in ("Orders today, by hand", "Orders today, agent", "Messages in a minute"))

    assert rows() == (0, 0, 0)
    world.send(world.manual())
    world.clock.advance(30)
    world.gate.note_message()
    assert rows() == (1, 0, 4)
    world.desk.all.clear()
    assert rows() == (0, 0, 4)
    world.ledger.hold(AAPL, 10)
    world.clock.advance(30)
    assert rows() == (1, 0, 1)
    world.market.no_calendar.add(AAPL)
    assert rows() == (0, 0, 1)


def test_the_band_looks_at_the_mean_of_five_minutes() -> None:
    world = wide()
    asked: list[float] = []
    world.market.mean_price = lambda symbol, minutes: asked.append(minutes)
    world.gate.check(world.request())
    assert asked == [5]


def test_only_an_order_that_says_it_closes_may_be_measured_against_an_old_last_price() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    world.market.set(AAPL, 100.0, ask=math.nan, ts_event=world.clock.now() - 6 * SECOND)
    assert world.codes(world.close(10)) == []
    assert world.codes(world.close(10, reduce_only=False)) == ["G4"]
    assert "G4" in world.codes(world.manual(reduce_only=True))


def test_a_stop_that_the_tick_moves_onto_the_entry_is_refused() -> None:
    world = wide()
    assert texts(world, world.manual(stop_loss=d("99.999"))) == ["The stop 100.00 must be below the entry 100.00."]
    assert texts(world, world.manual(stop_loss=d("99.994"))) == []


def test_a_size_for_real_money_is_a_tenth_in_the_first_sessions() -> None:
    for sessions, most in (("[]", 5), ('["a","b","c","d","e"]', 50)):
        world = wide(world={"book": Book.LIVE}, what_if="full_value")
        world.store.set("risk.auto_sessions", sessions)
        found = world.gate.size(AAPL, Side.BUY, d(100), d(98), evidence_state="CERTIFIED LIVE")
        assert found.quantity == most
