"""The REST side: one client, one budget of requests, answers as values. Nothing here is ever asked twice by itself."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import BrokerError
from engine.execution.brokers.alpaca.settings import AlpacaSettings

_MINUTE_NS = 60 * SECOND
FOR_CANCELS = 20
"""Requests of each minute that only cancels and single orders may use."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """The request was understood and not carried out. Beyond 499 nobody knows."""
        return 400 <= self.status < 500 and self.status != 408

    @property
    def code(self) -> int:
        """Alpaca's own code where there is one, else the status."""
        found = self.body.get("code") if isinstance(self.body, Mapping) else None
        return found if isinstance(found, int) else self.status

    @property
    def text(self) -> str:
        found = self.body.get("message") if isinstance(self.body, Mapping) else None
        return str(found)[:300] if found else f"status {self.status}"


class Rest:
    """Asks and counts."""

    def __init__(self, clock: Clock, settings: AlpacaSettings, headers: Mapping[str, str]) -> None:
        self._clock = clock
        self._settings = settings
        self._headers = dict(headers)
        self._client: httpx2.AsyncClient | None = None
        self._sent: deque[int] = deque()

    def open(self) -> None:
        """Make the client; no connection is opened yet."""
        if self._client is None:
            self._client = httpx2.AsyncClient(
                headers=self._headers,
                timeout=self._settings.request_timeout_s,
                follow_redirects=False,
                trust_env=False,
            )

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    def left(self) -> int:
        """Requests that this minute still has."""
        since = self._clock.now() - _MINUTE_NS
        while self._sent and self._sent[0] <= since:
            self._sent.popleft()
        return self._settings.requests_per_minute - len(self._sent)

    async def send(
        self, method: str, path: str, *, json: object = None, params: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask once. Raises ``BrokerError`` when there is no answer, or none that can be read: nothing is known then."""
        if self._client is None:
            raise BrokerError("the connection to Alpaca is not open")
        self._sent.append(self._clock.now())
        try:
            found = await self._client.request(
                method, self._settings.base_url.rstrip("/") + path, json=json, params=dict(params or {})
            )
        except httpx2.HTTPError as error:
            raise BrokerError(f"no answer from Alpaca ({type(error).__name__})") from error
        if found.status_code == 204 or not found.content:
            return Answer(found.status_code, None)
        try:
            return Answer(found.status_code, msgspec.json.decode(found.content))
        except msgspec.DecodeError as error:
            if 400 <= found.status_code < 500:
                return Answer(found.status_code, None)
            raise BrokerError(f"Alpaca's answer cannot be read (status {found.status_code})") from error

    async def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Read something; waits while the minute's budget is for orders. Raises ``BrokerError``."""
        while self.left() <= FOR_CANCELS:
            await self._clock.sleep(0.5)
        answer = await self.send("GET", path, params=params)
        if not answer.ok:
            raise BrokerError(f"Alpaca refused {path}: {answer.text} ({answer.code})")
        return answer.body
