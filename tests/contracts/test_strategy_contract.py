"""What every strategy must do, ours and those of packages. Add the entry point of yours to ``POINTS`` to try it."""

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from engine.api import commands as c
from engine.model.ids import Symbol
from engine.model.market import BarColumns
from engine.runtime.engine import Engine
from engine.runtime.past_features import PastFeatures
from engine.runtime.thought import read_strategies, strategy_reader, strategy_shelf
from engine.scoring.technical.library import Offered, Origin
from engine.scoring.technical.plugins import GROUP, offered_strategies
from engine.scoring.technical.scorer import rehearse
from engine.scoring.technical.trial import Trial
from tests.engine.runtime.conftest import STRATEGIES, make_spec  # noqa: F401
from tests.support_gui.foreign_package import installed

POINTS = [EntryPoint("quiet_rise", "engine.scoring.technical._template:TEXT", GROUP)]
TEXTS = {
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted(STRATEGIES.glob("*.yaml"))},
    **{offer.id: offer.text for offer in offered_strategies(POINTS)},
}
each = pytest.mark.parametrize("name", TEXTS)


def columns(seconds: int, count: int, **changes: np.ndarray) -> BarColumns:
    random = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(random.normal(0, 0.01, count)))
    packed = {
        "open": close * 0.999, "high": close * 1.004, "low": close * 0.996, "close": close,
        "volume": random.integers(1_000, 9_000, count).astype(np.float64), **changes,
    }  # fmt: skip
    stamps = 10**18 + np.arange(count, dtype=np.int64) * seconds * 10**9
    return BarColumns(
        symbol=Symbol("AAPL"), seconds=seconds, ts_open=stamps.tobytes(), **{n: v.tobytes() for n, v in packed.items()}
    )


@each
def test_it_is_read_without_a_fault_and_named_as_its_file_or_entry_point(name: str) -> None:
    strategy = strategy_reader().compile(name, TEXTS[name]).strategy
    assert strategy.id == name
    assert strategy.title
    assert strategy.about


@each
def test_every_rule_can_be_computed_also_where_nothing_is_known(name: str) -> None:
    compiled = strategy_reader().compile(name, TEXTS[name])
    rehearse(compiled)
    count = compiled.warmup + 300
    seconds = compiled.strategy.bar_seconds
    nothing = np.full(count, np.nan)
    flat = np.full(count, 100.0)
    blank = columns(seconds, count, open=nothing, high=nothing, low=nothing, close=nothing, volume=nothing)
    still = columns(seconds, count, open=flat, high=flat, low=flat, close=flat, volume=np.zeros(count))
    for bars, most in ((columns(seconds, count), count), (blank, 0), (still, count)):
        found = Trial(compiled, PastFeatures([bars])).judge(bars)
        assert 0 <= found.long + found.short <= most


@each
def test_its_stop_is_nearer_than_its_target_and_it_pauses_between_entries(name: str) -> None:
    strategy = strategy_reader().compile(name, TEXTS[name]).strategy
    assert strategy.stop_atr < strategy.target_atr
    assert strategy.cooldown_bars > 0


# --- finding them

GOOD = TEXTS["quiet_rise"]


def test_an_installed_package_offers_a_text_that_is_off_until_a_person_switches_it_on(tmp_path: Path) -> None:
    points = f"[{GROUP}]\nquiet_rise = my_ideas.rise:TEXT\nbroken = my_ideas.rise:gone\nnumber = my_ideas.rise:NUMBER\n"
    code = f"TEXT = {GOOD!r}\nNUMBER = 3\ndef gone(): raise OSError('no file')\n"
    profile = tmp_path / "profile"
    with installed(tmp_path / "site", "my_ideas", points, rise=code):
        found = read_strategies(STRATEGIES, profile)
    entry = found["quiet_rise"]
    assert (entry.origin, entry.place, entry.text) == (Origin.PACKAGE, "my-ideas", GOOD)
    assert entry.compiled.strategy.enabled is False
    assert "no file" in found["broken"].faults[0].text
    assert "no text" in found["number"].faults[0].text
    assert found["day_trading"].compiled.strategy.enabled


async def test_switched_on_it_is_the_persons_own_copy_and_the_package_changes_nothing_by_itself(
    make_spec,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offers = [Offered("quiet_rise", "my-ideas", GOOD)]
    monkeypatch.setattr("engine.runtime.thought.offered_strategies", lambda: tuple(offers))
    spec = make_spec(symbols=("AAPL",))
    engine = Engine(spec)
    await engine.start()
    try:
        assert "quiet_rise" not in engine.parts.thought.strategist.recipes
        receipt = await engine.parts.handler.handle(c.SwitchStrategy(id="quiet_rise", on=True))
        assert receipt.ok, receipt.text
        assert "quiet_rise" in engine.parts.thought.strategist.recipes
    finally:
        await engine.stop()
    offers[:] = [Offered("quiet_rise", "my-ideas", GOOD.replace("stop_atr: 2.0", "stop_atr: 9.0"))]
    entry = strategy_shelf(spec.strategies, spec.profile).entries["quiet_rise"]
    assert entry.origin is Origin.OWN
    assert entry.compiled.strategy.stop_atr == 2.0
