"""The broker's books: orders, fills, positions, cash; and how orders fill against the quotes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

OPEN = frozenset({"new", "accepted", "pending_new", "partially_filled", "held", "pending_cancel", "pending_replace"})
TYPES = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
TIFS = frozenset({"day", "gtc", "opg", "cls", "ioc", "fok"})
SYMBOLS = {"AAPL": "190", "MSFT": "410", "NVDA": "120", "TSLA": "250", "SPY": "520", "QQQ": "440", "IBM": "185"}
PENNY = Decimal("0.01")


class Refused(Exception):
    """An answer of the form {"code": ..., "message": ...}; the first three digits are the HTTP status."""

    def __init__(self, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = code // 100_000, {"code": code, "message": message, **more}


def rfc3339(ns: int) -> str:
    """UTC with nanoseconds, as Alpaca writes times."""
    whole, rest = divmod(ns, 1_000_000_000)
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def text(value: Decimal | None) -> str | None:
    return None if value is None else format(value.normalize(), "f")


@dataclass
class Order:
    """One order; every number is exact."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    tif: str
    qty: Decimal
    created_ns: int
    limit: Decimal | None = None
    stop: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    hwm: Decimal | None = None
    extended: bool = False
    order_class: str = ""
    status: str = "pending_new"
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    times: dict[str, int] = field(default_factory=dict)
    replaces: str | None = None
    replaced_by: str | None = None
    parent: Order | None = None
    triggered: bool = False

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def sign(self) -> int:
        return 1 if self.side == "buy" else -1

    @property
    def remaining(self) -> Decimal:
        return self.qty - self.filled

    def json(self, legs: list[Order] | None = None) -> dict[str, Any]:
        """The REST body: numbers are strings, times are RFC 3339."""
        moments = ("submitted", "filled", "expired", "canceled", "failed", "replaced")
        average = self.value / self.filled if self.filled else None
        return {
            "id": self.id,
            "client_order_id": self.client_order_id,
            "created_at": rfc3339(self.created_ns),
            "updated_at": rfc3339(max([self.created_ns, *self.times.values()])),
            **{f"{m}_at": rfc3339(self.times[m]) if m in self.times else None for m in moments},
            "replaces": self.replaces,
            "replaced_by": self.replaced_by,
            "asset_id": asset_id(self.symbol),
            "symbol": self.symbol,
            "asset_class": "us_equity",
            "notional": None,
            "qty": text(self.qty),
            "filled_qty": text(self.filled),
            "filled_avg_price": text(average),
            "order_class": self.order_class,
            "order_type": self.type,
            "type": self.type,
            "side": self.side,
            "time_in_force": self.tif,
            "limit_price": text(self.limit),
            "stop_price": text(self.stop),
            "trail_price": text(self.trail_price),
            "trail_percent": text(self.trail_percent),
            "hwm": text(self.hwm),
            "extended_hours": self.extended,
            "status": self.status,
            "legs": [leg.json() for leg in legs] if legs else None,
        }


def asset_id(symbol: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, symbol))


@dataclass(frozen=True)
class Fill:
    execution_id: str
    order_id: str
    client_order_id: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    ns: int
    position: Decimal


@dataclass
class Quote:
    bid: Decimal
    ask: Decimal
    last: Decimal
    liquidity: Decimal | None = None


Listener = Callable[[str, Order, Fill | None], None]


