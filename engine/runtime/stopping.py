"""STOP as a command: the switch itself is synchronous; the answer waits a moment for confirmations."""

import asyncio
from decimal import Decimal

import structlog

from engine.api.commands import Receipt
from engine.api.halt_flag import leave_halt_flag
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.stop import Stop
from engine.market.cache import MarketCache
from engine.model.ids import IntentId, Symbol
from engine.runtime.spec import EngineSpec
from engine.runtime.trading import Trading

CONFIRM_WAIT_S = 1.0
STEP_S = 0.05
_log = structlog.get_logger("stop")


class StopSwitch:
    """Reachable from the door, the halt flag, and the supervisor."""

    def __init__(self, spec: EngineSpec, bus: Bus, clock: Clock, trading: Trading, market: MarketCache) -> None:
        self._desk = trading.desk
        self._profile = spec.profile
        self._flattened: dict[IntentId, Receipt] = {}
        self._switch = Stop(
            bus,
            clock,
            desk=trading.desk,
            booking=trading.ledger,
            modes=trading.modes,
            gate=trading.gate,
            market=market,
            settings=spec.execution,
        )
        trading.aside.yield_to(lambda symbol: symbol in self._switch.closing)

    async def stop(self, by: str, reason: str, flatten: bool = False, protective: bool = False) -> Receipt:
        """Stop now; then wait up to a second to say what is confirmed."""
        receipt = self._switch.stop(by, reason, flatten, protective)
        if receipt.data.get("recorded") is False:
            self._leave_flag()
        asked = receipt.data.get("cancelled")
        refs = set(asked) if isinstance(asked, list) else set()
        for _ in range(round(CONFIRM_WAIT_S / STEP_S)):
            if not any(status.ref in refs for status in self._desk.open_orders()):
                break
            await asyncio.sleep(STEP_S)
        unconfirmed = [status.ref for status in self._desk.open_orders() if status.ref in refs]
        confirmed = len(refs) - len(unconfirmed)
        text = "Stopped. Nothing was working that it cancels."
        if refs:
            text = f"Stopped. {confirmed} of {len(refs)} cancels confirmed."
        if unconfirmed:
            text += f" Not confirmed yet: {', '.join(unconfirmed[:5])}."
        data = {**receipt.data, "unconfirmed": unconfirmed}
        return Receipt(ok=True, code="STOPPED", text=text, data=data)

    def _leave_flag(self) -> None:
        """The journal takes nothing; the next start stops by the flag."""
        try:
            leave_halt_flag(self._profile)
        except OSError as error:
            _log.critical("a halt is not recorded anywhere", reason=str(error))

    async def flatten(self, symbol: Symbol | None, fraction: Decimal, intent: IntentId, by: str) -> Receipt:
        """Close positions; the same intent twice is once."""
        if intent and intent in self._flattened:
            return self._flattened[intent]
        receipt = self._switch.flatten(symbol, fraction, by)
        if intent:
            self._flattened[intent] = receipt
        return receipt
