"""Settings of the order desk."""

from pydantic import BaseModel, ConfigDict, Field


class ExecutionSettings(BaseModel):
    """Waiting times and budgets between us and the broker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference_prefix: str = Field(
        "MA",
        pattern=r"^[A-Z0-9]{1,6}$",
        title="Reference prefix",
        description="Begins every order reference, so that our orders are recognised at the broker.",
    )
    silence_s: float = Field(
        10.0, ge=1, le=60, title="Silence", description="Seconds without an answer after which an order is UNKNOWN."
    )
    claim_s: float = Field(
        5.0, ge=0.5, le=60, title="Claim", description="Seconds after which an unconfirmed claim is asked about again."
    )
    cancel_s: float = Field(
        10.0, ge=1, le=60, title="Cancel", description="Seconds after which an unanswered cancel is asked about again."
    )
    orders_every_s: float = Field(
        15.0, ge=5, le=300, title="Order check", description="Seconds between comparisons with the broker's orders."
    )
    round_timeout_s: float = Field(
        15.0, ge=1, le=120, title="Round timeout", description="Seconds after which a comparison is given up."
    )
    settle_grace_s: float = Field(
        1.0,
        ge=0,
        le=30,
        title="Snapshot grace",
        description="News younger than this before a snapshot is not contradicted by it.",
    )
    absent_gap_s: float = Field(
        10.0, ge=1, le=600, title="Absence gap", description="Least seconds between the two rounds that prove absence."
    )
    sends_per_s: int = Field(
        20,
        ge=1,
        le=40,
        title="Sends per second",
        description="Orders and modifications handed to the broker per second; cancels have a budget of their own.",
    )
    max_quote_age_s: float = Field(
        15.0, ge=0.5, le=60, title="Quote age at send", description="Seconds; an older quote lets no entry leave."
    )
    partial_wait_s: float = Field(
        30.0,
        ge=1,
        le=3600,
        title="Partial fill without a stop",
        description="Seconds that an entry may stay filled in part while the broker holds its stop back; then the rest "
        "of the agent's entry is cancelled, and a person is told of theirs.",
    )
    flatten_wait_s: float = Field(
        10.0,
        ge=1,
        le=60,
        title="Flatten wait",
        description="Seconds that flatten waits for cancels; then the symbol is reported, not guessed.",
    )
    flatten_collar: float = Field(
        0.02, gt=0, le=0.1, title="Flatten collar", description="How far through the market a closing limit may reach."
    )
