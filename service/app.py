"""The application: the table of routes behind the guard."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.routing import WebSocketRoute

from engine.api.client import EngineUnavailable
from service import answers
from service.answers import Refusal
from service.ask import Ask
from service.guard import Guard
from service.hooks import Hooks
from service.link import EngineLink
from service.openapi import document
from service.rate import Bucket
from service.routes import Route, table
from service.spec import ServiceSpec
from service.stream import Streams
from service.tokens import Tokens

STRANGERS_A_SECOND = 5.0
"""Asked by those who have shown neither a token nor a signature."""
_log = structlog.get_logger("service")


def build_app(
    spec: ServiceSpec,
    tokens: Tokens,
    link: EngineLink,
    port: Callable[[], int],
    *,
    now: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
) -> Starlette:
    """Build the application. ``now`` is UTC seconds, ``steady`` a clock that is never set."""
    strangers = Bucket(STRANGERS_A_SECOND, steady)
    # Signals come together, at the close of a bar: a third of a minute's at once.
    senders = Bucket(spec.hook_requests_per_minute / 60.0, steady, spec.hook_requests_per_minute / 3.0)
    routes = table(Hooks(spec.hooks, now, senders, strangers))
    told = document(routes, spec.version)

    async def openapi(request: Request) -> Response:
        return answers.json(told)

    by_path: dict[str, dict[str, Route]] = {}
    for route in routes:
        by_path.setdefault(route.path, {})[route.method] = route

    def endpoint(methods: dict[str, Route]) -> Callable[[Request], Any]:
        async def ask(request: Request) -> Response:
            route = methods["GET" if request.method == "HEAD" else request.method]
            return await route.handler(Ask(request, link))

        return ask

    streams = Streams(link)
    return Starlette(
        routes=[
            StarletteRoute("/openapi.json", openapi, methods=["GET"]),
            *(StarletteRoute(path, endpoint(methods), methods=[*methods]) for path, methods in by_path.items()),
            WebSocketRoute("/stream", streams.serve),
        ],
        middleware=[Middleware(Guard, spec=spec, tokens=tokens, strangers=strangers, now=steady, port=port)],
        exception_handlers={
            Refusal: _refused,
            EngineUnavailable: _no_engine,
            HTTPException: _not_there,
            Exception: _broken,
        },
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return answers.problem(error.status, error.code, error.text)


async def _no_engine(request: Request, error: Exception) -> Response:
    return answers.problem(503, "NO_ENGINE", str(error))


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = {404: "There is no such path.", 405: "That path is not asked this way."}.get(error.status_code, error.detail)
    response = answers.problem(error.status_code, "PATH", text)
    response.headers.update(error.headers or {})
    return response


async def _broken(request: Request, error: Exception) -> Response:
    _log.error("a request failed", path=request.url.path, error=type(error).__name__)
    return answers.problem(500, "BROKEN", "The service failed; its log says more.")
