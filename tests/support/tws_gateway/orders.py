"""Orders as the gateway holds them, and the terms read from a placeOrder frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tests.support.tws_gateway.contracts import Contract, ContractQuery
from tests.support.tws_gateway.protocol import Cursor

LIVE = frozenset({"ApiPending", "PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel"})
DONE = frozenset({"Filled", "Cancelled", "ApiCancelled"})

_HEAD = [
    "action",
    "totalQuantity",
    "orderType",
    "lmtPrice",
    "auxPrice",
    "tif",
    "ocaGroup",
    "account",
    "openClose",
    "origin",
    "orderRef",
    "transmit",
    "parentId",
    "blockOrder",
    "sweepToFill",
    "displaySize",
    "triggerMethod",
    "outsideRth",
    "hidden",
]
_ALLOCATION = ["discretionaryAmt", "goodAfterTime", "goodTillDate", "faGroup", "faMethod", "faPercentage"]
_BODY = [
    "modelCode",
    "shortSaleSlot",
    "designatedLocation",
    "exemptCode",
    "ocaType",
    "rule80A",
    "settlingFirm",
    "allOrNone",
    "minQty",
    "percentOffset",
    "eTradeOnly",
    "firmQuoteOnly",
    "nbboPriceCap",
    "auctionStrategy",
    "startingPrice",
    "stockRefPrice",
    "delta",
    "stockRangeLower",
    "stockRangeUpper",
    "overridePercentageConstraints",
    "volatility",
    "volatilityType",
    "deltaNeutralOrderType",
    "deltaNeutralAuxPrice",
]
_DELTA_NEUTRAL = [
    "deltaNeutralConId",
    "deltaNeutralSettlingFirm",
    "deltaNeutralClearingAccount",
    "deltaNeutralClearingIntent",
    "deltaNeutralOpenClose",
    "deltaNeutralShortSale",
    "deltaNeutralShortSaleSlot",
    "deltaNeutralDesignatedLocation",
]
_SCALE = [
    "continuousUpdate",
    "referencePriceType",
    "trailStopPrice",
    "trailingPercent",
    "scaleInitLevelSize",
    "scaleSubsLevelSize",
    "scalePriceIncrement",
]
_SCALE_MORE = [
    "scalePriceAdjustValue",
    "scalePriceAdjustInterval",
    "scaleProfitOffset",
    "scaleAutoReset",
    "scaleInitPosition",
    "scaleInitFillQty",
    "scaleRandomPercent",
]
_TAIL = [
    "adjustedOrderType",
    "triggerPrice",
    "lmtPriceOffset",
    "adjustedStopPrice",
    "adjustedStopLimitPrice",
    "adjustedTrailingAmount",
    "adjustableTrailingUnit",
    "extOperator",
    "softDollarTierName",
    "softDollarTierValue",
    "cashQty",
    "mifid2DecisionMaker",
    "mifid2DecisionAlgo",
    "mifid2ExecutionTrader",
    "mifid2ExecutionAlgo",
    "dontUseAutoPriceForHedge",
    "isOmsContainer",
    "discretionaryUpToLimitPrice",
    "usePriceMgmtAlgo",
]


@dataclass
class Terms:
    """What the client asked for: every wire field by its API name, and the ones we act on with types."""

    raw: dict[str, str] = field(default_factory=dict)
    algo_params: list[tuple[str, str]] = field(default_factory=list)
    conditions: list[list[str]] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.raw.get(name, "")

    def flag(self, name: str) -> bool:
        return self.raw.get(name, "") in ("1", "true", "True")

    def number(self, name: str) -> Decimal | None:
        value = self.raw.get(name, "")
        return Decimal(value) if value not in ("", "Infinite") else None

    @property
    def ref(self) -> str:
        return self["orderRef"]

    @property
    def is_buy(self) -> bool:
        return self["action"] == "BUY"

    @property
    def sign(self) -> int:
        return 1 if self.is_buy else -1

    @property
    def quantity(self) -> Decimal:
        return self.number("totalQuantity") or Decimal(0)

    @property
    def kind(self) -> str:
        return self["orderType"]

    @property
    def limit(self) -> Decimal | None:
        return self.number("lmtPrice")

    @property
    def aux(self) -> Decimal | None:
        return self.number("auxPrice")

    @property
    def tif(self) -> str:
        return self["tif"] or "DAY"

    @property
    def parent_id(self) -> int:
        return int(self["parentId"] or 0)


_CONDITION_SIZES = {1: 6, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5}
NUMERIC = ("totalQuantity", "lmtPrice", "auxPrice", "trailStopPrice", "trailingPercent", "cashQty", "displaySize")


def read_place_order(cursor: Cursor, version: int) -> tuple[int, ContractQuery, Terms]:
    """Read a placeOrder frame after its message id; a number that is not finite becomes error 320."""
    order_id = cursor.req_id = cursor.integer()
    query = ContractQuery.read(cursor)
    cursor.skip(2)
    terms = Terms()
    raw = terms.raw

    def take(names: list[str]) -> None:
        for name in names:
            raw[name] = cursor.text()

    take(_HEAD)
    if query.sec_type == "BAG":
        for width in (8, 1, 2):
            cursor.texts(cursor.integer() * width)
    cursor.skip()
    take(_ALLOCATION)
    if version < 177:
        raw["faProfile"] = cursor.text()
    take(_BODY)
    if raw["deltaNeutralOrderType"]:
        take(_DELTA_NEUTRAL)
    take(_SCALE)
    increment = raw["scalePriceIncrement"]
    if increment and cursor.to_decimal(increment) > 0:
        take(_SCALE_MORE)
    take(["scaleTable", "activeStartTime", "activeStopTime", "hedgeType"])
    if raw["hedgeType"]:
        take(["hedgeParam"])
    take(["optOutSmartRouting", "clearingAccount", "clearingIntent", "notHeld"])
    if cursor.flag():
        cursor.skip(3)
    raw["algoStrategy"] = cursor.text()
    if raw["algoStrategy"]:
        terms.algo_params = [(cursor.text(), cursor.text()) for _ in range(cursor.integer())]
    take(["algoId", "whatIf", "orderMiscOptions", "solicited", "randomizeSize", "randomizePrice"])
    if raw["orderType"] in ("PEG BENCH", "PEGBENCH"):
        take(["referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount"])
        take(["referenceChangeAmount", "referenceExchangeId"])
    for _ in range(cursor.integer()):
        kind = cursor.integer()
        terms.conditions.append([str(kind), *cursor.texts(_CONDITION_SIZES[kind])])
    if terms.conditions:
        take(["conditionsIgnoreRth", "conditionsCancelOrder"])
    take(_TAIL)
    for since, name in ((158, "duration"), (160, "postToAts"), (162, "autoCancelParent")):
        if version >= since:
            raw[name] = cursor.text()
    for since, name in ((166, "advancedErrorOverride"), (169, "manualOrderTime")):
        if version >= since:
            raw[name] = cursor.text()
    for name in NUMERIC:
        if raw[name]:
            cursor.to_decimal(raw[name])
    return order_id, query, terms


@dataclass
class Order:
    """One order at the broker. `number` is our own running number; `perm_id` the broker's id."""

    number: int
    perm_id: int
    client_id: int
    order_id: int
    account: str
    contract: Contract
    terms: Terms
    created_ns: int
    status: str = "PreSubmitted"
    why_held: str = ""
    draft: bool = False
    triggered: bool = False
    held: bool = False
    silent: bool = False
    hidden: bool = False
    quantity: Decimal = Decimal(0)
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    last_price: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    trail_stop: Decimal | None = None
    done_ns: int = 0
    reason: str = ""
    parent: Order | None = None
    frozen: bool = False

    @property
    def ref(self) -> str:
        return self.terms.ref

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        return self.value / self.filled if self.filled else Decimal(0)

    @property
    def live(self) -> bool:
        return self.status in LIVE or (self.status == "Inactive" and (self.draft or self.frozen))

    @property
    def working(self) -> bool:
        """May fill now."""
        return self.status in ("PreSubmitted", "Submitted", "PendingCancel") and not (
            self.draft or self.held or self.frozen
        )

    def executable(self) -> Decimal:
        """How much may fill: a child covers only what its parent has filled."""
        if self.parent is None:
            return self.remaining
        return min(self.remaining, self.parent.filled - self.filled)
