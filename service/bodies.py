"""What other programs send, read strictly: an unknown field or a number that is none is refused by its name."""

import re
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from engine.api.commands import AnyCommand, PlaceOrder, Propose
from engine.api.order_language import OrderTextError, parse_order_text
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType, TimeInForce
from service.answers import Refusal

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$(?!\n)")]
"""An id of the sender's own. ``$`` alone lets a last line feed through."""
Ticker = Annotated[str, Meta(min_length=1, max_length=24, pattern=r"^[A-Za-z0-9^][A-Za-z0-9.\-/=^]*$(?!\n)")]
Said = Annotated[str, Meta(max_length=2000)]
MOST_PLACES = 18
"""Written out, 1e-999999 is a megabyte."""
SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.\-/=^]{0,23}")


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base."""


class OrderBody(_Body, frozen=True, kw_only=True):
    """An order as text, or field by field. The id makes a repeat harmless: sent twice it is one order."""

    id: Name | None = None
    text: Annotated[str, Meta(max_length=300)] | None = None
    """Such as ``buy KO 10 @ 55 stop 53 target 59 day``."""
    preview: bool = False
    """Only say what would become of it; no id is needed."""
    symbol: Ticker | None = None
    side: Side | None = None
    quantity: Decimal | None = None
    order_type: OrderType = OrderType.LIMIT
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    """Price of the protective stop that goes out with it."""
    take_profit: Decimal | None = None
    tif: TimeInForce = TimeInForce.DAY
    outside_rth: bool = False
    reduce_only: bool = False


class ProposalBody(_Body, frozen=True, kw_only=True):
    """An idea for the queue. What is left out comes from the market and the limits."""

    id: Name
    symbol: Ticker
    side: Side
    quantity: Decimal | None = None
    entry: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    seconds: float | None = None
    comment: Said = ""


class SignalBody(_Body, frozen=True, kw_only=True):
    """What a hook delivers."""

    symbol: Ticker
    side: Annotated[str, Meta(pattern=r"^(?i:buy|sell)$(?!\n)")]
    limit: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    size: Decimal | None = None
    comment: Said = ""


class ApproveBody(_Body, frozen=True, kw_only=True):
    """Yes to exactly what was shown."""

    hash: Annotated[str, Meta(min_length=1, max_length=64)]
    """``approval_hash`` of the suggestion as it was read."""


class RejectBody(_Body, frozen=True, kw_only=True):
    code: Annotated[str, Meta(max_length=16)] = "OTHER"
    text: Annotated[str, Meta(max_length=200)] = ""


class HaltBody(_Body, frozen=True, kw_only=True):
    reason: Annotated[str, Meta(max_length=200)] = ""


T = TypeVar("T")


def read(raw: bytes, kind: type[T]) -> T:
    """Read a body. Raises :class:`Refusal` naming the field."""
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise Refusal(422, "BODY", str(error)) from error


def order(body: OrderBody) -> OrderRequest:
    """Return the order that is asked for. Raises :class:`Refusal`."""
    if body.id is None and not body.preview:
        raise Refusal(422, "BODY", "`$.id` is missing: an id of your own makes a repeat harmless")
    intent = IntentId(body.id or "")
    if body.text is not None:
        return _of_text(body, intent)
    for name in ("symbol", "side", "quantity"):
        if getattr(body, name) is None:
            raise Refusal(422, "BODY", f"`$.{name}` is missing (or give the whole order as `$.text`)")
    for name in ("quantity", "limit_price", "stop_price", "stop_loss", "take_profit"):
        positive(name, getattr(body, name))
    if body.symbol is None or body.side is None or body.quantity is None:
        raise AssertionError("looked for above")
    return OrderRequest(
        intent_id=intent,
        symbol=Symbol(body.symbol.upper()),
        side=body.side,
        quantity=body.quantity,
        order_type=body.order_type,
        limit_price=body.limit_price,
        stop_price=body.stop_price,
        stop_loss=body.stop_loss,
        take_profit=body.take_profit,
        tif=body.tif,
        outside_rth=body.outside_rth,
        reduce_only=body.reduce_only,
    )


def _of_text(body: OrderBody, intent: IntentId) -> OrderRequest:
    if msgspec.structs.replace(body, id=None, text=None, preview=False) != OrderBody():
        raise Refusal(422, "BODY", "`$.text` is the whole order; leave the other fields out")
    try:
        command: AnyCommand = parse_order_text(body.text or "", intent)
    except OrderTextError as error:
        raise Refusal(422, "TEXT", str(error)) from error
    if not isinstance(command, PlaceOrder):
        raise Refusal(422, "TEXT", "only buy and sell are orders; cancel with DELETE /orders/REFERENCE")
    return command.request


def proposal(body: ProposalBody) -> Propose:
    """Return the command. Raises :class:`Refusal`."""
    for name in ("quantity", "entry", "stop", "target"):
        positive(name, getattr(body, name))
    return Propose(
        intent_id=IntentId(body.id),
        symbol=Symbol(body.symbol.upper()),
        side=body.side,
        quantity=body.quantity,
        entry=body.entry,
        stop=body.stop,
        target=body.target,
        seconds=body.seconds,
        comment=body.comment,
    )


def signal(body: SignalBody, hook: str, delivery: str) -> Propose:
    """Return what a hook's delivery proposes. Raises :class:`Refusal`."""
    for name in ("limit", "stop", "target", "size"):
        positive(name, getattr(body, name))
    return Propose(
        intent_id=IntentId(delivery),
        symbol=Symbol(body.symbol.upper()),
        side=Side(body.side.upper()),
        source=f"hook:{hook}",
        quantity=body.size,
        entry=body.limit,
        stop=body.stop,
        target=body.target,
        comment=body.comment,
    )


def positive(name: str, value: Decimal | None) -> None:
    """Refuse what is no amount. Raises :class:`Refusal`."""
    if value is None:
        return
    if not (value.is_finite() and 0 < value <= 1_000_000_000):
        raise Refusal(422, "BODY", f"`$.{name}` must be above zero and at most 1000000000")
    if int(value.as_tuple().exponent) < -MOST_PLACES:
        raise Refusal(422, "BODY", f"`$.{name}` has more than {MOST_PLACES} decimal places")


def symbols(text: str) -> tuple[Symbol, ...]:
    """Read a list such as ``KO,AAPL``. Raises :class:`Refusal`."""
    found = [word for word in text.replace(",", " ").split() if word]
    for word in found:
        if SYMBOL.fullmatch(word) is None:
            raise Refusal(422, "SYMBOLS", f"{word[:30]!r} is not a symbol")
    return tuple(dict.fromkeys(Symbol(word.upper()) for word in found))


def whole(text: str, name: str, least: int, most: int) -> int:
    """Read a whole number of a query. Raises :class:`Refusal`."""
    if not re.fullmatch(r"-?\d{1,19}", text) or not least <= int(text) <= most:
        raise Refusal(422, "QUERY", f"{name} is a whole number from {least} to {most}")
    return int(text)


def builtins(value: object) -> Any:
    """A value as JSON would have it."""
    return msgspec.to_builtins(value, str_keys=True)
