"""The watches one by one, where the whole engine would hide the edge."""

import asyncio
from collections.abc import Iterator

import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import Book, Mode
from engine.model.events.system import Alarm, ComponentFailed, ModelLoaded
from engine.operations.audit_watch import GENESIS, SLICE, AuditWatch
from engine.operations.beginning import Beginning
from engine.operations.clock_watch import ClockGauge
from engine.operations.lamps import Lamps
from engine.operations.models import ModelWatch
from engine.operations.operations import Operations
from engine.operations.settings import OperationsSettings
from engine.operations.storage_watch import StorageWatch
from engine.operations.tasks import TaskKeeper
from engine.risk.ports import Vitals
from engine.risk.settings import CommonLimits
from engine.security.audit import digest_of

START = 1_772_465_400 * SECOND


class FakeModes:
    """Remembers who lowered to what; there is no way up."""

    def __init__(self) -> None:
        self.mode = Mode.AUTO
        self.by: list[tuple[Mode, str]] = []

    def lower(self, mode: Mode, by: str, reason: str) -> bool:
        if mode.level >= self.mode.level:
            return False
        self.mode = mode
        self.by.append((mode, reason))
        return True

    def lock(self, symbol: str, code: str, reason: str) -> bool:
        return True

    def unlock(self, symbol: str, code: str) -> bool:
        return True

    def unlock_all(self, code: str) -> None: ...


class World:
    def __init__(self) -> None:
        self.clock = StepClock(START)
        self.bus = Bus(lambda owner, role, event, error: pytest.fail(f"{owner}: {error}"))
        self.modes = FakeModes()
        self.lamps = Lamps(self.bus, self.clock)
        self.settings = OperationsSettings()
        self.alarms: list[Alarm] = []
        self.failed: list[ComponentFailed] = []
        self.bus.subscribe(Alarm, self.alarms.append, owner="test")
        self.bus.subscribe(ComponentFailed, self.failed.append, owner="test")

    def lines(self) -> list[tuple[str, bool]]:
        return [(a.code, a.cleared) for a in self.alarms]


@pytest.fixture
def world() -> World:
    return World()


# --- lamps


def test_a_lamp_that_stays_lit_is_told_once_and_its_end_once(world: World) -> None:
    for _ in range(3):
        world.lamps.light("X", "amber", "it happened")
        world.clock.advance(1)
    assert not world.lamps.over("X", after_s=60)
    world.clock.advance(61)
    assert world.lamps.over("X", after_s=60)
    assert not world.lamps.over("X")
    assert world.lines() == [("X", False), ("X", True)]


def test_a_fault_that_comes_back_before_its_time_is_not_over(world: World) -> None:
    world.lamps.light("X", "amber", "it happened")
    world.clock.advance(59)
    world.lamps.light("X", "amber", "it happened")
    world.clock.advance(2)
    assert not world.lamps.over("X", after_s=60)


# --- storage


class Signs:
    def __init__(self) -> None:
        self.value = Vitals(disk_free_mb=5000.0)

    def vitals(self) -> Vitals:
        return self.value


class Times:
    failed = 0


@pytest.mark.parametrize(
    ("free", "mode", "code"),
    [(200.0, Mode.AUTO, ""), (199.9, Mode.REDUCE_ONLY, "DISK"), (None, Mode.AUTO, "DISK-UNKNOWN")],
)
def test_g37_free_space_below_its_limit_allows_only_closing(world: World, free, mode: Mode, code: str) -> None:
    signs = Signs()
    watch = StorageWatch(signs, Times(), world.modes, world.lamps, world.settings, CommonLimits)
    watch.start()
    signs.value = Vitals(disk_free_mb=free)
    watch.look()
    assert world.modes.mode is mode
    assert [a.code for a in world.alarms] == ([code] if code else [])


def test_space_that_is_back_ends_the_line_after_a_minute_and_raises_nothing(world: World) -> None:
    signs = Signs()
    watch = StorageWatch(signs, Times(), world.modes, world.lamps, world.settings, CommonLimits)
    signs.value = Vitals(disk_free_mb=1.0)
    watch.look()
    signs.value = Vitals(disk_free_mb=5000.0)
    world.clock.advance(59)
    watch.look()
    assert world.lines() == [("DISK", False)]
    world.clock.advance(1)
    watch.look()
    assert world.lines() == [("DISK", False), ("DISK", True)]
    assert world.modes.mode is Mode.REDUCE_ONLY


def test_failures_before_the_start_are_no_news(world: World) -> None:
    times = Times()
    times.failed = 3
    watch = StorageWatch(Signs(), times, world.modes, world.lamps, world.settings, CommonLimits)
    watch.start()
    watch.look()
    assert world.alarms == []
    times.failed = 4
    watch.look()
    assert world.modes.mode is Mode.REDUCE_ONLY


# --- clock


class TwoClocks(StepClock):
    shift = 0

    def now(self) -> int:
        return super().now() + self.shift


