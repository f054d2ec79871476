"""T-X3, T-X4, T-X6, T-S1, T-S4 over the real ib_async, in virtual time. The T-X3 watcher sits in the rig: always on."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.clock import SECOND
from engine.model.market import Side
from engine.model.order import OrderType, Origin, TimeInForce
from engine.model.report import LinkState
from tests.engine.execution.brokers.ibkr.rig import PRICES, IbRig, in_memory


def test_t_x3_every_order_frame_has_a_committed_row_and_the_watcher_would_see_one_without(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        await rig.becomes(rig.submit(rig.request(price="90.00"), bracket=True), "WORKING")
        assert rig.breaches == []
        rig.ib_broker.place(rig.cleared(rig.request("MSFT", price="90.00")))
        await rig.holds(lambda: rig.breaches)
        rig.breaches.clear()
        await rig.holds(lambda: "MSFT" in {o.request.symbol for o in rig.desk.orders().values()}, 40)

    in_memory(tmp_path, story)


@pytest.mark.parametrize("hidden", [True, False])
def test_t_x4a_no_answer_but_the_broker_has_it(tmp_path: Path, hidden: bool) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("silent_accept", seconds=61, hidden=hidden)
        ref = rig.submit(rig.request(price="90.00"))
        rig.gate.reserved[ref] = Decimal(100)
        if hidden:
            await asyncio.sleep(10.1)
            assert rig.state(ref) == "UNKNOWN"
            assert rig.modes.locked("AAPL")
            await asyncio.sleep(8)
            assert ref in rig.gate.reserved, "one look is no proof"
            await asyncio.sleep(30)
            # Seen nowhere for two complete rounds: closed, and found alive when it speaks.
            assert rig.state(ref) == "NOT_AT_BROKER"
            await rig.becomes(ref, "WORKING", seconds=30)
        else:
            await rig.becomes(ref, "WORKING", seconds=16)
        assert rig.gateway.place_frames(ref) == 1
        assert not rig.modes.locked("AAPL")

    in_memory(tmp_path, story)


def test_t_x4b_no_answer_and_the_broker_never_had_it(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("lost_order")
        ref = rig.submit(rig.request(price="90.00"))
        rig.gate.reserved[ref] = Decimal(100)
        await asyncio.sleep(10.1)
        assert rig.state(ref) == "UNKNOWN"
        await rig.becomes(ref, "NOT_AT_BROKER", seconds=60)
        assert ref not in rig.gate.reserved
        assert rig.gateway.place_frames(ref) == 1, "it is never sent again"
        again = rig.submit(rig.request(price="90.00"))
        assert again != ref
        await rig.becomes(again, "WORKING")

    in_memory(tmp_path, story)


@pytest.mark.parametrize(("fault", "end"), [("drop_before_accept", "NOT_AT_BROKER"), ("drop_after_accept", "WORKING")])
@pytest.mark.parametrize("bracket", [False, True])
def test_t_x4_a_socket_that_breaks_while_sending_is_looked_up_never_sent_again(
    tmp_path: Path, fault: str, end: str, bracket: bool
) -> None:
    async def story(rig: IbRig) -> None:
        cleared = rig.cleared(rig.request(price="90.00"), bracket)
        last = cleared.legs[-1].ref if bracket else cleared.ref
        rig.gateway.faults.add(fault, ref=last)
        rig.desk.submit(cleared)
        await rig.holds(lambda: rig.ib_link.state is LinkState.DOWN)
        assert {rig.state(r) for r in (cleared.ref, last)} == {"UNKNOWN"}
        # Of a bracket that was cut before its last leg the gateway keeps drafts: they are cancelled.
        await rig.becomes(cleared.ref, "CANCELLED" if bracket and end != "WORKING" else end, seconds=90)
        assert rig.gateway.place_frames(cleared.ref) == 1
        assert rig.gateway.ledger.by_ref(last) or not rig.gateway.ledger.live_orders()

    in_memory(tmp_path, story)


def test_t_x6_sixty_orders_in_one_turn_then_a_drop_lose_none_silently(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        library = rig.ib_link._ib.client
        waiting = []
        refs = []
        for number in range(60):
            symbol = sorted(PRICES)[number % 5]
            refs.append(rig.submit(rig.request(symbol, price="90.00", quantity=1)))
            waiting.append(len(library._msgQ))
        assert max(waiting) == 0
        rig.gateway.drop()
        await rig.holds(lambda: rig.ib_link.state is LinkState.UP and rig.desk.synced, 60)
        await asyncio.sleep(60)
        for ref in refs:
            at_gateway = bool(rig.gateway.ledger.by_ref(ref))
            assert rig.state(ref) == ("WORKING" if at_gateway else rig.state(ref))
            assert at_gateway or rig.state(ref) in ("NEVER_SENT", "NOT_AT_BROKER")
        assert 0 < sum(rig.state(r) == "NEVER_SENT" for r in refs) < 60
        assert rig.ib_link.pace.peak <= 50

    in_memory(tmp_path, story)


async def fifty_working(rig: IbRig) -> list[str]:
    refs = []
    for number in range(50):
        refs.append(rig.submit(rig.request(sorted(PRICES)[number % 5], price="90.00", quantity=1)))
        await asyncio.sleep(0.06)
    await rig.holds(lambda: all(rig.state(r) == "WORKING" for r in refs), 30)
    return refs


def test_t_s1_stop_cancels_fifty_working_orders_within_a_second_and_the_gateway_is_content(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        refs = await fifty_working(rig)
        began = rig.gateway.clock.now_ns()
        rig.modes.halt("test", "STOP")
        await rig.holds(lambda: all(rig.state(r) == "CANCELLED" for r in refs), 30)
        last = rig.gateway.last_cancel_ns()
        assert last is not None
        assert last - began <= SECOND
        late = rig.submit(rig.request("KO", price="90.00"))
        assert rig.state(late) == "NEVER_SENT"
        assert (rig.gateway.last_place_ns() or 0) < began
        assert not [f for f in rig.gateway.wire.frames if f.message == 4 and f.fields[3] == "100"], "no rate warning"

    in_memory(tmp_path, story)


def test_t_s1_a_stop_that_meets_a_crash_is_finished_after_the_restart(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        refs = await fifty_working(rig)
        rig.modes.halt("test", "STOP")
        rig.gateway.half_open()  # the cancels reach nobody
        await asyncio.sleep(0.1)
        from engine.model.decision import Mode

        await rig.desk.stop()
        await rig.ib_broker.stop()
        rig.journal.database.close()
        rig.gateway.drop()
        rig._new_broker(rig.clock)
        rig._build(Mode.HALTED)
        await rig.begin()
        await rig.holds(lambda: all(rig.state(r) == "CANCELLED" for r in refs), 60)

    in_memory(tmp_path, story)


def test_t_s4_entries_of_a_dead_program_expire_at_the_broker_and_its_stops_stay(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        till = rig.clock.now() + 240 * SECOND
        entry = rig.submit(
            rig.request(price="90.00", origin=Origin.AUTO, tif=TimeInForce.GTD, good_till_ns=till), bracket=False
        )
        guarded = rig.submit(rig.request("MSFT", price="99.00", origin=Origin.AUTO), bracket=True)
        await rig.becomes(guarded, "WORKING")
        rig.gateway.set_price("MSFT", 98)
        await rig.becomes(guarded, "FILLED")
        rig.gateway.drop()
        await rig.ib_broker.stop()
        await asyncio.sleep(300)
        ledger = rig.gateway.ledger
        assert ledger.order(entry).status == "Cancelled"
        stops = [o for o in ledger.live_orders() if o.terms.kind == "STP"]
        assert [o.parent.ref for o in stops if o.parent] == [guarded]

    in_memory(tmp_path, story)


def test_a_family_with_one_bad_leg_sends_no_byte_of_any(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        import msgspec

        rig.ib_broker.prepare(("AAPL",))
        await rig.holds(lambda: rig.ib_broker.contracts.listing("AAPL"))
        cleared = rig.cleared(rig.request(price="90.00"), bracket=True)
        stop = cleared.legs[0]
        bent = msgspec.structs.replace(stop.request, stop_price=Decimal("95.003"))
        bad = msgspec.structs.replace(cleared, legs=(msgspec.structs.replace(stop, request=bent), cleared.legs[1]))
        rig.desk.submit(bad)
        await rig.becomes(cleared.ref, "REJECTED")
        assert "grid" in rig.desk.orders()[cleared.ref].reason
        assert rig.gateway.place_counts() == {}

    in_memory(tmp_path, story)


def test_an_order_is_modified_under_its_old_id_also_after_a_restart(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00", tif=TimeInForce.GTC), bracket=True)
        await rig.becomes(ref, "WORKING")
        await rig.reboot()
        assert rig.desk.modify(ref, limit_price=Decimal("91.50")).ok
        await rig.holds(lambda: rig.gateway.ledger.order(ref).terms.limit == Decimal("91.50"))
        await rig.becomes(ref, "WORKING")
        assert rig.gateway.place_frames(ref) == 2
        stop = next(o for o in rig.gateway.ledger.orders if o.terms.kind == "STP")
        parent, group = stop.terms.parent_id, stop.terms["ocaGroup"]
        fields = {"order_type": OrderType.STOP, "stop_price": Decimal("94")}
        rig.changes[stop.ref] = 1
        rig.ib_broker.modify(stop.ref, rig.request(side=Side.SELL, price=None, tif=TimeInForce.DAY, **fields))
        await rig.holds(lambda: rig.gateway.ledger.order(stop.ref).terms.number("auxPrice") == Decimal("94"))
        changed = rig.gateway.ledger.order(stop.ref)
        assert (changed.terms.parent_id, changed.terms["ocaGroup"]) == (parent, group)
        assert len(rig.gateway.ledger.by_ref(stop.ref)) == 1

    in_memory(tmp_path, story)
