"""Average volume: of days where they are known, else what was seen to trade, which is never more than a day's."""

import math

import numpy as np
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.market.bars import BarStore
from engine.market.calendars import Calendars
from engine.market.instruments import Authority, Instruments
from engine.market.settings import MarketSettings
from engine.model.events.market import BarClosed
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.runtime.volume import VolumeKeeper, note_volume

ACME = Symbol("ACME")
NOON = 1_767_970_800 * SECOND  # Friday 2026-01-09 10:00 in New York


class Shop:
    def __init__(self, *, live: bool, adv20: float = math.nan) -> None:
        self.bus, self.clock = Bus(lambda *_: None), StepClock(NOON)
        self.book = Instruments((Instrument(symbol=ACME, calendar="24/7", adv20=adv20),), Authority.GUESS)
        self.bars = BarStore(self.bus, self.clock, MarketSettings(), self.book, Calendars())
        VolumeKeeper(self.bus, self.bars, self.book, live=live)

    @property
    def volume(self) -> float:
        known = self.book.get(ACME)
        assert known is not None
        return known.adv20

    def seed(self, seconds: int, count: int, volume: float, until: int = NOON) -> None:
        opens = until - np.arange(count, 0, -1) * seconds * SECOND
        column = np.full(count, 10.0)
        prices = dict.fromkeys(("open", "high", "low", "close"), column)
        self.bars.seed(ACME, seconds, {"ts_open": opens, **prices, "volume": np.full(count, volume)})
        note_volume(self.bars, self.book, ACME)

    def minute(self, volume: float) -> None:
        self.clock.advance(60)
        now = self.clock.now()
        prices = dict.fromkeys(("open", "high", "low", "close", "vwap"), 10.0)
        bar = BarClosed(
            ts_event=now, ts_init=now, symbol=ACME, seconds=60, ts_open=now - 60 * SECOND, volume=volume, trades=1,
            source="test", **prices,
        )  # fmt: skip
        self.bars.accept(bar)


def test_days_that_are_known_count() -> None:
    shop = Shop(live=True)
    shop.seed(60, 60, 100.0)
    shop.seed(86_400, 30, 5_000.0)
    assert shop.volume == 5_000.0
    shop.minute(7.0)
    assert shop.volume == 5_000.0


def test_without_days_what_traded_within_one_counts() -> None:
    shop = Shop(live=True)
    shop.seed(60, 600, 100.0)
    assert shop.volume == 60_000.0


@pytest.mark.parametrize(("live", "expected"), [(True, 12.0), (False, math.nan)])
def test_without_any_history_a_live_market_is_counted_as_it_trades(live: bool, expected: float) -> None:
    shop = Shop(live=live)
    shop.minute(5.0)
    shop.minute(7.0)
    assert shop.volume == pytest.approx(expected, nan_ok=True)


def test_a_volume_that_is_known_is_not_replaced_by_what_was_seen() -> None:
    shop = Shop(live=True, adv20=1e6)
    shop.minute(5.0)
    assert shop.volume == 1e6
