"""The algorithms that Interactive Brokers works on its own servers, and what they take.

Names and values of parameters: TWS API documentation, "IBKR Order Types and Algos". The times of Twap and Vwap are left
empty, which means the whole session.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from ib_async import Order, TagValue

from engine.model.broker import NativeAlgo, NativeParam
from engine.model.order import OrderRequest, OrderType

STRATEGIES = {"ib.adaptive": "Adaptive", "ib.twap": "Twap", "ib.vwap": "Vwap"}
_TIMES = {"startTime": "", "endTime": ""}
_PAST_END = NativeParam(
    name="allowPastEndTime",
    title="Past the end",
    description="1: what is left at the end of its time goes on working.",
    default="0",
    choices=("0", "1"),
)
NATIVE = (
    NativeAlgo(
        name="ib.adaptive",
        title="IB Adaptive",
        params=(
            NativeParam(
                name="adaptivePriority",
                title="Priority",
                description="How fast it goes to the other side of the spread.",
                default="Normal",
                choices=("Patient", "Normal", "Urgent"),
            ),
        ),
    ),
    NativeAlgo(
        name="ib.twap",
        title="IB TWAP",
        params=(
            NativeParam(
                name="strategyType",
                title="Pegged to",
                description="Where each slice is placed.",
                default="Marketable",
                choices=("Marketable", "Matching Midpoint", "Matching Same Side", "Matching Last"),
            ),
            _PAST_END,
        ),
    ),
    NativeAlgo(
        name="ib.vwap",
        title="IB VWAP",
        params=(
            NativeParam(
                name="maxPctVol",
                title="Share of volume",
                description="The most of the market's volume, 0.1 is a tenth.",
                default="0.1",
                least=Decimal("0.01"),
                most=Decimal("0.5"),
            ),
            NativeParam(
                name="noTakeLiq",
                title="Never take",
                description="1: it adds liquidity and never takes it.",
                default="0",
                choices=("0", "1"),
            ),
            _PAST_END,
        ),
    ),
)
_BY_NAME = {algo.name: algo for algo in NATIVE}


def misfit(request: OrderRequest) -> str:
    """Say why the algorithm of a request cannot be asked for; empty when it can, or when there is none."""
    if not request.algo:
        return ""
    algo = _BY_NAME.get(request.algo)
    if algo is None:
        return f"the broker has no algorithm {request.algo}; it has {', '.join(_BY_NAME)}"
    if request.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        return f"{request.algo} takes market and limit orders only"
    params = {param.name: param for param in algo.params}
    times = _TIMES if algo.name != "ib.adaptive" else {}
    for name, text in request.algo_params.items():
        if name in times:
            continue
        if name not in params:
            return f"{request.algo} has no parameter {name}"
        if why := _wrong(params[name], text):
            return f"{request.algo}, {name}: {why}"
    return ""


def apply(order: Order, request: OrderRequest) -> None:
    """Put the algorithm of ``request`` into the order that goes over the wire."""
    if request.algo:
        order.algoStrategy = STRATEGIES[request.algo]
        order.algoParams = [TagValue(tag, value) for tag, value in _values(request).items()]


def _values(request: OrderRequest) -> Mapping[str, str]:
    times = _TIMES if request.algo != "ib.adaptive" else {}
    defaults = {param.name: param.default for param in _BY_NAME[request.algo].params}
    return {**times, **defaults, **request.algo_params}


def _wrong(param: NativeParam, text: str) -> str:
    if param.choices:
        return "" if text in param.choices else f"{text!r} is not one of {', '.join(param.choices)}"
    try:
        value = Decimal(text)
    except InvalidOperation:
        return f"{text!r} is not a number"
    if not (value.is_finite() and param.least <= value <= param.most):
        return f"{text} is not from {param.least} to {param.most}"
    return ""
