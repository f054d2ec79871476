"""Settings of the paper exchange."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.model.broker import Fees


class PaperSettings(BaseModel):
    """The simulated account and how its exchange behaves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str = Field("DU9000567", title="Account", description="Name of the simulated account.", max_length=32)
    currency: str = Field("USD", title="Currency", description="Base currency.", min_length=3, max_length=3)
    cash: Decimal = Field(Decimal(1_000_000), gt=0, title="Starting cash", description="Cash of a new paper account.")
    latency_ms_min: float = Field(
        50.0, ge=0, le=60_000, title="Latency, least", description="One way, milliseconds, orders and reports alike."
    )
    latency_ms_max: float = Field(
        250.0, ge=0, le=60_000, title="Latency, most", description="One way, milliseconds; drawn uniformly."
    )
    fee_per_share: Decimal = Field(Decimal("0.005"), ge=0, title="Fee", description="Commission per unit.")
    fee_minimum: Decimal = Field(Decimal("1.00"), ge=0, title="Least fee", description="Per order.")
    fee_maximum_percent: Decimal = Field(
        Decimal("1.0"), ge=0, le=100, title="Most fee", description="Per order, percent of its value."
    )
    initial_margin: Decimal = Field(
        Decimal("0.50"), gt=0, le=1, title="Initial margin", description="Share of a position's value."
    )
    maintenance_margin: Decimal = Field(
        Decimal("0.25"), gt=0, le=1, title="Maintenance margin", description="Share of a position's value."
    )
    queue: Literal["risk_averse", "proportional"] = Field(
        "proportional",
        title="Queue estimate",
        description="How cancels ahead of a resting order move it up: not at all, or in proportion.",
    )
    reject_rate: float = Field(
        0.0, ge=0, le=1, title="Random rejects", description="Share of orders refused by chance, for rehearsals."
    )

    @property
    def fees(self) -> Fees:
        """What an order costs here."""
        return Fees(per_unit=self.fee_per_share, minimum=self.fee_minimum, most_percent=self.fee_maximum_percent)
