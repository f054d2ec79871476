"""A strategy leaves a position whose stop and target rest at Alpaca, which lets nothing else close it while they do."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from engine.execution.exits_aside import KEY, ExitsAside
from engine.model.decision import Verdict
from engine.model.events.order import OrderNeverSent, OrderRejected
from engine.model.events.system import Alarm
from engine.model.ids import OrderRef, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.order import ClearedOrder, OrderRequest, OrderStatus, OrderType, Origin
from tests.engine.execution.brokers.alpaca.rig import AlpacaRig, alpaca_rig
from tests.support.alpaca_server.book import Order

D = Decimal
AAPL = Symbol("AAPL")


@pytest_asyncio.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AlpacaRig]:
    async with alpaca_rig(tmp_path, monkeypatch, expire_by_program=True) as built:
        yield built


class Kill(BaseException):
    """The program ends here."""


async def aside_of(rig: AlpacaRig) -> ExitsAside:
    made = ExitsAside(
        rig.bus,
        rig.life,
        desk=rig.desk,
        booking=rig.ledger,
        gate=rig.gate,
        market=rig.market,
        store=rig.journal.kv,
        settings=rig.settings.model_copy(update={"flatten_wait_s": 1.5}),
        exits_hold=rig.broker.capabilities.exits_hold,
        pairs_in_one=rig.broker.capabilities.brackets_in_one,
    )
    await made.start()
    return made


async def held(rig: AlpacaRig) -> OrderRef:
    """Ten at 150 with a stop at 95 and a target at 200, all at work."""
    cleared = rig.cleared(rig.request("AAPL", quantity=10, price="150.10", origin=Origin.AUTO), bracket=True)
    legs = tuple(
        msgspec.structs.replace(leg, request=msgspec.structs.replace(leg.request, limit_price=D(200)))
        if leg.request.limit_price is not None
        else leg
        for leg in cleared.legs
    )
    rig.server.set_quote("AAPL", "149.98", "150.02")
    ref = rig.desk.submit(msgspec.structs.replace(cleared, legs=legs)).ref
    await rig.until_state(ref, "FILLED")
    await rig.wait(lambda: all(leg.state.value == "WORKING" for leg in exits(rig)) and len(exits(rig)) == 2)
    return ref


def exits(rig: AlpacaRig) -> list[OrderStatus]:
    return [s for s in rig.desk.open_orders() if s.request.origin is Origin.PROTECTIVE]


def resting(rig: AlpacaRig) -> list[Order]:
    return [order for order in rig.server.book.orders if order.open]


def leave(rig: AlpacaRig, aside: ExitsAside, quantity: int = 10) -> OrderStatus:
    request = rig.request(
        "AAPL",
        Side.SELL,
        quantity,
        None,
        Origin.AUTO,
        order_type=OrderType.MARKET,
        reduce_only=True,
        suggestion_id=SuggestionId("s"),
    )
    return aside.submit(rig.cleared(request))


def position(rig: AlpacaRig) -> Decimal:
    found = rig.ledger.positions().get(AAPL)
    return found.quantity if found is not None else D(0)


def rejects(rig: AlpacaRig) -> list[OrderRejected]:
    return [event for event in rig.events if isinstance(event, OrderRejected)]


def told(rig: AlpacaRig) -> list[Alarm]:
    return [event for event in rig.events if isinstance(event, Alarm) and event.code == "EXIT:AAPL"]


def watch(rig: AlpacaRig) -> list[str]:
    """Note each moment in which more could be sold than is held."""
    wrong: list[str] = []
    tell = rig.server.book._tell

    def heard(event: str, order: Order, fill: Any) -> None:
        groups: dict[str, Decimal] = {}
        for o in resting(rig):
            if o.side == "sell" and o.status != "held":
                group = (o.parent or o).id
                groups[group] = max(groups.get(group, D(0)), o.remaining)
        if sum(groups.values()) > max(rig.server.book.held("AAPL"), D(0)) and event in (
            "new",
            "accepted",
            "pending_new",
        ):
            wrong.append(f"{event} {order.id}: {groups}")
        tell(event, order, fill)

    rig.server.book._tell = heard  # type: ignore[method-assign]
    return wrong


async def protected(rig: AlpacaRig, quantity: int = 10) -> None:
    """A pair of exits rests at the broker for what is held, at the old prices."""
    await rig.wait(lambda: len(resting(rig)) == 2 and len(exits(rig)) == 2)
    stop, target = sorted(resting(rig), key=lambda order: order.type, reverse=True)
    assert (target.type, target.limit, target.qty) == ("limit", D(200), D(quantity))
    assert (stop.type, stop.stop, stop.qty) == ("stop", D(95), D(quantity))
    assert position(rig) == rig.server.book.held("AAPL") == D(quantity)


async def test_a_broker_that_holds_shares_for_resting_exits_refuses_another_sale(rig: AlpacaRig) -> None:
    await held(rig)
    request = rig.request("AAPL", Side.SELL, 10, None, order_type=OrderType.MARKET, reduce_only=True)
    ref = rig.desk.submit(rig.cleared(request)).ref
    await rig.until_state(ref, "REJECTED")
    status = rig.desk.order(ref)
    assert status is not None
    assert "insufficient qty" in status.reason


async def test_stop_and_target_go_first_and_then_the_position_is_closed(rig: AlpacaRig) -> None:
    await held(rig)
    aside, wrong = await aside_of(rig), watch(rig)
    status = leave(rig, aside)
    assert status.state.value == "INTENT"
    await rig.wait(lambda: position(rig) == 0 and not aside.busy)
    assert rig.state(status.ref) == "FILLED"
    assert resting(rig) == []
    assert (rejects(rig), told(rig), wrong) == ([], [], [])
    assert not [name for name in rig.journal.kv.names() if name.startswith(KEY)]


async def test_nothing_is_sold_while_a_cancel_is_not_confirmed(rig: AlpacaRig) -> None:
    await held(rig)
    aside, wrong = await aside_of(rig), watch(rig)
    rig.server.faults.add("cancel_pending", times=2)
    status = leave(rig, aside)
    await asyncio.sleep(0.8)
    assert rig.desk.order(status.ref) is None
    for order in resting(rig):
        rig.server.book.end(order, "canceled")
    await rig.wait(lambda: position(rig) == 0 and not aside.busy)
    assert rig.state(status.ref) == "FILLED"
    assert (rejects(rig), wrong) == ([], [])


async def test_a_part_is_closed_and_the_rest_gets_stop_and_target_again(rig: AlpacaRig) -> None:
    await held(rig)
    aside, wrong = await aside_of(rig), watch(rig)
    status = leave(rig, aside, quantity=4)
    await rig.wait(lambda: not aside.busy)
    assert rig.state(status.ref) == "FILLED"
    await protected(rig, 6)
    assert (rejects(rig), wrong) == ([], [])


async def test_a_stop_that_fills_before_its_cancel_ends_it_and_nothing_more_is_sold(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    rig.server.set_price("AAPL", "94.00")
    status = leave(rig, aside)
    await rig.wait(lambda: not aside.busy)
    assert position(rig) == rig.server.book.held("AAPL") == 0
    assert rig.desk.order(status.ref) is None
    (never,) = [event for event in rig.events if isinstance(event, OrderNeverSent)]
    assert (never.ref, "held any more" in never.reason) == (status.ref, True)
    assert resting(rig) == []


async def test_what_an_exit_fills_after_its_cancel_is_not_sold_again(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    rig.server.faults.add("late_fill", qty=4)
    leave(rig, aside)
    await rig.wait(lambda: not aside.busy)
    assert position(rig) == rig.server.book.held("AAPL") == 0
    assert sum(fill.qty for fill in rig.server.book.fills if fill.side == "sell") == 10
    assert resting(rig) == []


async def test_a_refused_cancel_leaves_the_position_protected_and_sells_nothing(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    rig.server.faults.add("cancel_rejected", times=None)
    status = leave(rig, aside)
    await rig.wait(lambda: not aside.busy, 15)
    assert rig.desk.order(status.ref) is None
    await protected(rig)
    assert rejects(rig) == []
    assert "not cancelled in time" in told(rig)[-1].happened


async def test_a_close_that_is_rejected_brings_stop_and_target_back_as_a_pair(rig: AlpacaRig) -> None:
    await held(rig)
    aside, wrong = await aside_of(rig), watch(rig)
    rig.server.faults.add("rejected", symbol="AAPL")
    status = leave(rig, aside)
    await rig.wait(lambda: not aside.busy)
    assert rig.state(status.ref) == "REJECTED"
    await protected(rig)
    assert {order.order_class for order in resting(rig)} == {"oco"}
    assert (told(rig)[-1].severity, told(rig)[-1].did) == ("amber", "What is held is protected again.")
    assert wrong == []
    # The next bar says so again.
    again = leave(rig, aside)
    await rig.wait(lambda: not aside.busy and position(rig) == 0)
    assert rig.state(again.ref) == "FILLED"
    assert resting(rig) == []


async def test_a_close_that_finds_no_buyer_is_cancelled_and_the_exits_come_back(rig: AlpacaRig) -> None:
    await held(rig)
    aside, wrong = await aside_of(rig), watch(rig)
    rig.server.book.auto_fill = False
    status = leave(rig, aside)
    await rig.wait(lambda: not aside.busy, 15)
    assert rig.state(status.ref) == "CANCELLED"
    await protected(rig)
    assert wrong == []


async def test_what_the_gate_denies_meanwhile_is_not_sent_and_the_exits_come_back(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    clear_again = rig.gate.clear_again

    def denied(cleared: ClearedOrder, request: OrderRequest) -> tuple[Verdict, ClearedOrder | None]:
        rig.gate.deny = "G26"
        try:
            return clear_again(cleared, request)
        finally:
            rig.gate.deny = ""

    rig.gate.clear_again = denied  # type: ignore[method-assign]
    status = leave(rig, aside)
    await rig.wait(lambda: not aside.busy)
    assert rig.desk.order(status.ref) is None
    await protected(rig)


async def test_a_pair_that_is_refused_is_followed_by_the_stop_alone(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    rig.server.faults.add("rejected", symbol="AAPL", times=2)
    leave(rig, aside)
    await rig.wait(lambda: not aside.busy)
    (stop,) = resting(rig)
    assert (stop.type, stop.stop, stop.qty) == ("stop", D(95), D(10))


async def test_stopped_meanwhile_it_is_told_in_red_and_the_exits_come_back_on_resuming(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    leave(rig, aside)
    rig.desk.halted = True
    await rig.wait(lambda: bool(told(rig)))
    assert (told(rig)[-1].severity, "trading is stopped" in told(rig)[-1].happened) == ("red", True)
    assert resting(rig) == []
    rig.desk.halted = False
    await rig.wait(lambda: not aside.busy)
    await protected(rig)


async def test_flatten_goes_first(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    aside.yield_to(lambda symbol: symbol in rig.stop_switch.closing)
    status = leave(rig, aside)
    rig.stop_switch.flatten(AAPL)
    await rig.wait(lambda: position(rig) == 0 and not aside.busy)
    assert rig.desk.order(status.ref) is None
    assert resting(rig) == []
    assert rig.server.book.held("AAPL") == 0


@pytest.mark.parametrize("moment", ["kept", "cancels asked", "exits gone", "close sent", "close rejected"])
async def test_a_crash_between_the_steps_ends_protected_or_flat(rig: AlpacaRig, moment: str) -> None:
    await held(rig)
    wrong = watch(rig)
    aside = await aside_of(rig)
    if moment == "kept":
        cancel = rig.desk.cancel
        rig.desk.cancel = lambda ref, by: (_ for _ in ()).throw(Kill())  # type: ignore[method-assign]
        with pytest.raises(Kill):
            leave(rig, aside)
        rig.desk.cancel = cancel  # type: ignore[method-assign]
    elif moment == "close rejected":
        rig.server.faults.add("rejected", symbol="AAPL")
        status = leave(rig, aside)
        await rig.wait(lambda: rig.desk.order(status.ref) is not None and rig.state(status.ref) == "REJECTED")
    else:
        if moment == "close sent":
            rig.server.book.auto_fill = False
        status = leave(rig, aside)
        if moment == "exits gone":
            await rig.wait(lambda: not resting(rig))
        elif moment == "close sent":
            await rig.wait(lambda: rig.desk.order(status.ref) is not None)
    rig.life.alive = False
    await rig.restart()
    rig.server.book.auto_fill = True
    after = await aside_of(rig)
    assert after.busy == (AAPL,)
    await rig.wait(lambda: not after.busy, 15)
    assert position(rig) == rig.server.book.held("AAPL")
    if position(rig):
        await protected(rig)
    else:
        assert resting(rig) == []
    assert wrong == []


async def test_nothing_is_touched_for_an_order_of_a_person(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    request = rig.request("AAPL", Side.SELL, 10, "210", reduce_only=True)
    aside.submit(rig.cleared(request))
    await asyncio.sleep(0.3)
    assert not aside.busy
    assert len(exits(rig)) == 2


async def test_a_closed_market_leaves_stop_and_target_in_place(rig: AlpacaRig) -> None:
    await held(rig)
    aside = await aside_of(rig)
    rig.market.closed = True
    status = leave(rig, aside)
    assert (status.state.value, "market is closed" in status.reason) == ("NEVER_SENT", True)
    assert len(resting(rig)) == 2
