"""The collector keeps providers alive and says how they do."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.bus.errors import ProviderError, ProviderRefused
from engine.collection.collector import Collector
from engine.collection.provider import BarColumnsByName, DataKind, Emit
from engine.collection.settings import CollectionSettings
from engine.model.events.base import Event
from engine.model.events.market import ProviderConnected, ProviderLost, TradeTick
from engine.model.ids import Symbol

A, B = Symbol("AAPL"), Symbol("MSFT")


class Scripted:
    """A provider that fails as it is told."""

    kinds = frozenset({DataKind.TRADES, DataKind.HISTORY})

    def __init__(self, emit: Emit, name: str = "scripted") -> None:
        self.name = name
        self.emit = emit
        self.failures: list[Exception] = []
        self.starts = self.stops = 0
        self.calls: list[tuple[str, tuple[Symbol, ...], bool]] = []
        self.bars: BarColumnsByName | None = None
        self.history_error: Exception | None = None

    async def start(self) -> None:
        self.starts += 1
        if self.failures:
            raise self.failures.pop(0)

    async def stop(self) -> None:
        self.stops += 1

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        self.calls.append(("watch", tuple(symbols), depth))

    def unwatch(self, symbols: Sequence[Symbol]) -> None:
        self.calls.append(("unwatch", tuple(symbols), False))

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        if self.history_error is not None:
            raise self.history_error
        return self.bars


class Desk:
    def __init__(self, *names: str) -> None:
        self.clock = StepClock(0)
        self.heard: list[Event] = []
        self.accepted: list[Event] = []
        bus = Bus(lambda *failure: pytest.fail(str(failure)))
        for kind in (ProviderConnected, ProviderLost):
            bus.subscribe(kind, self.heard.append, owner="test")
        self.made: dict[str, Scripted] = {}

        def factory(name: str) -> object:
            def make(emit: Emit) -> Scripted:
                self.made[name] = Scripted(emit, name)
                return self.made[name]

            return make

        self.collector = Collector(
            bus,
            self.clock,
            CollectionSettings(history_timeout_s=0.2),
            self.accepted.append,
            [factory(name) for name in names or ("scripted",)],
            np.random.default_rng(1),
        )

    def said(self) -> list[str]:
        return [type(event).__name__ for event in self.heard]

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for _ in range(5):
            await asyncio.sleep(0)

    def trade(self, name: str = "scripted", lag_ms: int = 0) -> None:
        now = self.clock.now()
        self.made[name].emit(
            TradeTick(ts_event=now - lag_ms * 1_000_000, ts_init=now, symbol=A, price=1.0, size=1.0, source=name)
        )


async def test_a_provider_that_fails_is_tried_again_with_growing_pauses() -> None:
    desk = Desk()
    scripted = desk.made["scripted"]
    scripted.failures = [ProviderError("no line"), ProviderError("no line"), ProviderError("no line")]
    await desk.collector.start()
    assert desk.collector.rows()[0].state == "down"
    assert desk.collector.rows()[0].text == "no line"
    starts = []
    for _ in range(12):
        await desk.pass_time(1.0)
        starts.append(scripted.starts)
    # After 1, 2 and 4 s, each up to a quarter longer, and seen at whole seconds.
    assert starts == [1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4]
    assert desk.said() == ["ProviderLost"] * 3 + ["ProviderConnected"]
    assert desk.collector.rows()[0].state == "up"
    await desk.collector.stop()


async def test_a_refusal_is_final() -> None:
    desk = Desk()
    desk.made["scripted"].failures = [ProviderRefused("the key is not valid")]
    await desk.collector.start()
    await desk.pass_time(1_000.0)
    assert desk.made["scripted"].starts == 1
    row = desk.collector.rows()[0]
    assert (row.state, row.text) == ("off", "the key is not valid")
    await desk.collector.stop()


async def test_a_lost_provider_comes_back_with_what_was_watched() -> None:
    desk = Desk()
    scripted = desk.made["scripted"]
    await desk.collector.start()
    desk.collector.watch([A])
    desk.collector.watch([B], depth=True)
    scripted.calls.clear()
    desk.collector.lost("scripted", "socket closed")
    await desk.pass_time(0)
    assert desk.collector.rows()[0].state == "down"
    desk.trade()
    assert desk.accepted == []  # a stopped provider is not listened to
    await desk.pass_time(2.0)
    assert desk.collector.rows()[0].state == "up"
    assert scripted.calls == [("watch", (A,), False), ("watch", (B,), True)]
    assert scripted.stops == 1
    await desk.collector.stop()


async def test_one_bad_provider_does_not_hold_up_the_others() -> None:
    desk = Desk("bad", "good")
    desk.made["bad"].failures = [ProviderError("down")] * 9
    await desk.collector.start()
    desk.trade("good")
    assert len(desk.accepted) == 1
    assert [row.state for row in desk.collector.rows()] == ["down", "up"]
    await desk.collector.stop()


async def test_watches_are_counted() -> None:
    desk = Desk()
    scripted = desk.made["scripted"]
    await desk.collector.start()
    desk.collector.watch([A])
    desk.collector.watch([A], depth=True)
    desk.collector.watch([A])
    desk.collector.unwatch([A])
    desk.collector.unwatch([A], depth=True)
    desk.collector.unwatch([A])
    desk.collector.unwatch([A])
    assert scripted.calls == [
        ("watch", (A,), False),
        ("watch", (A,), True),
        ("unwatch", (A,), False),  # the book is no longer wanted,
        ("watch", (A,), False),  # the prices still are
        ("unwatch", (A,), False),
    ]
    await desk.collector.stop()


async def test_lag_and_rate_are_measured() -> None:
    desk = Desk()
    await desk.collector.start()
    for _ in range(40):
        await desk.pass_time(0.1)
        desk.trade(lag_ms=50)
    row = desk.collector.rows()[0]
    assert row.rate == pytest.approx(10.0)
    assert row.lag_ms == pytest.approx(50.0, rel=0.02)
    assert row.lag_ms == round(row.lag_ms, 1)
    await desk.collector.stop()


async def test_history_comes_from_the_first_that_has_it() -> None:
    desk = Desk("one", "two")
    bars = {"ts_open": np.array([SECOND])}
    await desk.collector.start()
    assert await desk.collector.history(A, 60, 5, 9) is None
    desk.made["two"].bars = bars
    assert await desk.collector.history(A, 60, 5, 9) == ("two", bars)
    desk.made["one"].history_error = ProviderError("over the limit")
    assert await desk.collector.history(A, 60, 5, 9) == ("two", bars)
    desk.made["two"].bars = None
    with pytest.raises(ProviderError, match="one: over the limit"):
        await desk.collector.history(A, 60, 5, 9)
    await desk.collector.stop()


async def test_two_providers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two providers are called same"):
        Desk("same", "same")


async def test_a_provider_with_a_fault_of_its_own_keeps_nobody_waiting_and_is_down() -> None:
    desk = Desk("broken", "well")
    desk.made["broken"].failures = [RuntimeError("a fault of ours")]
    async with asyncio.timeout(2.0):
        await desk.collector.start()
    states = {row.key: (row.state, row.text) for row in desk.collector.rows()}
    assert states["broken"] == ("down", "failed: a fault of ours")
    assert states["well"][0] == "up"
    assert [type(event) for event in desk.heard] == [ProviderLost, ProviderConnected]
    broken = next(task for task in desk.collector.tasks if task.get_name() == "provider broken")
    assert isinstance(broken.exception(), RuntimeError)
    await desk.collector.stop()
