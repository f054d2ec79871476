"""Historical bars: how to ask for them, within the broker's budget, and how to read the answer."""

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from ib_async import BarData, Contract

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import BrokerError, ProviderError
from engine.collection.provider import BarColumnsByName
from engine.collection.providers.ibkr.hours import DAY_S, Hours
from engine.collection.providers.ibkr.meter import Meter
from engine.collection.providers.ibkr.port import Connection, Listed
from engine.collection.providers.ibkr.settings import IbkrDataSettings

BAR_SIZES = {
    1: "1 secs", 5: "5 secs", 10: "10 secs", 15: "15 secs", 30: "30 secs", 60: "1 min", 120: "2 mins", 180: "3 mins",
    300: "5 mins", 600: "10 mins", 900: "15 mins", 1_200: "20 mins", 1_800: "30 mins", 3_600: "1 hour",
    7_200: "2 hours", 14_400: "4 hours", 86_400: "1 day",
}  # fmt: skip
_MOST_BARS = 2_000
_MOST_REQUESTS = 12
_AT_ONCE = 3


class History:
    """Asks for bars; never more than the broker allows."""

    def __init__(self, connection: Connection, clock: Clock, settings: IbkrDataSettings) -> None:
        self._connection = connection
        self._clock = clock
        self._settings = settings
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self.meter = Meter()

    async def bars(self, listed: Listed, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        """At most ``count`` bars that had ended by ``end_ns``. Raises ``ProviderError``."""
        if seconds not in BAR_SIZES or count <= 0:
            return None
        hours = Hours(listed.details, self._settings.regular_hours)
        found: list[BarData] = []
        until = end_ns
        for _ in range(_MOST_REQUESTS):
            part = await self._part(listed.contract, seconds, count - len(found), until, hours)
            known = {bar.date for bar in found}
            fresh = [bar for bar in part if bar.date not in known and hours.end_ns(bar.date, seconds) <= end_ns]
            found = [*fresh, *found]
            if len(found) >= count or not fresh:
                break
            until = hours.start_ns(fresh[0].date)
        return columns(found[-count:], seconds, hours) if found else None

    async def _part(
        self, contract: Contract, seconds: int, wanted: int, until_ns: int, hours: Hours
    ) -> Sequence[BarData]:
        span = duration(seconds, wanted, hours.seconds)
        # One second later, so that a bar that ends at this very moment is in it.
        end = datetime.fromtimestamp(until_ns // SECOND + 1, UTC)
        what = "MIDPOINT" if contract.secType == "CASH" else "TRADES"
        rth = hours.regular
        request = f"{contract.conId} {end:%Y%m%d%H%M%S} {span} {seconds} {what} {rth}"
        async with self._gate:
            await self._room(contract.conId, request)
            timeout_s = self._settings.history_timeout_s
            began = self._clock.monotonic()
            try:
                bars = await self._connection.ask(
                    lambda ib: ib.reqHistoricalDataAsync(
                        contract, end, span, BAR_SIZES[seconds], what, rth, formatDate=2, timeout=timeout_s
                    ),
                    timeout_s + 2.0,
                )
            except BrokerError as error:
                return self._refused(contract, error)
        if not bars and self._clock.monotonic() - began >= timeout_s * SECOND:
            raise ProviderError(f"no history of {contract.localSymbol or contract.symbol} within {timeout_s:g} s")
        return list(bars)

    def _refused(self, contract: Contract, error: BrokerError) -> Sequence[BarData]:
        text = str(error)
        if "(162)" in text and "pacing" in text.lower():
            self.meter.violated(self._clock.monotonic())
        elif "(162)" in text and "no data" in text.lower():
            return []
        raise ProviderError(f"history of {contract.localSymbol or contract.symbol}: {text}") from error

    async def _room(self, contract: int, request: str) -> None:
        most_ns = round(self._settings.history_wait_s * SECOND)
        waited = 0
        while wait := self.meter.wait_ns(contract, request, self._clock.monotonic()):
            if waited + wait > most_ns:
                free = math.ceil(wait / SECOND)
                raise ProviderError(f"the broker's budget of history is used up; there is room again in {free} s")
            await self._clock.sleep(wait / SECOND)
            waited += wait
        self.meter.note(contract, request, self._clock.monotonic())


def duration(seconds: int, count: int, day_seconds: int) -> str:
    """How far back to ask for ``count`` bars, in the broker's words; at most what one request may bring."""
    if seconds >= DAY_S:
        return f"{min(count + 5, 365)} D" if count <= 240 else f"{min(math.ceil(count / 240), 20)} Y"
    per_day = max(day_seconds // seconds, 1)
    days = math.ceil(min(count, _MOST_BARS) / per_day)
    # A weekend and a holiday may lie between.
    return f"{min(days + 4, max(_MOST_BARS // per_day, 5))} D"


def columns(bars: Sequence[BarData], seconds: int, hours: Hours) -> BarColumnsByName:
    """Bars as columns; where the broker has no trades (-1) volume is 0 and the mean price unknown."""
    volume = np.array([bar.volume for bar in bars], dtype=np.float64)
    average = np.array([bar.average for bar in bars], dtype=np.float64)
    counts = np.array([max(bar.barCount, 0) for bar in bars], dtype=np.int64)
    return {
        "ts_open": np.array([hours.start_ns(bar.date) for bar in bars], dtype=np.int64),
        "ts_close": np.array([hours.end_ns(bar.date, seconds) for bar in bars], dtype=np.int64),
        "open": np.array([bar.open for bar in bars], dtype=np.float64),
        "high": np.array([bar.high for bar in bars], dtype=np.float64),
        "low": np.array([bar.low for bar in bars], dtype=np.float64),
        "close": np.array([bar.close for bar in bars], dtype=np.float64),
        "volume": np.maximum(volume, 0.0),
        "vwap": np.where((volume > 0) & (average > 0), average, np.nan),
        "trades": counts,
    }
