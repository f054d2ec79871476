"""Contracts, market rules, symbol search, option chains, news, scanner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.tws_gateway.clock import parse_order_time
from tests.support.tws_gateway.contracts import MARKET_RULES, ContractQuery, details_fields
from tests.support.tws_gateway.data_requests import resolve
from tests.support.tws_gateway.options import implied_volatility, option_values
from tests.support.tws_gateway.protocol import Cursor, Msg, Req, RequestError

if TYPE_CHECKING:
    from tests.support.tws_gateway.session import Session


def contract_details(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    req_id = cursor.req_id = cursor.integer()
    query = ContractQuery.read(cursor)
    found = session.gateway.universe.find(query)
    if not found:
        raise RequestError(req_id, 200, "No security definition has been found for the request")
    today = session.gateway.clock.local().date()
    for contract in found:
        exchange = query.exchange if query.exchange in contract.venues else ""
        fields = details_fields(contract, req_id, session.version, today, exchange)
        session.send(Msg.CONTRACT_DETAILS, *fields[1:])
    session.send(Msg.CONTRACT_DETAILS_END, 1, req_id)


def market_rule(session: Session, cursor: Cursor) -> None:
    number = cursor.integer()
    if number not in MARKET_RULES:
        raise RequestError(-1, 321, f"Error validating request.-'bE' : cause - Unknown market rule {number}.")
    bands = MARKET_RULES[number]
    session.send(Msg.MARKET_RULE, number, len(bands), *(part for band in bands for part in band))


def matching_symbols(session: Session, cursor: Cursor) -> None:
    req_id = cursor.integer()
    pattern = cursor.text().upper()
    stocks = [
        c
        for c in session.gateway.universe
        if c.sec_type in ("STK", "IND") and (c.symbol.startswith(pattern) or pattern in c.long_name.upper())
    ][:16]
    fields: list[object] = [req_id, len(stocks)]
    for c in stocks:
        fields += [c.con_id, c.symbol, c.sec_type, c.primary, c.currency]
        kinds = ["OPT"] if any(True for _ in session.gateway.universe.options_of(c.con_id)) else []
        fields += [len(kinds), *kinds]
        if session.version >= 176:
            fields += [c.long_name, ""]
    session.send(Msg.SYMBOL_SAMPLES, *fields)


def option_parameters(session: Session, cursor: Cursor) -> None:
    req_id = cursor.integer()
    cursor.texts(3)
    con_id = cursor.integer()
    options = list(session.gateway.universe.options_of(con_id))
    if options:
        expirations = sorted({o.expiry for o in options})
        strikes = sorted({o.strike for o in options})
        for exchange in ("SMART", "CBOE"):
            head = (req_id, exchange, con_id, options[0].trading_class, options[0].multiplier)
            session.send(Msg.OPTION_PARAMETER, *head, len(expirations), *expirations, len(strikes), *strikes)
    session.send(Msg.OPTION_PARAMETER_END, req_id)


def depth_exchanges(session: Session, cursor: Cursor) -> None:
    venues = ("ISLAND", "ARCA", "BATS", "IEX")
    rows = [part for v in venues for part in (v, "STK", "", "Deep2" if v == "ISLAND" else "Deep", "1")]
    session.send(Msg.MKT_DEPTH_EXCHANGES, len(venues), *rows)


def smart_components(session: Session, cursor: Cursor) -> None:
    req_id = cursor.integer()
    venues = (("0", "AMEX", "A"), ("3", "NYSE", "N"), ("13", "BATS", "Z"), ("14", "ISLAND", "Q"), ("11", "ARCA", "P"))
    session.send(Msg.SMART_COMPONENTS, req_id, len(venues), *(part for row in venues for part in row))


def news_providers(session: Session, cursor: Cursor) -> None:
    providers = session.gateway.news.providers
    session.send(Msg.NEWS_PROVIDERS, len(providers), *(part for row in providers for part in row))


def news_article(session: Session, cursor: Cursor) -> None:
    req_id = cursor.integer()
    provider, article = cursor.texts(2)
    for item in session.gateway.news.items:
        if (item.provider, item.article_id) == (provider, article):
            session.send(Msg.NEWS_ARTICLE, req_id, 0, item.body)
            return
    raise RequestError(req_id, 10172, f"Failed to request news article:No such article {article!r}")


def _news_time(value: str) -> float:
    """Epoch seconds of `yyyy-mm-dd hh:mm:ss.0` (UTC) or of an order time."""
    if value[4:5] == "-":
        return datetime.fromisoformat(value.removesuffix(".0")).replace(tzinfo=UTC).timestamp()
    return parse_order_time(value).timestamp()


def historical_news(session: Session, cursor: Cursor) -> None:
    req_id = cursor.integer()
    con_id = cursor.integer()
    codes, start, end = cursor.texts(3)
    total = min(cursor.integer(300), 300)
    wanted = set(codes.replace("+", ",").split(","))
    known = {code for code, _ in session.gateway.news.providers}
    if not wanted <= known:
        raise RequestError(req_id, 321, f"Error validating request.-'cf' : cause - Not subscribed to {wanted - known}.")
    try:
        low = _news_time(start) if start else 0.0
        high = _news_time(end) if end else float("inf")
    except ValueError:
        raise RequestError(
            req_id, 321, f"Error validating request.-'cf' : cause - Bad date {start!r} {end!r}."
        ) from None
    items = [
        i
        for i in session.gateway.news.items
        if i.con_id == con_id and i.provider in wanted and low <= i.ts_ns / 1e9 <= high
    ]
    items.sort(key=lambda i: -i.ts_ns)
    for item in items[:total]:
        session.send(Msg.HISTORICAL_NEWS, req_id, item.stamp, item.provider, item.article_id, item.headline)
    session.send(Msg.HISTORICAL_NEWS_END, req_id, len(items) > total)


def bulletins(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.subs.bulletins = True
    if cursor.flag():
        for number, kind, text, exchange in session.gateway.news.bulletins:
            session.send(Msg.NEWS_BULLETIN, 1, number, kind, text, exchange)


def cancel_bulletins(session: Session, cursor: Cursor) -> None:
    session.subs.bulletins = False


def scanner_parameters(session: Session, cursor: Cursor) -> None:
    codes = "".join(f"<ScanType><scanCode>{c}</scanCode></ScanType>" for c in ("TOP_PERC_GAIN", "MOST_ACTIVE"))
    session.send(Msg.SCANNER_PARAMETERS, 1, f"<ScanParameterResponse>{codes}</ScanParameterResponse>")


def scanner(session: Session, cursor: Cursor) -> None:
    """Stocks by move since the previous close, best first."""
    req_id = cursor.integer()
    rows = cursor.integer(50)
    _, _, code = cursor.texts(3)
    if code not in ("TOP_PERC_GAIN", "TOP_PERC_LOSE", "MOST_ACTIVE"):
        raise RequestError(req_id, 162, f"Historical Market Data Service error message:scanner code {code!r} unknown")
    books = [session.gateway.market.book(c.con_id) for c in session.gateway.universe if c.sec_type == "STK"]
    if code == "MOST_ACTIVE":
        books.sort(key=lambda b: -b.volume)
    else:
        books.sort(key=lambda b: (b.last or b.close) / b.close, reverse=code == "TOP_PERC_GAIN")
    session.subs.scanners.add(req_id)
    fields: list[object] = [3, req_id, min(rows if rows > 0 else 50, len(books))]
    for rank, book in enumerate(books[: int(str(fields[2]))]):
        c = book.contract
        fields += [rank, c.con_id, c.symbol, c.sec_type, "", 0, "", c.exchange, c.currency, c.local_symbol]
        fields += [c.trading_class, c.trading_class, "", "", "", ""]
    session.send(Msg.SCANNER_DATA, *fields)


def cancel_scanner(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    session.subs.scanners.discard(cursor.integer())


def option_price(session: Session, cursor: Cursor) -> None:
    _calculate(session, cursor, by_volatility=True)


def implied(session: Session, cursor: Cursor) -> None:
    _calculate(session, cursor, by_volatility=False)


def _calculate(session: Session, cursor: Cursor, by_volatility: bool) -> None:
    cursor.skip()
    req_id = cursor.req_id = cursor.integer()
    contract = resolve(session, req_id, ContractQuery.read(cursor))
    given, under = float(cursor.decimal() or 0), float(cursor.decimal() or 0)
    years = session.gateway.days_to(contract.expiry) / 365.0
    strike = float(contract.strike)
    if contract.sec_type != "OPT" or under <= 0 or given <= 0:
        raise RequestError(
            req_id, 321, "Error validating request.-'bG' : cause - An option and positive numbers are needed."
        )
    volatility = given if by_volatility else implied_volatility(under, strike, years, contract.right, given)
    v = option_values(under, strike, years, contract.right, max(volatility, 1e-6))
    numbers = (volatility, v.delta, v.price if by_volatility else given, 0, v.gamma, v.vega, v.theta, under)
    session.send(Msg.TICK_OPTION, req_id, 53, 0, *numbers)


def fundamental_data(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    raise RequestError(cursor.integer(), 10358, "Fundamentals data is not allowed.")


def calendar_data(session: Session, cursor: Cursor) -> None:
    raise RequestError(cursor.integer(), 10276, "News feed is not allowed.")


def exercise(session: Session, cursor: Cursor) -> None:
    cursor.skip()
    raise RequestError(
        cursor.integer(), 322, "Error processing request: Exercise is ignored because the option is not in-the-money."
    )


def ignore(session: Session, cursor: Cursor) -> None:
    """A cancel of something that was answered once and is over."""


def replace_fa(session: Session, cursor: Cursor) -> None:
    raise RequestError(-1, 321, "Error validating request.-'bH' : cause - This is not a Financial Advisor account.")


TABLE: dict[int, Callable[[Session, Cursor], None]] = {
    Req.CONTRACT_DETAILS: contract_details,
    Req.MARKET_RULE: market_rule,
    Req.MATCHING_SYMBOLS: matching_symbols,
    Req.SEC_DEF_OPT_PARAMS: option_parameters,
    Req.MKT_DEPTH_EXCHANGES: depth_exchanges,
    Req.SMART_COMPONENTS: smart_components,
    Req.NEWS_PROVIDERS: news_providers,
    Req.NEWS_ARTICLE: news_article,
    Req.HISTORICAL_NEWS: historical_news,
    Req.NEWS_BULLETINS: bulletins,
    Req.CANCEL_NEWS_BULLETINS: cancel_bulletins,
    Req.SCANNER_PARAMETERS: scanner_parameters,
    Req.SCANNER_SUBSCRIPTION: scanner,
    Req.CANCEL_SCANNER: cancel_scanner,
    Req.CALC_OPTION_PRICE: option_price,
    Req.CALC_IMPLIED_VOLATILITY: implied,
    Req.CANCEL_CALC_OPTION_PRICE: ignore,
    Req.CANCEL_CALC_IMPLIED_VOLATILITY: ignore,
    Req.FUNDAMENTAL_DATA: fundamental_data,
    Req.CANCEL_FUNDAMENTAL_DATA: ignore,
    Req.WSH_META: calendar_data,
    Req.WSH_EVENT: calendar_data,
    Req.CANCEL_WSH_META: ignore,
    Req.CANCEL_WSH_EVENT: ignore,
    Req.EXERCISE_OPTIONS: exercise,
    Req.REPLACE_FA: replace_fa,
}
