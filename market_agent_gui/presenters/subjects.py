"""What a person is asked to confirm: the order in words, the money it is about, and what must stay the same."""

from dataclasses import dataclass
from decimal import Decimal

from engine.api.commands import AnyCommand, CancelAll, Flatten, ModifyOrder
from engine.api.rows import OrderRow, PositionRow, QuoteRow
from engine.model.market import Side
from engine.model.money import exact
from engine.model.order import OrderRequest, OrderType, TimeInForce
from market_agent_gui.keys.confirming import Act, worth
from market_agent_gui.keys.staging import StagedOrder, closed
from market_agent_gui.mirror import Mirror
from market_agent_gui.translate import say
from widgets import formats

SHARES = {
    "exit_all": Decimal(1),
    "exit_half": Decimal("0.5"),
    "exit_quarter": Decimal("0.25"),
    "flatten_symbol": Decimal(1),
}
_EXITS = ("stop", "target")


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to confirm."""

    act: Act
    words: str
    notional: Decimal | None
    """In the account's currency; ``None`` where no price is known, or one in another currency."""
    same: object
    """Compared between the question and the answer."""


class Subjects:
    """Reads them out of what the window shows."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    # --- orders

    def staged(self, order: StagedOrder, act: Act | None = None) -> Subject:
        """Return the staged order or change, ``act`` where it is not sent by a key."""
        act = act or (Act.CHART if order.clicked else Act.KEY)
        if order.ref:
            row = self._order(order.ref)
            act = Act.FLATTEN if row is not None and row.leg in _EXITS else act
            words = say("{order} (a change)", order=self._order_words(
                order.side, order.quantity, order.symbol, order.order_type, order.limit))  # fmt: skip
            stops = order.order_type in (OrderType.STOP, OrderType.TRAIL)
            prices = (None, order.limit) if stops else (order.limit, None)
            return Subject(act, words, self._worth(order.symbol, order.side, order.quantity, *prices), order)
        request = order.request()
        return Subject(act, self.words(request), self._request_worth(request), order)

    def request(self, request: OrderRequest, act: Act) -> Subject:
        """Return an order as it would be sent."""
        act = Act.FLATTEN if request.reduce_only else act
        return Subject(act, self.words(request), self._request_worth(request), request)

    def change(
        self,
        ref: str,
        act: Act,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
    ) -> Subject | None:
        """Return a change of a working order; ``None`` for one the window does not know."""
        row = self._order(ref)
        if row is None:
            return None
        prices = (limit_price or row.limit_price, stop_price or row.stop_price)
        size, side = quantity or row.quantity, Side(row.side)
        price = next((price for price in (limit_price, stop_price, *prices) if price is not None), None)
        words = say("{order} (a change)", order=self._order_words(side, size, row.symbol, row.order_type, price))
        act = Act.FLATTEN if row.leg in _EXITS else act
        return Subject(act, words, self._worth(row.symbol, side, size, *prices), (row.key, row.quantity, *prices))

    def words(self, request: OrderRequest) -> str:
        """Return an order as a sentence: ``BUY 500 AAPL at 190.10 limit, stop 188.00``."""
        priced = request.stop_price if request.stop_price is not None else request.limit_price
        parts = [self._order_words(request.side, request.quantity, request.symbol, request.order_type, priced)]
        named = [("limit", request.limit_price if request.stop_price is not None else None)]
        named += [("stop", request.stop_loss), ("target", request.take_profit)]
        parts += [
            f"{say(name)} {self._price(request.symbol, price)}" for name, price in named if price is not None
        ]  # fmt: skip
        if request.tif is not TimeInForce.DAY:
            parts.append(request.tif.value)
        if request.outside_rth:
            parts.append(say("also outside regular hours"))
        return ", ".join([*parts, *([request.algo] if request.algo else [])])

    # --- what closes and cancels

    def action(self, action: str, symbol: str) -> Subject | None:
        """Return what an action of the keys closes or cancels; ``None`` where there is nothing to confirm."""
        if action == "reverse":
            return self.reverse(symbol)
        if action == "cancel_all":
            return self.cancel_all()
        return self.exit(symbol, SHARES[action]) if action in SHARES else None

    def exit(self, symbol: str, share: Decimal) -> Subject | None:
        """Return the closing of a share of a position."""
        held = self._mirror.position(symbol)
        if held is None or not held.quantity:
            return None
        size = closed(held.quantity, share)
        words = say("close {size} {symbol}", size=formats.quantity(size), symbol=symbol)
        return Subject(Act.FLATTEN, words, self._held_worth(held, size), (symbol, held.quantity, share))

    def reverse(self, symbol: str) -> Subject | None:
        """Return the closing of a position, after which the other side is staged."""
        held = self._mirror.position(symbol)
        if held is None or not held.quantity:
            return None
        size = formats.quantity(abs(held.quantity))
        words = say("close {size} {symbol}, then stage the other side", size=size, symbol=symbol)
        return Subject(Act.REVERSE, words, self._held_worth(held, held.quantity), (symbol, held.quantity))

    def flatten_all(self) -> Subject:
        """Return the closing of every position."""
        held = [row for row in self._mirror.rows("positions").values() if isinstance(row, PositionRow) and row.quantity]
        names = ", ".join(f"{row.symbol} {formats.signed(row.quantity, 0)}" for row in held)
        each = [self._held_worth(row, row.quantity) for row in held]
        known = [value for value in each if value is not None]
        total = sum(known, Decimal(0)) if len(known) == len(each) else None
        words = say("close every position ({names})", names=names or "0")
        return Subject(Act.FLATTEN_ALL, words, total, tuple((row.symbol, row.quantity) for row in held))

    def cancel_all(self) -> Subject:
        """Return the cancelling of every entry that works."""
        rows = [row for row in self._mirror.working() if not row.external and row.leg not in _EXITS]
        each = [self._worth(row.symbol, Side(row.side), row.quantity, row.limit_price, row.stop_price) for row in rows]
        known = [value for value in each if value is not None]
        total = sum(known, Decimal(0)) if len(known) == len(each) else None
        words = say("cancel every working entry ({n}); protective stops stay", n=len(rows))
        return Subject(Act.CANCEL_ALL, words, total, "cancel_all")

    def command(self, command: AnyCommand) -> Subject | None:
        """Return what was typed; ``None`` for what is never confirmed."""
        if isinstance(command, Flatten):
            return self.exit(command.symbol, command.fraction) if command.symbol else self.flatten_all()
        if isinstance(command, CancelAll) and not command.symbol:
            return self.cancel_all()
        if isinstance(command, ModifyOrder):
            return self.change(
                command.ref,
                Act.TICKET,
                quantity=command.quantity,
                limit_price=command.limit_price,
                stop_price=command.stop_price,
            )
        return None

    # --- inside

    def _order(self, ref: str) -> OrderRow | None:
        row = self._mirror.rows("orders").get(ref)
        return row if isinstance(row, OrderRow) else None

    def _order_words(self, side: Side, size: Decimal, symbol: str, kind: str, price: Decimal | None) -> str:
        from widgets.ticket_sentence import TYPE_WORDS

        order = f"{say(side.value)} {formats.quantity(size)} {symbol}"
        known = next((word for name, word in TYPE_WORDS.items() if name.value == kind), "")
        word = say(known, "order type") if known else kind  # somebody else's order may be of a kind of its own
        if price is None:
            return f"{order} {word}"
        return say("{order} at {price} {kind}", order=order, price=self._price(symbol, price), kind=word)

    def _price(self, symbol: str, price: Decimal) -> str:
        row = self._mirror.rows("quotes").get(symbol)
        return formats.price(price, exact(row.tick)) if isinstance(row, QuoteRow) else formats.number(price)

    def _request_worth(self, request: OrderRequest) -> Decimal | None:
        return self._worth(request.symbol, request.side, request.quantity, request.limit_price, request.stop_price)

    def _worth(
        self, symbol: str, side: Side, size: Decimal, limit: Decimal | None, stop: Decimal | None = None
    ) -> Decimal | None:
        """A limit is the most that a buy costs; everything else may be filled at the market, where that is dearer."""
        if side is Side.BUY and limit is not None:
            return self._money(symbol, worth(size, limit))
        quote = self._mirror.price(symbol)
        touch = None if quote is None or not quote.live else quote.ask if side is Side.BUY else quote.bid
        return self._money(symbol, worth(size, limit, stop, touch))

    def _held_worth(self, held: PositionRow, size: Decimal) -> Decimal | None:
        return self._money(held.symbol, worth(size, held.mark if held.mark is not None else held.last))

    def _money(self, symbol: str, value: Decimal | None) -> Decimal | None:
        """Return what so much of a symbol's price is in the account's currency; nobody tells rates for another one."""
        row, state = self._mirror.rows("quotes").get(symbol), self._mirror.state()
        if value is None or state is None or not isinstance(row, QuoteRow) or row.currency != state.currency:
            return None
        return value * exact(row.multiplier)
