"""Settings of the execution algorithms."""

from pydantic import BaseModel, ConfigDict, Field


class AlgoSettings(BaseModel):
    """How parents are run, whatever the algorithm."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    step_s: float = Field(
        1.0, ge=0.1, le=60, title="Step", description="Seconds between two looks at a parent when nothing happens."
    )
    close_margin_s: float = Field(
        30.0, ge=0, le=3600, title="Before the close", description="Seconds before the close at which a parent ends."
    )
    max_quote_age_s: float = Field(
        10.0, ge=0.5, le=60, title="Quote age", description="Seconds; an older quote pauses the parent."
    )
    pause_most_s: float = Field(
        300.0, ge=1, le=3600, title="Longest pause", description="Seconds without usable prices after which it stops."
    )
    resume_within_s: float = Field(
        300.0,
        ge=0,
        le=86_400,
        title="Resume after a restart",
        description="Seconds the program may have been away; after a longer time a parent is stopped, not resumed.",
    )
    most_children: int = Field(
        500, ge=1, le=5000, title="Most children", description="Child orders of one parent; more stops it."
    )
    most_parents: int = Field(20, ge=1, le=200, title="Most parents", description="Parents at work at the same time.")
    kept: int = Field(200, ge=0, le=5000, title="Kept reports", description="Finished parents that are remembered.")
