"""Many requests, one call."""

import pytest
from pytestqt.qtbot import QtBot

from widgets.throttle import Throttle


def test_requests_within_the_interval_are_folded_into_one_later_call(qtbot: QtBot) -> None:
    calls: list[int] = []
    throttle = Throttle(lambda: calls.append(1), 20)
    for _ in range(50):
        throttle.request()
    assert len(calls) == 1, "the first is at once"
    assert throttle.pending
    qtbot.waitUntil(lambda: len(calls) == 2)
    assert not throttle.pending


def test_without_an_interval_every_request_is_a_call(qtbot: QtBot) -> None:
    calls: list[int] = []
    throttle = Throttle(lambda: calls.append(1), 0)
    for _ in range(5):
        throttle.request()
    assert len(calls) == 5


def test_what_is_owed_can_be_paid_or_forgotten(qtbot: QtBot) -> None:
    calls: list[int] = []
    throttle = Throttle(lambda: calls.append(1), 60_000)
    throttle.request()
    throttle.request()
    throttle.flush()
    assert len(calls) == 2
    throttle.request()
    throttle.request()
    throttle.cancel()
    throttle.flush()
    assert len(calls) == 3
    throttle.request()
    throttle.request()
    throttle.set_interval(0)
    assert len(calls) == 5


def test_an_interval_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="interval_ms"):
        Throttle(lambda: None, -1)
