"""Entries whose strategy gives them longer than the broker may hold them unseen get a new end in time (G36).

The broker ends the agent's entries after minutes, so that nothing waits there for an engine that is gone. While the
engine lives and the gate would send the same order again, the end is moved on, up to the life the strategy gave it.
What is refused is not asked for with force: the order then ends by itself, which is the safe side.
"""

from typing import Protocol

import structlog

from engine.api.commands import Receipt
from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock, Timer
from engine.model.decision import Mode
from engine.model.events.order import OrderAccepted, OrderEvent, OrderHeld, OrderModified, OrderPartlyFilled
from engine.model.ids import OrderRef
from engine.model.order import OrderStatus, TimeInForce

BEFORE_S = 100.0
"""How long before the end at the broker it is moved on; a third of the shortest wait that is left to it."""
AGAIN_S = 20.0
_log = structlog.get_logger("refresher")


class Desk(Protocol):
    def order(self, ref: OrderRef) -> OrderStatus | None: ...
    def extend(self, ref: OrderRef, until_ns: int, by: str) -> Receipt: ...


class Modes(Protocol):
    @property
    def mode(self) -> Mode: ...


class Refresher:
    """One timer an order."""

    name = "refresher"

    def __init__(self, bus: Bus, clock: Clock, desk: Desk, modes: Modes) -> None:
        self._bus, self._clock, self._desk, self._modes = bus, clock, desk, modes
        self._timers: dict[OrderRef, Timer] = {}

    async def start(self) -> None:
        """Listen; after a restart the first comparison tells of every order again."""
        for kind in (OrderAccepted, OrderHeld, OrderModified, OrderPartlyFilled):
            self._bus.subscribe(kind, self._on_order, owner=self.name, role=Role.DECIDER)

    async def stop(self) -> None:
        """Move nothing on any more: what waits at the broker ends there by itself."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _on_order(self, event: OrderEvent) -> None:
        if wants_longer(event.status):
            self._set(event.status, BEFORE_S)

    def _set(self, status: OrderStatus, before_s: float) -> None:
        if (timer := self._timers.pop(status.ref, None)) is not None:
            timer.cancel()
        now, end = self._clock.now(), status.request.good_till_ns or 0
        at = max(end - round(before_s * SECOND), now + (end - now) // 3)
        self._timers[status.ref] = self._clock.call_at(at, lambda: self._due(status.ref))

    def _due(self, ref: OrderRef) -> None:
        self._timers.pop(ref, None)
        status, now = self._desk.order(ref), self._clock.now()
        if status is None or not wants_longer(status) or self._modes.mode is not Mode.AUTO:
            return
        end, until = status.request.good_till_ns or 0, status.request.live_until_ns or 0
        if now >= end:
            return
        receipt = self._desk.extend(ref, until, self.name)
        if not receipt.ok:
            _log.info("an entry is not kept longer", ref=ref, code=receipt.code, reason=receipt.text)
            if end - now > 2 * AGAIN_S * SECOND:
                self._set(status, (end - now) / SECOND - AGAIN_S)


def wants_longer(status: OrderStatus) -> bool:
    """Say whether an order ends at the broker before its strategy's time is over."""
    request = status.request
    return (
        not status.state.closed
        and not status.external
        and request.origin.unattended
        and not request.reduce_only
        and request.tif is TimeInForce.GTD
        and request.good_till_ns is not None
        and request.live_until_ns is not None
        and request.good_till_ns < request.live_until_ns
    )
