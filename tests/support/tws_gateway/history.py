"""History: a deterministic price path per contract, or bars that the test loads; and IB's pacing rules."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.support.tws_gateway.contracts import Contract

if TYPE_CHECKING:
    from tests.support.tws_gateway.server import TwsGateway

BAR_SECONDS = {
    "1 secs": 1,
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "20 mins": 1200,
    "30 mins": 1800,
    "1 hour": 3600,
    "2 hours": 7200,
    "3 hours": 10800,
    "4 hours": 14400,
    "8 hours": 28800,
    "1 day": 86400,
    "1 week": 604800,
    "1 month": 2592000,
}
DURATION_SECONDS = {"S": 1, "D": 86400, "W": 604800, "M": 2592000, "Y": 31536000}
MAX_BARS = 10_000


@dataclass(frozen=True)
class Bar:
    """One bar; `start` is UTC seconds, volume -1 where there are no trades."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    count: int


def duration_seconds(text: str) -> int | None:
    """Seconds of `"2 D"`; None when it is not a duration."""
    parts = text.split()
    if len(parts) != 2 or not parts[0].isdigit() or parts[1] not in DURATION_SECONDS:
        return None
    return int(parts[0]) * DURATION_SECONDS[parts[1]]


def _noise(key: int, at: int) -> float:
    """A number in [-1, 1] that depends only on its arguments (64-bit mix of Steele et al., SplitMix)."""
    x = (key * 0x9E3779B97F4A7C15 + at * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return ((x ^ (x >> 31)) / 2**63) - 1.0


class Pacing:
    """The violations of historical data: identical within 15 s, six in 2 s per contract, 60 in ten minutes."""

    def __init__(self) -> None:
        self._all: deque[tuple[int, int, str]] = deque()

    def violates(self, now_ns: int, con_id: int, request: str, weight: int) -> bool:
        now = now_ns // 1_000_000
        while self._all and now - self._all[0][0] > 600_000:
            self._all.popleft()
        same = any(r == request and now - t < 15_000 for t, _, r in self._all)
        close = sum(1 for t, c, _ in self._all if c == con_id and now - t < 2_000) >= 5
        many = len(self._all) + weight > 60
        self._all.extend([(now, con_id, request)] * weight)
        return same or close or many


class History:
    """Bars by contract and size."""

    def __init__(self, gateway: TwsGateway) -> None:
        self._gateway = gateway
        self._loaded: dict[tuple[int, int], list[Bar]] = {}
        self._start = gateway.clock.now_ns() // 1_000_000_000
        self.pacing = Pacing()

    def load(self, key: int | str, bar_size: str, bars: list[Bar]) -> None:
        """Serve these bars (oldest first) for the contract and bar size."""
        contract = self._gateway.universe.get(key)
        self._loaded[contract.con_id, BAR_SECONDS[bar_size]] = list(bars)

    def price_at(self, contract: Contract, second: int) -> float:
        """The path: slow waves with the contract's own phases plus minute noise; it ends at the opening price."""
        move = self._wave(contract, second) - self._wave(contract, self._start)
        step = float(contract.increment_at(contract.price))
        return round(round(float(contract.price) * math.exp(move) / step) * step, 6)

    def _wave(self, contract: Contract, second: int) -> float:
        phase = contract.con_id % 997
        days = second / 86400.0
        wave = 0.04 * math.sin(days / 31.0 + phase) + 0.02 * math.sin(days / 7.3 + 2 * phase)
        return wave + 0.004 * math.sin(days * 9.1 + 3 * phase) + 0.0008 * _noise(contract.con_id, second // 60)

    def open_at(self, contract: Contract, second: int, rth: bool) -> bool:
        local = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo("US/Eastern"))
        if contract.sec_type in ("CASH", "FUT"):
            return local.weekday() < 5 and local.hour != 17
        if local.weekday() >= 5:
            return False
        minute = local.hour * 60 + local.minute
        return 570 <= minute < 960 if rth or contract.sec_type != "STK" else 240 <= minute < 1200

    def bars(self, contract: Contract, end: int, span: int, seconds: int, rth: bool) -> list[Bar]:
        """Bars that start before `end` and not earlier than `end - span` (UTC seconds)."""
        loaded = self._loaded.get((contract.con_id, seconds))
        if loaded is not None:
            return [b for b in loaded if end - span <= b.start < end]
        if seconds >= 86400:
            return self._days(contract, end, span, seconds)
        start = (end - span) // seconds * seconds
        found = []
        for at in range(start, end, seconds):
            if self.open_at(contract, at, rth):
                found.append(self._bar(contract, at, seconds))
        return found

    def _bar(self, contract: Contract, at: int, seconds: int) -> Bar:
        first, last = self.price_at(contract, at), self.price_at(contract, at + seconds)
        reach = 0.0005 * abs(_noise(contract.con_id + 1, at)) * first
        step = float(contract.increment_at(contract.price))
        high = round(math.ceil((max(first, last) + reach) / step) * step, 6)
        low = round(math.floor((min(first, last) - reach) / step) * step, 6)
        volume = round(1000 + 900 * _noise(contract.con_id + 2, at)) * max(seconds // 60, 1)
        return Bar(at, first, high, low, last, float(volume) if contract.has_trades else -1.0, max(volume // 100, 1))

    def _days(self, contract: Contract, end: int, span: int, seconds: int) -> list[Bar]:
        zone = ZoneInfo("US/Eastern")
        day = datetime.fromtimestamp(end - span, UTC).astimezone(zone).date()
        found: list[Bar] = []
        step = {86400: 1, 604800: 7}.get(seconds, 30)
        while True:
            opening = datetime(day.year, day.month, day.day, 9, 30, tzinfo=zone)
            at = int(opening.timestamp())
            if at >= end:
                return found
            if at >= end - span and (step > 1 or day.weekday() < 5):
                found.append(self._bar(contract, at, 23400))
            day += timedelta(days=step)

    def date_text(self, second: int, seconds: int, format_date: int) -> str:
        local = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo("US/Eastern"))
        if seconds >= 86400:
            return local.strftime("%Y%m%d")
        return str(second) if format_date == 2 else local.strftime("%Y%m%d %H:%M:%S US/Eastern")

    def sessions(self, end: int, days: int) -> list[tuple[str, str, str]]:
        """Regular sessions of the last days: (open, close, date) in exchange time."""
        last: date = datetime.fromtimestamp(end, UTC).astimezone(ZoneInfo("US/Eastern")).date()
        found = []
        for offset in range(days, -1, -1):
            day = last - timedelta(days=offset)
            if day.weekday() < 5:
                found.append((f"{day:%Y%m%d}-09:30:00", f"{day:%Y%m%d}-16:00:00", f"{day:%Y%m%d}"))
        return found
