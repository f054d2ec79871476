"""Figures the gate reckons with: what waits, what is dearer, what one unit is worth, what was counted. To the unit."""

import msgspec
import pytest

from engine.model.decision import Autonomy
from engine.model.events.order import OrderPending
from engine.model.market import Side
from engine.model.order import OrderType, Origin
from engine.risk.counters import Decisions, Messages, SentLog
from engine.risk.ports import ShortFacts
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, XOM, Book, Mode, World, d, limits

assert Autonomy.AUTO  # the level the worlds below act on


def cash_account(settled: int) -> World:
    world = wide()
    world.ledger.change(margin_account=False, settled_cash=d(settled))
    return world


def test_in_a_cash_account_what_waits_to_be_bought_uses_cash_as_well() -> None:
    world = cash_account(2_000)
    assert "G15" not in world.codes(world.request(quantity=20))
    assert "G15" in world.codes(world.request(quantity=21))
    world.send(world.request(quantity=8))
    assert "G15" not in world.codes(world.request(quantity=12))
    assert "G15" in world.codes(world.request(quantity=13))


def test_without_an_account_nothing_opens() -> None:
    world = wide()
    world.ledger.account = lambda: None
    codes = world.codes(world.manual())
    assert codes
    assert world.clear(world.manual()) is None


@pytest.mark.parametrize(("limit", "most"), [("100.00", 50), ("125.00", 40)])
def test_a_position_is_worth_the_dearer_of_limit_and_market(limit: str, most: int) -> None:
    world = wide({"position_percent": 0.5})
    codes = [world.codes(world.request(quantity=n, limit_price=d(limit), take_profit=None)) for n in (most, most + 1)]
    assert ["G12" in found for found in codes] == [False, True]


def test_a_contract_is_worth_its_price_times_its_multiplier() -> None:
    world = wide({"position_percent": 0.5, "gross_percent": 0.5})
    instrument = world.market.instruments[AAPL]
    world.market.instruments[AAPL] = msgspec.structs.replace(instrument, multiplier=d(5))
    assert not {"G12", "G13"} & set(world.codes(world.request(quantity=10)))
    assert {"G12", "G13"} <= set(world.codes(world.request(quantity=11)))


def test_cancels_count_as_messages_and_changes_do_not() -> None:
    world = World()
    world.gate.restore()
    cleared = world.send(world.request())
    status = world.desk.all[cleared.ref]
    now = world.clock.now()
    before = world.gate._messages.within(now, 1.0)
    for what, more in (("modify", 0), ("cancel", 1)):
        event = OrderPending(
            ts_event=now, ts_init=now, ref=cleared.ref, symbol=AAPL, side=status.request.side, status=status, what=what
        )
        world.bus.publish(event)
        assert world.gate._messages.within(now, 1.0) == before + more


def test_a_message_is_forgotten_exactly_when_its_second_is_over() -> None:
    messages = Messages()
    messages.note(1_000_000_000)
    assert messages.within(1_999_999_999, 1.0) == 1
    assert messages.within(2_000_000_000, 1.0) == 0


def test_a_decision_leaves_the_window_exactly_at_its_end() -> None:
    world, decisions = World(), Decisions()
    first, second = world.request(), world.request()
    assert decisions.note(first, 1_000, 500) == 1
    assert decisions.note(second, 1_499, 500) == 2
    assert decisions.note(world.request(), 1_500, 500) == 2


def test_what_is_used_of_the_risk_of_the_day_counts_this_order_only_when_it_opens() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    opening = world.gate.check(world.manual(quantity=10))
    closing = world.gate.check(world.close(10))
    assert opening.risk_used_after is not None
    assert closing.risk_used_after is not None
    assert opening.risk_used_after > closing.risk_used_after


