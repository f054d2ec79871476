"""Settings of the collector and of the providers that need no account."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CollectionSettings(BaseModel):
    """How providers are kept alive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry_first_s: float = Field(
        1.0, gt=0, le=60, title="First retry, s", description="A provider that was lost is tried again after this long."
    )
    retry_most_s: float = Field(
        60.0, ge=1, le=3_600, title="Longest retry, s", description="Each retry waits twice as long, up to this."
    )
    history_timeout_s: float = Field(
        30.0, gt=0, le=600, title="History time-out, s", description="A request for history may take this long."
    )


class SimulatedSettings(BaseModel):
    """The simulated market: the default source, needs no account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(True, title="Enabled", description="Prices are simulated; they are no real prices.")
    seed: int = Field(1, ge=0, le=2**63 - 1, title="Seed", description="The same seed gives the same market.")
    world: Literal["mixed", "null", "lottery", "planted", "news-drift", "crash"] = Field(
        "mixed", title="World", description="What kind of market; null has nothing to be found in it."
    )
    news: bool = Field(True, title="News", description="Simulated news with the prices.")
    depth_hz: float = Field(
        4.0, gt=0, le=20, title="Depth rate, 1/s", description="How often a watched order book is sent."
    )
    depth_levels: int = Field(10, ge=1, le=50, title="Depth levels", description="Prices a side of a watched book.")


class FilesSettings(BaseModel):
    """Imported files as a market: plays the archive on the replay clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    half_spread_bps: float = Field(
        1.0,
        ge=0,
        le=500,
        title="Half spread, bp",
        description="Bars have no quotes: bid and ask lie this far from the drawn price.",
    )
    path: Literal["adverse", "low_first", "high_first"] = Field(
        "adverse",
        title="Path in a bar",
        description="Which extreme comes first: the one against the held position, always the low, or always the high.",
    )
