"""Answers: JSON with the engine's own codes and sentences, and the status that fits them."""

from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.api.commands import Receipt
from engine.model.decision import Denial

FORBIDDEN = frozenset({"TRADE", "PERSON", "SOURCE"})
ABSENT = frozenset({"NO_SUCH", "UNKNOWN", "NO_BARS"})
STATUS = {"REUSED": 409, "RATE": 429, "JOURNAL": 503}
BUSY = (429, "RATE", "Too many requests; wait a moment.")
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Refusal(Exception):
    """A request that is not carried out; the message is for the person who wrote it."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request that asks for something to be done."""

    ok: bool
    code: str = ""
    text: str = ""
    denials: tuple[Denial, ...] = ()
    data: dict[str, Any] = {}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out."""

    ok: bool = False
    code: str
    text: str


def json(value: object, status: int = 200) -> Response:
    """Write a value; numbers that are none become null."""
    return Response(msgspec.json.encode(value), status, HEADERS, "application/json")


def problem(status: int, code: str, text: str) -> Response:
    headers = {**HEADERS, "WWW-Authenticate": "Bearer"} if status == 401 else HEADERS
    return Response(msgspec.json.encode(Problem(code=code, text=text)), status, headers, "application/json")


def preflight() -> Response:
    """What a browser asks before it lets a page ask."""
    allowed = {
        "Access-Control-Allow-Methods": "GET, POST, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
    }
    return Response(None, 204, {**HEADERS, **allowed})


def outcome(receipt: Receipt) -> Response:
    """Write a receipt of the engine."""
    status = 200 if receipt.ok else status_of(receipt.code)
    told = Outcome(
        ok=receipt.ok, code=receipt.code, text=receipt.text, denials=receipt.denials, data=dict(receipt.data)
    )
    return json(told, status)


def status_of(code: str) -> int:
    if code in FORBIDDEN:
        return 403
    return 404 if code in ABSENT else STATUS.get(code, 422)


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, code: str, text: str) -> None:
    """Answer without asking anybody; a stream is refused before it opens."""
    if scope["type"] == "websocket":
        response = problem(status, code, text)
        headers = [(name, value) for name, value in response.raw_headers]
        await receive()
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": response.body})
        return
    await problem(status, code, text)(scope, receive, send)
