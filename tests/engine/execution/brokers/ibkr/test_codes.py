"""T-R5 to T-R8: codes, statuses and ids as the gateway really sends them, and what the desk makes of them."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.ids import OrderRef
from engine.model.market import Side
from engine.model.report import ErrorReport, ExecutionReport, StatusReport
from tests.engine.execution.brokers.ibkr.rig import IbRig, in_memory


def reason(rig: IbRig, ref: str) -> str:
    return rig.desk.orders()[OrderRef(ref)].reason


@pytest.mark.parametrize("code", [10349, 399, 2109, 404])
@pytest.mark.parametrize("when", ["new", "working"])
def test_t_r7_information_leaves_the_order_alive_and_its_text_is_kept(tmp_path: Path, code: int, when: str) -> None:
    async def story(rig: IbRig) -> None:
        if when == "new":
            rig.gateway.faults.add("notice", code=code, text="as the broker says it", when="new")
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        if when == "working":
            rig.gateway.order_error(ref, code, "as the broker says it")
            await asyncio.sleep(1)
        assert rig.state(ref) == "WORKING"
        await rig.holds(lambda: "as the broker says it" in reason(rig, ref))
        rig.gateway.fill(ref)
        await rig.becomes(ref, "FILLED")
        assert rig.gateway.place_frames(ref) == 1

    in_memory(tmp_path, story)


@pytest.mark.parametrize("style", ["error_first", "status_first", "error_only"])
@pytest.mark.parametrize(("code", "status"), [(201, "Inactive"), (110, "Cancelled"), (10289, "Inactive")])
def test_t_r7_a_refused_new_order_is_rejected_with_its_reason_and_never_sent_again(
    tmp_path: Path, style: str, code: int, status: str
) -> None:
    async def story(rig: IbRig) -> None:
        text = "Order rejected - reason: not enough of it"
        rig.gateway.faults.add("reject", code=code, text=text, style=style, status=status)
        ref = rig.submit(rig.request(price="90.00"))
        rig.gate.reserved[ref] = Decimal(100)
        await rig.becomes(ref, "REJECTED", "CANCELLED")
        assert "not enough of it" in reason(rig, ref)
        assert ref not in rig.gate.reserved
        await asyncio.sleep(120)
        assert rig.gateway.place_frames(ref) == 1

    in_memory(tmp_path, story)


@pytest.mark.parametrize("code", [201, 110, 104, 10268, 77777])
def test_t_r7_a_code_about_a_working_order_kills_nothing(tmp_path: Path, code: int) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        rig.gateway.order_error(ref, code, "says the broker")
        await asyncio.sleep(5)
        assert rig.state(ref) == "WORKING"
        rig.gateway.fill(ref)
        await rig.becomes(ref, "FILLED")
        assert rig.gateway.place_frames(ref) == 1

    in_memory(tmp_path, story)


@pytest.mark.parametrize("code", [201, 110, 321])
def test_t_r7_a_refused_change_leaves_the_old_order_as_it_was(tmp_path: Path, code: int) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        rig.gateway.faults.add("reject_modify", code=code, text="change refused")
        assert rig.desk.modify(ref, limit_price=Decimal("91")).ok
        await rig.becomes(ref, "WORKING")
        await asyncio.sleep(2)
        assert rig.state(ref) == "WORKING"
        assert rig.desk.orders()[ref].request.limit_price == Decimal("90")
        rig.gateway.fill(ref)
        await rig.becomes(ref, "FILLED")

    in_memory(tmp_path, story)


def test_t_r7_202_without_a_status_ends_the_order_and_a_late_fill_is_still_booked(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("cancel_without_status")
        rig.gateway.faults.add("late_fill", quantity=30, seconds=20)
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        rig.desk.cancel(ref, "test")
        await rig.becomes(ref, "CANCELLED")
        await rig.holds(lambda: rig.desk.orders()[ref].filled == 30, 60)
        assert rig.ledger.positions()["AAPL"].quantity == 30

    in_memory(tmp_path, story)


@pytest.mark.parametrize("code", [161, 10147, 10148])
def test_t_r7_a_failed_cancel_is_looked_up_and_the_order_lives(tmp_path: Path, code: int) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        rig.gateway.faults.add("cancel_fails", code=code)
        rig.desk.cancel(ref, "test")
        await rig.becomes(ref, "UNKNOWN")
        await rig.holds(lambda: rig.state(ref) not in ("UNKNOWN",), 40)
        rig.gateway.fill(ref)
        await rig.becomes(ref, "FILLED")

    in_memory(tmp_path, story)


def test_t_r8_a_locate_is_held_then_works_then_fills(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("locate_404", seconds=30)
        ref = rig.submit(rig.request(price="110.00", side=Side.SELL))
        await rig.becomes(ref, "HELD")
        assert "available for short" in reason(rig, ref)
        await rig.becomes(ref, "WORKING", seconds=60)
        rig.gateway.fill(ref)
        await rig.becomes(ref, "FILLED")

    in_memory(tmp_path, story)


def test_t_r8_inactive_with_a_locate_is_held(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("inactive", why_held="locate")
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "HELD")
        rig.gateway.release(ref)
        await rig.becomes(ref, "WORKING")

    in_memory(tmp_path, story)


def test_t_r8_a_cancel_while_inactive_stays_pending_until_the_broker_says_more(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("inactive")
        rig.gateway.faults.add("cancel_slow", seconds=5)
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "CLAIM_REJECTED")
        rig.desk.cancel(ref, "test")
        await asyncio.sleep(2)
        assert rig.state(ref) == "PENDING_CANCEL"
        await rig.becomes(ref, "CANCELLED")

    in_memory(tmp_path, story)


@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_t_r6_a_correction_replaces_its_execution(tmp_path: Path, seconds: float) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("correct_execution", offset=0.05, seconds=seconds)
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        rig.gateway.fill(ref)
        await rig.becomes(ref, "FILLED")
        await rig.holds(lambda: rig.desk.orders()[ref].average_price == Decimal("90.05"))
        assert rig.desk.orders()[ref].filled == 100
        assert rig.ledger.positions()["AAPL"].average_price.quantize(Decimal("0.01")) == Decimal("90.05")
        ids = [r.exec_id[-2:] for r in rig.reports if isinstance(r, ExecutionReport)]
        assert ids[:2] == ["01", "02"]

    in_memory(tmp_path, story)


def test_t_r5_ids_handed_out_again_after_a_restart_never_mix_two_orders(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        first = rig.submit(rig.request(price="90.00"))
        second = rig.submit(rig.request("MSFT", price="90.00"))
        await rig.becomes(second, "WORKING")
        rig.gateway.fill(second, 60)
        await rig.becomes(second, "PARTIAL")
        rig.gateway.faults.add("restart", rollback_to=1)
        await rig.holds(lambda: not rig.desk.synced)
        await rig.holds(lambda: rig.desk.synced, 30)
        third = rig.submit(rig.request("KO", price="90.00"))
        await rig.becomes(third, "WORKING")
        ids = [rig.gateway.ledger.order(r).order_id for r in (first, second, third)]
        assert len(set(ids)) == 3
        rig.gateway.fill(second, 40)
        await rig.becomes(second, "FILLED")
        assert [rig.state(r) for r in (first, third)] == ["WORKING", "WORKING"]

    in_memory(tmp_path, story)


def test_t_r5_after_a_new_start_too_the_permanent_id_decides(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        done = rig.submit(rig.request(price="90.00"))
        open_ = rig.submit(rig.request("MSFT", price="90.00"))
        await rig.becomes(open_, "WORKING")
        rig.gateway.fill(done)
        await rig.becomes(done, "FILLED")
        rig.gateway.restart(rollback_to=1)
        await rig.reboot()
        new = rig.submit(rig.request("KO", price="90.00"))
        await rig.becomes(new, "WORKING")
        old = rig.gateway.ledger.order(done)
        assert rig.gateway.ledger.order(new).order_id != old.order_id
        # A late repeat about the finished order, under its old id.
        for session in rig.gateway.sessions:
            rig.gateway.reports.status_to(session, old)
        await asyncio.sleep(1)
        assert rig.state(new) == "WORKING"

    in_memory(tmp_path, story)


@pytest.mark.parametrize("new_start", [False, True])
def test_t_r5_no_id_of_a_finished_order_is_used_again(tmp_path: Path, new_start: bool) -> None:
    async def story(rig: IbRig) -> None:
        used = []
        for symbol in ("AAPL", "MSFT", "KO"):
            # Of a cancelled order the gateway tells no id any more; this program must remember it by itself.
            ref = rig.submit(rig.request(symbol, price="101.00" if new_start else "90.00"))
            await rig.becomes(ref, "FILLED", "WORKING")
            if not new_start:
                rig.desk.cancel(ref, "test")
                await rig.becomes(ref, "CANCELLED")
            used.append(rig.gateway.ledger.order(ref).order_id)
        rig.gateway.restart(rollback_to=1)
        if new_start:
            await rig.reboot()
        else:
            await rig.holds(lambda: not rig.desk.synced)
            await rig.holds(lambda: rig.desk.synced, 30)
        new = rig.submit(rig.request("NVDA", price="90.00"))
        await rig.becomes(new, "WORKING")
        assert rig.gateway.ledger.order(new).order_id > max(used)

    in_memory(tmp_path, story)


def test_t_r5_two_live_orders_from_one_frame_freeze_the_symbol_and_both_are_cancelled(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("two_perm_ids")
        ref = rig.submit(rig.request(price="90.00"))
        await rig.holds(lambda: len(rig.desk.orders()[ref].perm_ids) == 2)
        assert rig.desk.halted
        assert rig.modes.locked("AAPL")
        await rig.holds(lambda: any(o.status == "Cancelled" for o in rig.gateway.ledger.by_ref(ref)), 30)
        assert rig.gateway.place_frames(ref) == 1
        for order in rig.gateway.ledger.by_ref(ref):
            if order.live:
                rig.gateway.engine.finish(order, "Cancelled", "")
        await rig.becomes(ref, "CANCELLED", seconds=60)

    in_memory(tmp_path, story)


def test_a_strange_status_word_is_unknown_and_a_look_settles_it(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        rig.gateway.order_status(ref, "Hypersubmitted")
        await rig.becomes(ref, "UNKNOWN")
        await rig.becomes(ref, "WORKING", seconds=30)
        assert any(isinstance(r, StatusReport) and r.text == "Hypersubmitted" for r in rig.reports)

    in_memory(tmp_path, story)


@pytest.mark.parametrize("fault", ["stale_status", "repeat_status", "execution_first", "late_commission"])
def test_repeats_and_disorder_change_nothing(tmp_path: Path, fault: str) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add(fault)
        ref = rig.submit(rig.request(price="99.00"))
        await rig.becomes(ref, "WORKING")
        rig.gateway.fill(ref, 100)
        await rig.becomes(ref, "FILLED")
        await rig.holds(lambda: rig.desk.orders()[ref].commission > 0)

    in_memory(tmp_path, story)


def test_orders_and_fills_made_by_hand_elsewhere_are_external_and_do_not_make_rounds_race(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.manual_order("AAPL", "BUY", 50, kind="LMT", limit=90)
        await rig.holds(lambda: any(o.external for o in rig.desk.orders().values()), 40)
        rounds = len(list(rig.gateway.wire.select(16, "in")))
        await asyncio.sleep(60)
        assert len(list(rig.gateway.wire.select(16, "in"))) - rounds <= 5
        assert not any(isinstance(r, ErrorReport) and r.ref for r in rig.reports)

    in_memory(tmp_path, story)
