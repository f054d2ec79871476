"""T-L1, T-L3 and who we are connected to."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from engine.bus.clock import SECOND
from engine.bus.errors import SettingsError
from engine.execution.brokers.ibkr.identity import mismatch
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.brokers.ibkr.windows import Windows
from engine.model.order import Origin
from engine.model.report import LinkReport, LinkState
from tests.engine.execution.brokers.ibkr.rig import (
    BEGIN,
    IbRig,
    LoopClock,
    begin_gateway,
    in_memory,
    make_broker,
    run_virtual,
)
from tests.support.desk_rig import FakeMarket
from tests.support.tws_gateway.protocol import Req


def starts(gateway: object) -> list[int]:
    return [f.ts_ns for f in gateway.wire.select(Req.START_API, "in")]


def test_t_l1_a_half_open_line_is_noticed_within_35_seconds_also_when_idle(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        await asyncio.sleep(200)
        rig.gateway.half_open()
        began = rig.clock.now()
        flying = rig.submit(rig.request("MSFT", price="90.00"))
        await rig.holds(lambda: rig.ib_link.state is LinkState.DOWN, 35)
        assert rig.clock.now() - began <= 35 * SECOND
        assert {rig.state(ref), rig.state(flying)} == {"UNKNOWN"}
        await rig.becomes(ref, "WORKING", seconds=40)
        await rig.becomes(flying, "NOT_AT_BROKER", seconds=60)

    in_memory(tmp_path, story)


def test_t_l1_the_client_id_in_use_is_waited_for_and_never_changed(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("client_id_in_use", seconds=20)
        rig.gateway.drop()
        await rig.holds(lambda: not rig.desk.synced)
        await rig.holds(lambda: "already in use" in rig.ib_link.text)
        await rig.holds(lambda: rig.desk.synced, 60)
        asked = {f.fields[2] for f in rig.gateway.wire.select(Req.START_API, "in")}
        assert asked == {"7"}

    in_memory(tmp_path, story)


def test_t_l1_three_days_without_a_gateway_are_said_with_growing_words_and_bounded_pauses(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.refuses = True
        rig.gateway.drop()
        tries: list[int] = []
        rig.ib_link.listen(
            lambda state, code, text: tries.append(rig.clock.now()) if state is LinkState.CONNECTING else None
        )
        await asyncio.sleep(72 * 3600)
        said = [r.text for r in rig.reports if isinstance(r, LinkReport) and r.state is LinkState.DOWN]
        assert "71 h" in said[-1]
        assert "72 h" in said[-1] or "71 h 5" in said[-1]
        pauses = np.diff(tries) / SECOND
        assert pauses.max() <= 60 * 1.25 + 0.1
        assert len(set(np.round(pauses[-50:], 3))) > 10, "jitter"
        rig.gateway.refuses = False
        await rig.holds(lambda: rig.desk.synced, 90)
        assert rig.ib_link.sessions == 2

    in_memory(tmp_path, story, config={"heartbeat": 600.0})


@pytest.mark.parametrize(
    ("live", "port", "account", "word"),
    [
        (False, 4002, "U1234567", "live account"),
        (True, 4001, "DU1234567", "paper account"),
        (False, 4001, "DU1234567", "port 4001"),
        (False, 7496, "DU1234567", "port 7496"),
        (True, 4002, "U1234567", "port 4002"),
        (True, 7497, "U1234567", "port 7497"),
        (False, 4002, "DU7777777", "logged in to"),
        (False, 4002, "", "not named"),
    ],
)
def test_profile_port_and_account_must_agree(live: bool, port: int, account: str, word: str) -> None:
    reason = mismatch(live, port, account, ["DU1234567", "U1234567"])
    assert word in reason
    assert account == "" or account not in reason, "an account number is not shown whole"


def test_agreeing_profiles_pass() -> None:
    assert mismatch(False, 4002, "DU1234567", ["DU1234567"]) == ""
    assert mismatch(True, 4001, "U1234567", ["U1234567", "U7654321"]) == ""
    assert mismatch(False, 4999, "DF1234567", ["DF1234567"]) == ""


def test_another_account_at_the_gateway_is_refused_and_no_order_can_leave(tmp_path: Path) -> None:
    async def story() -> None:
        gateway = begin_gateway()
        gateway.faults.add("account_mismatch", account="U7654321")
        rig = IbRig(tmp_path, gateway, LoopClock(), True, {})
        await rig.begin(synced=False)
        await asyncio.sleep(10)
        assert rig.ib_link.state is LinkState.DOWN or rig.ib_link.state is LinkState.CONNECTING
        assert any(isinstance(r, LinkReport) and "logged in to" in r.text for r in rig.reports)
        assert rig.state(rig.submit(rig.request(price="90.00"))) == "NEVER_SENT"
        gateway.faults.clear()
        await rig.holds(lambda: rig.desk.synced, 60)
        await rig.finish()
        await gateway.stop()

    run_virtual(story)


def test_of_several_accounts_only_ours_is_read_and_traded(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.transfer("AAPL", 500, 100, account="DU9999999")
        rig.gateway.manual_order("MSFT", "BUY", 7, kind="LMT", limit=90, account="DU9999999")
        await asyncio.sleep(40)
        assert not rig.modes.locked("AAPL")
        assert rig.desk.orders() == {}
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        assert rig.gateway.ledger.order(ref).account == "DU1234567"

    in_memory(tmp_path, story, config={"accounts": ("DU9999999", "DU1234567")})


def test_without_a_named_account_there_is_no_broker() -> None:
    async def story() -> None:
        gateway = begin_gateway()
        clock = LoopClock()
        with pytest.raises(SettingsError, match="account"):
            make_broker(gateway, clock, FakeMarket(clock), account="")
        await gateway.stop()

    run_virtual(story)


def test_a_settings_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingsError, match="restart_zone"):
        Windows(IbkrSettings(restart_zone="Mars/Olympus"))


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_the_restart_window_follows_the_gateways_clock_through_summer_and_winter() -> None:
    windows = Windows(IbkrSettings())
    for night in ("2026-01-06T04:45:00", "2026-07-07T03:45:00"):  # 23:45 in New York
        at = ns(night)
        window = windows.holding(at)
        assert window is not None
        assert (window.name, window.at_ns) == ("nightly restart", at)
        assert windows.holding(at - 181 * SECOND) is None
        assert windows.holding(at - 180 * SECOND) is not None
        assert windows.holding(at + 179 * SECOND) is not None
        assert windows.holding(at + 180 * SECOND) is None
        coming = windows.coming(at - 600 * SECOND)
        assert coming is not None
        assert windows.coming(at - 1000 * SECOND) is None
    sunday = ns("2026-01-11T06:00:00")
    holding = windows.holding(sunday)
    assert holding is not None
    assert holding.name == "weekly login"
    assert windows.weekly_passed(sunday - SECOND, sunday + SECOND)
    assert not windows.weekly_passed(sunday + SECOND, sunday + 100 * SECOND)


def at_night(rig: IbRig, hour: int, minute: int, second: int) -> float:
    """Seconds from now until a clock time in New York."""
    local = datetime.fromtimestamp(rig.clock.now() / SECOND, UTC)
    target = local.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return (target.timestamp() + (86_400 if target < local else 0)) - rig.clock.now() / SECOND


def test_t_l3_an_order_just_before_the_restart_is_refused_with_the_reason_and_protection_may_leave(
    tmp_path: Path,
) -> None:
    async def story(rig: IbRig) -> None:
        await asyncio.sleep(at_night(rig, 4, 44, 59))  # 23:44:59 in New York
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "REJECTED")
        assert "nightly restart of the gateway is at 23:45" in rig.desk.orders()[ref].reason
        assert rig.gateway.place_counts() == {}
        exit_ = rig.submit(rig.request(price="90.00", origin=Origin.PROTECTIVE))
        await rig.becomes(exit_, "WORKING", "HELD")
        await asyncio.sleep(at_night(rig, 4, 48, 1))
        late = rig.submit(rig.request("MSFT", price="90.00"))
        await rig.becomes(late, "WORKING", "HELD")

    in_memory(tmp_path, story, config={"heartbeat": 600.0})


def test_t_l3_an_order_written_just_before_a_reset_is_looked_up(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        lost = rig.gateway.faults.add("lost_order", after=1)
        kept, gone = rig.submit(rig.request(price="90.00")), rig.submit(rig.request("MSFT", price="90.00"))
        await asyncio.sleep(0.1)
        assert lost.fired
        rig.gateway.restart()
        await rig.holds(lambda: {rig.state(kept), rig.state(gone)} == {"UNKNOWN"})
        await rig.becomes(kept, "WORKING", seconds=60)
        await rig.becomes(gone, "NOT_AT_BROKER", seconds=60)

    in_memory(tmp_path, story)


def test_t_l3_after_the_weekly_login_it_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        gateway = begin_gateway(start=BEGIN)
        gateway.refuses = True
        clock = LoopClock(ns("2026-01-11T05:55:00"))
        broker, link = make_broker(gateway, clock, FakeMarket(clock))
        await broker.start()
        await asyncio.sleep(600)
        assert "weekly login" in link.text
        await broker.stop()
        await gateway.stop()

    run_virtual(story)


@pytest.mark.parametrize("code", [2110, 2103])
def test_a_gateway_without_its_server_or_its_data_takes_no_order(tmp_path: Path, code: int) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.farm(code)
        await rig.holds(lambda: rig.ib_link.state is LinkState.DEGRADED)
        assert rig.state(rig.submit(rig.request(price="90.00"))) == "NEVER_SENT"
        if code == 2110:
            rig.gateway.link_restored()
        else:
            rig.gateway.farm(2104)
        await rig.holds(lambda: rig.desk.synced, 30)
        await rig.becomes(rig.submit(rig.request(price="90.00")), "WORKING")

    in_memory(tmp_path, story)


def test_a_broken_history_farm_does_not_stop_orders(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.farm(2105)
        await asyncio.sleep(1)
        assert rig.ib_link.state is LinkState.UP
        await rig.becomes(rig.submit(rig.request(price="90.00")), "WORKING")

    in_memory(tmp_path, story)


def test_a_handler_that_fails_is_reported_and_everything_is_read_anew(tmp_path: Path) -> None:
    async def story() -> None:
        gateway = begin_gateway()
        rig = IbRig(tmp_path, gateway, LoopClock(), True, {})
        trouble: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
        await rig.begin()
        ref = rig.submit(rig.request(price="90.00"))
        real = rig.ib_broker._hearing.on_status

        def broken(*args: object) -> None:
            rig.ib_broker._hearing.on_status = real  # type: ignore[method-assign]
            raise RuntimeError("a fault of ours")

        rig.ib_broker._hearing.on_status = broken  # type: ignore[method-assign,assignment]
        await rig.holds(lambda: trouble)
        await rig.holds(lambda: rig.ib_link.sessions == 2, 30)
        await rig.becomes(ref, "WORKING")
        await rig.finish()
        await gateway.stop()

    run_virtual(story)


def test_stop_leaves_no_task_and_is_safe_twice() -> None:
    async def story() -> None:
        gateway = begin_gateway()
        clock = LoopClock()
        broker, link = make_broker(gateway, clock, FakeMarket(clock))
        await broker.stop()
        await broker.start()
        await broker.start()
        await asyncio.sleep(1)
        assert link.state is LinkState.UP
        await broker.stop()
        await broker.stop()
        assert link.state is LinkState.DOWN
        assert [t for t in asyncio.all_tasks() if t is not asyncio.current_task()] == []
        await gateway.stop()

    run_virtual(story)
