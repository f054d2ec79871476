"""The engine: made from a spec, started in order, run, stopped in order. The same coroutine in every process."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import IO

import msgspec
import structlog

from engine.api.commands import Receipt
from engine.api.starting import StartStep
from engine.bus.bell import Bell
from engine.bus.bus import Bus
from engine.bus.clock import LiveClock, ReplayClock
from engine.execution.broker import Broker
from engine.market.calendars import Calendars
from engine.market.instruments import Authority, Instruments
from engine.memory.files import atomic_write
from engine.memory.recorder import Recorder
from engine.model.decision import Autonomy, Book, Mode
from engine.model.events.book import Reconciled
from engine.model.events.system import LagExceeded, RunSummary
from engine.model.ids import Symbol
from engine.model.market import Session
from engine.model.report import BrokerSnapshot
from engine.model.suggestion import SuggestionState
from engine.operations.assemble import Assembled
from engine.operations.clock_watch import ClockGauge
from engine.operations.lamps import Lamps
from engine.operations.permissions import require_private
from engine.runtime.clusters import ClusterBook
from engine.runtime.ending import UncleanStop, stop_all
from engine.runtime.first_look import FirstLook
from engine.runtime.handler import CommandHandler
from engine.runtime.health import assemble_health
from engine.runtime.housekeeping import CLOCK_KEY, Housekeeping
from engine.runtime.lag import LagMeter
from engine.runtime.last_look import agreed, last_look
from engine.runtime.late import late
from engine.runtime.ledger_of_run import RunLedger
from engine.runtime.live_history import LiveHistory
from engine.runtime.market_time import MarketTime
from engine.runtime.marketplace import (
    MAIN_CALENDAR,
    Marketplace,
    assemble_marketplace,
    instrument_of,
    make_clock,
    seed_history,
    simulated_universe,
    warm,
)
from engine.runtime.queries import Queries
from engine.runtime.rebasing import Rebasing
from engine.runtime.record_check import check_records
from engine.runtime.recording import open_recording
from engine.runtime.server import Server
from engine.runtime.showing import Showing, assemble_showing, show_recovered
from engine.runtime.spec import EngineSpec
from engine.runtime.status import Status
from engine.runtime.stopping import StopSwitch
from engine.runtime.storage import AUDIT_ANCHOR, Storage, last_market_time, open_storage
from engine.runtime.summing import sum_up
from engine.runtime.supervisor import Supervisor
from engine.runtime.thought import Thought, assemble_thought, strategy_shelf
from engine.runtime.told_hours import hours_at
from engine.runtime.trading import Trading, assemble_trading
from engine.runtime.venue import make_broker
from engine.runtime.vitals import VitalSigns
from engine.security.audit import AuditChain, FileAnchor
from engine.simulation.paper.exchange import PaperExchange
from engine.suggestion.board import Board

RECONCILE_WAIT_S = 15.0
DAILY = 86_400
_log = structlog.get_logger("engine")


@dataclass(frozen=True)
class Parts:
    """Everything an engine is made of."""

    bus: Bus
    place: Marketplace
    storage: Storage
    broker: Broker
    board: Board
    trading: Trading
    thought: Thought
    showing: Showing
    stop: StopSwitch
    status: Status
    handler: CommandHandler
    lag: LagMeter
    ledger_of_run: RunLedger
    audit: AuditChain
    recorder: Recorder
    clusters: ClusterBook
    operations: Assembled
    housekeeping: Housekeeping


class Engine:
    """One engine of one profile. ``await engine.run()`` until it is asked to stop or its time is up."""

    def __init__(
        self, spec: EngineSpec, jsonl: IO[str] | None = None, tell: Callable[[StartStep], None] | None = None
    ) -> None:
        """Build every part; nothing runs yet. Raises ``SettingsError`` or ``IntegrityError`` with a plain sentence.

        ``tell`` hears what :meth:`start` is about to do.
        """
        self.spec = spec
        self._tell = tell or (lambda step: None)
        self._jsonl = jsonl
        self._stop_asked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._started_wall = 0
        self._wall = LiveClock()
        self.parts = self._assemble()
        self._market_time = MarketTime(self.parts.place, spec.replay is not None, self._stop_asked)
        self._server: Server | None = None
        self._first_look: FirstLook | None = None

    # -- assembly --------------------------------------------------------------------------------------------------

    def _assemble(self) -> Parts:
        spec = self.spec
        resume_ns = last_market_time(spec.profile, CLOCK_KEY) if spec.demo is not None else 0
        recording = open_recording(spec.profile, spec.replay) if spec.replay is not None else None
        main_calendar = recording.calendar if recording is not None else MAIN_CALENDAR
        clock = make_clock(spec, resume_ns, recording)
        self.clock = clock
        self.supervisor = Supervisor(clock, spec.profile)
        bus = Bus(self.supervisor.on_failure)
        run = RunLedger(bus, self._jsonl, self.ask_to_stop)
        require_private(spec.profile)
        storage = open_storage(spec, clock, self._wall.now())
        calendars = Calendars(spec.profile / "calendars")
        universe = spec.universe
        if spec.demo is not None:
            universe = tuple(instrument_of(i) for i in simulated_universe(spec))
        if recording is not None:
            universe = recording.instruments
        ledger_later = late("ledger")

        def held(symbol: Symbol) -> float:
            position = ledger_later.positions().get(symbol)
            return float(position.quantity) if position is not None else 0.0

        # What the settings of a live market name are symbols; what they are, the broker says.
        instruments = Instruments(universe, Authority.GUESS if spec.broker != "paper" else Authority.SETTINGS)
        self._instruments = instruments
        modes_later, desk_later = late("modes"), late("order desk")
        rebasing = Rebasing(bus, clock, modes_later, desk_later, instruments, calendars)
        hooks = (rebasing.lock, rebasing.split)
        place = assemble_marketplace(spec, bus, clock, instruments, calendars, recording, held, *hooks)

        def session_at(at_ns: int) -> Session | None:
            return calendars.session(main_calendar, at_ns)

        self._session_at = session_at
        for name in sorted({main_calendar, *(instrument.calendar for instrument in universe)}):
            # The first look-up of a calendar is slow; it must not happen while orders wait.
            calendars.session(name, clock.now())
        broker = make_broker(spec, bus, place, desk_later)
        board = Board(bus, clock, storage.journal.kv)
        lag = LagMeter(self._on_lag)

        def skew_s() -> float | None:
            return 0.0 if place.gateway is None else place.gateway.link.skew_s

        # A demo's market time is its own even at speed 1: only a market that runs by the wall is compared with it.
        by_the_wall = not isinstance(clock, ReplayClock)
        gauge = ClockGauge(self._wall, lambda: by_the_wall, skew_s, spec.operations.clock_step_s)
        vitals = VitalSigns(spec.profile, clock, storage.journal, lag, self._real_time, gauge)
        clusters = ClusterBook(bus, place.bars)
        trading = assemble_trading(
            spec, bus, clock, storage, place.cache, broker, vitals, session_at, clusters, place.bars
        )
        storage.journal.slow_ms = lambda: trading.limits.active.common.commit_slow_ms
        ledger_later.fill(trading.ledger)
        rebasing.connect(trading.ledger, broker if isinstance(broker, PaperExchange) else None)
        desk_later.fill(trading.desk)
        modes_later.fill(trading.modes)
        shelf = strategy_shelf(spec.strategies, spec.profile)
        thought = assemble_thought(bus, clock, place.cache, place.bars, board, trading, storage.journal.kv, shelf)
        status = Status(spec, clock, trading, broker, lag, session_at)
        showing = assemble_showing(bus, clock, place.cache, place.bars, trading, board, status.row)
        status.connect(showing.quotes, showing.tables)
        stop = StopSwitch(spec, bus, clock, trading, place.cache)
        handler = CommandHandler(
            clock,
            trading,
            showing,
            board,
            place.bars,
            Queries(place.bars, showing.outbox.bars, thought.features, place.cache.symbols, broker, trading.algos),
            thought.strategies,
            stop,
            status.answer,
            watch=self._watch,
            shutdown=self._shutdown,
            reconcile=self._reconcile,
            proposals=thought.proposals,
            programs_trade=spec.programs_trade,
            native_algos=tuple(algo.name for algo in broker.capabilities.native_algos),
        )
        anchor = FileAnchor(spec.home / AUDIT_ANCHOR, atomic_write)
        health = assemble_health(spec, bus, clock, place, broker, trading, storage, vitals, gauge, anchor)
        self.supervisor.connect(bus, trading.modes, self._stop_from_flag)
        bus.subscribe(Reconciled, self._on_reconciled, owner="engine")
        if isinstance(clock, ReplayClock):
            clock.on_error = health.tasks.on_timer_error
        recorder = Recorder(bus, clock, storage.seen)
        return Parts(
            bus=bus,
            place=place,
            storage=storage,
            broker=broker,
            board=board,
            trading=trading,
            thought=thought,
            showing=showing,
            stop=stop,
            status=status,
            handler=handler,
            lag=lag,
            ledger_of_run=run,
            audit=AuditChain(bus, clock, storage.journal, anchor),
            operations=health,
            recorder=recorder,
            housekeeping=Housekeeping(
                clock,
                place.collector,
                storage,
                trading.desk,
                recorder,
                showing.tables["sources"],
                session_at,
                spec.memory.news_retention_days,
            ),
            clusters=clusters,
        )

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every part: recovery first, the market last. There is no other way to start."""
        parts, trading = self.parts, self.parts.trading
        self._started_wall = self._wall.monotonic()
        self._tell(StartStep.HISTORY)
        seeded = seed_history(parts.place, parts.thought.features, parts.thought.features.intervals)
        warm(parts.place)
        parts.thought.features.warm()
        parts.thought.scorer.warm()
        parts.clusters.compute(tuple(parts.place.cache.symbols()))
        _log.info("history is loaded", bars=seeded, symbols=len(parts.place.cache.symbols()))
        self._tell(StartStep.BOOKS)
        await parts.recorder.start()
        await trading.modes.start()
        await check_records(parts.storage.database, parts.audit, Bell(parts.bus, self.clock), trading.modes)
        await trading.ledger.start()
        trading.what_ifs.start()
        await trading.refresher.start()
        await trading.desk.start()
        await trading.guard.start()
        await trading.aside.start()
        await parts.board.start()
        trading.gate.restore()
        await trading.algos.start()
        await trading.governor.start()
        await trading.approval.start()
        parts.board.restore(
            (s, trading.approval.state(s.id) or SuggestionState.PENDING) for s in trading.approval.open()
        )
        show_recovered(parts.showing, trading, parts.board)
        await parts.place.bars.start()
        await parts.place.cache.start()
        await parts.thought.features.start()
        await parts.thought.scorer.start()
        parts.thought.strategies.start()
        await parts.thought.strategist.start()
        await parts.broker.start()
        parts.place.collector.watch(tuple(parts.place.cache.symbols()))
        if parts.place.gateway is not None:
            parts.place.gateway.broker.prepare(tuple(parts.place.cache.symbols()))
        await parts.place.collector.start()
        await parts.operations.operations.start()
        tasks = parts.operations.tasks
        tasks.own("lag meter", parts.lag.measure)
        tasks.own("halt flag", self.supervisor.watch_flag, Mode.HALTED)
        for task in parts.place.collector.tasks:
            tasks.watch(task)

    async def listen(self) -> None:
        """Open the door."""
        parts = self.parts
        self._server = Server(
            self.spec.profile, self.spec.build, parts.showing.outbox, parts.handler.handle, parts.operations.window
        )
        await self._server.start()
        parts.status.open(self._server.clients)
        parts.operations.tasks.own("housekeeping", parts.housekeeping.run)
        place = self.parts.place
        if self.spec.broker != "paper":
            features, desk = parts.thought.features, parts.trading.desk
            first_look = FirstLook(self.clock, place.cache, place.bars, features, lambda: desk.synced)
            self._first_look = first_look
            history = LiveHistory(
                self.spec.broker,
                place.gateway.describe if place.gateway is not None else None,
                self.clock,
                place.collector,
                place.cache,
                place.bars,
                self._instruments,
                place.calendars,
                features,
                first_look,
                Lamps(parts.bus, self.clock),
            )
            self._own(history.fetch(), "history")
            self._own(history.keep(), "missing bars")
            if place.gateway is not None:
                hours = hours_at(self.clock, place.gateway, place.cache, history)
                parts.operations.tasks.own("hours", hours.run)

    def _own(self, work: Coroutine[object, object, None], name: str) -> None:
        """Run a task that belongs to the engine; one that fails is reported like any other component."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._task_ended)
        self._tasks.append(task)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            self.supervisor.on_task_failed(task.get_name(), error)

    async def run(self, for_seconds: float | None = None) -> None:
        """Run until asked to stop, or for ``for_seconds`` of market time."""
        if self._first_look is not None:
            # Not before: what a run that is to trade alone (--auto) finds at once must find it armed.
            self._own(self._first_look.run(), "first look")
        if isinstance(self.clock, ReplayClock):
            await self._market_time.run(self.clock, for_seconds)
        elif for_seconds is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(for_seconds):
                    await self._stop_asked.wait()
        else:
            await self._stop_asked.wait()

    async def stop(self) -> RunSummary:
        """Stop every part in the reverse order and say what the run did.

        Raises :class:`UncleanStop` with the summary when a part failed in it; all the others were stopped all the same.
        """
        parts, trading = self.parts, self.parts.trading
        failures = await stop_all(
            (("operations", parts.operations.operations.stop), ("collector", parts.place.collector.stop))
        )
        asked = parts.broker.snapshot_now() or await last_look(parts.broker, trading.desk, self._same_books)
        summary = self.summary(asked)
        failures += await stop_all(
            (
                *((("door", self._server.stop),) if self._server is not None else ()),
                ("tasks", self._end_tasks),
                ("strategist", parts.thought.strategist.stop),
                ("scorer", parts.thought.scorer.stop),
                ("features", parts.thought.features.stop),
                ("approval desk", trading.approval.stop),
                ("governor", trading.governor.stop),
                ("algorithms", trading.algos.stop),
                ("board", parts.board.stop),
                ("what-ifs", trading.what_ifs.stop),
                ("refresher", trading.refresher.stop),
                ("exits aside", trading.aside.stop),
                ("guard", trading.guard.stop),
                ("order desk", trading.desk.stop),
                ("ledger", trading.ledger.stop),
                ("market time", self.parts.housekeeping.save_clock),
                ("modes", trading.modes.stop),
                ("recorder", parts.recorder.stop),
                ("audit chain", parts.audit.stop),
                ("market", parts.place.cache.stop),
                ("bars", parts.place.bars.stop),
                ("broker", parts.broker.stop),
                ("storage", parts.storage.close),
            )
        )
        if failures:
            told = f"Not everything stopped cleanly: {'; '.join(failures)}."
            summary = msgspec.structs.replace(summary, notes=(*summary.notes, told))
        parts.ledger_of_run.finish(summary)
        if failures:
            raise UncleanStop(summary, failures)
        return summary

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def ask_to_stop(self) -> None:
        """End the run soon; safe to call from a signal handler on the loop."""
        self._stop_asked.set()
        if isinstance(self.clock, ReplayClock):
            self.clock.wake()

    def _same_books(self, snapshot: BrokerSnapshot) -> bool | None:
        ledger = self.parts.trading.ledger
        ours = {symbol: p.quantity for symbol, p in ledger.positions().items() if p.quantity}
        return agreed(snapshot, ours, ledger.cash())

    def summary(self, snapshot: BrokerSnapshot | None) -> RunSummary:
        """What the run did, checked against the broker's own books in ``snapshot``."""
        parts, wall_s = self.parts, (self._wall.monotonic() - self._started_wall) / 1e9
        return sum_up(
            parts.ledger_of_run,
            parts.trading.ledger,
            parts.trading.desk,
            snapshot,
            silent=parts.thought.strategist.silent,
            now=self.clock.now(),
            symbols=len(parts.place.cache.symbols()),
            lived_s=self.market_seconds if self.spec.simulated_time else wall_s,
            wall_s=wall_s,
        )

    async def arm_auto(self, by: str, reason: str) -> Receipt:
        """Let the agent trade within its limits, once the books agree with the broker's."""
        for _ in range(round(RECONCILE_WAIT_S / 0.05)):
            if self.parts.trading.desk.synced:
                break
            if isinstance(self.clock, ReplayClock):
                self.clock.advance(0.05)
            else:
                await asyncio.sleep(0.05)
        return self.parts.trading.modes.set_autonomy(Autonomy.AUTO, by, reason)

    @property
    def market_seconds(self) -> float:
        """Market seconds lived through so far; skipped ones do not count."""
        return self._market_time.seconds

    # -- market time -----------------------------------------------------------------------------------------------

    def _real_time(self) -> bool:
        return not isinstance(self.clock, ReplayClock) or self.clock.speed == 1.0

    # -- called by parts ---------------------------------------------------------------------------------------------

    def _on_lag(self, late_ms: float) -> None:
        if self._real_time():
            now = self.clock.now()
            self.parts.bus.publish(LagExceeded(ts_event=now, ts_init=now, loop="engine", lag_ms=round(late_ms, 1)))

    def _on_reconciled(self, event: Reconciled) -> None:
        if not event.complete:
            _log.warning("the broker's picture is incomplete", missing=event.missing)

    def _watch(self, symbols: tuple[Symbol, ...], depth: bool, on: bool) -> None:
        collector = self.parts.place.collector
        if on:
            collector.watch(symbols, depth)
        else:
            collector.unwatch(symbols, depth)

    def _shutdown(self, force: bool) -> Receipt:
        working = [o for o in self.parts.trading.desk.open_orders() if not o.state.closed]
        if working and not force and self.spec.book is Book.LIVE:
            text = f"{len(working)} orders are working; they stay at the broker. Ask again with force."
            return Receipt(ok=False, code="WORKING", text=text)
        asyncio.get_running_loop().call_later(0.05, self.ask_to_stop)
        return Receipt(ok=True, text="The engine stops; what works at the broker goes on working there.")

    async def _reconcile(self) -> Receipt:
        desk = self.parts.trading.desk
        before = desk.reconciled_ns
        desk.check_now()
        for _ in range(100):
            if desk.reconciled_ns != before:
                return Receipt(ok=True, text="Compared with the broker.")
            await asyncio.sleep(0.05)
        return Receipt(ok=False, code="LINK", text="The broker has not answered yet.")

    async def _stop_from_flag(self, flatten: bool) -> Receipt:
        return await self.parts.stop.stop("halt flag", "the halt flag was found in the profile", flatten)
