"""The order being written: fields as the person set them, and what they amount to. Pure values."""

import math
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from engine.model.ids import IntentId, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.money import exact
from engine.model.order import OrderRequest, OrderType, TimeInForce
from widgets.ticket_extras import SHOWN, Algo
from widgets.words import tr


class SizeIn(StrEnum):
    """What the size field counts."""

    SHARES = "shares"
    MONEY = "money"
    EQUITY = "% of equity"
    RISK = "risk to stop"


class TrailIn(StrEnum):
    """What the trailing distance is in."""

    MONEY = "amount"
    PERCENT = "%"


class AwayIn(StrEnum):
    """What a distance from the price is in."""

    TICKS = "ticks"
    PERCENT = "%"
    ATR = "ATR"
    """Average true range of 14 days."""


@dataclass(frozen=True, slots=True)
class Away:
    """How far a stop or target is from the price of the order."""

    amount: Decimal
    unit: AwayIn

    def money(self, price: Decimal, around: "Around") -> Decimal | None:
        """Return the distance in money; None where it cannot be reckoned."""
        if self.unit is AwayIn.TICKS:
            return self.amount * around.tick
        if self.unit is AwayIn.PERCENT:
            return price * self.amount / 100
        return None if around.atr is None else around.atr * self.amount


_LIMITED = (
    OrderType.LIMIT,
    OrderType.STOP_LIMIT,
    OrderType.LIMIT_ON_CLOSE,
    OrderType.LIMIT_ON_OPEN,
)
_TRIGGERED = (OrderType.STOP, OrderType.STOP_LIMIT)
_TRAILING = (OrderType.TRAIL, OrderType.TRAIL_LIMIT)
_CAPPED = (OrderType.RELATIVE, OrderType.MIDPRICE)


def needs(order_type: OrderType) -> tuple[str, ...]:
    """Return the price fields an order type must have: limit, trigger, trail."""
    wanted = []
    if order_type in _TRIGGERED:
        wanted.append("trigger")
    if order_type in _TRAILING:
        wanted.append("trail")
    if order_type in _LIMITED or order_type is OrderType.TRAIL_LIMIT:
        wanted.append("limit")
    return tuple(wanted)


