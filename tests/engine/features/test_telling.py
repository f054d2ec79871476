"""Vectors of a whole universe are published a few at a time: others have their turn between."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.features.engine import AT_ONCE, FeatureEngine
from engine.model.events.market import BarClosed
from engine.model.events.thought import FeaturesReady
from engine.model.ids import Symbol

START = 1_767_623_400 * SECOND
SYMBOLS = tuple(Symbol(f"S{number:02}") for number in range(40))


class Rig:
    def __init__(self) -> None:
        self.clock = StepClock(START)
        self.bus = Bus(lambda owner, role, event, error: pytest.fail(str(error)))
        self.engine = FeatureEngine(self.bus, self.clock, SYMBOLS, [60])
        self.told: list[FeaturesReady] = []
        self.between: list[int] = []
        self.bus.subscribe(FeaturesReady, self._on, owner="test")

    def _on(self, event: FeaturesReady) -> None:
        if not self.told:
            self.clock.call_later(0.0, lambda: self.between.append(len(self.told)))
        self.told.append(event)

    def close(self, minute: int, price: float) -> None:
        end = START + minute * 60 * SECOND
        self.clock.advance_to(end)
        for symbol in SYMBOLS:
            self.bus.publish(
                BarClosed(
                    ts_event=end, ts_init=end, symbol=symbol, seconds=60, ts_open=end - 60 * SECOND,
                    open=price, high=price + 1, low=price - 1, close=price, volume=100.0,
                )
            )  # fmt: skip
        self.clock.advance(0)


async def test_a_timer_of_the_same_moment_runs_before_the_whole_universe_is_told() -> None:
    rig = Rig()
    await rig.engine.start()
    rig.close(1, 100.0)
    assert [event.symbol for event in rig.told] == list(SYMBOLS)
    assert rig.between == [AT_ONCE]


async def test_what_is_told_is_the_vector_of_its_own_bar_also_when_the_next_bar_has_closed() -> None:
    rig = Rig()
    await rig.engine.start()
    rig.close(1, 100.0)
    rig.close(2, 101.0)
    stamps = [event.as_of for event in rig.told]
    assert stamps == [START + 60 * SECOND] * 40 + [START + 120 * SECOND] * 40
    assert rig.told[-1].vector != rig.told[39].vector


async def test_after_the_stop_nothing_more_is_told() -> None:
    rig = Rig()
    await rig.engine.start()
    rig.bus.subscribe(FeaturesReady, lambda event: stop.append(event), owner="stop")
    stop: list[FeaturesReady] = []
    end = START + 60 * SECOND
    rig.clock.advance_to(end)
    for symbol in SYMBOLS:
        rig.bus.publish(
            BarClosed(
                ts_event=end, ts_init=end, symbol=symbol, seconds=60, ts_open=end - 60 * SECOND,
                open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0,
            )
        )  # fmt: skip
    await rig.engine.stop()
    rig.clock.advance(5)
    assert len(stop) < len(SYMBOLS)


def test_history_that_comes_later_does_not_make_the_market_of_others_jump() -> None:
    rig = Rig()
    ends = START + np.arange(-9, 1) * 60 * SECOND

    def rising(step: float) -> dict[str, NDArray[Any]]:
        close = 100.0 * (1 + step) ** np.arange(10)
        return {"ts_event": ends, **dict.fromkeys(("open", "high", "low", "close"), close), "volume": np.ones(10)}

    rig.engine.seed(60, {SYMBOLS[0]: rising(0.01)})
    series = rig.engine._series[60]
    before = series.market
    rig.engine.seed(60, {SYMBOLS[1]: rising(-0.01)})
    assert series.market == before > 105
    rig.engine.compute(60)
