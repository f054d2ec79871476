"""The average true range of a symbol over 14 days: asked of the engine, remembered while it lives."""

import logging
import math
import time
from array import array
from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import QObject, Signal

from engine.api.client import EngineUnavailable
from engine.api.commands import GetIndicator
from engine.model.ids import Symbol
from engine.model.money import exact
from market_agent_gui.bridge import EngineBridge, LinkState
from market_agent_gui.chart_memory import DAY_S
from market_agent_gui.loop import TaskOwner

log = logging.getLogger(__name__)

DAYS = 14
AGAIN_S = 30.0
"""An answer, or none, holds this long."""


class Ranges(QObject):
    """What presets reckon stops and targets with. An answer that is no number is none."""

    changed = Signal(str)
    """symbol"""

    def __init__(
        self, bridge: EngineBridge, parent: QObject | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._monotonic = monotonic
        self._bridge = bridge
        self._known: dict[str, Decimal] = {}
        self._asked: dict[str, float] = {}
        """When, by symbol."""
        self._tasks = TaskOwner(lambda name, error: log.error("%s failed", name, exc_info=error))
        bridge.link_changed.connect(self._on_link)

    def get(self, symbol: str) -> Decimal | None:
        """Return it in money; None while unknown."""
        return self._known.get(symbol)

    def ask(self, symbol: str) -> None:
        """Ask the engine, unless it was asked a moment ago."""
        now = self._monotonic()
        if symbol and now - self._asked.get(symbol, -AGAIN_S) >= AGAIN_S and self._bridge.link is LinkState.UP:
            self._asked[symbol] = now
            self._tasks.start(self._ask(symbol), "ask for the average range")

    async def _ask(self, symbol: str) -> None:
        command = GetIndicator(symbol=Symbol(symbol), seconds=DAY_S, id="atr", params={"period": DAYS}, count=1)
        try:
            receipt = await self._bridge.send(command)
        except (EngineUnavailable, OSError) as error:
            log.info("the average range of %s is not known: %s", symbol, error)
            return
        packed = receipt.data.get("outputs") if receipt.ok else None
        column = packed.get("atr") if isinstance(packed, dict) else None
        values = array("d", column) if isinstance(column, bytes) else array("d")
        if values and math.isfinite(values[-1]) and values[-1] > 0:
            before, self._known[symbol] = self._known.get(symbol), exact(values[-1])
            if before != self._known[symbol]:
                self.changed.emit(symbol)
        else:
            log.info("the average range of %s is not known: %s", symbol, receipt.text or "too little history")

    def _on_link(self, state: str, _text: str) -> None:
        if state != LinkState.UP.value:
            self._known.clear()  # another engine may have another book
            self._asked.clear()

    async def close(self) -> None:
        await self._tasks.close()
