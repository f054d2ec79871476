"""Settings of the market's cache and bars."""

from pydantic import BaseModel, ConfigDict, Field


class MarketSettings(BaseModel):
    """How ticks are judged, when a feed is stale, how many bars are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spike_fraction: float = Field(
        0.10,
        gt=0,
        le=1,
        title="Spike",
        description="A price this far (fraction) from the last good one waits for confirmation.",
    )
    spike_confirmations: int = Field(
        3,
        ge=1,
        le=100,
        title="Spike confirmations",
        description="So many ticks in a row near the new price make it true.",
    )
    spike_gap_s: float = Field(
        300.0,
        gt=0,
        le=86_400,
        title="Spike gap, s",
        description="After a silence this long the next price is taken without confirmation.",
    )
    future_ms: int = Field(
        5_000,
        ge=0,
        le=60_000,
        title="Future, ms",
        description="A source time further ahead of our clock than this is refused.",
    )
    void_after: int = Field(
        3,
        ge=1,
        le=100,
        title="Void after",
        description="So many refused quotes in a row make bid and ask unknown.",
    )
    source_stale_s: float = Field(
        15.0,
        gt=0,
        le=3_600,
        title="Source stale, s",
        description="A source silent for this long in an open session is stale.",
    )
    symbol_stale_s: float = Field(
        60.0,
        gt=0,
        le=3_600,
        title="Symbol stale, s",
        description="A symbol silent for this long in its open session is stale.",
    )
    scan_s: float = Field(
        5.0, gt=0, le=60, title="Staleness scan, s", description="How often silence is looked for; market time."
    )
    jump_up: float = Field(
        1.8,
        gt=1,
        le=100,
        title="Overnight jump up",
        description="First price / previous close at or above this: a corporate action is suspected (G27).",
    )
    jump_down: float = Field(
        0.55,
        gt=0,
        lt=1,
        title="Overnight jump down",
        description="First price / previous close at or below this: a corporate action is suspected (G27).",
    )
    spread_days: int = Field(
        20, ge=1, le=250, title="Spread days", description="Days of the median spread that entries are compared with."
    )
    bar_grace_ms: int = Field(
        1_500,
        ge=0,
        le=60_000,
        title="Bar grace, ms",
        description="A bar closes this long after its end, so that its last ticks can arrive.",
    )
    extended_hours: bool = Field(
        False,
        title="Extended hours in bars",
        description="Also fold pre-market and after-hours trades into minute bars. Daily bars stay regular.",
    )
    keep_minutes: int = Field(
        7_800, ge=60, le=1_000_000, title="Minute bars kept", description="In memory, a symbol; the archive keeps all."
    )
    keep_five_minutes: int = Field(
        6_240, ge=60, le=1_000_000, title="5-minute bars kept", description="In memory, a symbol."
    )
    keep_days: int = Field(2_600, ge=60, le=100_000, title="Daily bars kept", description="In memory, a symbol.")
