"""Market time at a person's pace."""

import asyncio

import pytest

from engine.bus.clock import SECOND, LiveClock, ReplayClock
from engine.runtime.pace import Pace

START = 1_000 * SECOND


@pytest.fixture
def clock() -> ReplayClock:
    return ReplayClock(START, 5.0)


async def until_paused(clock: ReplayClock) -> None:
    while not clock.paused:  # noqa: ASYNC110  a clock has no event to wait for
        await asyncio.sleep(0)


async def test_a_step_ends_exactly_where_it_should_and_pauses_with_the_speed_of_before(clock):
    clock.pause()
    pace = Pace(clock)
    ticks: list[int] = []
    for second in range(1, 100):
        clock.call_at(START + second * SECOND, lambda: ticks.append(clock.now()))
    running = asyncio.create_task(clock.run(START + 3_600 * SECOND))
    assert pace.step(60).ok
    assert pace.step(60).code == "STEPPING"
    await until_paused(clock)
    assert (clock.now(), clock.speed, len(ticks)) == (START + 60 * SECOND, 5.0, 60)
    assert pace.step(10).ok
    await until_paused(clock)
    assert clock.now() == START + 70 * SECOND
    running.cancel()


async def test_choosing_a_speed_ends_a_step_that_is_under_way(clock):
    pace = Pace(clock)
    assert pace.step(60).ok
    assert pace.set(0).ok
    assert (clock.paused, clock.speed) == (True, 5.0)
    clock.advance(120)
    assert pace.set(20).ok
    assert (clock.paused, clock.speed) == (False, 20)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e6])
def test_a_step_of_no_length_is_refused(clock, seconds):
    assert Pace(clock).step(seconds).code == "ARGUMENT"


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(clock, speed):
    assert Pace(clock).set(speed).code == "ARGUMENT"
    assert clock.speed == 5.0


def test_a_live_market_has_its_own_speed():
    pace = Pace(LiveClock())
    assert [pace.set(5.0).code, pace.step(60).code] == ["LIVE", "LIVE"]
