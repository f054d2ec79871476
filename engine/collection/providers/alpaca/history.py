"""Historical bars over REST, newest first page by page, given back oldest first."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec

from engine.bus.clock import SECOND
from engine.bus.errors import ProviderError, ProviderRefused
from engine.collection.provider import BarColumnsByName
from engine.collection.providers.alpaca.reading import columns, nanoseconds
from engine.collection.providers.alpaca.settings import AlpacaDataSettings
from engine.model.ids import Symbol
from engine.model.market import Session

DAY_S = 86_400
TIMEFRAMES = {60: "1Min", 300: "5Min", 900: "15Min", 1_800: "30Min", 3_600: "1Hour", DAY_S: "1Day"}
PAGE = 10_000
MOST_PAGES = 20

SessionOf = Callable[[Symbol, int], Session | None]


class History:
    """Asks for bars."""

    def __init__(self, settings: AlpacaDataSettings, headers: Mapping[str, str], session: SessionOf) -> None:
        """``session`` places the bars of days, which Alpaca stamps with the midnight of New York."""
        self._settings = settings
        self._headers = dict(headers)
        self._session = session
        self._client: httpx2.AsyncClient | None = None

    def open(self) -> None:
        """Make the client; no connection is opened yet."""
        if self._client is None:
            timeout = self._settings.timeout_s
            self._client = httpx2.AsyncClient(headers=self._headers, timeout=timeout, trust_env=False)

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def bars(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        """At most ``count`` bars that had ended by ``end_ns``; None when there are none. Raises ``ProviderError``."""
        if seconds not in TIMEFRAMES or count <= 0:
            return None
        params = {
            "symbols": symbol,
            "timeframe": TIMEFRAMES[seconds],
            "start": _moment(_start(seconds, count, end_ns)),
            "end": _moment(end_ns),
            "limit": str(min(count + 2, PAGE)),
            "adjustment": "split",
            "feed": self._settings.history_feed,
            "sort": "desc",
        }
        rows: list[Mapping[str, Any]] = []
        spans: list[tuple[int, int]] = []
        for _ in range(MOST_PAGES):
            body = await self._ask(params)
            page = (body.get("bars") or {}).get(symbol) or []
            for row in page:
                span = self._span(symbol, seconds, nanoseconds(row.get("t")))
                if span is not None and span[1] <= end_ns and (not spans or span[0] < spans[-1][0]):
                    rows.append(row)
                    spans.append(span)
            token = body.get("next_page_token")
            if len(rows) >= count or not token:
                break
            params["page_token"] = str(token)
        if not rows:
            return None
        return columns(rows[:count][::-1], spans[:count][::-1])

    def _span(self, symbol: Symbol, seconds: int, ts: int) -> tuple[int, int] | None:
        if seconds < DAY_S:
            return ts, ts + seconds * SECOND
        session = self._session(symbol, ts)
        return None if session is None else (session.open_ns, session.close_ns)

    async def _ask(self, params: Mapping[str, str]) -> Mapping[str, Any]:
        if self._client is None:
            raise ProviderError("alpaca: not connected")
        url = self._settings.base_url.rstrip("/") + "/v2/stocks/bars"
        try:
            found = await self._client.get(url, params=dict(params))
        except httpx2.HTTPError as error:
            raise ProviderError(f"alpaca: no answer ({type(error).__name__})") from error
        try:
            body = msgspec.json.decode(found.content) if found.content else {}
        except msgspec.DecodeError as error:
            raise ProviderError(f"alpaca: an answer cannot be read (status {found.status_code})") from error
        text = str(body.get("message", ""))[:200] if isinstance(body, dict) else ""
        if found.status_code == 401:
            raise ProviderRefused(f"alpaca: the key was refused {text}".strip())
        if found.status_code != 200 or not isinstance(body, dict):
            raise ProviderError(f"alpaca: status {found.status_code} {text}".strip())
        return body


def _start(seconds: int, count: int, end_ns: int) -> int:
    """Early enough for ``count`` bars: nights, weekends and holidays have none, thin symbols have gaps."""
    days = count * 1.6 + 10 if seconds >= DAY_S else count * seconds / 23_400 * 1.6 * 2 + 7
    return end_ns - round(days * DAY_S) * SECOND


def _moment(ns: int) -> str:
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
