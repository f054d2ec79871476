"""May this order be worked this way now? Pure, but for what it asks of the market."""

from decimal import Decimal

import msgspec

from engine.bus.clock import SECOND
from engine.bus.errors import UserError
from engine.execution.algos.algorithm import Algorithm, Curve
from engine.execution.algos.params import Values, read
from engine.execution.algos.ports import Market, VolumeCurves
from engine.execution.algos.seeing import unusable
from engine.execution.algos.settings import AlgoSettings
from engine.model.market import SessionState
from engine.model.order import OrderRequest, OrderType, TimeInForce

_OPEN = (SessionState.OPEN,)
_EXTENDED = (SessionState.OPEN, SessionState.PRE, SessionState.POST)


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a parent begins with."""

    params: Values
    end_ns: int
    curve: Curve | None
    cut: bool
    """The close cuts it short."""


class NotReady(msgspec.Struct, frozen=True):
    """Why it cannot begin."""

    code: str
    text: str


def prepare(
    request: OrderRequest,
    algorithm: Algorithm,
    market: Market,
    curves: VolumeCurves,
    settings: AlgoSettings,
    now_ns: int,
) -> Ready | NotReady:
    """Check the order, its parameters, the market and the time."""
    if reason := _shape(request):
        return NotReady("ALGO_ORDER", f"{algorithm.title}: {reason}.")
    try:
        params = read(request.algo_params, algorithm.params)
        reason = algorithm.refusal(request, params)
        seconds = algorithm.seconds(params)
    except UserError as error:
        return NotReady("ALGO_PARAM", f"{algorithm.title}: {error}.")
    if reason:
        return NotReady("ALGO_PARAM", f"{algorithm.title}: {reason}.")
    if market.instrument(request.symbol) is None:
        return NotReady("INSTRUMENT", f"{request.symbol} is not known.")
    session = market.session(request.symbol, now_ns)
    if session is None or session.state not in (_EXTENDED if request.outside_rth else _OPEN):
        return NotReady("SESSION", f"The market of {request.symbol} is not open.")
    if reason := unusable(market.quote(request.symbol), now_ns, settings.max_quote_age_s):
        return NotReady("QUOTE", f"{request.symbol}: {reason}.")
    latest = session.close_ns - round(settings.close_margin_s * SECOND)
    if request.outside_rth and session.state is SessionState.POST:
        latest = session.next_open_ns
    wanted = latest if seconds is None else now_ns + round(seconds * SECOND)
    end = min(wanted, latest)
    if end - now_ns < settings.step_s * SECOND:
        return NotReady("SESSION", "There is no time left before the close.")
    curve = curves.curve(request.symbol, now_ns) if algorithm.needs_curve else None
    if algorithm.needs_curve and curve is None:
        text = f"The usual volume of {request.symbol} over the day is not known; {algorithm.title} needs it."
        return NotReady("NO_CURVE", text)
    return Ready(params=params, end_ns=end, curve=curve, cut=end < wanted)


def _shape(request: OrderRequest) -> str:
    if request.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        return "only a market or a limit order can be worked"
    if request.tif is not TimeInForce.DAY:
        return "only a day order can be worked"
    if request.order_type is OrderType.LIMIT and request.limit_price is None:
        return "a limit order needs its limit"
    if request.parent_ref is not None or request.oca_group:
        return "it belongs to another order already"
    if request.quantity <= Decimal(0) or not request.quantity.is_finite():
        return "the quantity must be above zero"
    return ""
