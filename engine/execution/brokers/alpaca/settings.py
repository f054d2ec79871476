"""Settings of the Alpaca broker. Keys are no settings: they are handed in as secrets."""

from pydantic import BaseModel, ConfigDict, Field

PAPER_URL = "https://paper-api.alpaca.markets/v2"
LIVE_URL = "https://api.alpaca.markets/v2"
PAPER_STREAM = "wss://paper-api.alpaca.markets/stream"
LIVE_STREAM = "wss://api.alpaca.markets/stream"


class AlpacaSettings(BaseModel):
    """How to reach Alpaca, and what to expect of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base_url: str = Field(
        PAPER_URL, title="Address", description="Of the trading interface, with its version.", pattern=r"^https?://"
    )
    stream_url: str = Field(
        PAPER_STREAM, title="Stream address", description="Of the stream of order updates.", pattern=r"^wss?://"
    )
    account: str = Field(
        "",
        title="Account",
        description="Number of the account to trade; paper accounts begin with PA.",
        pattern=r"^[A-Z0-9]{0,20}$",
    )
    request_timeout_s: float = Field(
        8.0, ge=0.2, le=60, title="Time-out", description="Seconds after which an answer is not waited for any more."
    )
    ping_s: float = Field(
        10.0, ge=1, le=60, title="Ping", description="Seconds between two pings of the stream, and for each answer."
    )
    retry_first_s: float = Field(
        1.0, gt=0, le=60, title="First retry", description="Seconds until the second attempt to connect; it doubles."
    )
    retry_most_s: float = Field(
        60.0, ge=0.1, le=600, title="Longest retry", description="Most seconds between two attempts to connect."
    )
    requests_per_minute: int = Field(
        200, ge=20, le=10_000, title="Requests per minute", description="What the account may ask for."
    )
    history_hours: float = Field(
        36.0, ge=1, le=240, title="Look back", description="Hours of closed orders and fills that are compared."
    )
    expire_by_program: bool = Field(
        False,
        title="Expire by the program",
        description="Alpaca knows no good-till time, and the agent's entries need one. With this set an entry goes to "
        "Alpaca for the day, or until cancelled when its stop is to outlive the day, and this program cancels it in "
        "time, also after a restart. The risk: while this program does not run, nobody does; the entry then stays at "
        "Alpaca until the close, or until it fills.",
    )
