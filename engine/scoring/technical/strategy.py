"""What a technical strategy is: declared in YAML, checked when read."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Weighted(_Part):
    """A rule that adds to the score when it holds."""

    when: str = Field(title="Rule", description="An expression that is true or false on the newest closed bar.")
    weight: float = Field(gt=0, le=1, title="Weight", description="What it adds to the score of its side.")


class SideRules(_Part):
    """When to be on one side of the market."""

    enter: list[str] = Field(min_length=1, title="Enter", description="Rules that must all hold.")
    score: list[Weighted] = Field([], title="Score", description="Rules that strengthen the case.")
    exit: list[str] = Field([], title="Exit", description="Any of these ends a position opened by this strategy.")


class Strategy(_Part):
    """A technical source. It is a hypothesis until its own record says otherwise."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$", title="Name", description="Short name, also the file's.")
    title: str = Field(min_length=1, max_length=80, title="Title", description="What people call it.")
    about: str = Field("", title="About", description="The idea, in plain words.")
    enabled: bool = Field(True, title="Enabled", description="Score with it.")
    horizon: str = Field(pattern="^(day|swing|long)$", title="Horizon", description="day, swing or long.")
    bar_seconds: Literal[60, 300, 86400] = Field(title="Bars", description="Seconds of a bar: 60, 300 or 86400.")
    symbols: list[str] = Field([], title="Symbols", description="Empty means the whole universe.")
    long: SideRules | None = Field(None, title="Long", description="When to buy.")
    short: SideRules | None = Field(None, title="Short", description="When to sell short.")
    base_score: float = Field(0.4, gt=0, le=1, title="Base score", description="Score when the enter rules hold.")
    min_score: float = Field(0.4, gt=0, le=1, title="Least score", description="Below this it stays silent.")
    atr_period: int = Field(14, ge=2, le=200, title="ATR period", description="Bars of the range that sets stops.")
    stop_atr: float = Field(1.5, gt=0, le=20, title="Stop", description="Distance of the stop in ATR.")
    target_atr: float = Field(2.5, gt=0, le=50, title="Target", description="Distance of the target in ATR.")
    risk_percent: float = Field(
        0.25, gt=0, le=2, title="Risk", description="Percent of equity lost when the stop is hit."
    )
    expires_bars: float = Field(
        2.0, gt=0, le=50, title="Expiry", description="Bars a suggestion lives at usual volatility."
    )
    cooldown_bars: int = Field(6, ge=0, le=500, title="Pause", description="Bars between entries in one symbol.")
    entry: str = Field(
        "touch",
        pattern="^(touch|mid|close)$",
        title="Entry",
        description="Limit at the touch, the mid or the last close.",
    )
