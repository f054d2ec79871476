"""Orders as text: ``buy AAPL 100 @ 190.10 stop 185 target 200 day``. One grammar for the command line and the palette.

::

    buy|sell SYMBOL QUANTITY|$MONEY|risk MONEY
             [@ PRICE | mkt | stp PRICE [@ PRICE] | trail AMOUNT|PERCENT% | moc | loc PRICE
              | moo | loo PRICE | rel | mid]
             [stop PRICE] [target PRICE] [day|gtc|ioc|fok|opg] [ext] [show QUANTITY] [via ALGO key=value ...]
    cancel REFERENCE | cancel SYMBOL | cancel all
    modify REFERENCE [@ PRICE] [stop PRICE] [qty QUANTITY] [day|gtc]
    flatten SYMBOL [1/2 | 1/4 | 50%] | flatten all
    unlock SYMBOL WHY
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import msgspec

from engine.api.commands import AnyCommand, CancelAll, CancelOrder, Flatten, ModifyOrder, PlaceOrder, Rearm
from engine.model.ids import IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType, TimeInForce

_TIFS = {tif.value.lower(): tif for tif in TimeInForce if tif is not TimeInForce.GTD}
_LIMITED: dict[OrderType | None, OrderType] = {
    None: OrderType.LIMIT,
    OrderType.STOP: OrderType.STOP_LIMIT,
    OrderType.RELATIVE: OrderType.RELATIVE,
    OrderType.MIDPRICE: OrderType.MIDPRICE,
}
"""What a limit price makes of the type named before it; with any other it would be another order than was meant."""
_KINDS = ("mkt", "market", "stp", "trail", "moc", "loc", "moo", "loo", "rel", "mid")
_SYMBOL = re.compile(r"^[A-Za-z0-9^][A-Za-z0-9.\-/=^]{0,20}$")


class OrderTextError(ValueError):
    """What was typed is not an order; the message names the word."""


class _Words:
    """The words of a line, taken one by one."""

    def __init__(self, text: str) -> None:
        self._words = re.sub(r"@", " @ ", text).split()

    def __bool__(self) -> bool:
        return bool(self._words)

    def peek(self) -> str:
        return self._words[0].lower() if self._words else ""

    def take(self, what: str) -> str:
        if not self._words:
            raise OrderTextError(f"{what} is missing at the end")
        return self._words.pop(0)

    def rest(self, what: str) -> str:
        """All that is left, as it was typed."""
        found, self._words = " ".join(self._words), []
        if not found:
            raise OrderTextError(f"{what} is missing at the end")
        return found

    def number(self, what: str) -> Decimal:
        word = self.take(what)
        try:
            value = Decimal(word.replace(",", "").replace("_", ""))
        except InvalidOperation:
            raise OrderTextError(f"{what}: {word!r} is not a number") from None
        if not value.is_finite() or value <= 0:
            raise OrderTextError(f"{what}: {word!r} must be above zero")
        return value


def parse_order_text(
    text: str,
    intent_id: IntentId,
    by: str = "cli",
    multiplier: Callable[[Symbol], Decimal] = lambda _symbol: Decimal(1),
) -> AnyCommand:
    """Read one line. Raises :class:`OrderTextError` naming the word that does not fit.

    ``multiplier``: money for one unit of a symbol's price; amounts and risks are divided by it.
    """
    words = _Words(text)
    verb = words.take("what to do (buy, sell, cancel, modify, flatten, unlock)").lower()
    match verb:
        case "buy" | "sell":
            command: AnyCommand = PlaceOrder(request=_request(Side(verb.upper()), words, intent_id, multiplier), by=by)
        case "cancel":
            command = _cancel(words, by)
        case "modify":
            command = _modify(words, intent_id, by)
        case "flatten":
            command = _flatten(words, intent_id, by)
        case "unlock":
            command = Rearm(code="", scope=_symbol(words), reason=words.rest("why"), by=by)
        case _:
            raise OrderTextError(f"{verb!r} is not one of buy, sell, cancel, modify, flatten, unlock")
    if words:
        raise OrderTextError(f"{words.peek()!r} does not belong there")
    return command


def _symbol(words: _Words) -> Symbol:
    word = words.take("symbol")
    if not _SYMBOL.match(word):
        raise OrderTextError(f"{word!r} is not a symbol")
    return Symbol(word.upper())


def _request(side: Side, words: _Words, intent_id: IntentId, multiplier: Callable[[Symbol], Decimal]) -> OrderRequest:
    symbol = _symbol(words)
    money: Decimal | None = None
    risk: Decimal | None = None
    quantity = Decimal(0)
    if words.peek() == "risk":
        words.take("risk")
        risk = words.number("risk")
    elif words.peek().startswith("$"):
        word = words.take("amount")
        money = _Words(word[1:]).number("amount") if word[1:] else words.number("amount")
    else:
        quantity = words.number("quantity")
    request = OrderRequest(intent_id=intent_id, symbol=symbol, side=side, quantity=quantity)
    changes: dict[str, object] = {}
    kind: OrderType | None = None
    while words:
        word = words.take("word").lower()
        if word in _KINDS and kind is not None:
            raise OrderTextError(f"{word!r} does not belong there")
        match word:
            case "@" | "lmt" if kind in _LIMITED and "limit_price" not in changes:
                changes["limit_price"] = words.number("limit price")
                kind = _LIMITED[kind]
            case "mkt" | "market":
                kind = OrderType.MARKET
            case "stp":
                changes["stop_price"] = words.number("trigger price")
                kind = OrderType.STOP
            case "trail":
                kind = OrderType.TRAIL
                if words.peek().endswith("%"):
                    changes["trail_percent"] = _Words(words.take("trail")[:-1]).number("trail")
                else:
                    changes["trail_amount"] = words.number("trail")
            case "moc":
                kind = OrderType.MARKET_ON_CLOSE
            case "loc":
                kind = OrderType.LIMIT_ON_CLOSE
                changes["limit_price"] = words.number("limit price")
            case "moo":
                kind = OrderType.MARKET_ON_OPEN
            case "loo":
                kind = OrderType.LIMIT_ON_OPEN
                changes["limit_price"] = words.number("limit price")
            case "rel":
                kind = OrderType.RELATIVE
            case "mid":
                kind = OrderType.MIDPRICE
            case "stop" if "stop_loss" not in changes:
                changes["stop_loss"] = words.number("stop")
            case "target" if "take_profit" not in changes:
                changes["take_profit"] = words.number("target")
            case "ext":
                changes["outside_rth"] = True
            case "show":
                changes["display_quantity"] = words.number("shown quantity")
            case "via":
                changes["algo"] = words.take("algorithm").lower()
                changes["algo_params"] = _params(words)
            case _ if word in _TIFS:
                changes["tif"] = _TIFS[word]
            case _:
                raise OrderTextError(f"{word!r} does not belong there")
    changes["order_type"] = kind or OrderType.MARKET
    request = msgspec.structs.replace(request, **changes)
    if money is not None:
        price = request.limit_price or request.stop_price
        if price is None:
            raise OrderTextError("an amount of money needs a price: add @ PRICE")
        request = msgspec.structs.replace(request, quantity=money // (price * multiplier(symbol)))
        if request.quantity <= 0:
            raise OrderTextError(f"{money} does not buy one unit at {price}")
    if risk is not None:
        request = msgspec.structs.replace(request, quantity=_sized(request, risk, multiplier(symbol)))
    return request


def _sized(request: OrderRequest, risk: Decimal, multiplier: Decimal) -> Decimal:
    """Return how many whole units lose at most ``risk`` at the stop."""
    price, stop = request.limit_price or request.stop_price, request.stop_loss
    apart = (price - stop) * request.side.sign if price is not None and stop is not None else Decimal(0)
    each = apart * multiplier
    if each <= 0:
        raise OrderTextError("a risk needs a price, and a stop on its losing side: add @ PRICE stop PRICE")
    if risk < each:
        raise OrderTextError(f"one unit risks {each}, more than {risk}")
    return risk // each


def _params(words: _Words) -> dict[str, str]:
    params: dict[str, str] = {}
    while "=" in words.peek():
        key, _, value = words.take("parameter").partition("=")
        params[key.lower()] = value
    return params


def _cancel(words: _Words, by: str) -> AnyCommand:
    word = words.take("an order's reference, a symbol, or all")
    if word.lower() == "all":
        return CancelAll(by=by)
    if "-" in word and any(ch.isdigit() for ch in word):
        return CancelOrder(ref=OrderRef(word), by=by)
    if not _SYMBOL.match(word):
        raise OrderTextError(f"{word!r} is neither a reference nor a symbol")
    return CancelAll(symbol=Symbol(word.upper()), by=by)


def _modify(words: _Words, intent_id: IntentId, by: str) -> AnyCommand:
    ref = OrderRef(words.take("an order's reference"))
    changes: dict[str, object] = {}
    while words:
        word = words.take("word").lower()
        match word:
            case "@":
                changes["limit_price"] = words.number("limit price")
            case "stop":
                changes["stop_price"] = words.number("stop")
            case "qty":
                changes["quantity"] = words.number("quantity")
            case _ if word in _TIFS:
                changes["tif"] = _TIFS[word]
            case _:
                raise OrderTextError(f"{word!r} does not belong there")
    if not changes:
        raise OrderTextError("say what to change: @ PRICE, stop PRICE, qty QUANTITY or a time in force")
    return msgspec.structs.replace(ModifyOrder(ref=ref, intent_id=intent_id, by=by), **changes)


def _flatten(words: _Words, intent_id: IntentId, by: str) -> AnyCommand:
    word = words.take("a symbol, or all")
    symbol = None if word.lower() == "all" else Symbol(word.upper())
    fraction = Decimal(1)
    if words:
        part = words.take("part")
        try:
            if part.endswith("%"):
                fraction = Decimal(part[:-1]) / 100
            elif "/" in part:
                above, _, below = part.partition("/")
                fraction = Decimal(above) / Decimal(below)
            else:
                raise OrderTextError(f"{part!r} is not a part: 1/2, 1/4 or 50%")
        except (InvalidOperation, ZeroDivisionError):
            raise OrderTextError(f"{part!r} is not a part: 1/2, 1/4 or 50%") from None
        if not 0 < fraction <= 1:
            raise OrderTextError(f"{part!r} must be above 0 and at most 1")
    return Flatten(symbol=symbol, fraction=fraction, intent_id=intent_id, by=by)