def may_have(order_type: OrderType) -> tuple[str, ...]:
    """Return the price fields an order type may have."""
    return ("limit",) if order_type in _CAPPED else needs(order_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order being written. Prices and size are exact; None is an empty field."""

    intent: str
    symbol: str = ""
    side: Side = Side.BUY
    size: Decimal | None = None
    size_in: SizeIn = SizeIn.SHARES
    order_type: OrderType = OrderType.LIMIT
    limit: Decimal | None = None
    trigger: Decimal | None = None
    trail: Decimal | None = None
    trail_in: TrailIn = TrailIn.MONEY
    tif: TimeInForce = TimeInForce.DAY
    good_till: int | None = None
    """UTC ns; counts with GTD."""
    stop: Decimal | None = None
    target: Decimal | None = None
    display: Decimal | None = None
    """Units shown to the market; counts when ``work`` is to show a part."""
    work: str = ""
    """Empty sends the order whole, ``display`` shows a part; else the name of an algorithm."""
    algo_params: tuple[tuple[str, str], ...] = ()
    outside_rth: bool = False
    suggestion: str = ""
    strategy: str = ""
    source: str = ""
    """Where it came from, in words."""
    stop_away: Away | None = None
    """The stop stands at this distance from the price until a hand sets it."""
    target_away: Away | None = None
    preset: tuple[str, ...] = ()
    """Places of the presets that filled it, nearest first."""
    preset_left: tuple[str, ...] = ()
    """What of them the broker does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the sizes are reckoned with; None or NaN is not known."""

    tick: Decimal = Decimal("0.01")
    bid: float | None = None
    ask: float | None = None
    last: float | None = None
    equity: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    atr: Decimal | None = None
    """Average true range of 14 days."""
    now_ns: int = 0
    """The market's time, 0 while unknown."""
    algos: tuple[Algo, ...] = ()
    """What the engine can work an order with."""

    def algo(self, name: str) -> Algo | None:
        return next((algo for algo in self.algos if algo.name == name), None)


def from_request(request: OrderRequest, source: str = "") -> Draft:
    """Open a request in the ticket."""
    return Draft(
        intent=request.intent_id,
        symbol=request.symbol,
        side=request.side,
        size=request.quantity,
        order_type=request.order_type,
        limit=request.limit_price,
        trigger=request.stop_price,
        trail=request.trail_amount if request.trail_percent is None else request.trail_percent,
        trail_in=TrailIn.MONEY if request.trail_percent is None else TrailIn.PERCENT,
        tif=request.tif,
        good_till=request.good_till_ns,
        display=request.display_quantity,
        work=request.algo or (SHOWN if request.display_quantity is not None else ""),
        algo_params=tuple(request.algo_params.items()),
        stop=request.stop_loss,
        target=request.take_profit,
        outside_rth=request.outside_rth,
        suggestion=request.suggestion_id or "",
        strategy=request.strategy,
        source=source,
    )


def reference(draft: Draft, around: Around) -> Decimal | None:
    """Return the price the order is reckoned at: its own, else the side of the quote it would meet."""
    if draft.limit is not None and "limit" in may_have(draft.order_type):
        return draft.limit
    if draft.trigger is not None and draft.order_type in _TRIGGERED:
        return draft.trigger
    meets = around.ask if draft.side is Side.BUY else around.bid
    for value in (meets, around.last):
        if value is not None and math.isfinite(value) and value > 0:
            return exact(float(value))
    return None


def quantity(draft: Draft, around: Around) -> Decimal | None:
    """Return the size in whole shares; None where it cannot be reckoned."""
    if draft.size is None or draft.size <= 0:
        return None
    if draft.size_in is SizeIn.SHARES:
        return draft.size
    price = reference(draft, around)
    if price is None or price <= 0:
        return None
    if draft.size_in is SizeIn.RISK:
        distance = (price - draft.stop) * draft.side.sign if draft.stop is not None else Decimal(0)
        return _whole(draft.size / (distance * around.multiplier)) if distance > 0 else None
    money = draft.size
    if draft.size_in is SizeIn.EQUITY:
        if around.equity is None or around.equity <= 0:
            return None
        money = around.equity * draft.size / 100
    return _whole(money / (price * around.multiplier))


def _whole(value: Decimal) -> Decimal:
    return value.to_integral_value(rounding=ROUND_FLOOR)


def problems(draft: Draft, around: Around) -> dict[str, str]:
    """Return what is wrong, by field, each in one sentence; empty when it can be asked of the gate."""
    found: dict[str, str] = {}
    if not draft.symbol:
        found["symbol"] = tr("Type a symbol.")
    if draft.size is None:
        found["size"] = tr("Type a size.")
    elif draft.size <= 0:
        found["size"] = tr("The size must be above zero.")
    for field in needs(draft.order_type):
        if getattr(draft, field) is None:
            found[field] = tr("A {type} order needs this price.", type=draft.order_type.value)
    for field in ("limit", "trigger", "trail", "stop", "target"):
        value = getattr(draft, field)
        if (
            value is None
            or field in found
            or (field in ("limit", "trigger", "trail") and field not in may_have(draft.order_type))
        ):
            continue
        if value <= 0:
            found[field] = tr("The price must be above zero.")
        elif field == "trail" and draft.trail_in is TrailIn.PERCENT:
            if value >= 100:
                found[field] = tr("The trailing percentage must be below 100.")
        elif around.tick > 0 and value % around.tick:
            found[field] = tr("{price} is not a multiple of {tick}.", price=value, tick=around.tick)
    _legs(draft, around, found)
    for field, away in (("stop", draft.stop_away), ("target", draft.target_away)):
        if away is not None and getattr(draft, field) is None:
            unknown = away.unit is AwayIn.ATR and around.atr is None
            found[field] = tr(_NOT_PLACED[unknown], amount=f"{away.amount:f}", unit=tr(away.unit.value))
    _extras(draft, around, found)
    if "size" not in found and quantity(draft, around) is None:
        found["size"] = tr(_NOT_RECKONED[draft.size_in])
    elif "size" not in found and quantity(draft, around) == 0:
        found["size"] = tr("That is less than one share.")
    return found


_NOT_RECKONED = {
    SizeIn.SHARES: "Type a size.",
    SizeIn.MONEY: "Money needs a price to become shares.",
    SizeIn.EQUITY: "The equity is not known.",
    SizeIn.RISK: "Risk needs a stop on the losing side of the price.",
}


_NOT_PLACED = {
    True: "A stop or target of {amount} {unit} waits: the average range is not known.",
    False: "A stop or target of {amount} {unit} cannot be placed at this price.",
}


def _extras(draft: Draft, around: Around, found: dict[str, str]) -> None:
    if draft.tif is TimeInForce.GTD:
        if draft.good_till is None:
            found["good_till"] = tr("Type a date and time such as 2026-11-24 16:00.")
        elif around.now_ns and draft.good_till <= around.now_ns:
            found["good_till"] = tr("That date is over.")
    if draft.work == SHOWN:
        size = quantity(draft, around)
        if draft.display is None:
            found["display"] = tr("Type how many are shown.")
        elif draft.display <= 0 or (size is not None and draft.display >= size):
            found["display"] = tr("The part shown must be above zero and below the size.")
    elif draft.work:
        algo = around.algo(draft.work)
        if algo is None:
            found["work"] = tr("The engine has no algorithm {name}.", name=draft.work)
            return
        values = dict(draft.algo_params)
        for param in algo.params:
            if wrong := param.wrong(values.get(param.name, "")):
                found[f"algo.{param.name}"] = wrong


def _legs(draft: Draft, around: Around, found: dict[str, str]) -> None:
    price = reference(draft, around)
    if price is None:
        return
    buys = draft.side is Side.BUY
    if draft.stop is not None and "stop" not in found and (price - draft.stop) * draft.side.sign <= 0:
        found["stop"] = tr("The stop must be below the price.") if buys else tr("The stop must be above the price.")
    if draft.target is not None and "target" not in found and (draft.target - price) * draft.side.sign <= 0:
        found["target"] = (
            tr("The target must be above the price.") if buys else tr("The target must be below the price.")
        )


def to_request(draft: Draft, around: Around, confirmed: tuple[str, ...] = ()) -> OrderRequest | None:
    """Return the request; None while anything is wrong."""
    size = quantity(draft, around)
    if size is None or problems(draft, around):
        return None
    return request_of(draft, size, confirmed)


def request_of(draft: Draft, size: Decimal, confirmed: tuple[str, ...] = ()) -> OrderRequest:
    """Return what is written as a request of ``size``, whatever it still lacks."""
    has = may_have(draft.order_type)
    return OrderRequest(
        intent_id=IntentId(draft.intent),
        symbol=Symbol(draft.symbol),
        side=draft.side,
        quantity=size,
        order_type=draft.order_type,
        limit_price=draft.limit if "limit" in has else None,
        stop_price=draft.trigger if "trigger" in has else None,
        trail_amount=draft.trail if "trail" in has and draft.trail_in is TrailIn.MONEY else None,
        trail_percent=draft.trail if "trail" in has and draft.trail_in is TrailIn.PERCENT else None,
        tif=draft.tif,
        good_till_ns=draft.good_till if draft.tif is TimeInForce.GTD else None,
        display_quantity=draft.display if draft.work == SHOWN else None,
        algo="" if draft.work == SHOWN else draft.work,
        algo_params=dict(draft.algo_params) if draft.work not in ("", SHOWN) else {},
        outside_rth=draft.outside_rth,
        stop_loss=draft.stop,
        take_profit=draft.target,
        suggestion_id=SuggestionId(draft.suggestion) if draft.suggestion else None,
        strategy=draft.strategy,
        confirmed=confirmed,
        intended_notional=draft.size if draft.size_in is SizeIn.MONEY else None,
    )
