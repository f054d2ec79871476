"""T-S1 in processes of their own: fifty orders at work, ten thousand ticks a second, a window that reads nothing."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.benchmarks.bench_stop import ORDERS, stop_under_load

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP is of another world there")]


def test_t_s1_stop_cancels_all_of_fifty_in_a_storm_of_ticks_with_the_window_held(tmp_path: Path) -> None:
    found = asyncio.run(stop_under_load(tmp_path))
    assert found["ticks"] > 5_000, "a storm it has to be"
    assert found["halted"]
    assert found["cancelled"] == ORDERS
    assert not found["placed_after"]
    assert not found["late"], "nothing new is taken"
