"""The staged order: what Enter would send. Pure values; prices are ``Decimal`` on the instrument's tick grid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

import msgspec

from engine.api.commands import AnyCommand, ModifyOrder, PlaceOrder
from engine.api.rows import OrderRow, PositionRow
from engine.model.ids import IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import exact, to_tick
from engine.model.order import OrderRequest, OrderType, TimeInForce
from market_agent_gui.mirror import Price

DEFAULT_SIZES = tuple(Decimal(n) for n in (25, 50, 100, 200, 500, 750, 1000, 1500, 2000))
MARKETABLE_SHARE = Decimal("0.001")
"""How far through the other side a marketable price goes."""


SEEN_S = 0.25
"""A price that stood for less has not been read."""


class Shown:
    """The limits that a joining order had on the screen. A hand that sends has read the one of a moment ago."""

    def __init__(self) -> None:
        self._limits: list[tuple[float, Decimal]] = []

    def note(self, now_s: float, limit: Decimal, *, anew: bool) -> None:
        """Remember the limit that is shown from now on; ``anew``: of another order."""
        if anew:
            self._limits.clear()
        self._limits.append((now_s, limit))
        old = sum(now_s - since >= SEEN_S for since, _ in self._limits)
        del self._limits[: max(0, old - 1)]

    def limit(self, now_s: float, side: Side, shown: Decimal) -> Decimal:
        """Return what to send of a limit that is ``shown`` now: never worse than what stood there a moment ago."""
        read = [limit for since, limit in self._limits if now_s - since >= SEEN_S] or [p for _, p in self._limits[:1]]
        if not read:
            return shown
        return min(shown, read[-1]) if side is Side.BUY else max(shown, read[-1])


class Leg(StrEnum):
    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedOrder:
    """Here only: nothing of it has left the window. ``ref`` is set when it changes a working order."""

    intent: str
    symbol: str
    side: Side
    quantity: Decimal
    limit: Decimal
    tick: Decimal
    multiplier: Decimal = Decimal(1)
    """Money that one unit gains when its price gains one."""
    stop: Decimal | None = None
    target: Decimal | None = None
    leg: Leg = Leg.ENTRY
    joins: bool = False
    """Follows its side of the quote until a price key is pressed."""
    tif: TimeInForce = TimeInForce.DAY
    ref: str = ""
    order_type: OrderType = OrderType.LIMIT
    risk_money: Decimal | None = None
    """Sized so that the stop costs this; holds while prices move, until another size is chosen."""
    clicked: bool = False
    """Its price was clicked on the chart or the ladder."""
    base: OrderRequest | None = None
    """The ticket's order, whose other fields are kept."""
    stop_off: Decimal | None = None
    """The stop keeps this distance from the entry until a hand moves it."""
    target_off: Decimal | None = None
    preset: tuple[str, ...] = ()
    """Places of the presets it was begun with, nearest first."""
    preset_left: tuple[str, ...] = ()
    """What of them the broker does not take."""

    @property
    def risk(self) -> Decimal | None:
        """Money lost from entry to stop, ``None`` without a stop on the losing side."""
        if self.stop is None:
            return None
        distance = (self.limit - self.stop) * self.side.sign
        return distance * self.quantity * self.multiplier if distance > 0 else None

    def command(self, by: str = "hotkey") -> AnyCommand:
        """Return what Enter sends."""
        intent = IntentId(self.intent)
        if self.ref:
            stops = self.order_type in (OrderType.STOP, OrderType.TRAIL)
            return ModifyOrder(
                ref=OrderRef(self.ref),
                intent_id=intent,
                quantity=self.quantity,
                limit_price=None if stops else self.limit,
                stop_price=self.limit if stops else None,
                by=by,
            )
        return PlaceOrder(request=self.request(), by=by)

    def request(self) -> OrderRequest:
        """Return the request that the gate would see."""
        base = self.base or OrderRequest(
            intent_id=IntentId(self.intent),
            symbol=Symbol(self.symbol),
            side=self.side,
            quantity=self.quantity,
            order_type=self.order_type,
        )
        as_written = (self.quantity, self.limit) == (base.quantity, base.limit_price)
        return msgspec.structs.replace(
            base,
            intended_notional=base.intended_notional if as_written else None,
            intent_id=IntentId(self.intent),
            quantity=self.quantity,
            limit_price=self.limit,
            tif=self.tif,
            stop_loss=self.stop,
            take_profit=self.target,
        )

    def say(self) -> str:
        """Return the order as a short line: ``BUY 100 AAPL at 190.22``."""
        line = f"{self.side.value} {self.quantity.normalize():f} {self.symbol} at {self.limit}"
        return f"change {line}" if self.ref else line


