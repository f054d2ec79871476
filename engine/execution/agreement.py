"""Agreement with the broker: the link, the comparisons, and what follows from them for modes and locks."""

from collections.abc import Callable

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import JournalError
from engine.execution.adoption import Adoption
from engine.execution.broker import Broker
from engine.execution.fold import lose_touch
from engine.execution.opening import opening
from engine.execution.ports import Booking, Market, Modes, OrderJournal
from engine.execution.reconcile import Plan, Rules, mentioned, plan
from engine.execution.records import Records
from engine.execution.refs import References
from engine.execution.rounds import Rounds
from engine.execution.settings import ExecutionSettings
from engine.execution.voice import Voice
from engine.model.decision import Mode
from engine.model.events.book import DriftFound, Reconciled
from engine.model.ids import Symbol
from engine.model.order import OrderState
from engine.model.report import BrokerSnapshot, LinkReport, LinkState

DRIFT_LOCK = "DRIFT"
_NAME = "order desk"
_CLAIMS = (OrderState.CLAIM_CANCELLED, OrderState.CLAIM_REJECTED, OrderState.CLAIM_FILLED)


class Agreement:
    """Keeps our records and the broker's in agreement. The desk owns it."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        broker: Broker,
        journal: OrderJournal,
        records: Records,
        references: References,
        booking: Booking,
        modes: Modes,
        market: Market,
        settings: ExecutionSettings,
        voice: Voice,
        on_synced: Callable[[], None],
        on_round: Callable[[], None],
    ) -> None:
        """``on_synced`` runs after the first complete round since the link came up, ``on_round`` after each."""
        self._bus = bus
        self._clock = clock
        self._broker = broker
        self._records = records
        self._references = references
        self._booking = booking
        self._modes = modes
        self._market = market
        self._settings = settings
        self._voice = voice
        self._on_synced = on_synced
        self._on_round = on_round
        self._rounds = Rounds(clock, broker, settings, self.reconcile, self._on_round_failed)
        self.adoption = Adoption(clock, broker=broker, journal=journal, records=records, booking=booking, market=market)
        self.drifting: frozenset[Symbol] = frozenset()
        self._link_up_ns = 0
        self.link = LinkState.DOWN
        self.synced = False
        self.reconciled_ns = 0
        self._absent = False
        self._over = False

    def start(self) -> None:
        """Look at the link and begin to compare."""
        self.link = self._broker.link
        if self.link is LinkState.UP:
            self._link_up_ns = self._clock.now()
        self._rounds.start()

    async def stop(self) -> None:
        """Stop asking."""
        self._over = True
        await self._rounds.stop()

    def request(self) -> None:
        """Compare soon."""
        self._rounds.request()

    def on_link(self, report: LinkReport) -> None:
        """The link changed. Lost: whatever may be at the broker is UNKNOWN until it is seen again."""
        before, self.link = self.link, report.state
        if report.state is LinkState.UP:
            if before is not LinkState.UP:
                self._link_up_ns = self._clock.now()
            self._rounds.request()
            return
        self.synced = False
        if before is not LinkState.UP:
            self._say_absent(report)
            return
        now = self._clock.now()
        lost = [lose_touch(self._records.by_ref[s.ref], now, "the broker link was lost") for s in self._records.open()]
        unknown = sum(1 for outcome in lost if outcome.record.state is OrderState.UNKNOWN)
        self._records.apply_all([(outcome, "link lost", b"") for outcome in lost])
        self._modes.lower(Mode.MANUAL, _NAME, "the broker link was lost")
        if self._over:
            # We hung up ourselves: nothing is to be checked at the gateway.
            return
        why = report.text or (str(report.code) if report.code else report.state.value)
        self._voice.alarm(
            "LINK",
            "red",
            f"Broker link lost ({why}). {unknown} orders unconfirmed.",
            "Nothing is sent. Stops at the broker remain.",
            "Check the gateway.",
        )

    def _say_absent(self, report: LinkReport) -> None:
        """Since the start nobody has answered: said once, until somebody does."""
        if report.state is not LinkState.DOWN or not report.text or self._link_up_ns or self._absent or self._over:
            return
        self._absent = True
        self._voice.alarm(
            "LINK",
            "red",
            f"The broker does not answer: {report.text}",
            "Nothing is sent.",
            "Check its program and login.",
        )

    def reconcile(self, snapshot: BrokerSnapshot, *, exact: bool) -> Plan:
        """Agree with a snapshot. ``exact`` when it was taken in this very instant (an embedded broker)."""
        try:
            for ref in mentioned(snapshot, self._references.ours, self._records.find):
                if self._records.get(ref) is None:
                    self._records.recall(ref)
        except JournalError as error:
            # Without the journal an order settled earlier cannot be told from one that is new to us.
            self._on_round_failed(error)
            return Plan(changes=(), drifts=(), adopted=(), missing=snapshot.missing)
        now = self._clock.now()
        first = not self.synced
        if first and snapshot.positions is not None and not snapshot.missing:
            self._adopt_opening(snapshot, now)
        rules = Rules(
            now_ns=now,
            grace_ns=0 if exact else round(self._settings.settle_grace_s * SECOND),
            absent_gap_ns=round(self._settings.absent_gap_s * SECOND),
            link_up_ns=self._link_up_ns,
            ours=self._references.ours,
            day=self._day,
        )
        ours = {symbol: position.quantity for symbol, position in self._booking.positions().items()}
        result = plan(self._records.by_ref, ours, snapshot, rules)
        self._remember(result)
        told = self._records.told
        self._records.apply_all(result.changes)
        if snapshot.account is not None:
            self._booking.on_account(snapshot.account, compared=snapshot.executions is not None)
        self._judge_drift(result, snapshot)
        self._conclude(result, snapshot, first, self._records.told - told)
        self._look_again(snapshot.taken_ns - rules.grace_ns, rules)
        return result

    def _look_again(self, judged_to_ns: int, rules: Rules) -> None:
        """What was claimed too late for this picture is looked at as soon as its grace is over, and not later."""
        young = [s.changed_ns for s in self._records.open() if s.state in _CLAIMS and s.changed_ns > judged_to_ns]
        if young:
            self._rounds.request((max(young) + rules.grace_ns - rules.now_ns) / SECOND)

    def _adopt_opening(self, snapshot: BrokerSnapshot, now: int) -> None:
        try:
            self._booking.adopt_opening(opening(snapshot), now)
        except JournalError as error:
            self._voice.alarm("OPENING", "red", f"The positions held at the start could not be recorded: {error}.")

    def _remember(self, result: Plan) -> None:
        try:
            for ref in result.adopted:
                self._references.saw(ref)
        except JournalError as error:
            self._modes.lower(Mode.HALTED, _NAME, f"the reference counter cannot be kept: {error}")

    def _conclude(self, result: Plan, snapshot: BrokerSnapshot, first: bool, told: int) -> None:
        now = self._clock.now()
        missing = ", ".join(part.replace("_", " ") for part in snapshot.missing)
        if not missing and self.link is LinkState.UP:
            self.synced = True
            self.reconciled_ns = now
        elif missing and first:
            self._modes.lower(Mode.HALTED, _NAME, f"could not read {missing}")
            self._voice.alarm("SYNC", "red", f"Could not read {missing} from the broker.", "No order is sent.")
        if result.adopted:
            self._modes.lower(Mode.MANUAL, _NAME, "orders were found that the journal did not know")
            text = f"{len(result.adopted)} of our orders were at the broker but not in the journal; they were adopted."
            self._voice.alarm("ADOPTED", "red", text, "AUTO is off.", "Check them before trading on.")
        self._bus.publish(
            Reconciled(
                ts_event=snapshot.taken_ns,
                ts_init=now,
                account=self._broker.account_id,
                orders=len(snapshot.open_orders or ()),
                positions=len(snapshot.positions or ()),
                changes=told,
                complete=not missing,
                missing=snapshot.missing,
            )
        )
        if first and self.synced:
            for code in ("LINK", "SYNC"):
                self._voice.alarm(code, "amber", "Orders and positions agree with the broker.", cleared=True)
            self._on_synced()
        if self.synced:
            self._on_round()

    def _judge_drift(self, result: Plan, snapshot: BrokerSnapshot) -> None:
        if snapshot.positions is None or snapshot.executions is None:
            return
        self.adoption.compared(result.drifts, snapshot)
        found = {drift.symbol for drift in result.drifts}
        now = self._clock.now()
        for drift in result.drifts:
            if drift.symbol in self.drifting:
                continue
            text = f"our position is {drift.ours}, the broker's is {drift.theirs}"
            self._modes.lock(drift.symbol, DRIFT_LOCK, text)
            self._bus.publish(
                DriftFound(
                    ts_event=snapshot.taken_ns,
                    ts_init=now,
                    account=self._broker.account_id,
                    symbol=drift.symbol,
                    ours=drift.ours,
                    theirs=drift.theirs,
                )
            )
            self._voice.alarm(f"DRIFT:{drift.symbol}", "amber", f"{drift.symbol}: {text}.", "The symbol is locked.")
        for symbol in sorted(self.drifting - found):
            self._modes.unlock(symbol, DRIFT_LOCK)
            self._voice.alarm(f"DRIFT:{symbol}", "amber", f"{symbol}: the positions agree again.", cleared=True)
        self.drifting = frozenset(found)

    def _on_round_failed(self, error: Exception) -> None:
        if not self.synced and self.link is LinkState.UP:
            self._modes.lower(Mode.HALTED, _NAME, "the broker could not be read")
            self._voice.alarm("SYNC", "red", f"Could not read orders and positions: {error}.", "No order is sent.")

    def _day(self, symbol: Symbol, at_ns: int) -> str | None:
        session = self._market.session(symbol, at_ns)
        return None if session is None else session.date
