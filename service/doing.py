"""Routes that ask for something to be done. The engine decides; here nothing is sent, cleared or approved."""

from starlette.responses import Response

from engine.api.commands import REASON_CODES, Approve, CancelOrder, PlaceOrder, PreviewOrder, Refuse
from engine.model.ids import OrderRef, SuggestionId
from service import answers, bodies
from service.answers import Refusal
from service.ask import Ask
from service.tokens import Scope


async def place(ask: Ask) -> Response:
    """Send an order, or say what would become of it."""
    body = bodies.read(await ask.request.body(), bodies.OrderBody)
    if not body.preview:
        ask.need(Scope.TRADE)
    request = bodies.order(body)
    command = PreviewOrder(request=request) if body.preview else PlaceOrder(request=request)
    return answers.outcome(await ask.link.send(command))


async def cancel(ask: Ask) -> Response:
    ask.need(Scope.TRADE)
    return answers.outcome(await ask.link.send(CancelOrder(ref=OrderRef(ask.request.path_params["ref"]))))


async def propose(ask: Ask) -> Response:
    ask.need(Scope.TRADE)
    body = bodies.read(await ask.request.body(), bodies.ProposalBody)
    return answers.outcome(await ask.link.send(bodies.proposal(body)))


async def approve(ask: Ask) -> Response:
    ask.need(Scope.TRADE)
    body = bodies.read(await ask.request.body(), bodies.ApproveBody)
    name = SuggestionId(ask.request.path_params["id"])
    return answers.outcome(await ask.link.send(Approve(suggestion_id=name, approval_hash=body.hash)))


async def reject(ask: Ask) -> Response:
    ask.need(Scope.TRADE)
    body = bodies.read(await ask.request.body(), bodies.RejectBody)
    if body.code not in REASON_CODES:
        raise Refusal(422, "BODY", f"`$.code` is one of {', '.join(REASON_CODES)}")
    name = SuggestionId(ask.request.path_params["id"])
    return answers.outcome(await ask.link.send(Refuse(suggestion_id=name, code=body.code, text=body.text)))


async def halt(ask: Ask) -> Response:
    """STOP, with either token."""
    body = bodies.read(await ask.request.body(), bodies.HaltBody)
    return answers.outcome(await ask.link.halt(body.reason or "asked over the local service"))
