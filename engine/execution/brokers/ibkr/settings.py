"""Settings of the link to TWS or IB Gateway."""

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

_CLOCK_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"


class IbkrSettings(BaseModel):
    """Where the gateway is, which account is traded, and how patient the link is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    host: str = Field("127.0.0.1", title="Host", description="Where TWS or Gateway listens.", min_length=1)
    port: int = Field(
        4002, title="Port", description="Gateway: 4002 paper, 4001 live. TWS: 7497 paper, 7496 live.", ge=1, le=65535
    )
    client_id: int = Field(7, title="Client id", description="Must differ from other API programs.", ge=0, le=999_999)
    account: str = Field(
        "",
        title="Account",
        description="Account to trade, such as DU1234567.",
    )
    cash_account: bool = Field(
        False, title="Cash account", description="The account cannot borrow: no margin, no short sales."
    )
    connect_timeout_s: float = Field(
        8.0, title="Connect timeout", description="Seconds until the gateway must have said hello.", gt=0, le=60
    )
    read_timeout_s: float = Field(
        4.0, title="Read timeout", description="Seconds for each part of a comparison with the broker.", gt=0, le=60
    )
    read_budget_s: float = Field(
        13.0, title="Read budget", description="Seconds for all parts of one comparison together.", gt=0, le=120
    )
    heartbeat_s: float = Field(
        10.0, title="Heartbeat", description="Seconds between questions for the gateway's time.", gt=0, le=25
    )
    heartbeat_answer_s: float = Field(
        6.0,
        title="Heartbeat answer",
        description="Seconds without an answer after which the line is dead.",
        gt=0,
        le=10,
    )
    retry_first_s: float = Field(
        1.0, title="First retry", description="Seconds until the second attempt to connect; each later one doubles.",
        gt=0, le=60,
    )  # fmt: skip
    retry_most_s: float = Field(
        15.0, title="Longest retry", description="Most seconds between two attempts to connect.", gt=0, le=600
    )
    messages_per_s: int = Field(
        50,
        title="Messages per second",
        description="What the gateway takes per second, cancels included.",
        ge=10,
        le=50,
    )
    data_per_s: int = Field(
        20,
        title="Data requests per second",
        description="Most messages per second for data; orders go first.",
        ge=1,
        le=40,
    )
    restart_at: str = Field(
        "23:45", title="Nightly restart", description="Clock time at which the gateway restarts.", pattern=_CLOCK_TIME
    )
    restart_zone: str = Field(
        "America/New_York", title="Zone of the restart", description="Time zone of the gateway's clock.", min_length=1
    )
    restart_margin_s: float = Field(
        180.0, title="Restart margin", description="Seconds around a restart in which no order is sent.", ge=0, le=3600
    )
    weekly_login: str = Field(
        "SUN 01:00",
        title="Weekly login",
        description="Weekday and clock time after which the gateway wants its second factor again.",
        pattern=r"^(MON|TUE|WED|THU|FRI|SAT|SUN) ([01]\d|2[0-3]):[0-5]\d$",
    )
    farms_block_orders: bool = Field(
        True, title="Farms block orders", description="A broken market data farm stops new orders until it is back."
    )

    @field_validator("account")
    @classmethod
    def _account_code(cls, account: str) -> str:
        if account and not re.fullmatch(r"[A-Z][A-Z0-9]{2,19}", account):
            raise ValueError("must be the code of an account, such as DU1234567")
        return account