class Book:
    """Orders and positions of the one account; `tell(event, order, fill)` hears everything."""

    def __init__(self, clock: Callable[[], int], cash: Decimal, tell: Listener) -> None:
        self._clock, self._tell = clock, tell
        self.cash = cash
        self.orders: list[Order] = []
        self.fills: list[Fill] = []
        self.positions: dict[str, tuple[Decimal, Decimal]] = {}
        self.quotes = {s: Quote(Decimal(p) - PENNY, Decimal(p) + PENNY, Decimal(p)) for s, p in SYMBOLS.items()}
        self.shortable = dict.fromkeys(SYMBOLS, True)
        self.is_open = True
        self.auto_fill = True
        self.keep_legs = False
        """Whether the exits of a cancelled entry live on for what it has filled. Alpaca's pages say the group ends."""
        self._ids = 0

    def new_id(self) -> str:
        self._ids += 1
        return str(uuid.UUID(int=(0xA1 << 120) + self._ids, version=4))

    # -- finding ---------------------------------------------------------------------------

    def by_id(self, order_id: str) -> Order:
        for order in self.orders:
            if order.id == order_id:
                return order
        raise Refused(40410000, f"order not found for {order_id}")

    def by_client_id(self, client_order_id: str) -> Order:
        for order in reversed(self.orders):
            if order.client_order_id == client_order_id:
                return order
        raise Refused(40410000, f"order not found for {client_order_id}")

    def legs(self, order: Order) -> list[Order]:
        return [o for o in self.orders if o.parent is order]

    def held(self, symbol: str) -> Decimal:
        return self.positions.get(symbol, (Decimal(0), Decimal(0)))[0]

    def buying_power(self) -> Decimal:
        reserved = sum(
            (o.remaining * (o.limit or self.quotes[o.symbol].ask) for o in self.orders if o.open and o.side == "buy"),
            Decimal(0),
        )
        return max(self.cash - reserved, Decimal(0))

    # -- making ----------------------------------------------------------------------------

    def _number(self, body: dict[str, Any], name: str) -> Decimal | None:
        value = body.get(name)
        if value is None or value == "":
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise Refused(42210000, f"{name} must be a number: {value!r}") from None
        if not number.is_finite() or number <= 0:
            raise Refused(42210000, f"{name} must be > 0")
        return number

    def read(self, body: dict[str, Any]) -> Order:
        """Check the body of POST /v2/orders."""
        symbol = str(body.get("symbol", ""))
        if symbol not in self.quotes:
            raise Refused(42210000, f'asset "{symbol}" not found')
        side, kind, tif = (str(body.get(k, "")) for k in ("side", "type", "time_in_force"))
        for name, value, known in (
            ("side", side, {"buy", "sell"}),
            ("type", kind, TYPES),
            ("time_in_force", tif, TIFS),
        ):
            if value not in known:
                raise Refused(42210000, f"invalid {name}: {value!r}")
        qty = self._number(body, "qty")
        if qty is None:
            raise Refused(
                42210000, "qty or notional is required" if not body.get("notional") else "notional is not here"
            )
        client_id = str(body.get("client_order_id") or self.new_id())
        if len(client_id) > 128:
            raise Refused(42210000, "client_order_id must be no more than 128 characters")
        if any(o.client_order_id == client_id for o in self.orders):
            raise Refused(42210000, "client_order_id must be unique")
        order = Order(self.new_id(), client_id, symbol, side, kind, tif, qty, self._clock())
        order.limit, order.stop = self._number(body, "limit_price"), self._number(body, "stop_price")
        order.trail_price, order.trail_percent = self._number(body, "trail_price"), self._number(body, "trail_percent")
        order.extended = bool(body.get("extended_hours"))
        order.order_class = str(body.get("order_class") or "")
        self._check(order)
        return order

    def _check(self, order: Order) -> None:
        if order.type in ("limit", "stop_limit") and order.limit is None:
            raise Refused(42210000, "limit orders require limit_price")
        if order.type in ("stop", "stop_limit") and order.stop is None:
            raise Refused(42210000, "stop orders require stop_price")
        if order.type == "trailing_stop" and (order.trail_price is None) == (order.trail_percent is None):
            raise Refused(42210000, "trailing stop orders require exactly one of trail_price and trail_percent")
        if order.extended and (order.type != "limit" or order.tif != "day"):
            raise Refused(42210000, "extended hours order must be DAY limit orders")
        for name, price in (("limit_price", order.limit), ("stop_price", order.stop)):
            step = PENNY if price is not None and price >= 1 else Decimal("0.0001")
            if price is not None and price % step:
                why = "sub-penny increment does not fulfill minimum pricing criteria"
                raise Refused(42210000, f"invalid {name} {text(price)}. {why}")
        if order.qty % 1 and (order.type != "market" or order.tif != "day"):
            raise Refused(42210000, "fractional orders must be DAY orders")

    def check_power(self, order: Order) -> None:
        """Money for a buy, shares or a borrow for a sell, and no wash trade."""
        price = order.limit or self.quotes[order.symbol].ask
        cost = order.qty * price
        if order.side == "buy" and self.held(order.symbol) >= 0 and cost > self.buying_power():
            power = str(self.buying_power())
            raise Refused(40310000, "insufficient buying power", buying_power=power, cost_basis=str(cost))
        if order.side == "sell":
            held = self.held(order.symbol)
            groups: dict[str, Decimal] = {}
            for o in self.orders:
                if o.open and o.side == "sell" and o.symbol == order.symbol and o.status != "held":
                    # Exits of one bracket, or a target with its stop, hold the shares once.
                    group = (o.parent or o).id
                    groups[group] = max(groups.get(group, Decimal(0)), o.remaining)
            working = sum(groups.values(), Decimal(0))
            short = order.qty > held - working
            if short and (held > 0 or not self.shortable[order.symbol]):
                available = str(held - working)
                message = f"insufficient qty available for order (requested: {text(order.qty)}, available: {available})"
                raise Refused(40310000, message, available_qty=available, required_qty=text(order.qty))
        for other in self.orders:
            if other.open and other.symbol == order.symbol and other.side != order.side and not order.parent:
                crosses = other.limit is not None and (
                    order.limit is None or other.sign * (other.limit - order.limit) >= 0
                )
                if crosses and other.parent is None:
                    raise Refused(42210000, "potential wash trade detected. use complex orders")

    def enter(self, order: Order, legs: list[Order]) -> None:
        """Book an order and its exits and work it."""
        self.orders += [order, *legs]
        order.times["submitted"] = self._clock()
        self.event("pending_new", order)
        order.status = "new" if self.is_open or order.extended else "accepted"
        self.event("new" if order.status == "new" else "accepted", order)
        for leg in legs:
            leg.status = "new" if order.order_class == "oco" else "held"
        self.work(order)
        if order.open and order.tif in ("ioc", "fok"):
            self.end(order, "canceled")

    def event(self, event: str, order: Order, fill: Fill | None = None) -> None:
        self._tell(event, order, fill)

    # -- market ----------------------------------------------------------------------------

    def on_quote(self, symbol: str) -> None:
        for order in list(self.orders):
            if order.symbol == symbol and order.open:
                self.work(order)

    def work(self, order: Order) -> None:
        """Trigger and fill as far as the quotes allow."""
        quote = self.quotes[order.symbol]
        if order.status not in ("new", "partially_filled", "pending_cancel", "pending_replace") or not self.auto_fill:
            return
        if not (self.is_open or order.extended) or not self._triggered(order, quote):
            return
        far = quote.ask if order.side == "buy" else quote.bid
        if order.type in ("limit", "stop_limit") and order.limit is not None and order.sign * (far - order.limit) > 0:
            return
        quantity = order.remaining if quote.liquidity is None else min(order.remaining, quote.liquidity)
        if order.tif == "fok" and quantity < order.remaining:
            return
        if quantity > 0:
            self.fill(order, quantity, far)

    def _triggered(self, order: Order, quote: Quote) -> bool:
        if order.type not in ("stop", "stop_limit", "trailing_stop") or order.triggered:
            return True
        level = order.stop
        if order.type == "trailing_stop":
            extreme = order.hwm or quote.last
            order.hwm = max(extreme, quote.last) if order.side == "sell" else min(extreme, quote.last)
            away = order.trail_price or order.hwm * (order.trail_percent or Decimal(0)) / 100
            level = order.hwm + order.sign * away
            order.stop = level
        order.triggered = level is not None and order.sign * (quote.last - level) >= 0
        return order.triggered

    def fill(self, order: Order, quantity: Decimal, price: Decimal) -> Fill:
        """Execute a quantity whatever the order's state is."""
        order.filled += quantity
        order.value += quantity * price
        held, cost = self.positions.get(order.symbol, (Decimal(0), Decimal(0)))
        after = held + order.sign * quantity
        if after == 0:
            cost = Decimal(0)
        elif held == 0 or (held > 0) != (after > 0):
            cost = price
        elif abs(after) > abs(held):
            cost = (cost * held + price * order.sign * quantity) / after
        self.positions[order.symbol] = (after, cost)
        self.cash -= order.sign * quantity * price
        done = order.remaining <= 0
        if order.open:
            order.status = "filled" if done else "partially_filled"
        if done:
            order.times["filled"] = self._clock()
        ids = (self.new_id(), order.id, order.client_order_id, order.symbol, order.side)
        fill = Fill(*ids, quantity, price, self._clock(), after)
        self.fills.append(fill)
        self.event("fill" if done else "partial_fill", order, fill)
        if done:
            self._after_fill(order)
        return fill

    def _after_fill(self, order: Order) -> None:
        """A filled entry arms its exits; a filled exit cancels its counterparts."""
        if order.parent is not None:
            family = [*self.legs(order.parent), *([order.parent] if order.order_class == "oco" else [])]
            for sibling in family:
                if sibling is not order:
                    self.end(sibling, "canceled")
        for leg in self.legs(order):
            if order.order_class == "oco":
                self.end(leg, "canceled")
            elif leg.status == "held":
                leg.status = "new"
                self.event("new", leg)
                self.work(leg)

    def end(self, order: Order, status: str) -> None:
        """canceled, expired, rejected or replaced; the exits end with it, those of a filled part, too."""
        if not order.open:
            return
        order.status = status
        order.times["failed" if status == "rejected" else status] = self._clock()
        self.event(status, order)
        if order.filled and status == "replaced":
            return
        for leg in self.legs(order):
            if not (order.filled and self.keep_legs):
                self.end(leg, "canceled")
            elif leg.status == "held":
                leg.qty, leg.status = order.filled, "new"
                self.event("new", leg)

    def close_day(self) -> None:
        """The close: day orders expire."""
        self.is_open = False
        for order in list(self.orders):
            if order.open and order.tif in ("day", "ioc", "fok"):
                self.end(order, "expired")
