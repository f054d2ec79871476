"""Clocks run timers in order of time and creation, and never go back."""

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from engine.bus.clock import MILLISECOND, SECOND, ReplayClock, StepClock


def test_timers_of_one_instant_run_in_order_of_creation():
    clock, ran = StepClock(0), []
    clock.call_at(5, lambda: ran.append("a"))
    clock.call_at(5, lambda: ran.append("b"))
    clock.call_at(3, lambda: ran.append("c"))
    assert clock.advance_to(10) == 3
    assert ran == ["c", "a", "b"]
    assert clock.now() == 10


def test_a_timer_set_for_the_past_runs_at_once_and_time_does_not_go_back():
    clock, seen = StepClock(100), []
    clock.call_at(5, lambda: seen.append(clock.now()))
    clock.advance_to(100)
    assert seen == [100]


def test_a_cancelled_timer_does_not_run():
    clock, ran = StepClock(0), []
    clock.call_later(1, lambda: ran.append(1)).cancel()
    clock.advance(2)
    assert ran == []
    assert clock.next_timer() is None


def test_a_jump_runs_what_was_due_once_and_late():
    clock, ran = StepClock(0), []

    def every_second() -> None:
        ran.append(clock.now())
        clock.call_later(1.0, every_second)

    clock.call_later(1.0, every_second)
    cancelled = clock.call_later(2.0, lambda: ran.append(-1))
    clock.call_later(1.5, cancelled.cancel)
    clock.jump_to(100 * SECOND)
    assert ran == [100 * SECOND]
    assert clock.next_timer() == 101 * SECOND


@given(st.lists(st.integers(0, 1000), max_size=40))
def test_timers_always_run_in_order_of_time(times: list[int]):
    clock, ran = StepClock(0), []
    for when in times:
        clock.call_at(when, lambda when=when: ran.append(when))
    clock.advance_to(1000)
    assert ran == sorted(times)


async def test_the_replay_clock_at_full_speed_ends_exactly_and_lets_others_run():
    clock, beats = ReplayClock(0, speed=None, slice_ms=1.0), []
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks < 20_000:
            clock.call_later(1.0, tick)

    clock.call_later(1.0, tick)

    async def heart() -> None:
        while True:
            beats.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(heart())
    await clock.run(20_000 * SECOND)
    task.cancel()
    assert ticks == 20_000
    assert clock.now() == 20_000 * SECOND
    assert len(beats) > 3


async def test_a_job_in_turns_of_one_instant_lets_others_run_in_between():
    clock, heard = ReplayClock(0, speed=1.0, slice_ms=0.1), []
    turns = 20

    def turn(left: int) -> None:
        until = time.monotonic_ns() + MILLISECOND
        while time.monotonic_ns() < until:
            continue
        heard.append("job")
        if left > 1:
            clock.call_later(0.0, lambda: turn(left - 1))

    async def other() -> None:
        while heard.count("job") < turns:
            heard.append("other")
            await asyncio.sleep(0)

    clock.call_later(0.0, lambda: turn(turns))
    running = asyncio.create_task(other())
    await clock.run(50 * MILLISECOND)
    await running
    between = heard[heard.index("job") :]
    assert between.count("other") >= turns // 2


async def test_sleep_wakes_with_market_time_and_a_paused_clock_stands_still():
    clock = ReplayClock(0, speed=None)
    clock.pause()
    woke: list[int] = []

    async def sleeper() -> None:
        await clock.sleep(3.0)
        woke.append(clock.now())

    task = asyncio.create_task(sleeper())
    await asyncio.sleep(0)
    driver = asyncio.create_task(clock.run(10 * SECOND))
    await asyncio.sleep(0.05)
    assert clock.now() == 0
    clock.pause(False)
    await driver
    await task
    assert woke == [3 * SECOND] or 3 * SECOND <= woke[0] <= 10 * SECOND
