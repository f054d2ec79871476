"""Lines of the banner that are lit while a fault lasts: told when they change, never over and over."""

from typing import NamedTuple

from engine.bus.bell import Bell
from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock


class _Lit(NamedTuple):
    severity: str
    happened: str
    did: str
    you_can: str


class Lamps:
    """Publishes ``Alarm``: once when lit, again when the words change, once when it is over."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bell, self._clock = Bell(bus, clock), clock
        self._lit: dict[str, _Lit] = {}
        self._seen_ns: dict[str, int] = {}

    def lit(self, code: str) -> bool:
        return code in self._lit

    def light(self, code: str, severity: str, happened: str, did: str = "", you_can: str = "") -> None:
        """Say what happened, what the program did, what the person can do."""
        self._seen_ns[code] = self._clock.now()
        line = _Lit(severity, happened, did, you_can)
        if self._lit.get(code) == line:
            return
        self._lit[code] = line
        self._publish(code, line)

    def keep(self, code: str) -> None:
        """It still holds: what lit the lamp was seen again."""
        if code in self._lit:
            self._seen_ns[code] = self._clock.now()

    def over(self, code: str, text: str = "", after_s: float = 0.0) -> bool:
        """Put a lamp out once it has not been lit for ``after_s``; say whether it went out now."""
        line = self._lit.get(code)
        if line is None or self._clock.now() - self._seen_ns[code] < after_s * SECOND:
            return False
        del self._lit[code]
        self._publish(code, line._replace(happened=text or line.happened, did="", you_can=""), cleared=True)
        return True

    def _publish(self, code: str, line: _Lit, cleared: bool = False) -> None:
        self._bell(code, line.severity, line.happened, line.did, line.you_can, cleared=cleared)
