"""How the desk speaks: order events without a change of state, and lines for the banner."""

from engine.bus.bell import Bell
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.record import OrderRecord
from engine.model.events.order import OrderEvent


class Voice:
    """Publishes for the desk and its helpers."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self.alarm = Bell(bus, clock)

    def tell(self, kind: type[OrderEvent], record: OrderRecord, **fields: object) -> None:
        """Publish an order event about a record as it stands."""
        now = self._clock.now()
        event = kind(
            ts_event=now,
            ts_init=now,
            ref=record.ref,
            symbol=record.symbol,
            side=record.request.side,
            status=record.status(),
            **fields,
        )
        self._bus.publish(event)
