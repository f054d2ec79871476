"""When the broker is compared with: several wishes make one round, and the most urgent says when."""

from typing import Any

import pytest

from engine.bus.clock import SECOND, StepClock
from engine.execution.rounds import Rounds
from engine.execution.settings import ExecutionSettings
from engine.model.report import LinkState


class Broker:
    """Embedded: its picture is there at once."""

    link = LinkState.UP

    def snapshot_now(self) -> object:
        return object()


@pytest.fixture
def rounds() -> tuple[StepClock, Rounds, list[int]]:
    clock = StepClock(1_700_000_000 * SECOND)
    begun: list[int] = []
    broker: Any = Broker()
    settings = ExecutionSettings(orders_every_s=300)
    made = Rounds(clock, broker, settings, lambda snapshot, exact: begun.append(clock.now()), pytest.fail)
    made.start()
    begun.clear()
    return clock, made, begun


def test_a_round_that_was_to_come_later_is_no_reason_to_wait_with_one_that_is_wanted_now(rounds) -> None:
    clock, made, begun = rounds
    start = clock.now()
    made.request(30.0)
    made.request()
    clock.advance(60)
    assert begun == [start + round(made.least_gap_s * SECOND)]


def test_a_round_that_comes_soon_serves_a_wish_for_later_too(rounds) -> None:
    clock, made, begun = rounds
    made.request()
    made.request(30.0)
    made.request()
    clock.advance(60)
    assert len(begun) == 1
