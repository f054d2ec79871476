"""What the kernel promises whatever it is given: no future, no infinity, NaN only for a reason, the same bits again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.features.jit import plain
from engine.features.kernel import features_at, features_history
from engine.features.names import FEATURE_COUNT, FEATURE_INDEX, FEATURE_NAMES, FEATURES, WINDOW, Needs

COLUMNS = ("open", "high", "low", "close", "volume", "market")


def history(bars: dict[str, np.ndarray], stop: int | None = None) -> np.ndarray:
    return features_history(*(bars[name][:stop] for name in COLUMNS))


def one(columns: np.ndarray) -> np.ndarray:
    out = np.empty(FEATURE_COUNT)
    features_at(*(plain(x) for x in columns), out)
    return out


def looks_ahead(compute, bars: dict[str, np.ndarray], cut: int) -> bool:
    """Whether dropping every row after `cut` changes a value at or before it, bit for bit."""
    whole = compute(bars)[: cut + 1]
    short = compute({name: column[: cut + 1] for name, column in bars.items()})
    return whole.tobytes() != short.tobytes()


@pytest.mark.parametrize("cut", [0, 1, 59, 251, 252, 700, 1999])
def test_dropping_the_future_changes_no_bit(bars: dict[str, np.ndarray], cut: int) -> None:
    assert not looks_ahead(history, bars, cut)


def test_a_feature_that_reads_the_next_bar_is_caught(bars: dict[str, np.ndarray]) -> None:
    def poisoned(columns: dict[str, np.ndarray]) -> np.ndarray:
        out = features_history(*(columns[name] for name in COLUMNS))
        close = columns["close"]
        out[:-1, FEATURE_INDEX["ROC1"]] = close[:-1] / close[1:]
        return out

    assert looks_ahead(poisoned, bars, 700)


def test_a_value_does_not_depend_on_when_the_history_began(bars: dict[str, np.ndarray]) -> None:
    late = {name: bars[name][300:1000] for name in COLUMNS}
    assert history(bars)[551:1000].tobytes() == history(late)[251:].tobytes()


def test_only_the_last_252_bars_count(bars: dict[str, np.ndarray]) -> None:
    columns = np.stack([bars[name][:600] for name in COLUMNS])
    changed = columns.copy()
    changed[:, : 600 - WINDOW] *= 3.0
    ours = features_history(*columns)[-1]
    assert ours.tobytes() == features_history(*changed)[-1].tobytes()
    assert ours.tobytes() == one(columns[:, -WINDOW:]).tobytes()


def test_prices_in_another_currency_give_the_same_features(bars: dict[str, np.ndarray]) -> None:
    columns = np.stack([bars[name][:800] for name in COLUMNS])
    scaled = columns.copy()
    scaled[:4] *= 7.3
    scaled[5] *= 0.02
    kept = [i for i, name in enumerate(FEATURE_NAMES) if name not in {"AMIHUD20", "DOLLARVOL20"}]
    np.testing.assert_allclose(
        features_history(*scaled)[:, kept], features_history(*columns)[:, kept], rtol=1e-7, atol=1e-9
    )


def test_volume_in_lots_of_a_hundred_gives_the_same_volume_features(bars: dict[str, np.ndarray]) -> None:
    columns = np.stack([bars[name][:800] for name in COLUMNS])
    scaled = columns.copy()
    scaled[4] /= 100.0
    kept = [i for i, name in enumerate(FEATURE_NAMES) if name not in {"AMIHUD20", "DOLLARVOL20"}]
    np.testing.assert_allclose(
        features_history(*scaled)[:, kept], features_history(*columns)[:, kept], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("column", range(4))
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0, 0.0, 1e13])
def test_an_invalid_price_cuts_the_history_there(walks, column: int, wrong: float) -> None:
    columns = walks(1, WINDOW, seed=1)[:, 0]
    columns[column, 231] = wrong
    out = one(columns)
    assert out.tobytes() == one(columns[:, 232:]).tobytes()
    for i, (name, needs, _) in enumerate(FEATURES):
        assert np.isnan(out[i]) == (needs > 20), name


def test_an_invalid_last_bar_gives_nothing_at_all(walks) -> None:
    columns = walks(1, WINDOW, seed=2)[:, 0]
    columns[1, -1], columns[2, -1] = 90.0, 110.0  # high below low
    assert np.isnan(one(columns)).all()


@pytest.mark.parametrize(("row", "reads"), [(4, Needs.VOLUME), (5, Needs.MARKET)])
def test_a_missing_volume_or_market_takes_only_its_own_features(walks, row: int, reads: Needs) -> None:
    columns = walks(1, WINDOW, seed=3)[:, 0]
    whole = one(columns)
    columns[row, -1] = np.nan
    out = one(columns)
    for i, (name, _, needs) in enumerate(FEATURES):
        assert np.isnan(out[i]) if needs == reads else out[i] == whole[i], name


def test_a_market_that_never_moves_gives_the_neutral_value_of_every_feature() -> None:
    columns = np.full((6, WINDOW), 50.0)
    out = dict(zip(FEATURE_NAMES, one(columns), strict=True))
    assert np.isfinite(list(out.values())).all()
    neutral = {"RSI14": 50.0, "STOCHK14": 0.5, "DOWNVAR20": 0.5, "SKEW60": 0.0, "KURT60": 0.0, "MBETA60": 0.0}
    neutral |= {"RSQR20": 0.0, "CORR20": 0.0, "STD20": 0.0, "BBPOS20": 0.0, "DX14": 0.0, "RMOM20": 0.0, "VMA20": 1.0}
    for name, value in neutral.items():
        assert out[name] == pytest.approx(value, abs=1e-12), name


def test_an_index_without_volume_has_every_feature_but_illiquidity(walks) -> None:
    columns = walks(1, WINDOW, seed=4)[:, 0]
    columns[4] = 0.0
    missing = {name for name, value in zip(FEATURE_NAMES, one(columns), strict=True) if np.isnan(value)}
    assert missing == {"AMIHUD20"}


nasty_price = st.sampled_from([1e-9, 1e-6, 0.01, 1.0, 1.0 + 1e-15, 100.0, 1e6, 1e12, np.nan, np.inf, -5.0, 0.0])
price = st.one_of(nasty_price, st.floats(1e-9, 1e12))
volume = st.one_of(st.sampled_from([0.0, 1e-12, 1.0, 1e18, np.nan, -1.0]), st.floats(0, 1e18))


@st.composite
def nasty_columns(draw: st.DrawFn) -> np.ndarray:
    """Up to 252 bars: runs of a few drawn bars, so that flat stretches and huge gaps both occur."""
    columns: list[list[float]] = []
    for _ in range(draw(st.integers(1, 6))):
        a, b, c, d = (draw(price) for _ in range(4))
        bar = [a, max(a, b, c, d), min(a, b, c, d), b, draw(volume), draw(price)]
        columns += [bar] * draw(st.sampled_from([1, 2, 20, 62]))
    return np.array(columns[:WINDOW]).T


@given(columns=nasty_columns())
@settings(max_examples=300)
def test_nothing_is_ever_infinite_or_missing_without_a_reason(columns: np.ndarray) -> None:
    out = one(columns)
    assert not np.isinf(out).any()
    assert (np.abs(out[~np.isnan(out)]) <= 1e9).all()
    o, h, l, c, v, m = columns
    prices = np.stack([o, h, l, c])
    with np.errstate(invalid="ignore"):
        good = np.isfinite(prices).all(axis=0) & (prices >= 1e-9).all(axis=0) & (prices <= 1e12).all(axis=0) & (h >= l)
        good_v, good_m = good & (v >= 0) & (v <= 1e18), good & (m >= 1e-9) & (m <= 1e12)
    counts = {
        reads: int(np.argmin(ok[::-1])) if not ok.all() else ok.size
        for reads, ok in ((Needs.PRICES, good), (Needs.VOLUME, good_v), (Needs.MARKET, good_m))
    }
    for i, (name, needs, reads) in enumerate(FEATURES):
        if name != "AMIHUD20":
            assert np.isnan(out[i]) == (needs > counts[reads]), name


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        features_history(np.ones(5), np.ones(5), np.ones(4), np.ones(5), np.ones(5))


def test_a_history_without_a_market_lacks_only_the_factor_group(walks) -> None:
    columns = walks(1, WINDOW, seed=5)[:, 0]
    last = features_history(*columns[:5])[-1]
    assert [n for n, x in zip(FEATURE_NAMES, last, strict=True) if np.isnan(x)] == list(FEATURE_NAMES[88:])
