"""A deterministic asyncio loop in virtual time: no sockets, no threads, a seeded order of what is ready.

Time jumps to the next timer, so a week runs in seconds; the same seed gives the same run, step by step. It leans on
private parts of CPython's event loop (3.11 to 3.13); a test guards them.
"""

import asyncio
import heapq
import random
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from engine.bus.clock import SECOND


class _NoIO(selectors.BaseSelector):
    def __init__(self) -> None:
        self._map: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = selectors.SelectorKey(fileobj, number, events, data)
        self._map[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._map.pop(fileobj)

    def get_map(self) -> Any:
        return self._map

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._map[fileobj]

    def close(self) -> None: ...

    def select(self, timeout: float | None = None) -> list[Any]:
        return []


class Killed(BaseException):
    """The simulated program was killed here. Who runs the simulation knows, and starts it again."""


class SimLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self, seed: int = 0) -> None:
        self._now = 0.0
        self.rng = random.Random(seed)
        self.steps = 0
        self.failures: list[BaseException] = []
        super().__init__(_NoIO())
        self.set_exception_handler(self._failed)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context["message"])
        if not isinstance(error, Killed):
            self.failures.append(error)

    def time(self) -> float:
        return self._now

    def run_in_executor(self, *args: Any) -> Any:
        raise RuntimeError("threads are forbidden in simulation")

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            while self._scheduled and self._scheduled[0]._cancelled:
                heapq.heappop(self._scheduled)._scheduled = False
            if self._scheduled:
                self._now = max(self._now, self._scheduled[0]._when)
        elif not self._ready and not self._stopping:
            raise RuntimeError("deadlock: nothing is ready and nothing will be")
        if len(self._ready) > 1:
            ready = list(self._ready)
            self.rng.shuffle(ready)
            self._ready.clear()
            self._ready.extend(ready)
        self.steps += 1
        super()._run_once()


class LoopClock:
    """The engine's clock on a simulated loop."""

    def __init__(self, loop: SimLoop, start: int) -> None:
        self._loop = loop
        self._start = start
        self.offset_ns = 0
        """By how much the wall clock has been stepped."""

    def now(self) -> int:
        return self._start + self.offset_ns + round(self._loop.time() * SECOND)

    def monotonic(self) -> int:
        return round(self._loop.time() * SECOND)

    def call_at(self, when: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return self.call_later(max(0, when - self.now()) / SECOND, callback)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return self._loop.call_later(delay_s, callback)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def simulate(seed: int, main: Callable[[SimLoop], Coroutine[Any, Any, Any]]) -> Any:
    """Run ``main(loop)`` to its end; whatever failed in a callback or a task fails the run."""
    loop = SimLoop(seed)
    try:
        asyncio.set_event_loop(loop)
        result = loop.run_until_complete(main(loop))
        if loop.failures:
            raise loop.failures[0]
        return result
    finally:
        asyncio.set_event_loop(None)
        loop.close()
