"""Every one of the 93 features against a second, independent writing of its formula in pandas, on genuine prices."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from engine.features.kernel import features_history
from engine.features.names import FEATURE_COUNT, FEATURE_INDEX, FEATURE_NAMES, FEATURES, GROUPS

E = 1e-12
Frame = pd.DataFrame
REFERENCE: dict[str, Callable[[Frame], pd.Series]] = {}
START, STOP = 1500, 1760


def ref(name: str, formula: Callable[[Frame], pd.Series]) -> None:
    assert name not in REFERENCE
    REFERENCE[name] = formula


def rets(d: Frame) -> pd.Series:
    return np.log(d.close).diff()


def on_time(d: Frame, n: int, part: Callable[[np.ndarray, np.ndarray], float]) -> pd.Series:
    x = np.arange(n, dtype=float)
    return d.close.rolling(n).apply(lambda y: part(x, y / y[-1]), raw=True)


def residual(x: np.ndarray, y: np.ndarray) -> float:
    slope, start = np.polyfit(x, y, 1)
    return float(y[-1] - (start + slope * x[-1]))


def wilder(s: pd.Series, n: int = 14) -> float:
    """Mean of the first n, then an ewm of weight 1/n: one number at the end of a 120-bar window."""
    seeded = pd.concat([pd.Series([s.iloc[:n].mean()]), s.iloc[n:]])
    return float(seeded.ewm(alpha=1.0 / n, adjust=False).mean().iloc[-1])


def in_window(d: Frame, n: int, part: Callable[[Frame], float]) -> pd.Series:
    out = pd.Series(np.nan, index=d.index)
    for t in range(START, STOP):
        out.iloc[t] = part(d.iloc[t - n + 1 : t + 1])
    return out


def true_range(w: Frame) -> pd.Series:
    before = w.close.shift()
    return pd.concat([w.high - w.low, (w.high - before).abs(), (w.low - before).abs()], axis=1).max(axis=1).iloc[1:]


def rsi(w: Frame) -> float:
    change = w.close.diff().iloc[1:]
    up, down = wilder(change.clip(lower=0)), wilder(-change.clip(upper=0))
    return 100 - 100 / (1 + up / down)


def dx(w: Frame) -> float:
    rise, fall = w.high.diff().iloc[1:], -w.low.diff().iloc[1:]
    plus = wilder(rise.where((rise > fall) & (rise > 0), 0.0))
    minus = wilder(fall.where((fall > rise) & (fall > 0), 0.0))
    return 100 * abs(plus - minus) / (plus + minus)


def macd_histogram(w: Frame) -> float:
    line = w.close.ewm(span=12, adjust=False).mean() - w.close.ewm(span=26, adjust=False).mean()
    return float((line - line.ewm(span=9, adjust=False).mean()).iloc[-1] / w.close.iloc[-1])


def bar_variance(d: Frame) -> pd.Series:
    return np.log(d.open / d.close.shift()) ** 2 + np.log(d.high / d.low) ** 2 / (4 * np.log(2))


def amihud(d: Frame) -> pd.Series:
    value = d.close * d.volume
    return 1e6 * (rets(d).abs() / value).where(value > 0).rolling(20, min_periods=1).mean()


def market_fit(w: Frame) -> tuple[float, float, np.ndarray, float]:
    y, x = rets(w).iloc[1:].to_numpy(), np.log(w.market).diff().iloc[1:].to_numpy()
    (alpha, beta), *_ = np.linalg.lstsq(np.column_stack([np.ones(60), x]), y, rcond=None)
    sd = float(np.sqrt(np.sum((y - alpha - beta * x) ** 2) / 58))
    return float(beta), float(np.corrcoef(x, y)[0, 1]), y - beta * x, sd


def top(d: Frame) -> pd.Series:
    return d[["open", "close"]].max(axis=1)


def bottom(d: Frame) -> pd.Series:
    return d[["open", "close"]].min(axis=1)


def span(d: Frame) -> pd.Series:
    return d.high - d.low + E


ref("KMID", lambda d: (d.close - d.open) / d.open)
ref("KLEN", lambda d: (d.high - d.low) / d.open)
ref("KMID2", lambda d: (d.close - d.open) / span(d))
ref("KUP", lambda d: (d.high - top(d)) / d.open)
ref("KUP2", lambda d: (d.high - top(d)) / span(d))
ref("KLOW", lambda d: (bottom(d) - d.low) / d.open)
ref("KLOW2", lambda d: (bottom(d) - d.low) / span(d))
ref("KSFT", lambda d: (2 * d.close - d.high - d.low) / d.open)
ref("KSFT2", lambda d: (2 * d.close - d.high - d.low) / span(d))
for n in (1, 5, 10, 20, 60, 120, 250):
    ref(f"ROC{n}", lambda d, n=n: d.close.shift(n) / d.close)
ref("MOM12_1", lambda d: d.close.shift(20) / d.close.shift(250) - 1)
for n in (5, 20, 60, 200):
    ref(f"MADIST{n}", lambda d, n=n: d.close / d.close.rolling(n).mean() - 1)
for n in (20, 60):
    ref(f"BETA{n}", lambda d, n=n: on_time(d, n, lambda x, y: float(np.polyfit(x, y, 1)[0])))
    ref(f"RSQR{n}", lambda d, n=n: on_time(d, n, lambda x, y: float(np.corrcoef(x, y)[0, 1] ** 2)))
    ref(f"RESI{n}", lambda d, n=n: on_time(d, n, residual))
for n in (5, 10, 20, 60):
    ref(f"STD{n}", lambda d, n=n: rets(d).rolling(n).std())
for n in (5, 20, 60, 250):
    ref(
        f"RSV{n}",
        lambda d, n=n: (d.close - d.low.rolling(n).min()) / (d.high.rolling(n).max() - d.low.rolling(n).min() + E),
    )
for n in (20, 60):
    ref(f"IMAX{n}", lambda d, n=n: d.high.rolling(n).apply(lambda x: x.argmax() + 1, raw=True) / n)
    ref(f"IMIN{n}", lambda d, n=n: d.low.rolling(n).apply(lambda x: x.argmin() + 1, raw=True) / n)
    ref(f"QTLU{n}", lambda d, n=n: d.close.rolling(n).quantile(0.8) / d.close)
    ref(f"QTLD{n}", lambda d, n=n: d.close.rolling(n).quantile(0.2) / d.close)
    ref(f"RANK{n}", lambda d, n=n: d.close.rolling(n).rank(pct=True))
for n in (10, 20, 60):
    ref(f"CORR{n}", lambda d, n=n: d.close.rolling(n).corr(np.log(d.volume + 1)))
    ref(
        f"CORD{n}",
        lambda d, n=n: (d.close / d.close.shift()).rolling(n).corr(np.log(d.volume / d.volume.shift() + 1)),
    )
    ref(
        f"CNTD{n}",
        lambda d, n=n: (
            (d.close > d.close.shift()).astype(float).rolling(n).mean()
            - (d.close < d.close.shift()).astype(float).rolling(n).mean()
        ),
    )
    ref(
        f"SUMD{n}",
        lambda d, n=n: d.close.diff().rolling(n).sum() / (d.close.diff().abs().rolling(n).sum() + E),
    )
for n in (5, 20, 60):
    ref(f"VMA{n}", lambda d, n=n: d.volume.rolling(n).mean() / (d.volume + E))
ref("VSTD20", lambda d: d.volume.rolling(20).std() / (d.volume + E))
for n in (20, 60):
    ref(
        f"WVMA{n}",
        lambda d, n=n: (
            (d.close.pct_change().abs() * d.volume).rolling(n).std()
            / ((d.close.pct_change().abs() * d.volume).rolling(n).mean() + E)
        ),
    )
ref("VSUMD20", lambda d: d.volume.diff().rolling(20).sum() / (d.volume.diff().abs().rolling(20).sum() + E))
ref("PARKINSON20", lambda d: np.sqrt((np.log(d.high / d.low) ** 2).rolling(20).mean() / (4 * np.log(2))))
ref(
    "GARMANKLASS20",
    lambda d: np.sqrt(
        (0.5 * np.log(d.high / d.low) ** 2 - (2 * np.log(2) - 1) * np.log(d.close / d.open) ** 2).rolling(20).mean()
    ),
)
ref(
    "ROGERSSATCHELL20",
    lambda d: np.sqrt(
        (np.log(d.high / d.close) * np.log(d.high / d.open) + np.log(d.low / d.close) * np.log(d.low / d.open))
        .rolling(20)
        .mean()
    ),
)
ref("ATR14", lambda d: in_window(d, 120, lambda w: wilder(true_range(w)) / w.close.iloc[-1]))
ref("VR5_60", lambda d: rets(d).rolling(5).std() / (rets(d).rolling(60).std() + E))
for n in (1, 5, 22):
    ref(f"RV{n}", lambda d, n=n: np.log(bar_variance(d).rolling(n).mean() + E))
ref("VOLVOL20", lambda d: (bar_variance(d) ** 0.5).rolling(20).std() / (bar_variance(d) ** 0.5).rolling(20).mean())
ref("SKEW60", lambda d: rets(d).rolling(60).apply(lambda x: np.mean((x - x.mean()) ** 3) / x.std() ** 3, raw=True))
ref("KURT60", lambda d: rets(d).rolling(60).apply(lambda x: np.mean((x - x.mean()) ** 4) / x.var() ** 2 - 3, raw=True))
ref(
    "AC1_20",
    lambda d: (
        rets(d).rolling(20).apply(lambda x: np.dot((x - x.mean())[1:], (x - x.mean())[:-1]) / (20 * x.var()), raw=True)
    ),
)
ref("DOWNVAR20", lambda d: (rets(d).clip(upper=0) ** 2).rolling(20).sum() / (rets(d) ** 2).rolling(20).sum())
ref("AMIHUD20", amihud)
ref("DOLLARVOL20", lambda d: np.log1p((d.close * d.volume).rolling(20).mean()))
ref("MOMON20", lambda d: np.log(d.open / d.close.shift()).rolling(20).sum())
ref("MOMID20", lambda d: np.log(d.close / d.open).rolling(20).sum())
ref("MAXRET20", lambda d: rets(d).rolling(20).max())
ref("RSI14", lambda d: in_window(d, 120, rsi))
ref("MACDHIST", lambda d: in_window(d, 120, macd_histogram))
ref("BBPOS20", lambda d: (d.close - d.close.rolling(20).mean()) / (2 * d.close.rolling(20).std(ddof=0)))
ref("DX14", lambda d: in_window(d, 120, dx))
ref(
    "STOCHK14",
    lambda d: (d.close - d.low.rolling(14).min()) / (d.high.rolling(14).max() - d.low.rolling(14).min()),
)
ref("GAP", lambda d: d.open / d.close.shift() - 1)
ref("MBETA60", lambda d: in_window(d, 61, lambda w: market_fit(w)[0]))
ref("MCORR60", lambda d: in_window(d, 61, lambda w: market_fit(w)[1]))
ref("IVOL60", lambda d: in_window(d, 61, lambda w: market_fit(w)[3]))
ref("RMOM20", lambda d: in_window(d, 61, lambda w: market_fit(w)[2][-20:].sum() / (market_fit(w)[3] * 20**0.5)))
ref("RMOM5", lambda d: in_window(d, 61, lambda w: market_fit(w)[2][-5:].sum() / (market_fit(w)[3] * 5**0.5)))


@pytest.fixture(scope="module")
def ours(daily: pd.DataFrame) -> np.ndarray:
    d = daily
    columns = (d[name].to_numpy() for name in ("open", "high", "low", "close", "volume", "market"))
    return features_history(*columns)


def test_there_are_93_features_in_twelve_groups_and_each_has_a_second_formula() -> None:
    assert FEATURE_COUNT == 93
    assert len(set(FEATURE_NAMES)) == 93
    assert set(REFERENCE) == set(FEATURE_NAMES)
    assert [i for group in GROUPS.values() for i in range(93)[group]] == list(range(93))


@pytest.mark.parametrize("name", FEATURE_NAMES)
def test_the_feature_is_its_formula_on_apple_beside_spy(name: str, ours: np.ndarray, daily: pd.DataFrame) -> None:
    mine = ours[START:STOP, FEATURE_INDEX[name]]
    other = REFERENCE[name](daily).to_numpy()[START:STOP]
    assert np.isfinite(mine).all()
    np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["IMAX20", "IMAX60", "IMIN20", "IMIN60", "RANK20", "RANK60", "CNTD20", "RSV60"])
def test_equal_prices_are_treated_as_pandas_and_numpy_treat_them(name: str, daily: pd.DataFrame) -> None:
    coarse = daily.round({"open": -1, "high": -1, "low": -1, "close": -1})
    coarse = coarse.iloc[800:1100]
    mine = features_history(*(coarse[c].to_numpy() for c in ("open", "high", "low", "close", "volume")))
    expected = REFERENCE[name](coarse).to_numpy()
    np.testing.assert_allclose(mine[61:, FEATURE_INDEX[name]], expected[61:], rtol=1e-9)


@pytest.mark.parametrize(("name", "needs", "reads"), FEATURES)
def test_the_feature_appears_at_the_bar_the_table_promises(name: str, needs: int, reads: str, ours: np.ndarray) -> None:
    column = ours[:, FEATURE_INDEX[name]]
    assert np.isnan(column[: needs - 1]).all()
    assert np.isfinite(column[needs - 1 :]).all()
