"""The collector: starts the enabled providers, keeps them alive, routes requests and knows how each one does."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from engine.api.rows import SourceRow
from engine.bus.bus import Bus
from engine.bus.clock import MILLISECOND, SECOND, Clock
from engine.bus.errors import ProviderError, ProviderRefused
from engine.collection.provider import BarColumnsByName, DataKind, Emit, Provider, ProviderState
from engine.collection.settings import CollectionSettings
from engine.model.events.base import Event
from engine.model.events.market import ProviderConnected, ProviderLost
from engine.model.ids import Symbol

Factory = Callable[[Emit], Provider]
"""Makes a provider that emits into what it is given."""


class _Line:
    """One provider and how it does."""

    def __init__(self, clock: Clock, accept: Emit, factory: Factory) -> None:
        self._clock = clock
        self._accept = accept
        self.state = ProviderState.OFF
        self.text = ""
        self.events = 0
        self.lag_ns = 0.0
        self.counted = 0
        self.counted_ns = clock.now()
        self.rate = 0.0
        self.running = False
        self.provider = factory(self.emit)
        self.lost = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def emit(self, event: Event) -> None:
        """Count, measure the lag (an eighth of the new, seven of the old), pass on."""
        if not self.running:
            return  # it was stopped; a late callback of a socket must not speak
        self.events += 1
        self.lag_ns += (event.ts_init - event.ts_event - self.lag_ns) * 0.125
        self._accept(event)

    def measure(self) -> float:
        """Events a second since the last time this was asked (at least a second ago)."""
        now = self._clock.now()
        if now - self.counted_ns >= SECOND:
            self.rate = (self.events - self.counted) * SECOND / (now - self.counted_ns)
            self.counted, self.counted_ns = self.events, now
        return self.rate


class Collector:
    """Owns the providers and their tasks."""

    name = "collector"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: CollectionSettings,
        accept: Emit,
        factories: Iterable[Factory],
        rng: np.random.Generator,
    ) -> None:
        """``accept`` is the market's cache. ``factories`` are in order of preference for history."""
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._rng = rng
        self._lines: dict[str, _Line] = {}
        for factory in factories:
            line = _Line(clock, accept, factory)
            if line.provider.name in self._lines:
                raise ValueError(f"two providers are called {line.provider.name}")
            self._lines[line.provider.name] = line
        self._watched: dict[Symbol, int] = {}
        self._deep: dict[Symbol, int] = {}

    @property
    def providers(self) -> Mapping[str, Provider]:
        return {name: line.provider for name, line in self._lines.items()}

    async def start(self) -> None:
        """Start every provider; those that fail at first are tried again in the background."""
        for name, line in self._lines.items():
            if line.task is None:
                first = asyncio.Event()
                line.task = asyncio.create_task(self._live(line, first), name=f"provider {name}")
                await first.wait()

    async def stop(self) -> None:
        """Stop every provider; what one of them raised is raised when all are stopped."""
        failed: Exception | None = None
        for line in self._lines.values():
            line.running = False
            if line.task is not None:
                line.task.cancel()
                await asyncio.gather(line.task, return_exceptions=True)
                line.task = None
            try:
                await line.provider.stop()
            except Exception as error:  # noqa: BLE001  raised below, when the others are stopped
                failed = failed or error
            line.state = ProviderState.OFF
        if failed is not None:
            raise failed

    def lost(self, name: str, reason: str) -> None:
        """A provider says that its connection is gone: it is stopped and started again."""
        line = self._lines[name]
        if line.state in (ProviderState.UP, ProviderState.DEGRADED):
            line.text = reason
            line.lost.set()

    def degraded(self, name: str, reason: str) -> None:
        """A provider says that it works in part; an empty reason says that it is well again."""
        line = self._lines[name]
        if line.state in (ProviderState.UP, ProviderState.DEGRADED):
            line.state = ProviderState.DEGRADED if reason else ProviderState.UP
            line.text = reason

    # --- requests

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        """Ask all providers for ``symbols``; counted, so two that watch the same need two to unwatch."""
        fresh = []
        for symbol in symbols:
            self._watched[symbol] = self._watched.get(symbol, 0) + 1
            before = self._deep.get(symbol, 0)
            self._deep[symbol] = before + depth
            if self._watched[symbol] == 1 or (depth and not before):
                fresh.append(symbol)
        for line in self._lines.values():
            if line.running and fresh:
                line.provider.watch(fresh, depth)

    def unwatch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        """Take one watch back."""
        gone, shallow = [], []
        for symbol in symbols:
            if not (count := self._watched.get(symbol, 0)):
                continue
            deep = self._deep.get(symbol, 0)
            self._deep[symbol] = max(0, deep - depth)
            self._watched[symbol] = count - 1
            if count == 1:
                del self._watched[symbol], self._deep[symbol]
                gone.append(symbol)
            elif depth and deep == 1:
                shallow.append(symbol)
        for line in self._lines.values():
            if line.running and (gone or shallow):
                line.provider.unwatch([*gone, *shallow])
                if shallow:
                    line.provider.watch(shallow)

    async def history(
        self, symbol: Symbol, seconds: int, count: int, end_ns: int
    ) -> tuple[str, BarColumnsByName] | None:
        """Return (source, bars) of the first provider that has any; None when all are well and none has them.

        Raises ``ProviderError`` with every reason when none gave any and one failed.
        """
        failures: list[str] = []
        for name, line in self._lines.items():
            if DataKind.HISTORY not in line.provider.kinds:
                continue
            if not line.running:
                failures.append(f"{name}: {line.text or 'is not connected'}")
                continue
            try:
                async with asyncio.timeout(self._settings.history_timeout_s):
                    found = await line.provider.history(symbol, seconds, count, end_ns)
            except TimeoutError:
                failures.append(f"{name}: no answer in {self._settings.history_timeout_s:g} s")
            except ProviderError as error:
                failures.append(f"{name}: {error}")
            else:
                if found is not None and len(found["ts_open"]):
                    return name, found
        if failures:
            raise ProviderError(f"no history of {symbol} ({seconds} s): " + "; ".join(failures))
        return None

    # --- health

    def rows(self) -> tuple[SourceRow, ...]:
        """One row a provider for the health strip."""
        return tuple(
            SourceRow(
                key=name,
                kind=", ".join(sorted(line.provider.kinds)),
                state=line.state.value,
                text=line.text,
                lag_ms=round(line.lag_ns / MILLISECOND, 1) if line.events else None,
                rate=line.measure(),
            )
            for name, line in self._lines.items()
        )

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """One a provider; whoever runs the engine watches them."""
        return tuple(line.task for line in self._lines.values() if line.task is not None)

    async def _live(self, line: _Line, first: asyncio.Event) -> None:
        """Keep a provider; when that fails by a fault of ours it is down, is said to be, and keeps nobody waiting."""
        try:
            await self._keep(line, first)
        except Exception as error:
            line.running = False
            line.state, line.text = ProviderState.DOWN, f"failed: {error}"
            self._say_lost(line.provider.name, line.text)
            raise
        finally:
            first.set()

    async def _keep(self, line: _Line, first: asyncio.Event) -> None:
        """Start, wait until it is lost, start again; until cancelled or refused."""
        name = line.provider.name
        wait_s = self._settings.retry_first_s
        while True:
            line.state = ProviderState.CONNECTING
            line.lost.clear()
            try:
                await line.provider.start()
            except ProviderRefused as refusal:
                line.state, line.text = ProviderState.OFF, str(refusal)
                self._say_lost(name, str(refusal))
                first.set()
                return
            except ProviderError as error:
                line.state, line.text = ProviderState.DOWN, str(error)
                self._say_lost(name, str(error))
            else:
                line.state, line.text = ProviderState.UP, ""
                line.running = True
                wait_s = self._settings.retry_first_s
                now = self._clock.now()
                self._bus.publish(ProviderConnected(ts_event=now, ts_init=now, source=name))
                self._watch_again(line)
                first.set()
                await line.lost.wait()
                line.running = False
                line.state = ProviderState.DOWN
                self._say_lost(name, line.text)
                await line.provider.stop()
            first.set()
            # Up to a quarter longer, so that many clients do not knock together.
            await self._clock.sleep(wait_s * (1.0 + 0.25 * float(self._rng.random())))
            wait_s = min(2 * wait_s, self._settings.retry_most_s)

    def _watch_again(self, line: _Line) -> None:
        deep = [symbol for symbol, count in self._deep.items() if count]
        rest = [symbol for symbol in self._watched if not self._deep.get(symbol)]
        if rest:
            line.provider.watch(rest)
        if deep:
            line.provider.watch(deep, depth=True)

    def _say_lost(self, name: str, reason: str) -> None:
        now = self._clock.now()
        self._bus.publish(ProviderLost(ts_event=now, ts_init=now, source=name, reason=reason))
