"""Everything known about one order: what was asked, the ground it stands on, and the evidence heard since.

``base`` is what we ourselves established last (a mark in the journal, a snapshot, a lost link); ``heard`` collects
the broker's words since then as a set. The state is derived from both, so neither the order nor the repetition of
the broker's messages matters (invariant I7).
"""

from decimal import Decimal
from enum import IntFlag

import msgspec

from engine.model.fill import Fill
from engine.model.ids import AccountId, DecisionId, ExecId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import ClearedOrder, OrderRequest, OrderState, OrderStatus


class Heard(IntFlag):
    """Words of the broker since the base was set. A set: adding is commutative and idempotent."""

    NOTHING = 0
    PENDING = 1
    HELD_NOTE = 2
    """An information code says it is held; not an acknowledgement."""
    ECHO = 4
    HELD = 8
    LOCATE = 16
    WORKING = 32
    PENDING_CANCEL = 64
    CANCELLED = 128
    EXPIRED = 256
    FILLED = 512
    INACTIVE = 1024
    REJECTED = 2048
    STRANGE = 4096
    """A word we do not know, or a contradiction."""
    ERROR_REJECT = 8192
    ERROR_CANCEL_FAILED = 16384
    ERROR_MODIFY_FAILED = 32768
    ECHO_NEW = 65536
    """The broker shows the fields of the modification we asked for."""


ACKNOWLEDGED = Heard.ECHO | Heard.HELD | Heard.LOCATE | Heard.WORKING | Heard.PENDING_CANCEL | Heard.ECHO_NEW

LOST_TOUCH = "7 "
"""Begins the reason that touch with the broker was lost: the last in rank."""

_CONFIRMED = frozenset(
    {
        OrderState.WORKING,
        OrderState.PARTIAL,
        OrderState.HELD,
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.EXPIRED,
    }
)


class Execution(msgspec.Struct, frozen=True, order=True):
    """One execution in its newest revision. Ordered so that equal revisions resolve the same way every time."""

    revision: int
    quantity: Decimal
    price: Decimal
    ts_event: int
    ts_seen: int
    side: Side
    liquidity: str = ""


