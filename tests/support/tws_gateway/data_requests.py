"""Market data, depth, bars, ticks and history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.tws_gateway.clock import parse_order_time
from tests.support.tws_gateway.contracts import Contract, ContractQuery
from tests.support.tws_gateway.history import BAR_SECONDS, MAX_BARS, duration_seconds
from tests.support.tws_gateway.protocol import Cursor, Msg, Req, RequestError
from tests.support.tws_gateway.subscriptions import LiveBars, MarketData

if TYPE_CHECKING:
    from tests.support.tws_gateway.session import Session

HMDS = "Historical Market Data Service error message:"
NO_DATA = "Requested market data is not subscribed."


def resolve(session: Session, req_id: int, query: ContractQuery) -> Contract:
    """The one contract of a request; 200 when there is none or more than one."""
    found = session.gateway.universe.find(query)
    if not found:
        raise RequestError(req_id, 200, "No security definition has been found for the request")
    if len(found) > 1:
        raise RequestError(req_id, 200, "The contract description specified is ambiguous.")
    return found[0]


def _ids(text: str) -> frozenset[int]:
    parts = (p.split(":")[0] for p in text.split(","))
    return frozenset(int(p) for p in parts if p.isdigit())


def _delivered_type(session: Session, contract: Contract) -> int | None:
    """The market data type that this client gets, None for nothing."""
    market, asked = session.gateway.market, session.market_data_type
    live = market.book(contract.con_id).data == "live"
    closed = not market.session_open and contract.sec_type not in ("CASH", "FUT")
    if live and asked == 3 and session.gateway.config.literal_data_type:
        return 3
    if live:
        return 2 if asked in (2, 4) and closed else 1
    if asked in (1, 2) or market.book(contract.con_id).data == "none":
        return None
    return 4 if asked == 4 and closed else 3


def market_data(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.req_id = cursor.integer()
    contract = resolve(session, req_id, ContractQuery.read(cursor))
    if cursor.flag():
        cursor.skip(3)
    generics = cursor.text()
    snapshot = cursor.flag()
    known = session.gateway.config.generic_ticks
    if known is not None and not _ids(generics) <= known:
        text = f"Error validating request.-'bN' : cause - Incorrect generic tick list of {generics}."
        raise RequestError(req_id, 321, text)
    kind = _delivered_type(session, contract)
    if kind is None:
        hint = (
            "" if session.gateway.market.book(contract.con_id).data == "none" else " Delayed market data is available."
        )
        raise RequestError(req_id, 354, f"{NO_DATA}{hint} {contract.symbol} {contract.exchange}/TOP/ALL")
    _check_lines(session, req_id, contract)
    if kind in (3, 4):
        session.error(req_id, 10167, f"{NO_DATA} Displaying delayed market data.")
    data = MarketData(contract, _ids(generics), kind)
    if not snapshot:
        session.subs.market_data[req_id] = data
    if "mdoff" not in generics:
        bbo = "a60001" if contract.sec_type == "STK" else ""
        session.send(Msg.TICK_REQ_PARAMS, req_id, contract.min_tick, bbo, 3)
        session.send(Msg.MARKET_DATA_TYPE, 1, req_id, kind)
        session.subs.send_ticks(req_id, data, first=True)
        if contract.sec_type == "OPT":
            session.subs.send_greeks(req_id, data)
    if snapshot:
        session.send(Msg.TICK_SNAPSHOT_END, 1, req_id)


def _check_lines(session: Session, req_id: int, contract: Contract) -> None:
    gateway = session.gateway
    fault = gateway.faults.hit("max_lines", client_id=session.client_id, symbol=contract.symbol)
    limit = gateway.config.market_data_lines if fault is None else int(fault["lines"])
    used = {d.contract.con_id for s in gateway.sessions for d in s.subs.market_data.values()}
    if contract.con_id not in used and len(used) >= limit:
        raise RequestError(req_id, 101, "Max number of tickers has been reached")


def cancel_market_data(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.integer()
    if session.subs.market_data.pop(req_id, None) is None:
        raise RequestError(req_id, 300, f"Can't find EId with tickerId:{req_id}")


def market_data_type(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.market_data_type = cursor.integer(1)


def tick_by_tick(session: Session, cursor: Cursor) -> None:
    req_id = cursor.req_id = cursor.integer()
    contract = resolve(session, req_id, ContractQuery.read(cursor))
    what = cursor.text()
    if what not in ("Last", "AllLast", "BidAsk", "MidPoint"):
        raise RequestError(req_id, 321, f"Error validating request.-'bS' : cause - Incorrect tick type {what!r}.")
    if what in ("Last", "AllLast") and not contract.has_trades:
        raise RequestError(req_id, 10189, f"Failed to request tick-by-tick data:No trades for {contract.local_symbol}")
    if len(session.subs.tick_by_tick) >= session.gateway.config.tick_by_tick_lines:
        raise RequestError(req_id, 10190, "Max number of tick-by-tick requests has been reached.")
    session.subs.tick_by_tick[req_id] = (contract, what)
    session.subs.send_tick_by_tick(req_id, contract, what, "trade" if "Last" in what else "quote")


def cancel_tick_by_tick(session: Session, cursor: Cursor) -> None:
    session.subs.tick_by_tick.pop(cursor.integer(), None)


def depth(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.req_id = cursor.integer()
    contract = resolve(session, req_id, ContractQuery.read(cursor))
    rows = cursor.integer(5)
    limit = session.gateway.config.depth_lines
    if len(session.subs.depth) >= limit:
        raise RequestError(req_id, 309, f"Max number ({limit}) of market depth requests has been reached.")
    session.subs.depth[req_id] = (contract, min(rows, 20))
    session.subs.send_depth(req_id, contract, min(rows, 20), first=True)


def cancel_depth(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.subs.depth.pop(cursor.integer(), None)


def realtime_bars(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.req_id = cursor.integer()
    contract = resolve(session, req_id, ContractQuery.read(cursor))
    if cursor.integer(5) != 5:
        raise RequestError(req_id, 321, "Error validating request.-'bK' : cause - Only 5 second bars are supported.")
    what = cursor.text()
    if what == "TRADES" and not contract.has_trades:
        raise RequestError(req_id, 420, "Invalid Real-time Query:No trades data permissions")
    session.subs.realtime[req_id] = LiveBars(contract, 5)


def cancel_realtime_bars(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.subs.realtime.pop(cursor.integer(), None)


def _end_second(session: Session, req_id: int, text: str) -> int:
    if not text:
        return session.gateway.clock.now_ns() // 1_000_000_000
    try:
        return int(parse_order_time(text).timestamp())
    except (ValueError, KeyError):
        raise RequestError(
            req_id, 10314, f"End Date/Time: The date, time, or time-zone entered is invalid: {text!r}"
        ) from None


def historical_data(session: Session, cursor: Cursor) -> None:
    req_id = cursor.req_id = cursor.integer()
    query = ContractQuery.read(cursor)
    cursor.skip()
    end_text, size, duration = cursor.texts(3)
    rth = cursor.flag()
    what = cursor.text()
    format_date = cursor.integer(1)
    keep = cursor.flag()
    contract = resolve(session, req_id, query)
    gateway = session.gateway
    if what == "SCHEDULE":
        _schedule(session, req_id, end_text, duration)
        return
    seconds, span = BAR_SECONDS.get(size), duration_seconds(duration)
    if seconds is None:
        raise RequestError(
            req_id,
            321,
            f"Error validating request.-'bN' : cause - Historical data bar size setting is invalid: {size!r}",
        )
    if span is None:
        raise RequestError(
            req_id,
            321,
            f"Error validating request.-'bN' : cause - Historical data query duration is invalid: {duration!r}",
        )
    if what == "TRADES" and not contract.has_trades:
        raise RequestError(
            req_id, 162, f"{HMDS}No historical market data for {contract.local_symbol}@IDEALPRO Last {size}"
        )
    if keep and end_text:
        raise RequestError(
            req_id, 321, "Error validating request.-'bN' : cause - End date not supported with keepUpToDate."
        )
    _check_pacing(
        session, req_id, contract, f"{contract.con_id} {end_text} {size} {duration} {what} {rth}", seconds, what
    )
    if gateway.faults.hit("history_silent", client_id=session.client_id, symbol=contract.symbol):
        return
    end = _end_second(session, req_id, end_text)
    bars = gateway.history.bars(contract, end, span, seconds, rth) if span // seconds <= MAX_BARS * 10 else []
    if not bars or len(bars) > MAX_BARS:
        raise RequestError(
            req_id, 162, f"{HMDS}HMDS query returned no data: {contract.symbol}@{contract.exchange} {what}"
        )
    fields: list[object] = []
    for b in bars:
        date = gateway.history.date_text(b.start, seconds, format_date)
        fields += [date, b.open, b.high, b.low, b.close, b.volume, round((b.open + b.close) / 2, 6), b.count]
    span_text = [gateway.clock.stamp((end - span) * 1_000_000_000), gateway.clock.stamp(end * 1_000_000_000)]
    session.send(Msg.HISTORICAL_DATA, req_id, *span_text, len(bars), *fields)
    if keep:
        session.subs.bars[req_id] = LiveBars(contract, seconds, None, format_date)


def _check_pacing(session: Session, req_id: int, contract: Contract, request: str, seconds: int, what: str) -> None:
    gateway = session.gateway
    weight = 2 if what == "BID_ASK" else 1
    fault = gateway.faults.hit("history_pacing", client_id=session.client_id, symbol=contract.symbol)
    broken = gateway.history.pacing.violates(gateway.clock.now_ns(), contract.con_id, request, weight)
    if fault or (broken and seconds <= 30 and gateway.config.history_pacing):
        raise RequestError(req_id, 162, f"{HMDS}Historical data request pacing violation")


def _schedule(session: Session, req_id: int, end_text: str, duration: str) -> None:
    span = duration_seconds(duration) or 86400
    sessions = session.gateway.history.sessions(_end_second(session, req_id, end_text), span // 86400)
    flat = [part for row in sessions for part in row]
    first, last = (sessions[0][0], sessions[-1][1]) if sessions else ("", "")
    session.send(Msg.HISTORICAL_SCHEDULE, req_id, first, last, "US/Eastern", len(sessions), *flat)


def cancel_historical_data(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.integer()
    if session.subs.bars.pop(req_id, None) is not None:
        session.error(req_id, 162, f"{HMDS}API historical data query cancelled: {req_id}")


def head_timestamp(session: Session, cursor: Cursor) -> None:
    req_id = cursor.req_id = cursor.integer()
    resolve(session, req_id, ContractQuery.read(cursor))
    cursor.skip(3)
    moment = datetime(2004, 1, 23, 14, 30, tzinfo=UTC)
    epoch = cursor.integer(1) == 2
    session.send(Msg.HEAD_TIMESTAMP, req_id, int(moment.timestamp()) if epoch else moment.strftime("%Y%m%d-%H:%M:%S"))


def histogram(session: Session, cursor: Cursor) -> None:
    req_id = cursor.req_id = cursor.integer()
    contract = resolve(session, req_id, ContractQuery.read(cursor))
    end = session.gateway.clock.now_ns() // 1_000_000_000
    counts: dict[float, int] = {}
    for bar in session.gateway.history.bars(contract, end, 5 * 86400, 300, True):
        counts[bar.close] = counts.get(bar.close, 0) + round(max(bar.volume, 1))
    flat = [part for row in sorted(counts.items()) for part in row]
    session.send(Msg.HISTOGRAM_DATA, req_id, len(counts), *flat)


def historical_ticks(session: Session, cursor: Cursor) -> None:
    """Ticks along the price path, one a second, at most a thousand."""
    req_id = cursor.req_id = cursor.integer()
    contract = resolve(session, req_id, ContractQuery.read(cursor))
    cursor.skip()
    start_text, end_text = cursor.texts(2)
    count = min(max(cursor.integer(1), 1), 1000)
    what = cursor.text()
    if bool(start_text) == bool(end_text):
        raise RequestError(req_id, 321, "Error validating request.-'bV' : cause - Give either a start or an end time.")
    start = _end_second(session, req_id, start_text) if start_text else _end_second(session, req_id, end_text) - count
    step = float(contract.increment_at(contract.price))
    rows: list[object] = []
    for second in range(start, start + count):
        price = session.gateway.history.price_at(contract, second)
        if what == "BID_ASK":
            rows += [second, 0, round(price - step, 6), round(price + step, 6), 300, 400]
        elif what == "TRADES":
            rows += [second, 0, price, 100, contract.primary, ""]
        else:
            rows += [second, 0, price, 0]
    message = {"BID_ASK": Msg.HISTORICAL_TICKS_BID_ASK, "TRADES": Msg.HISTORICAL_TICKS_LAST}.get(
        what, Msg.HISTORICAL_TICKS
    )
    session.send(message, req_id, count, *rows, 1)


def ignore(session: Session, cursor: Cursor) -> None:
    """A cancel of something that was answered once and is over."""


TABLE: dict[int, Callable[[Session, Cursor], None]] = {
    Req.MKT_DATA: market_data,
    Req.CANCEL_MKT_DATA: cancel_market_data,
    Req.MARKET_DATA_TYPE: market_data_type,
    Req.TICK_BY_TICK: tick_by_tick,
    Req.CANCEL_TICK_BY_TICK: cancel_tick_by_tick,
    Req.MKT_DEPTH: depth,
    Req.CANCEL_MKT_DEPTH: cancel_depth,
    Req.REAL_TIME_BARS: realtime_bars,
    Req.CANCEL_REAL_TIME_BARS: cancel_realtime_bars,
    Req.HISTORICAL_DATA: historical_data,
    Req.CANCEL_HISTORICAL_DATA: cancel_historical_data,
    Req.HEAD_TIMESTAMP: head_timestamp,
    Req.CANCEL_HEAD_TIMESTAMP: ignore,
    Req.HISTOGRAM_DATA: histogram,
    Req.CANCEL_HISTOGRAM_DATA: ignore,
    Req.HISTORICAL_TICKS: historical_ticks,
}
