"""Arming, the guard, intents and the staged order."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.commands import ModifyOrder, PlaceOrder
from engine.api.rows import OrderRow, PositionRow
from engine.model.market import Side
from market_agent_gui.actions import Risk
from market_agent_gui.keys.arming import Arming
from market_agent_gui.keys.guard import Drop, Intents, PressGuard
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.outside import Owner
from market_agent_gui.keys.rehearsal import Scene, rehearse
from market_agent_gui.keys.staging import (
    SEEN_S,
    Leg,
    Shown,
    StagedOrder,
    follow_quote,
    marketable,
    next_leg,
    nudge,
    resize,
    size_from_risk,
    stage,
    stage_change,
)
from market_agent_gui.mirror import STALE, Mirror, Price
from tests.support_gui.clock import Clock

D = Decimal


def price(bid: float = 190.33, ask: float = 190.35, flags: int = 0) -> Price:
    return Price(symbol="AAPL", bid=bid, ask=ask, last=190.34, tick=0.01, ts=1, flags=flags)


def staged(**changes: object) -> StagedOrder:
    order = stage("i-1", Side.BUY, price(), D(100))
    return replace(order, **changes)


# --- arming


@pytest.mark.usefixtures("qapp")
class TestArming:
    def test_it_falls_when_its_time_is_over(self) -> None:
        time = Clock()
        arming = Arming(seconds=60, monotonic=time)
        assert arming.arm()
        time.now += 59
        assert arming.armed
        time.now += 2
        assert not arming.armed

    @pytest.mark.parametrize(
        ("context", "what"),
        [
            (("live", "DU1", "AAPL"), "mode"),
            (("paper", "DU2", "AAPL"), "account"),
            (("paper", "DU1", "MSFT"), "symbol"),
        ],
    )
    def test_it_falls_when_what_the_keys_hit_changes(self, context: tuple[str, str, str], what: str) -> None:
        arming = Arming()
        arming.watch("paper", "DU1", "AAPL")
        arming.arm()
        arming.watch("paper", "DU1", "AAPL")
        assert arming.armed
        arming.watch(*context)
        assert not arming.armed
        assert what in arming.reason

    def test_it_stays_down_while_something_speaks_against_it(self) -> None:
        arming = Arming()
        assert not arming.arm("the quote is stale")
        assert arming.reason == "the quote is stale"


# --- guard


def test_an_auto_repeat_never_acts_whatever_the_key() -> None:
    guard = PressGuard(Clock())
    assert all(guard.judge("x", risk, auto_repeat=True) is Drop.REPEAT for risk in Risk)


def test_a_second_send_within_a_second_is_dropped() -> None:
    time = Clock()
    guard = PressGuard(time)
    assert guard.judge("send", Risk.ADDS, auto_repeat=False) is None
    time.now += 0.9
    assert guard.judge("send", Risk.ADDS, auto_repeat=False) is Drop.GAP
    time.now += 0.2
    assert guard.judge("send", Risk.ADDS, auto_repeat=False) is None


def test_a_send_in_haste_behind_an_enter_for_something_else_is_dropped() -> None:
    time = Clock()
    guard = PressGuard(time)
    guard.stray()
    time.now += 0.3
    assert guard.judge("send", Risk.ADDS, auto_repeat=False) is Drop.STRAY
    assert guard.judge("stop", Risk.SAFETY, auto_repeat=False) is None
    assert guard.judge("exit_all", Risk.REDUCES, auto_repeat=False) is None
    guard.stray()
    time.now += 1.0
    assert guard.judge("send", Risk.ADDS, auto_repeat=False) is None


def test_staging_anew_shows_that_the_next_enter_is_meant_for_the_order() -> None:
    time = Clock()
    guard = PressGuard(time)
    guard.stray()
    assert guard.judge("stage_buy", Risk.NONE, auto_repeat=False) is None
    time.now += 0.3
    assert guard.judge("send", Risk.ADDS, auto_repeat=False) is None


def test_stop_is_never_dropped_for_being_quick() -> None:
    guard = PressGuard(Clock())
    assert [guard.judge("stop", Risk.SAFETY, auto_repeat=False) for _ in range(5)] == [None] * 5


def test_one_intent_flies_once() -> None:
    guard = PressGuard()
    assert guard.take_off("i")
    assert not guard.take_off("i")
    guard.land("i")
    assert guard.take_off("i")


def test_intents_differ() -> None:
    intents = Intents("7f3a")
    assert [intents.mint(), intents.mint()] == ["7f3a-0001", "7f3a-0002"]


# --- staging


def test_a_staged_buy_joins_the_bid_and_a_sell_the_offer() -> None:
    assert stage("i", Side.BUY, price(), D(1)).limit == D("190.33")
    assert stage("i", Side.SELL, price(), D(1)).limit == D("190.35")


@pytest.mark.parametrize("bad", [price(flags=STALE), price(bid=float("nan")), price(bid=191, ask=190), price(bid=0.0)])
def test_nothing_is_staged_on_a_quote_that_is_no_good(bad: Price) -> None:
    with pytest.raises(ValueError, match="no fresh quote"):
        stage("i", Side.BUY, bad, D(1))
    with pytest.raises(ValueError, match="no fresh quote"):
        marketable(staged(), bad)


def test_a_joining_order_follows_the_quote_until_its_price_is_touched() -> None:
    order = staged()
    assert follow_quote(order, price(bid=190.40, ask=190.42)).limit == D("190.40")
    touched = nudge(order, 1)
    assert follow_quote(touched, price(bid=190.40, ask=190.42)) is touched
    assert follow_quote(order, price(flags=STALE)) is order


@pytest.mark.parametrize(
    ("side", "now", "sent"),
    [(Side.BUY, "190.40", "190.33"), (Side.BUY, "190.30", "190.30"), (Side.SELL, "190.30", "190.33"),
     (Side.SELL, "190.40", "190.40")],
)  # fmt: skip
def test_a_joining_order_is_sent_at_no_worse_a_price_than_was_read(side: Side, now: str, sent: str) -> None:
    shown = Shown()
    shown.note(100.0, D("190.33"), anew=True)
    shown.note(101.0, D(now), anew=False)
    assert shown.limit(101.1, side, D(now)) == D(sent), "it stood for a tenth of a second"
    assert shown.limit(101.0 + SEEN_S, side, D(now)) == D(now), "it has been read"


def test_what_was_read_of_another_order_says_nothing_of_this_one() -> None:
    shown = Shown()
    shown.note(100.0, D("150.00"), anew=True)
    shown.note(200.0, D("190.33"), anew=True)
    assert shown.limit(200.01, Side.BUY, D("190.33")) == D("190.33")
    for n in range(1000):
        shown.note(200.0 + n, D("190.33"), anew=False)
    assert len(shown._limits) < 5


@given(ticks=st.lists(st.integers(-3000, 3000), max_size=20))
def test_prices_stay_on_the_grid_and_above_zero_however_they_are_nudged(ticks: list[int]) -> None:
    order = staged()
    for step in ticks:
        order = nudge(order, step)
        assert order.limit > 0
        assert order.limit % order.tick == 0


def test_the_arrows_move_the_chosen_leg_alone() -> None:
    order = nudge(next_leg(staged()), -100)
    assert order.leg is Leg.STOP
    assert (order.limit, order.stop) == (D("190.33"), D("189.33"))


def test_size_from_risk_never_risks_more_than_asked() -> None:
    order = size_from_risk(staged(stop=D("188.00")), D(250))
    assert order.quantity == D(107)
    assert order.risk is not None
    assert order.risk <= 250


def test_a_contract_of_many_units_risks_as_many_times_its_distance() -> None:
    future = Price(symbol="ES", bid=5000.25, ask=5000.5, last=5000.25, tick=0.25, ts=1, flags=0, multiplier=50.0)
    order = replace(stage("i-1", Side.BUY, future, D(1)), stop=D("4998.25"))
    assert order.risk == D(100)
    assert size_from_risk(order, D(250)).quantity == D(2)
    with pytest.raises(ValueError, match="one share already risks 100"):
        size_from_risk(order, D(99))


def test_an_order_sized_from_risk_keeps_it_while_its_price_follows_the_quote_or_is_moved() -> None:
    order = size_from_risk(staged(stop=D("189.83")), D(250))
    assert (order.limit, order.quantity) == (D("190.33"), D(500))
    away = follow_quote(order, price(bid=190.83, ask=190.85))
    assert (away.limit, away.quantity, away.risk) == (D("190.83"), D(250), D(250))
    near = follow_quote(away, price(bid=190.08, ask=190.10))
    assert near.quantity == D(1000)
    assert near.risk is not None
    assert near.risk <= D(250)
    through = follow_quote(near, price(bid=189.50, ask=189.52))
    assert through.quantity == near.quantity, "with the stop on the wrong side there is no size to reckon"
    assert nudge(next_leg(order), -50).quantity == D(250)
    assert marketable(order, price()).risk <= D(250)
    chosen = resize(order, D(100))
    assert follow_quote(chosen, price(bid=190.83, ask=190.85)).quantity == D(100)


@pytest.mark.parametrize("stop", [None, D("191.00"), D("190.33")])
def test_size_from_risk_needs_a_stop_on_the_losing_side(stop: Decimal | None) -> None:
    with pytest.raises(ValueError, match="stop"):
        size_from_risk(staged(stop=stop), D(250))


def test_enter_sends_the_displayed_order_with_its_intent() -> None:
    command = staged(stop=D("188.00"), target=D("194.00")).command()
    assert isinstance(command, PlaceOrder)
    request = command.request
    assert (request.intent_id, request.symbol, request.side) == ("i-1", "AAPL", Side.BUY)
    assert (request.limit_price, request.stop_loss, request.take_profit) == (D("190.33"), D("188.00"), D("194.00"))


def test_changing_a_stop_order_moves_its_stop_price() -> None:
    row = OrderRow(key="r-1", symbol="AAPL", side="SELL", quantity=D(100), filled=D(0), state="WORKING",
                   order_type="STP", stop_price=D("187.90"))  # fmt: skip
    command = nudge(stage_change("i-2", row, D("0.01")), 5).command()
    assert isinstance(command, ModifyOrder)
    assert (command.ref, command.stop_price, command.limit_price) == ("r-1", D("187.95"), None)


# --- what a rehearsal promises of a position


def rehearsed(held: str, average: str, stop: str, action: str, paid: str = "") -> tuple[str, bool]:
    mirror = Mirror()
    position = PositionRow(
        key="AAPL",
        symbol="AAPL",
        quantity=D(held),
        average_price=D(average),
        break_even=D(paid) if paid else None,
    )
    mirror.take_rows("positions", (position,), (), True)
    row = OrderRow(
        key="S-1",
        symbol="AAPL",
        side="SELL",
        quantity=D(held),
        filled=D(0),
        order_type="STP",
        state="WORKING",
        leg="stop",
        stop_price=D(stop),
        working=True,
    )
    mirror.take_rows("orders", (row,), (), True)
    mirror.price = lambda _symbol: price()  # type: ignore[method-assign]
    scene = Scene(
        mirror=mirror,
        symbol="AAPL",
        staged=None,
        size=D(1),
        sizes=(D(1),) * 9,
        risk_money=D(1),
        armed=False,
        blocked="",
    )
    return next((line.effect, line.able) for line in rehearse(scene, KeyMap()) if line.action == action)


@pytest.mark.parametrize(("held", "half", "quarter"), [("147", "74", "37"), ("100", "50", "25"), ("1", "1", "1")])
def test_a_rehearsed_part_is_the_whole_number_that_the_engine_closes(held: str, half: str, quarter: str) -> None:
    assert rehearsed(held, "189.00", "187.00", "exit_half")[0].startswith(f"SELL {half} AAPL")
    assert rehearsed(held, "189.00", "187.00", "exit_quarter")[0].startswith(f"SELL {quarter} AAPL")


def test_a_rehearsed_reverse_says_both_halves() -> None:
    assert rehearsed("100", "189.00", "187.00", "reverse") == ("SELL 100 AAPL, and the same again staged", True)


def test_a_rehearsed_stop_to_break_even_is_on_the_tick_and_says_when_it_would_be_refused() -> None:
    assert rehearsed("100", "189.0033333", "187.00", "stop_even") == ("187.00 → 189.01", True)
    assert rehearsed("100", "189.00", "187.00", "stop_even", "189.0542") == ("187.00 → 189.06", True)
    assert rehearsed("100", "191.00", "187.00", "stop_even") == ("AAPL: a stop at 191.00 would trigger at once", False)
    assert rehearsed("100", "189.00", "189.50", "stop_even") == ("AAPL: the stop at 189.50 is tighter already", False)


def test_a_rehearsal_speaks_of_the_order_that_is_staged_and_of_what_really_works() -> None:
    mirror = Mirror()
    rows = [
        OrderRow(key="o", symbol="AAPL", side="BUY", quantity=D(1), filled=D(0), order_type="LMT", state="WORKING",
                 limit_price=D("189.00"), working=True, leg="entry"),
        OrderRow(key="f", symbol="AAPL", side="BUY", quantity=D(1), filled=D(0), order_type="LMT", state="WORKING",
                 limit_price=D("189.00"), working=True, external=True),
        OrderRow(key="m", symbol="AAPL", side="BUY", quantity=D(1), filled=D(0), order_type="MKT", state="WORKING",
                 working=True),
    ]  # fmt: skip
    mirror.take_rows("orders", tuple(rows), (), True)
    mirror.price = lambda _symbol: price()  # type: ignore[method-assign]

    def effects(**changes: object) -> dict[str, tuple[str, bool]]:
        scene = Scene(
            mirror=mirror, symbol="AAPL", staged=None, size=D(1), sizes=(D(1),) * 9, risk_money=D(1), armed=True,
            blocked="",
        )  # fmt: skip
        return {line.action: (line.effect, line.able) for line in rehearse(replace(scene, **changes), KeyMap())}

    now = effects()
    assert now["edit_order"] == ("1 working", True), "neither a foreign order nor one without a price is changed"
    assert now["bracket_up"] == ("moves 1 orders", True)
    change = stage_change("i-2", rows[0], D("0.01"))
    changing = effects(staged=change)
    assert changing["send"] == ("BUY 1 AAPL @ 189.00 (a change)", True)
    assert changing["bracket_up"] == ("moves 1 orders", True), "what works is moved, not the change that is staged"
    assert effects(staged=staged())["bracket_up"] == ("moves entry, stop and target together", True)
    assert effects(blocked="trading is halted")["bracket_up"] == ("trading is halted", False)
    assert effects(blocked="trading is halted")["arm"] == ("trading is halted", False)
    taken = effects(staged=staged(), taken={"Return": Owner(False), "Ctrl+0": Owner(False)})
    assert taken["send"] == ("does not act: taken by another program", False)
    assert taken["exit_all"][0] == "no position in AAPL", "what lowers risk acts whoever has the key"
