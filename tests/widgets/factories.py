"""Rows as the engine would send them, with sensible defaults."""

from decimal import Decimal

import numpy as np

from engine.api.frames import QuoteBlock
from engine.api.rows import OrderRow, PositionRow, SuggestionRow

SECOND = 1_000_000_000
NOW = 1_795_380_127 * SECOND
"""Sunday 22 November 2026, 15:42:07 in New York."""


def order(key: str, **changes: object) -> OrderRow:
    values: dict[str, object] = {
        "key": key,
        "symbol": "AAPL",
        "side": "BUY",
        "quantity": Decimal(100),
        "filled": Decimal(0),
        "state": "WORKING",
        "order_type": "LMT",
        "limit_price": Decimal("190.10"),
        "tif": "DAY",
        "working": True,
        "created_ns": NOW,
        "changed_ns": NOW,
    }
    return OrderRow(**(values | changes))


def position(symbol: str, **changes: object) -> PositionRow:
    values: dict[str, object] = {
        "key": symbol,
        "symbol": symbol,
        "quantity": Decimal(200),
        "average_price": Decimal("189.19"),
        "last": 190.34,
        "mark": Decimal("190.34"),
        "open_pnl": Decimal("230.00"),
        "open_pnl_percent": 0.61,
        "stop": Decimal("187.90"),
        "target": Decimal("194.00"),
        "to_stop": Decimal("-488.00"),
        "protected": "stop at broker",
        "opened_by": "you",
        "opened_ns": NOW,
    }
    return PositionRow(**(values | changes))


def suggestion(key: str = "S-1", **changes: object) -> SuggestionRow:
    values: dict[str, object] = {
        "key": key,
        "symbol": "AAPL",
        "side": "BUY",
        "quantity": Decimal(100),
        "entry": Decimal("190.10"),
        "stop": Decimal("187.90"),
        "target": Decimal("194.00"),
        "risk": Decimal("220.00"),
        "state": "PENDING",
        "horizon": "swing",
        "strategy": "swing_trading",
        "evidence_state": "CANDIDATE",
        "made_ns": NOW - 60 * SECOND,
        "expires_ns": NOW + 360 * SECOND,
        "probability": 0.57,
        "probability_low": 0.52,
        "probability_high": 0.61,
        "reference_price": 190.10,
        "drift": 0.04,
        "drift_atr": 0.1,
        "approval_hash": "hash-1",
        "sources": (("technical", 2.1, 0.1, "CANDIDATE"), ("ml", -0.7, 0.2, "PREDICTIVE")),
    }
    return SuggestionRow(**(values | changes))


def block(quotes: dict[int, float], flags: int = 0, ts: int = NOW, previous: float = 100.0) -> QuoteBlock:
    """Pack last prices by index; bid and ask stand a cent beside them."""
    index = np.array(sorted(quotes), "<i4")
    last = np.array([quotes[number] for number in sorted(quotes)], "<f8")
    many = len(index)
    return QuoteBlock(
        index=index.tobytes(),
        bid=(last - 0.01).tobytes(),
        ask=(last + 0.01).tobytes(),
        bid_size=np.full(many, 300.0).tobytes(),
        ask_size=np.full(many, 400.0).tobytes(),
        last=last.tobytes(),
        volume=np.full(many, 36.5e6).tobytes(),
        previous_close=np.full(many, previous).tobytes(),
        ts=np.full(many, ts, "<i8").tobytes(),
        flags=np.full(many, flags, np.uint8).tobytes(),
    )
