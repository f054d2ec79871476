"""The governor: losses, rejects, fills and the engine's own trouble make trading safer."""

from decimal import Decimal
from typing import Any

import pytest

from engine.model.decision import Mode
from engine.model.events.book import AccountChanged, PositionClosed
from engine.model.events.decision import TradingHalted
from engine.model.events.order import OrderFilled, OrderRejected
from engine.model.events.system import Alarm, LagExceeded
from engine.model.fill import Fill
from engine.model.ids import ExecId, Symbol
from engine.model.market import Side
from engine.model.order import OrderState, OrderType, Origin
from engine.model.position import Position
from tests.engine.risk.world import AAPL, ACCOUNT, DAY, MSFT, START, World, d, limits


async def started(**fields: Any) -> World:
    world = World(**fields)
    await world.governor.start()
    return world


def equity(world: World, value: object) -> None:
    now = world.clock.now()
    world.ledger.change(equity=None if value is None else d(value))
    assert world.ledger.values is not None
    world.bus.publish(AccountChanged(ts_event=now, ts_init=now, account=world.ledger.values))


def closed(world: World, realised: object, symbol: Symbol = AAPL) -> None:
    now = world.clock.now()
    position = Position(account=ACCOUNT, symbol=symbol, quantity=d(0), average_price=d(100))
    world.bus.publish(PositionClosed(ts_event=now, ts_init=now, position=position, realised=d(realised)))


def rejected(world: World, symbol: Symbol = AAPL) -> None:
    now = world.clock.now()
    ref = world.desk.put(world.manual(symbol=symbol), state=OrderState.REJECTED)
    status = world.desk.all[ref]
    world.bus.publish(
        OrderRejected(ts_event=now, ts_init=now, ref=ref, symbol=symbol, side=Side.BUY, status=status, reason="no")
    )


def filled(world: World, price: object, **changes: Any) -> None:
    now = world.clock.now()
    request = world.request(**changes)
    ref = world.desk.put(request, state=OrderState.FILLED)
    fill = Fill(
        exec_id=ExecId(ref),
        ref=ref,
        account=ACCOUNT,
        symbol=request.symbol,
        side=request.side,
        quantity=d(1),
        price=d(price),
        ts_event=now,
        ts_seen=now,
    )
    status = world.desk.all[ref]
    world.bus.publish(
        OrderFilled(
            ts_event=now, ts_init=now, ref=ref, symbol=request.symbol, side=request.side, status=status, fill=fill
        )
    )


# --- G17


@pytest.mark.parametrize(
    ("value", "mode"),
    [(990_001, Mode.AUTO), (990_000, Mode.MANUAL), (970_001, Mode.MANUAL), (970_000, Mode.REDUCE_ONLY)],
)
async def test_g17_the_loss_of_the_day_lowers_the_mode(value: int, mode: Mode) -> None:
    world = await started()
    equity(world, value)
    assert world.modes.mode is mode
    assert not world.failures


async def test_g17_the_limit_cancels_entries_and_keeps_stops() -> None:
    world = await started()
    entry = world.desk.put(world.manual(limit_price=99))
    world.ledger.hold(AAPL, 10)
    stop = world.desk.put(
        world.close(10, origin=Origin.PROTECTIVE, order_type=OrderType.STOP, limit_price=None, stop_price=d(95))
    )
    equity(world, 960_000)
    assert world.desk.all[entry].state is OrderState.CANCELLED
    assert world.desk.all[stop].state is OrderState.WORKING
    assert not world.of(TradingHalted)  # never flattened unless opted in
    red = world.of(Alarm)[-1]
    assert red.severity == "red"
    assert "4 %" in red.happened
    assert "3 %" in red.happened


async def test_g17_between_two_and_three_percent_the_agent_stays_off_until_the_next_session() -> None:
    world = await started()
    equity(world, 979_000)
    assert world.modes.raise_to(Mode.AUTO, "window", "go on").code == "G17"
    world.clock.advance_to(START + DAY)
    world.ledger.change(session_equity=d(979_000))
    assert world.modes.raise_to(Mode.AUTO, "window", "go on").ok


async def test_g17_flattens_only_when_opted_in() -> None:
    world = await started(settings=limits(flatten_on_day_loss=True))
    equity(world, 960_000)
    equity(world, 959_000)
    assert [event.flatten for event in world.of(TradingHalted)] == [True]


async def test_g17_holds_over_a_crash() -> None:
    world = await started()
    equity(world, 960_000)
    after = world.restarted()
    assert after.modes.mode is Mode.REDUCE_ONLY
    assert after.modes.raise_to(Mode.MANUAL, "window", "go on").code == "G17"


# --- G18


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        (1_045_001, Mode.AUTO),
        (1_045_000, Mode.MANUAL),
        (990_001, Mode.MANUAL),
        (990_000, Mode.REDUCE_ONLY),
    ],
)
async def test_g18_the_fall_from_the_high_lowers_the_mode(value: int, mode: Mode) -> None:
    world = await started(settings=limits({"week_loss_demote_percent": 100}))
    world.ledger.change(session_equity=d(1_100_000))
    equity(world, 1_100_000)
    world.clock.advance_to(START + DAY)
    world.ledger.change(session_equity=d(value))
    world.governor.look()
    equity(world, value)
    assert world.modes.mode is mode


async def test_g18_a_high_of_more_than_sixty_sessions_ago_no_longer_counts() -> None:
    world = await started()
    world.losses.see("2025-01-01", d(2_000_000))
    assert world.losses.drawdown_percent(1_000_000) == pytest.approx(50)
    for n in range(60):
        world.losses.see(f"day {n}", d(1_000_000))
    assert world.losses.drawdown_percent(1_000_000) == 0


