"""A small world for the gate: every port with a simple fake that a test may bend."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, StepClock
from engine.bus.errors import JournalError
from engine.model.broker import WhatIf
from engine.model.decision import Autonomy, Book, Mode
from engine.model.events.base import Event
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.market import DataType, Quote, Session, SessionState, Side
from engine.model.order import ClearedOrder, OrderRequest, OrderState, OrderStatus, OrderType, Origin
from engine.model.position import Account, Position
from engine.risk.counters import DayCounts
from engine.risk.gate import Gate
from engine.risk.governor import Governor
from engine.risk.latches import Latches
from engine.risk.limits import LimitBook
from engine.risk.losses import LossBook
from engine.risk.modes import ModeKeeper
from engine.risk.pin import Pin
from engine.risk.ports import ShortFacts, Vitals
from engine.risk.sessions import AutoSessions
from engine.risk.settings import RiskSettings

AAPL, MSFT, XOM = Symbol("AAPL"), Symbol("MSFT"), Symbol("XOM")
ACCOUNT = AccountId("DU1234567")
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
OPEN_NS = 1_772_461_800 * SECOND
"""2026-03-02 14:30 UTC: the New York open of a Monday."""
START = OPEN_NS + HOUR


def d(value: object) -> Decimal:
    return Decimal(str(value))


class MemoryStore:
    """Key values that may fail like a full disk."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.broken = False

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def set(self, name: str, value: str) -> None:
        if self.broken:
            raise JournalError("disk full")
        self.values[name] = value

    def delete(self, name: str) -> None:
        if self.broken:
            raise JournalError("disk full")
        self.values.pop(name, None)

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.values))


class MemoryCounters:
    def __init__(self) -> None:
        self.values: dict[tuple[str, str], int] = {}
        self.broken = False

    def get(self, key: str, date: str) -> int:
        return self.values.get((key, date), 0)

    def add(self, key: str, date: str, n: int = 1) -> int:
        if self.broken:
            raise JournalError("disk full")
        self.values[(key, date)] = self.get(key, date) + n
        return self.values[(key, date)]


def session_at(at_ns: int) -> Session:
    """Five sessions a week, 14:30 to 21:00 UTC; the next one when closed."""
    day = (at_ns - OPEN_NS) // DAY
    while True:
        opens = OPEN_NS + day * DAY
        closes = opens + 6 * HOUR + 30 * MINUTE
        if day % 7 < 5 and at_ns < closes:
            break
        day += 1
    following = day + 1
    while following % 7 >= 5:
        following += 1
    state = SessionState.OPEN if opens <= at_ns else SessionState.CLOSED
    next_open = OPEN_NS + following * DAY if state is SessionState.OPEN else opens
    return Session(state=state, date=date_of(opens), open_ns=opens, close_ns=closes, next_open_ns=next_open)


def date_of(ns: int) -> str:
    days = ns // DAY
    # Civil date from days since 1970 (Howard Hinnant's algorithm), so that no wall clock is near.
    z = days + 719_468
    era = z // 146_097
    doe = z - era * 146_097
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    day, month = doy - (153 * mp + 2) // 5 + 1, mp + 3 if mp < 10 else mp - 9
    return f"{yoe + era * 400 + (month <= 2):04d}-{month:02d}-{day:02d}"


