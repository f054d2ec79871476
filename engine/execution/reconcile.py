"""Agreement with the broker: from our records and one snapshot to what changes. Pure; the desk applies it.

Joined on our reference, then on the permanent id, never on an id the broker reuses. Executions first, then statuses,
then positions. A second identical pass changes nothing. A part of the snapshot that could not be read proves nothing.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from engine.bus.clock import SECOND
from engine.execution.fold import Outcome, establish, hear, split_exec_id
from engine.execution.record import OrderRecord
from engine.execution.sight import see_absent, see_completed, see_open
from engine.model.ids import AccountId, OrderRef, Symbol
from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderState, OrderType, TimeInForce
from engine.model.report import BrokerSnapshot, ExecutionReport, OpenOrder

S = OrderState
Change = tuple[Outcome, str, object]

_IN_FLIGHT = (S.SENDING, S.SENT)
_SILENT = (S.INTENT, S.DENIED, S.NEVER_SENT, S.SETTLED)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan needs to know beside the records."""

    now_ns: int
    grace_ns: int
    absent_gap_ns: int
    link_up_ns: int
    """When the link came up last; rounds before do not count."""
    ours: Callable[[str], bool]
    """Whether a reference has our form."""
    day: Callable[[Symbol, int], str | None]
    """Exchange date of an instant, None when the calendar does not know."""


