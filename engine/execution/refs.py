"""Order references: our durable name of an intent. The counter is durable and never reused."""

import re
from datetime import UTC, datetime
from typing import Protocol

from engine.model.ids import AccountId, OrderRef
from engine.model.order import Origin

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_COUNTER = "order-ref"
_REF = re.compile(
    r"^(?P<app>[A-Z0-9]{1,6})-(?P<account>.{1,4})-(?P<day>\d{6})-(?P<count>[0-9a-v]+)-(?P<origin>[MAPFXR])$"
)


class CounterStore(Protocol):
    """Durable counts."""

    def get(self, key: str, date: str) -> int: ...
    def add(self, key: str, date: str, n: int = 1) -> int: ...


def base32(number: int) -> str:
    """Write a count with the digits 0-9a-v, at least four of them."""
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = _DIGITS[digit] + digits
    return digits.rjust(4, "0")


class References:
    """Makes references ``<app>-<acct4>-<yymmdd>-<count>-<origin>``; the day is that of UTC.

    The durable count of a day is moved ahead by blocks, so that most references cost no commit; a crash skips the rest
    of a block and reuses nothing. It is never behind the seconds of the day: with a restored backup, which does not
    know what was sent since, the count still goes past it.
    """

    block = 64

    def __init__(self, prefix: str, counters: CounterStore) -> None:
        self._prefix = prefix
        self._counters = counters
        self._day = ""
        self._next = 0
        self._end = 0

    def reserve(self, origin: Origin, account: AccountId, now_ns: int) -> OrderRef:
        """Return a reference that was never used. Raises ``JournalError`` when the counter cannot be kept."""
        moment = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
        day = moment.strftime("%y%m%d")
        if self._next >= self._end or day != self._day:
            seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
            behind = max(0, seconds - self._counters.get(_COUNTER, day))
            self._end = self._counters.add(_COUNTER, day, behind + self.block)
            self._next = self._end - self.block
            self._day = day
        self._next += 1
        tail = re.sub(r"[^A-Za-z0-9]", "", account)[-4:] or "0"
        return OrderRef(f"{self._prefix}-{tail}-{day}-{base32(self._next)}-{_letter(origin)}")

    def ours(self, ref: str) -> bool:
        """Whether a reference has our form and prefix."""
        match = _REF.match(ref)
        return match is not None and match["app"] == self._prefix

    def origin(self, ref: str) -> Origin:
        """Who wanted the order, by its reference."""
        return _ORIGIN.get(ref[-1:], Origin.EXTERNAL)

    def saw(self, ref: str) -> None:
        """A reference of ours exists that we did not know (a restored backup): never make it again."""
        match = _REF.match(ref)
        if match is None:
            return
        day, count = match["day"], int(match["count"], 32)
        stored = self._counters.get(_COUNTER, day)
        if count > stored:
            self._counters.add(_COUNTER, day, count - stored)
            self._end = self._next if day == self._day else self._end


def _letter(origin: Origin) -> str:
    return {v: k for k, v in _ORIGIN.items()}[origin]


_ORIGIN = {
    "M": Origin.MANUAL,
    "A": Origin.AUTO,
    "P": Origin.PROTECTIVE,
    "F": Origin.FLATTEN,
    "X": Origin.EXTERNAL,
    "R": Origin.PROGRAM,
}
