"""What staging makes: an order on its own side of the quote, with what presets say. Pure values."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import msgspec

from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType
from market_agent_gui.keys.staging import StagedOrder, stage
from market_agent_gui.mirror import Price

if TYPE_CHECKING:
    from widgets.ticket_draft import Around
    from widgets.ticket_preset import Filling


@dataclass(frozen=True, slots=True)
class Offer:
    """An order without a limit that keys could move: for the ticket."""

    request: OrderRequest
    filling: "Filling"


Begun = StagedOrder | Offer


class Begins(Protocol):
    def __call__(
        self,
        intent: str,
        side: Side,
        price: Price,
        size: Decimal,
        preset: str,
        *,
        priced: bool = False,
        most: Decimal | None = None,
    ) -> Begun:
        """``preset``: one by name, before those of the symbol. ``most``: no more than this. Raises ``ValueError``."""
        ...


def plainly(
    intent: str,
    side: Side,
    price: Price,
    size: Decimal,
    preset: str = "",
    *,
    priced: bool = False,
    most: Decimal | None = None,
) -> Begun:
    """Stage without presets."""
    return stage(intent, side, price, size if most is None else min(size, most))


def fill(
    plain: StagedOrder, filling: "Filling", around: "Around", *, priced: bool = False, most: Decimal | None = None
) -> Begun:
    """Return a staged order with what presets say. Raises ``ValueError`` in words where that is no order.

    ``priced``: a price was named, so it is an order with a limit whatever type the presets want.
    """
    from widgets.ticket_draft import Draft, SizeIn, needs, problems, quantity, request_of
    from widgets.ticket_preset import begin, place_legs

    if filling.preset.empty:
        return replace(plain, preset_left=filling.left)
    draft = Draft(intent=plain.intent, symbol=plain.symbol, side=plain.side, size=plain.quantity, limit=plain.limit)
    draft = begin(draft, filling)
    if priced and needs(draft.order_type) != ("limit",):
        draft = replace(draft, order_type=OrderType.LIMIT)
    joins = needs(draft.order_type) == ("limit",)
    draft = place_legs(draft if joins else replace(draft, limit=None), around)
    open_fields = () if joins else ("limit", "trigger", "trail")
    wrong = [text for field, text in problems(draft, around).items() if field not in open_fields]
    size = quantity(draft, around)
    if wrong or size is None:
        raise ValueError(wrong[0] if wrong else "")
    capped = most is not None and size > most
    request = msgspec.structs.replace(
        request_of(draft, min(size, most) if most is not None else size), intended_notional=None
    )
    if not joins:
        return Offer(request, filling)
    sign, limit = plain.side.sign, plain.limit
    return replace(
        plain,
        quantity=request.quantity,
        tif=request.tif,
        order_type=request.order_type,
        base=request,
        stop=draft.stop,
        target=draft.target,
        stop_off=(limit - draft.stop) * sign if draft.stop is not None else None,
        target_off=(draft.target - limit) * sign if draft.target is not None else None,
        risk_money=draft.size if draft.size_in is SizeIn.RISK and not capped else None,
        preset=filling.sources,
        preset_left=filling.left,
    )
