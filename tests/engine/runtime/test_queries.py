"""Indicators, scans and capabilities, asked of a whole engine on the simulated market."""

import numpy as np
import pytest

from engine.api.commands import GetBars, GetCapabilities, GetIndicator, GetIndicators, Scan
from engine.features.indicators.registry import INDICATORS
from engine.runtime.catalogue import IndicatorCatalogue
from engine.runtime.engine import Engine
from engine.scoring.technical.expression import Bars, Rule

WEEK = 604_800


@pytest.fixture
async def engine(make_spec):
    made = Engine(make_spec(symbols=("AAPL", "MSFT", "NVDA", "JPM")))
    await made.start()
    await made.run(1_000)
    yield made
    await made.stop()


def column(data: dict, name: str) -> np.ndarray:
    return np.frombuffer(data["outputs"][name], np.float64)


async def ask(engine: Engine, command):
    return await engine.parts.handler.handle(command)


async def test_the_table_names_every_indicator_with_bounds_and_only_outputs_that_are_drawn(engine):
    table = {row["id"]: row for row in (await ask(engine, GetIndicators())).data["indicators"]}
    assert set(table) == set(INDICATORS)
    assert table["ema"]["params"][0] == {
        "name": "period", "type": "int", "default": 20, "minimum": 1.0, "maximum": 5000.0, "choices": [],
    }  # fmt: skip
    assert [output["name"] for output in table["supertrend"]["outputs"]] == ["supertrend"]


async def test_an_indicator_is_the_kernel_over_the_bars_of_the_chart_and_the_forming_one(engine):
    bars = (await ask(engine, GetBars(symbol="AAPL", seconds=300, count=5_000))).data
    closes = np.frombuffer(bars["close"], np.float64)
    data = (await ask(engine, GetIndicator(symbol="AAPL", seconds=300, id="ema", params={"period": 9}))).data
    stamps = np.frombuffer(data["ts_open"], np.int64)
    assert data["forming"] is True
    assert np.array_equal(stamps[:-1][-50:], np.frombuffer(bars["ts_open"], np.int64)[-50:])
    expected = INDICATORS["ema"].compute({"close": closes}, period=9)["ema"]
    assert np.array_equal(column(data, "ema")[:-1][-200:], expected[-200:])
    assert np.isfinite(column(data, "ema")[-1])


async def test_fewer_bars_of_an_indicator_have_the_same_values_as_many(engine):
    many = (await ask(engine, GetIndicator(symbol="MSFT", seconds=60, id="psar"))).data
    few = (await ask(engine, GetIndicator(symbol="MSFT", seconds=60, id="psar", count=2))).data
    assert len(column(few, "psar")) == 2
    assert np.array_equal(column(few, "psar"), column(many, "psar")[-2:])


BAD_INDICATORS = (
    ({"id": "magic"}, "INDICATOR", "magic"),
    ({"params": {"period": 0}}, "PARAMETER", "period"),
    ({"params": {"depth": 3}}, "PARAMETER", "depth"),
    ({"symbol": "NOPE"}, "NO_BARS", "NOPE"),
    ({"count": 0}, "ARGUMENT", "count"),
)


async def test_a_bad_question_about_an_indicator_is_refused_by_name(engine):
    for changes, code, says in BAD_INDICATORS:
        receipt = await ask(engine, GetIndicator(**{"symbol": "AAPL", "seconds": 60, "id": "sma", **changes}))
        assert (receipt.ok, receipt.code) == (False, code)
        assert says in receipt.text


async def test_the_cloud_says_how_far_it_is_drawn_ahead(engine):
    data = (await ask(engine, GetIndicator(symbol="AAPL", seconds=60, id="ichimoku", params={"displacement": 30}))).data
    assert data["shifts"]["lead_a"] == 30
    assert data["shifts"]["chikou"] == -30
    assert data["shifts"]["tenkan"] == 0


async def test_a_scan_finds_exactly_the_symbols_for_which_the_strategy_language_holds(engine):
    rules = ("close > ema(20)", "rsi(14) > 50")
    data = (await ask(engine, Scan(rules=rules, seconds=300, columns=("rsi(14)",)))).data
    expected = {}
    for symbol in engine.parts.place.cache.symbols():
        found = engine.parts.place.bars.arrays(symbol, 300, 5_000)
        bars = Bars(columns={n: np.array(getattr(found, n)) for n in ("open", "high", "low", "close", "volume")})
        made = [Rule(text, IndicatorCatalogue()) for text in (*rules, "rsi(14)")]
        if all(rule.check(bars).holds for rule in made[:2]):
            expected[symbol] = made[2].value(bars)
    assert {row["symbol"]: row["values"][0] for row in data["rows"]} == expected
    assert data["scanned"] == 4
    nothing = (await ask(engine, Scan(rules=("close < 0",), seconds=300))).data
    assert nothing["rows"] == []


BAD_SCANS = (
    ({"rules": ()}, "ARGUMENT", "at least one"),
    ({"rules": ("close >",)}, "RULE", "close >"),
    ({"rules": ("__import__('os')",)}, "RULE", "__import__"),
    ({"columns": ("rsi(0)",)}, "RULE", "period"),
    ({"rules": ("close > 0",) * 21}, "ARGUMENT", "20"),
    ({"seconds": 5}, "ARGUMENT", "60 s"),
)


async def test_a_scan_that_cannot_be_read_is_refused_with_its_rule(engine):
    for changes, code, says in BAD_SCANS:
        receipt = await ask(engine, Scan(**{"rules": ("close > 0",), "seconds": 300, **changes}))
        assert (receipt.ok, receipt.code) == (False, code)
        assert says in receipt.text


async def test_a_symbol_without_enough_history_is_counted_not_guessed(engine):
    data = (await ask(engine, Scan(rules=("close > sma(5000)",), seconds=86_400))).data
    assert (data["rows"], data["scanned"], data["short"]) == ([], 0, 4)


async def test_capabilities_are_those_of_the_broker_in_use_and_the_algorithms_that_can_be_named(engine):
    data = (await ask(engine, GetCapabilities())).data
    assert data["broker"] == engine.parts.broker.name
    assert data["order_types"] == [kind.value for kind in engine.parts.broker.capabilities.order_types]
    twap = next(algo for algo in data["algos"] if algo["name"] == "twap")
    assert twap["params"][0]["name"] == "minutes"
    assert twap["params"][0]["default"] == "30"


async def test_the_week_that_forms_holds_its_closed_days_and_today(engine):
    forming = engine.parts.showing.outbox.bars.forming("AAPL", WEEK)
    day = engine.parts.showing.outbox.bars.forming("AAPL", 86_400)
    weeks = engine.parts.place.bars.arrays("AAPL", WEEK, 3)
    assert forming.ts_open > int(weeks.ts_open[-1])
    assert (forming.close, forming.ts_open <= day.ts_open) == (day.close, True)
    assert forming.high >= day.high
    assert forming.volume >= day.volume
