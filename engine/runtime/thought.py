"""The thinking half: features, technical strategies, strategist, board."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.features.engine import FeatureEngine
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.runtime.catalogue import FEATURES, IndicatorCatalogue
from engine.runtime.trading import Sizer, Trading
from engine.scoring.technical.load import CompiledStrategy, read_folder
from engine.scoring.technical.scorer import TechnicalScorer
from engine.suggestion.board import Board
from engine.suggestion.plan import Recipe
from engine.suggestion.ports import Store
from engine.suggestion.strategist import Strategist


@dataclass(frozen=True)
class Thought:
    """The parts that think."""

    features: FeatureEngine
    scorer: TechnicalScorer
    strategist: Strategist
    strategies: Mapping[str, CompiledStrategy]


def read_strategies(folder: Path) -> dict[str, CompiledStrategy]:
    """Read and parse every strategy file. Raises ``SettingsError`` naming file and rule."""
    return read_folder(folder, IndicatorCatalogue(), FEATURES)


def recipe_of(compiled: CompiledStrategy) -> Recipe:
    """How a strategy's forecasts become prices."""
    s = compiled.strategy
    return Recipe(
        bar_seconds=s.bar_seconds,
        atr_period=s.atr_period,
        stop_atr=s.stop_atr,
        target_atr=s.target_atr,
        risk_percent=s.risk_percent,
        expires_bars=s.expires_bars,
        cooldown_bars=s.cooldown_bars,
        entry=s.entry,
    )


def assemble_thought(
    bus: Bus,
    clock: Clock,
    market: MarketCache,
    bars: BarStore,
    board: Board,
    trading: Trading,
    store: Store,
    strategies: Mapping[str, CompiledStrategy],
) -> Thought:
    """Build the thinking half for the strategies given."""
    intervals = sorted({c.strategy.bar_seconds for c in strategies.values()})
    features = FeatureEngine(bus, clock, market.symbols(), intervals)
    scorer = TechnicalScorer(bus, clock, bars, features, strategies)
    strategist = Strategist(
        bus,
        clock,
        market=market,
        history=bars,
        ledger=trading.ledger,
        orders=trading.desk,
        sizer=Sizer(trading.gate, trading.ledger, market, trading.fees),
        board=board,
        store=store,
        allow_short=lambda: trading.limits.active.allow_short,
        recipes={name: recipe_of(compiled) for name, compiled in strategies.items()},
    )
    return Thought(features=features, scorer=scorer, strategist=strategist, strategies=strategies)