def stage(intent: str, side: Side, price: Price, quantity: Decimal) -> StagedOrder:
    """Stage an order that joins its own side of the quote. Raises ``ValueError`` in words when the quote is no good."""
    if not price.live:
        raise ValueError(f"{price.symbol}: no fresh quote")
    tick = exact(price.tick)
    return StagedOrder(
        intent=intent,
        symbol=price.symbol,
        side=side,
        quantity=quantity,
        limit=to_tick(exact(price.bid if side is Side.BUY else price.ask), tick),
        tick=tick,
        multiplier=exact(price.multiplier),
        joins=True,
    )


def stage_change(intent: str, row: OrderRow, tick: Decimal) -> StagedOrder:
    """Stage a change of a working order. Raises ``ValueError`` when it has no price to move."""
    price = row.limit_price if row.limit_price is not None else row.stop_price
    if price is None:
        raise ValueError(f"{row.key} has no price to move")
    return StagedOrder(
        intent=intent,
        symbol=row.symbol,
        side=Side(row.side),
        quantity=row.quantity,
        limit=price,
        tick=tick,
        ref=row.key,
        order_type=OrderType(row.order_type),
    )


def of_ticket(request: OrderRequest, price: Price, intent: str, before: StagedOrder | None) -> StagedOrder:
    """Stage the ticket's order, which has a limit. The same order keeps the leg that it had ``before``."""
    same = before if before is not None and before.intent == request.intent_id else None
    assert request.limit_price is not None
    return StagedOrder(
        intent=intent,
        symbol=request.symbol,
        side=request.side,
        quantity=request.quantity,
        limit=request.limit_price,
        tick=exact(price.tick),
        multiplier=exact(price.multiplier),
        stop=request.stop_loss,
        target=request.take_profit,
        leg=same.leg if same is not None else Leg.ENTRY,
        tif=request.tif,
        order_type=request.order_type,
        base=request,
        clicked=same is not None and same.clicked,
    )


def protection(intent: str, symbol: str, held: Decimal) -> OrderRequest:
    """Return a stop for a position that has none, for a person to complete."""
    return OrderRequest(
        intent_id=IntentId(intent),
        symbol=Symbol(symbol),
        side=Side.SELL if held > 0 else Side.BUY,
        quantity=abs(held),
        order_type=OrderType.STOP,
        tif=TimeInForce.GTC,
    )


def movable(row: OrderRow) -> bool:
    """Whether a working order can be changed from here: an own one, with a price."""
    return not row.external and (row.limit_price is not None or row.stop_price is not None)


def follow_quote(order: StagedOrder, price: Price) -> StagedOrder:
    """Move a joining order with its side of the quote."""
    if not order.joins or not price.live or price.symbol != order.symbol:
        return order
    limit = to_tick(exact(price.bid if order.side is Side.BUY else price.ask), order.tick)
    return order if limit == order.limit else at_limit(order, limit)


def at_limit(order: StagedOrder, limit: Decimal) -> StagedOrder:
    """Move the entry; legs that keep a distance go with it, as far as there are prices."""
    sign = order.side.sign
    stop = order.stop if order.stop_off is None else limit - sign * order.stop_off
    target = order.target if order.target_off is None else limit + sign * order.target_off
    return keep_risk(
        replace(
            order,
            limit=limit,
            stop=stop if stop is None or stop > 0 else order.stop,
            target=target if target is None or target > 0 else order.target,
        )
    )


