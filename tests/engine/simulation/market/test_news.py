"""News moves prices the way the truth says, and the text never tells the truth's part."""

import numpy as np


def test_text_follows_the_move_within_two_minutes_and_its_truth_stays_apart(make_market):
    market = make_market("mixed", 3, symbols=None)
    seen = 0
    for day in range(-40, 0):
        news, truth = market.news(day), market.news_truth(day)
        assert [item.id for item in news] == [item.id for item in truth]
        for item in news:
            assert 0 <= item.published_ns - item.ts_ns <= 120_000_000_000
            assert item.published_ns < market.session(day).close_ns
            assert item.split in ("train", "blind")
            assert "{" not in item.headline + item.body
            assert not hasattr(item, "impact")
        seen += len(news)
    assert 150 < seen < 500


def test_shares_of_outcomes_are_as_specified(make_market):
    market = make_market("mixed", 4, symbols=None)
    outcomes = [truth.outcome for day in range(-200, 0) for truth in market.news_truth(day)]
    fresh = sum(outcome in ("genuine", "no_impact", "rumour") for outcome in outcomes)
    assert abs(outcomes.count("no_impact") / fresh - 0.30) < 0.04
    assert abs(outcomes.count("reversed") / fresh - 0.10) < 0.03
    blind = [item.split for day in range(-200, 0) for item in market.news(day)].count("blind") / len(outcomes)
    assert abs(blind - 0.3) < 0.04


def test_blind_headlines_never_share_a_template_with_train(make_market):
    from engine.simulation.market.news_text import CONFIRMED, DENIED, NEWS_KINDS, RUMOURS

    kinds = (*NEWS_KINDS, *RUMOURS.values(), CONFIRMED, DENIED)
    train = {text for kind in kinds for text in kind.train}
    assert train.isdisjoint(text for kind in kinds for text in kind.blind)


def test_news_in_the_session_moves_the_price_by_its_impact(make_market):
    market = make_market("null", 6, symbols=None)
    told, moved = [], []
    for day in range(-60, 0):
        session = market.session(day)
        items = [
            (n, t) for n, t in zip(market.news(day), market.news_truth(day), strict=True) if n.ts_ns > session.open_ns
        ]
        if not items:
            continue
        bars = market.intraday_bars(day, 300)
        for item, truth in items:
            row, slot = market.symbols.index(item.symbol), (item.ts_ns - session.open_ns) // 300_000_000_000
            told.append(truth.impact)
            moved.append(bars.open[row, slot] / bars.close[row, slot - 1] - 1)
    told, moved = np.array(told), np.array(moved)
    assert len(told) > 50
    # The open after the jump is measured against the last close: the spread is what remains.
    assert np.max(np.abs(told - moved)) < 0.01
    assert np.corrcoef(told, moved)[0, 1] > 0.98


def test_a_rumour_is_confirmed_or_reversed_before_the_next_open(make_market):
    market = make_market("mixed", 7, symbols=None)
    rumours = {
        (day, t.symbol): t.impact for day in range(-60, -1) for t in market.news_truth(day) if t.outcome == "rumour"
    }
    answers = {
        (day - 1, t.symbol): t
        for day in range(-59, 0)
        for t in market.news_truth(day)
        if t.outcome in ("confirmed", "reversed")
    }
    assert rumours
    for key, impact in rumours.items():
        answer = answers[key]
        assert np.isclose(answer.impact, impact if answer.outcome == "confirmed" else -impact)
