"""The usual volume of a day, from the bars of earlier sessions."""

import numpy as np
import pytest

from engine.bus.clock import SECOND
from engine.execution.algos.volume_curve import BUCKET_NS, HistoryCurve
from engine.model.ids import Symbol
from engine.model.market import BarColumns, Session
from tests.engine.risk.world import DAY, OPEN_NS, session_at

AAPL = Symbol("AAPL")
BUCKETS = 78


class Bars:
    """``days`` sessions of five-minute bars before the open of ``OPEN_NS``."""

    def __init__(self, days: int, skew: float = 3.0) -> None:
        opens = [OPEN_NS - n * DAY for n in range(days * 2 + 10, 0, -1)]
        opens = [at for at in opens if session_at(at).open_ns == at][-days:]
        self.ts = np.concatenate([at + np.arange(BUCKETS, dtype=np.int64) * BUCKET_NS for at in opens])
        one = np.where(np.arange(BUCKETS) < BUCKETS // 2, skew, 1.0)
        self.volume = np.concatenate([one * (n + 1) for n in range(days)])

    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None:
        assert end_ns == OPEN_NS, "nothing of today is known beforehand"
        ones = np.ones(len(self.ts)).tobytes()
        return BarColumns(
            symbol=symbol,
            seconds=seconds,
            ts_open=self.ts.tobytes(),
            open=ones,
            high=ones,
            low=ones,
            close=ones,
            volume=self.volume.tobytes(),
        )


def session(symbol: Symbol, at_ns: int) -> Session | None:
    return session_at(at_ns)


def test_each_day_counts_the_same_whatever_its_volume() -> None:
    curve = HistoryCurve(Bars(10), session).curve(AAPL, OPEN_NS + 60 * SECOND)
    assert curve is not None
    half = OPEN_NS + BUCKETS // 2 * BUCKET_NS
    assert curve.share(OPEN_NS) == 0.0
    assert curve.share(half) == pytest.approx(0.75)
    assert curve.share(half // 2 + OPEN_NS // 2) == pytest.approx(0.375)
    assert curve.share(OPEN_NS + BUCKETS * BUCKET_NS) == pytest.approx(1.0)
    assert curve.share(OPEN_NS + 2 * DAY) == pytest.approx(1.0)


def test_fewer_than_five_complete_sessions_are_no_usual_day() -> None:
    assert HistoryCurve(Bars(4), session).curve(AAPL, OPEN_NS) is None
    bars = Bars(5)
    bars.volume[7] = np.nan
    assert HistoryCurve(bars, session).curve(AAPL, OPEN_NS) is None
    bars.volume[7] = -1.0
    assert HistoryCurve(bars, session).curve(AAPL, OPEN_NS) is None


def test_a_session_with_many_gaps_does_not_count() -> None:
    bars = Bars(5)
    bars.ts, bars.volume = bars.ts[20:], bars.volume[20:]
    assert HistoryCurve(bars, session).curve(AAPL, OPEN_NS) is None
    bars = Bars(5)
    bars.ts, bars.volume = bars.ts[5:], bars.volume[5:]
    assert HistoryCurve(bars, session).curve(AAPL, OPEN_NS) is not None


def test_a_closed_market_has_no_curve() -> None:
    assert HistoryCurve(Bars(10), session).curve(AAPL, OPEN_NS - 60 * SECOND) is None
    assert HistoryCurve(Bars(10), lambda symbol, at: None).curve(AAPL, OPEN_NS) is None
