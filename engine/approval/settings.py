"""Settings of approval."""

from pydantic import BaseModel, ConfigDict, Field


class ApprovalSettings(BaseModel):
    """When an approval is void, and what the agent may do without asking."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    check_age_s: float = Field(
        120.0,
        title="G32 age of the check",
        description="A shown risk check older than this is made again.",
        gt=0,
        le=3600,
    )
    drift_percent: float = Field(
        0.5, title="G32 price drift", description="Move of the mid that voids an approval, percent.", gt=0, le=20
    )
    drift_atr: float = Field(
        0.5, title="Price drift in ATR", description="Move of the mid that voids an approval, in ATR.", gt=0, le=10
    )
    reward_risk: float = Field(
        1.0,
        title="Least reward to risk",
        description="Below this the trade is no longer the suggested one.",
        gt=0,
        le=10,
    )
    decision_age_s: float = Field(
        300.0, title="G22 age of a decision", description="The agent does not act on older decisions.", gt=0, le=86_400
    )
    small_order_percent: float = Field(
        1.0,
        title="Ask above: order value",
        description="At autonomy ask_above_limits larger orders are asked; percent of equity.",
        gt=0,
        le=100,
    )
    small_risk_percent: float = Field(
        0.1,
        title="Ask above: risk",
        description="At autonomy ask_above_limits a larger loss at the stop is asked; percent of equity.",
        gt=0,
        le=20,
    )
    mandate_days: float = Field(
        30.0, title="Life of a mandate", description="Days after which a mandate must be signed again.", gt=0, le=366
    )
    outcomes_kept: int = Field(
        5000, title="Answers kept", description="How many answered suggestions are remembered.", ge=100, le=1_000_000
    )
