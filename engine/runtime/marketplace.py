"""The market half: clock, instruments, calendars, bars, cache, and the provider of the run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock, LiveClock, ReplayClock
from engine.bus.errors import SettingsError
from engine.collection.collector import Collector
from engine.collection.provider import Emit, Provider
from engine.collection.providers.files import FilesProvider
from engine.collection.providers.simulated import SimulatedProvider
from engine.features.engine import FeatureEngine
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.market.calendars import Calendars
from engine.market.corporate_actions import CorporateActions, LockHook, SplitHook
from engine.market.instruments import Instruments
from engine.model.ids import Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.money import exact
from engine.runtime.alpaca import alpaca_data
from engine.runtime.gateway import Gateway, open_gateway
from engine.runtime.late import late
from engine.runtime.rebasing import know_splits
from engine.runtime.recording import Recording
from engine.runtime.spec import EngineSpec
from engine.runtime.volume import VolumeKeeper
from engine.simulation.market.instruments import SimInstrument, default_universe, instruments_for
from engine.simulation.market.market import SimulatedMarket
from engine.simulation.market.sessions import SessionDay
from engine.simulation.market.world import World

MAIN_CALENDAR = "XNYS"
NEW_YORK = ZoneInfo("America/New_York")
DAYS_AHEAD = 260
DAY_S = 86_400
SEED_BARS = {86_400: 320, 300: 560, 60: 400}


@dataclass
class Marketplace:
    """The parts that know prices."""

    clock: Clock
    calendars: Calendars
    bars: BarStore
    cache: MarketCache
    collector: Collector
    provider: SimulatedProvider | FilesProvider | None
    """The one that drives market time; None for a live market."""
    simulation: SimulatedMarket | None
    gateway: Gateway | None = None

    def next_wake(self) -> int | None:
        """When the market next has something to say; None when it does not know."""
        return self.provider.next_wake() if self.provider is not None else None


def ns_of(local: str) -> int:
    """UTC ns of a New York time such as ``2026-01-05T09:30``."""
    try:
        moment = datetime.fromisoformat(local).replace(tzinfo=NEW_YORK)
    except ValueError as error:
        raise SettingsError(f"start: {local!r} is not a date and time such as 2026-01-05T09:30") from error
    return round(moment.astimezone(UTC).timestamp()) * SECOND


def make_clock(spec: EngineSpec, resume_ns: int, recording: Recording | None) -> Clock:
    """A live clock, or market time that begins where the run begins or where the last one ended."""
    if recording is not None:
        return ReplayClock(recording.start_ns, spec.speed)
    if spec.demo is not None:
        return ReplayClock(max(ns_of(spec.demo.start), resume_ns), spec.speed)
    return LiveClock()


def simulated_universe(spec: EngineSpec) -> tuple[SimInstrument, ...]:
    """Instruments of the simulated market: those asked for, or its own hundred."""
    if spec.universe:
        return instruments_for(tuple(i.symbol for i in spec.universe))
    return default_universe(spec.demo.symbols if spec.demo is not None else None)


def instrument_of(simulated: SimInstrument) -> Instrument:
    """A simulated instrument as the engine sees it."""
    return Instrument(
        symbol=Symbol(simulated.symbol),
        name=simulated.name,
        kind=InstrumentKind.STOCK,
        calendar=MAIN_CALENDAR,
        tick=exact(simulated.tick),
        sector=simulated.sector,
        adv20=simulated.adv,
    )


def sessions_from(calendars: Calendars, start_ns: int, count: int) -> tuple[SessionDay, ...]:
    """The next ``count`` sessions of the main calendar."""
    days: list[SessionDay] = []
    at = start_ns
    while len(days) < count:
        session = calendars.session(MAIN_CALENDAR, at)
        if session is None:
            raise SettingsError(f"the calendar {MAIN_CALENDAR} has no session after {at}")
        day = datetime.fromisoformat(session.date).date()
        if not days or days[-1].date != day:
            days.append(SessionDay(len(days), day, session.open_ns, session.close_ns))
        at = max(session.next_open_ns, session.open_ns) + SECOND
    return tuple(days)


def assemble_marketplace(
    spec: EngineSpec,
    bus: Bus,
    clock: Clock,
    instruments: Instruments,
    calendars: Calendars,
    recording: Recording | None,
    held: Callable[[Symbol], float],
    on_rebased: LockHook,
    on_split: SplitHook,
) -> Marketplace:
    """Build the market half of a run. ``held`` is the signed position, for the path inside a played bar."""
    bars = BarStore(bus, clock, spec.market, instruments, calendars)
    VolumeKeeper(bus, bars, instruments, live=recording is None and spec.demo is None)
    actions = CorporateActions(spec.market.jump_up, spec.market.jump_down, on_rebased, on_split)
    if recording is None:
        # What was imported of the past is on the new terms already: a replay looks at the prices alone.
        know_splits(actions, spec.profile, instruments, calendars)
    cache = MarketCache(bus, clock, spec.market, instruments, calendars, bars, actions)
    simulation: SimulatedMarket | None = None
    made: list[SimulatedProvider | FilesProvider] = []
    factories: list[Callable[[Emit], Provider]] = []
    gateway: Gateway | None = None
    later = late("collector")
    if spec.broker == "ibkr":
        gateway = open_gateway(spec, clock, cache)
        factories.append(gateway.factory(spec, clock, lambda reason: later.degraded("ibkr", reason)))
    if spec.broker == "alpaca":
        factories.append(
            alpaca_data(
                spec,
                clock,
                cache,
                lost=lambda reason: later.lost("alpaca", reason),
                degraded=lambda reason: later.degraded("alpaca", reason),
            )
        )
    if recording is not None:
        played = recording

        def play(emit: Emit) -> FilesProvider:
            provider = FilesProvider(emit, clock, spec.files, played.archive, held, end_ns=played.end_ns)
            made.append(provider)
            return provider

        factories.append(play)
    if spec.demo is not None:
        demo = spec.demo
        days = sessions_from(calendars, ns_of(demo.start) - 12 * 3600 * SECOND, DAYS_AHEAD)
        simulated = simulated_universe(spec)
        simulation = SimulatedMarket(World(name=demo.world, seed=demo.seed), simulated, days)
        market = simulation

        def make(emit: Emit) -> SimulatedProvider:
            provider = SimulatedProvider(emit, clock, spec.simulated, market, first_day=0)
            made.append(provider)
            return provider

        factories.append(make)
    rng = np.random.Generator(np.random.PCG64(spec.seed))
    collector = Collector(bus, clock, spec.collection, cache.accept, factories, rng)
    later.fill(collector)
    return Marketplace(
        gateway=gateway,
        clock=clock,
        calendars=calendars,
        bars=bars,
        cache=cache,
        collector=collector,
        provider=made[0] if made else None,
        simulation=simulation,
    )


def warm(place: Marketplace) -> None:
    """Make what compiles on first use compile now: an order book opened later must not hold the loop."""
    if place.simulation is not None and place.provider is not None:
        symbol = place.simulation.symbols[0]
        book = place.simulation.book(symbol, 0)
        book.advance(place.simulation.session(0).open_ns + SECOND)
        book.depth(1)


def seed_history(place: Marketplace, features: FeatureEngine, intervals: tuple[int, ...]) -> int:
    """Load history of every symbol into bars and features; return how many bars."""
    if place.provider is None:
        return 0
    now, loaded = place.clock.now(), 0
    for seconds, count in SEED_BARS.items():
        history: dict[Symbol, dict[str, NDArray[np.float64]]] = {}
        for symbol in place.cache.symbols():
            columns = place.provider.bars(symbol, seconds, count, now)
            if columns is None or len(columns["ts_open"]) == 0:
                continue
            loaded += place.bars.seed(symbol, seconds, columns)
            ends = columns.get("ts_close", np.asarray(columns["ts_open"], np.int64) + seconds * SECOND)
            history[symbol] = {"ts_event": np.asarray(ends), **{n: np.asarray(columns[n], np.float64) for n in NAMES}}
            if seconds == max(SEED_BARS):
                place.cache.seed_close(symbol, float(np.asarray(columns["close"])[-1]))
        if seconds in intervals:
            features.seed(seconds, history)
            features.compute(seconds)
    return loaded


NAMES = ("open", "high", "low", "close", "volume")
