"""Prices that are not enough to trade on are said: silent, late, or without bid and ask."""

import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.model.decision import Mode
from engine.model.events.system import Alarm
from engine.model.ids import Symbol
from engine.model.market import DataType, Quote, Session, SessionState
from engine.operations.feeds import FeedWatch
from engine.operations.lamps import Lamps
from engine.operations.settings import OperationsSettings

NAN = float("nan")


class Market:
    """Two symbols whose prices are always new."""

    def __init__(self, clock: StepClock, bid: float, data_type: DataType = DataType.LIVE) -> None:
        self.clock, self.bid, self.data_type = clock, bid, data_type

    def symbols(self) -> tuple[Symbol, ...]:
        return (Symbol("ACME"), Symbol("BOLT"))

    def session(self, symbol: Symbol, at_ns: int) -> Session:
        return Session(state=SessionState.OPEN, date="d", open_ns=1, close_ns=10**18, next_open_ns=10**18)

    def quote(self, symbol: Symbol) -> Quote:
        now = self.clock.now()
        rest = dict.fromkeys(
            ("bid_size", "ask_size", "last_size", "volume", "open", "high", "low", "previous_close"), 1.0
        )
        return Quote(
            symbol=symbol, bid=self.bid, ask=10.0, last=9.9, ts_event=now, ts_seen=now, data_type=self.data_type, **rest
        )


class Modes:
    def __init__(self) -> None:
        self.lowered: list[Mode] = []

    def lower(self, mode: Mode, by: str, reason: str) -> None:
        self.lowered.append(mode)


@pytest.mark.parametrize(
    ("bid", "data_type", "said"),
    [
        (9.9, DataType.LIVE, []),
        (NAN, DataType.LIVE, ["Prices: 2 of 2 symbols have no bid and ask."]),
        (9.9, DataType.DELAYED, ["Prices: 2 of 2 symbols are delayed or frozen."]),
    ],
)
def test_prices_that_nobody_can_trade_on_end_auto_and_are_said(
    bid: float, data_type: DataType, said: list[str]
) -> None:
    bus, clock, alarms = Bus(lambda *_: None), StepClock(1_000 * SECOND), list[Alarm]()
    bus.subscribe(Alarm, alarms.append, owner="test")
    modes = Modes()
    market = Market(clock, bid, data_type)
    watch = FeedWatch(bus, clock, market, modes, Lamps(bus, clock), OperationsSettings())  # type: ignore[arg-type]
    watch.start()
    for _ in range(130):
        clock.advance(1)
        watch.look()
    assert [alarm.happened for alarm in alarms] == said
    assert bool(modes.lowered) is bool(said)
