"""Settings of the market data that comes through the gateway."""

from pydantic import BaseModel, ConfigDict, Field


class IbkrDataSettings(BaseModel):
    """What the login may have at once, and what is asked of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delayed: bool = Field(
        True,
        title="Delayed prices",
        description="Show delayed prices where there are no live ones; never traded on.",
    )
    lines: int = Field(100, ge=1, le=2_000, title="Lines", description="Symbols the login may have prices of at once.")
    trade_lines: int = Field(
        3,
        ge=0,
        le=100,
        title="Trade lines",
        description="Symbols with every single trade; others get them bundled.",
    )
    depth_lines: int = Field(3, ge=0, le=60, title="Depth lines", description="Order books the login may have at once.")
    depth_rows: int = Field(10, ge=1, le=20, title="Depth rows", description="Prices a side of an order book.")
    news: tuple[str, ...] = Field(
        ("BRFG", "BRFUPDN", "DJNL"), title="News", description="Codes of the news sources asked for headlines."
    )
    five_second_bars: bool = Field(
        False, title="Five-second bars", description="Also take the broker's own bars of five seconds."
    )
    regular_hours: bool = Field(
        True, title="Regular hours", description="History within the day leaves out early and late trading."
    )
    history_timeout_s: float = Field(
        25.0, gt=0, le=300, title="History time-out, s", description="A request for history may take this long."
    )
    history_wait_s: float = Field(
        20.0, ge=0, le=600, title="History wait, s", description="Longest wait for the broker's budget of history."
    )
    start_timeout_s: float = Field(
        10.0, gt=0, le=120, title="Start time-out, s", description="How long a start waits for the connection."
    )
    silence_s: float = Field(
        60.0,
        gt=0,
        le=600,
        title="Silence, s",
        description="A line of five-second bars silent so long is asked for again.",
    )
