"""The bell: how a part of the engine says what a person must know."""

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.model.events.system import Alarm, ComponentFailed


class Bell:
    """Publishes an :class:`Alarm` as of now each time it is called."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    def __call__(
        self, code: str, severity: str, happened: str, did: str = "", you_can: str = "", *, cleared: bool = False
    ) -> None:
        """Say what happened, what the program did and what you can do; ``cleared`` takes the line of ``code`` back."""
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

    def failed(self, component: str, error: BaseException, text: str, halted: bool = False) -> None:
        """Say that a part of the engine failed; ``text``: what it means for the person."""
        now = self._clock.now()
        said = f"{type(error).__name__}: {error}"
        self._bus.publish(
            ComponentFailed(ts_event=now, ts_init=now, component=component, error=said, text=text, halted=halted)
        )
