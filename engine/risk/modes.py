"""The mode of trading. Going down is automatic and never refused; going up takes a person (I6, I12)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from engine.api.commands import Receipt
from engine.bus.bell import Bell
from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import JournalError
from engine.model.decision import PEOPLE, Autonomy, Mode
from engine.model.events.book import Reconciled, SymbolLocked, SymbolUnlocked
from engine.model.events.decision import AutonomyChanged, ModeChanged, TradingHalted, TradingResumed
from engine.model.ids import Symbol
from engine.risk.latches import Latch, Latches
from engine.risk.pin import Pin
from engine.risk.ports import Store
from engine.risk.settings import RiskSettings

KEY = "risk.mode"
STARTS = "risk.starts"
TYPED = "RESUME"
_BY_ITSELF = frozenset({Autonomy.AUTO, Autonomy.ASK_ABOVE_LIMITS})
_ORDER = {a: i for i, a in enumerate(Autonomy)}
TYPED_LATCHES = frozenset({"G18"})
"""Latches that only the typed word lifts."""
DOWN_FROM_HALT = (Mode.HALTED, Mode.OBSERVE)


class Lock(NamedTuple):
    code: str
    reason: str


class _Stored(msgspec.Struct, kw_only=True):
    mode: Mode
    autonomy: Autonomy
    halted_ns: int = 0
    reason: str = ""
    locks: dict[str, dict[str, str]] = {}


class _Starts(msgspec.Struct, kw_only=True):
    unclean: list[int] = []
    running: bool = False


class ModeKeeper:
    """Owns mode, autonomy and symbol locks. What lowers holds at once, also when it cannot be recorded."""

    name = "risk.modes"

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        store: Store,
        pin: Pin,
        latches: Latches,
        settings: RiskSettings,
        autonomy: Autonomy = Autonomy.ASK,
        lease: bool = True,
        needs_reconcile: bool = True,
        today: Callable[[], str],
    ) -> None:
        """``today``: exchange date of the main calendar. ``lease`` is off only in replays, where nobody is (G34)."""
        self._bus = bus
        self._clock = clock
        self._alarm = Bell(bus, clock)
        self._store = store
        self._pin = pin
        self._latches = latches
        self._settings = settings
        self._lease = lease
        self._needs_reconcile = needs_reconcile
        self._today = today
        self._mode = Mode.OBSERVE
        self._autonomy = autonomy
        self._halted_ns = 0
        self._reason = "not started"
        self._locks: dict[Symbol, dict[str, str]] = {}
        self._first: dict[Symbol, Lock] = {}
        self._reconciled_ns = 0
        self._lease_until = 0
        self._present_ns = 0
        self._session_close_ns = 0
        self._warned = False

    # --- what others read

    @property
    def mode(self) -> Mode:
        return self._mode

    @property
    def autonomy(self) -> Autonomy:
        return self._autonomy

    @property
    def reason(self) -> str:
        """Why the mode is what it is."""
        return self._reason

    @property
    def halted(self) -> bool:
        return self._mode in DOWN_FROM_HALT

    @property
    def locks(self) -> Mapping[Symbol, Lock]:
        """Return the locked symbols with the first reason of each."""
        return MappingProxyType(self._first)

    @property
    def pin_set(self) -> bool:
        """Say whether going up asks for a PIN."""
        return self._pin.is_set

    @property
    def latched(self) -> tuple[Latch, ...]:
        """Return what tripped and is still off, oldest first."""
        return tuple(sorted(self._latches.all().values(), key=lambda latch: latch.since_ns))

    @property
    def lease_ok(self) -> bool:
        """Say whether AUTO is still armed (G34)."""
        return self._mode is Mode.AUTO and (not self._lease or self._clock.now() < self.lease_until)

    @property
    def lease_until(self) -> int:
        """UTC ns at which AUTO ends: lease, presence or session, whatever comes first."""
        ends = [self._lease_until, self._present_ns + round(self._settings.presence_hours * 3600 * SECOND)]
        if self._session_close_ns:
            ends.append(self._session_close_ns)
        return min(ends)

    # --- life

    async def start(self) -> None:
        """Come up as safe as the last run left it; AUTO never survives a restart."""
        self.restore()
        self._bus.subscribe(Reconciled, self._on_reconciled, owner=self.name, role=Role.DECIDER)

    async def stop(self) -> None:
        """Note that this run ended in order."""
        starts = self._starts()
        starts.running = False
        self._store.set(STARTS, msgspec.json.encode(starts).decode())

    def restore(self) -> None:
        """Read the stored state; anything unreadable means OBSERVE."""
        text = self._store.get(KEY)
        mode, reason = Mode.MANUAL, "start"
        if text is not None:
            try:
                stored = msgspec.json.decode(text, type=_Stored)
            except msgspec.MsgspecError:
                mode, reason = Mode.OBSERVE, "the stored mode cannot be read"
            else:
                mode = stored.mode if stored.mode.level < Mode.AUTO.level else Mode.MANUAL
                reason, self._halted_ns = stored.reason or "start", stored.halted_ns
                self._autonomy = stored.autonomy
                self._locks = {Symbol(symbol): dict(codes) for symbol, codes in stored.locks.items()}
                self._index_locks()
        ceiling, latch = self._latches.ceiling()
        if latch is not None and ceiling.level < mode.level:
            mode, reason = ceiling, latch.text
        if self._crash_loop():
            mode, reason = Mode.OBSERVE, "the program ended badly several times in a row"
            self._alarm("G38", "red", "The program ended badly several times in a row.", "It only observes now.")
        self._mode, self._reason = mode, reason

    def _starts(self) -> _Starts:
        text = self._store.get(STARTS)
        try:
            return msgspec.json.decode(text, type=_Starts) if text else _Starts()
        except msgspec.MsgspecError:
            return _Starts(running=True)

    def _crash_loop(self) -> bool:
        now = self._clock.now()
        starts = self._starts()
        since = now - round(self._settings.crash_minutes * 60 * SECOND)
        starts.unclean = [at for at in starts.unclean if at > since]
        if starts.running:
            starts.unclean.append(now)
        starts.running = True
        self._store.set(STARTS, msgspec.json.encode(starts).decode())
        return len(starts.unclean) >= self._settings.crash_starts

    # --- down

    def lower(self, mode: Mode, by: str, reason: str) -> bool:
        """Go down to ``mode``; return False when trading is that safe already. Anyone may, at any time."""
        if mode.level >= self._mode.level:
            return False
        before = self._mode
        self._mode, self._reason = mode, reason
        if mode in DOWN_FROM_HALT and before not in DOWN_FROM_HALT:
            self._halted_ns = self._clock.now()
        self._save_or_alarm()
        self._tell_mode(before, by, reason)
        return True

    def halt(self, by: str, reason: str, flatten: bool = False) -> Receipt:
        """Stop trading. In memory first, then durable; a failing disk does not stop a STOP."""
        before = self._mode
        if before not in DOWN_FROM_HALT:
            self._mode, self._reason = Mode.HALTED, reason
        self._halted_ns = self._clock.now()
        recorded = self._save_or_alarm()
        if before not in DOWN_FROM_HALT:
            self._tell_mode(before, by, reason)
        now = self._clock.now()
        self._bus.publish(TradingHalted(ts_event=now, ts_init=now, by=by, reason=reason, flatten=flatten))
        text = "Trading is halted." if recorded else "Trading is halted, but that could not be recorded."
        return Receipt(ok=True, text=text, data={"mode": self._mode.value, "recorded": recorded})

    # --- up: people only

    def raise_to(self, mode: Mode, by: str, reason: str, pin: str = "") -> Receipt:
        """Go up to ``mode``. Out of a halt only :meth:`resume` leads."""
        if mode.level <= self._mode.level:
            self.lower(mode, by, reason)
            return Receipt(ok=True, data={"mode": self._mode.value}, text=f"The mode is {self._mode.value}.")
        if self.halted:
            return Receipt(ok=False, code="MODE", text="Trading is halted. Resume first, then set the mode.")
        return self._may_raise(mode, by, reason, pin) or self._raised(mode, by, reason)

    def resume(self, typed: str, reason: str, by: str, pin: str = "") -> Receipt:
        """Re-arm after a halt or a latch: the typed word, a reason, the PIN where one is set, a clean reconcile.

        Leads to MANUAL, or to REDUCE_ONLY while a latch of today allows no more. Lifts every latch that may be lifted.
        """
        if not self.halted and not self._latches.all():
            return Receipt(ok=True, text=f"Trading is not halted; the mode is {self._mode.value}.")
        if typed.strip().upper() != TYPED:
            return Receipt(ok=False, code="TYPED", text=f"Type the word {TYPED} to resume.")
        if self.halted and self._needs_reconcile and self._reconciled_ns < self._halted_ns:
            text = "The broker's books have not been compared with ours since the halt; that comes first."
            return Receipt(ok=False, code="RECONCILE", text=text)
        refusal = self._person(by, reason, pin)
        if refusal is not None:
            return refusal
        refusal = self._lift(typed=True)
        if refusal is not None:
            return refusal
        ceiling, latch = self._latches.ceiling()
        target = Mode.REDUCE_ONLY if ceiling is Mode.REDUCE_ONLY else Mode.MANUAL
        if target.level <= self._mode.level:
            ok = latch is None
            text = "Armed again." if ok or latch is None else f"{latch.text}: not before the next session."
            return Receipt(ok=ok, code="" if latch is None else latch.code, text=text)
        receipt = self._raised(target, by, reason)
        if receipt.ok:
            now = self._clock.now()
            self._bus.publish(TradingResumed(ts_event=now, ts_init=now, by=by, reason=reason))
        return receipt

    def set_autonomy(self, autonomy: Autonomy, by: str, reason: str = "", pin: str = "") -> Receipt:
        """Change what the agent may do. More is a person's; sending by itself arms AUTO, less disarms it."""
        more = _ORDER[autonomy] > _ORDER[self._autonomy]
        if more and by not in PEOPLE:
            return Receipt(ok=False, code="PERSON", text="Only a person gives the agent more freedom.")
        arms = autonomy in _BY_ITSELF
        if arms and self._mode is not Mode.AUTO:
            receipt = self.raise_to(Mode.AUTO, by, reason or f"autonomy {autonomy.value}", pin)
            if not receipt.ok:
                return receipt
        elif more and (why := self._pin.check(pin)):
            return Receipt(ok=False, code="PIN", text=why)
        before, self._autonomy = self._autonomy, autonomy
        if not arms:
            self.lower(Mode.MANUAL, by, f"autonomy {autonomy.value}")
        try:
            self._save()
        except JournalError as error:
            if more:
                self._autonomy = before
                return Receipt(ok=False, code="JOURNAL", text=f"The change could not be recorded: {error}")
        if before is not autonomy:
            now = self._clock.now()
            self._bus.publish(
                AutonomyChanged(ts_event=now, ts_init=now, before=before, after=autonomy, by=by, reason=reason)
            )
        return Receipt(ok=True, text=f"Autonomy is {autonomy.value}.", data={"autonomy": autonomy.value})

    def rearm(self, code: str, scope: str, by: str, reason: str, pin: str = "") -> Receipt:
        """Lift one latch by hand, such as a strategy's (G10)."""
        latch = self._latches.get(code, scope)
        if latch is None:
            return Receipt(ok=False, code="LATCH", text="Nothing of that name is off.")
        if latch.next_session and self._today() <= latch.date:
            return Receipt(ok=False, code=code, text="This can be armed again from the next session on.")
        if code in TYPED_LATCHES:
            return Receipt(ok=False, code=code, text=f"Resume with the typed word {TYPED} to arm this again.")
        refusal = self._person(by, reason, pin)
        if refusal is not None:
            return refusal
        try:
            self._latches.lift(code, scope)
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"The change could not be recorded: {error}")
        return Receipt(ok=True, text="Armed again.")

    def set_pin(self, new: str, old: str, by: str) -> Receipt:
        """Set the PIN, or change it for the right old one. It is never recorded anywhere but as a hash."""
        if by not in PEOPLE:
            return Receipt(ok=False, code="PERSON", text="Only a person sets the PIN.")
        first = not self._pin.is_set
        try:
            why = self._pin.set(new, old)
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"The PIN could not be recorded: {error}")
        if why:
            return Receipt(ok=False, code="PIN", text=why)
        return Receipt(ok=True, text="The PIN is set." if first else "The PIN is changed.")

    def present(self, by: str) -> None:
        """A person did something: presence is proven (G34)."""
        if by in PEOPLE:
            self._present_ns = self._clock.now()
            self._warned = False

    def vouched(self, by: str, reason: str, pin: str) -> Receipt | None:
        """Return why something only a person may do is refused: no person, no reason, no PIN; None when it may be."""
        return self._person(by, reason, pin)

    def _person(self, by: str, reason: str, pin: str) -> Receipt | None:
        if by not in PEOPLE:
            return Receipt(ok=False, code="PERSON", text="Only a person may do this.")
        if not reason.strip():
            return Receipt(ok=False, code="REASON", text="Say why.")
        why = self._pin.check(pin)
        return Receipt(ok=False, code="PIN", text=why) if why else None

    def _may_raise(self, mode: Mode, by: str, reason: str, pin: str) -> Receipt | None:
        refusal = self._person(by, reason, pin)
        if refusal is not None:
            return refusal
        refusal = self._lift(typed=False)
        if refusal is not None:
            return refusal
        ceiling, latch = self._latches.ceiling()
        if mode.level > ceiling.level and latch is not None:
            return Receipt(ok=False, code=latch.code, text=f"Not above {ceiling.value}: {latch.text}")
        return None

    def _lift(self, typed: bool) -> Receipt | None:
        """Lift what a person may lift now: latches of an earlier session, and with the typed word the rest."""
        today = self._today()
        for latch in tuple(self._latches.all().values()):
            if latch.next_session and today <= latch.date:
                continue
            if not typed and (latch.scope or latch.code in TYPED_LATCHES):
                continue
            try:
                self._latches.lift(latch.code, latch.scope)
            except JournalError as error:
                return Receipt(ok=False, code="JOURNAL", text=f"The change could not be recorded: {error}")
        return None

    def _raised(self, mode: Mode, by: str, reason: str) -> Receipt:
        before, was = self._mode, self._reason
        self._mode, self._reason = mode, reason
        try:
            self._save()
        except JournalError as error:
            self._mode, self._reason = before, was
            return Receipt(ok=False, code="JOURNAL", text=f"The change could not be recorded: {error}")
        if mode is Mode.AUTO:
            now = self._clock.now()
            self._lease_until = now + round(self._settings.lease_hours * 3600 * SECOND)
            self._session_close_ns = 0
        self.present(by)
        self._tell_mode(before, by, reason)
        return Receipt(ok=True, text=f"The mode is {mode.value}.", data={"mode": mode.value})

    # --- lease

    def watch_lease(self, session_close_ns: int | None) -> None:
        """Look after the lease; called a few times a minute. ``session_close_ns`` ends it, None when closed."""
        if not self._lease or self._mode is not Mode.AUTO:
            return
        now = self._clock.now()
        if session_close_ns is not None and not self._session_close_ns:
            self._session_close_ns = session_close_ns
        until = self.lease_until
        if now >= until:
            self.lower(Mode.MANUAL, "lease", "the time for which AUTO was armed is over")
            self._alarm("G34", "red", "AUTO is over: its time ran out.", "Entries are cancelled, stops stay.")
        elif not self._warned and until - now <= round(self._settings.lease_warn_minutes * 60 * SECOND):
            self._warned = True
            minutes = (until - now) / (60 * SECOND)
            self._alarm("G34", "amber", f"AUTO ends in {minutes:.0f} minutes.", you_can="Show up to extend it.")

    # --- locks

    def lock(self, symbol: Symbol, code: str, reason: str) -> bool:
        """Keep opening orders out of a symbol; return False when this code locks it already."""
        codes = self._locks.setdefault(symbol, {})
        if code in codes:
            return False
        codes[code] = reason
        self._index_locks()
        self._save_or_alarm()
        now = self._clock.now()
        self._bus.publish(SymbolLocked(ts_event=now, ts_init=now, symbol=symbol, code=code, reason=reason))
        return True

    def unlock(self, symbol: Symbol, code: str) -> bool:
        """Take one reason away; the symbol is free when none is left."""
        codes = self._locks.get(symbol, {})
        if code not in codes:
            return False
        reason = codes.pop(code)
        try:
            self._save()
        except JournalError:
            codes[code] = reason
            return False
        if not codes:
            del self._locks[symbol]
        self._index_locks()
        now = self._clock.now()
        self._bus.publish(SymbolUnlocked(ts_event=now, ts_init=now, symbol=symbol, code=code, reason=reason))
        return True

    def unlock_all(self, code: str) -> None:
        """Take one reason away everywhere (a new session)."""
        for symbol in [s for s, codes in self._locks.items() if code in codes]:
            self.unlock(symbol, code)

    def _index_locks(self) -> None:
        self._first = {s: Lock(*next(iter(codes.items()))) for s, codes in self._locks.items() if codes}

    # --- inside

    def _on_reconciled(self, event: Reconciled) -> None:
        if event.complete:
            self._reconciled_ns = max(self._reconciled_ns, event.ts_event)

    def _tell_mode(self, before: Mode, by: str, reason: str) -> None:
        now = self._clock.now()
        self._bus.publish(ModeChanged(ts_event=now, ts_init=now, before=before, after=self._mode, by=by, reason=reason))

    def _save(self) -> None:
        stored = _Stored(
            mode=self._mode,
            autonomy=self._autonomy,
            halted_ns=self._halted_ns,
            reason=self._reason,
            locks={str(symbol): codes for symbol, codes in self._locks.items() if codes},
        )
        self._store.set(KEY, msgspec.json.encode(stored).decode())

    def _save_or_alarm(self) -> bool:
        try:
            self._save()
        except JournalError as error:
            text = f"The trading mode could not be recorded ({error})."
            self._alarm("G37", "red", text, "It holds until the program ends.", "Free disk space; do not restart yet.")
            return False
        return True
