"""Watches losses, rejects, fills and the engine's health; only ever makes trading safer (G4b, G17-G20, G24, G37)."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from engine.bus.bell import Bell
from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock, Timer
from engine.bus.errors import JournalError
from engine.model.decision import Mode
from engine.model.events.book import AccountChanged, PositionClosed
from engine.model.events.decision import ModeChanged
from engine.model.events.order import OrderFilled, OrderPartlyFilled, OrderRejected
from engine.model.events.system import LagExceeded
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Session, SessionState, Side
from engine.model.money import finite
from engine.model.position import Account
from engine.risk.exposure import is_closing
from engine.risk.latches import Latch, Latches
from engine.risk.limits import HELD, LimitBook
from engine.risk.losses import LossBook
from engine.risk.modes import ModeKeeper
from engine.risk.ports import Ledger, Market, Orders, VitalSigns
from engine.risk.say import above, money, percent

EVERY_S = 10.0
EQUITY_GRACE_NS = 10 * SECOND
FOR_THE_DAY = ("G17", "G19")


class Canceller(Protocol):
    """Cancels one order; never gated."""

    def cancel(self, ref: OrderRef, by: str) -> object: ...


class Governor:
    """Turns what happened into a lower mode, a lock or a latch, with an alarm that says why."""

    name = "risk.governor"

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        market: Market,
        ledger: Ledger,
        orders: Orders,
        canceller: Canceller,
        vitals: VitalSigns,
        modes: ModeKeeper,
        latches: Latches,
        limits: LimitBook,
        losses: LossBook,
        session_at: Callable[[int], Session | None],
    ) -> None:
        """``session_at`` is the main calendar."""
        self._bus = bus
        self._clock = clock
        self._alarm = Bell(bus, clock)
        self._market = market
        self._ledger = ledger
        self._orders = orders
        self._canceller = canceller
        self._vitals = vitals
        self._modes = modes
        self._latches = latches
        self._limits = limits
        self._losses = losses
        self._session_at = session_at
        self._rejects: deque[tuple[int, Symbol]] = deque(maxlen=1000)
        self._lags: deque[int] = deque(maxlen=100)
        self._fills: dict[tuple[Symbol, Side], deque[tuple[int, float]]] = {}
        self._equity_lost_ns = 0
        self._said: set[str] = set()
        self._lit: set[str] = set()
        """Alarms that end by themselves when what they tell of is over; the mode stays where it is."""
        self._timer: Timer | None = None
        self._unsubscribe: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Begin to watch."""
        on = self._bus.subscribe
        self._unsubscribe = [
            on(AccountChanged, self._on_account, owner=self.name, role=Role.DECIDER),
            on(PositionClosed, self._on_closed, owner=self.name, role=Role.DECIDER),
            on(OrderRejected, self._on_rejected, owner=self.name, role=Role.DECIDER),
            on(OrderFilled, self._on_filled, owner=self.name, role=Role.DECIDER),
            on(OrderPartlyFilled, self._on_filled, owner=self.name, role=Role.DECIDER),
            on(LagExceeded, self._on_lag, owner=self.name, role=Role.DECIDER),
            on(ModeChanged, self._on_mode, owner=self.name, role=Role.DECIDER),
        ]
        self.look()

    async def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for end in self._unsubscribe:
            end()
        self._unsubscribe = []

    def look(self) -> None:
        """Look at everything that changes with time alone; runs by itself every ten seconds."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_later(EVERY_S, self.look)
        now = self._clock.now()
        session = self._session_at(now)
        self._new_day(session)
        self._limits.roll()
        why = self._limits.verify()
        if why is not None and self._modes.lower(Mode.REDUCE_ONLY, self.name, why):
            self._alarm(
                "LIMITS", "red", f"The limits cannot be trusted: {why}.", "Only closing is allowed.", "Restart."
            )
        self._tell_held()
        is_open = session is not None and session.state is SessionState.OPEN
        self._modes.watch_lease(session.close_ns if session is not None and is_open else None)
        self._check_account(self._ledger.account())
        self._check_vitals()

    def _tell_held(self) -> None:
        held = self._limits.held()
        if bool(held) is (HELD in self._lit):
            return
        if not held:
            self._lit.discard(HELD)
            self._alarm(HELD, "amber", "No raised limit waits for the PIN any more.", cleared=True)
            return
        self._lit.add(HELD)
        raised = ", ".join(f"{key} {was} → {wanted}" for key, (was, wanted) in held.items())
        self._alarm(
            HELD,
            "amber",
            f"Limits were raised in the settings file: {raised}.",
            "The old ones stay in force.",
            "Confirm them with the PIN where you arm again what a limit switched off, or take them back.",
        )

    # --- days

    def _new_day(self, session: Session | None) -> None:
        if session is None:
            return
        account = self._ledger.account()
        equity = account.equity if account is not None else None
        if not self._losses.roll(session.date, equity):
            return
        self._said.clear()
        try:
            self._latches.roll(session.date)
        except JournalError as error:
            self._modes.halt(self.name, f"a latch could not be lifted: {error}")
        for code in FOR_THE_DAY:
            self._modes.unlock_all(code)

    # --- money

    def _on_account(self, event: AccountChanged) -> None:
        self._check_account(event.account)

    def _check_account(self, account: Account | None) -> None:
        now = self._clock.now()
        usable = account is not None and account.equity is not None and finite(account.equity)
        if not usable or account is None or account.equity is None:
            if not self._equity_lost_ns:
                self._equity_lost_ns = now
            elif now - self._equity_lost_ns >= EQUITY_GRACE_NS and self._modes.lower(
                Mode.REDUCE_ONLY, self.name, "the account's equity is not known"
            ):
                happened = "The account's equity is not known."
                self._lit.add("EQUITY")
                self._alarm("EQUITY", "red", happened, "Only closing is allowed.", "Check the broker link.")
            return
        self._equity_lost_ns = 0
        if "EQUITY" in self._lit:
            self._lit.discard("EQUITY")
            self._alarm("EQUITY", "red", "The account's equity is known again.", cleared=True)
        session = self._session_at(now)
        date = session.date if session is not None else ""
        self._losses.see(date, account.equity)
        settings, equity = self._limits.active, float(account.equity)
        day = self._losses.day_loss_percent(account)
        demote, halt = settings.auto.day_loss_demote_percent, settings.manual.day_loss_halt_percent
        if day >= halt:
            self._trip(
                "G17", Mode.REDUCE_ONLY, f"the loss of the day is {percent(day)}, the limit {percent(halt)}", date
            )
            if settings.flatten_on_day_loss and "G17.flatten" not in self._said:
                self._said.add("G17.flatten")
                self._modes.halt(self.name, "daily loss: closing everything was opted in", flatten=True)
        elif day >= settings.auto.day_loss_halt_percent:
            most = settings.auto.day_loss_halt_percent
            text = f"the loss of the day is {percent(day)}; the agent may lose {percent(most)}"
            self._trip("G17", Mode.MANUAL, text, date)
        elif day >= demote and self._modes.lower(Mode.MANUAL, self.name, f"the loss of the day is {percent(day)}"):
            self._alarm(
                "G17", "red", f"The loss of the day is {percent(day)}; AUTO ends at {percent(demote)}.", "AUTO is off."
            )
        self._check_drawdown(self._losses.drawdown_percent(equity), self._losses.week_loss_percent(equity), date)

    def _check_drawdown(self, fall: float, week: float, date: str) -> None:
        settings = self._limits.active
        if fall >= settings.manual.drawdown_halt_percent:
            most = settings.manual.drawdown_halt_percent
            self._trip(
                "G18", Mode.REDUCE_ONLY, f"equity is {percent(fall)} below its high, the limit is {percent(most)}", date
            )
        elif fall >= settings.auto.drawdown_halt_percent:
            most = settings.auto.drawdown_halt_percent
            self._trip(
                "G18",
                Mode.MANUAL,
                f"equity is {percent(fall)} below its high; the agent stops at {percent(most)}",
                date,
            )
        elif fall >= settings.auto.drawdown_demote_percent:
            self._demote("G18", f"equity is {percent(fall)} below its high")
        if week >= settings.auto.week_loss_demote_percent:
            self._demote("G18w", f"the loss of five sessions is {percent(week)}")

    def _on_closed(self, event: PositionClosed) -> None:
        symbol, realised = event.position.symbol, event.realised
        self._losses.closed(symbol, realised, self._clock.now())
        auto = self._limits.active.auto
        session = self._session_at(self._clock.now())
        if self._losses.streak >= auto.losing_streak:
            date = session.date if session is not None else ""
            text = f"{self._losses.streak} losing trades in a row"
            self._trip("G19", Mode.MANUAL, text, date, needs_person=False)
        account = self._ledger.account()
        if account is None or account.equity is None or not finite(account.equity) or account.equity <= 0:
            return
        lost = float(-self._losses.symbol_result(symbol) / account.equity) * 100.0
        if lost >= auto.symbol_loss_percent:
            reason = f"it lost {percent(lost)} of equity today"
            if self._modes.lock(symbol, "G19", reason):
                self._alarm("G19", "amber", f"{symbol} {reason[3:]}.", "It is locked until the next session.")

    # --- the broker and our fills

    def _on_rejected(self, event: OrderRejected) -> None:
        now, limits = self._clock.now(), self._limits.active.common
        self._rejects.append((now, event.symbol))
        since = now - round(limits.rejects_minutes * 60 * SECOND)
        recent = [symbol for at, symbol in self._rejects if at > since]
        here = recent.count(event.symbol)
        if here >= limits.rejects_lock:
            reason = f"the broker rejected {here} orders in {limits.rejects_minutes:g} minutes"
            if self._modes.lock(event.symbol, "G20", reason):
                self._alarm("G20", "amber", f"{event.symbol}: {reason}.", "The symbol is locked.", "Read the reasons.")
        if len(recent) >= limits.rejects_demote:
            self._demote("G20", f"the broker rejected {len(recent)} orders in {limits.rejects_minutes:g} minutes")

    def _on_filled(self, event: OrderFilled | OrderPartlyFilled) -> None:
        request = event.status.request
        if is_closing(request) or event.status.external:
            return
        now, limits = self._clock.now(), self._limits.active
        fills = self._fills.setdefault((event.symbol, event.side), deque(maxlen=500))
        since = now - round(limits.common.fill_drift_minutes * 60 * SECOND)
        while fills and fills[0][0] <= since:
            fills.popleft()
        price = float(event.fill.price)
        fills.append((now, price))
        chased = event.side.sign * (price / fills[0][1] - 1.0) * 100.0
        profile = limits.auto if request.origin.unattended else limits.manual
        if above(chased, profile.fill_drift_percent):
            minutes = limits.common.fill_drift_minutes
            reason = f"own fills chased the price by {percent(chased)} in {minutes:g} minutes"
            if self._modes.lock(event.symbol, "G4b", reason):
                self._alarm("G4b", "amber", f"{event.symbol}: {reason}.", "The symbol is locked.", "Look, then unlock.")

    # --- the engine itself

    def _on_lag(self, event: LagExceeded) -> None:
        now, limits = self._clock.now(), self._limits.active.common
        if event.lag_ms <= limits.lag_demote_ms:
            return
        self._lags.append(now)
        if sum(1 for at in self._lags if at > now - 60 * SECOND) >= limits.lag_demote_times:
            self._demote("G24", f"the engine was late {limits.lag_demote_times} times in a minute")

    def _check_vitals(self) -> None:
        vitals, limits = self._vitals.vitals(), self._limits.active.common
        if vitals.queue_depth > limits.queue_demote:
            self._demote("G24", f"{vitals.queue_depth} events are waiting")
        if vitals.slow_commits >= limits.commit_slow_times:
            self._demote("G37", "the journal is slow")
        if vitals.disk_free_mb is not None and vitals.disk_free_mb < limits.disk_warn_mb and "disk" not in self._said:
            self._said.add("disk")
            free = f"Only {money(vitals.disk_free_mb)} MB of disk are free."
            did = f"Below {money(limits.disk_stop_mb)} MB no entries are sent."
            self._alarm("G37", "amber", free, did, "Free some space.")
        skew = vitals.clock_skew_s
        if skew is not None and abs(skew) > limits.clock_auto_s:
            self._demote("G23", f"the clock is {abs(skew):.0f} s off the broker's")

    # --- consequences

    def _demote(self, code: str, reason: str) -> None:
        if self._modes.lower(Mode.MANUAL, self.name, reason):
            self._alarm(
                code, "red", f"{reason[0].upper()}{reason[1:]}.", "AUTO is off.", "Arm it again when it is well."
            )

    def _trip(self, code: str, ceiling: Mode, reason: str, date: str, needs_person: bool = True) -> None:
        latch = self._latches.get(code)
        if latch is not None and latch.ceiling.level <= ceiling.level:
            self._modes.lower(ceiling, self.name, latch.text)
            return
        self._modes.lower(ceiling, self.name, reason)
        try:
            if latch is not None:
                self._latches.lift(code)
            self._latches.trip(
                Latch(
                    code=code,
                    text=reason,
                    date=date,
                    since_ns=self._clock.now(),
                    ceiling=ceiling,
                    needs_person=needs_person,
                    next_session=True,
                )
            )
        except JournalError as error:
            self._modes.halt(self.name, f"a latch could not be recorded: {error}")
        did = "No new entries; stops stay." if ceiling is Mode.REDUCE_ONLY else "AUTO is off."
        self._alarm(
            code, "red", f"{reason[0].upper()}{reason[1:]}.", did, "It can be armed again from the next session on."
        )
        if ceiling is Mode.REDUCE_ONLY:
            self.cancel_entries("limit of losses", everyone=True)

    def _on_mode(self, event: ModeChanged) -> None:
        if event.before is Mode.AUTO and event.after.level < Mode.AUTO.level:
            self.cancel_entries("AUTO is off")

    def cancel_entries(self, why: str, everyone: bool = False) -> int:
        """Cancel working entries, the agent's or everyone's; stops and other closing orders stay. Return how many."""
        refs = [
            status.ref
            for status in self._orders.open_orders()
            if not status.external
            and not is_closing(status.request)
            and status.filled < status.request.quantity
            and (everyone or status.request.origin.unattended)
        ]
        for ref in refs:
            self._canceller.cancel(ref, f"{self.name}: {why}")
        return len(refs)

    def lost_today(self, symbol: Symbol) -> Decimal:
        """Return what a symbol realised today."""
        return self._losses.symbol_result(symbol)
