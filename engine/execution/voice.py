"""How the desk speaks: order events without a change of state, and lines for the banner."""

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.record import OrderRecord
from engine.model.events.order import OrderEvent
from engine.model.events.system import Alarm


class Voice:
    """Publishes for the desk and its helpers."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

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

    def alarm(
        self, code: str, severity: str, happened: str, did: str = "", you_can: str = "", cleared: bool = False
    ) -> None:
        """Publish a line for the banner: what happened, what the program did, what you can do."""
        now = self._clock.now()
        self._bus.publish(
            Alarm(
                ts_event=now,
                ts_init=now,
                code=code,
                severity=severity,
                happened=happened,
                did=did,
                you_can=you_can,
                cleared=cleared,
            )
        )
