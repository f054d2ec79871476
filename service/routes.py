"""The table of routes: what is asked, who may, what it takes and answers. The OpenAPI document is made of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from engine.api.rows import OrderRow
from service import bodies, doing, reading, shapes
from service.answers import Outcome
from service.ask import Ask
from service.hooks import Hooks
from service.tokens import Scope

Handler = Callable[[Ask], Awaitable[Response]]


@dataclass(frozen=True)
class Query:
    """A parameter of the query; none of them must be given unless it says so."""

    name: str
    text: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    needed: bool = False


@dataclass(frozen=True)
class Route:
    """One thing that can be asked."""

    method: str
    path: str
    handler: Handler
    text: str
    answer: Any
    scope: Scope | None = Scope.READ
    """None: signed instead of a token."""
    body: Any = None
    queries: tuple[Query, ...] = ()


_FLAG = {"type": "boolean", "default": False}
_LIMIT = Query("limit", "how many, the newest", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 500})


def table(hooks: Hooks) -> tuple[Route, ...]:
    """Every route."""
    return (
        Route("GET", "/health", reading.health, "Whether it works; answers without an engine too.", shapes.Health),
        Route("GET", "/status", reading.status, "Where the engine stands: main.py status --json.", shapes.Status),
        Route("GET", "/positions", reading.positions, "What is held.", shapes.Positions),
        Route(
            "GET",
            "/orders",
            reading.orders,
            "Orders at work, or all.",
            shapes.Orders,
            queries=(Query("all", "closed ones too", _FLAG), _LIMIT),
        ),
        Route("GET", "/orders/{ref}", reading.order, "One order.", OrderRow),
        Route("GET", "/fills", reading.fills, "What was bought and sold.", shapes.Fills, queries=(_LIMIT,)),
        Route(
            "GET",
            "/suggestions",
            reading.suggestions,
            "The queue, or all suggestions.",
            shapes.Suggestions,
            queries=(Query("all", "answered ones too", _FLAG), _LIMIT),
        ),
        Route("GET", "/suggestions/{id}", reading.suggestion, "One with its evidence.", shapes.OneSuggestion),
        Route("GET", "/limits", reading.limits, "How much of each limit is used.", shapes.Limits),
        Route("GET", "/alarms", reading.alarms, "What is wrong now.", shapes.Alarms),
        Route(
            "GET",
            "/quotes",
            reading.quotes,
            "Last prices.",
            shapes.Quotes,
            queries=(Query("symbols", "such as KO,AAPL; all without it"),),
        ),
        Route(
            "GET",
            "/bars",
            reading.bars,
            "Bars, oldest first.",
            shapes.Bars,
            queries=(
                Query("symbol", "one symbol", needed=True),
                Query("step", "length of a bar", {"type": "string", "enum": [*reading.STEPS], "default": "1m"}),
                Query("count", "how many", {"type": "integer", "minimum": 1, "maximum": 5000, "default": 500}),
                Query("end", "before this, UTC nanoseconds", {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}),
            ),
        ),
        Route(
            "POST",
            "/orders",
            doing.place,
            "Send an order (serve.trade, token trade), or preview one with either token.",
            Outcome,
            body=bodies.OrderBody,
        ),
        Route("DELETE", "/orders/{ref}", doing.cancel, "Cancel an order (serve.trade).", Outcome, Scope.TRADE),
        Route(
            "POST",
            "/suggestions",
            doing.propose,
            "Put an idea in the queue; a person answers it.",
            Outcome,
            Scope.TRADE,
            bodies.ProposalBody,
        ),
        Route(
            "POST",
            "/suggestions/{id}/approve",
            doing.approve,
            "Say yes to exactly what was shown (serve.trade).",
            Outcome,
            Scope.TRADE,
            bodies.ApproveBody,
        ),
        Route(
            "POST",
            "/suggestions/{id}/reject",
            doing.reject,
            "Say no, with a reason (serve.trade).",
            Outcome,
            Scope.TRADE,
            bodies.RejectBody,
        ),
        Route("POST", "/halt", doing.halt, "STOP, with either token.", Outcome, body=bodies.HaltBody),
        Route(
            "POST",
            "/hooks/{name}",
            hooks.hear,
            "A signed delivery: at most a suggestion.",
            shapes.Heard,
            None,
            bodies.SignalBody,
        ),
    )
