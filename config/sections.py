"""The sections of the settings file that belong to no single engine part."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from config.fields import HttpsUrl, Port, SecretRef, WssUrl, check_service_url
from engine.collection.settings import SimulatedSettings


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys and non-finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BrokerSettings(Section):
    """Which venue receives the orders."""

    kind: Literal["paper", "ibkr", "alpaca"] = Field(
        "paper",
        title="Broker",
        description="paper is the embedded exchange; ibkr is TWS or IB Gateway; alpaca is Alpaca Trading.",
    )


class ProviderSettings(Section):
    """One data provider."""

    enabled: bool = Field(False, title="Enabled", description="Ask this provider for data.")
    base_url: HttpsUrl | None = Field(None, title="Address", description="Empty: the provider's own address.")
    stream_url: WssUrl | None = Field(None, title="Stream address", description="Empty: the provider's own stream.")
    api_key: SecretRef | None = Field(None, title="Key", description="Where the key is kept: keyring:NAME or env:NAME.")
    api_secret: SecretRef | None = Field(
        None, title="Secret", description="The second half, where a provider gives two (Alpaca); written like api_key."
    )


def _provider(name: str) -> Any:
    return Field(default_factory=ProviderSettings, title=name, description=f"{name}.")


class ProvidersSettings(Section):
    """Where data comes from; every provider takes the same keys."""

    simulated: SimulatedSettings = Field(
        default_factory=SimulatedSettings, title="Simulated market", description="The embedded simulated market."
    )
    polygon: ProviderSettings = _provider("Polygon.io (now Massive): US market data")
    alpaca: ProviderSettings = _provider("Alpaca: US market data, and the Alpaca broker's keys")
    twelvedata: ProviderSettings = _provider("Twelve Data: market data")
    alphavantage: ProviderSettings = _provider("Alpha Vantage: market data")
    finnhub: ProviderSettings = _provider("Finnhub: market data and news")
    bullaware: ProviderSettings = _provider("BullAware: tracked investors")
    stocktwits: ProviderSettings = _provider("StockTwits: messages")
    tipranks: ProviderSettings = _provider("TipRanks: analysts")
    sentifi: ProviderSettings = _provider("Sentifi: sentiment (by contract only)")
    fmp: ProviderSettings = _provider("Financial Modeling Prep: fundamentals")
    eodhd: ProviderSettings = _provider("EOD Historical Data: fundamentals and end-of-day prices")
    nasdaq_data_link: ProviderSettings = _provider("Nasdaq Data Link (once Quandl): tables")
    sec_edgar: ProviderSettings = _provider("SEC EDGAR: filings, free, no key")
    sec_api: ProviderSettings = _provider("SEC-API.io: filings")
    quiver: ProviderSettings = _provider("Quiver Quantitative: congress trades")
    newsapi: ProviderSettings = _provider("NewsAPI: headlines")
    plugins: dict[str, ProviderSettings] = Field(
        default_factory=dict, title="Plug-ins", description="Providers of plug-ins, by name; not in this version."
    )


class LlmSettings(Section):
    """The language model that reads news; off unless named."""

    provider: Literal["none", "anthropic", "openai", "gemini", "local"] = Field(
        "none", title="Provider", description="local is any OpenAI-compatible server on this machine."
    )
    base_url: HttpsUrl | None = Field(None, title="Address", description="Empty: the provider's own address.")
    model: str = Field("", title="Model", description="Empty: the provider's default model.", max_length=128)
    api_key: SecretRef | None = Field(None, title="Key", description="Where the key is kept; written as for providers.")
    daily_budget_usd: Decimal = Field(
        Decimal(2), title="Daily budget", description="US dollars a day; spent means no more calls.", ge=0, le=10_000
    )


def _cache(text: str) -> str:
    return check_service_url(text, ("memory",), ("redis", "rediss"))


def _relay(text: str) -> str:
    return check_service_url(text, ("none",), ("amqp", "amqps", "redis", "rediss", "kafka"))


class CacheSettings(Section):
    """Where answers of providers are kept for a while."""

    url: Annotated[str, AfterValidator(_cache)] = Field(
        "memory", title="Cache", description="memory; redis://host:port/number is not in this version."
    )
    password: SecretRef | None = Field(None, title="Password", description="Where the cache's password is kept.")


class RelaySettings(Section):
    """Where every event is copied to, for other programs to follow."""

    url: Annotated[str, AfterValidator(_relay)] = Field(
        "none", title="Relay", description="none; amqp://, redis:// and kafka:// are not in this version."
    )
    password: SecretRef | None = Field(None, title="Password", description="Where the relay's password is kept.")


def _hook_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,31}", name):
        raise ValueError("a hook's name is 1 to 32 small letters and digits, with _ . - inside")
    return name


class ServeSettings(Section):
    """The local service for other programs: `main.py serve` and `main.py mcp`."""

    trade: bool = Field(
        False,
        title="Programs trade",
        description="Let other programs send orders, cancel and answer suggestions, under the agent's limits and while "
        "AUTO is armed. false: they read, propose and halt. Holds from the engine's next start.",
    )
    port: Port = Field(8642, title="Port", description="Where the service listens on this machine.")
    address: str = Field(
        "127.0.0.1",
        title="Address",
        description="Another than this machine's own is refused unless allow_network is set.",
        max_length=64,
    )
    allow_network: bool = Field(
        False,
        title="Other machines",
        description="Listen where other machines can ask. The tokens then cross the network in plain text.",
    )
    names: tuple[str, ...] = Field(
        (), title="Names", description="Further names under which it may be asked, such as that of a tunnel."
    )
    origins: tuple[str, ...] = Field(
        (), title="Pages", description="Pages of a browser that may ask, such as https://desk.example; none without it."
    )
    requests_per_second: float = Field(
        20.0, title="Requests a second", description="With one token; a halt is never refused for it.", ge=1, le=1000
    )
    hooks: dict[Annotated[str, AfterValidator(_hook_name)], SecretRef] = Field(
        default_factory=dict,
        title="Hooks",
        description="Signals from outside: the name of each, and where the key is kept that signs its deliveries.",
        max_length=32,
    )
    hook_requests_per_minute: float = Field(
        30.0, title="Deliveries a minute", description="Of all hooks together.", ge=1, le=6000
    )


class MetricsSettings(Section):
    """The Prometheus endpoint."""

    port: int = Field(
        0, title="Port", description="0 is off; the Prometheus endpoint is not in this version.", ge=0, le=65535
    )
