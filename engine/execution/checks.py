"""The last look before an order leaves: pure functions that return a code and a sentence, or nothing."""

from decimal import Decimal

from engine.bus.clock import SECOND
from engine.execution.ports import Market
from engine.execution.settings import ExecutionSettings
from engine.model.decision import Mode
from engine.model.ids import AccountId
from engine.model.money import ZERO, finite
from engine.model.order import ClearedOrder, OrderRequest, Origin
from engine.model.report import LinkState

_CLOSING = (Origin.PROTECTIVE, Origin.FLATTEN)


def malformed(cleared: ClearedOrder, account: AccountId) -> str:
    """Say what is wrong with the order itself. Such an order is not even recorded."""
    for part in (cleared, *cleared.legs):
        request = part.request
        if not part.ref or len(part.ref) > 40 or not part.ref.isascii():
            return f"REF: {part.ref!r} is not a reference"
        if part.account != account:
            return f"ACCOUNT: the order is for {part.account}, the broker is connected to {account}"
        if reason := flaw(request):
            return reason
    refs = [cleared.ref, *(leg.ref for leg in cleared.legs)]
    return "" if len(set(refs)) == len(refs) else "REF: two legs share a reference"


def flaw(request: OrderRequest) -> str:
    """Say which number of a request is unusable."""
    named: tuple[tuple[str, Decimal | None], ...] = (
        ("quantity", request.quantity),
        ("limit price", request.limit_price),
        ("stop price", request.stop_price),
        ("trail amount", request.trail_amount),
        ("trail percent", request.trail_percent),
        ("display quantity", request.display_quantity),
    )
    for name, value in named:
        if value is None and name != "quantity":
            continue
        if not finite(value) or value is None or value <= ZERO:
            return f"NUMBER: the {name} of the order is {value}"
    return ""


def not_now(
    cleared: ClearedOrder,
    mode: Mode,
    link: LinkState,
    synced: bool,
    market: Market,
    settings: ExecutionSettings,
    now_ns: int,
) -> str:
    """Say why the order may not leave at this instant. The gate has agreed a moment ago; this is the last door."""
    request = cleared.request
    if mode is Mode.OBSERVE:
        return "MODE: the agent only observes"
    if mode is Mode.HALTED and request.origin is not Origin.FLATTEN:
        return "HALTED: trading is stopped"
    if mode is Mode.REDUCE_ONLY and not (request.reduce_only or request.origin in _CLOSING):
        return "MODE: only orders that reduce a position may leave"
    if link is not LinkState.UP:
        return f"LINK: the broker link is {link.value}"
    if not synced:
        return "NOT_SYNCED: orders and positions have not been compared with the broker yet"
    if request.origin in _CLOSING or request.reduce_only:
        return ""
    quote = market.quote(request.symbol)
    if quote is None or not quote.two_sided:
        return "QUOTE: there is no two-sided quote"
    age_ns = now_ns - min(quote.ts_event, quote.ts_seen)
    if age_ns > settings.max_quote_age_s * SECOND:
        return f"QUOTE: the quote is {age_ns / SECOND:.1f} s old"
    return ""