class FakeMarket:
    def __init__(self, clock: StepClock) -> None:
        self.clock = clock
        self.instruments: dict[Symbol, Instrument] = {}
        self.quotes: dict[Symbol, Quote] = {}
        self.medians: dict[Symbol, float] = {}
        self.means: dict[Symbol, float] = {}
        self.resumed: dict[Symbol, int] = {}
        self.atrs: dict[Symbol, float] = {}
        self.no_calendar: set[Symbol] = set()
        self.fresh = True
        for symbol, price, sector in ((AAPL, 100.0, "Technology"), (MSFT, 400.0, "Technology"), (XOM, 60.0, "Energy")):
            self.instruments[symbol] = Instrument(symbol=symbol, sector=sector, adv20=10_000_000.0)
            self.set(symbol, price)

    def set(self, symbol: Symbol, price: float, spread: float = 0.02, **changes: Any) -> None:
        fields: dict[str, Any] = {
            "symbol": symbol,
            "bid": round(price - spread / 2, 4),
            "ask": round(price + spread / 2, 4),
            "bid_size": 500.0,
            "ask_size": 500.0,
            "last": price,
            "last_size": 100.0,
            "volume": 1e6,
            "open": price,
            "high": price,
            "low": price,
            "previous_close": price,
            "ts_event": self.clock.now(),
            "ts_seen": self.clock.now(),
            "data_type": DataType.LIVE,
        }
        if "ts_event" in changes or "ts_seen" in changes:
            self.fresh = False
        self.quotes[symbol] = Quote(**{**fields, **changes})

    def quote(self, symbol: Symbol) -> Quote | None:
        quote = self.quotes.get(symbol)
        if quote is None or not self.fresh:
            return quote
        return msgspec.structs.replace(quote, ts_event=self.clock.now(), ts_seen=self.clock.now())

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self.instruments.get(symbol)

    def session(self, symbol: Symbol, at_ns: int) -> Session | None:
        return None if symbol in self.no_calendar else session_at(at_ns)

    def spread_median(self, symbol: Symbol) -> float | None:
        return self.medians.get(symbol)

    def mean_price(self, symbol: Symbol, minutes: float) -> float | None:
        return self.means.get(symbol)

    def resumed_ns(self, symbol: Symbol) -> int:
        return self.resumed.get(symbol, 0)

    def atr(self, symbol: Symbol) -> float | None:
        return self.atrs.get(symbol)


class FakeLedger:
    def __init__(self) -> None:
        self.held: dict[Symbol, Position] = {}
        self.values: Account | None = Account(
            account=ACCOUNT,
            equity=d(1_000_000),
            session_equity=d(1_000_000),
            available_funds=d(1_000_000),
            excess_liquidity=d(1_000_000),
            initial_margin=d(0),
            maintenance_margin=d(0),
            settled_cash=d(1_000_000),
        )

    def positions(self) -> Mapping[Symbol, Position]:
        return self.held

    def account(self) -> Account | None:
        return self.values

    def hold(self, symbol: Symbol, quantity: object, price: object = 100) -> None:
        self.held[symbol] = Position(account=ACCOUNT, symbol=symbol, quantity=d(quantity), average_price=d(price))

    def change(self, **fields: Any) -> None:
        assert self.values is not None
        self.values = msgspec.structs.replace(self.values, **fields)


class FakeDesk:
    """Orders, as the order desk shows them."""

    def __init__(self, clock: StepClock) -> None:
        self.clock = clock
        self.all: dict[OrderRef, OrderStatus] = {}
        self.number = 0
        self.submitted: list[ClearedOrder] = []
        self.cancelled: list[tuple[OrderRef, str]] = []

    def open_orders(self) -> Iterable[OrderStatus]:
        return tuple(status for status in self.all.values() if not status.state.closed)

    def orders(self) -> Mapping[OrderRef, OrderStatus]:
        return self.all

    def order(self, ref: OrderRef) -> OrderStatus | None:
        return self.all.get(ref)

    def reserve_ref(self, origin: Origin, account: AccountId) -> OrderRef:
        self.number += 1
        return OrderRef(f"ma-4567-260302-{self.number:05d}-{origin.value}")

    def submit(self, cleared: ClearedOrder) -> OrderStatus:
        self.submitted.append(cleared)
        for order in (cleared, *cleared.legs):
            self.put(order.request, order.ref, OrderState.WORKING)
        return self.all[cleared.ref]

    def cancel(self, ref: OrderRef, by: str) -> None:
        self.cancelled.append((ref, by))
        self.move(ref, OrderState.CANCELLED)

    def put(
        self, request: OrderRequest, ref: str | None = None, state: OrderState = OrderState.WORKING, **fields: Any
    ) -> OrderRef:
        name = OrderRef(ref) if ref is not None else self.reserve_ref(request.origin, ACCOUNT)
        now = self.clock.now()
        self.all[name] = OrderStatus(
            ref=name, account=ACCOUNT, request=request, state=state, created_ns=now, changed_ns=now, **fields
        )
        return name

    def move(self, ref: OrderRef, state: OrderState, **fields: Any) -> None:
        self.all[ref] = msgspec.structs.replace(self.all[ref], state=state, changed_ns=self.clock.now(), **fields)


class FakeVitals:
    def __init__(self) -> None:
        self.values = Vitals(clock_skew_s=0.0, disk_free_mb=50_000.0)

    def vitals(self) -> Vitals:
        return self.values

    def change(self, **fields: Any) -> None:
        self.values = msgspec.structs.replace(self.values, **fields)


