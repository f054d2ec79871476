"""An order desk with everything around it that is small and real: journal, ledger, a clock by hand, a fake broker."""

import shutil
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock, StepClock, Timer
from engine.bus.errors import JournalError
from engine.execution.desk import OrderDesk
from engine.execution.refs import References
from engine.execution.settings import ExecutionSettings
from engine.execution.stop import Stop
from engine.memory.database import JOURNAL_APPLICATION_ID, open_database
from engine.memory.journal import Journal
from engine.memory.migrations.first import JOURNAL_MIGRATIONS
from engine.memory.settings import Durability
from engine.model.decision import Denial, Mode, Verdict
from engine.model.events.base import Event
from engine.model.events.book import (
    AccountChanged,
    DriftFound,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    Reconciled,
)
from engine.model.events.decision import TradingHalted, TradingResumed
from engine.model.events.order import OrderEvent
from engine.model.events.system import Alarm
from engine.model.ids import DecisionId, IntentId, OrderRef, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session, SessionState, Side
from engine.model.order import ClearedOrder, OrderRequest, OrderType, Origin
from engine.portfolio.ledger import Ledger
from tests.support.fake_broker import ACCOUNT, FakeBroker
from tests.support.memory_journal import Disk, MemoryJournal

START = 1_767_366_000 * SECOND  # 2026-01-02 15:00 UTC, a Friday in session
DAY = 86_400 * SECOND
SYMBOLS = ("AAPL", "MSFT", "NVDA")


class FakeMarket:
    """Fresh two-sided quotes, one session a day."""

    def __init__(self, clock: StepClock) -> None:
        self.clock = clock
        self.prices = dict.fromkeys(SYMBOLS, 100.0)
        self.closes: dict[str, float] = {}
        """Closes of the session before, where they are known."""
        self.stale: set[str] = set()
        self.halted: set[str] = set()
        self.closed = False

    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(Symbol(s) for s in self.prices)

    def quote(self, symbol: Symbol) -> Quote | None:
        price = self.prices.get(symbol)
        if price is None:
            return None
        ts = self.clock.now() - (60 * SECOND if symbol in self.stale else 0)
        nan = float("nan")
        return Quote(
            symbol=symbol,
            bid=price - 0.01,
            ask=price + 0.01,
            bid_size=100,
            ask_size=100,
            last=price,
            last_size=1,
            volume=1,
            open=nan,
            high=nan,
            low=nan,
            previous_close=self.closes.get(symbol, nan),
            ts_event=ts,
            ts_seen=ts,
            halted=symbol in self.halted,
        )

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return Instrument(symbol=symbol) if symbol in self.prices else None

    def session(self, symbol: Symbol, at_ns: int) -> Session | None:
        day = at_ns // DAY
        return Session(
            state=SessionState.CLOSED if self.closed else SessionState.OPEN,
            date=f"day-{day:06d}",
            open_ns=day * DAY,
            close_ns=(day + 1) * DAY,
            next_open_ns=(day + 1) * DAY,
        )


