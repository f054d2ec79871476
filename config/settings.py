"""The whole settings file as one frozen value, gathered from every part's own settings."""

from collections import Counter
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from config.fields import Symbol
from config.sections import (
    BrokerSettings,
    CacheSettings,
    LlmSettings,
    MetricsSettings,
    ProvidersSettings,
    RelaySettings,
    Section,
    ServeSettings,
)
from engine.approval.settings import ApprovalSettings
from engine.collection.providers.alpaca.settings import AlpacaDataSettings
from engine.collection.providers.ibkr.settings import IbkrDataSettings
from engine.collection.settings import CollectionSettings, FilesSettings
from engine.execution.algos.settings import AlgoSettings
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.settings import ExecutionSettings
from engine.market.settings import MarketSettings
from engine.memory.settings import MemorySettings
from engine.operations.settings import OperationsSettings
from engine.risk.settings import RiskSettings
from engine.simulation.paper.settings import PaperSettings
from market_agent_gui.settings import WindowSettings


class Settings(Section):
    """Every setting of the program. Defaults are safe: paper money, and the agent asks before each order."""

    mode: Literal["paper", "live"] = Field("paper", title="Mode", description="live sends orders with real money.")
    autonomy: Literal["observe", "suggest", "ask", "ask_above_limits", "auto"] = Field(
        "ask",
        title="Autonomy",
        description="observe: watch only. suggest: show ideas. ask: each order needs your yes. "
        "ask_above_limits: small ones go by themselves. auto: all within the limits.",
    )
    universe: tuple[Symbol, ...] = Field(
        ("AAPL", "MSFT"), title="Universe", description="Symbols the agent follows.", min_length=1, max_length=5000
    )
    broker: BrokerSettings = Field(default_factory=BrokerSettings, title="Broker", description="Where orders go.")
    ibkr: IbkrSettings = Field(default_factory=IbkrSettings, title="IBKR", description="Interactive Brokers.")
    ibkr_data: IbkrDataSettings = Field(
        default_factory=IbkrDataSettings, title="IBKR data", description="Market data through the gateway."
    )
    alpaca: AlpacaSettings = Field(
        default_factory=AlpacaSettings, title="Alpaca", description="Alpaca Trading; its keys are providers.alpaca's."
    )
    alpaca_data: AlpacaDataSettings = Field(
        default_factory=AlpacaDataSettings, title="Alpaca data", description="Market data from Alpaca."
    )
    providers: ProvidersSettings = Field(
        default_factory=ProvidersSettings, title="Providers", description="Where data comes from."
    )
    llm: LlmSettings = Field(default_factory=LlmSettings, title="Language model", description="Reads the news.")
    market: MarketSettings = Field(
        default_factory=MarketSettings, title="Market", description="How ticks are judged and bars are kept."
    )
    execution: ExecutionSettings = Field(
        default_factory=ExecutionSettings, title="Execution", description="Waiting times and budgets at the broker."
    )
    collection: CollectionSettings = Field(
        default_factory=CollectionSettings, title="Collection", description="How data sources are kept alive."
    )
    replay: FilesSettings = Field(
        default_factory=FilesSettings, title="Replay", description="How imported bars are played."
    )
    paper: PaperSettings = Field(
        default_factory=PaperSettings, title="Paper exchange", description="The simulated account and its exchange."
    )
    approval: ApprovalSettings = Field(
        default_factory=ApprovalSettings, title="Approval", description="When an approval is void or needed."
    )
    algos: AlgoSettings = Field(
        default_factory=AlgoSettings, title="Execution algorithms", description="TWAP, VWAP, iceberg, POV, chase."
    )
    operations: OperationsSettings = Field(
        default_factory=OperationsSettings, title="Operations", description="When the engine says it is unwell."
    )
    risk: RiskSettings = Field(
        default_factory=RiskSettings, title="Risk", description="Limits on what may be sent, by the agent and by you."
    )
    database: MemorySettings = Field(
        default_factory=MemorySettings, title="Database", description="Orders, fills and history."
    )
    cache: CacheSettings = Field(default_factory=CacheSettings, title="Cache", description="Provider answers.")
    gui: WindowSettings = Field(default_factory=WindowSettings, title="Window", description="What the window may show.")
    relay: RelaySettings = Field(default_factory=RelaySettings, title="Relay", description="Copies every event out.")
    serve: ServeSettings = Field(
        default_factory=ServeSettings, title="Local service", description="Other programs on this machine."
    )
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, title="Metrics", description="Prometheus.")

    @field_validator("universe")
    @classmethod
    def _each_symbol_once(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        twice = [symbol for symbol, count in Counter(symbols).items() if count > 1]
        if twice:
            raise ValueError(f"names {', '.join(twice)} more than once")
        return symbols

    @model_validator(mode="after")
    def _money_is_meant(self) -> Self:
        if self.mode == "live" and self.broker.kind == "paper":
            raise ValueError("mode: live needs a real broker; set broker.kind to ibkr or alpaca, or mode to paper")
        if self.broker.kind == "ibkr" and self.ibkr.account:
            practice = self.ibkr.account.startswith("D")
            if self.mode == "paper" and not practice:
                raise ValueError("mode: paper, but ibkr.account is a live account (paper accounts begin with D)")
            if self.mode == "live" and practice:
                raise ValueError("mode: live, but ibkr.account is a paper account (they begin with D)")
        return self
