"""A small engine on the simulated market: the real parts, a dozen symbols, market time as fast as it goes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.model.decision import Autonomy, Book
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.runtime.spec import DemoSpec, EngineSpec

SYMBOLS = ("AAPL", "MSFT", "NVDA", "JPM", "XOM", "KO", "PLTR", "VZ", "QCOM", "T", "LOW", "O")
STRATEGIES = Path(__file__).resolve().parents[3] / "config" / "strategies"

MakeSpec = Callable[..., EngineSpec]


@pytest.fixture
def make_spec(tmp_path: Path) -> MakeSpec:
    """Build a spec in a profile of its own; keyword arguments replace fields."""

    def make(name: str = "profile", seed: int = 7, symbols: tuple[str, ...] = SYMBOLS, **changes) -> EngineSpec:
        profile = tmp_path / name
        profile.mkdir(mode=0o700, exist_ok=True)
        fields = {
            "profile": profile,
            "book": Book.PAPER,
            "autonomy": Autonomy.ASK,
            "universe": tuple(Instrument(symbol=Symbol(symbol)) for symbol in symbols),
            "strategies": STRATEGIES,
            "build": "test",
            "demo": DemoSpec(seed=seed),
            "speed": None,
            "seed": seed,
        }
        return EngineSpec(**{**fields, **changes})

    return make