class Life:
    """The clock of one life of the program: with its end, everything it was waiting for is forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.alive = True
        self.now, self.monotonic, self.sleep = clock.now, clock.monotonic, clock.sleep

    def call_at(self, when: int, callback: Callable[[], None]) -> Timer:
        return self._clock.call_at(when, lambda: self._run(callback))

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return self._clock.call_later(delay_s, lambda: self._run(callback))

    def _run(self, callback: Callable[[], None]) -> None:
        if self.alive:
            callback()


class FakeModes:
    """The lattice and the locks, without a person."""

    def __init__(self, bus: Bus, clock: StepClock, mode: Mode = Mode.AUTO) -> None:
        self.bus, self.clock = bus, clock
        self.mode = mode
        self.lowered: list[tuple[Mode, str]] = []
        self.locks: dict[tuple[str, str], str] = {}
        self.broken = False

    def lower(self, mode: Mode, by: str, reason: str) -> bool:
        self.lowered.append((mode, reason))
        if mode.level < self.mode.level:
            self.mode = mode
            return True
        return False

    def halt(self, by: str, reason: str, flatten: bool = False) -> None:
        self.lower(Mode.HALTED, by, reason)
        if self.broken:
            raise OSError("the disk is gone")
        now = self.clock.now()
        self.bus.publish(TradingHalted(ts_event=now, ts_init=now, by=by, reason=reason, flatten=flatten))

    def resume(self) -> None:
        self.mode = Mode.MANUAL
        now = self.clock.now()
        self.bus.publish(TradingResumed(ts_event=now, ts_init=now, by="person", reason="looked"))

    def lock(self, symbol: Symbol, code: str, reason: str) -> bool:
        self.locks[symbol, code] = reason
        return True

    def unlock(self, symbol: Symbol, code: str) -> bool:
        return self.locks.pop((symbol, code), None) is not None

    def locked(self, symbol: str) -> bool:
        return any(key[0] == symbol for key in self.locks)


class FakeGate:
    """Clears what it is asked, counts reservations; a closing order never crosses zero."""

    def __init__(self, rig: "Rig") -> None:
        self.rig = rig
        self.reserved: dict[OrderRef, Decimal] = {}
        self.deny = ""

    def clear(self, request: OrderRequest) -> tuple[Verdict, ClearedOrder | None]:
        verdict = Verdict(request=request)
        if self.deny:
            return Verdict(request=request, denials=(Denial(code=self.deny, text="denied by the test"),)), None
        try:
            cleared = self.rig.cleared(request)
        except JournalError as error:  # as the gate does: what cannot be recorded is denied
            return Verdict(request=request, denials=(Denial(code="JOURNAL", text=str(error)),)), None
        self.reserved[cleared.ref] = request.quantity
        return verdict, cleared

    def clear_again(self, cleared: ClearedOrder, request: OrderRequest) -> tuple[Verdict, ClearedOrder | None]:
        if self.deny:
            return Verdict(request=request, denials=(Denial(code=self.deny, text="denied by the test"),)), None
        return Verdict(request=request), msgspec.structs.replace(cleared, request=request)

    def clear_change(self, ref: OrderRef, changed: OrderRequest, refresh: bool = False) -> Verdict:
        if self.deny:
            return Verdict(request=changed, denials=(Denial(code=self.deny, text="denied by the test"),))
        return Verdict(request=changed)

    def release(self, ref: OrderRef) -> None:
        status = self.rig.desk.orders().get(ref)
        if status is None or status.state.closed:
            self.reserved.pop(ref, None)


class Rig:
    """Build it, ``await rig.start()``, drive it. ``restart`` throws the program away and keeps disk and broker."""

    def __init__(
        self,
        folder: Path,
        *,
        broker: FakeBroker | None = None,
        clock: StepClock | None = None,
        durability: Durability = Durability.NORMAL,
        mode: Mode = Mode.AUTO,
        settings: ExecutionSettings | None = None,
        broker_path: Path | None = None,
        disk: Disk | None = None,
    ) -> None:
        """With ``disk`` the journal is kept there, else in a database in ``folder``."""
        self.folder = folder
        self.disk = disk
        self.clock = clock or StepClock(START)
        self.broker = broker or FakeBroker(self.clock, broker_path)
        self.settings = settings or ExecutionSettings()
        self.durability = durability
        self.events: list[Event] = []
        self.failures: list[Exception] = []
        self._build(mode)

    def _build(self, mode: Mode) -> None:
        self.bus = Bus(self._failed)
        self.life = Life(self.clock)
        self.market = FakeMarket(self.clock)
        self.modes = FakeModes(self.bus, self.clock, mode)
        self.gate = FakeGate(self)
        self.journal = self._open_journal()
        self.ledger = Ledger(
            self.bus, self.life, account=ACCOUNT, journal=self.journal, store=self.journal.kv, market=self.market
        )
        self.references = References("MA", self.journal.counters)
        self.desk = OrderDesk(
            self.bus,
            self.life,
            broker=self.broker,
            journal=self.journal,
            references=self.references,
            booking=self.ledger,
            modes=self.modes,
            gate=self.gate,
            market=self.market,
            settings=self.settings,
        )
        self.stop_switch = Stop(
            self.bus,
            self.life,
            desk=self.desk,
            booking=self.ledger,
            modes=self.modes,
            gate=self.gate,
            market=self.market,
            settings=self.settings,
        )
        for kind in (
            *_subclasses(OrderEvent),
            Alarm,
            Reconciled,
            DriftFound,
            PositionOpened,
            PositionChanged,
            PositionClosed,
            AccountChanged,
        ):
            self.bus.subscribe(kind, self.events.append, owner="test")
        self.broker.before_place = self._check_marks

    def _open_journal(self) -> Any:
        if self.disk is not None:
            return MemoryJournal(self.disk, self.life)
        database = open_database(
            self.folder / "journal.db",
            application_id=JOURNAL_APPLICATION_ID,
            migrations=JOURNAL_MIGRATIONS,
            now_ns=self.clock.now(),
            durability=self.durability,
        )
        return Journal(database, self.life)

    def break_disk(self, broken: bool = True) -> None:
        """From now on nothing can be written, or it can again."""
        if self.disk is not None:
            self.disk.broken = broken
        else:
            self.journal.database.connection.execute(f"PRAGMA query_only = {'ON' if broken else 'OFF'}")

    def _failed(self, owner: str, role: Role, event: Event, error: Exception) -> None:
        self.failures.append(error)

    def _check_marks(self, order: ClearedOrder) -> None:
        """T-X3: nothing may reach the wire without a committed SENDING row; a second connection must see it."""
        refs = (order.ref, *(leg.ref for leg in order.legs))
        if self.disk is not None:
            marks = [self.disk.marked[ref] for ref in refs]
        else:
            reader = sqlite3.connect(f"file:{self.folder / 'journal.db'}?mode=ro", uri=True)
            count = "SELECT count(*) FROM order_log WHERE ref = ? AND kind = 'SENDING'"
            try:
                marks = [reader.execute(count, (ref,)).fetchone()[0] for ref in refs]
            finally:
                reader.close()
        assert marks == [1] * len(refs), f"{refs} reached the wire without a committed SENDING row each"

    async def start(self) -> "Rig":
        await self.ledger.start()
        await self.desk.start()
        return self

    async def restart(self, mode: Mode = Mode.MANUAL, crash: bool = True) -> "Rig":
        """End the program without a goodbye (or with one), begin again on the same disk and broker."""
        await self.desk.stop()
        self.life.alive = False
        if crash:
            self.die()
        else:
            self.journal.close()
        self.broker._sink = None
        self._build(mode)
        return await self.start()

    def die(self) -> None:
        """The program is gone: nothing of it acts, waits or writes any more."""
        self.life.alive = False
        self.broker._sink = None
        if self.disk is None:
            self.journal.database.close()
        else:
            self.journal.disk = self.disk.copy()
        round_under_way = self.desk._agreement._rounds._task
        if round_under_way is not None:
            round_under_way.add_done_callback(lambda task: task.cancelled() or task.exception())
            round_under_way.cancel()

    def back_up(self) -> None:
        """Keep a copy of the journal."""
        if self.disk is not None:
            self._backup = self.disk.copy()
            return
        self.journal.flush()
        copy = sqlite3.connect(self.folder / "backup.db")
        self.journal.database.connection.backup(copy)
        copy.close()

    def bring_back(self) -> None:
        """Put the copy in the journal's place; the program must be dead."""
        if self.disk is not None:
            self.disk = self._backup.copy()
            return
        for end in ("-wal", "-shm"):
            (self.folder / f"journal.db{end}").unlink(missing_ok=True)
        shutil.copy(self.folder / "backup.db", self.folder / "journal.db")

    async def close(self) -> None:
        await self.desk.stop()
        self.journal.close()
        assert not self.failures, self.failures

    def request(
        self,
        symbol: str = "AAPL",
        side: Side = Side.BUY,
        quantity: int = 100,
        price: str | None = "100.00",
        origin: Origin = Origin.MANUAL,
        **fields: object,
    ) -> OrderRequest:
        return OrderRequest(
            intent_id=IntentId("i"),
            symbol=Symbol(symbol),
            side=side,
            quantity=Decimal(quantity),
            limit_price=None if price is None else Decimal(price),
            origin=origin,
            **fields,
        )

    def cleared(self, request: OrderRequest | None = None, bracket: bool = False) -> ClearedOrder:
        request = request or self.request()
        ref = self.desk.reserve_ref(request.origin, ACCOUNT)
        legs: tuple[ClearedOrder, ...] = ()
        if bracket:
            legs = tuple(
                self._cleared(
                    self.request(
                        request.symbol,
                        request.side.opposite,
                        int(request.quantity),
                        price,
                        Origin.PROTECTIVE,
                        order_type=kind,
                        stop_price=stop,
                    ),
                    self.desk.reserve_ref(Origin.PROTECTIVE, ACCOUNT),
                )
                for kind, price, stop in (
                    (OrderType.STOP, None, Decimal("95.00")),
                    (OrderType.LIMIT, "110.00", None),
                )
            )
        return self._cleared(request, ref, legs)

    def _cleared(self, request: OrderRequest, ref: OrderRef, legs: tuple[ClearedOrder, ...] = ()) -> ClearedOrder:
        return ClearedOrder(
            ref=ref,
            account=ACCOUNT,
            request=request,
            decision_id=DecisionId("d"),
            limits_hash="l",
            build_hash="b",
            cleared_ns=self.clock.now(),
            reference_price=Decimal(100),
            legs=legs,
        )

    def submit(self, request: OrderRequest | None = None, bracket: bool = False) -> OrderRef:
        return self.desk.submit(self.cleared(request, bracket)).ref

    def state(self, ref: str) -> str:
        return self.desk.orders()[OrderRef(ref)].state.value

    def kinds(self, since: int = 0) -> list[str]:
        quiet = ("Alarm", "Reconciled", "AccountChanged")
        return [type(e).__name__ for e in self.events[since:] if type(e).__name__ not in quiet]

    def until(self, holds: Callable[[], bool], seconds: float = 120, step: float = 0.5) -> None:
        """Let time pass until something holds."""
        waited = 0.0
        while not holds():
            assert waited < seconds, "it did not come to hold in time"
            self.clock.advance(step)
            waited += step


def _subclasses(kind: type) -> list[type]:
    return [sub for direct in kind.__subclasses__() for sub in (direct, *_subclasses(direct))]
