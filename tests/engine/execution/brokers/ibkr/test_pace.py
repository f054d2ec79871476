"""The budget of messages, by a clock in hand."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from engine.bus.clock import SECOND, StepClock
from engine.execution.brokers.ibkr.pace import Pace
from tests.engine.execution.brokers.ibkr.rig import LoopClock, run_virtual


def most_in_a_second(times: list[int]) -> int:
    return max((sum(1 for t in times if a <= t < a + SECOND) for a in times), default=0)


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("order"), st.integers(1, 3)),
            st.tuples(st.just("cancel"), st.integers(1, 60)),
            st.tuples(st.just("wait"), st.integers(1, 1500)),
        ),
        max_size=40,
    )
)
def test_no_second_ever_holds_more_than_the_budget_and_no_cancel_is_lost(steps: list[tuple[str, int]]) -> None:
    clock = StepClock(0)
    pace = Pace(clock, 50, 20)
    sent: list[int] = []
    cancels = done = 0

    def cancel() -> None:
        nonlocal done
        done += 1
        sent.append(clock.monotonic())

    for what, number in steps:
        if what == "order":
            if pace.take(number):
                sent.extend([clock.monotonic()] * number)
        elif what == "cancel":
            for _ in range(number):
                cancels += 1
                pace.cancel(cancel)
        else:
            clock.advance(number / 1000)
    clock.advance(cancels / 40 + 5)
    assert done == cancels
    assert pace.waiting == 0
    assert most_in_a_second(sent) <= 50


def test_fifty_cancels_after_any_busy_second_are_out_within_a_second() -> None:
    for busy in (0, 10, 30, 49):
        clock = StepClock(0)
        pace = Pace(clock, 50, 20)
        for _ in range(busy):
            assert pace.take(1)
            clock.advance(0.98 / max(busy, 1))
        began = clock.monotonic()
        last: list[int] = []
        for _ in range(50):
            pace.cancel(lambda last=last, clock=clock: last.append(clock.monotonic()))
        clock.advance(3)
        assert len(last) == 50
        assert last[-1] - began <= SECOND + 2_000_000


def test_an_order_waits_for_nothing_and_goes_after_no_cancel_that_waits() -> None:
    clock = StepClock(0)
    pace = Pace(clock, 50, 20)
    for _ in range(60):
        pace.cancel(lambda: None)
    assert pace.waiting == 10
    assert not pace.take(1)
    clock.advance(1.1)
    assert pace.take(1)
    assert not pace.take(50)


def test_cancels_that_waited_die_with_the_connection() -> None:
    clock = StepClock(0)
    pace = Pace(clock, 50, 20)
    done: list[int] = []
    for number in range(60):
        pace.cancel(lambda number=number: done.append(number))
    pace.reset()
    clock.advance(5)
    assert len(done) == 50


def test_data_keeps_to_its_share_and_in_order() -> None:
    async def story() -> None:
        clock = LoopClock()
        pace = Pace(clock, 50, 20)
        times: list[tuple[int, int]] = []

        async def ask(number: int) -> None:
            await pace.data()
            times.append((number, clock.monotonic()))

        await asyncio.gather(*(ask(n) for n in range(100)))
        assert [n for n, _ in times] == list(range(100))
        assert most_in_a_second([t for _, t in times]) <= 20

    run_virtual(story)
