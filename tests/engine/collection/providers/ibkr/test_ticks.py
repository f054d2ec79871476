"""The sides of a quote that come one at a time: a move is told once both have come."""

import math

import pytest

from engine.bus.clock import SECOND, StepClock
from engine.collection.providers.ibkr.ticks import Ticks
from engine.model.events.market import QuoteTick
from engine.model.ids import Symbol

BID, ASK = 1, 2


class Line:
    def __init__(self) -> None:
        self.clock = StepClock(0)
        self.told: list[QuoteTick] = []
        self.ticks = Ticks(
            Symbol("AAPL"), self.told.append, self.clock, lambda each: None, lambda each, code, text: None
        )

    def packet(self, *sides: tuple[int, float]) -> None:
        for side, price in sides:
            self.ticks("price", side, price, 100.0)
        self.ticks.flush()

    def last(self) -> tuple[float, float]:
        return self.told[-1].bid, self.told[-1].ask


@pytest.fixture
def line() -> Line:
    made = Line()
    made.packet((BID, 10.00), (ASK, 10.02))
    return made


def test_a_bid_that_passes_the_ask_waits_for_the_ask_of_the_next_packet(line: Line) -> None:
    line.packet((BID, 10.05))
    assert line.last() == (10.00, 10.02)
    line.packet((ASK, 10.07))
    assert line.last() == (10.05, 10.07)
    assert len(line.told) == 2


def test_an_ask_that_passes_the_bid_waits_too(line: Line) -> None:
    line.packet((ASK, 9.95))
    line.packet((BID, 9.93))
    assert [(q.bid, q.ask) for q in line.told[1:]] == [(9.93, 9.95)]


def test_prices_that_stay_crossed_are_told_a_second_later_so_that_they_are_refused(line: Line) -> None:
    line.packet((BID, 10.05))
    line.clock.advance_to(SECOND)
    line.packet((BID, 10.06))
    assert line.last() == (10.06, 10.02)


def test_both_sides_crossed_in_one_packet_are_told_at_once(line: Line) -> None:
    line.packet((BID, 10.05), (ASK, 10.03))
    assert line.last() == (10.05, 10.03)


def test_a_lost_line_waits_for_nothing(line: Line) -> None:
    line.packet((BID, 10.05))
    line.ticks.lost()
    line.packet((ASK, 10.07))
    assert math.isnan(line.told[-1].bid)
    assert line.told[-1].ask == 10.07
