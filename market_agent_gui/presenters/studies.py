"""The indicators of one chart: asked of the engine, drawn over and below the bars, kept current while the bar forms."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from engine.api.client import EngineUnavailable
from engine.api.commands import GetIndicator, GetIndicators, Receipt
from engine.api.frames import BarUpdate
from engine.model.ids import Symbol
from market_agent_gui.chart_columns import ChartColumns
from market_agent_gui.chart_memory import ChartMemory, Study
from market_agent_gui.loop import TaskOwner
from market_agent_gui.services import Services
from market_agent_gui.study_lines import Answered, newest, overlays, panes, read_answer
from widgets.candle_chart.chart import CandleChart
from widgets.throttle import Throttle
from widgets.words import told

log = logging.getLogger(__name__)

TAIL_MS = 1_000
LEAST_BAR_S = 5.0
"""A bar that forms for a shorter time, in fast simulated time, is followed when it has closed: a person reads no
values between."""


class Studies(QObject):
    """Follows the chart's bars. ``where`` names the chart: symbol and seconds."""

    def __init__(
        self,
        services: Services,
        memory: ChartMemory,
        chart: CandleChart,
        columns: ChartColumns,
        tasks: TaskOwner,
        where: Callable[[], tuple[str, int]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._memory = memory
        self._services, self._chart, self._columns, self._tasks, self._where = services, chart, columns, tasks, where
        self.table: list[dict[str, Any]] = []
        """The engine's indicators, as GetIndicators tells them."""
        self._answers: list[Answered] = []
        self._last: BarUpdate | None = None
        self._turn = 0
        self._asking = False
        self._refused: set[str] = set()
        self._tail = QTimer(self, singleShot=True, interval=TAIL_MS)
        self._tail.timeout.connect(self._on_tail)
        self._closed = Throttle(self.load, TAIL_MS, self)

    def close(self) -> None:
        self._tail.stop()
        self._closed.cancel()

    def clear(self) -> None:
        """The chart shows something else; its bars are on their way."""
        self._turn += 1
        self._answers, self._last = [], None
        self._tail.stop()
        self._closed.cancel()

    def load(self) -> None:
        """Ask for every indicator over the bars there are."""
        self._turn += 1
        self._tasks.start(self._load(self._turn), "load indicators")

    def on_bar(self, bar: BarUpdate, appended: bool) -> None:
        """The newest bar moved, or a new one began: the one before is final now."""
        self._last = bar
        if appended and self._answers:
            self._closed.request()
        elif self._answers and not self._tail.isActive() and self._lasts():
            self._tail.start()

    def _lasts(self) -> bool:
        """Whether a bar forms long enough for somebody to read its values before it closes."""
        state = self._services.bridge.mirror.state()
        if state is None or not state.simulated_time:
            return True
        return state.speed is not None and self._where()[1] >= LEAST_BAR_S * state.speed

    async def read_table(self) -> list[dict[str, Any]]:
        """Return the engine's table of indicators; asked for once."""
        if not self.table:
            receipt = await self._services.bridge.send(GetIndicators())
            found = receipt.data.get("indicators")
            self.table = found if receipt.ok and isinstance(found, list) else []
        return self.table

    async def _load(self, turn: int) -> None:
        symbol, seconds = self._where()
        stamps = self._columns.stamps
        if not symbol or not stamps.size:
            return
        try:
            table = await self.read_table()
            answers = await self._ask(symbol, seconds, self._memory.studies(symbol, seconds), int(stamps.size))
        except (EngineUnavailable, OSError) as error:
            log.info("no indicators: %s", error)
            return
        if turn == self._turn:
            self._answers = answers
            self._draw(self._columns.stamps, table)

    async def _ask(self, symbol: str, seconds: int, studies: tuple[Study, ...], count: int) -> list[Answered]:
        answers = []
        for study in studies:
            if study.id == "heikin_ashi":
                continue  # that is a way to draw the bars
            command = GetIndicator(
                symbol=Symbol(symbol), seconds=seconds, id=study.id, params=study.params, count=count
            )
            receipt = await self._services.bridge.send(command)
            answer = read_answer(study, receipt, self._drawn(study.id))
            if answer is not None:
                answers.append(answer)
            else:
                self._refuse(study, receipt)
        return answers

    def _refuse(self, study: Study, receipt: Receipt) -> None:
        if receipt.text and receipt.text not in self._refused:
            self._refused.add(receipt.text)
            self._services.say("warn", f"{study.id.upper()}: {told(receipt.text)}")

    def _drawn(self, id: str) -> frozenset[str]:
        return frozenset(output["name"] for row in self.table if row["id"] == id for output in row["outputs"])

    def _draw(self, stamps: NDArray[np.int64], table: list[dict[str, Any]]) -> None:
        styles = {(row["id"], output["name"]): output["style"] for row in table for output in row["outputs"]}
        self._chart.set_overlays(overlays(stamps, self._answers, styles))
        self._chart.set_panes(panes(stamps, self._answers, styles))

    def _on_tail(self) -> None:
        if not self._asking and self._last is not None and self._answers:
            self._tasks.start(self._follow(self._turn), "follow indicators")

    async def _follow(self, turn: int) -> None:
        symbol, seconds = self._where()
        self._asking = True
        try:
            answers = await self._ask(symbol, seconds, tuple(answer.study for answer in self._answers), 2)
        except (EngineUnavailable, OSError) as error:
            log.info("the indicators wait: %s", error)
            return
        finally:
            self._asking = False
        bar = self._last
        if turn != self._turn or bar is None or len(answers) != len(self._answers):
            return
        values = newest(bar.ts_open, answers)
        if values:
            self._chart.update_bar(bar.ts_open, bar.open, bar.high, bar.low, bar.close, bar.volume, values)
