"""A broker whose ledger is the truth of the tests, with every fault we know.

Its mouth and its ledger are separate: what it did is in ``orders`` and ``executions``; what it *says* goes through
:meth:`_say`, where reports can be lost, delayed, doubled. File-backed, it survives a SIGKILL of the program, as a
real broker does.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from engine.bus.clock import Clock
from engine.bus.errors import BrokerError
from engine.execution import failpoints
from engine.execution.error_codes import classify
from engine.model.broker import BrokerCapabilities, WhatIf
from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import ClearedOrder, OrderRequest, OrderType, TimeInForce
from engine.model.position import Account
from engine.model.report import (
    AnyReport,
    BrokerPosition,
    BrokerSnapshot,
    BrokerStatus,
    CommissionReport,
    EchoReport,
    ErrorReport,
    ExecutionReport,
    LinkReport,
    LinkState,
    OpenOrder,
    StatusReport,
)

ACCOUNT = AccountId("DU1234567")


_DONE = frozenset(
    status.value
    for status in (BrokerStatus.CANCELLED, BrokerStatus.FILLED, BrokerStatus.REJECTED, BrokerStatus.EXPIRED)
)


@dataclass
class Truth:
    """One order as it really is at the broker."""

    ref: str
    symbol: str
    side: str
    quantity: str
    order_type: str = "LMT"
    tif: str = "DAY"
    limit_price: str | None = None
    stop_price: str | None = None
    perm_id: str = ""
    broker_id: str = ""
    parent: str = ""
    status: str = BrokerStatus.WORKING.value
    filled: str = "0"
    why_held: str = ""

    @property
    def open(self) -> bool:
        return self.status not in _DONE

    @property
    def remaining(self) -> Decimal:
        return Decimal(self.quantity) - Decimal(self.filled)


@dataclass
class Faults:
    """What goes wrong from now on."""

    lose: set[str] = field(default_factory=set)
    """Kinds of report that are never delivered (class names)."""
    swallow: bool = False
    """Orders vanish on the way: the broker never has them."""
    place_raises: bool = False
    """The link breaks while sending, after the order left (with ``swallow``: before)."""
    missing: set[str] = field(default_factory=set)
    """Parts of the snapshot that cannot be read."""
    silent_cancel: bool = False
    """Cancels are lost on the way."""
    refuse: bool = False
    """Orders are rejected at once."""
    double: bool = False
    """Every report comes twice."""


class FakeBroker:
    """Reports at once unless told otherwise."""

    name = "fake"
    account_id = ACCOUNT

    def __init__(self, clock: Clock, path: Path | None = None, embedded: bool = True) -> None:
        self.clock = clock
        self.path = path
        self.embedded = embedded
        self.faults = Faults()
        self.link = LinkState.UP
        self.orders: list[Truth] = []
        self.executions: list[ExecutionReport] = []
        self.past: list[Truth] = []
        """Closed orders of earlier days: it speaks of them no more."""
        self._today = 0
        """Index of the first execution of today."""
        self._shown_as: dict[str, tuple[tuple[str | None, ...], OpenOrder]] = {}
        self._newest: dict[str, ExecutionReport] = {}
        self._held: dict[str, Decimal] = {}
        self._counted = 0
        self._costs: dict[str, CommissionReport] = {}
        self.foreign_positions: Counter[str] = Counter()
        self.wire: Counter[str] = Counter()
        """placeOrder frames per reference: what exactly-once is checked against."""
        self.modify_frames: Counter[str] = Counter()
        self.cancel_frames: Counter[str] = Counter()
        self.before_place: Callable[[ClearedOrder], None] | None = None
        self.cash = Decimal(1_000_000)
        self.fired: Counter[str] = Counter()
        self._sink: Callable[[AnyReport], None] | None = None
        self._next = 1000
        """Counts the ids it hands out; they begin anew each day, the permanent ones do not."""
        self._perms = 9_000_000
        if path is not None and path.exists():
            self._load()

    @property
    def capabilities(self) -> BrokerCapabilities:
        return BrokerCapabilities(order_types=tuple(OrderType), tifs=tuple(TimeInForce))

    def attach(self, sink: Callable[[AnyReport], None]) -> None:
        self._sink = sink

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def what_if(self, request: OrderRequest) -> WhatIf | None:
        return None

    # --- the wire

    def place(self, order: ClearedOrder) -> None:
        if self.before_place is not None:
            self.before_place(order)
        if self.link is not LinkState.UP:
            raise BrokerError("not connected")
        if self.faults.place_raises and self.faults.swallow:
            self.fired["place_raises"] += 1
            raise BrokerError("the socket broke before the order left")
        self.wire[order.ref] += 1
        for leg in order.legs:
            self.wire[leg.ref] += 1
        self._save()
        failpoints.reach("broker wire")
        if self.faults.swallow:
            self.fired["swallow"] += 1
            return
        parent = self._accept(order, "")
        for leg in order.legs:
            self._accept(leg, parent.broker_id)
        self._save()
        failpoints.reach("broker accepted")
        if self.faults.refuse:
            for truth in self.family(order):
                self.finish(truth, BrokerStatus.REJECTED, tell=False)
                self.say_error(truth.ref, 201, "Order rejected - reason: margin")
            return
        if self.faults.place_raises:
            self.fired["place_raises"] += 1
            raise BrokerError("the socket broke after the order left")
        for truth in self.family(order):
            self.acknowledge(truth)

    def family(self, order: ClearedOrder) -> list[Truth]:
        refs = {order.ref, *(leg.ref for leg in order.legs)}
        return [truth for truth in self.orders if truth.ref in refs]

    def _accept(self, order: ClearedOrder, parent: str) -> Truth:
        self._next += 1
        self._perms += 1
        request = order.request
        truth = Truth(
            ref=order.ref,
            symbol=request.symbol,
            side=request.side.value,
            quantity=str(request.quantity),
            order_type=request.order_type.value,
            tif=request.tif.value,
            limit_price=None if request.limit_price is None else str(request.limit_price),
            stop_price=None if request.stop_price is None else str(request.stop_price),
            perm_id=str(self._perms),
            broker_id=str(self._next),
            parent=parent,
            status=(BrokerStatus.HELD if parent else BrokerStatus.WORKING).value,
        )
        self.orders.append(truth)
        return truth

    def modify(self, ref: OrderRef, request: OrderRequest) -> None:
        if self.link is not LinkState.UP:
            raise BrokerError("not connected")
        self.modify_frames[ref] += 1
        truth = self.truth(ref)
        if truth is None or not truth.open:
            self.say_error(ref, 104, "cannot modify a filled order")
            return
        truth.quantity = str(request.quantity)
        truth.limit_price = None if request.limit_price is None else str(request.limit_price)
        truth.stop_price = None if request.stop_price is None else str(request.stop_price)
        self._save()
        self._say(self._echo(truth))

    def cancel(self, ref: OrderRef) -> None:
        self.cancel_frames[ref] += 1
        if self.link is not LinkState.UP:
            raise BrokerError("not connected")
        if self.faults.silent_cancel:
            self.fired["silent_cancel"] += 1
            return
        found = [truth for truth in self.orders if ref in (truth.ref, f"X-{truth.perm_id}")]
        if not found:
            self.say_error(ref, 10147, "order id that needs to be cancelled is not found")
            return
        for truth in found:
            if truth.open:
                self.finish(truth, BrokerStatus.CANCELLED)
            else:
                self.say_error(ref, 10148, f"order cannot be cancelled, state: {truth.status}")

    # --- what happens at the exchange

    def truth(self, ref: str) -> Truth | None:
        return next((truth for truth in self.orders if truth.ref == ref), None)

    def fill(self, truth: Truth, quantity: Decimal | int, price: Decimal | str, tell: bool = True) -> ExecutionReport:
        """Execute a part of an order."""
        quantity = Decimal(quantity)
        truth.filled = str(Decimal(truth.filled) + quantity)
        if truth.remaining <= 0:
            truth.status = BrokerStatus.FILLED.value
            self._end_family(truth)
        report = ExecutionReport(
            ts_event=self.clock.now(),
            ts_seen=self.clock.now(),
            ref=OrderRef(truth.ref),
            exec_id=f"e{len(self.executions) + 1:05d}.01",
            account=ACCOUNT,
            symbol=Symbol(truth.symbol),
            side=Side(truth.side),
            quantity=quantity,
            price=Decimal(price),
            broker_id=truth.broker_id,
            perm_id=truth.perm_id,
        )
        self.executions.append(report)
        self.cash -= quantity * Decimal(price) * Side(truth.side).sign
        self._save()
        if tell:
            self._say(report)
            self._say(self._status(truth))
            self._say(self._commission(report))
        return report

    def _end_family(self, truth: Truth) -> None:
        for other in self.orders:
            if truth.parent and other.parent == truth.parent and other is not truth and other.open:
                self.finish(other, BrokerStatus.CANCELLED)
            if other.parent == truth.broker_id and BrokerStatus(other.status) is BrokerStatus.HELD:
                other.status = BrokerStatus.WORKING.value

    def finish(self, truth: Truth, status: BrokerStatus, tell: bool = True) -> None:
        """End an order; children of an entry that never filled end with it."""
        truth.status = status.value
        for other in self.orders:
            if other.parent == truth.broker_id and other.open and truth.filled == "0":
                self.finish(other, BrokerStatus.CANCELLED, tell)
        self._save()
        if tell:
            self._say(self._status(truth))

    def new_day(self) -> None:
        """A broker tells of today only: forget what is closed and what has been executed until now."""
        self.past += [truth for truth in self.orders if not truth.open]
        self.orders = [truth for truth in self.orders if truth.open]
        self._shown_as.clear()
        self._next = 1000
        self._today = len(self.executions)

    def by_hand(self, symbol: str, quantity: int) -> None:
        """Somebody changes the position without an order that we can see."""
        self.foreign_positions[symbol] += quantity
        self._save()

    def foreign_order(self, symbol: str, side: Side, quantity: int, price: str) -> Truth:
        """Somebody else's order, placed in the broker's own program."""
        self._next += 1
        self._perms += 1
        truth = Truth(
            ref="",
            symbol=symbol,
            side=side.value,
            quantity=str(quantity),
            limit_price=price,
            perm_id=str(self._perms),
        )
        self.orders.append(truth)
        self._save()
        return truth

    # --- what it says

    def _say(self, report: AnyReport) -> None:
        if type(report).__name__ in self.faults.lose or self.link is LinkState.DOWN:
            self.fired[f"lose {type(report).__name__}"] += 1
            return
        if self._sink is not None:
            self._sink(report)
            if self.faults.double:
                self.fired["double"] += 1
                self._sink(report)

    def acknowledge(self, truth: Truth) -> None:
        self._say(self._echo(truth))
        self._say(self._status(truth))

    def say_status(self, ref: str, status: BrokerStatus, **fields: object) -> None:
        now = self.clock.now()
        self._say(StatusReport(ts_event=now, ts_seen=now, ref=OrderRef(ref), status=status, **fields))

    def say_error(self, ref: str, code: int, text: str) -> None:
        now = self.clock.now()
        report = ErrorReport(
            ts_event=now, ts_seen=now, ref=OrderRef(ref), code=code, text=text, error_class=classify(code)
        )
        self._say(report)

    def say_link(self, state: LinkState, code: int = 0) -> None:
        """The link changes; with DOWN nothing gets through until it is UP again."""
        now = self.clock.now()
        self.link = state
        if self._sink is not None:
            self._sink(LinkReport(ts_event=now, ts_seen=now, state=state, code=code))

    def _status(self, truth: Truth) -> StatusReport:
        now = self.clock.now()
        return StatusReport(
            ts_event=now,
            ts_seen=now,
            ref=OrderRef(truth.ref),
            status=BrokerStatus(truth.status),
            filled=Decimal(truth.filled),
            remaining=truth.remaining,
            broker_id=truth.broker_id,
            perm_id=truth.perm_id,
        )

    def _echo(self, truth: Truth) -> EchoReport:
        now = self.clock.now()
        return EchoReport(
            ts_event=now,
            ts_seen=now,
            ref=OrderRef(truth.ref),
            quantity=Decimal(truth.quantity),
            limit_price=None if truth.limit_price is None else Decimal(truth.limit_price),
            stop_price=None if truth.stop_price is None else Decimal(truth.stop_price),
            broker_id=truth.broker_id,
            perm_id=truth.perm_id,
        )

    def _commission(self, report: ExecutionReport) -> CommissionReport:
        cost = self._costs.get(report.exec_id)
        if cost is None:
            cost = self._costs[report.exec_id] = CommissionReport(
                ts_event=report.ts_event, ts_seen=report.ts_seen, exec_id=report.exec_id, commission=Decimal("1.00")
            )
        return cost

    # --- the picture

    def positions(self) -> dict[str, Decimal]:
        self._count()
        held = dict(self._held)
        for symbol, quantity in self.foreign_positions.items():
            held[symbol] = held.get(symbol, Decimal(0)) + quantity
        return {symbol: quantity for symbol, quantity in held.items() if quantity}

    def current_executions(self) -> list[ExecutionReport]:
        """Executions as they count: the newest revision of each."""
        self._count()
        return list(self._newest.values())

    def _count(self) -> None:
        for report in self.executions[self._counted :]:
            base = report.exec_id.rpartition(".")[0]
            old = self._newest.get(base)
            if old is None or old.exec_id < report.exec_id:
                self._newest[base] = report
                change = (report.quantity - (old.quantity if old else Decimal(0))) * report.side.sign
                self._held[report.symbol] = self._held.get(report.symbol, Decimal(0)) + change
        self._counted = len(self.executions)

    def picture(self) -> BrokerSnapshot:
        gone = self.faults.missing
        for part in gone:
            self.fired[f"missing {part}"] += 1
        now = self.clock.now()
        held = [
            BrokerPosition(account=ACCOUNT, symbol=Symbol(s), quantity=q, average_price=Decimal(100))
            for s, q in sorted(self.positions().items())
        ]
        shown = [(truth, self._shown(truth)) for truth in self.orders]
        today = self.executions[self._today :]
        account = Account(account=ACCOUNT, cash={"USD": self.cash}, equity=self.cash, ts_event=now)
        return BrokerSnapshot(
            taken_ns=now,
            open_orders=None if "open_orders" in gone else tuple(o for t, o in shown if t.open),
            completed=None if "completed" in gone else tuple(o for t, o in shown if not t.open),
            executions=None if "executions" in gone else tuple(today),
            positions=None if "positions" in gone else tuple(held),
            account=None if "account" in gone else account,
            commissions=() if "executions" in gone else tuple(map(self._commission, today)),
        )

    def _shown(self, truth: Truth) -> OpenOrder:
        key = (truth.status, truth.filled, truth.quantity, truth.limit_price, truth.stop_price, truth.why_held)
        known = self._shown_as.get(truth.perm_id)
        if known is not None and known[0] == key:
            return known[1]
        shown = OpenOrder(
            ref=OrderRef(truth.ref),
            perm_id=truth.perm_id,
            broker_id=truth.broker_id,
            account=ACCOUNT,
            status=BrokerStatus(truth.status),
            request=OrderRequest(
                intent_id="",
                symbol=Symbol(truth.symbol),
                side=Side(truth.side),
                quantity=Decimal(truth.quantity),
                order_type=OrderType(truth.order_type),
                tif=TimeInForce(truth.tif),
                limit_price=None if truth.limit_price is None else Decimal(truth.limit_price),
                stop_price=None if truth.stop_price is None else Decimal(truth.stop_price),
            ),
            filled=Decimal(truth.filled),
            why_held=truth.why_held,
        )
        self._shown_as[truth.perm_id] = key, shown
        return shown

    def snapshot_now(self) -> BrokerSnapshot | None:
        return self.picture() if self.embedded else None

    def manages(self, ref):
        return True

    async def snapshot(self) -> BrokerSnapshot:
        return self.picture()

    # --- the file

    def _save(self) -> None:
        if self.path is None:
            return
        data = {
            "orders": [asdict(truth) for truth in self.orders],
            "executions": [
                [e.ts_event, e.ref, e.exec_id, e.symbol, e.side.value, str(e.quantity), str(e.price), e.perm_id]
                for e in self.executions
            ],
            "wire": self.wire,
            "modify": self.modify_frames,
            "cancel": self.cancel_frames,
            "next": self._next,
            "perms": self._perms,
            "cash": str(self.cash),
            "foreign": self.foreign_positions,
        }
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(data))
        os.replace(temporary, self.path)

    def _load(self) -> None:
        assert self.path is not None
        data = json.loads(self.path.read_text())
        self.orders = [Truth(**truth) for truth in data["orders"]]
        self.wire = Counter(data["wire"])
        self.modify_frames, self.cancel_frames = Counter(data["modify"]), Counter(data["cancel"])
        self.foreign_positions = Counter(data["foreign"])
        self._next, self._perms, self.cash = data["next"], data["perms"], Decimal(data["cash"])
        for ts, ref, exec_id, symbol, side, quantity, price, perm_id in data["executions"]:
            self.executions.append(
                ExecutionReport(
                    ts_event=ts,
                    ts_seen=ts,
                    ref=OrderRef(ref),
                    exec_id=exec_id,
                    account=ACCOUNT,
                    symbol=Symbol(symbol),
                    side=Side(side),
                    quantity=Decimal(quantity),
                    price=Decimal(price),
                    perm_id=perm_id,
                )
            )
