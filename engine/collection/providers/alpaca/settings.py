"""Settings of Alpaca's market data. Keys are no settings: they are handed in as secrets."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DATA_URL = "https://data.alpaca.markets"
STREAM_URL = "wss://stream.data.alpaca.markets/v2/iex"


class AlpacaDataSettings(BaseModel):
    """Which feed, how much of it, and how history is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base_url: str = Field(
        DATA_URL, title="Address", description="Of the data interface, without a version.", pattern=r"^https?://"
    )
    stream_url: str = Field(
        STREAM_URL,
        title="Stream address",
        description="Of the price stream; its last part names the feed: iex, sip or delayed_sip.",
        pattern=r"^wss?://.+/v2/(iex|sip|delayed_sip|test)$",
    )
    history_feed: Literal["iex", "sip"] = Field(
        "iex",
        title="Feed of history",
        description="iex is one exchange; sip is all of them, and may lag a quarter of an hour without a paid plan.",
    )
    symbols: int = Field(
        30, ge=1, le=10_000, title="Symbols", description="How many the plan lets us hear at the same time."
    )
    bars: bool = Field(
        False, title="Minute bars", description="Take the minute bars of the stream, too, beside the trades."
    )
    size_unit: int = Field(
        1, ge=1, le=100, title="Unit of sizes", description="Units that a size of one in a quote stands for."
    )
    timeout_s: float = Field(
        10.0, ge=0.2, le=60, title="Time-out", description="Seconds to wait for a connection or an answer."
    )
    ping_s: float = Field(
        10.0, ge=1, le=60, title="Ping", description="Seconds between two pings of the stream, and for each answer."
    )
