"""Bar by bar is the same as all at once, bit for bit."""

import numpy as np
import pytest

from engine.features.indicators.registry import INDICATORS
from engine.features.indicators.stream import INPUTS, OUTPUTS, HotIndicators, HotParams, hot_history

Bars = dict[str, np.ndarray]
SHORT = HotParams(sma=1, ema=1, rsi=1, macd_fast=2, macd_slow=3, macd_signal=1, bb=3, bb_width=1.5, atr=1)
ODD = HotParams(sma=33, ema=7, rsi=5, macd_fast=4, macd_slow=30, macd_signal=3, bb=11, atr=20, vwap_width=2.0)


def batch(bars: Bars, p: HotParams) -> np.ndarray:
    def run(id: str, **params: object) -> list[np.ndarray]:
        return list(INDICATORS[id].compute(bars, **params).values())

    columns = [
        *run("sma", period=p.sma),
        *run("ema", period=p.ema),
        *run("rsi", period=p.rsi),
        *run("macd", fast=p.macd_fast, slow=p.macd_slow, signal=p.macd_signal),
        *run("bbands", period=p.bb, width=p.bb_width),
        *run("atr", period=p.atr),
        *run("vwap", width=p.vwap_width),
    ]
    return np.column_stack(columns)


def stream(bars: Bars, p: HotParams) -> np.ndarray:
    hot = HotIndicators(3, p)
    rows = np.array([1])
    table = np.column_stack([bars[name] for name in INPUTS])
    return np.vstack([hot.push(rows, table[i : i + 1], bars["session"][i : i + 1]) for i in range(len(table))])


def bits(x: np.ndarray) -> bytes:
    # every NaN is the same NaN
    return np.where(np.isnan(x), np.nan, x).tobytes()


@pytest.mark.parametrize("params", [HotParams(), SHORT, ODD], ids=["default", "short", "odd"])
def test_bar_by_bar_is_the_batch_in_every_bit(params: HotParams, bars: Bars) -> None:
    for i, name in enumerate(OUTPUTS):
        assert bits(stream(bars, params)[:, i]) == bits(batch(bars, params)[:, i]), name


def test_an_invalid_bar_restarts_both_alike(bars: Bars) -> None:
    broken = {name: column[:900].copy() for name, column in bars.items()}
    for name in ("high", "low", "close"):
        broken[name][[0, 300, 301]] = np.nan
    broken["volume"][500] = np.nan
    assert bits(stream(broken, HotParams())) == bits(batch(broken, HotParams()))


def test_a_peek_says_what_the_push_will_and_changes_nothing(bars: Bars) -> None:
    peeked, plain = HotIndicators(1), HotIndicators(1)
    rows = np.array([0])
    for i in range(120):
        bar = np.array([[bars[name][i] for name in INPUTS]])
        session = bars["session"][i : i + 1]
        for wild in (1.5, 0.2):
            peeked.peek(rows, bar * wild, session + 1)
        peeked.peek(rows, bar * np.nan, session)
        seen = peeked.peek(rows, bar, session)
        assert bits(seen) == bits(peeked.push(rows, bar, session))
        assert bits(seen) == bits(plain.push(rows, bar, session))


def test_rows_do_not_touch_each_other(bars: Bars) -> None:
    hot = HotIndicators(2)
    table = np.column_stack([bars[name] for name in INPUTS])
    for i in range(200):
        both = hot.push(np.array([0, 1]), np.vstack([table[i], table[i] * 3]), np.array([0, 0]))
    alone = stream({name: column[:200] for name, column in bars.items()} | {"session": np.zeros(200)}, HotParams())
    assert bits(both[0]) == bits(alone[-1])
    hot.reset(0)
    again = hot.push(np.array([0, 1]), table[200:202], np.array([0, 0]))
    assert np.isnan(again[0, :10]).all()
    assert np.isfinite(again[1]).all()


def test_wrong_settings_shapes_and_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="macd: fast"):
        HotParams(macd_fast=26, macd_slow=12)
    with pytest.raises(ValueError, match="sma: period must be"):
        HotParams(sma=0)
    hot = HotIndicators(2)
    with pytest.raises(ValueError, match="bars must be"):
        hot.push(np.array([0]), np.ones((1, 3)), np.array([0]))
    with pytest.raises(IndexError, match="rows must lie inside"):
        hot.push(np.array([2]), np.ones((1, 4)), np.array([0]))
    with pytest.raises(IndexError, match="row 5"):
        hot.reset(5)
    with pytest.raises(ValueError, match="at least 1"):
        HotIndicators(0)


@pytest.mark.parametrize("params", [HotParams(), SHORT, ODD], ids=["default", "short", "odd"])
@pytest.mark.parametrize("size", [0, 1, 34, 35, 36, 600, 2519])
def test_the_fused_pass_is_the_batch_in_every_bit(params: HotParams, size: int, bars: Bars) -> None:
    some = {name: column[:size] for name, column in bars.items()}
    fused = hot_history(some["high"], some["low"], some["close"], params)
    expected = batch(some, params)
    for i in range(10):
        assert bits(fused[i]) == bits(expected[:, i]), OUTPUTS[i]


def test_the_fused_pass_refuses_what_it_cannot_restart_after() -> None:
    with pytest.raises(ValueError, match="finite"):
        hot_history(np.ones(3), np.ones(3), np.array([1.0, np.nan, 1.0]))
    with pytest.raises(ValueError, match="one length"):
        hot_history(np.ones(3), np.ones(2), np.ones(3))
