"""Strategies change while the engine runs: the next bar is judged by the new text; a broken one changes nothing."""

import asyncio
from pathlib import Path

import pytest

from engine.api import commands as c
from engine.model.events.system import Alarm, StrategyChanged
from engine.model.events.thought import Scored, Suggested
from engine.runtime.engine import Engine
from engine.scoring.technical.library import content_hash

ALWAYS = """id: always
title: Always long
horizon: day
bar_seconds: 60
long: {enter: ["close > 0"]}
"""
NEVER = ALWAYS.replace("close > 0", "close < 0")


@pytest.fixture
async def engine(make_spec):
    made = Engine(make_spec(symbols=("AAPL", "MSFT", "NVDA", "JPM")))
    await made.start()
    await made.run(120)
    yield made
    await made.stop()


async def ask(engine: Engine, command):
    return await engine.parts.handler.handle(command)


def heard(engine: Engine, kind: type) -> list:
    found: list = []
    engine.parts.bus.subscribe(kind, found.append, owner="test")
    return found


def own(engine: Engine) -> Path:
    return engine.spec.profile / "strategies"


async def test_a_saved_strategy_judges_the_next_bar_without_a_restart_and_the_change_is_recorded(engine):
    scored, changes = heard(engine, Scored), heard(engine, StrategyChanged)
    receipt = await ask(engine, c.SaveStrategy(text=ALWAYS))
    assert receipt.ok, receipt.text
    assert (own(engine) / "always.yaml").read_text() == ALWAYS
    await engine.run(200)
    sources = [event.forecast for event in scored if event.forecast.source == "technical:always"]
    assert {forecast.symbol for forecast in sources} == {"AAPL", "MSFT", "NVDA", "JPM"}
    row = next(r for r in (await ask(engine, c.GetStrategies())).data["strategies"] if r["id"] == "always")
    assert (row["origin"], row["signals"], row["hash"]) == ("own", len(sources), content_hash(ALWAYS))
    assert [(e.strategy, e.action, e.before, e.after, e.by) for e in changes] == [
        ("always", "saved", "", content_hash(ALWAYS), "window")
    ]
    recorded = [fields for _, event, fields in engine.parts.recorder.decisions("") if event == "StrategyChanged"]
    assert recorded[-1]["after"] == content_hash(ALWAYS)
    rows = [row for row in engine.parts.storage.journal.audit_rows() if row[2] == "StrategyChanged"]
    assert content_hash(ALWAYS) in rows[-1][3]


async def test_an_open_suggestion_keeps_its_evidence_when_its_strategy_is_changed(engine):
    made = heard(engine, Suggested)
    assert (await ask(engine, c.SaveStrategy(text=ALWAYS))).ok
    await engine.run(400)
    suggestion = next(e.suggestion for e in made if e.suggestion.strategy == "always")
    assert (await ask(engine, c.SaveStrategy(text=NEVER))).ok
    before = len(made)
    await engine.run(200)
    assert not [e for e in made[before:] if e.suggestion.strategy == "always"]
    kept = engine.parts.board.suggestion(suggestion.id)
    assert (kept.evidence, kept.evidence_hash) == (suggestion.evidence, suggestion.evidence_hash)
    assert kept.evidence[0].text.startswith("close ")


@pytest.mark.parametrize(
    ("text", "line"),
    [(ALWAYS.replace("close > 0", "close >"), 5), (ALWAYS + "stop_atr: 0\n", 6), ("id: [", 1), ("", 1)],
)
async def test_a_broken_text_replaces_nothing(engine, text, line):
    assert (await ask(engine, c.SaveStrategy(text=ALWAYS))).ok
    changes = heard(engine, StrategyChanged)
    receipt = await ask(engine, c.SaveStrategy(text=text))
    assert (receipt.ok, receipt.code) == (False, "STRATEGY")
    assert receipt.data["faults"][0]["line"] == line
    assert (own(engine) / "always.yaml").read_text() == ALWAYS
    scored = heard(engine, Scored)
    await engine.run(130)
    assert [e for e in scored if e.forecast.source == "technical:always"]
    assert not changes


async def test_a_disk_that_refuses_leaves_the_old_one_at_work(engine, monkeypatch):
    assert (await ask(engine, c.SaveStrategy(text=ALWAYS))).ok

    def full(path, data, mode=0o600):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.runtime.strategies.atomic_write", full)
    receipt = await ask(engine, c.SaveStrategy(text=NEVER))
    assert (receipt.ok, receipt.code) == (False, "DISK")
    assert "No space" in receipt.text
    shown = (await ask(engine, c.GetStrategy(id="always"))).data
    assert (shown["text"], shown["hash"]) == (ALWAYS, content_hash(ALWAYS))


async def test_ours_stays_untouched_and_comes_back_when_the_own_one_is_reset(engine):
    ours = (engine.spec.strategies / "day_trading.yaml").read_text()
    changed = ours.replace("stop_atr: 1.6", "stop_atr: 2.5")
    assert (await ask(engine, c.SaveStrategy(text=changed, id="day_trading", was=content_hash(ours)))).ok
    assert engine.parts.thought.strategist.recipes["day_trading"].stop_atr == 2.5
    shown = (await ask(engine, c.GetStrategy(id="day_trading"))).data
    assert (shown["origin"], shown["original"], shown["has_original"]) == ("own", ours, True)
    receipt = await ask(engine, c.ResetStrategy(id="day_trading"))
    assert receipt.ok
    assert engine.parts.thought.strategist.recipes["day_trading"].stop_atr == 1.6
    assert (engine.spec.strategies / "day_trading.yaml").read_text() == ours
    assert not (own(engine) / "day_trading.yaml").exists()
    assert (own(engine) / "day_trading.yaml.before").read_text() == changed
    assert (await ask(engine, c.ResetStrategy(id="day_trading"))).code == "ORIGINAL"