async def test_g18_a_weekly_loss_of_four_percent_ends_auto() -> None:
    world = await started()
    for n in range(1, 4):
        world.clock.advance_to(START + n * DAY)
        world.ledger.change(session_equity=d(1_000_000 - 9_000 * n))
        equity(world, 1_000_000 - 9_000 * n)
        world.governor.look()
    assert world.modes.mode is Mode.AUTO
    equity(world, 960_000)
    assert world.modes.mode is Mode.MANUAL


# --- G19


async def test_g19_four_losers_in_a_row_end_auto_for_the_day() -> None:
    world = await started()
    for _ in range(3):
        closed(world, -10)
    closed(world, 10)
    for _ in range(3):
        closed(world, -10)
    assert world.modes.mode is Mode.AUTO
    closed(world, -10)
    assert world.modes.mode is Mode.MANUAL
    assert world.modes.raise_to(Mode.AUTO, "window", "go on").code == "G19"
    world.clock.advance_to(START + DAY)
    assert world.modes.raise_to(Mode.AUTO, "window", "go on").ok


async def test_g19_a_symbol_that_loses_too_much_is_locked_until_the_next_session() -> None:
    world = await started()
    closed(world, -6_999)
    assert AAPL not in world.modes.locks
    closed(world, -1)
    assert world.modes.locks[AAPL].code == "G19"
    assert "G19" in world.codes(world.manual())
    assert world.codes(world.manual(symbol=MSFT, limit_price=400, stop_loss=390, take_profit=420)) == []
    world.clock.advance_to(START + DAY)
    assert AAPL not in world.modes.locks


# --- G20


async def test_g20_three_rejects_lock_the_symbol_and_five_end_auto() -> None:
    world = await started()
    rejected(world)
    rejected(world)
    assert AAPL not in world.modes.locks
    rejected(world)
    assert world.modes.locks[AAPL].code == "G20"
    assert world.modes.mode is Mode.AUTO
    rejected(world, MSFT)
    rejected(world, MSFT)
    assert world.modes.mode is Mode.MANUAL


async def test_g20_rejects_that_are_ten_minutes_apart_do_not_count_together() -> None:
    world = await started()
    for _ in range(6):
        rejected(world)
        world.clock.advance(301)
    assert AAPL not in world.modes.locks
    assert world.modes.mode is Mode.AUTO


# --- G4b


async def test_g4b_fills_that_chase_the_price_lock_the_symbol() -> None:
    world = await started()
    filled(world, 100)
    filled(world, 102)
    assert AAPL not in world.modes.locks
    filled(world, "102.01")
    assert world.modes.locks[AAPL].code == "G4b"


async def test_g4b_better_fills_and_old_fills_and_closing_fills_do_not_count() -> None:
    world = await started()
    filled(world, 100)
    filled(world, 90)
    world.clock.advance(601)
    filled(world, 103)
    filled(world, 110, reduce_only=True, stop_loss=None, take_profit=None)
    assert AAPL not in world.modes.locks


# --- the engine itself


async def test_g24_three_lags_in_a_minute_end_auto() -> None:
    world = await started()
    for lag in (2001.0, 2001.0, 1999.0):
        world.bus.publish(LagExceeded(ts_event=START, ts_init=START, loop="engine", lag_ms=lag))
    assert world.modes.mode is Mode.AUTO
    world.bus.publish(LagExceeded(ts_event=START, ts_init=START, loop="engine", lag_ms=2001.0))
    assert world.modes.mode is Mode.MANUAL


@pytest.mark.parametrize(
    "fields", [{"queue_depth": 10_001}, {"slow_commits": 3}, {"clock_skew_s": -5.1}], ids=["queue", "commits", "clock"]
)
async def test_trouble_of_the_engine_ends_auto(fields: dict[str, Any]) -> None:
    world = await started()
    world.vitals.change(**fields)
    world.clock.advance(10)
    assert world.modes.mode is Mode.MANUAL


async def test_equity_that_stays_unknown_ends_in_reduce_only_after_ten_seconds() -> None:
    world = await started()
    equity(world, None)
    world.clock.advance(9)
    assert world.modes.mode is Mode.AUTO
    world.clock.advance(11)
    assert world.modes.mode is Mode.REDUCE_ONLY


async def test_a_disk_that_runs_low_is_said_once_a_day() -> None:
    world = await started()
    world.vitals.change(disk_free_mb=500.0)
    world.clock.advance(60)
    assert len([alarm for alarm in world.of(Alarm) if alarm.code == "G37"]) == 1


async def test_a_latch_that_cannot_be_recorded_halts() -> None:
    world = await started()
    world.store.broken = True
    equity(world, 960_000)
    assert world.modes.mode is Mode.HALTED


async def test_losses_hold_over_a_restart() -> None:
    world = await started()
    closed(world, -5_000)
    after = world.restarted()
    assert after.losses.symbol_result(AAPL) == Decimal(-5_000)
    assert after.losses.last_loss_ns(AAPL) == START
    assert after.losses.streak == 1


async def test_a_stopped_governor_does_nothing_more() -> None:
    world = await started()
    await world.governor.stop()
    equity(world, 100)
    world.clock.advance(100)
    assert world.modes.mode is Mode.AUTO


async def test_the_line_about_unknown_equity_ends_when_it_is_known_again_and_the_mode_stays() -> None:
    world = await started()
    equity(world, None)
    for _ in range(3):
        world.clock.advance(10)
    assert [alarm.cleared for alarm in world.of(Alarm) if alarm.code == "EQUITY"] == [False]
    equity(world, 1_000_000)
    equity(world, 1_000_000)
    assert [alarm.cleared for alarm in world.of(Alarm) if alarm.code == "EQUITY"] == [False, True]
    assert world.modes.mode is Mode.REDUCE_ONLY
