"""The Alpaca broker over real sockets: orders, changes, brackets, lost answers, lost events, restarts."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from engine.bus.errors import SettingsError
from engine.model.market import Side
from engine.model.order import OrderType, TimeInForce
from engine.model.report import ErrorClass, ErrorReport, ExecutionReport, LinkState
from tests.engine.execution.brokers.alpaca.rig import ACCOUNT, BEGIN, AlpacaRig, alpaca_rig, make_broker
from tests.engine.execution.brokers.ibkr.rig import LoopClock
from tests.support.alpaca_server.rest import Rest
from tests.support.alpaca_server.server import AlpacaServer

D = Decimal


@pytest_asyncio.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AlpacaRig]:
    async with alpaca_rig(tmp_path, monkeypatch) as built:
        yield built


def held(rig: AlpacaRig) -> Decimal:
    position = rig.ledger.positions().get("AAPL")
    return position.quantity if position is not None else D(0)


def agrees(rig: AlpacaRig) -> bool:
    return held(rig) == rig.server.book.held("AAPL") and not rig.desk.drifting("AAPL")


async def test_an_order_rests_fills_and_is_held(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.set_quote("AAPL", "149.98", "150.00", liquidity="4")
    await rig.until_state(ref, "PARTIAL")
    rig.server.set_quote("AAPL", "149.97", "149.99")
    await rig.until_state(ref, "FILLED")
    status = rig.desk.order(ref)
    assert status is not None
    assert status.average_price == D("149.994")
    assert agrees(rig)
    assert rig.server.placed(ref) == 1
    rig.desk.check_now()
    await asyncio.sleep(0.6)
    assert rig.state(ref) == "FILLED"
    assert rig.ledger.account() is not None
    assert rig.ledger.account().cash["USD"] == rig.server.book.cash


async def test_a_cancel_is_confirmed_by_the_broker(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    assert rig.desk.cancel(ref, "test").ok
    await rig.until_state(ref, "CANCELLED")


async def test_a_refused_order_is_rejected_with_the_brokers_words(rig: AlpacaRig) -> None:
    ref = rig.buy(quantity=100_000)
    await rig.until_state(ref, "REJECTED")
    assert "insufficient buying power" in rig.desk.order(ref).reason
    assert rig.server.placed(ref) == 1


async def test_an_order_that_is_accepted_and_rejected_later_is_rejected(rig: AlpacaRig) -> None:
    rig.server.faults.add("rejected")
    ref = rig.buy()
    await rig.until_state(ref, "REJECTED")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"order_type": OrderType.RELATIVE}, "no REL orders"),
        ({"tif": TimeInForce.GTD, "good_till_ns": 2**62}, "good-till time"),
        ({"display_quantity": D(1)}, "iceberg"),
        ({"oca_group": "g"}, "group"),
        ({"outside_rth": True, "tif": TimeInForce.GTC}, "outside regular hours"),
        ({"algo": "twap"}, "no algorithm"),
    ],
)
async def test_what_alpaca_cannot_take_is_refused_before_any_byte(
    rig: AlpacaRig, fields: dict[str, object], words: str
) -> None:
    ref = rig.buy(**fields)
    await rig.until_state(ref, "REJECTED")
    assert words in rig.desk.order(ref).reason
    assert rig.server.placed(ref) == 0


# -- exactly once


@pytest.mark.parametrize(
    ("fault", "fields"), [("drop_after", {}), ("error_after", {}), ("slow", {"seconds": 1.5}), ("bad_json", {})]
)
async def test_t_x4_a_an_order_whose_answer_is_lost_is_found_and_never_sent_again(
    rig: AlpacaRig, fault: str, fields: dict[str, object]
) -> None:
    rig.server.faults.add(fault, method="POST", path="/v2/orders", **fields)
    rig.server.faults.add("stream_silent", times=2)
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    await asyncio.sleep(0.8)
    assert rig.state(ref) == "WORKING"
    assert rig.server.placed(ref) == 1
    assert not rig.modes.locked("AAPL")


@pytest.mark.parametrize("fault", ["drop_before", "error_before"])
async def test_t_x4_b_an_order_that_never_arrived_is_unknown_then_proven_absent_and_not_sent_again(
    rig: AlpacaRig, fault: str
) -> None:
    rig.server.faults.add(fault, method="POST", path="/v2/orders")
    ref = rig.buy()
    await rig.until_state(ref, "UNKNOWN")
    assert rig.modes.locked("AAPL")
    await rig.until_state(ref, "NOT_AT_BROKER", seconds=15)
    assert not rig.modes.locked("AAPL")
    assert rig.server.placed(ref) == 1
    assert rig.server.book.orders == []


async def test_t_x5_the_same_reference_again_is_evidence_and_no_refusal(rig: AlpacaRig) -> None:
    cleared = rig.cleared(rig.request("AAPL", quantity=10, price="150"))
    rig.desk.submit(cleared)
    rig.desk.submit(cleared)
    await rig.until_state(cleared.ref, "WORKING")
    assert rig.server.placed(cleared.ref) == 1
    await rig.restart()
    rig.desk.submit(cleared)
    await rig.until_state(cleared.ref, "WORKING")
    assert rig.server.placed(cleared.ref) == 1
    rig.alpaca.place(cleared)  # past the desk, as only a broken program would
    await asyncio.sleep(1.0)
    assert rig.state(cleared.ref) == "WORKING"
    assert len(rig.server.book.orders) == 1
    assert not any(isinstance(r, ErrorReport) for r in rig.reports)


async def test_too_many_requests_is_a_refusal_that_slows_down(rig: AlpacaRig) -> None:
    rig.server.faults.add("rate_limit", method="POST")
    ref = rig.buy()
    await rig.until_state(ref, "REJECTED")
    assert any(isinstance(r, ErrorReport) and r.error_class is ErrorClass.PACING for r in rig.reports)


# -- changes


async def test_a_change_gets_a_new_id_and_stays_one_order(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    assert rig.desk.modify(ref, limit_price=D("151")).ok
    await rig.until_state(ref, "WORKING")
    status = rig.desk.order(ref)
    assert status.request.limit_price == 151
    assert len(rig.server.book.orders) == 2
    assert rig.desk.modify(ref, quantity=D(12)).ok
    await rig.until_state(ref, "WORKING")
    rig.desk.check_now()
    await asyncio.sleep(0.6)
    assert [o.client_order_id.partition("~")[0] for o in rig.server.book.orders] == [ref] * 3
    assert not rig.modes.locked("AAPL")
    assert rig.desk.open_orders()[0].request.quantity == 12
    rig.server.set_price("AAPL", "150")
    await rig.until_state(ref, "FILLED")
    assert agrees(rig)
    assert held(rig) == 12


async def test_a_change_after_a_partial_fill_counts_what_filled_before(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.set_quote("AAPL", "149.98", "150.00", liquidity="4")
    await rig.until_state(ref, "PARTIAL")
    rig.server.set_price("AAPL", "190")
    assert rig.desk.modify(ref, limit_price=D("151")).ok
    await rig.until_state(ref, "PARTIAL")
    await rig.restart()
    await rig.until_state(ref, "PARTIAL")
    status = rig.desk.order(ref)
    assert (status.request.quantity, status.filled, status.request.limit_price) == (10, 4, 151)
    rig.server.set_price("AAPL", "150.5")
    await rig.until_state(ref, "FILLED")
    assert agrees(rig)
    assert held(rig) == 10


async def test_a_change_that_is_refused_leaves_the_order_as_it_was(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.faults.add("replace_rejected")
    assert rig.desk.modify(ref, limit_price=D("151")).ok
    await rig.wait(lambda: rig.state(ref) == "WORKING" and rig.desk.order(ref).request.limit_price == 150)
    assert rig.desk.cancel(ref, "test").ok
    await rig.until_state(ref, "CANCELLED")


async def test_a_change_whose_answer_is_lost_is_found(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.faults.add("drop_after", method="PATCH")
    assert rig.desk.modify(ref, limit_price=D("151")).ok
    await rig.wait(lambda: rig.state(ref) == "WORKING" and rig.desk.order(ref).request.limit_price == 151)
    assert rig.desk.cancel(ref, "test").ok
    await rig.until_state(ref, "CANCELLED")
    assert not any(order.open for order in rig.server.book.orders)


# -- cancels


async def test_a_cancel_that_is_refused_is_looked_at_and_the_order_works_on(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.faults.add("cancel_rejected")
    rig.desk.cancel(ref, "test")
    await rig.wait(lambda: any(isinstance(r, ErrorReport) for r in rig.reports))
    await rig.until_state(ref, "WORKING", "PENDING_CANCEL", "CANCELLED")
    assert rig.server.placed(ref) == 1


async def test_a_fill_after_the_cancel_is_booked_and_alarmed(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.faults.add("late_fill", qty=3)
    rig.desk.cancel(ref, "test")
    await rig.wait(lambda: held(rig) == 3)
    assert agrees(rig)


# -- brackets


async def test_the_legs_of_a_bracket_have_their_own_references_also_after_a_restart(rig: AlpacaRig) -> None:
    ref = rig.submit(rig.request("AAPL", quantity=10, price="150"), bracket=True)
    legs = [s.ref for s in rig.desk.orders().values() if s.parent_ref == ref]
    stop = next(r for r in legs if rig.desk.order(r).request.order_type is OrderType.STOP)
    target = next(r for r in legs if r != stop)
    await rig.until_state(ref, "WORKING")
    await rig.until_state(stop, "HELD")
    await rig.restart()
    await rig.until_state(stop, "HELD")
    await rig.until_state(target, "HELD")
    assert not any(s.external for s in rig.desk.orders().values())
    rig.server.set_price("AAPL", "149")
    await rig.until_state(ref, "FILLED")
    # 149 is above the target of 110: it fills at once and the stop ends with it.
    await rig.until_state(target, "FILLED")
    await rig.until_state(stop, "CANCELLED")
    assert agrees(rig)
    assert held(rig) == 0


async def test_a_stop_of_a_bracket_is_moved_and_keeps_its_reference(rig: AlpacaRig) -> None:
    ref = rig.submit(rig.request("AAPL", quantity=10, price="150"), bracket=True)
    await rig.until_state(ref, "WORKING")
    stop = next(s.ref for s in rig.desk.orders().values() if s.request.order_type is OrderType.STOP)
    await rig.until_state(stop, "HELD")
    assert rig.desk.modify(stop, stop_price=D("96")).ok
    await rig.wait(lambda: rig.desk.order(stop).request.stop_price == 96 and rig.desk.order(stop).pending is None)
    await rig.restart()
    await rig.wait(lambda: rig.desk.order(stop).state.value in ("HELD", "WORKING"))
    assert not any(s.external for s in rig.desk.orders().values())


async def test_t_x1_a_crash_before_the_answer_to_a_bracket_still_names_its_legs(rig: AlpacaRig) -> None:
    rig.server.faults.add("slow", method="POST", seconds=0.5)
    rig.server.faults.add("stream_silent")
    rig.server.faults.armed[-1].times = None
    ref = rig.submit(rig.request("AAPL", quantity=10, price="150"), bracket=True)
    await rig.wait(lambda: len(rig.server.book.orders) == 3)
    for task in tuple(rig.alpaca._tasks):
        task.cancel()
    rig.server.faults.remove("stream_silent")
    await rig.restart()
    await rig.wait(lambda: {s.state.value for s in rig.desk.open_orders()} <= {"WORKING", "HELD"})
    assert len(rig.desk.open_orders()) == 3
    assert not any(s.external for s in rig.desk.orders().values())
    assert rig.server.placed(ref) == 1


@pytest.mark.parametrize("entry_is_listed", [True, False])
async def test_legs_that_are_listed_as_rows_of_their_own_are_named_and_can_be_cancelled(
    rig: AlpacaRig, monkeypatch: pytest.MonkeyPatch, entry_is_listed: bool
) -> None:
    listed = Rest._list

    def flat(self: Rest, query: dict[str, str]) -> list[dict[str, object]]:
        rows = [{**row, "legs": None} for row in listed(self, query)]
        return rows if entry_is_listed else [row for row in rows if row["type"] == "stop"]

    ref = rig.submit(rig.request("AAPL", quantity=10, price="150"), bracket=True)
    await rig.until_state(ref, "WORKING")
    stop = next(s.ref for s in rig.desk.orders().values() if s.request.order_type is OrderType.STOP)
    await rig.until_state(stop, "HELD")
    monkeypatch.setattr(Rest, "_list", flat)
    # An entry that is too old to be listed was journalled long ago.
    await rig.restart(crash=entry_is_listed)
    await rig.until_state(stop, "HELD")
    assert not any(s.external for s in rig.desk.orders().values())
    assert rig.desk.cancel(stop, "test").ok
    await rig.wait(lambda: not any(order.open and order.type == "stop" for order in rig.server.book.orders))


async def test_a_bracket_whose_legs_cannot_be_named_leaves_the_orders_unknown(
    rig: AlpacaRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Rest._list
    monkeypatch.setattr(Rest, "_list", lambda self, query: [{**row, "legs": None} for row in listed(self, query)])
    rig.server.faults.add("stream_silent")
    rig.server.faults.armed[-1].times = None
    rig.server.faults.add("drop_after", method="POST")
    rig.server.faults.add("error_before", method="GET", path="/v2/orders/", times=None)
    rig.server.faults.add("error_before", method="GET", path="/v2/orders:by", times=None)
    rig.submit(rig.request("AAPL", quantity=10, price="150"), bracket=True)
    await rig.wait(lambda: len(rig.server.book.orders) == 3)
    await asyncio.sleep(0.6)
    snapshot = await rig.alpaca.snapshot()
    assert snapshot.open_orders is None
    assert not any(s.external for s in rig.desk.orders().values())
    rig.server.faults.remove("stream_silent")


async def test_a_refused_bracket_ends_with_all_its_legs(rig: AlpacaRig) -> None:
    ref = rig.submit(rig.request("AAPL", quantity=100_000, price="150"), bracket=True)
    await rig.wait(lambda: {s.state.value for s in rig.desk.orders().values()} == {"REJECTED"})
    assert rig.server.placed(ref) == 1


# -- the link, and agreement


async def test_t_r1_fills_that_nobody_told_are_found_once_and_a_second_pass_changes_nothing(rig: AlpacaRig) -> None:
    refs = [rig.buy("150", 10), rig.buy("150", 20), rig.submit(rig.request("AAPL", Side.SELL, 5, "250"))]
    for ref in refs:
        await rig.until_state(ref, "WORKING")
    for event in ("fill", "partial_fill"):
        rig.server.faults.add("lost_event", event=event, times=None)
    rig.server.set_quote("AAPL", "149.98", "150.00", liquidity="4")
    rig.server.set_quote("AAPL", "149.97", "149.99", liquidity="7")
    rig.desk.check_now()
    await rig.until_state(refs[0], "FILLED")
    await rig.until_state(refs[1], "PARTIAL")
    assert held(rig) == 10 + 11
    assert agrees(rig)
    events = len(rig.kinds())
    for _ in range(2):
        snapshot = await rig.alpaca.snapshot()
        rig.desk.reconcile(snapshot)
    assert len(rig.kinds()) == events
    rig.server.faults.remove("lost_event")
    rig.server.set_price("AAPL", "149")
    await rig.until_state(refs[1], "FILLED")
    rig.desk.check_now()
    await asyncio.sleep(0.6)
    assert held(rig) == 30
    assert agrees(rig)


async def test_the_stream_and_the_list_of_fills_name_an_execution_alike(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.faults.add("duplicate_event", event="partial_fill")
    rig.server.set_quote("AAPL", "149.98", "150.00", liquidity="4")
    await rig.until_state(ref, "PARTIAL")
    rig.server.set_quote("AAPL", "149.97", "149.99")
    await rig.until_state(ref, "FILLED")
    told = {r.exec_id for r in rig.reports if isinstance(r, ExecutionReport)}
    snapshot = await rig.alpaca.snapshot()
    assert {e.exec_id for e in snapshot.executions} == told
    assert len(told) == 2


async def test_a_stream_that_breaks_is_down_at_once_and_what_happened_meanwhile_is_found(rig: AlpacaRig) -> None:
    ref = rig.buy()
    await rig.until_state(ref, "WORKING")
    rig.server.streams.drop()
    await rig.wait(lambda: rig.link is not LinkState.UP)
    assert rig.state(ref) == "UNKNOWN"
    rig.server.set_price("AAPL", "150")
    rig.server.set_price("AAPL", "149")
    await rig.until_state(ref, "FILLED")
    assert agrees(rig)
    assert rig.server.placed(ref) == 1


async def test_nothing_is_sent_while_the_link_is_down(rig: AlpacaRig) -> None:
    rig.server.faults.add("auth_refused", path="/stream")
    rig.server.streams.drop()
    await rig.wait(lambda: rig.link is not LinkState.UP)
    ref = rig.buy()
    assert rig.state(ref) == "NEVER_SENT"
    assert rig.server.placed(ref) == 0
    await rig.wait(lambda: "key" in rig.alpaca.link_text)
    rig.server.faults.remove("auth_refused")
    await rig.wait(lambda: rig.desk.synced)


@pytest.mark.parametrize("path", ["/v2/orders", "/v2/positions", "/v2/account/activities", "/v2/account"])
async def test_t_r2_a_part_that_cannot_be_read_is_unknown_and_never_empty(rig: AlpacaRig, path: str) -> None:
    rig.server.faults.add("error_before", method="GET", path=path, times=None)
    snapshot = await rig.alpaca.snapshot()
    expected = {
        "/v2/orders": ("open_orders", "completed"),
        "/v2/positions": ("positions",),
        "/v2/account/activities": ("executions", "positions", "account"),
        "/v2/account": ("executions", "positions", "account"),
    }
    assert set(snapshot.missing) <= set(expected[path])
    assert snapshot.missing
    assert all(getattr(snapshot, part) is None for part in snapshot.missing)


async def test_foreign_orders_and_positions_are_shown_as_such(rig: AlpacaRig) -> None:
    book = rig.server.book
    row = {"symbol": "MSFT", "side": "buy", "type": "limit", "time_in_force": "day", "qty": "3", "limit_price": "300"}
    book.enter(book.read(row), [])
    rig.desk.check_now()
    await rig.wait(lambda: any(s.external for s in rig.desk.open_orders()))
    (status,) = rig.desk.open_orders()
    assert (status.request.symbol, status.request.quantity) == ("MSFT", 3)


# -- identity


async def test_profile_address_and_account_must_agree(tmp_path: Path) -> None:
    async with AlpacaServer(start=BEGIN) as server:
        clock = LoopClock()
        with pytest.raises(SettingsError, match="is a paper account"):
            make_broker(server, clock, live=True)
        with pytest.raises(SettingsError, match="address for live trading"):
            make_broker(server, clock, base_url="https://api.alpaca.markets/v2")
        with pytest.raises(SettingsError, match="without encryption"):
            make_broker(server, clock, base_url="http://paper-api.alpaca.markets/v2")
        with pytest.raises(SettingsError, match="not named"):
            make_broker(server, clock, account="")


@pytest.mark.parametrize(
    ("values", "words"), [({"account": "PA0000000002"}, "The key belongs to"), ({"key": "WRONG"}, "refused the key")]
)
async def test_another_account_or_a_wrong_key_never_comes_up(values: dict[str, str], words: str) -> None:
    async with AlpacaServer(start=BEGIN) as server:
        broker = make_broker(server, LoopClock(), **values)
        await broker.start()
        for _ in range(50):
            await asyncio.sleep(0.02)
            assert broker.link is not LinkState.UP
            if words in broker.link_text:
                break
        assert words in broker.link_text
        await broker.stop()


async def test_it_shows_its_account_and_no_secret() -> None:
    async with AlpacaServer(start=BEGIN) as server:
        broker = make_broker(server, LoopClock())
        assert broker.account_id == ACCOUNT
        assert "not-a-secret" not in repr(vars(broker)) + repr(vars(broker._stream))


async def test_an_entry_for_the_day_whose_stop_outlives_it_is_cancelled_after_the_close(rig: AlpacaRig) -> None:
    cleared = rig.cleared(rig.request("AAPL", quantity=10, price="150"), bracket=True)
    legs = tuple(
        msgspec.structs.replace(leg, request=msgspec.structs.replace(leg.request, tif=TimeInForce.GTC))
        for leg in cleared.legs
    )
    ref = rig.desk.submit(msgspec.structs.replace(cleared, legs=legs)).ref
    await rig.until_state(ref, "WORKING")
    assert {order.tif for order in rig.server.book.orders} == {"gtc"}
    rig.server.book.is_open = False
    rig.desk.check_now()
    await rig.until_state(ref, "CANCELLED")
    assert not any(order.open for order in rig.server.book.orders)