class Drift(msgspec.Struct, frozen=True):
    """A position that differs."""

    symbol: Symbol
    ours: Decimal
    theirs: Decimal


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot changes."""

    changes: tuple[Change, ...]
    drifts: tuple[Drift, ...]
    """Empty also when positions could not be read: see ``missing``."""
    adopted: tuple[OrderRef, ...]
    """Orders with our reference that we did not know (a restored backup)."""
    missing: tuple[str, ...]


class _View:
    """Records as they will be, while the plan is made; indexes are made when first asked for."""

    def __init__(self, records: Mapping[OrderRef, OrderRecord]) -> None:
        self.records = dict(records)
        self.told: dict[str, tuple[int, OrderRef]] = {}
        """Revision and order by execution id, of those that this snapshot tells."""
        self.changes: list[Change] = []
        self.delta: dict[Symbol, Decimal] = {}
        self._by_perm: dict[str, OrderRef] | None = None
        self._owner: dict[str, OrderRef] | None = None

    def find(self, ref: OrderRef, perm_id: str) -> OrderRecord | None:
        record = self.records.get(ref) if ref else None
        if record is not None or not perm_id:
            return record
        if self._by_perm is None:
            self._by_perm = {perm: known.ref for known in self.records.values() for perm in known.perm_ids}
        return self.records.get(self._by_perm[perm_id]) if perm_id in self._by_perm else None

    def owner(self, base_id: str, likely: OrderRecord | None) -> OrderRecord | None:
        """The order that has an execution; ``likely`` is asked first."""
        if likely is not None and base_id in likely.executions:
            return likely
        if self._owner is None:
            self._owner = {key: known.ref for known in self.records.values() for key in known.executions}
        ref = self._owner.get(base_id)
        return None if ref is None else self.records[ref]

    def put(self, outcome: Outcome, kind: str, payload: object) -> None:
        before = self.records.get(outcome.record.ref)
        after = outcome.record
        if after == before and not outcome.alarms and not outcome.wishes:
            return
        self.records[after.ref] = after
        if self._by_perm is not None:
            self._by_perm.update(dict.fromkeys(after.perm_ids, after.ref))
        if self._owner is not None:
            self._owner.update(dict.fromkeys(after.executions, after.ref))
        for exec_id, execution in after.executions.items():
            old = before.executions.get(exec_id) if before is not None else None
            if old is not execution:
                signed = execution.quantity * execution.side.sign - (old.quantity * old.side.sign if old else ZERO)
                self.delta[after.symbol] = self.delta.get(after.symbol, ZERO) + signed
        self.changes.append((outcome, kind, payload))


def plan(
    records: Mapping[OrderRef, OrderRecord],
    positions: Mapping[Symbol, Decimal],
    snapshot: BrokerSnapshot,
    rules: Rules,
) -> Plan:
    """Compare. ``positions`` are our quantities by symbol, before the executions of this snapshot are booked."""
    view = _View(records)
    adopted: list[OrderRef] = []
    for seen in (*(snapshot.open_orders or ()), *(snapshot.completed or ())):
        if view.find(seen.ref, seen.perm_id) is None:
            record = _stranger(seen.ref, seen.perm_id, seen.account, seen.request, rules)
            view.put(Outcome(record), "ADOPTED" if not record.external else "EXTERNAL", seen)
            if not record.external:
                adopted.append(record.ref)
    for report in sorted(snapshot.executions or (), key=lambda r: (r.ts_event, r.exec_id)):
        _execution(view, report, rules, adopted)
    for commission in snapshot.commissions:
        base_id, _ = split_exec_id(commission.exec_id)
        told = view.told.get(base_id)
        owner = view.owner(base_id, None if told is None else view.records.get(told[1]))
        if owner is not None and base_id not in owner.commissions:
            view.put(hear(owner, commission), "commission", commission)
    _statuses(view, snapshot, positions, rules)
    return Plan(
        changes=tuple(view.changes),
        drifts=_drifts(view, positions, snapshot),
        adopted=tuple(adopted),
        missing=snapshot.missing,
    )


def name(ref: OrderRef, perm_id: str, ours: bool) -> OrderRef:
    """What we call an order: by its own reference, or by the broker's permanent id when it is somebody else's."""
    return ref if ours else OrderRef(f"X-{perm_id}"[:40])


def mentioned(
    snapshot: BrokerSnapshot, ours: Callable[[str], bool], known: Callable[[OrderRef, str], object]
) -> tuple[OrderRef, ...]:
    """Orders in a snapshot that ``known(ref, perm_id)`` has not: perhaps settled long ago, perhaps new to us."""
    seen = [(order.ref, order.perm_id) for order in (*(snapshot.open_orders or ()), *(snapshot.completed or ()))]
    seen += [(report.ref, report.perm_id or split_exec_id(report.exec_id)[0]) for report in snapshot.executions or ()]
    return tuple(name(ref, perm, bool(ref) and ours(ref)) for ref, perm in seen if known(ref, perm) is None)


def _stranger(ref: OrderRef, perm_id: str, account: AccountId, request: OrderRequest, rules: Rules) -> OrderRecord:
    ours = bool(ref) and rules.ours(ref)
    return OrderRecord(
        ref=name(ref, perm_id, ours),
        account=account,
        request=request,
        external=not ours,
        perm_ids=(perm_id,) if perm_id else (),
        base=S.UNKNOWN,
        state=S.UNKNOWN,
        acknowledged=True,
        created_ns=rules.now_ns,
        changed_ns=0,
    )


def _execution(view: _View, report: ExecutionReport, rules: Rules, adopted: list[OrderRef]) -> None:
    base_id, revision = split_exec_id(report.exec_id)
    if base_id in view.told and view.told[base_id][0] >= revision:
        return
    record = view.find(report.ref, report.perm_id)
    view.told[base_id] = revision, report.ref if record is None else record.ref
    owner = view.owner(base_id, record)
    if owner is not None and owner.executions[base_id].revision >= revision:
        return
    if record is None:
        # A correction may name nothing but the execution it corrects.
        record = owner
    if record is None:
        request = OrderRequest(
            intent_id="",  # type: ignore[arg-type]
            symbol=report.symbol,
            side=report.side,
            quantity=report.quantity,
            order_type=OrderType.MARKET,
            account=report.account,
        )
        record = _stranger(report.ref, report.perm_id or base_id, report.account, request, rules)
        if not record.external:
            # Its size is not known from an execution alone; it grows with what has filled.
            record = msgspec.structs.replace(record, adopted=True)
            adopted.append(record.ref)
        view.put(Outcome(record), "EXTERNAL" if record.external else "ADOPTED", report)
    view.put(hear(record, report), "execution", report)


def _statuses(view: _View, snapshot: BrokerSnapshot, positions: Mapping[Symbol, Decimal], rules: Rules) -> None:
    shown: dict[OrderRef, list[OpenOrder]] = {}
    for seen in snapshot.open_orders or ():
        record = view.find(seen.ref, seen.perm_id)
        if record is not None:
            shown.setdefault(record.ref, []).append(seen)
    done: dict[OrderRef, OpenOrder] = {}
    for seen in snapshot.completed or ():
        record = view.find(seen.ref, seen.perm_id)
        if record is not None:
            done[record.ref] = seen
    for ref in sorted(ref for ref, record in view.records.items() if ref in shown or not record.state.closed):
        record = view.records[ref]
        if record.state in _SILENT:
            continue
        news = record.changed_ns > snapshot.taken_ns - rules.grace_ns
        if news and not record.external and (record.state is not S.UNKNOWN or ref not in shown):
            continue
        if ref in shown:
            view.put(see_open(record, tuple(shown[ref]), rules.now_ns), "seen open", shown[ref])
        elif ref in done and snapshot.executions is not None:
            view.put(see_completed(record, done[ref], rules.now_ns), "seen completed", done[ref])
        elif not snapshot.missing:
            _absent(view, record, snapshot, positions, rules)


def _absent(
    view: _View, record: OrderRecord, snapshot: BrokerSnapshot, positions: Mapping[Symbol, Decimal], rules: Rules
) -> None:
    if record.state in _IN_FLIGHT:
        return
    if record.external:
        view.put(establish(record, S.CANCELLED, rules.now_ns, "no longer at the broker"), "external gone", b"")
        return
    outcome = see_absent(record, rules.now_ns, snapshot.taken_ns, rules.link_up_ns)
    after = outcome.record
    if after.state is S.UNKNOWN and _same_position(view, record.symbol, snapshot, positions):
        today = rules.day(record.symbol, rules.now_ns)
        born = rules.day(record.symbol, record.created_ns)
        long_enough = after.absent_rounds >= 2 and snapshot.taken_ns - after.absent_since_ns >= rules.absent_gap_ns
        if long_enough and today is not None and today == born:
            outcome = establish(after, S.NOT_AT_BROKER, rules.now_ns, "the broker never had it, or has it no more")
        elif long_enough and _over(record, today, born, rules.now_ns):
            outcome = establish(after, S.EXPIRED, rules.now_ns, "its time in force is over")
    view.put(outcome, "seen nowhere", snapshot.taken_ns)


def _over(record: OrderRecord, today: str | None, born: str | None, now_ns: int) -> bool:
    request = record.effective
    if request.tif == TimeInForce.GTD and request.good_till_ns is not None:
        return now_ns > request.good_till_ns + SECOND
    if request.tif == TimeInForce.GTC:
        return False
    return today is not None and born is not None and today > born


def _same_position(view: _View, symbol: Symbol, snapshot: BrokerSnapshot, positions: Mapping[Symbol, Decimal]) -> bool:
    theirs = sum((p.quantity for p in snapshot.positions or () if p.symbol == symbol), ZERO)
    return theirs == positions.get(symbol, ZERO) + view.delta.get(symbol, ZERO)


def _drifts(view: _View, positions: Mapping[Symbol, Decimal], snapshot: BrokerSnapshot) -> tuple[Drift, ...]:
    if snapshot.positions is None or snapshot.executions is None:
        return ()
    theirs: dict[Symbol, Decimal] = {}
    for position in snapshot.positions:
        theirs[position.symbol] = theirs.get(position.symbol, ZERO) + position.quantity
    drifts = []
    for symbol in sorted({*theirs, *positions, *view.delta}):
        ours = positions.get(symbol, ZERO) + view.delta.get(symbol, ZERO)
        if ours != theirs.get(symbol, ZERO):
            drifts.append(Drift(symbol, ours, theirs.get(symbol, ZERO)))
    return tuple(drifts)
