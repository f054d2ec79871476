"""What an approval binds to: every field that was shown, the limits, and the book in the symbol (G32)."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from engine.api.commands import Approve, ApproveIf, Receipt
from engine.model.ids import Symbol
from engine.model.order import OrderRequest, OrderStatus
from engine.model.position import Position
from engine.model.suggestion import Suggestion

NOT_SHOWN = ("forecasts", "evidence", "made_ns")
"""Evidence is bound by its own hash."""


def approval_hash(suggestion: Suggestion, request: OrderRequest, limits_hash: str, book: str) -> str:
    """Return the hash of what a person is shown; another field, limit or position makes another hash.

    The conversion's good-till time is left out: it moves with the clock, not with a decision.
    """
    fields = {f: str(getattr(suggestion, f)) for f in suggestion.__struct_fields__ if f not in NOT_SHOWN}
    order = {f: str(getattr(request, f)) for f in request.__struct_fields__ if f not in ("good_till_ns", "confirmed")}
    whole = (fields, order, limits_hash, book)
    return hashlib.sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()[:24]


def book_fingerprint(symbol: Symbol, positions: Mapping[Symbol, Position], orders: Iterable[OrderStatus]) -> str:
    """Return position and open orders of one symbol in a form that can be compared."""
    position = positions.get(symbol)
    held = str(position.quantity) if position is not None else "0"
    open_here = sorted(
        f"{o.ref}:{o.remaining}:{o.request.limit_price}:{o.request.stop_price}"
        for o in orders
        if o.request.symbol == symbol
    )
    return "|".join((held, *open_here))


def differs_from(current: str, command: Approve | ApproveIf) -> Receipt | None:
    """Return the refusal when the answer is to something else than what is there now."""
    if command.approval_hash == current or (command.by == "cli" and not command.approval_hash):
        return None
    text = "The suggestion has changed since you looked. Look again."
    return Receipt(ok=False, code="HASH", text=text, data={"approval_hash": current})
