"""What the gateway refuses by itself, with the codes and the words of the real one."""

from __future__ import annotations

from decimal import Decimal

from tests.support.tws_gateway.clock import parse_order_time
from tests.support.tws_gateway.contracts import Contract
from tests.support.tws_gateway.matching import AT_CLOSE, AT_MID, KINDS, LIMITED
from tests.support.tws_gateway.orders import Order, Terms

TIFS = frozenset({"", "DAY", "GTC", "GTD", "IOC", "FOK", "OPG", "DTC"})
ALGOS: dict[str, frozenset[str]] = {
    "Adaptive": frozenset({"adaptivePriority"}),
    "Twap": frozenset({"strategyType", "startTime", "endTime", "allowPastEndTime"}),
    "Vwap": frozenset({"maxPctVol", "startTime", "endTime", "allowPastEndTime", "noTakeLiq", "speedUp"}),
    "ArrivalPx": frozenset(
        {"maxPctVol", "riskAversion", "startTime", "endTime", "allowPastEndTime", "forceCompletion"}
    ),
    "PctVol": frozenset({"pctVol", "startTime", "endTime", "noTakeLiq"}),
    "DarkIce": frozenset({"displaySize", "startTime", "endTime", "allowPastEndTime"}),
    "ClosePx": frozenset({"maxPctVol", "riskAversion", "startTime", "forceCompletion"}),
    "MinImpact": frozenset({"maxPctVol"}),
    "BalanceImpactRisk": frozenset({"maxPctVol", "riskAversion", "forceCompletion"}),
}

Verdict = tuple[int, str] | None


def _prices(terms: Terms, contract: Contract) -> Verdict:
    checks = []
    if terms.kind in LIMITED or (terms.kind in AT_MID and terms.limit):
        checks.append(terms.limit)
    if terms.kind in ("STP", "STP LMT", "STP PRT", "MIT", "LIT"):
        checks.append(terms.aux)
    for price in checks:
        if price is None or price <= 0:
            return 201, "Order rejected - reason:Invalid price. A price is required for this order type."
        if price % contract.increment_at(price):
            return 110, "The price does not conform to the minimum price variation for this contract."
    if terms.kind.startswith("TRAIL") and not (terms.aux or terms.number("trailingPercent")):
        return 201, "Order rejected - reason:Trailing amount is required."
    return None


def _size(terms: Terms, contract: Contract) -> Verdict:
    quantity = terms.quantity
    if quantity == 0 and not terms.number("cashQty"):
        return 434, "The order size cannot be zero."
    if quantity < 0:
        return 321, "Error validating request.-'bN' : cause - Order size cannot be negative."
    whole = quantity == quantity.to_integral_value()
    if contract.sec_type not in ("CASH", "CRYPTO") and (not whole or terms.number("cashQty")):
        return 10243, "Fractional-sized order cannot be placed via API. Please use desktop version to place this order."
    display = int(terms["displaySize"] or 0)
    if display and display != 2147483647 and display >= quantity:
        return 10020, "Display size should be smaller than order size."
    return None


def _algo(terms: Terms) -> Verdict:
    name = terms["algoStrategy"]
    if not name:
        return None
    if name not in ALGOS:
        return 439, f"The algo strategy {name} is not defined."
    for tag, _ in terms.algo_params:
        if tag not in ALGOS[name]:
            return 443, f"Incorrect algo attribute {tag}."
    if terms.kind not in ("LMT", "MKT"):
        return 442, "The algo order type is not supported."
    return None


def _time(terms: Terms) -> Verdict:
    if terms["tif"] not in TIFS:
        return 201, f"Order rejected - reason:Invalid time in force: {terms['tif']}"
    if terms.kind in AT_CLOSE and terms.tif != "DAY":
        return 113, "The TIF should be DAY for MOC and LOC orders."
    for name in ("goodTillDate", "goodAfterTime"):
        if terms[name]:
            try:
                parse_order_time(terms[name])
            except (ValueError, KeyError):
                return 391, f"The time-zone or time format of {name} is invalid: {terms[name]!r}"
    if terms.tif == "GTD" and not terms["goodTillDate"]:
        return 391, "The good till date is missing."
    return None


def check_terms(terms: Terms, contract: Contract) -> Verdict:
    """Everything that can be said about an order without looking at the books."""
    if terms["action"] not in ("BUY", "SELL", "SSHORT"):
        return 201, f"Order rejected - reason:Invalid side: {terms['action']!r}"
    if terms.kind not in KINDS or contract.sec_type == "IND":
        return 387, "Unsupported order type for this exchange and security type."
    return _size(terms, contract) or _prices(terms, contract) or _algo(terms) or _time(terms)


def check_account(account: str, accounts: tuple[str, ...]) -> Verdict:
    """With one account it may be left out; with several it must be given."""
    if account and account not in accounts:
        return 321, f"Error validating request.-'bW' : cause - Invalid account code '{account}'."
    if not account and len(accounts) > 1:
        return 435, "You must specify an account."
    return None


def check_change(order: Order, terms: Terms, contract: Contract) -> Verdict:
    """May these terms replace those of a live order?"""
    if contract.con_id != order.contract.con_id or terms["action"] != order.terms["action"]:
        return 105, "Order being modified does not match original order."
    if terms.kind != order.terms.kind:
        return 329, "Order modify failed. Cannot change to the new order type."
    if terms["algoStrategy"] != order.terms["algoStrategy"]:
        return 440, "The algo strategy of a live order cannot be changed."
    if terms.quantity <= order.filled:
        return 201, "Order rejected - reason:Quantity is not larger than what has been filled."
    return None


def too_many(live: list[Order], limit: int | None, contract: Contract, action: str, account: str) -> Verdict:
    """At most `limit` working orders per contract, side and account."""
    if limit is None:
        return None
    same = [
        o for o in live if o.contract.con_id == contract.con_id and o.terms["action"] == action and o.account == account
    ]
    if len(same) < limit:
        return None
    return 201, f"Order rejected - reason:Maximum number of orders ({limit}) working on this side of the contract."


def collar(terms: Terms, far: Decimal | None, percent: Decimal | None) -> bool:
    """Is a limit so far through the market that it is cancelled with 202?"""
    if percent is None or far is None or terms.limit is None or terms.kind not in ("LMT", "LIT", "STP LMT"):
        return False
    edge = far * percent / 100
    return terms.limit > far + edge if terms.is_buy else terms.limit < far - edge