async def test_what_was_changed_elsewhere_meanwhile_is_not_overwritten(engine):
    assert (await ask(engine, c.SaveStrategy(text=ALWAYS, was=""))).ok
    receipt = await ask(engine, c.SaveStrategy(text=NEVER, was=""))
    assert (receipt.ok, receipt.code) == (False, "CHANGED")
    assert (own(engine) / "always.yaml").read_text() == ALWAYS


async def test_a_strategy_that_is_off_proposes_nothing_more_until_it_is_on(engine):
    assert (await ask(engine, c.SaveStrategy(text=ALWAYS))).ok
    assert (await ask(engine, c.SwitchStrategy(id="always", on=False))).ok
    assert "always" not in engine.parts.thought.strategist.recipes
    scored = heard(engine, Scored)
    await engine.run(130)
    assert not [e for e in scored if e.forecast.source == "technical:always"]
    assert (await ask(engine, c.SwitchStrategy(id="always", on=True))).ok
    await engine.run(130)
    assert [e for e in scored if e.forecast.source == "technical:always"]


async def test_a_text_whose_switch_cannot_be_found_is_left_alone(engine):
    odd = "{id: odd, title: Odd, horizon: day, bar_seconds: 300, long: {enter: [close > 0]}}"
    assert (await ask(engine, c.SaveStrategy(text=odd))).ok
    assert (await ask(engine, c.SwitchStrategy(id="odd", on=False))).code == "TEXT"
    assert (own(engine) / "odd.yaml").read_text() == odd


async def test_only_a_person_changes_a_strategy(engine):
    for command in (
        c.SaveStrategy(text=ALWAYS, by="pane:other"),
        c.ResetStrategy(id="day_trading", by="agent"),
        c.SwitchStrategy(id="day_trading", on=False, by="agent"),
    ):
        assert (await ask(engine, command)).code == "PERSON"


async def test_a_try_counts_signals_of_every_symbol_and_changes_nothing(engine):
    changes = heard(engine, StrategyChanged)
    data = (await ask(engine, c.TryStrategy(text=ALWAYS))).data
    rows = {row["symbol"]: row for row in data["rows"]}
    assert set(rows) == {"AAPL", "MSFT", "NVDA", "JPM"}
    assert all(row["long"] == row["bars"] > 100 and row["short"] == 0 for row in rows.values())
    assert data["rules"] == [
        {"side": "long", "part": "enter", "text": "close > 0", "held": sum(r["bars"] for r in rows.values()),
         "known": sum(r["bars"] for r in rows.values())}
    ]  # fmt: skip
    assert data["last"] == rows["AAPL"]["last"][0][0]
    assert (await ask(engine, c.TryStrategy(text="id: ["))).code == "STRATEGY"
    assert not changes
    assert not own(engine).exists()


async def test_a_check_tells_every_fault_with_its_line(engine):
    receipt = await ask(engine, c.CheckStrategy(text=ALWAYS.replace("close > 0", "rsi(0) > 1")))
    assert not receipt.ok
    assert receipt.data["faults"][0]["line"] == 5
    assert "period" in receipt.data["faults"][0]["text"]
    assert (await ask(engine, c.CheckStrategy(text=ALWAYS))).data["id"] == "always"


async def test_a_file_that_cannot_be_read_at_the_start_is_off_and_told_with_its_line(make_spec):
    spec = make_spec("broken", symbols=("AAPL",))
    folder = spec.profile / "strategies"
    folder.mkdir(mode=0o700)
    (folder / "day_trading.yaml").write_text("id: day_trading\ntitle: [\n")
    made = Engine(spec)
    alarms = heard(made, Alarm)
    await made.start()
    try:
        alarm = next(a for a in alarms if a.code == "STRATEGY")
        assert "day_trading.yaml, line" in alarm.happened
        assert "day_trading" not in made.parts.thought.strategist.recipes
        assert {"long_term", "swing_trading"} <= set(made.parts.thought.strategist.recipes)
        assert (await ask(made, c.ResetStrategy(id="day_trading"))).ok
        assert alarms[-1].cleared
        assert "day_trading" in made.parts.thought.strategist.recipes
    finally:
        await made.stop()


async def test_a_file_changed_while_no_engine_ran_is_recorded_at_the_next_start(make_spec):
    spec = make_spec("twice", symbols=("AAPL",))
    for text, recorded in ((ALWAYS, ["always"]), (ALWAYS, []), (NEVER, ["always"])):
        (spec.profile / "strategies").mkdir(mode=0o700, exist_ok=True)
        (spec.profile / "strategies" / "always.yaml").write_text(text)
        made = Engine(spec)
        changes = heard(made, StrategyChanged)
        await made.start()
        await asyncio.sleep(0)
        assert [e.strategy for e in changes] == recorded
        assert all(e.action == "file" and e.after == content_hash(text) for e in changes)
        await made.stop()
