"""openOrder and completedOrder frames for server versions 157..178, with IB's filler values."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.tws_gateway.frames import UNSET, text
from tests.support.tws_gateway.orders import Order

_FILLER = {"lmtPrice": "0.0", "auxPrice": "0.0", "displaySize": "2147483647", "volatilityType": "0", "exemptCode": "-1"}
_FLAGS = [
    "outsideRth",
    "hidden",
    "blockOrder",
    "sweepToFill",
    "allOrNone",
    "continuousUpdate",
    "optOutSmartRouting",
    "notHeld",
    "solicited",
    "randomizeSize",
    "randomizePrice",
    "dontUseAutoPriceForHedge",
    "isOmsContainer",
    "discretionaryUpToLimitPrice",
    "usePriceMgmtAlgo",
    "autoCancelParent",
    "overridePercentageConstraints",
    "eTradeOnly",
    "firmQuoteOnly",
    "transmit",
]


@dataclass(frozen=True)
class Margin:
    """The state part of openOrder; unset values are the largest double, as at IB."""

    init: tuple[str, str, str] = (UNSET, UNSET, UNSET)
    maint: tuple[str, str, str] = (UNSET, UNSET, UNSET)
    equity: tuple[str, str, str] = (UNSET, UNSET, UNSET)
    commission: str = ""
    currency: str = ""
    warning: str = ""


def _get(order: Order, name: str) -> str:
    if name == "totalQuantity":
        return text(order.quantity)
    if name == "trailStopPrice" and order.trail_stop is not None:
        return text(order.trail_stop)
    value = order.terms[name]
    if name in _FLAGS:
        return "1" if value in ("1", "True", "true") else "0"
    if name == "displaySize" and value in ("", "0"):
        value = ""
    return value or _FILLER.get(name, "")


def _many(order: Order, names: str) -> list[str]:
    return [_get(order, name) for name in names.split()]


def _algo(order: Order) -> list[str]:
    if not order.terms["algoStrategy"]:
        return [""]
    params = order.terms.algo_params
    return [order.terms["algoStrategy"], str(len(params)), *(part for pair in params for part in pair)]


def _delta_neutral(short: bool) -> list[str]:
    """IB says order type "None" for every order, and therefore sends the delta-neutral block."""
    return ["None", "", *(["0", "0", "0", ""] if short else ["0", "", "", "", "?", "0", "0", ""])]


def _conditions(order: Order) -> list[str]:
    conditions = order.terms.conditions
    out = [str(len(conditions)), *(part for condition in conditions for part in condition)]
    return out + (_many(order, "conditionsIgnoreRth conditionsCancelOrder") if conditions else [])


def _peg_bench(order: Order) -> list[str]:
    if order.terms.kind not in ("PEG BENCH", "PEGBENCH"):
        return []
    return _many(
        order,
        "referenceContractId isPeggedChangeAmountDecrease peggedChangeAmount referenceChangeAmount referenceExchangeId",
    )


_PEG_BEST = ["", "", "", "", ""]
_HEAD = "action totalQuantity orderType lmtPrice auxPrice tif ocaGroup"


def open_order(order: Order, version: int, order_id: int, status: str, margin: Margin, what_if: bool) -> list[str]:
    """Encode openOrder; `order_id` is the id the receiving client knows the order by."""
    o = ["5", str(order_id), *order.contract.order_fields(), *_many(order, _HEAD), order.account]
    o += [order.terms["openClose"] or "?", "0", order.ref, str(order.client_id), str(order.perm_id)]
    o += [*_many(order, "outsideRth hidden discretionaryAmt goodAfterTime"), ""]
    o += _many(order, "faGroup faMethod faPercentage") + ([""] if version < 177 else [])
    o += _many(order, "modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation")
    o += _many(order, "exemptCode auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper")
    o += _many(order, "displaySize blockOrder sweepToFill allOrNone minQty ocaType eTradeOnly firmQuoteOnly")
    o += _many(order, "nbboPriceCap parentId triggerMethod volatility volatilityType") + _delta_neutral(False)
    o += [*_many(order, "continuousUpdate referencePriceType trailStopPrice trailingPercent"), "", "", ""]
    o += ["0", "0", "0", "", "", "", _get(order, "hedgeType")]
    if order.terms["hedgeType"]:
        o += [_get(order, "hedgeParam")]
    o += ["0", "", "IB", "0", "0", *_algo(order), _get(order, "solicited"), "1" if what_if else "0", status]
    o += [margin.init[0], margin.maint[0], margin.equity[0], margin.init[1], margin.maint[1], margin.equity[1]]
    o += [margin.init[2], margin.maint[2], margin.equity[2], margin.commission, UNSET, UNSET]
    o += [margin.currency, margin.warning, *_many(order, "randomizeSize randomizePrice")]
    o += _peg_bench(order) + _conditions(order)
    o += _many(order, "adjustedOrderType triggerPrice trailStopPrice lmtPriceOffset adjustedStopPrice")
    o += [*_many(order, "adjustedStopLimitPrice adjustedTrailingAmount adjustableTrailingUnit"), "", "", ""]
    o += _many(order, "cashQty dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo")
    for since, name in ((159, "duration"), (160, "postToAts"), (162, "autoCancelParent")):
        if version >= since:
            o.append(_get(order, name))
    return o + (_PEG_BEST if version >= 170 else [])


def completed_order(order: Order, version: int, completed_time: str, parent_perm_id: int) -> list[str]:
    """Encode completedOrder: no orderId and no clientId, only permId and orderRef."""
    o = ["101", *order.contract.order_fields(), *_many(order, _HEAD), order.account]
    o += [order.terms["openClose"] or "?", "0", order.ref, str(order.perm_id)]
    o += _many(order, "outsideRth hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage")
    o += [""] if version < 177 else []
    o += _many(order, "modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation")
    o += _many(order, "exemptCode startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize")
    o += _many(order, "sweepToFill allOrNone minQty ocaType triggerMethod volatility volatilityType")
    o += _delta_neutral(True)
    o += [*_many(order, "continuousUpdate referencePriceType trailStopPrice trailingPercent"), ""]
    o += ["0", "0", "0", "", "", "", _get(order, "hedgeType")]
    if order.terms["hedgeType"]:
        o += [_get(order, "hedgeParam")]
    o += ["", "IB", "0", "0", *_algo(order), _get(order, "solicited"), order.status]
    o += _many(order, "randomizeSize randomizePrice") + _peg_bench(order) + _conditions(order)
    o += _many(order, "trailStopPrice lmtPriceOffset cashQty dontUseAutoPriceForHedge isOmsContainer")
    o += ["", text(order.filled), "0", _get(order, "autoCancelParent"), "Not an insider or substantial shareholder"]
    o += ["0", "0", str(parent_perm_id), completed_time, order.reason or order.status]
    return o + (_PEG_BEST if version >= 170 else [])
