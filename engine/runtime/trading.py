"""The trading half: risk, approval, execution, portfolio, wired in reading order."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import structlog

from engine.approval.by_hand import HandOrders
from engine.approval.desk import ApprovalDesk
from engine.approval.mandate import Mandates
from engine.approval.programs import ProgramOrders
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.algos.desk import AlgoDesk
from engine.execution.algos.plugins import all_algorithms
from engine.execution.algos.volume_curve import HistoryCurve
from engine.execution.broker import Broker
from engine.execution.desk import OrderDesk
from engine.execution.exits_aside import ExitsAside
from engine.execution.guarding import Guard
from engine.execution.refreshing import Refresher
from engine.execution.refs import References
from engine.execution.what_ifs import WhatIfBook
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.model.broker import Fees
from engine.model.decision import Book
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Session, Side
from engine.model.money import ZERO, exact
from engine.portfolio.ledger import Ledger
from engine.risk.counters import DayCounts
from engine.risk.gate import Gate
from engine.risk.governor import Governor
from engine.risk.latches import Latches
from engine.risk.limits import LimitBook
from engine.risk.losses import LossBook
from engine.risk.modes import ModeKeeper
from engine.risk.pin import Pin
from engine.risk.plugins import foreign_rules
from engine.risk.ports import Clusters
from engine.risk.sessions import AutoSessions
from engine.runtime.late import late
from engine.runtime.spec import EngineSpec
from engine.runtime.storage import Storage
from engine.runtime.vitals import VitalSigns, private_token

_log = structlog.get_logger("trading")


@dataclass(frozen=True)
class Trading:
    """The parts that decide and act on money."""

    modes: ModeKeeper
    limits: LimitBook
    gate: Gate
    governor: Governor
    desk: OrderDesk
    ledger: Ledger
    approval: ApprovalDesk
    by_hand: HandOrders
    by_program: ProgramOrders
    algos: AlgoDesk
    refresher: Refresher
    guard: Guard
    aside: ExitsAside
    pin: Pin
    what_ifs: WhatIfBook
    mandates: Mandates
    fees: Fees


class _Salt:
    def token(self, size: int) -> bytes:
        return private_token(size)


def assemble_trading(
    spec: EngineSpec,
    bus: Bus,
    clock: Clock,
    storage: Storage,
    market: MarketCache,
    broker: Broker,
    vitals: VitalSigns,
    session_at: Callable[[int], Session | None],
    clusters: Clusters,
    bars: BarStore,
) -> Trading:
    """Build the trading half. ``session_at`` is the main calendar."""
    journal = storage.journal
    kv = journal.kv
    gate_later, desk_later = late("gate"), late("order desk")

    def opened_by(ref: OrderRef) -> str:
        status = desk_later.order(ref)
        return "" if status is None else status.request.strategy or status.request.origin.name.lower()

    def today() -> str:
        session = session_at(clock.now())
        return session.date if session is not None else ""

    pin = Pin(
        kv,
        clock,
        _Salt(),
        tries=spec.risk.pin_tries,
        delay_s=spec.risk.pin_delay_minutes * 60,
        required=spec.book is Book.LIVE and spec.risk.live_auto_needs_pin,
    )
    latches = Latches(kv)
    latches.load()
    modes = ModeKeeper(
        bus=bus,
        clock=clock,
        store=kv,
        pin=pin,
        latches=latches,
        settings=spec.risk,
        autonomy=spec.autonomy,
        lease=not spec.simulated_time,
        today=today,
    )
    limits = LimitBook(
        spec.risk,
        store=kv,
        clock=clock,
        bus=bus,
        pin=pin,
        session_at=session_at,
        on_disk=spec.limits_on_disk,
        real_money=spec.book is Book.LIVE,
    )
    limits.load()
    losses = LossBook(kv)
    losses.load()
    ledger = Ledger(
        bus, clock, account=broker.account_id, journal=journal, store=kv, market=market, opened_by=opened_by
    )
    desk = OrderDesk(
        bus,
        clock,
        broker=broker,
        journal=journal,
        references=References(spec.execution.reference_prefix, journal.counters),
        booking=ledger,
        modes=modes,
        gate=gate_later,
        market=market,
        settings=spec.execution,
    )
    desk_later.fill(desk)
    # Only real money waits for the broker's word (risk.what_if); elsewhere it is asked for previews alone.
    required = spec.book is Book.LIVE and spec.risk.what_if == "required"
    what_ifs = WhatIfBook(bus, clock, broker, required=required)
    gate = Gate(
        bus=bus,
        clock=clock,
        market=market,
        ledger=ledger,
        orders=desk,
        counts=DayCounts(journal.counters),
        vitals=vitals,
        modes=modes,
        latches=latches,
        limits=limits,
        losses=losses,
        sessions=AutoSessions(kv),
        book=spec.book,
        build_hash=spec.build,
        foreign=foreign_rules(),
        clusters=clusters,
        marks=market.mark,
        what_ifs=what_ifs,
        no_good_till=broker.capabilities.no_good_till,
        brackets_in_one=broker.capabilities.brackets_in_one,
        exits_hold=broker.capabilities.exits_hold,
        native_algos=frozenset(native.name for native in broker.capabilities.native_algos),
    )
    gate_later.fill(gate)
    governor = Governor(
        bus=bus,
        clock=clock,
        market=market,
        ledger=ledger,
        orders=desk,
        canceller=desk,
        vitals=vitals,
        modes=modes,
        latches=latches,
        limits=limits,
        losses=losses,
        session_at=session_at,
    )
    mandates = Mandates(
        store=kv, counters=journal.counters, clock=clock, pin=pin, book=spec.book, days=spec.approval.mandate_days
    )
    aside = ExitsAside(
        bus,
        clock,
        desk=desk,
        booking=ledger,
        gate=gate,
        market=market,
        store=kv,
        settings=spec.execution,
        exits_hold=broker.capabilities.exits_hold,
        pairs_in_one=broker.capabilities.brackets_in_one,
    )
    approval = ApprovalDesk(
        bus=bus,
        clock=clock,
        gate=gate,
        modes=modes,
        orders=aside,
        market=market,
        ledger=ledger,
        mandates=mandates,
        store=kv,
        settings=spec.approval,
    )
    algorithms, failures = all_algorithms()
    for failure in failures:
        _log.warning("a plug-in is left out", reason=failure)
    algos = AlgoDesk(
        bus,
        clock,
        orders=desk,
        gate=gate,
        market=market,
        curves=HistoryCurve(bars, market.session),
        store=kv,
        settings=spec.algos,
        algorithms=algorithms,
        seed=spec.seed,
    )
    by_hand = HandOrders(gate=gate, orders=desk, modes=modes, store=kv, clock=clock)
    return Trading(
        algos=algos,
        refresher=Refresher(bus, clock, desk, modes),
        guard=Guard(
            bus,
            clock,
            desk,
            booking=ledger,
            gate=gate,
            settings=spec.execution,
            exits_wait=broker.capabilities.exits_wait,
            pairs_in_one=broker.capabilities.brackets_in_one,
        ),
        aside=aside,
        modes=modes,
        limits=limits,
        gate=gate,
        governor=governor,
        desk=desk,
        ledger=ledger,
        approval=approval,
        by_hand=by_hand,
        by_program=ProgramOrders(hand=by_hand, gate=gate, mandates=mandates, market=market, clock=clock),
        pin=pin,
        what_ifs=what_ifs,
        mandates=mandates,
        fees=broker.capabilities.fees,
    )


TIMES_COMMISSION = 3
"""A target pays at least so many times the commissions of its trade; below it the costs decide, not the forecast."""


class Sizer:
    """What the strategist may know of sizing: the gate's own answer, never more than the strategy's risk."""

    def __init__(self, gate: Gate, ledger: Ledger, market: MarketCache, fees: Fees) -> None:
        self._gate, self._ledger, self._market, self._fees = gate, ledger, market, fees

    def size(self, symbol: Symbol, side: Side, entry: Decimal, stop: Decimal, risk_percent: float) -> Decimal:
        """Units that lose at most ``risk_percent`` of equity at the stop and fit every cap.

        Where no cap leaves room the plain risk to the stop is proposed: the gate then denies it with its reason, which
        a person can read, instead of a silence that nobody can.
        """
        sizing = self._gate.size(symbol, side, entry, stop)
        account, instrument = self._ledger.account(), self._market.instrument(symbol)
        if account is None or account.equity is None or instrument is None:
            return ZERO
        at_risk = account.equity * exact(risk_percent) / 100
        units = at_risk / (abs(entry - stop) * instrument.multiplier)
        wanted = (units // instrument.lot) * instrument.lot
        return min(sizing.quantity, wanted) if sizing.quantity > ZERO else wanted

    def worth(self, symbol: Symbol, quantity: Decimal, entry: Decimal, target: Decimal) -> bool:
        """Whether the target pays enough of the commissions of entry and exit; yes where those are not known."""
        instrument = self._market.instrument(symbol)
        if instrument is None:
            return False
        if not self._fees.known(instrument.kind):
            return True
        paid = sum(self._fees.of(quantity, price, instrument.multiplier) for price in (entry, target))
        return abs(target - entry) * quantity * instrument.multiplier >= TIMES_COMMISSION * paid
