"""The thinking half: features, technical strategies, strategist, board."""

from dataclasses import dataclass
from pathlib import Path

from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.features.engine import FeatureEngine
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.memory.kv import KeyValues
from engine.runtime.catalogue import FEATURES, IndicatorCatalogue
from engine.runtime.strategies import Shelf, StrategyDesk, recipes_of
from engine.runtime.trading import Sizer, Trading
from engine.scoring.technical.library import Entry, Reader, usable
from engine.scoring.technical.plugins import offered_strategies
from engine.scoring.technical.scorer import TechnicalScorer
from engine.security.text import headline
from engine.suggestion.board import Board
from engine.suggestion.proposals import Proposals
from engine.suggestion.strategist import Strategist

OWN_FOLDER = "strategies"
"""Of a profile: the person's own strategies."""
COMMENT = 200
"""Characters of what another program says about its proposal."""


@dataclass(frozen=True)
class Thought:
    """The parts that think."""

    features: FeatureEngine
    scorer: TechnicalScorer
    strategist: Strategist
    strategies: StrategyDesk
    proposals: Proposals


def strategy_reader() -> Reader:
    """What reads strategies, with the indicators and features there are."""
    return Reader(IndicatorCatalogue(), FEATURES)


def read_strategies(shipped: Path, profile: Path) -> dict[str, Entry]:
    """Read every strategy of a profile, by name; what is wrong with one is in its entry."""
    return strategy_reader().library(shipped, profile / OWN_FOLDER, offered_strategies())


def strategy_shelf(shipped: Path, profile: Path) -> Shelf:
    """The strategies of a profile, to be read and changed."""
    return Shelf(strategy_reader(), shipped, profile / OWN_FOLDER, offered_strategies())


def assemble_thought(
    bus: Bus,
    clock: Clock,
    market: MarketCache,
    bars: BarStore,
    board: Board,
    trading: Trading,
    store: KeyValues,
    shelf: Shelf,
) -> Thought:
    """Build the thinking half for the strategies on the shelf."""
    strategies = usable(shelf.entries)
    intervals = sorted({c.strategy.bar_seconds for c in strategies.values()})
    features = FeatureEngine(bus, clock, market.symbols(), intervals)
    scorer = TechnicalScorer(bus, clock, bars, features, strategies)
    sizer = Sizer(trading.gate, trading.ledger, market, trading.fees)
    strategist = Strategist(
        bus,
        clock,
        market=market,
        history=bars,
        ledger=trading.ledger,
        orders=trading.desk,
        sizer=sizer,
        board=board,
        store=store,
        allow_short=lambda: trading.limits.active.allow_short,
        recipes=recipes_of(strategies),
    )
    desk = StrategyDesk(
        bus, clock, shelf, scorer, strategist, features, bars, market.symbols, trading.ledger.positions, store
    )
    proposals = Proposals(
        bus,
        clock,
        market=market,
        atr=market.atr,
        ledger=trading.ledger,
        sizer=sizer,
        board=board,
        modes=trading.modes,
        store=store,
        clean=lambda text: headline(text, COMMENT),
    )
    return Thought(features=features, scorer=scorer, strategist=strategist, strategies=desk, proposals=proposals)
