"""Each world keeps what it promises."""

import numpy as np
import pytest
from scipy.stats import skew


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_null_world_is_a_martingale(make_market, seed):
    market = make_market("null", seed, symbols=None)
    bars = market.daily_bars(0, 2000)
    r = bars.close[:, 1:] / bars.close[:, :-1] - 1
    own = r - r.mean(axis=0)
    past = np.stack([own[:, 4 - k : own.shape[1] - 1 - k] for k in range(5)]).sum(axis=0)
    future = own[:, 5:]
    # Dollar-neutral P&L of following (or fading) the last week: t within chance.
    pnl = (past * future).mean(axis=0)
    assert abs(pnl.mean() / (pnl.std() / np.sqrt(len(pnl)))) < 3.5
    signal, _ = market.signals(-2000, 0)
    assert not signal.any()
    assert market.truth("AAPL", 0).expected_return == 0.0


@pytest.mark.parametrize("seed", [1, 2])
def test_intraday_steps_of_the_null_world_do_not_predict_each_other(make_market, seed):
    market = make_market("null", seed, symbols=None)
    closes = np.concatenate([np.log(market.intraday_bars(day, 300).close) for day in range(10)], axis=0)
    r = np.diff(closes, axis=1)
    z = r / r.std(axis=0)
    for lag in (1, 2, 12):
        # The closes are prints at bid or offer: their bounce leaves a trace at lag 1.
        assert abs(np.mean(z[:, lag:] * z[:, :-lag])) < (0.06 if lag == 1 else 0.03)
    first, second = closes[:, 38] - closes[:, 0], closes[:, -1] - closes[:, 38]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15


@pytest.mark.parametrize("kind", ["linear", "interaction"])
@pytest.mark.parametrize("ic", [0.05, 0.10])
def test_the_planted_world_has_its_ic(make_market, kind, ic):
    market = make_market("planted", 5, symbols=None, ic=ic, kind=kind)
    signal, shock = market.signals(-2000, 0)
    assert 0.9 < signal.std() < 1.1
    found = np.corrcoef(signal.ravel(), np.clip(shock, -6, 6).ravel())[0, 1]
    assert abs(found - ic) < 0.012
    truth = market.truth("KO", 0)
    assert truth.expected_return / (ic * truth.signal * truth.sigma) == pytest.approx(1.136, abs=0.01)


def test_the_linear_signal_can_be_rebuilt_from_bars(make_market):
    market = make_market("planted", 5, symbols=None, ic=0.05)
    bars = market.daily_bars(0, 1000)
    r = bars.close[:, 1:] / bars.close[:, :-1] - 1
    own = r - r.mean(axis=0)
    weeks = -np.stack([own[:, 4 - k : own.shape[1] - k] for k in range(5)]).sum(axis=0)
    signal = market.signals(-994, 1)[0]
    assert np.corrcoef(weeks.ravel(), signal.ravel())[0, 1] > 0.4


@pytest.mark.parametrize("name", ["news-drift", "mixed"])
def test_prices_drift_after_true_news(make_market, name):
    market = make_market(name, 2, symbols=None, ic=0.05)
    signal, shock = market.signals(-2400, 0)
    assert np.corrcoef(signal.ravel(), np.clip(shock, -6, 6).ravel())[0, 1] == pytest.approx(0.05, abs=0.012)
    assert np.mean(signal == 0) < 0.9


def test_the_lottery_world_is_skewed_but_fair(make_market):
    market = make_market("lottery", 1, symbols=None)
    bars = market.daily_bars(0, 2000)
    r = bars.close[:, 1:] / bars.close[:, :-1] - 1
    own = r - r.mean(axis=0)
    lean = skew(own[:, :1000], axis=1)
    lottery = lean > np.median(lean)
    own = own[:, 1000:]
    # Lottery shares go up less often (a classifier would see that) and still earn nothing.
    ups = (own > 0).mean(axis=1)
    assert ups[lottery].mean() < ups[~lottery].mean() - 0.01
    spread = own[lottery].mean(axis=0) - own[~lottery].mean(axis=0)
    assert abs(spread.mean() / (spread.std() / np.sqrt(len(spread)))) < 3.0


def test_overnight_and_session_returns_are_independent(make_market):
    market = make_market("null", 3, symbols=None)
    bars = market.daily_bars(0, 2000)
    night = bars.open[:, 1:] / bars.close[:, :-1] - 1
    session = bars.close[:, 1:] / bars.open[:, 1:] - 1
    assert abs(np.corrcoef(night.ravel(), session.ravel())[0, 1]) < 0.03
    assert 0.15 < night.var() / (night.var() + session.var()) < 0.45
