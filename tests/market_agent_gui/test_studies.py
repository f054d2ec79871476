"""When a chart asks for the values of its indicators again."""

from collections.abc import Callable

import pytest

from engine.api.frames import BarUpdate
from tests.support_gui.harness import Desk, until


@pytest.mark.parametrize(
    ("simulated", "speed", "seconds", "follows"),
    [
        (False, None, 60, True),
        (True, 1.0, 60, True),
        (True, 20.0, 60, False),
        (True, 20.0, 300, True),
        (True, 20.0, 3_600, True),
        (True, None, 86_400, False),
    ],
)
def test_indicators_follow_a_forming_bar_only_where_somebody_can_read_its_values(
    desk: Desk, run: Callable, simulated: bool, speed: float | None, seconds: int, follows: bool
) -> None:
    async def story() -> None:
        await desk.open()
        presenter = desk.shell.presenters["chart"]
        chart, studies = presenter._pane.chart, presenter._studies
        desk.shell.charts.main.set(seconds=seconds)
        desk.engine.state(simulated_time=simulated, speed=speed)
        state = desk.shell.bridge.mirror.state
        await until(lambda: (state().simulated_time, state().speed) == (simulated, speed), "the speed")
        await until(lambda: presenter._where()[1] == seconds and len(studies._answers) > 0, "the lines")
        last = int(chart._data.ts[-1])
        bar = BarUpdate(symbol=presenter.symbol, seconds=seconds, ts_open=last, open=1.0, high=500.0, low=1.0,
                        close=2.0, volume=5.0)  # fmt: skip
        studies._tail.stop()
        studies.on_bar(bar, appended=False)
        assert studies._tail.isActive() == follows
        turn = studies._turn
        studies.on_bar(bar, appended=True)
        studies.on_bar(bar, appended=True)
        assert studies._turn == turn + 1, "a bar that has closed is asked for at once, the next a second later"
        assert studies._closed.pending

    run(story())
