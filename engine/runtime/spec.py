"""What an engine is made of: every choice that main has already taken, as one value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.approval.settings import ApprovalSettings
from engine.collection.providers.alpaca.settings import AlpacaDataSettings
from engine.collection.providers.ibkr.settings import IbkrDataSettings
from engine.collection.settings import CollectionSettings, FilesSettings, SimulatedSettings
from engine.execution.algos.settings import AlgoSettings
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.settings import ExecutionSettings
from engine.market.settings import MarketSettings
from engine.memory.settings import MemorySettings
from engine.model.decision import Autonomy, Book
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.operations.settings import OperationsSettings
from engine.risk.settings import RiskSettings
from engine.security.secret import Secret
from engine.simulation.paper.settings import PaperSettings

REPLAY_FOLDER = "last-replay"


@dataclass(frozen=True, kw_only=True)
class DemoSpec:
    """The simulated market."""

    seed: int = 1
    world: str = "mixed"
    symbols: int | None = None
    """Only the first so many of the market's own symbols; None all."""
    start: str = "2026-01-05T09:30"
    """Market time at which it begins, New York; the same for everybody, so that a seed is a day."""


@dataclass(frozen=True, kw_only=True)
class ReplaySpec:
    """Imported data as a market."""

    symbols: tuple[Symbol, ...] = ()
    """Empty means everything in the archive."""
    day: str = ""
    """Exchange date to play; empty means all."""


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """One engine. Exactly one of ``demo`` and ``replay`` is set, or neither for a live market."""

    profile: Path
    book: Book
    autonomy: Autonomy
    universe: tuple[Instrument, ...]
    strategies: Path
    """Folder of those that come with the program; the profile's own stand in front of them."""
    build: str
    demo: DemoSpec | None = None
    replay: ReplaySpec | None = None
    speed: float | None = 1.0
    """Market seconds per second; None is as fast as it goes. A live market knows only 1."""
    seed: int = 1
    approval: ApprovalSettings = field(default_factory=ApprovalSettings)
    limits_on_disk: Callable[[], str | None] | None = None
    """Hash of the limits as the settings file has them now; None when there is no file to watch."""
    risk: RiskSettings = field(default_factory=RiskSettings)
    market: MarketSettings = field(default_factory=MarketSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    collection: CollectionSettings = field(default_factory=CollectionSettings)
    simulated: SimulatedSettings = field(default_factory=SimulatedSettings)
    files: FilesSettings = field(default_factory=FilesSettings)
    ibkr: IbkrSettings = field(default_factory=IbkrSettings)
    ibkr_data: IbkrDataSettings = field(default_factory=IbkrDataSettings)
    broker: str = "paper"
    """paper, ibkr or alpaca."""
    alpaca: AlpacaSettings = field(default_factory=AlpacaSettings)
    alpaca_data: AlpacaDataSettings = field(default_factory=AlpacaDataSettings)
    alpaca_keys: tuple[Secret, Secret] | None = None
    """Key and secret, masked wherever they are shown."""
    operations: OperationsSettings = field(default_factory=OperationsSettings)
    algos: AlgoSettings = field(default_factory=AlgoSettings)
    paper: PaperSettings = field(default_factory=PaperSettings)
    programs_trade: bool = False
    """Whether other programs may send orders and answer suggestions, under the agent's limits."""

    @property
    def home(self) -> Path:
        """Where this run keeps its books. A replay has its own: orders of another year are nobody's account."""
        return self.profile / REPLAY_FOLDER if self.replay is not None else self.profile

    @property
    def simulated_time(self) -> bool:
        return self.demo is not None or self.replay is not None
