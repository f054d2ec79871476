"""A chart is told how each bar ended before the next one begins, however many came between two frames."""

from engine.api.frames import BarUpdate
from engine.api.wire import Follow
from engine.bus.bus import Bus
from engine.bus.clock import LiveClock
from engine.runtime.outbox import ClientOutbox, Outbox

KEY = ("AAPL", 60)


def bar(number: int, close: float) -> BarUpdate:
    return BarUpdate(
        symbol="AAPL", seconds=60, ts_open=number * 60, open=1.0, high=9.0, low=1.0, close=close, volume=1.0
    )


class Bars:
    def __init__(self) -> None:
        self.done: list[BarUpdate] = []
        self.now: BarUpdate | None = None

    def forming(self, symbol: str, seconds: int) -> BarUpdate | None:
        return self.now

    def closed(self, symbol: str, seconds: int, since_ns: int) -> tuple[BarUpdate, ...]:
        return tuple(found for found in self.done if found.ts_open >= since_ns)


class NoQuotes:
    version = 0

    def since(self, version: int) -> None:
        return None


def test_a_new_bar_is_preceded_by_the_end_of_those_before_it() -> None:
    def failed(*_: object) -> None: ...

    bars = Bars()
    outbox = Outbox(Bus(failed), LiveClock(), {}, NoQuotes(), bars, (), lambda: None)
    client = ClientOutbox(outbox, last_notice=-1)
    client.set_follow(Follow(bars=(KEY,)))
    told = []

    def look() -> None:
        frame = client.cut_frame()
        told.append([(item.ts_open // 60, item.close) for item in frame.bars] if frame else [])

    look()
    bars.now = bar(5, 2.0)
    look()
    look()
    bars.done, bars.now = [bar(4, 1.5), bar(5, 3.0), bar(6, 4.0)], bar(7, 5.0)
    look()
    bars.done, bars.now = [*bars.done, bar(7, 6.0)], bar(7, 6.0)
    look()
    assert told == [[], [(5, 2.0)], [], [(5, 3.0), (6, 4.0), (7, 5.0)], [(7, 6.0)]]
