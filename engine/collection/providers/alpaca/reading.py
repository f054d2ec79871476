"""Alpaca's market data in our words. Pure. ``0`` as a price means that there is none: it ends here as NaN."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from engine.bus.clock import SECOND
from engine.bus.errors import ProviderError
from engine.collection.provider import BarColumnsByName
from engine.model.events.base import Event
from engine.model.events.market import BarClosed, HaltChanged, QuoteTick, TradeTick
from engine.model.ids import Symbol
from engine.model.market import DataType

SOURCE = "alpaca"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALTED = frozenset({"H", "P", "2"})
"""Halt and volatility pause at UTP, halt at CTA."""
_RESUMED = frozenset({"T", "3"})
"""Trading resumed at UTP and CTA; resumed quotes alone (Q) are no trading yet."""


def nanoseconds(text: object) -> int:
    """Read an RFC 3339 time with up to nine digits of a second, as UTC ns. Raises ``ProviderError``."""
    try:
        whole, _, rest = str(text).replace("Z", "+00:00").partition(".")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        moment = datetime.fromisoformat(whole + rest[len(digits) :])
        delta = moment - _EPOCH
    except (ValueError, TypeError) as error:
        raise ProviderError(f"alpaca: {text!r} is no time") from error
    return (delta.days * 86_400 + delta.seconds) * SECOND + int(digits.ljust(9, "0")[:9] or "0")


def event_of(message: Mapping[str, Any], now_ns: int, data_type: DataType, size_unit: int) -> Event | None:
    """Return the event that a message of the stream is, None when it is none that we use. Raises ``ProviderError``."""
    kind = message.get("T")
    if kind not in ("q", "t", "b", "s"):
        return None
    try:
        symbol, ts = Symbol(str(message["S"])), nanoseconds(message["t"])
        if kind == "q":
            return QuoteTick(
                ts_event=ts,
                ts_init=now_ns,
                symbol=symbol,
                bid=_price(message["bp"]),
                ask=_price(message["ap"]),
                bid_size=float(message["bs"]) * size_unit,
                ask_size=float(message["as"]) * size_unit,
                data_type=data_type,
                source=SOURCE,
            )
        if kind == "t":
            return TradeTick(
                ts_event=ts,
                ts_init=now_ns,
                symbol=symbol,
                price=_price(message["p"]),
                size=float(message["s"]),
                data_type=data_type,
                source=SOURCE,
            )
        if kind == "b":
            return _bar(message, symbol, ts, now_ns)
        return _halt(message, symbol, ts, now_ns)
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderError(f"alpaca: a message cannot be read ({error!r})") from error


def _price(value: Any) -> float:
    price = float(value)
    return price if price > 0.0 else math.nan


def _bar(message: Mapping[str, Any], symbol: Symbol, ts: int, now_ns: int) -> BarClosed:
    return BarClosed(
        ts_event=ts + 60 * SECOND,
        ts_init=now_ns,
        symbol=symbol,
        seconds=60,
        ts_open=ts,
        open=float(message["o"]),
        high=float(message["h"]),
        low=float(message["l"]),
        close=float(message["c"]),
        volume=float(message["v"]),
        vwap=float(message.get("vw", math.nan)),
        trades=int(message.get("n", 0)),
        source=SOURCE,
    )


def _halt(message: Mapping[str, Any], symbol: Symbol, ts: int, now_ns: int) -> HaltChanged | None:
    code = str(message.get("sc"))
    if code not in _HALTED and code not in _RESUMED:
        return None
    reason = str(message.get("rm") or message.get("sm") or "")
    return HaltChanged(
        ts_event=ts, ts_init=now_ns, symbol=symbol, halted=code in _HALTED, reason=reason[:200], source=SOURCE
    )


def columns(rows: Sequence[Mapping[str, Any]], spans: Sequence[tuple[int, int]]) -> BarColumnsByName:
    """Bars as columns. ``spans``: start and end of each, UTC ns. Raises ``ProviderError``."""
    try:
        found: dict[str, Any] = {
            name: np.array([row[key] for row in rows], dtype=np.float64)
            for name, key in (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"), ("volume", "v"))
        }
        found["vwap"] = np.array([row.get("vw", math.nan) for row in rows], dtype=np.float64)
        found["trades"] = np.array([row.get("n", 0) for row in rows], dtype=np.int64)
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderError(f"alpaca: a bar cannot be read ({error!r})") from error
    found["ts_open"] = np.array([start for start, _ in spans], dtype=np.int64)
    found["ts_close"] = np.array([end for _, end in spans], dtype=np.int64)
    return found
