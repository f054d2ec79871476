"""Daily bars replayed: what a day's bar says is traded in the next session, and what was played is nobody's account."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import numpy as np
import pytest

from engine.bus.clock import SECOND
from engine.market.calendars import Calendars
from engine.memory.bar_archive import BarArchive
from engine.model.decision import Autonomy, Book
from engine.runtime.engine import Engine
from engine.runtime.spec import ReplaySpec

DAY = """
id: {name}
title: {name}
horizon: swing
bar_seconds: 86400
long:
  enter: ["close > sma(5)"]
  exit: ["close < sma(5)"]
base_score: 1.0
min_score: 0.5
atr_period: 2
stop_atr: {stop}
target_atr: 9.0
risk_percent: 0.2
expires_bars: 1
cooldown_bars: 1
entry: {entry}
"""
RISING, FALLING = 18, 8


def daily_bars(folder, start: str = "2016-02-29", symbol: str = "AAPL", volume: float = 4e6) -> list[int]:
    """Sessions that rise by one a day, then fall by one a day; returns their opens (UTC ns)."""
    calendars = Calendars(folder / "calendars")
    at = int(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp()) * SECOND
    opens, closes = [], []
    while len(opens) < RISING + FALLING:
        session = calendars.session("XNYS", at)
        first = session.open_ns if session.open_ns > at else session.next_open_ns
        session = calendars.session("XNYS", first)
        opens.append(session.open_ns)
        closes.append(session.close_ns)
        at = session.close_ns + SECOND
    steps = np.concatenate([np.arange(RISING), RISING - 2 - np.arange(FALLING)]).astype(np.float64)
    middle = 100.003 + steps
    BarArchive(folder / "bars").append(
        symbol,
        86_400,
        {
            "ts_open": np.array(opens, np.int64),
            "ts_close": np.array(closes, np.int64),
            "open": middle - 0.2,
            "high": middle + 1.0,
            "low": middle - 1.0,
            "close": middle + 0.2,
            "volume": np.full(middle.size, volume),
        },
        kind="bar",
    )
    return opens


@pytest.fixture
def replayed(make_spec, tmp_path):
    """Play the bars with one daily strategy; return the summary and the events."""

    async def play(name: str = "profile", entry: str = "touch", stop: float = 8.0, auto: bool = True, **bars):
        folder = tmp_path / f"strategies-{entry}"
        folder.mkdir(exist_ok=True)
        (folder / "daily.yaml").write_text(DAY.format(name="daily", entry=entry, stop=stop), encoding="utf-8")
        profile = make_spec(name).profile
        opens = daily_bars(profile, **bars)
        lines = StringIO()
        spec = make_spec(
            name, book=Book.REPLAY, demo=None, replay=ReplaySpec(), universe=(), strategies=folder, speed=None
        )
        engine = Engine(spec, lines)
        await engine.start()
        assert not auto or (await engine.arm_auto("cli", "test")).ok
        await engine.run()
        summary = await engine.stop()
        return summary, [json.loads(line) for line in lines.getvalue().splitlines()], opens

    return play


def fills(events: list[dict]) -> list[dict]:
    return [event for event in events if event["event"] == "OrderFilled"]


async def test_a_daily_signal_is_bought_after_the_next_open_at_that_days_open(replayed):
    summary, events, opens = await replayed()
    first = fills(events)[0]
    assert first["side"] == "BUY"
    day = next(i for i, opened in enumerate(opens) if opened < first["ts_event"] < opened + 6.5 * 3600 * SECOND)
    assert first["ts_event"] - opens[day] < 600 * SECOND
    opened = 100.003 + day - 0.2
    assert Decimal(str(opened)) < Decimal(first["fill"]["price"]) < Decimal(str(opened + 0.03))
    assert summary.reconciled


async def test_a_rule_that_ends_a_trade_ends_its_stop_and_target_with_it(replayed):
    summary, events, _ = await replayed()
    sold = [event for event in fills(events) if event["side"] == "SELL"]
    assert sold, "the rule closed nothing"
    assert sold[0]["ref"].endswith("-A")
    assert summary.positions == {}
    opened = [event["position"]["quantity"] for event in events if event["event"] == "PositionOpened"]
    assert opened
    assert not [quantity for quantity in opened if quantity.startswith("-")]


async def test_an_entry_of_a_daily_strategy_that_rests_lives_until_its_session_ends(replayed):
    _, events, opens = await replayed(entry="close")
    rests = [event for event in events if event["event"] == "OrderSubmitted" and event["ref"].endswith("-A")]
    request = rests[0]["status"]["request"]
    day = max(opened for opened in opens if opened < rests[0]["ts_event"])
    assert (request["tif"], request["good_till_ns"]) == ("GTD", day + round(6.5 * 3600) * SECOND)


async def test_over_a_weekend_a_daily_signal_keeps_its_strength(replayed):
    summary, events, _ = await replayed()
    assert not [event for event in events if event["event"] == "ApprovalAsked"]
    assert summary.silent == {"already holds a position": 9}


async def test_what_is_suggested_on_an_index_is_refused_with_its_reason(replayed):
    summary, events, _ = await replayed(symbol="SP500", auto=False)
    denied = [event for event in events if event["event"] == "RiskDenied"]
    assert len(denied) == summary.counts["Suggested"] > 0
    assert {event["denials"][0]["text"] for event in denied} == {"SP500 is an index; it cannot be traded."}


async def test_where_no_volume_was_recorded_a_suggestion_still_fits_the_limits_and_waits_for_a_person(replayed):
    _, events, _ = await replayed(volume=0.0, auto=False)
    (first, *_) = [event for event in events if event["event"] == "RiskCleared"]
    assert Decimal(first["verdict"]["notional"]) <= 50_000
    assert [warning["code"] for warning in first["verdict"]["warnings"]] == ["G2"]


async def test_the_same_replay_twice_on_one_profile_is_the_same(replayed):
    first, _, _ = await replayed("same")
    again, _, _ = await replayed("same")
    assert first.decision_hash == again.decision_hash
    assert first.cash == again.cash != {"USD": Decimal(1_000_000)}


async def test_a_replay_changes_neither_autonomy_nor_account_of_its_profile(make_spec, replayed):
    await replayed("kept")
    engine = Engine(make_spec("kept"))
    await engine.start()
    try:
        assert engine.parts.trading.modes.autonomy is Autonomy.ASK
        assert engine.parts.trading.desk.orders() == {}
        engine.clock.advance(1)  # the books are compared with the exchange's; before that our cash is not known
        assert engine.summary(engine.parts.broker.snapshot_now()).cash == {"USD": Decimal(1_000_000)}
    finally:
        await engine.stop()
