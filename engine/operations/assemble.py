"""All watches of an engine, in reading order. Parts arrive as Protocols; the runtime knows who fulfils them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.model.decision import Book
from engine.operations.audit_watch import AuditWatch, Row
from engine.operations.beginning import Beginning
from engine.operations.clock_watch import ClockGauge, ClockWatch
from engine.operations.external import ExternalWatch
from engine.operations.feeds import FeedWatch
from engine.operations.halts import HaltWatch
from engine.operations.identity import IdentityWatch
from engine.operations.lamps import Lamps
from engine.operations.models import ModelWatch
from engine.operations.operations import Operations
from engine.operations.ports import (
    ClockLimits,
    CommitTimes,
    Market,
    Modes,
    Orders,
    RestartWindows,
    StorageLimits,
    Store,
    VitalSigns,
    Watch,
)
from engine.operations.presence import WindowWatch
from engine.operations.restart_window import RestartWatch
from engine.operations.settings import OperationsSettings
from engine.operations.storage_watch import StorageWatch
from engine.operations.tasks import TaskKeeper
from engine.operations.ticks import TickWatch
from engine.operations.unknown import UnknownWatch


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What operations is given by the runtime."""

    bus: Bus
    clock: Clock
    book: Book
    market: Market
    orders: Orders
    modes: Modes
    vitals: VitalSigns
    times: CommitTimes
    """The journal's."""
    store: Store
    gauge: ClockGauge
    """Made before the gate, which reads it through the vitals."""
    storage_limits: Callable[[], StorageLimits]
    clock_limits: Callable[[], ClockLimits]
    audit_rows: Callable[[], Iterator[Row]]
    audit_digest: Callable[[int, int, str, str, str], str]
    audit_anchor: Callable[[], tuple[int, str] | None]
    identity_fault: Callable[[], str]
    """The disagreement of profile, address and account at the broker; empty while there is none."""
    restored: str = ""
    """What happened to a damaged journal."""
    windows: RestartWindows | None = None
    """The gateway's restarts; None where the broker has none."""
    watch_prices: bool = True
    """Off for a replay: what a recording leaves out is no fault of today."""
    settings: OperationsSettings = field(default_factory=OperationsSettings)


@dataclass(frozen=True)
class Assembled:
    """The whole, and the parts that others call."""

    operations: Operations
    tasks: TaskKeeper
    window: WindowWatch
    models: ModelWatch


def assemble_operations(needs: Needs) -> Assembled:
    """Build every watch."""
    bus, clock, modes, settings = needs.bus, needs.clock, needs.modes, needs.settings
    lamps = Lamps(bus, clock)
    tasks = TaskKeeper(bus, clock, modes, lamps, settings)
    window = WindowWatch(clock, modes, lamps, settings)
    models = ModelWatch(bus, needs.store, modes, lamps)
    watches: list[Watch] = [
        Beginning(needs.book, modes, lamps, restored=needs.restored),
        IdentityWatch(needs.identity_fault, modes, lamps),
        ClockWatch(needs.gauge, modes, lamps, settings, needs.clock_limits),
        StorageWatch(needs.vitals, needs.times, modes, lamps, settings, needs.storage_limits),
        UnknownWatch(bus, clock, lamps, settings),
        ExternalWatch(bus, clock, needs.orders, modes, lamps, settings),
        HaltWatch(bus, clock, needs.orders, lamps, settings),
        TickWatch(bus, clock, lamps, settings),
        models,
        window,
        AuditWatch(
            clock,
            modes,
            lamps,
            settings,
            rows=needs.audit_rows,
            digest=needs.audit_digest,
            anchor=needs.audit_anchor,
        ),
    ]
    if needs.watch_prices:
        watches.append(FeedWatch(bus, clock, needs.market, modes, lamps, settings))
    if needs.windows is not None:
        watches.append(RestartWatch(clock, needs.windows, modes, lamps, settings))
    return Assembled(Operations(bus, clock, modes, lamps, tasks, watches), tasks, window, models)
