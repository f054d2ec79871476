"""The kernels against TA-Lib on genuine prices, NaN for NaN; and against a pandas writing where TA-Lib has none.

Tolerance: 1e-9 of the value, or of 1 where the value is smaller. What is left is the order of sums.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from engine.features.indicators.registry import INDICATORS

talib = pytest.importorskip("talib", reason="TA-Lib, the oracle, is not installed")

Bars = dict[str, np.ndarray]
Case = tuple[str, dict[str, object], Callable[[Bars], tuple[np.ndarray, ...]]]


def hlc(b: Bars) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return b["high"], b["low"], b["close"]


def hlcv(b: Bars) -> tuple[np.ndarray, ...]:
    return (*hlc(b), b["volume"])


CASES: list[Case] = [
    ("sma", {"period": 50}, lambda b: (talib.SMA(b["close"], 50),)),
    ("sma", {"period": 7, "source": "hl2"}, lambda b: (talib.SMA((b["high"] + b["low"]) / 2, 7),)),
    ("ema", {"period": 20}, lambda b: (talib.EMA(b["close"], 20),)),
    ("wma", {"period": 30}, lambda b: (talib.WMA(b["close"], 30),)),
    ("rsi", {"period": 14}, lambda b: (talib.RSI(b["close"], 14),)),
    ("macd", {}, lambda b: talib.MACD(b["close"], 12, 26, 9)),
    ("macd", {"fast": 5, "slow": 35, "signal": 5}, lambda b: talib.MACD(b["close"], 5, 35, 5)),
    ("bbands", {"period": 20, "width": 2.5}, lambda b: talib.BBANDS(b["close"], 20, 2.5, 2.5)),
    ("stddev", {"period": 25}, lambda b: (talib.STDDEV(b["close"], 25),)),
    ("atr", {"period": 14}, lambda b: (talib.ATR(*hlc(b), 14),)),
    (
        "adx",
        {"period": 14},
        lambda b: (talib.ADX(*hlc(b), 14), talib.PLUS_DI(*hlc(b), 14), talib.MINUS_DI(*hlc(b), 14)),
    ),
    ("cci", {"period": 20}, lambda b: (talib.CCI(*hlc(b), 20),)),
    ("willr", {"period": 14}, lambda b: (talib.WILLR(*hlc(b), 14),)),
    ("roc", {"period": 10}, lambda b: (talib.ROC(b["close"], 10),)),
    ("mom", {"period": 10}, lambda b: (talib.MOM(b["close"], 10),)),
    ("obv", {}, lambda b: (talib.OBV(b["close"], b["volume"]),)),
    ("mfi", {"period": 14}, lambda b: (talib.MFI(*hlcv(b), 14),)),
    ("ad", {}, lambda b: (talib.AD(*hlcv(b)),)),
    ("psar", {"step": 0.02, "maximum": 0.2}, lambda b: (talib.SAR(b["high"], b["low"], 0.02, 0.2),)),
    (
        "aroon",
        {"period": 25},
        lambda b: (*talib.AROON(b["high"], b["low"], 25)[::-1], talib.AROONOSC(b["high"], b["low"], 25)),
    ),
    ("trix", {"period": 15}, lambda b: (talib.TRIX(b["close"], 15),)),
    ("stoch", {"period": 14, "smooth": 3, "signal": 3}, lambda b: talib.STOCH(*hlc(b), 14, 3, 0, 3, 0)),
    ("stochrsi", {"period": 5, "smooth": 1, "signal": 3}, lambda b: talib.STOCHRSI(b["close"], 14, 5, 3, 0)),
    ("donchian", {"period": 20}, lambda b: (talib.MAX(b["high"], 20), None, talib.MIN(b["low"], 20))),
    (
        "linreg",
        {"period": 40},
        lambda b: (None, talib.LINEARREG(b["close"], 40), None, talib.LINEARREG_SLOPE(b["close"], 40)),
    ),
]
LATER = {"stoch", "stochrsi"}
"""TA-Lib holds the first line back until the second is there; ours begins when it can."""


@pytest.mark.parametrize(("name", "params", "oracle"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_the_indicator_is_the_one_of_talib(name: str, params: dict[str, object], oracle: Callable, bars: Bars) -> None:
    ours = list(INDICATORS[name].compute(bars, **params).values())
    for mine, other in zip(ours, oracle(bars), strict=False):
        if other is None:
            continue
        if name in LATER:
            mine = np.where(np.isnan(other), np.nan, mine)
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(other))
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-9)


def pandas_cases(d: pd.DataFrame) -> dict[str, tuple[dict[str, object], dict[str, pd.Series]]]:
    typical = (d.high + d.low + d.close) / 3
    mid = lambda n: (d.high.rolling(n).max() + d.low.rolling(n).min()) / 2  # noqa: E731
    flow = d.volume * ((d.close - d.low) - (d.high - d.close)) / (d.high - d.low)
    weights = lambda n: np.arange(1, n + 1) / (n * (n + 1) / 2)  # noqa: E731
    wma = lambda s, n: s.rolling(n).apply(lambda x: np.dot(x, weights(n)), raw=True)  # noqa: E731
    session = d.session
    starts = session.map(session.drop_duplicates().reset_index().set_index("session")["index"])
    vwap, spread = pd.Series(0.0, d.index), pd.Series(0.0, d.index)
    for t, start in enumerate(starts):
        part, weight = typical[start : t + 1], d.volume[start : t + 1]
        vwap[t] = np.average(part, weights=weight)
        spread[t] = np.average((part - vwap[t]) ** 2, weights=weight) ** 0.5
    last = d.groupby("session").agg(high=("high", "max"), low=("low", "min"), close=("close", "last")).shift()
    before = last.loc[session].set_index(d.index)
    p = (before.high + before.low + before.close) / 3
    span = before.high - before.low
    return {
        "vwma": ({}, {"vwma": (d.close * d.volume).rolling(20).sum() / d.volume.rolling(20).sum()}),
        "hma": ({"period": 16}, {"hma": wma(2 * wma(d.close, 8) - wma(d.close, 16), 4)}),
        "cmf": ({}, {"cmf": flow.rolling(20).sum() / d.volume.rolling(20).sum()}),
        "vwap": ({}, {"upper": vwap + spread, "middle": vwap, "lower": vwap - spread}),
        "pivots": ({}, {"p": p, "r1": 2 * p - before.low, "s2": p - span, "r3": before.high + 2 * (p - before.low)}),
        "ichimoku": (
            {},
            {
                "tenkan": mid(9),
                "kijun": mid(26),
                "lead_a": (mid(9) + mid(26)) / 2,
                "cloud_a": ((mid(9) + mid(26)) / 2).shift(26),
                "cloud_b": mid(52).shift(26),
                "chikou": d.close,
            },
        ),
        "keltner": (
            {},
            {
                "middle": pd.Series(talib.EMA(d.close.to_numpy(), 20)),
                "upper": pd.Series(
                    talib.EMA(d.close.to_numpy(), 20)
                    + 2 * talib.ATR(d.high.to_numpy(), d.low.to_numpy(), d.close.to_numpy(), 10)
                ),
            },
        ),
    }


@pytest.mark.parametrize("name", ["vwma", "hma", "cmf", "vwap", "pivots", "ichimoku", "keltner"])
def test_the_indicator_is_its_formula_in_pandas(name: str, bars: Bars) -> None:
    params, expected = pandas_cases(pd.DataFrame(bars))[name]
    ours = INDICATORS[name].compute(bars, **params)
    for output, other in expected.items():
        np.testing.assert_allclose(ours[output], other.to_numpy(), rtol=1e-8, atol=1e-7, err_msg=output)


def test_heikin_ashi_and_supertrend_are_those_of_the_wide_catalogue(bars: Bars) -> None:
    from engine.features.indicators.wide import wide_catalogue

    ours = INDICATORS["heikin_ashi"].compute(bars)
    theirs = wide_catalogue()["ha"].compute(bars)
    for name, other in zip(ours, theirs.values(), strict=True):
        np.testing.assert_allclose(ours[name], other, rtol=1e-9)
    line = INDICATORS["supertrend"].compute(bars, period=10, width=3.0)
    other = next(iter(wide_catalogue()["supertrend"].compute(bars, length=10, multiplier=3.0).values()))
    same = np.isclose(line["supertrend"][300:], other[300:], rtol=1e-4)
    assert same.mean() > 0.99


def test_supertrend_stands_below_a_rising_market_and_above_a_falling_one(bars: Bars) -> None:
    out = INDICATORS["supertrend"].compute(bars)
    line, side = out["supertrend"], out["side"]
    there = np.isfinite(line)
    assert set(side[there]) == {1.0, -1.0}
    assert (bars["close"][there & (side > 0)] >= line[there & (side > 0)]).all()
    assert (bars["close"][there & (side < 0)] <= line[there & (side < 0)]).all()
    held = there[1:] & there[:-1] & (side[1:] == side[:-1])
    step = np.diff(line)[held] * side[1:][held]
    assert (step >= 0).all()  # a stop only tightens while its side holds