class CountingSalt:
    def __init__(self) -> None:
        self.n = 0

    def token(self, size: int) -> bytes:
        self.n += 1
        return self.n.to_bytes(size, "big")


class FakeWhatIfs:
    def __init__(self) -> None:
        self.answer: WhatIf | None = None

    def latest(self, request: OrderRequest) -> WhatIf | None:
        return self.answer


class FakeShorts:
    def __init__(self) -> None:
        self.answer: ShortFacts | None = None

    def facts(self, symbol: Symbol) -> ShortFacts | None:
        return self.answer


class FakeClusters:
    def __init__(self) -> None:
        self.sets: list[frozenset[Symbol]] = []

    def cluster(self, symbol: Symbol) -> frozenset[Symbol]:
        return next((found for found in self.sets if symbol in found), frozenset((symbol,)))


@dataclass
class World:
    """Everything, wired as ``assemble`` would."""

    settings: RiskSettings = field(default_factory=RiskSettings)
    book: Book = Book.PAPER
    mode: Mode = Mode.AUTO
    store: MemoryStore = field(default_factory=MemoryStore)
    counters: MemoryCounters = field(default_factory=MemoryCounters)
    pins: MemoryStore = field(default_factory=MemoryStore)
    clock: StepClock = field(default_factory=lambda: StepClock(START))
    foreign: tuple[Any, ...] = ()
    rules: Any = None
    lease: bool = False
    brackets_in_one: bool = False
    exits_hold: bool = False

    def __post_init__(self) -> None:
        self.events: list[Event] = []
        self.failures: list[tuple[str, Exception]] = []
        self.bus = Bus(self._on_failure)
        self.market = FakeMarket(self.clock)
        self.ledger = FakeLedger()
        self.desk = FakeDesk(self.clock)
        self.vitals = FakeVitals()
        self.what_ifs = FakeWhatIfs()
        self.shorts = FakeShorts()
        self.clusters = FakeClusters()
        self.no_good_till = ""
        self.intents = 0
        self.disk_hash: str | None = "as it was"
        for kind in _kinds(Event):
            self.bus.subscribe(kind, self.events.append, owner="test")
        self.pin = Pin(self.pins, self.clock, CountingSalt(), required=self.book is Book.LIVE)
        self.latches = Latches(self.store)
        self.latches.load()
        self.losses = LossBook(self.store)
        self.losses.load()
        self.limits = LimitBook(
            self.settings,
            store=self.store,
            clock=self.clock,
            bus=self.bus,
            pin=self.pin,
            session_at=session_at,
            on_disk=lambda: self.disk_hash,
            real_money=self.book is Book.LIVE,
        )
        if self.limits.fault is None:
            self.limits.load()
        self.modes = ModeKeeper(
            bus=self.bus,
            clock=self.clock,
            store=self.store,
            pin=self.pin,
            latches=self.latches,
            settings=self.settings if self.limits.fault is None else RiskSettings(),
            lease=self.lease,
            today=lambda: session_at(self.clock.now()).date,
        )
        self.modes.restore()
        if self.mode is not Mode.MANUAL:
            self.modes._mode = self.mode  # the mode a test begins in, without the ceremony of arming
            self.modes._present_ns = self.modes._lease_until = self.clock.now()
            self.modes._lease_until += 8 * HOUR
        self.gate = self.make_gate()
        self.governor = Governor(
            bus=self.bus,
            clock=self.clock,
            market=self.market,
            ledger=self.ledger,
            orders=self.desk,
            canceller=self.desk,
            vitals=self.vitals,
            modes=self.modes,
            latches=self.latches,
            limits=self.limits,
            losses=self.losses,
            session_at=session_at,
        )

    def make_gate(self) -> Gate:
        return Gate(
            bus=self.bus,
            clock=self.clock,
            market=self.market,
            ledger=self.ledger,
            orders=self.desk,
            counts=DayCounts(self.counters),
            vitals=self.vitals,
            modes=self.modes,
            latches=self.latches,
            limits=self.limits,
            losses=self.losses,
            sessions=AutoSessions(self.store),
            book=self.book,
            build_hash="build",
            rules=self.rules,
            foreign=self.foreign,
            what_ifs=self.what_ifs,
            shorts=self.shorts,
            clusters=self.clusters,
            no_good_till=self.no_good_till,
            brackets_in_one=self.brackets_in_one,
            exits_hold=self.exits_hold,
        )

    def _on_failure(self, owner: str, role: Role, event: Event, error: Exception) -> None:
        self.failures.append((owner, error))

    def restarted(self, **changes: Any) -> "World":
        """The same durable state, everything else new: the program was killed and started again."""
        after = World(
            settings=changes.pop("settings", self.settings),
            book=self.book,
            mode=changes.pop("mode", Mode.MANUAL),
            store=self.store,
            counters=self.counters,
            pins=self.pins,
            clock=self.clock,
            lease=self.lease,
        )
        after.desk.all = dict(self.desk.all)
        after.desk.number = self.desk.number
        after.ledger = self.ledger
        after.gate = after.make_gate()
        after.gate.restore()
        return after

    def request(self, **changes: Any) -> OrderRequest:
        """An order that passes every rule by default: 10 AAPL at the ask, with a stop."""
        self.intents += 1
        fields: dict[str, Any] = {
            "intent_id": IntentId(f"i{self.intents}"),
            "symbol": AAPL,
            "side": Side.BUY,
            "quantity": d(10),
            "order_type": OrderType.LIMIT,
            "limit_price": d("100.00"),
            "stop_loss": d("98.00"),
            "take_profit": d("104.00"),
            "origin": Origin.AUTO,
            "strategy": "momentum",
        }
        fields.update(changes)
        for name in ("quantity", "limit_price", "stop_price", "stop_loss", "take_profit"):
            if isinstance(fields.get(name), int | float) and math.isfinite(fields[name]):
                fields[name] = d(fields[name])
        return OrderRequest(**fields)

    def manual(self, **changes: Any) -> OrderRequest:
        return self.request(**{"origin": Origin.MANUAL, "strategy": "", **changes})

    def close(self, quantity: object, symbol: Symbol = AAPL, **changes: Any) -> OrderRequest:
        fields: dict[str, Any] = {
            "symbol": symbol,
            "side": Side.SELL,
            "quantity": d(quantity),
            "stop_loss": None,
            "take_profit": None,
            "reduce_only": True,
        }
        return self.manual(**{**fields, **changes})

    def codes(self, request: OrderRequest) -> list[str]:
        """Codes of what the gate has against ``request``."""
        return [denial.code for denial in self.gate.check(request).denials]

    def clear(self, request: OrderRequest) -> ClearedOrder | None:
        return self.gate.clear(request)[1]

    def send(self, request: OrderRequest) -> ClearedOrder:
        cleared = self.clear(request)
        assert cleared is not None, self.codes(request)
        self.desk.submit(cleared)
        return cleared

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]