@pytest.mark.parametrize(
    ("shift_s", "steps"), [(0.0, False), (1.0, False), (1.01, True), (-1.01, True), (3600.0, True)]
)
def test_g23_a_step_of_more_than_a_second_is_seen_and_seen_once(shift_s: float, steps: bool) -> None:
    clock = TwoClocks(START)
    gauge = ClockGauge(clock, lambda: True, lambda: 0.0, 1.0)
    assert not gauge.measure()
    clock.advance(1)
    clock.shift = round(shift_s * SECOND)
    assert gauge.measure() is steps
    clock.advance(1)
    assert not gauge.measure()


def test_market_time_that_runs_faster_is_no_step() -> None:
    clock = TwoClocks(START)
    gauge = ClockGauge(clock, lambda: False, lambda: 0.0, 1.0)
    for second in range(1, 4):
        clock.shift = second * 60 * SECOND
        assert not gauge.measure()


def test_a_loop_that_was_late_is_no_step_of_the_clock() -> None:
    clock = TwoClocks(START)
    gauge = ClockGauge(clock, lambda: True, lambda: 0.0, 1.0)
    gauge.measure()
    clock.advance(30)
    assert not gauge.measure()


# --- tasks


async def test_a_task_that_fails_is_started_again_once_and_then_trading_goes_down(world: World) -> None:
    keeper = TaskKeeper(world.bus, world.clock, world.modes, world.lamps, world.settings)
    keeper.start()
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        raise OSError("gone")

    keeper.own("fills", work)
    for _ in range(6):
        await asyncio.sleep(0)
    keeper.stop()
    await keeper.wait()
    assert begun == 2
    assert world.modes.mode is Mode.MANUAL
    assert [a.severity for a in world.alarms] == ["amber", "red"]
    assert [event.component for event in world.failed] == ["fills", "fills"]


async def test_a_task_that_ends_by_itself_has_failed(world: World) -> None:
    keeper = TaskKeeper(world.bus, world.clock, world.modes, world.lamps, world.settings)
    keeper.start()

    async def work() -> None:
        return

    keeper.own("lag meter", work, Mode.HALTED)
    for _ in range(6):
        await asyncio.sleep(0)
    keeper.stop()
    assert world.modes.mode is Mode.HALTED
    assert "ended by itself" in world.alarms[-1].happened


async def test_stopping_in_order_is_no_failure(world: World) -> None:
    keeper = TaskKeeper(world.bus, world.clock, world.modes, world.lamps, world.settings)
    keeper.start()

    async def forever() -> None:
        await asyncio.Event().wait()

    keeper.own("a", forever)
    other = asyncio.create_task(forever())
    keeper.watch(other)
    await asyncio.sleep(0)
    keeper.stop()
    await keeper.wait()
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    assert world.alarms == []
    assert world.modes.mode is Mode.AUTO


async def test_two_tasks_of_one_name_are_refused(world: World) -> None:
    keeper = TaskKeeper(world.bus, world.clock, world.modes, world.lamps, world.settings)
    keeper.start()

    async def forever() -> None:
        await asyncio.Event().wait()

    keeper.own("a", forever)
    with pytest.raises(ValueError, match="runs already"):
        keeper.own("a", forever)
    keeper.stop()
    await keeper.wait()


# --- the whole


class Broken:
    name = "something"

    def __init__(self, starts: bool) -> None:
        self._starts, self.looked = starts, 0

    def start(self) -> None:
        if not self._starts:
            raise RuntimeError("cannot start")

    def look(self) -> None:
        self.looked += 1
        raise RuntimeError("cannot look")

    def stop(self) -> None: ...


class Counting:
    name = "counting"
    looked = 0

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def look(self) -> None:
        self.looked += 1


async def test_a_watch_that_raises_twice_is_off_says_so_and_the_others_look_on(world: World) -> None:
    keeper = TaskKeeper(world.bus, world.clock, world.modes, world.lamps, world.settings)
    broken, counting = Broken(starts=True), Counting()
    operations = Operations(world.bus, world.clock, world.modes, world.lamps, keeper, (broken, counting))
    await operations.start()
    world.clock.advance(5)
    await operations.stop()
    assert broken.looked == 2
    assert counting.looked == 5
    assert world.modes.mode is Mode.MANUAL
    assert [a.severity for a in world.alarms] == ["amber", "red"]
    world.clock.advance(5)
    assert counting.looked == 5


async def test_a_watch_that_cannot_start_ends_auto_at_once(world: World) -> None:
    keeper = TaskKeeper(world.bus, world.clock, world.modes, world.lamps, world.settings)
    operations = Operations(world.bus, world.clock, world.modes, world.lamps, keeper, (Broken(starts=False),))
    await operations.start()
    assert world.modes.mode is Mode.MANUAL
    await operations.stop()


# --- the beginning


