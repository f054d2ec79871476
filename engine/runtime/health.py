"""Operations, fulfilled: every watch of the engine's own health with the parts it looks at."""

from collections.abc import Callable

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.broker import Broker
from engine.execution.brokers.alpaca.broker import AlpacaBroker
from engine.operations.assemble import Assembled, Needs, assemble_operations
from engine.operations.clock_watch import ClockGauge
from engine.runtime.marketplace import Marketplace
from engine.runtime.spec import EngineSpec
from engine.runtime.storage import Storage
from engine.runtime.trading import Trading
from engine.runtime.vitals import VitalSigns
from engine.security.audit import FileAnchor, digest_of


def assemble_health(
    spec: EngineSpec,
    bus: Bus,
    clock: Clock,
    place: Marketplace,
    broker: Broker,
    trading: Trading,
    storage: Storage,
    vitals: VitalSigns,
    gauge: ClockGauge,
    anchor: FileAnchor,
) -> Assembled:
    """Build the watches. Nothing here raises a mode; it lowers and warns."""
    journal = storage.journal

    def head() -> tuple[int, str] | None:
        found = anchor.read()
        return None if found is None else (found.seq, found.digest)

    return assemble_operations(
        Needs(
            bus=bus,
            clock=clock,
            book=spec.book,
            market=place.cache,
            orders=trading.desk,
            modes=trading.modes,
            vitals=vitals,
            times=journal.times,
            store=journal.kv,
            gauge=gauge,
            storage_limits=lambda: trading.limits.active.common,
            clock_limits=lambda: trading.limits.active.common,
            audit_rows=lambda: iter(journal.audit_rows()),
            audit_digest=digest_of,
            audit_anchor=head,
            identity_fault=identity_fault(place, broker),
            restored="",  # the engine says so itself when it begins
            windows=place.gateway.link.windows if place.gateway is not None else None,
            watch_prices=spec.replay is None,
            settings=spec.operations,
        )
    )


def identity_fault(place: Marketplace, broker: Broker) -> Callable[[], str]:
    """The disagreement of profile, address and account, as the broker tells it; empty where no account is real."""
    if place.gateway is not None:
        link = place.gateway.link
        return lambda: link.identity_fault
    if isinstance(broker, AlpacaBroker):
        alpaca = broker
        return lambda: alpaca.identity_fault
    return lambda: ""
