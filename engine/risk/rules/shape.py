"""VALUES: an order must be made of finite numbers that fit together. Runs before everything else."""

from decimal import Decimal

from engine.model.instrument import Instrument
from engine.model.market import Side
from engine.model.money import ZERO, finite
from engine.model.order import OrderRequest, OrderType, TimeInForce
from engine.risk.say import NOTHING, Findings, hard

CODE = "VALUES"
MOST = Decimal("1e12")
LIMITED = frozenset(
    {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_ON_CLOSE, OrderType.LIMIT_ON_OPEN, OrderType.TRAIL_LIMIT}
)
STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
TRAILING = frozenset({OrderType.TRAIL, OrderType.TRAIL_LIMIT})
FIELDS = (
    "quantity",
    "limit_price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "stop_loss",
    "take_profit",
    "display_quantity",
    "intended_notional",
)


def check(request: OrderRequest, instrument: Instrument) -> Findings:
    """Object to the first field that cannot be traded on, by name."""
    for field in FIELDS:
        value: Decimal | None = getattr(request, field)
        if value is None and field != "quantity":
            continue
        if isinstance(value, Decimal) and value.is_finite() and ZERO < value <= MOST:
            continue
        label = field.replace("_", " ")
        if not isinstance(value, Decimal) or not finite(value):
            return hard(CODE, f"The {label} is not a number ({value}).", value=value)
        if value <= 0:
            return hard(CODE, f"The {label} must be above zero, not {value}.", value=value)
        return hard(CODE, f"The {label} {value:.3g} is beyond anything that can be traded.", value=value)
    return _missing(request) or _lot(request, instrument) or _sides(request) or NOTHING


def _missing(request: OrderRequest) -> Findings:
    kind = request.order_type
    if kind in LIMITED and request.limit_price is None and kind is not OrderType.TRAIL_LIMIT:
        return hard(CODE, f"A {kind.value} order needs a limit price.")
    if kind in STOPPED and request.stop_price is None:
        return hard(CODE, f"A {kind.value} order needs a stop price.")
    if kind in TRAILING and request.trail_amount is None and request.trail_percent is None:
        return hard(CODE, f"A {kind.value} order needs a trailing amount or percentage.")
    if request.trail_percent is not None and request.trail_percent >= 100:
        return hard(CODE, "The trail percent must be below 100.", value=request.trail_percent)
    if request.tif is TimeInForce.GTD and request.good_till_ns is None:
        return hard(CODE, "A good-till-date order needs its date.")
    if not request.intent_id:
        return hard(CODE, "The order has no intent id, so a repeat could not be told from a new one.")
    return NOTHING


def _lot(request: OrderRequest, instrument: Instrument) -> Findings:
    if request.quantity % instrument.lot:
        text = f"The quantity {request.quantity} is not a multiple of {instrument.lot}."
        return hard(CODE, text, limit=instrument.lot, value=request.quantity)
    if request.display_quantity is not None and request.display_quantity > request.quantity:
        return hard(
            CODE, "The displayed quantity is larger than the order.", request.quantity, request.display_quantity
        )
    return NOTHING


def _sides(request: OrderRequest) -> Findings:
    entry = request.limit_price or request.stop_price
    stop, target = request.stop_loss, request.take_profit
    buying = request.side is Side.BUY
    if entry is not None:
        if stop is not None and (stop >= entry if buying else stop <= entry):
            where = "below" if buying else "above"
            return hard(CODE, f"The stop {stop} must be {where} the entry {entry}.", value=stop)
        if target is not None and (target <= entry if buying else target >= entry):
            where = "above" if buying else "below"
            return hard(CODE, f"The target {target} must be {where} the entry {entry}.", value=target)
    if stop is not None and target is not None and (stop >= target if buying else stop <= target):
        return hard(CODE, f"The stop {stop} and the target {target} are on the wrong sides.", value=stop)
    return NOTHING