def test_a_confirmation_speaks_for_a_person_and_never_for_the_agent() -> None:
    settings = limits({"order_notional_soft_percent": 0.05}, {"order_notional_soft_percent": 0.05})
    world = World(settings=settings)
    by_hand = world.manual(quantity=10, confirmed=("G1", "G33"))
    assert "G1" in world.codes(world.manual(quantity=10))
    assert "G1" not in world.codes(by_hand)
    assert "G1" in world.codes(world.request(quantity=10, confirmed=("G1",)))


def test_a_stop_far_below_or_above_the_market_is_as_far_as_it_is() -> None:
    world = wide(manual={"passive_percent": 5})
    near = world.manual(order_type=OrderType.STOP, limit_price=None, stop_price=d("104.90"), take_profit=None)
    far = world.manual(order_type=OrderType.STOP, limit_price=None, stop_price=d("105.20"), take_profit=None)
    assert "G5" not in world.codes(near)
    assert "G5" in world.codes(far)


def test_orders_of_an_earlier_run_count_among_what_is_usual_but_closing_and_foreign_ones_do_not() -> None:
    world = World()
    for _ in range(6):
        world.desk.put(world.request(quantity=10))
        world.desk.put(world.close(90))
        world.desk.put(world.request(quantity=70), external=True)
        world.desk.put(world.request(quantity=50, order_type=OrderType.MARKET, limit_price=None))
    log = SentLog()
    log.seed(list(world.desk.all.values()), lambda symbol: 1.0)
    assert log.usual_notional() == pytest.approx(1_000.0)


def test_the_brokers_clock_must_be_known_to_the_agent_with_real_money_and_only_there() -> None:
    for book, mode, origin, denied in (
        (Book.LIVE, Mode.AUTO, Origin.AUTO, True),
        (Book.PAPER, Mode.AUTO, Origin.AUTO, False),
        (Book.LIVE, Mode.MANUAL, Origin.MANUAL, False),
    ):
        world = wide(world={"book": book, "mode": mode}, what_if="full_value")
        world.vitals.change(clock_skew_s=None)
        assert ("G23" in world.codes(world.request(origin=origin))) is denied


def short_world(**auto: float) -> World:
    world = wide(auto, allow_short=True)
    world.shorts.answer = ShortFacts(shortable=3.0, shares=1e9, fee_percent=1.0)
    return world


@pytest.mark.parametrize("limit", ["97.00", "99.50", "103.00"])
def test_net_exposure_of_a_short_sale_counts_the_dearer_of_limit_and_market(limit: str) -> None:
    worth = max(d(limit), d(100))
    most = int(d(100_000) / worth)
    world = short_world(net_percent=10, collar_soft_percent=5, collar_above_50_percent=5, passive_percent=20)
    for quantity, denied in ((most, False), (most + 1, True)):
        sale = world.request(
            side=Side.SELL, quantity=quantity, limit_price=d(limit), stop_loss=d(110), take_profit=d(90)
        )
        assert ("G13" in world.codes(sale)) is denied


@pytest.mark.parametrize(("side", "most"), [(Side.BUY, 1500), (Side.SELL, 500)])
def test_net_exposure_adds_a_buy_to_the_longs_and_takes_a_short_sale_from_them(side: Side, most: int) -> None:
    world = short_world(net_percent=10)
    world.ledger.hold(XOM, d(-50_000) / 60, 60)
    stops = (
        {"stop_loss": d(98), "take_profit": d(104)} if side is Side.BUY else {"stop_loss": d(102), "take_profit": d(95)}
    )
    codes = [world.codes(world.request(side=side, quantity=n, **stops)) for n in (most, most + 1)]
    assert ["G13" in found for found in codes] == [False, True]


def test_when_free_space_is_not_known_the_agent_waits_and_a_person_is_told() -> None:
    world = wide()
    world.vitals.change(disk_free_mb=None)
    assert world.codes(world.request()) == ["G37"]
    verdict = world.gate.check(world.manual())
    assert verdict.cleared
    assert [found.text for found in verdict.warnings] == ["How much of the disk is free is not known."]
