"""Clocks. The engine's only source of time: live, replay (driven by data) and test (driven by hand).

All times are UTC nanoseconds. Timers run on the engine's loop; with a replay or test clock they run synchronously, in
order of time and then of creation, so the same inputs give the same decisions, bit for bit.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

Callback = Callable[[], None]

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


class Timer(Protocol):
    """A pending call."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What every part of the engine knows of time."""

    def now(self) -> int:
        """UTC ns of the market's time: the wall's when live, the data's in replay."""

    def monotonic(self) -> int:
        """Ns that never step; for measuring durations."""

    def call_at(self, when: int, callback: Callback) -> Timer:
        """Run ``callback`` once at ``when`` (UTC ns), or as soon as possible when that has passed."""

    def call_later(self, delay_s: float, callback: Callback) -> Timer:
        """Run ``callback`` once after ``delay_s`` seconds of market time."""

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of market time."""


class LiveClock:
    """Wall time on the running asyncio loop."""

    def now(self) -> int:
        return time.time_ns()

    def monotonic(self) -> int:
        return time.monotonic_ns()

    def call_at(self, when: int, callback: Callback) -> Timer:
        return self.call_later(max(0, when - time.time_ns()) / SECOND, callback)

    def call_later(self, delay_s: float, callback: Callback) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Entry:
    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class StepClock:
    """Time that moves only when told to: the test clock, and the heart of the replay clock."""

    def __init__(self, start: int) -> None:
        self._now = start
        self._start = start
        self._heap: list[tuple[int, int, _Entry]] = []
        self._order = itertools.count()
        self.on_error: Callable[[Exception], None] | None = None
        """Hears what a timer raised, and the other timers go on; None (in tests) lets it through."""

    def now(self) -> int:
        return self._now

    def monotonic(self) -> int:
        return self._now - self._start

    def call_at(self, when: int, callback: Callback) -> Timer:
        entry = _Entry(callback)
        heapq.heappush(self._heap, (max(when, self._now), next(self._order), entry))
        return entry

    def call_later(self, delay_s: float, callback: Callback) -> Timer:
        return self.call_at(self._now + round(delay_s * SECOND), callback)

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.call_later(seconds, lambda: None if future.done() else future.set_result(None))
        await future

    def next_timer(self) -> int | None:
        """UTC ns of the next pending timer, None when there is none."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def advance_to(self, when: int) -> int:
        """Run every timer due up to and including ``when`` and leave the clock there. Return how many ran."""
        ran = 0
        while (due := self.next_timer()) is not None and due <= when:
            self.run_next()
            ran += 1
        self._now = max(self._now, when)
        return ran

    def run_next(self) -> None:
        """Run the next timer alone, and leave the clock at its time. IndexError when there is none."""
        self.next_timer()
        due, _, entry = heapq.heappop(self._heap)
        self._now = max(self._now, due)
        self._call(entry)

    def jump_to(self, when: int) -> int:
        """Go to ``when`` at once, as a machine wakes from sleep: what was due meanwhile runs now, once, in order.

        A timer that repeats itself runs once for the whole gap instead of once for each of its periods.
        """
        late = []
        while (due := self.next_timer()) is not None and due <= when:
            late.append(heapq.heappop(self._heap))
        self._now = max(self._now, when)
        for _, _, entry in late:
            if not entry.cancelled:
                self._call(entry)
        return len(late)

    def _call(self, entry: _Entry) -> None:
        if self.on_error is None:
            entry.callback()
            return
        try:
            entry.callback()
        except Exception as error:  # noqa: BLE001  as on a live loop: one timer that fails never stops the others
            self.on_error(error)

    def advance(self, seconds: float) -> int:
        """Advance by ``seconds``; see :meth:`advance_to`."""
        return self.advance_to(self._now + round(seconds * SECOND))


class ReplayClock(StepClock):
    """Market time at a chosen speed: 1 is real time, 60 a minute per second, ``None`` as fast as it goes.

    :meth:`run` is the driver; it belongs to the engine's runtime. It yields to the asyncio loop at least every
    ``slice_ms`` of wall time, so the engine's door stays responsive at full speed.
    """

    def __init__(self, start: int, speed: float | None = 1.0, slice_ms: float = 5.0) -> None:
        super().__init__(start)
        self.speed = speed
        self.paused = False
        self._slice_ns = round(slice_ms * MILLISECOND)
        self._wake: asyncio.Event | None = None

    def monotonic(self) -> int:
        return time.monotonic_ns()

    def set_speed(self, speed: float | None) -> None:
        """Change speed from now on; wakes the driver."""
        self.speed = speed
        self.wake()

    def wake(self) -> None:
        """Let the driver look again (a timer was added from outside, the speed changed, it was resumed)."""
        if self._wake is not None:
            self._wake.set()

    def pause(self, paused: bool = True) -> None:
        """Stop or resume the market's time."""
        self.paused = paused
        self.wake()

    async def run(self, until: int) -> None:
        """Move to ``until`` (UTC ns) at the clock's speed."""
        self._wake = asyncio.Event()
        anchor_wall, anchor_market, anchor_speed = time.monotonic_ns(), self._now, self.speed
        while self._now < until:
            if self.paused:
                self._wake.clear()
                await self._wake.wait()
                anchor_wall, anchor_market, anchor_speed = time.monotonic_ns(), self._now, self.speed
                continue
            if anchor_speed != self.speed:
                anchor_wall, anchor_market, anchor_speed = time.monotonic_ns(), self._now, self.speed
            slice_end = time.monotonic_ns() + self._slice_ns
            if self.speed is None:
                while time.monotonic_ns() < slice_end and self._now < until and not self.paused:
                    due = self.next_timer()
                    self.advance_to(until if due is None else min(due, until))
                await asyncio.sleep(0)
                continue
            target = min(until, anchor_market + round((time.monotonic_ns() - anchor_wall) * self.speed))
            # One by one: who does a little and asks for its next turn at once leaves the loop to others in between.
            while (due := self.next_timer()) is not None and due <= target and time.monotonic_ns() < slice_end:
                self.run_next()
            if due is not None and due <= target:
                await asyncio.sleep(0)
                continue
            self.advance_to(target)
            if self._now >= until:
                break
            wait_s = 0.02 if due is None else min(max((due - self._now) / SECOND / self.speed, 0.0005), 0.02)
            self._wake.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