@pytest.mark.parametrize(
    ("book", "restored", "mode", "codes"),
    [
        (Book.PAPER, "", Mode.AUTO, []),
        (Book.REPLAY, "", Mode.AUTO, []),
        (Book.LIVE, "", Mode.REDUCE_ONLY, ["LIVE"]),
        (Book.PAPER, "bad page", Mode.OBSERVE, ["DATABASE"]),
        (Book.LIVE, "bad page", Mode.OBSERVE, ["LIVE", "DATABASE"]),
    ],
)
def test_real_money_and_a_restored_journal_begin_low(world: World, book, restored, mode, codes) -> None:
    Beginning(book, world.modes, world.lamps, restored=restored).start()
    assert world.modes.mode is mode
    assert [alarm.code for alarm in world.alarms] == codes


# --- audit


def chain(count: int) -> list[tuple[int, int, str, str, str, str]]:
    rows, before = [], GENESIS
    for seq in range(1, count + 1):
        digest = digest_of(seq, seq, "kind", f'{{"n":{seq}}}', before)
        rows.append((seq, seq, "kind", f'{{"n":{seq}}}', before, digest))
        before = digest
    return rows


def audit_over(world: World, rows, anchor=lambda: None) -> AuditWatch:
    watch = AuditWatch(
        world.clock, world.modes, world.lamps, world.settings, rows=lambda: iter(rows), digest=digest_of, anchor=anchor
    )
    watch.start()
    return watch


@pytest.mark.parametrize("count", [0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE])
def test_a_whole_chain_of_any_length_is_read_once_an_hour_in_slices(world: World, count: int) -> None:
    rows = chain(count)
    watch = audit_over(world, rows, lambda: (count, rows[-1][5]) if rows else None)
    for _ in range(3700):
        world.clock.advance(1)
        watch.look()
    assert watch.walked == 1
    assert world.modes.mode is Mode.AUTO


@pytest.mark.parametrize(
    "damage", ["changed", "missing", "cut off", "swapped", "unreadable", "anchor", "replaced", "relinked"]
)
def test_damage_anywhere_means_observe(world: World, damage: str) -> None:
    rows = chain(SLICE + 10)
    head = (len(rows), rows[-1][5])
    anchor = lambda: head  # noqa: E731
    if damage == "changed":
        rows[SLICE + 3] = (*rows[SLICE + 3][:3], "{}", *rows[SLICE + 3][4:])
    elif damage == "missing":
        del rows[4]
    elif damage == "cut off":
        del rows[-1]
    elif damage == "swapped":
        rows[2], rows[3] = rows[3], rows[2]
    elif damage == "replaced":
        rows[-1] = (*rows[-1][:3], "{}", rows[-1][4], digest_of(len(rows), len(rows), "kind", "{}", rows[-1][4]))
    elif damage == "relinked":
        rows[5] = (6, 6, "kind", "{}", GENESIS, digest_of(6, 6, "kind", "{}", GENESIS))
        del rows[6:]
        head = (1, rows[0][5])
    elif damage == "anchor":

        def anchor():
            raise IntegrityError("the anchor is damaged")

    read: Iterator = iter(rows)
    if damage == "unreadable":

        def failing() -> Iterator:
            yield rows[0]
            raise JournalError("disk I/O error")

        read = failing()
    watch = audit_over(world, read, anchor)
    world.clock.advance(3600)
    for _ in range(4):
        watch.look()
    assert world.modes.mode is Mode.OBSERVE
    assert world.alarms[-1].code == "AUDIT"


# --- models


class MemoryStore:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def set(self, name: str, value: str) -> None:
        self.values[name] = value


def loaded(world: World, digest: str) -> None:
    now = world.clock.now()
    world.bus.publish(
        ModelLoaded(ts_event=now, ts_init=now, model_id="trees", kind="boosted", sha256=digest, domain="daily")
    )


def test_a_changed_model_is_off_until_a_person_accepts_it_also_after_a_restart(world: World) -> None:
    store = MemoryStore()
    watch = ModelWatch(world.bus, store, world.modes, world.lamps)
    watch.start()
    loaded(world, "a")
    assert world.modes.mode is Mode.AUTO
    loaded(world, "b")
    assert world.modes.mode is Mode.MANUAL
    assert not watch.allows("trees", "b")
    assert not watch.accept("trees", "agent").ok
    watch.stop()
    again = ModelWatch(world.bus, store, world.modes, world.lamps)
    again.start()
    assert not again.allows("trees", "b")
    loaded(world, "b")
    assert again.accept("trees", "window").ok
    assert again.allows("trees", "b")
    assert not again.allows("trees", "a")


def test_an_unreadable_list_of_accepted_models_allows_none(world: World) -> None:
    store = MemoryStore()
    store.values["models.accepted"] = "{not json"
    watch = ModelWatch(world.bus, store, world.modes, world.lamps)
    watch.start()
    assert not watch.allows("trees", "a")
    loaded(world, "a")
    assert world.modes.mode is Mode.MANUAL