def move_leg(order: StagedOrder, leg: Leg, price: Decimal) -> StagedOrder:
    """Put one leg where a hand wants it: a stop or target stays there from now on."""
    if leg is Leg.ENTRY:
        return replace(at_limit(order, price), joins=False)
    if leg is Leg.STOP:
        return keep_risk(replace(order, stop=price, stop_off=None))
    return replace(order, target=price, target_off=None)


def nudge(order: StagedOrder, ticks: int) -> StagedOrder:
    """Move the chosen leg by ticks; a price never falls to zero. A leg that is not there is put at the entry first."""
    field = {Leg.ENTRY: "limit", Leg.STOP: "stop", Leg.TARGET: "target"}[order.leg]
    before: Decimal | None = getattr(order, field)
    moved = (order.limit if before is None else before) + order.tick * ticks
    if moved <= 0:
        return order
    return move_leg(order, order.leg, moved)


def next_leg(order: StagedOrder) -> StagedOrder:
    """Let the arrows move the next leg; a changed working order has but one."""
    if order.ref:
        return order
    legs = list(Leg)
    return replace(order, leg=legs[(legs.index(order.leg) + 1) % len(legs)])


def marketable(order: StagedOrder, price: Price) -> StagedOrder:
    """Price through the other side. Raises ``ValueError`` when the quote is no good."""
    if not price.live:
        raise ValueError(f"{price.symbol}: no fresh quote")
    buys = order.side is Side.BUY
    touch = exact(price.ask if buys else price.bid)
    limit = to_tick(touch + order.side.sign * touch * MARKETABLE_SHARE, order.tick, up=buys)
    return replace(at_limit(order, limit), joins=False)


def size_from_risk(order: StagedOrder, money: Decimal) -> StagedOrder:
    """Size so that the stop costs ``money``, rounded down. Raises ``ValueError`` without a stop on the losing side."""
    if order.stop is None:
        raise ValueError("mark a stop first: L, then the arrows")
    distance = (order.limit - order.stop) * order.side.sign
    if distance <= 0:
        raise ValueError("the stop is on the wrong side of the entry")
    each = distance * order.multiplier
    quantity = (money / each).to_integral_value(rounding=ROUND_FLOOR)
    if quantity < 1:
        raise ValueError(f"one share already risks {each:f}, more than {money:f}")
    return replace(order, quantity=quantity, risk_money=money)


def keep_risk(order: StagedOrder) -> StagedOrder:
    """Size anew an order that is sized from risk; as it is where that cannot be, and for every other order."""
    if order.risk_money is None:
        return order
    try:
        return size_from_risk(order, order.risk_money)
    except ValueError:
        return order


def closed(held: Decimal, share: Decimal) -> Decimal:
    """Return how many units the engine sells or buys to close a share of a position: what is kept is whole."""
    held = abs(held)
    return held - (held * (1 - share)).to_integral_value(rounding=ROUND_FLOOR)


def even_stop(held: PositionRow | None, price: Price | None, stops: Sequence[OrderRow], symbol: str) -> Decimal:
    """Return where a stop at break-even goes, fees paid. Raises ``ValueError`` in words where it may not go there."""
    if held is None or not held.quantity or price is None or not stops:
        raise ValueError(f"{symbol}: no position with a stop at the broker")
    long = held.quantity > 0
    paid = held.break_even if held.break_even is not None else held.average_price
    even = to_tick(paid, exact(price.tick), up=long)
    touch = price.bid if long else price.ask
    if not price.live or (float(even) >= touch if long else float(even) <= touch):
        raise ValueError(f"{symbol}: a stop at {even} would trigger at once")
    for row in stops:
        if row.stop_price is not None and (row.stop_price >= even if long else row.stop_price <= even):
            raise ValueError(f"{symbol}: the stop at {row.stop_price} is tighter already")
    return even


def resize(order: StagedOrder, quantity: Decimal) -> StagedOrder:
    return replace(order, quantity=quantity, risk_money=None)
