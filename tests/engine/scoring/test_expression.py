"""A rule computes over bars and can do nothing else."""

from collections.abc import Mapping

import numpy as np
import pytest

from engine.scoring.technical.expression import Bars, Rule, RuleError


class TwoIndicators:
    """sma(period) and bands(period) with two outputs."""

    def known(self, name):
        return name in ("sma", "bands")

    def outputs(self, name):
        return ("sma",) if name == "sma" else ("upper", "lower")

    def bind(self, name, positional, named) -> Mapping[str, object]:
        period = int(positional[0]) if positional else int(named.get("period", 3))
        if not 1 <= period <= 100:
            raise ValueError("period must be 1..100")
        return {"period": period}

    def compute(self, name, columns, params):
        n = params["period"]
        close = columns["close"]
        mean = np.full(close.shape, np.nan)
        if close.size >= n:
            mean[n - 1 :] = np.convolve(close, np.ones(n) / n, mode="valid")
        return {"sma": mean} if name == "sma" else {"upper": mean + 1, "lower": mean - 1}

    def warmup(self, name, params):
        return params["period"]


def bars(*close: float, **features: float) -> Bars:
    column = np.array(close, dtype=float)
    return Bars(columns=dict.fromkeys(("open", "high", "low", "close", "volume"), column), features=features)


def holds(text: str, data: Bars) -> bool:
    return Rule(text, TwoIndicators(), frozenset({"RSV20"})).check(data).holds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close > 3", True),
        ("close > sma(3)", True),
        ("close[1] == 3", None),
        ("2 < close < 3", False),
        ("2 < close <= 4", True),
        ("close > 3 and sma(2) > 3", True),
        ("not close > 3", False),
        ("close - sma(3) >= 1", True),
        ("crosses_above(close, 3.5)", True),
        ("crosses_above(close, 2.5)", False),
        ("close >= highest(close, 3)", True),
        ("bands(3).upper > bands(3).lower", True),
        ("-close < -3", True),
    ],
)
def test_rules_read_the_newest_bar(text: str, expected):
    if expected is None:
        with pytest.raises(RuleError, match="compare"):
            holds(text, bars(1, 2, 3, 4))
    else:
        assert holds(text, bars(1, 2, 3, 4)) is expected


def test_an_unknown_value_never_holds_either_way():
    short = bars(1, 2)
    rule = Rule("close > sma(3)", TwoIndicators())
    assert not rule.check(short).holds
    assert not rule.check(short).known
    assert not holds("not close > sma(3)", short)


def test_a_feature_is_read_by_its_name():
    assert holds("RSV20 > 0.8", bars(1, RSV20=0.9))
    assert not holds("RSV20 > 0.8", bars(1))


def test_the_text_of_an_outcome_shows_the_numbers_seen():
    assert Rule("close > sma(2)", TwoIndicators()).check(bars(1, 3)).text == "close 3 > sma(2) 2"
    wide = Rule("close > sma(2)", TwoIndicators()).check(bars(6_671_120, 7_302_990))
    assert wide.text == "close 7302990 > sma(2) 6987055", "no exponents: nobody reads them"


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "close.__class__ > 1",
        "open('x') > 1",
        "[c for c in close][0] > 1",
        "lambda: 1",
        "(close := 5) > 1",
        "close if close > 1 else 2",
        "f'{close}' > 1",
        "sma(period=__import__('os')) > 1",
        "sma(1000) > 1",
        "nosuch > 1",
        "bands(3).middle > 1",
        "close >",
        "close[-1] > 1",
        "close ** 2 > 1",
    ],
)
def test_what_is_not_in_the_language_is_refused_when_it_is_read(text: str):
    with pytest.raises(RuleError):
        Rule(text, TwoIndicators())


def test_warm_up_covers_the_longest_look_back():
    assert Rule("close[5] > sma(20)", TwoIndicators()).warmup >= 20


def test_an_average_over_an_average_needs_the_bars_of_both() -> None:
    rule = Rule("close >= highest(sma(20), 50)[1]", TwoIndicators())
    closes = np.linspace(1.0, 2.0, rule.warmup)
    assert rule.check(bars(*closes)).holds
    assert not rule.check(bars(*closes[4:])).known


def test_the_longest_of_several_looks_back_counts_and_not_their_sum() -> None:
    assert Rule("highest(close, 30) > lowest(close, 10)", TwoIndicators()).warmup == 30


@pytest.mark.parametrize("length", ["0", "-5", "2.5", "sma(3)", "close", "True"])
def test_a_look_back_is_over_a_whole_number_of_bars(length: str) -> None:
    with pytest.raises(RuleError, match=r"whole number of bars|no numbers"):
        Rule(f"close > mean(close, {length})", TwoIndicators())
