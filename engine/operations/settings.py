"""Settings of operations: how soon a fault is noticed and how long it must be over."""

from pydantic import BaseModel, ConfigDict, Field


class OperationsSettings(BaseModel):
    """When the engine says that something is wrong with itself or its surroundings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    over_s: float = Field(
        60.0, title="Over after, s", description="A fault must be gone for this long to be called over.", gt=0, le=3600
    )
    universe_percent: float = Field(
        30.0,
        title="Universe without prices",
        description="Percent of the open symbols without live prices that ends AUTO.",
        gt=0,
        le=100,
    )
    symbol_silent_s: float = Field(
        60.0, title="Symbol silent, s", description="A symbol without a price for this long is stale.", gt=0, le=3600
    )
    source_silent_s: float = Field(
        15.0,
        title="Symbol of a silent source, s",
        description="The same, while its source is silent altogether.",
        gt=0,
        le=3600,
    )
    bad_ticks: int = Field(
        3, title="Bad ticks", description="So many refused prices of a source in the window are said.", ge=1, le=10_000
    )
    bad_ticks_s: float = Field(10.0, title="Window of bad ticks, s", description="Seconds.", gt=0, le=3600)
    clock_step_s: float = Field(
        1.0, title="Clock step", description="A jump of the wall clock above this is a step, seconds.", gt=0, le=60
    )
    unknown_grace_s: float = Field(
        1.0,
        title="Order not confirmed, s",
        description="The banner waits this long for the first comparison; the order itself says so at once.",
        ge=0,
        le=10,
    )
    external_pause_s: float = Field(
        60.0,
        title="Pause after a trade made elsewhere, s",
        description="The agent leaves a symbol alone this long after somebody traded it by hand at the broker.",
        gt=0,
        le=3600,
    )
    resume_minutes: float = Field(
        5.0, title="After a halt, min", description="The line about a trading halt stays this long.", gt=0, le=390
    )
    restart_warn_s: float = Field(
        600.0, title="Warning before a restart, s", description="Before the gateway's restart.", gt=0, le=7200
    )
    window_silent_s: float = Field(
        5.0, title="Window silent, s", description="A window that beats no more for this long is frozen.", gt=1, le=60
    )
    window_lease_minutes: float = Field(
        10.0, title="AUTO without a window, min", description="AUTO ends this long after it froze.", gt=0, le=240
    )
    audit_every_s: float = Field(
        3600.0, title="Audit check, s", description="How often the whole chain is read again.", ge=60, le=86_400
    )
    task_restarts: int = Field(
        1, title="Restarts of a task", description="How often a failed task is started again.", ge=0, le=10
    )
