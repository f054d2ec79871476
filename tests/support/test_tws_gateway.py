"""The gateway speaks the protocol: the real ib_async connects, streams and reads its account."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from ib_async import (
    IB,
    Forex,
    Future,
    Index,
    LimitOrder,
    MarketOrder,
    Option,
    Order,
    RequestError,
    Stock,
    TagValue,
)

from tests.support.tws_gateway.client import barrier, connected, connected_in_memory, place, qualified, until
from tests.support.tws_gateway.frames import WireFrame
from tests.support.tws_gateway.handlers import HANDLERS
from tests.support.tws_gateway.protocol import Req
from tests.support.tws_gateway.server import TwsGateway

START = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)
END = "20240105-14:59:00"


@pytest.fixture(params=[178, 163, 157])
async def any_gateway(request: pytest.FixtureRequest) -> AsyncIterator[TwsGateway]:
    async with TwsGateway(version=request.param, start=START) as gateway:
        yield gateway


@pytest.fixture
async def ib(gateway: TwsGateway) -> AsyncIterator[IB]:
    async with connected(gateway) as client:
        client.RaiseRequestErrors = True
        yield client


# -- connection and reference data -------------------------------------------------------------


async def test_every_supported_version_connects_trades_and_reconciles(
    any_gateway: TwsGateway, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(any_gateway) as ib:
        assert ib.client.serverVersion() == any_gateway.config.version
        aapl = await qualified(ib, "AAPL")
        filled = await place(ib, aapl, LimitOrder("BUY", 100, 190.5, orderRef="one"))
        resting = await place(ib, aapl, LimitOrder("BUY", 10, 150, orderRef="two"))
        trail = Order(action="SELL", totalQuantity=100, orderType="TRAIL", auxPrice=2.0, tif="GTC", orderRef="three")
        await place(ib, aapl, trail)
        algo = LimitOrder("BUY", 10, 150, orderRef="four", algoStrategy="Adaptive")
        algo.algoParams = [TagValue("adaptivePriority", "Normal")]
        await place(ib, aapl, algo)
        ib.cancelOrder(resting.order)
        await barrier(ib)
        assert filled.orderStatus.status == "Filled"
        assert filled.fills[0].execution.orderRef == "one"
    async with connected(any_gateway) as again:
        live = {t.order.orderRef: t for t in again.openTrades()}
        assert set(live) == {"three", "four"}
        assert live["three"].order.trailStopPrice == 188.0
        assert live["four"].order.algoParams == [TagValue("adaptivePriority", "Normal")]
        done = {t.order.orderRef: t.orderStatus.status for t in await again.reqCompletedOrdersAsync(False)}
        assert done == {"one": "Filled", "two": "Cancelled"}
        assert [p.position for p in again.positions()] == [100]
        assert [f.execution.orderRef for f in again.fills()] == ["one"]
    assert not [r for r in caplog.records if "Error handling fields" in r.message or "Error for" in r.message]


async def test_the_first_tcp_bytes_must_be_the_api_greeting(gateway: TwsGateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next timer instead of passing."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0
        real = self._selector.select
        self._selector.select = lambda timeout=None: (self._skip(timeout), real(0))[1]

    def _skip(self, timeout: float | None) -> None:
        self._skipped += timeout or 0.0

    def time(self) -> float:
        return self._skipped


def test_three_days_in_memory_and_virtual_time_pass_at_once() -> None:
    async def days() -> tuple[str, str, float]:
        gateway = TwsGateway(start=START, heartbeat=60.0, lifetime=1e7)
        gateway.attach()
        async with connected_in_memory(gateway) as ib:
            aapl = await qualified(ib, "AAPL")
            first = await place(ib, aapl, MarketOrder("BUY", 5, orderRef="m"))
            until_when = "20240107-00:00:00"
            second = await place(ib, aapl, LimitOrder("BUY", 5, 150, tif="GTD", goodTillDate=until_when, orderRef="g"))
            await asyncio.sleep(3 * 86400)
            elapsed = (await ib.reqCurrentTimeAsync() - START).total_seconds()
        await gateway.stop()
        assert gateway.sessions == []
        return first.orderStatus.status, second.orderStatus.status, elapsed

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(days()) == ("Filled", "Cancelled", 3 * 86400)


async def test_a_watcher_sees_an_order_before_the_ledger_does(gateway: TwsGateway, ib: IB) -> None:
    seen: list[tuple[str, int]] = []

    def watch(frame: WireFrame) -> None:
        if frame.direction == "in" and frame.message == Req.PLACE_ORDER:
            seen.append((frame.ref, len(gateway.ledger.orders)))

    gateway.wire.watchers.append(watch)
    await place(ib, await qualified(ib, "AAPL"), LimitOrder("BUY", 1, 150, orderRef="a"))
    assert seen == [("a", 0)]


async def test_the_gateway_stops_by_itself_after_its_lifetime() -> None:
    async with TwsGateway(lifetime=0.05) as gateway, connected(gateway) as ib:
        await asyncio.wait_for(gateway.stopped.wait(), 5)
        await until(lambda: not ib.isConnected(), "the disconnect")


@pytest.mark.parametrize(
    ("asked", "con_id"),
    [
        (Stock("AAPL", "SMART", "USD"), 265598),
        (Stock("SPY", "ARCA", "USD"), 756733),
        (Forex("EURUSD"), 12087792),
        (Index("SPX", "CBOE", "USD"), 416904),
        (Future("ES", "202403", "CME"), 495512551),
        (Option("AAPL", "20240315", 190, "C", "SMART"), 700000003),
    ],
)
async def test_contracts_of_every_kind_are_qualified(ib: IB, asked: Stock, con_id: int) -> None:
    assert (await qualified(ib, asked)).conId == con_id


async def test_an_unknown_contract_draws_200_and_an_ambiguous_one_is_not_resolved(ib: IB) -> None:
    ib.RaiseRequestErrors = False
    assert await ib.qualifyContractsAsync(Stock("NOSUCH", "SMART", "USD")) == [None]
    assert await ib.qualifyContractsAsync(Stock("RY", "SMART")) == [None]
    assert len(await ib.reqContractDetailsAsync(Stock("RY", "SMART"))) == 2


async def test_market_rules_and_hours_are_those_of_the_contract(ib: IB) -> None:
    details = (await ib.reqContractDetailsAsync(Future("ES", "202403", "CME")))[0]
    rule = await ib.reqMarketRuleAsync(int(details.marketRuleIds.split(",")[0]))
    assert [(r.lowEdge, r.increment) for r in rule] == [(0, 0.25)]
    stock = (await ib.reqContractDetailsAsync(Stock("AAPL", "SMART", "USD")))[0]
    assert stock.tradingHours.startswith("20240105:0400-20240105:2000;20240106:CLOSED")
    assert stock.liquidHours.startswith("20240105:0930-20240105:1600")
    assert (stock.minSize, stock.timeZoneId) == (0.0001, "US/Eastern")
    assert len(stock.marketRuleIds.split(",")) == len(stock.validExchanges.split(","))


async def test_reference_requests_are_answered(ib: IB) -> None:
    assert {d.contract.symbol for d in await ib.reqMatchingSymbolsAsync("A")} >= {"AAPL", "AMZN"}
    chains = await ib.reqSecDefOptParamsAsync("AAPL", "", "STK", 265598)
    assert (chains[0].expirations, chains[0].strikes) == (["20240315", "20240621"], [180, 190, 200])
    assert len(await ib.reqMktDepthExchangesAsync()) == 4
    assert len(await ib.reqSmartComponentsAsync("a60001")) == 5
    assert (await ib.reqHeadTimeStampAsync(Stock("AAPL", "SMART", "USD"), "TRADES", True, 1)).year == 2004
    assert (await ib.reqCurrentTimeAsync()).date() == START.date()
    option = await qualified(ib, Option("AAPL", "20240315", 190, "C", "SMART"))
    priced = await ib.calculateOptionPriceAsync(option, 0.3, 190.0)
    back = await ib.calculateImpliedVolatilityAsync(option, priced.optPrice, 190.0)
    assert back.impliedVol == pytest.approx(0.3, abs=1e-6)


def test_every_request_number_is_understood() -> None:
    assert set(Req) == {Req(number) for number in HANDLERS}


async def test_an_unknown_request_draws_505(gateway: TwsGateway, ib: IB) -> None:
    codes: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: codes.append(code)
    ib.client.send(999, 1)
    await barrier(ib)
    assert codes == [505]


# -- market data -------------------------------------------------------------------------------


async def test_live_ticks_follow_the_market_and_stop_after_cancel(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    ticker = ib.reqMktData(aapl, "233,236")
    await barrier(ib)
    assert (ticker.bid, ticker.ask, ticker.last, ticker.marketDataType) == (189.99, 190.01, 190.0, 1)
    assert (ticker.shortable, ticker.shortableShares) == (3.0, 5_000_000)
    gateway.market.set_quote("AAPL", 191, 191.02, 300, 400)
    gateway.market.trade("AAPL", 191.01, 70)
    await barrier(ib)
    assert (ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize) == (191, 300, 191.02, 400)
    assert (ticker.last, ticker.lastSize, ticker.rtVolume) == (191.01, 70, 70)
    gateway.market.set_quote("AAPL", None, 191.02)
    await barrier(ib)
    assert ticker.bid == -1 or ticker.bid != ticker.bid
    gateway.market.set_halted("AAPL", 1)
    await barrier(ib)
    assert ticker.halted == 1
    ib.cancelMktData(aapl)
    await barrier(ib)
    gateway.market.set_quote("AAPL", 100, 100.02)
    await barrier(ib)
    assert ticker.ask == 191.02


@pytest.mark.parametrize(("asked", "delivered"), [(3, 3), (4, 4)])
async def test_without_a_subscription_delayed_ticks_come_only_when_asked(
    gateway: TwsGateway, ib: IB, asked: int, delivered: int
) -> None:
    gateway.market.set_data("AAPL", "delayed")
    gateway.close_market()
    codes: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: codes.append(code)
    aapl = await qualified(ib, "AAPL")
    nothing = ib.reqMktData(aapl)
    await barrier(ib)
    assert codes == [354]
    assert nothing.bid != nothing.bid
    ib.reqMarketDataType(asked)
    ticker = ib.reqMktData(aapl)
    await barrier(ib)
    assert codes == [354, 10167]
    assert (ticker.marketDataType, ticker.bid) == (delivered, 189.99)


async def test_frozen_is_delivered_when_the_market_is_closed(gateway: TwsGateway, ib: IB) -> None:
    gateway.close_market()
    ib.reqMarketDataType(2)
    ticker = ib.reqMktData(await qualified(ib, "AAPL"))
    await barrier(ib)
    assert ticker.marketDataType == 2


async def test_snapshots_end_and_options_carry_greeks(ib: IB) -> None:
    tickers = await ib.reqTickersAsync(await qualified(ib, "AAPL"))
    assert tickers[0].bid == 189.99
    option = ib.reqMktData(await qualified(ib, Option("AAPL", "20240315", 190, "C", "SMART")))
    await barrier(ib)
    assert option.modelGreeks is not None
    assert 0.4 < option.modelGreeks.delta < 0.6
    assert option.modelGreeks.undPrice == 190


async def test_tick_by_tick_depth_and_bars_stream(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    ticks = ib.reqTickByTickData(aapl, "AllLast")
    book = ib.reqMktDepth(aapl, 5, isSmartDepth=True)
    bars = ib.reqRealTimeBars(aapl, 5, "TRADES", True)
    kept = await ib.reqHistoricalDataAsync(aapl, "", "3600 S", "1 min", "TRADES", True, keepUpToDate=True)
    seen: list[float] = []
    ticks.updateEvent += lambda t: seen.extend(x.price for x in t.tickByTicks)
    gateway.market.trade("AAPL", 190.2, 30)
    gateway.market.set_quote("AAPL", 190.19, 190.21)
    gateway.emit_realtime_bars()
    await barrier(ib)
    assert seen == [190.2]
    assert [level.price for level in book.domBids] == [190.19, 190.18, 190.17, 190.16, 190.15]
    assert [level.price for level in book.domAsks][:2] == [190.21, 190.22]
    assert bars[-1].close == 190.2
    assert (kept[-1].close, kept[-1].volume) == (190.2, 30)


async def test_lines_of_every_kind_have_an_end(ib: IB) -> None:
    codes: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: codes.append(code)
    stocks = [await qualified(ib, s) for s in ("AAPL", "MSFT", "NVDA", "TSLA", "AMZN", "GOOG")]
    for stock in stocks[:4]:
        ib.reqMktDepth(stock)
    for stock in stocks:
        ib.reqTickByTickData(stock, "BidAsk")
    await barrier(ib)
    assert codes == [309, 10190]
    ib.reqTickByTickData(await qualified(ib, Forex("EURUSD")), "Last")
    await barrier(ib)
    assert codes == [309, 10190, 10189]


async def test_history_is_the_same_for_every_request_and_ends_near_the_market(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    minutes = await ib.reqHistoricalDataAsync(aapl, END, "1 D", "1 min", "TRADES", True)
    again = await ib.reqHistoricalDataAsync(aapl, END, "2 D", "1 min", "TRADES", True)
    assert list(minutes) == list(again)[-len(minutes) :]
    assert all(b.low <= min(b.open, b.close) and b.high >= max(b.open, b.close) for b in minutes)
    assert minutes[-1].close == pytest.approx(190, abs=2)
    days = await ib.reqHistoricalDataAsync(aapl, "20240104-23:00:00", "2 W", "1 day", "TRADES", True)
    assert [d.date.weekday() for d in days if d.date.weekday() > 4] == []
    schedule = await ib.reqHistoricalScheduleAsync(aapl, 5)
    assert schedule.sessions[-1].refDate == "20240105"
    ticks = await ib.reqHistoricalTicksAsync(aapl, "20240104 15:00:00 US/Eastern", "", 50, "TRADES", True)
    assert len(ticks) == 50


async def test_history_refuses_what_ib_refuses(gateway: TwsGateway, ib: IB) -> None:
    ib.RaiseRequestErrors = False
    codes: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: codes.append(code)
    euro, aapl = await qualified(ib, Forex("EURUSD")), await qualified(ib, "AAPL")
    for number, (contract, end, span, size) in enumerate(
        (
            (euro, "", "1 D", "1 min"),
            (aapl, "", "1 D", "7 secs"),
            (aapl, "tomorrow", "1 D", "1 min"),
            (aapl, "", "30 D", "1 secs"),
        )
    ):
        ib.client.reqHistoricalData(9000 + number, contract, end, span, size, "TRADES", True, 1, False, [])
    await barrier(ib)
    assert codes == [162, 321, 10314, 162]
    ib.RaiseRequestErrors = True
    await ib.reqHistoricalDataAsync(aapl, "", "60 S", "5 secs", "TRADES", True)
    with pytest.raises(RequestError, match="pacing violation"):
        await ib.reqHistoricalDataAsync(aapl, "", "60 S", "5 secs", "TRADES", True)
    gateway.advance(16)
    await ib.reqHistoricalDataAsync(aapl, "", "60 S", "5 secs", "TRADES", True)


async def test_news_comes_as_headlines_articles_and_bulletins(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    assert [p.code for p in await ib.reqNewsProvidersAsync()] == ["BRFG", "BRFUPDN", "DJNL"]
    ib.reqNewsBulletins(True)
    ib.reqMktData(aapl, "mdoff,292")
    await barrier(ib)
    gateway.headline("AAPL", "Apple <b>beats</b>", article_id="BRFG$1", body="full text")
    gateway.bulletin("Exchange closed", 2, "NYSE")
    await barrier(ib)
    assert [n.headline for n in ib.newsTicks()] == ["Apple <b>beats</b>"]
    assert [b.message for b in ib.newsBulletins()] == ["Exchange closed"]
    assert (await ib.reqNewsArticleAsync("BRFG", "BRFG$1")).articleText == "full text"
    for start, end, count in (("", "", 1), ("2024-01-05 00:00:00.0", "", 1), ("", "20240101 00:00:00 UTC", 0)):
        found = await ib.reqHistoricalNewsAsync(aapl.conId, "BRFG", start, end, 10)
        assert [n.articleId for n in found] == ["BRFG$1"] * count


# -- account -----------------------------------------------------------------------------------


async def test_positions_values_and_profit_follow_from_the_fills(gateway: TwsGateway, ib: IB) -> None:
    es = await qualified(ib, Future("ES", "202403", "CME"))
    pnl = ib.reqPnL("DU1234567")
    await place(ib, es, LimitOrder("BUY", 2, 5210.25, orderRef="es"))
    assert [(p.position, p.avgCost) for p in ib.positions()] == [(2, 5210.25 * 50)]
    gateway.set_price("ES", 5220.25)
    await barrier(ib)
    await place(ib, es, MarketOrder("SELL", 1, orderRef="es2"))
    sold = ib.fills()[-1]
    assert sold.commissionReport.realizedPNL == pytest.approx((5220.0 - 5210.25) * 50 - 0.85)
    assert pnl.realizedPnL == pytest.approx((5220.0 - 5210.25) * 50)
    values = {v.tag: v.value for v in await ib.accountSummaryAsync()}
    assert float(values["NetLiquidation"]) == pytest.approx(1_000_000 + 9.75 * 50 + 10 * 50 - 3 * 0.85, abs=0.01)
    assert float(values["TotalCashValue"]) == pytest.approx(1_000_000 + 9.75 * 50 - 3 * 0.85, abs=0.01)
    assert [i.position for i in ib.portfolio()] == [1]


async def test_a_position_that_flips_starts_a_new_cost(gateway: TwsGateway, ib: IB) -> None:
    aapl = await qualified(ib, "AAPL")
    gateway.transfer("AAPL", 50, 100)
    await place(ib, aapl, LimitOrder("SELL", 80, 189.99, orderRef="flip"))
    assert [(p.position, p.avgCost) for p in ib.positions()] == [(-30, 189.99)]


async def test_the_third_account_summary_draws_322(ib: IB) -> None:
    codes: list[int] = []
    ib.errorEvent += lambda req_id, number, text, contract: codes.append(number)
    for req_id in (9001, 9002, 9003):
        ib.client.reqAccountSummary(req_id, "All", "NetLiquidation")
    await barrier(ib)
    assert codes == [322]


async def test_the_walk_is_the_same_for_the_same_seed() -> None:
    def walk(seed: int) -> list[Decimal | None]:
        gateway = TwsGateway(seed=seed, start=START)
        gateway.walk(["AAPL"])
        prices = []
        for _ in range(50):
            gateway.market.step()
            prices.append(gateway.market.book("AAPL").last)
        return prices

    assert walk(3) == walk(3)
    assert walk(3) != walk(4)
