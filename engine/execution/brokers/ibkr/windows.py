"""When the gateway restarts: the nightly restart and the weekly login, as instants. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from engine.bus.clock import SECOND
from engine.bus.errors import SettingsError
from engine.execution.brokers.ibkr.settings import IbkrSettings

_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
WARN_BEFORE_S = 600.0


class Window(msgspec.Struct, frozen=True):
    """A stretch of time in which no order may leave. UTC ns."""

    name: str
    at_ns: int
    start_ns: int
    end_ns: int


class Windows:
    """The gateway's restarts around an instant."""

    def __init__(self, settings: IbkrSettings) -> None:
        try:
            self._zone = ZoneInfo(settings.restart_zone)
        except (KeyError, ValueError) as error:
            raise SettingsError(f"ibkr.restart_zone: there is no time zone {settings.restart_zone!r}") from error
        self._nightly = _clock_time(settings.restart_at)
        day, _, clock_time = settings.weekly_login.partition(" ")
        self._weekday, self._weekly = _DAYS.index(day), _clock_time(clock_time)
        self._margin_ns = round(settings.restart_margin_s * SECOND)
        self._free: tuple[int, int] = (0, 0)
        """A stretch known to be free of windows; asked before every order, so it is remembered."""

    def holding(self, now_ns: int) -> Window | None:
        """The window that holds ``now_ns``."""
        if self._free[0] <= now_ns < self._free[1]:
            return None
        around = self._around(now_ns)
        held = next((w for w in around if w.start_ns <= now_ns < w.end_ns), None)
        if held is None:
            ahead = min((w.start_ns for w in around if w.start_ns > now_ns), default=now_ns)
            self._free = (now_ns, ahead)
        return held

    def coming(self, now_ns: int, within_s: float = WARN_BEFORE_S) -> Window | None:
        """The next window that begins within ``within_s`` seconds."""
        limit = now_ns + round(within_s * SECOND)
        ahead = [w for w in self._around(now_ns) if now_ns < w.start_ns <= limit]
        return min(ahead, key=lambda w: w.start_ns, default=None)

    def weekly_passed(self, since_ns: int, now_ns: int) -> bool:
        """Whether the weekly login fell between two instants."""
        return any(w.name == "weekly login" and since_ns <= w.at_ns <= now_ns for w in self._around(now_ns, days=8))

    def local(self, at_ns: int) -> str:
        """Clock time of an instant in the gateway's zone."""
        return datetime.fromtimestamp(at_ns / SECOND, UTC).astimezone(self._zone).strftime("%H:%M")

    def _around(self, now_ns: int, days: int = 1) -> list[Window]:
        today = datetime.fromtimestamp(now_ns / SECOND, UTC).astimezone(self._zone).date()
        found = []
        for offset in range(-days, 2):
            date = today + timedelta(days=offset)
            for name, (hour, minute), weekday in (
                ("nightly restart", self._nightly, None),
                ("weekly login", self._weekly, self._weekday),
            ):
                if weekday is not None and date.weekday() != weekday:
                    continue
                local = datetime(date.year, date.month, date.day, hour, minute, tzinfo=self._zone)
                at_ns = round(local.timestamp()) * SECOND
                found.append(Window(name, at_ns, at_ns - self._margin_ns, at_ns + self._margin_ns))
        return found


def _clock_time(text: str) -> tuple[int, int]:
    hour, _, minute = text.partition(":")
    return int(hour), int(minute)