def limits(auto: dict[str, Any] | None = None, manual: dict[str, Any] | None = None, **changes: Any) -> RiskSettings:
    """Default settings with changes."""
    tree = RiskSettings().model_dump()
    tree["auto"].update(auto or {})
    tree["manual"].update(manual or {})
    common = changes.pop("common", {})
    tree["common"].update(common)
    tree.update(changes)
    return RiskSettings.model_validate(tree)


def unchecked(path: str, value: object) -> RiskSettings:
    """Settings whose one limit is ``value`` whatever the bounds say, as if memory or code were broken."""
    settings = RiskSettings()
    *parents, last = path.split(".")
    inner: Any = getattr(settings, parents[0]) if parents else settings
    data = dict(inner.__dict__)
    if value is MISSING:
        del data[last]
    else:
        data[last] = value
    bad = type(inner).model_construct(**data)
    if value is MISSING:
        bad.__dict__.pop(last, None)
    if not parents:
        return bad
    return RiskSettings.model_construct(**{**settings.__dict__, parents[0]: bad})


MISSING = object()


def _kinds(kind: type[Event]) -> list[type[Event]]:
    import engine.model.events.book
    import engine.model.events.decision
    import engine.model.events.market
    import engine.model.events.order
    import engine.model.events.system
    import engine.model.events.thought  # noqa: F401

    found = []
    for sub in kind.__subclasses__():
        found.append(sub)
        found += _kinds(sub)
    return found


__all__ = [
    "AAPL",
    "ACCOUNT",
    "DAY",
    "HOUR",
    "MINUTE",
    "MISSING",
    "MSFT",
    "OPEN_NS",
    "START",
    "XOM",
    "Autonomy",
    "Book",
    "InstrumentKind",
    "Mode",
    "World",
    "d",
    "limits",
    "session_at",
    "unchecked",
]
