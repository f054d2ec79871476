"""When an order triggers and at what price it fills: pure decisions over one order and one book."""

from __future__ import annotations

from decimal import Decimal

from tests.support.tws_gateway.market import Book
from tests.support.tws_gateway.orders import Order

STOPS = frozenset({"STP", "STP LMT", "STP PRT", "TRAIL", "TRAIL LIMIT"})
TOUCHES = frozenset({"MIT", "LIT"})
AT_CLOSE = frozenset({"MOC", "LOC"})
AT_MID = frozenset({"REL", "MIDPRICE", "PEG MID"})
PLAIN = frozenset({"MKT", "LMT", "MTL", "MKT PRT"})
KINDS = STOPS | TOUCHES | AT_CLOSE | AT_MID | PLAIN
LIMITED = frozenset({"LMT", "STP LMT", "TRAIL LIMIT", "LIT", "LOC"})


def trigger_price(order: Order, book: Book) -> Decimal | None:
    """What a stop looks at: the last trade, or the side it would trade on where there are no trades."""
    if book.contract.has_trades:
        return book.last
    return book.ask if order.terms.is_buy else book.bid


def trail(order: Order, book: Book) -> Decimal | None:
    """The trailing stop after this market event: moves with the market, never back."""
    price = trigger_price(order, book)
    if price is None:
        return order.trail_stop
    percent = order.terms.number("trailingPercent")
    distance = price * percent / 100 if percent else (order.terms.aux or Decimal(0))
    if order.terms.is_buy:
        moved = price + distance
        return moved if order.trail_stop is None else min(order.trail_stop, moved)
    moved = price - distance
    return moved if order.trail_stop is None else max(order.trail_stop, moved)


def triggers(order: Order, book: Book) -> bool:
    """Does a stop or touch order become live at this market?"""
    kind = order.terms.kind
    price = trigger_price(order, book)
    level = order.trail_stop if kind.startswith("TRAIL") else order.terms.aux
    if price is None or level is None:
        return False
    rising = order.terms.is_buy == (kind in STOPS)
    return price >= level if rising else price <= level


def fill_price(order: Order, book: Book) -> Decimal | None:
    """The price at which a triggered order fills now; None when it rests."""
    terms = order.terms
    if book.halted:
        return None
    far = book.ask if terms.is_buy else book.bid
    if terms.kind in AT_MID:
        far = book.mid
    if far is None:
        return None
    limit = terms.limit if terms.kind in LIMITED or (terms.kind in AT_MID and terms.limit) else None
    if limit is None:
        return far
    return far if (far <= limit if terms.is_buy else far >= limit) else None


def closing_price(order: Order, book: Book) -> Decimal | None:
    """The price of MOC and LOC orders at the close."""
    if book.last is None or book.halted:
        return None
    limit = order.terms.limit
    if order.terms.kind == "LOC" and limit is not None:
        passes = book.last <= limit if order.terms.is_buy else book.last >= limit
        return book.last if passes else None
    return book.last