class Commission(msgspec.Struct, frozen=True, order=True):
    """Commission of one execution in its newest revision."""

    revision: int
    amount: Decimal
    currency: str


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One order, whole. Stored as bytes beside its projection."""

    ref: OrderRef
    account: AccountId
    request: OrderRequest
    """Fields as last confirmed by us or the broker."""
    decision_id: DecisionId = DecisionId("")
    limits_hash: str = ""
    build_hash: str = ""
    reference_price: Decimal | None = None
    parent_ref: OrderRef | None = None
    legs: tuple[OrderRef, ...] = ()
    external: bool = False
    adopted: bool = False
    """Ours, but known only from its executions (a restored backup): its size grows with them."""
    base: OrderState = OrderState.INTENT
    base_executed: Decimal = ZERO
    """Executed quantity when the base was set: more than that is news."""
    heard: Heard = Heard.NOTHING
    acknowledged: bool = False
    """The broker has shown it at least once."""
    claimed: Decimal = ZERO
    """Highest filled quantity a status has claimed."""
    executions: dict[str, Execution] = {}
    commissions: dict[str, Commission] = {}
    broker_ids: tuple[str, ...] = ()
    perm_ids: tuple[str, ...] = ()
    cancel_asked_ns: int = 0
    cancel_tries: int = 0
    modify: OrderRequest | None = None
    """Fields asked for and not yet settled."""
    modifies: int = 0
    reasons: tuple[str, ...] = ()
    """What the broker said, most telling first."""
    alarms: tuple[str, ...] = ()
    """Kinds of alarm already raised: each once."""
    absent_rounds: int = 0
    absent_since_ns: int = 0
    created_ns: int = 0
    sent_ns: int = 0
    changed_ns: int = 0
    state: OrderState = OrderState.INTENT
    """Derived; stored so that a reader need not know how."""

    @property
    def symbol(self) -> Symbol:
        return self.request.symbol

    @property
    def executed(self) -> Decimal:
        """Sum of executions in their newest revision."""
        return sum((e.quantity for e in self.executions.values()), ZERO)

    @property
    def effective(self) -> OrderRequest:
        """Fields the broker works with, as far as it has shown them."""
        return self.modify if self.modify is not None and self._modify_shown else self.request

    @property
    def modify_open(self) -> bool:
        """A modification is asked for and neither shown nor refused."""
        return self.modify is not None and not (self._modify_shown or self.heard & Heard.ERROR_MODIFY_FAILED)

    @property
    def _modify_shown(self) -> bool:
        """The broker has shown the new fields, or filled more than the old ones allowed."""
        return bool(self.heard & Heard.ECHO_NEW) or self.executed > self.request.quantity > ZERO

    @property
    def ceiling(self) -> Decimal:
        """The most that may fill: the larger of old and new quantity while a modification is open."""
        if self.modify is not None and self.modify_open:
            return max(self.request.quantity, self.modify.quantity)
        return self.effective.quantity

    @property
    def known_to_broker(self) -> bool:
        return self.acknowledged or bool(self.heard & ACKNOWLEDGED) or bool(self.executions)

    def fill(self, exec_id: str) -> Fill:
        """The execution as a booked fill, with its commission as far as known."""
        execution = self.executions[exec_id]
        commission = self.commissions.get(exec_id)
        return Fill(
            exec_id=ExecId(exec_id),
            revision=execution.revision,
            ref=self.ref,
            account=self.account,
            symbol=self.symbol,
            side=execution.side,
            quantity=execution.quantity,
            price=execution.price,
            commission=commission.amount if commission else ZERO,
            currency=commission.currency if commission else "USD",
            ts_event=execution.ts_event,
            ts_seen=execution.ts_seen,
            liquidity=execution.liquidity,
        )

    def _reason(self) -> str:
        """The gravest reason; that touch was lost with it says nothing any more once its state is known again."""
        known = self.state in _CONFIRMED
        told = next((reason for reason in self.reasons if not (known and reason.startswith(LOST_TOUCH))), "")
        return told.partition(" ")[2]

    def status(self) -> OrderStatus:
        """The belief others see."""
        executed = self.executed
        value = sum((e.quantity * e.price for e in self.executions.values()), ZERO)
        return OrderStatus(
            ref=self.ref,
            account=self.account,
            request=self.effective,
            state=self.state,
            filled=executed,
            average_price=value / executed if executed else None,
            commission=sum((c.amount for k, c in self.commissions.items() if k in self.executions), ZERO),
            broker_id=self.broker_ids[-1] if self.broker_ids else "",
            perm_ids=self.perm_ids,
            reason=self._reason(),
            created_ns=self.created_ns,
            changed_ns=self.changed_ns,
            parent_ref=self.parent_ref,
            reference_price=self.reference_price,
            external=self.external,
            pending=self.modify if self.modify_open else None,
        )


def from_cleared(order: ClearedOrder, now_ns: int) -> tuple[OrderRecord, ...]:
    """Make the records of an order and its legs, at INTENT."""
    entry = OrderRecord(
        ref=order.ref,
        account=order.account,
        request=order.request,
        decision_id=order.decision_id,
        limits_hash=order.limits_hash,
        build_hash=order.build_hash,
        reference_price=order.reference_price,
        parent_ref=order.request.parent_ref,
        legs=tuple(leg.ref for leg in order.legs),
        created_ns=now_ns,
        changed_ns=now_ns,
    )
    return (
        entry,
        *(
            msgspec.structs.replace(record, parent_ref=order.ref)
            for leg in order.legs
            for record in from_cleared(leg, now_ns)
        ),
    )
