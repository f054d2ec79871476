"""A running engine: what it scored bar by bar is what a try says of those bars and what a chart draws at them."""

from collections import Counter

import numpy as np
import pytest

from engine.api import commands as c
from engine.model.events.thought import Scored
from engine.model.ids import Symbol
from engine.runtime.engine import Engine
from engine.scoring.technical.expression import _number

KEEN = """id: keen
title: Keen
horizon: day
bar_seconds: 60
symbols: [AAPL, NVDA]
cooldown_bars: 0
base_score: 0.5
min_score: 0.5
long: {enter: ["ema(9) > ema(21)", "rsi(14) > 50", "MBETA60 > 1"]}
short: {enter: ["ema(9) < ema(21)", "close < vwap()"]}
"""


@pytest.fixture
async def engine(make_spec):
    made = Engine(make_spec(symbols=("AAPL", "MSFT", "NVDA", "JPM")))
    await made.start()
    await made.run(60)
    yield made
    await made.stop()


async def ask(engine: Engine, command) -> dict:
    receipt = await engine.parts.handler.handle(command)
    assert receipt.ok, receipt.text
    return receipt.data


async def counted(engine: Engine) -> Counter:
    rows = (await ask(engine, c.TryStrategy(text=KEEN)))["rows"]
    return Counter({(row["symbol"], side): row[side] for row in rows for side in ("long", "short")})


async def drawn(engine: Engine, symbol: str, period: int) -> dict[int, float]:
    command = c.GetIndicator(symbol=Symbol(symbol), seconds=60, id="ema", params={"period": period})
    data = await ask(engine, command)
    stamps, values = np.frombuffer(data["ts_open"], np.int64), np.frombuffer(data["outputs"]["ema"], np.float64)
    return dict(zip(stamps.tolist(), values.tolist(), strict=True))


async def test_what_was_scored_is_what_a_try_counts_and_what_a_chart_draws(engine):
    heard: list[tuple[str, int, str, str]] = []

    def hear(event: Scored) -> None:
        forecast = event.forecast
        if forecast.source == "technical:keen" and forecast.score:
            newest = engine.parts.place.bars.arrays(forecast.symbol, 60, 1)
            side = "long" if forecast.score > 0 else "short"
            heard.append((forecast.symbol, int(newest.ts_open[-1]), side, forecast.evidence[0].text))

    await ask(engine, c.SaveStrategy(text=KEEN))
    before = await counted(engine)
    engine.parts.bus.subscribe(Scored, hear, owner="test")
    await engine.run(2_700)
    after = await counted(engine)
    assert after - before == Counter((symbol, side) for symbol, _, side, _ in heard)
    assert len(heard) > 20
    assert {side for _, _, side, _ in heard} == {"long", "short"}
    for symbol in ("AAPL", "NVDA"):
        nine, twenty_one = await drawn(engine, symbol, 9), await drawn(engine, symbol, 21)
        for _, bar, side, said in (one for one in heard if one[0] == symbol):
            sign = ">" if side == "long" else "<"
            assert said == f"ema(9) {_number(nine[bar])} {sign} ema(21) {_number(twenty_one[bar])}"


async def test_the_market_of_a_try_is_every_symbol_however_few_are_tried(engine):
    text = KEEN.replace("symbols: [AAPL, NVDA]\n", "")
    everyone = {row["symbol"]: row for row in (await ask(engine, c.TryStrategy(text=text)))["rows"]}
    alone = (await ask(engine, c.TryStrategy(text=text, symbols=(Symbol("NVDA"),))))["rows"]
    assert alone == [everyone["NVDA"]]
    assert everyone["NVDA"]["long"] > 0
