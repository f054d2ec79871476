"""Who is let in: the name asked for, the page that asks, the token, the pace and the size. Before anything else.

A page in a browser can make it ask this machine; so the Host header is checked first (a foreign name may have been made
to point here), then the Origin, and no answer allows a page to read it but those that the settings name.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from service import answers
from service.rate import Bucket
from service.spec import ServiceSpec
from service.tokens import Scope as TokenScope
from service.tokens import Tokens

OPEN = ("/openapi.json",)
"""Paths without a token."""
HOOKS = "/hooks/"
"""Paths whose bodies are signed instead."""
ALWAYS = "/halt"
"""Stopping is never too often."""


class Guard:
    """ASGI middleware; what it lets through carries ``scope["state"]["scope"]``."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        spec: ServiceSpec,
        tokens: Tokens,
        strangers: Bucket,
        now: Callable[[], float],
        port: Callable[[], int],
    ) -> None:
        """``port`` is the one that is listened on; ``strangers`` is the pace of those who prove nothing."""
        self._app, self._spec, self._tokens, self._port = app, spec, tokens, port
        self._paces = {scope: Bucket(spec.requests_per_second, now) for scope in TokenScope}
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        refusal = self._elsewhere(asked)
        if refusal is None and (page := asked.headers.get("origin")) is not None:
            send = _readable(send, page)
            if scope["type"] == "http" and scope["method"] == "OPTIONS":
                await answers.preflight()(scope, receive, send)
                return
        refusal = refusal or self._refusal(asked, scope)
        if refusal is not None:
            await answers.refuse(scope, receive, send, *refusal)
            return
        if scope["type"] == "http":
            receive = Body(receive, self._spec.body_limit, self._spec.patience_s)
        try:
            await self._app(scope, receive, send)
        except TooLarge:
            await answers.refuse(scope, receive, send, 413, "SIZE", f"More than {self._spec.body_limit} bytes.")
        except TooSlow:
            await answers.refuse(scope, receive, send, 408, "SLOW", "The body did not arrive in time.")
        except ClientDisconnect:
            # Who asked has hung up in the middle of it: nobody is there to be answered.
            return

    def _elsewhere(self, asked: HTTPConnection) -> tuple[int, str, str] | None:
        hosts = asked.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts():
            return 421, "HOST", "This service does not answer to that name."
        origin = asked.headers.get("origin")
        if origin is not None and origin not in self._spec.origins:
            return 403, "ORIGIN", "Pages of a browser may not ask."
        return None

    def _refusal(self, asked: HTTPConnection, scope: Scope) -> tuple[int, str, str] | None:
        path = scope["path"]
        if path in OPEN:
            return None if self._strangers.take() else answers.BUSY
        if scope["type"] == "http" and (refusal := self._form(asked, scope["method"])) is not None:
            return refusal
        if path.startswith(HOOKS) and scope["type"] == "http" and scope["method"] == "POST":
            # Whose it is the signature over the body says: the pace is kept behind it, or a stranger would use it up.
            return None
        found = self._tokens.scope(asked.headers.get("authorization", ""))
        if found is None:
            if not self._strangers.take():
                return answers.BUSY
            return (
                401,
                "TOKEN",
                "Authorization: Bearer TOKEN is needed; the tokens lie in the folder service of the profile.",
            )
        if path != ALWAYS and not self._paces[found].take():
            return answers.BUSY
        state: dict[str, Any] = scope.setdefault("state", {})
        state["scope"] = found
        return None

    def _form(self, asked: HTTPConnection, method: str) -> tuple[int, str, str] | None:
        length = asked.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._spec.body_limit:
            return 413, "SIZE", f"More than {self._spec.body_limit} bytes."
        if method == "POST":
            kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                return 415, "KIND", "The body is JSON: Content-Type: application/json."
        return None

    def _hosts(self) -> set[str]:
        port = self._port()
        given = set(map(str.lower, self._spec.names))
        return given | {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", self._spec.address, *given)}


def _readable(send: Send, page: str) -> Send:
    """Let a page that the settings name read the answers."""

    async def told(message: Any) -> None:
        if message["type"] == "http.response.start":
            allowed = [(b"access-control-allow-origin", page.encode("latin-1")), (b"vary", b"Origin")]
            message = {**message, "headers": [*message.get("headers", ()), *allowed]}
        await send(message)

    return told


class TooLarge(Exception):
    """The body has more bytes than are taken."""


class TooSlow(Exception):
    """The body does not arrive."""


class Body:
    """Counts what arrives, and waits no longer than it must: for the whole of it, not for each of its bytes."""

    def __init__(self, receive: Receive, limit: int, patience_s: float) -> None:
        self._receive, self._left, self._patience_s = receive, limit, patience_s
        self._whole = False
        self._until: float | None = None

    async def __call__(self) -> Any:
        if self._whole:
            return await self._receive()
        try:
            if self._until is None:
                self._until = asyncio.get_running_loop().time() + self._patience_s
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise TooLarge
        self._whole = not message.get("more_body", False)
        return message
