"""The gateway's time: starts where the test says and runs with the event loop, virtual or real."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LOGIN_ZONE = "US/Eastern"


class GatewayClock:
    """UTC nanoseconds; `advance` jumps forward without waiting."""

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must carry a time zone")
        self._base_ns = time.time_ns() if start is None else round(start.timestamp() * 1e9)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._t0 = 0.0

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is None:
            self._loop, self._t0 = loop, loop.time()

    def now_ns(self) -> int:
        if self._loop is None:
            return self._base_ns
        return self._base_ns + round((self._loop.time() - self._t0) * 1e9)

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._base_ns += round(seconds * 1e9)

    def now(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now_ns() // 1000)

    def local(self) -> datetime:
        """Now in the zone of the login settings."""
        return self.now().astimezone(ZoneInfo(LOGIN_ZONE))

    def stamp(self, ts_ns: int | None = None) -> str:
        """`yyyymmdd hh:mm:ss US/Eastern`, as in executions."""
        moment = self.now() if ts_ns is None else datetime.fromtimestamp(ts_ns / 1e9, UTC)
        return moment.astimezone(ZoneInfo(LOGIN_ZONE)).strftime("%Y%m%d %H:%M:%S ") + LOGIN_ZONE


def parse_order_time(value: str) -> datetime:
    """Read `yyyymmdd-hh:mm:ss` (UTC), `yyyymmdd hh:mm:ss ZONE`, `yyyymmdd hh:mm:ss` (login zone) or `yyyymmdd`."""
    value = value.strip()
    if len(value) == 8:
        return datetime.strptime(value + " 23:59:59", "%Y%m%d %H:%M:%S").replace(tzinfo=ZoneInfo(LOGIN_ZONE))
    if "-" in value:
        return datetime.strptime(value, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    parts = value.split(" ", 2)
    moment = datetime.strptime(" ".join(parts[:2]), "%Y%m%d %H:%M:%S")  # noqa: DTZ007 - zone is added below
    return moment.replace(tzinfo=ZoneInfo(parts[2] if len(parts) > 2 else LOGIN_ZONE))
