"""The mode: down by itself, up by people; halts, leases, locks, restarts, PIN."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.commands import SignMandate
from engine.approval.mandate import Mandates, sign
from engine.bus.clock import SECOND
from engine.model.decision import PEOPLE, Autonomy, Book, Mode
from engine.model.events.book import Reconciled, SymbolLocked, SymbolUnlocked
from engine.model.events.decision import AutonomyChanged, ModeChanged, TradingHalted, TradingResumed
from engine.model.events.system import Alarm
from engine.model.order import OrderState, OrderType, Origin
from engine.risk.latches import Latch
from tests.engine.risk.world import AAPL, ACCOUNT, DAY, HOUR, MINUTE, MSFT, START, World, d, limits


def reconcile(world: World, complete: bool = True) -> None:
    now = world.clock.now()
    missing = () if complete else ("positions",)
    world.modes._on_reconciled(
        Reconciled(
            ts_event=now,
            ts_init=now,
            account=ACCOUNT,
            orders=0,
            positions=0,
            changes=0,
            complete=complete,
            missing=missing,
        )
    )


# --- down and up


def test_anyone_lowers_the_mode_and_nobody_raises_it_by_lowering() -> None:
    world = World()
    assert world.modes.lower(Mode.REDUCE_ONLY, "engine", "test")
    assert not world.modes.lower(Mode.AUTO, "engine", "test")
    assert world.modes.mode is Mode.REDUCE_ONLY


@pytest.mark.parametrize("by", ["agent", "engine", "governor", "strategy", ""])
def test_i6_only_a_person_raises_the_mode(by: str) -> None:
    world = World(mode=Mode.MANUAL)
    assert not world.modes.raise_to(Mode.AUTO, by, "because").ok
    assert not world.modes.set_autonomy(Autonomy.AUTO, by, "because").ok
    assert world.modes.mode is Mode.MANUAL


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["lower", "halt", "raise", "resume", "autonomy", "restart", "lease", "lock"]),
            st.sampled_from(list(Mode)),
            st.sampled_from(["agent", "engine", "window", "cli"]),
            st.sampled_from(list(Autonomy)),
        ),
        max_size=30,
    )
)
def test_i6_the_mode_never_rises_without_an_event_that_names_a_person(
    steps: list[tuple[str, Mode, str, Autonomy]],
) -> None:
    world = World(mode=Mode.MANUAL, lease=True)
    for what, mode, by, autonomy in steps:
        before, seen = world.modes.mode, len(world.events)
        if what == "lower":
            world.modes.lower(mode, by, "test")
        elif what == "halt":
            world.modes.halt(by, "test")
        elif what == "raise":
            world.modes.raise_to(mode, by, "test")
        elif what == "resume":
            reconcile(world)
            world.modes.resume("RESUME", "test", by)
        elif what == "autonomy":
            world.modes.set_autonomy(autonomy, by, "test")
        elif what == "lease":
            world.clock.advance(3 * 3600)
            world.modes.watch_lease(None)
        elif what == "lock":
            world.modes.lock(AAPL, "G20", "test")
        else:
            world.modes.restore()
            assert world.modes.mode.level <= before.level
        after = world.modes.mode
        if after.level > before.level:
            raised = [e for e in world.events[seen:] if isinstance(e, ModeChanged) and e.after is after]
            assert raised
            assert raised[-1].by in PEOPLE


def test_raising_needs_a_reason_and_the_pin_where_one_is_set() -> None:
    world = World(mode=Mode.MANUAL)
    world.pin.set("4711")
    assert world.modes.raise_to(Mode.AUTO, "window", "", "4711").code == "REASON"
    assert world.modes.raise_to(Mode.AUTO, "window", "go").code == "PIN"
    assert world.modes.raise_to(Mode.AUTO, "window", "go", "0000").code == "PIN"
    assert world.modes.raise_to(Mode.AUTO, "window", "go", "4711").ok
    assert world.modes.mode is Mode.AUTO


@pytest.mark.parametrize(("start", "wanted"), [(Mode.MANUAL, Mode.AUTO), (Mode.REDUCE_ONLY, Mode.MANUAL)])
def test_real_money_needs_that_a_pin_is_set_to_raise_the_mode(start: Mode, wanted: Mode) -> None:
    world = World(mode=start, book=Book.LIVE)
    assert world.modes.raise_to(wanted, "window", "go").code == "PIN"
    assert world.modes.mode is start
    world.pin.set("4711")
    assert world.modes.raise_to(wanted, "window", "go", "0000").code == "PIN"
    assert world.modes.raise_to(wanted, "window", "go", "4711").ok


def test_autonomy_that_sends_by_itself_arms_auto_and_less_disarms_it() -> None:
    world = World(mode=Mode.MANUAL)
    assert world.modes.set_autonomy(Autonomy.AUTO, "window", "go").ok
    assert world.modes.mode is Mode.AUTO
    assert world.of(AutonomyChanged)[-1].after is Autonomy.AUTO
    assert world.modes.set_autonomy(Autonomy.ASK, "engine").ok
    assert world.modes.mode is Mode.MANUAL
    assert world.modes.autonomy is Autonomy.ASK


def test_auto_does_not_survive_a_restart_and_everything_lower_does() -> None:
    world = World(mode=Mode.MANUAL)
    world.modes.set_autonomy(Autonomy.AUTO, "window", "go")
    after = world.restarted()
    assert after.modes.mode is Mode.MANUAL
    assert after.modes.autonomy is Autonomy.AUTO
    assert not after.gate.check(after.request()).cleared
    after.modes.lower(Mode.REDUCE_ONLY, "engine", "test")
    assert after.restarted().modes.mode is Mode.REDUCE_ONLY


def test_an_unreadable_stored_mode_means_observe() -> None:
    world = World(mode=Mode.MANUAL)
    world.store.values["risk.mode"] = "{"
    assert world.restarted().modes.mode is Mode.OBSERVE


# --- halt and resume


def test_halt_is_durable_and_told() -> None:
    world = World()
    assert world.modes.halt("window", "stop pressed", flatten=True).ok
    told = world.of(TradingHalted)[-1]
    assert (told.by, told.reason, told.flatten) == ("window", "stop pressed", True)
    assert world.restarted().modes.mode is Mode.HALTED


def test_t_s1_halt_works_when_it_cannot_be_recorded() -> None:
    world = World()
    world.store.broken = True
    receipt = world.modes.halt("window", "stop")
    assert receipt.ok
    assert receipt.data["recorded"] is False
    assert world.modes.mode is Mode.HALTED
    assert world.of(TradingHalted)
    assert any(alarm.code == "G37" for alarm in world.of(Alarm))


def test_halt_needs_no_pin_and_works_while_the_pin_is_blocked() -> None:
    world = World()
    world.pin.set("4711")
    for _ in range(5):
        world.modes.raise_to(Mode.AUTO, "window", "x", "0000")
    assert world.modes.halt("hotkey", "stop").ok


def test_halting_does_not_raise_observe() -> None:
    world = World(mode=Mode.OBSERVE)
    world.modes.halt("window", "stop")
    assert world.modes.mode is Mode.OBSERVE


def test_resume_needs_the_word_a_reason_a_person_the_pin_and_a_clean_reconcile() -> None:
    world = World()
    world.pin.set("4711")
    world.modes.halt("window", "stop")
    world.clock.advance(1)
    assert world.modes.resume("RESUME", "ok", "window", "4711").code == "RECONCILE"
    reconcile(world, complete=False)
    assert world.modes.resume("RESUME", "ok", "window", "4711").code == "RECONCILE"
    reconcile(world)
    assert world.modes.resume("GO", "ok", "window", "4711").code == "TYPED"
    assert world.modes.resume("RESUME", " ", "window", "4711").code == "REASON"
    assert world.modes.resume("RESUME", "ok", "agent", "4711").code == "PERSON"
    assert world.modes.resume("RESUME", "ok", "window").code == "PIN"
    assert world.modes.raise_to(Mode.MANUAL, "window", "ok", "4711").code == "MODE"
    assert world.modes.mode is Mode.HALTED
    assert world.modes.resume("resume", "ok", "window", "4711").ok
    assert world.modes.mode is Mode.MANUAL  # AUTO is armed separately
    assert world.of(TradingResumed)


def test_a_resume_that_cannot_be_recorded_leaves_trading_halted() -> None:
    world = World()
    world.modes.halt("window", "stop")
    reconcile(world)
    world.store.broken = True
    assert world.modes.resume("RESUME", "ok", "window").code == "JOURNAL"
    assert world.modes.mode is Mode.HALTED


# --- latches


def test_a_latch_of_today_bounds_the_mode_until_the_next_session() -> None:
    world = World(mode=Mode.REDUCE_ONLY)
    world.latches.trip(
        Latch(code="G17", text="loss", date="2026-03-02", since_ns=START, ceiling=Mode.REDUCE_ONLY, next_session=True)
    )
    assert world.modes.raise_to(Mode.MANUAL, "window", "ok").code == "G17"
    assert not world.modes.resume("RESUME", "ok", "window").ok
    world.clock.advance_to(START + DAY)
    assert world.modes.raise_to(Mode.MANUAL, "window", "ok").ok
    assert world.modes.mode is Mode.MANUAL


def test_g18_needs_the_typed_word_and_the_next_session() -> None:
    world = World(mode=Mode.REDUCE_ONLY)
    world.latches.trip(
        Latch(code="G18", text="fall", date="2026-03-02", since_ns=START, ceiling=Mode.REDUCE_ONLY, next_session=True)
    )
    world.clock.advance_to(START + DAY)
    assert world.modes.raise_to(Mode.MANUAL, "window", "ok").code == "G18"
    assert not world.modes.rearm("G18", "", "window", "ok").ok
    assert world.modes.resume("RESUME", "ok", "window").ok
    assert world.modes.mode is Mode.MANUAL


def test_latches_hold_over_a_restart() -> None:
    world = World(mode=Mode.MANUAL)
    world.latches.trip(Latch(code="G18", text="fall", date="2026-03-02", since_ns=START, ceiling=Mode.REDUCE_ONLY))
    assert world.restarted().modes.mode is Mode.REDUCE_ONLY


# --- lease (G34)


def armed() -> World:
    world = World(mode=Mode.MANUAL, lease=True)
    assert world.modes.raise_to(Mode.AUTO, "window", "go").ok
    return world


def test_t_s3_an_absent_operator_ends_auto_cancels_entries_and_keeps_stops() -> None:
    world = armed()
    world.clock._now = START
    close = START + 100 * HOUR
    entry = world.desk.put(world.request())
    by_hand = world.desk.put(world.manual(limit_price=99))
    world.ledger.hold(AAPL, 10)
    stop = world.desk.put(
        world.close(10, origin=Origin.PROTECTIVE, order_type=OrderType.STOP, limit_price=None, stop_price=d(95))
    )
    world.bus.subscribe(ModeChanged, world.governor._on_mode, owner="governor")
    world.clock.advance_to(START + 4 * HOUR - 15 * MINUTE)
    world.modes.watch_lease(close)
    assert [alarm.severity for alarm in world.of(Alarm)] == ["amber"]
    world.clock.advance_to(START + 4 * HOUR - 1)
    world.modes.watch_lease(close)
    assert world.modes.mode is Mode.AUTO
    world.clock.advance_to(START + 4 * HOUR)
    world.modes.watch_lease(close)
    assert world.modes.mode is Mode.MANUAL
    assert world.desk.all[entry].state is OrderState.CANCELLED
    assert world.desk.all[by_hand].state is OrderState.WORKING
    assert world.desk.all[stop].state is OrderState.WORKING
    assert world.of(Alarm)[-1].severity == "red"


def test_t_s3_showing_up_extends_presence_but_not_the_lease_of_eight_hours() -> None:
    world = armed()
    close = START + 100 * HOUR
    for hour in range(1, 8):
        world.clock.advance_to(START + hour * HOUR)
        world.modes.present("window")
        world.modes.watch_lease(close)
        assert world.modes.mode is Mode.AUTO
    world.modes.present("agent")
    world.clock.advance_to(START + 8 * HOUR)
    world.modes.present("window")
    world.modes.watch_lease(close)
    assert world.modes.mode is Mode.MANUAL


def test_t_s3_auto_ends_with_the_session() -> None:
    world = armed()
    close = START + 2 * HOUR
    world.modes.watch_lease(close)
    world.clock.advance_to(close)
    world.modes.watch_lease(None)
    assert world.modes.mode is Mode.MANUAL


def test_the_gate_refuses_the_agent_the_moment_the_lease_is_over_without_waiting_for_the_watch() -> None:
    world = armed()
    world.clock.advance_to(START + 4 * HOUR)
    assert world.codes(world.request()) == ["G34"]


# --- locks


def test_a_symbol_is_free_only_when_every_reason_is_gone() -> None:
    world = World()
    assert world.modes.lock(AAPL, "G20", "rejects")
    assert not world.modes.lock(AAPL, "G20", "again")
    assert world.modes.lock(AAPL, "DRIFT", "position differs")
    assert world.modes.unlock(AAPL, "G20")
    assert world.modes.locks[AAPL].code == "DRIFT"
    assert world.restarted().modes.locks[AAPL] == ("DRIFT", "position differs")
    assert world.modes.unlock(AAPL, "DRIFT")
    assert not world.modes.unlock(AAPL, "DRIFT")
    assert AAPL not in world.modes.locks
    assert len(world.of(SymbolLocked)) == len(world.of(SymbolUnlocked)) == 2


def test_unlocking_that_cannot_be_recorded_keeps_the_lock() -> None:
    world = World()
    world.modes.lock(AAPL, "G20", "rejects")
    world.store.broken = True
    assert not world.modes.unlock(AAPL, "G20")
    assert AAPL in world.modes.locks
    world.modes.lock(MSFT, "G20", "rejects")
    assert MSFT in world.modes.locks


# --- G38


async def test_g38_three_unclean_starts_only_observe_and_clean_ones_do_not_count() -> None:
    world = World(mode=Mode.MANUAL)
    for _ in range(5):
        await world.modes.stop()
        world = world.restarted()
    assert world.modes.mode is Mode.MANUAL
    for _ in range(3):
        world.clock.advance(60)
        world = world.restarted()
    assert world.modes.mode is Mode.OBSERVE
    assert any(alarm.code == "G38" for alarm in world.of(Alarm))


def test_g38_unclean_starts_far_apart_do_not_count_together() -> None:
    world = World(mode=Mode.MANUAL)
    for _ in range(6):
        world.clock.advance(16 * 60)
        world = world.restarted()
    assert world.modes.mode is Mode.MANUAL


# --- PIN


def test_five_wrong_pins_cost_fifteen_minutes_also_after_a_restart() -> None:
    world = World()
    assert world.pin.set("4711") == ""
    for _ in range(5):
        assert world.pin.check("0000") == "The PIN is wrong."
    assert "Too many" in world.pin.check("4711")
    after = world.restarted()
    assert "Too many" in after.pin.check("4711")
    world.clock.advance(15 * 60)
    assert after.pin.check("4711") == ""


def test_a_right_pin_forgives_wrong_ones_before_it() -> None:
    world = World()
    world.pin.set("4711")
    for _ in range(4):
        world.pin.check("0000")
    assert world.pin.check("4711") == ""
    for _ in range(4):
        world.pin.check("0000")
    assert world.pin.check("4711") == ""


def test_the_pin_is_not_stored_and_changing_it_needs_the_old_one() -> None:
    world = World()
    assert world.pin.set("12") != ""
    world.pin.set("4711")
    assert "4711" not in world.pins.values["pin"]
    assert world.pin.set("0815") != ""
    assert world.pin.set("0815", "4711") == ""
    assert world.pin.check("0815") == ""


def test_an_unreadable_pin_allows_nothing() -> None:
    world = World(mode=Mode.MANUAL)
    world.pins.values["pin"] = "{"
    assert world.pin.is_set
    assert world.pin.check("4711") != ""
    assert not world.modes.raise_to(Mode.AUTO, "window", "go", "4711").ok


def test_a_missing_pin_is_asked_for_without_counting_as_a_wrong_one() -> None:
    world = World()
    world.pin.set("4711")
    for _ in range(20):
        assert world.pin.check("") == "This needs the PIN."
    assert world.pin.check("4711") == ""


def test_settings_of_presence_hold() -> None:
    world = World(mode=Mode.MANUAL, lease=True, settings=limits(presence_hours=1))
    world.modes.raise_to(Mode.AUTO, "window", "go")
    assert world.modes.lease_until == START + HOUR
    world.clock.advance_to(START + HOUR)
    world.modes.watch_lease(None)
    assert world.modes.mode is Mode.MANUAL
    assert START % SECOND == 0


def test_only_a_person_sets_the_pin_and_a_disk_that_refuses_leaves_the_old_one() -> None:
    world = World(mode=Mode.MANUAL)
    assert world.modes.set_pin("4711", "", "strategy").code == "PERSON"
    assert not world.modes.pin_set
    assert world.modes.set_pin("4711", "", "cli").ok
    assert world.modes.set_pin("0815", "0000", "window").code == "PIN"
    assert world.modes.set_pin("0815", "4711", "window").text == "The PIN is changed."
    world.pins.broken = True
    assert world.modes.set_pin("1234", "0815", "window").code == "JOURNAL"
    world.pins.broken = False
    assert world.pin.check("0815") == ""


def test_a_wrong_pin_that_cannot_be_counted_is_no_pin_at_all() -> None:
    world = World(mode=Mode.MANUAL)
    world.modes.set_pin("4711", "", "cli")
    world.pins.broken = True
    assert "cannot be counted" in world.pin.check("0000")
    assert world.modes.raise_to(Mode.AUTO, "window", "go", "0000").code == "PIN"


def test_real_money_without_a_pin_raises_no_limit_and_signs_no_mandate() -> None:
    world = World(mode=Mode.MANUAL, book=Book.LIVE)
    mandates = Mandates(store=world.store, counters=world.counters, clock=world.clock, pin=world.pin, book=Book.LIVE)
    command = SignMandate(max_order=Decimal(1000), max_day=Decimal(5000), max_orders=5, by="cli")
    assert sign(mandates, command, world.clock.now()).code == "PIN"
    assert world.limits.change({"manual.position_percent": "60"}, "cli").code == "PIN"
    assert world.limits.change({"manual.position_percent": "1"}, "cli").ok
    world.pin.set("4711")
    assert sign(mandates, msgspec.structs.replace(command, pin="4711"), world.clock.now()).ok


def test_only_a_person_raises_a_limit_and_anyone_lowers_one() -> None:
    world = World()
    assert world.limits.change({"manual.position_percent": "60"}, "agent").code == "PERSON"
    assert world.limits.change({"manual.position_percent": "1"}, "agent").ok
