"""The provider over the real ib_async and the fake gateway, in virtual time. T-L2 lives here."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.bus.clock import SECOND
from engine.bus.errors import ProviderError
from engine.collection.provider import DataKind
from engine.collection.providers.ibkr.provider import IbkrProvider
from engine.collection.providers.ibkr.settings import IbkrDataSettings
from engine.execution.brokers.ibkr.broker import IbkrBroker
from engine.execution.brokers.ibkr.link import Link
from engine.model.events.base import Event
from engine.model.events.market import BarClosed, BookChanged, HaltChanged, NewsArrived, QuoteTick, TradeTick
from engine.model.ids import Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.market import DataType
from engine.model.report import LinkState
from tests.engine.execution.brokers.ibkr.rig import LoopClock, begin_gateway, make_broker, run_virtual
from tests.support.desk_rig import FakeMarket
from tests.support.tws_gateway.protocol import Req
from tests.support.tws_gateway.server import TwsGateway

AAPL, MSFT, KO = Symbol("AAPL"), Symbol("MSFT"), Symbol("KO")


class Kit:
    """Gateway, link, broker and provider, and what was heard."""

    def __init__(self, gateway: TwsGateway, **settings: Any) -> None:
        self.gateway = gateway
        self.clock = LoopClock()
        self.catalogue = FakeMarket(self.clock)
        self.broker: IbkrBroker
        self.link: Link
        self.broker, self.link = make_broker(gateway, self.clock, self.catalogue)
        self.heard: list[Event] = []
        self.said: list[str] = []
        self.provider = IbkrProvider(
            self.heard.append,
            self.clock,
            IbkrDataSettings(**settings),
            self.link,
            self.broker.contracts,
            self.said.append,
        )

    def of(self, kind: type[Event], symbol: str = "AAPL") -> list[Any]:
        return [e for e in self.heard if type(e) is kind and getattr(e, "symbol", symbol) == symbol]

    def asked(self, request: Req) -> int:
        return len(list(self.gateway.wire.select(request, "in")))

    async def holds(self, condition: Callable[[], object], seconds: float = 20) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not condition():
            assert loop.time() < end, f"it did not come to hold within {seconds} s"
            await asyncio.sleep(0.01)

    async def open(self, *symbols: Symbol, depth: bool = False) -> None:
        """Watch, and wait for the first prices."""
        self.provider.watch(symbols, depth)
        await self.holds(lambda: all(self.of(QuoteTick, s) for s in symbols), 60)


def tell(story: Callable[[Kit], Awaitable[None]], config: dict[str, Any] | None = None, **settings: Any) -> None:
    async def whole() -> None:
        gateway = begin_gateway(**(config or {}))
        kit = Kit(gateway, **settings)
        try:
            await kit.broker.start()
            await kit.provider.start()
            await story(kit)
            assert gateway.faults.never_fired() == []
        finally:
            await kit.provider.stop()
            await kit.broker.stop()
            await gateway.stop()

    run_virtual(whole)


def test_a_packet_of_ticks_makes_one_quote_with_both_sides() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        kit.heard.clear()
        kit.gateway.set_quote("AAPL", 189.5, 189.7, 300, 400)
        await asyncio.sleep(0.2)
        quotes = kit.of(QuoteTick)
        assert len(quotes) <= 2
        last = quotes[-1]
        assert (last.bid, last.ask, last.bid_size, last.ask_size) == (189.5, 189.7, 300, 400)
        assert (last.data_type, last.source) == (DataType.LIVE, "ibkr")
        assert last.ts_event == last.ts_init

    tell(story)


@pytest.mark.parametrize(("bid", "ask"), [(None, 190.2), (190.1, None), (None, None)])
def test_a_side_without_a_quote_is_nan_never_minus_one(bid: float | None, ask: float | None) -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        kit.gateway.set_quote("AAPL", bid, ask)
        await asyncio.sleep(0.2)
        last = kit.of(QuoteTick)[-1]
        assert math.isnan(last.bid) is (bid is None)
        assert math.isnan(last.ask) is (ask is None)

    tell(story)


@pytest.mark.parametrize("single", [0, 3])
def test_each_trade_is_told_once_and_the_one_from_before_is_not_a_trade(single: int) -> None:
    async def story(kit: Kit) -> None:
        kit.gateway.trade("AAPL", 190.0, 5)
        await kit.open(AAPL)
        await asyncio.sleep(0.5)
        kit.heard.clear()
        kit.gateway.trade("AAPL", 190.1, 7)
        kit.gateway.trade("AAPL", 190.2, 9)
        await asyncio.sleep(0.5)
        assert [(t.price, t.size) for t in kit.of(TradeTick)] == [(190.1, 7), (190.2, 9)]

    tell(story, trade_lines=single)


@pytest.mark.parametrize(
    ("data", "closed", "expected"),
    [("live", False, DataType.LIVE), ("delayed", False, DataType.DELAYED), ("delayed", True, DataType.DELAYED)],
)
def test_live_and_delayed_are_told_apart_by_symbol(data: str, closed: bool, expected: DataType) -> None:
    async def story(kit: Kit) -> None:
        kit.gateway.set_data("AAPL", data)
        if closed:
            kit.gateway.close_market()
        await kit.open(AAPL, MSFT)
        mine, other = kit.of(QuoteTick)[-1], kit.of(QuoteTick, "MSFT")[-1]
        assert mine.data_type is expected
        assert other.data_type is DataType.LIVE
        if expected is DataType.DELAYED:
            assert mine.ts_init - mine.ts_event == 900 * SECOND, "a delayed price says how old it is"

    tell(story)


def test_without_delayed_prices_a_symbol_without_a_subscription_is_named_and_silent() -> None:
    async def story(kit: Kit) -> None:
        kit.gateway.set_data("AAPL", "delayed")
        kit.provider.watch([AAPL, MSFT])
        await kit.holds(lambda: kit.said and "no prices of AAPL" in kit.said[-1])
        assert "354" in kit.said[-1]
        await asyncio.sleep(60)
        assert kit.of(QuoteTick) == []
        assert kit.of(QuoteTick, "MSFT")

    tell(story, delayed=False)


def test_t_l2_after_1101_every_line_is_asked_for_again_after_1102_none() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL, MSFT, depth=True)
        kinds = (Req.MKT_DATA, Req.TICK_BY_TICK, Req.MKT_DEPTH, Req.REAL_TIME_BARS)
        before = [kit.asked(kind) for kind in kinds]
        assert min(before) == max(before) == 2
        kit.gateway.link_lost()
        await asyncio.sleep(5)
        kit.gateway.link_restored(data_lost=False)
        await asyncio.sleep(5)
        assert [kit.asked(kind) for kind in kinds] == before
        kit.gateway.link_lost()
        await asyncio.sleep(5)
        kit.heard.clear()
        kit.gateway.link_restored(data_lost=True)
        await kit.holds(lambda: [kit.asked(kind) for kind in kinds] == [4, 4, 4, 4])
        await kit.holds(lambda: kit.of(QuoteTick) and kit.of(BookChanged))
        assert len(kit.gateway.sessions[0].subs.market_data) == 2

    tell(story, five_second_bars=True)


def test_after_a_reconnect_the_kind_of_data_and_all_lines_are_asked_for_again() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL, MSFT)
        kit.gateway.drop()
        await kit.holds(lambda: kit.link.state is not LinkState.UP)
        assert "gateway" in kit.said[-1]
        kit.heard.clear()
        await kit.holds(lambda: kit.of(QuoteTick) and kit.of(QuoteTick, "MSFT"), 30)
        assert kit.asked(Req.MARKET_DATA_TYPE) == 2
        await kit.holds(lambda: kit.said[-1] == "")

    tell(story)


def test_a_line_of_bars_that_fell_silent_is_asked_for_again() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        await kit.holds(lambda: kit.of(BarClosed), 30)
        bar = kit.of(BarClosed)[0]
        assert bar.seconds == 5
        assert bar.ts_event - bar.ts_open == 5 * SECOND
        kit.gateway.sessions[0].subs.realtime.clear()
        await kit.holds(lambda: kit.asked(Req.REAL_TIME_BARS) == 2, 120)

    tell(story, five_second_bars=True)


def test_the_login_may_have_so_many_lines_and_the_rest_waits_for_a_place() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL, MSFT)
        kit.provider.watch([KO])
        await kit.holds(lambda: kit.said and "no prices of KO" in kit.said[-1])
        rows = {row.key: (row.state, row.text) for row in kit.provider.meters()}
        assert rows["ibkr price lines"] == ("degraded", "2 of 2")
        kit.provider.unwatch([AAPL])
        await kit.holds(lambda: kit.of(QuoteTick, "KO"))
        await kit.holds(lambda: kit.said[-1] == "")

    tell(story, lines=2)


def test_a_gateway_that_knows_fewer_lines_than_we_thought_is_believed() -> None:
    async def story(kit: Kit) -> None:
        kit.provider.watch([AAPL, MSFT, KO])
        await kit.holds(lambda: kit.said and "no prices of KO" in kit.said[-1])
        assert "(101)" in kit.said[-1]
        await asyncio.sleep(120)
        assert kit.asked(Req.MKT_DATA) == 3, "it is not asked again and again"

    tell(story, config={"market_data_lines": 2})


def test_fewer_trade_and_depth_lines_than_asked_for_cost_no_prices() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL, MSFT, KO, depth=True)
        await asyncio.sleep(2)
        assert len(kit.gateway.sessions[0].subs.tick_by_tick) == 1
        assert len(kit.gateway.sessions[0].subs.depth) == 1
        kit.heard.clear()
        for symbol in (AAPL, MSFT, KO):
            kit.gateway.trade(symbol, 100, 3)
        await asyncio.sleep(0.5)
        assert all(len(kit.of(TradeTick, s)) == 1 for s in (AAPL, MSFT, KO))

    tell(story, config={"tick_by_tick_lines": 1, "depth_lines": 1})


def test_unwatch_cancels_every_line_of_the_symbol() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL, MSFT, depth=True)
        kit.provider.unwatch([AAPL, Symbol("NEVER")])
        await asyncio.sleep(0.5)
        subs = kit.gateway.sessions[0].subs
        assert (len(subs.market_data), len(subs.tick_by_tick), len(subs.depth)) == (1, 1, 1)
        kit.heard.clear()
        kit.gateway.trade("AAPL", 100, 3)
        await asyncio.sleep(0.5)
        assert kit.of(TradeTick) == []

    tell(story)


def test_a_competing_session_takes_the_prices_and_they_are_asked_for_again() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        kit.gateway.competing_session()
        await kit.holds(lambda: kit.said and "competing" in kit.said[-1])
        kit.heard.clear()
        await kit.holds(lambda: kit.of(QuoteTick), 60)

    tell(story)


def test_a_book_is_built_row_by_row_and_a_reset_begins_anew() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL, depth=True)
        await kit.holds(lambda: kit.of(BookChanged))
        book = kit.of(BookChanged)[-1]
        assert list(book.bid_prices) == sorted(book.bid_prices, reverse=True)
        assert list(book.ask_prices) == sorted(book.ask_prices)
        assert len(book.bid_prices) == len(book.ask_sizes) == 10
        kit.gateway.set_quote("AAPL", 188.0, 188.1)
        kit.gateway.depth_reset()
        await asyncio.sleep(0.5)
        book = kit.of(BookChanged)[-1]
        assert (book.bid_prices[0], book.ask_prices[0], len(book.bid_prices)) == (188.0, 188.1, 10)

    tell(story)


def test_halts_and_their_end_are_told_once() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        assert kit.of(HaltChanged) == []
        for halted in (2, 2, 0):
            kit.gateway.set_halted("AAPL", halted)
            kit.gateway.set_quote("AAPL", 100, 100.1)
            await asyncio.sleep(0.5)
        assert [(h.halted, h.reason) for h in kit.of(HaltChanged)] == [(True, "volatility halt"), (False, "")]

    tell(story)


def test_shares_to_borrow_are_known() -> None:
    async def story(kit: Kit) -> None:
        assert kit.provider.shortable(AAPL) is None
        kit.gateway.set_shortable("AAPL", 2.0, 1234)
        await kit.open(AAPL)
        await kit.holds(lambda: kit.provider.shortable(AAPL) == ("locate", 1234))

    tell(story)


def test_headlines_come_clean_with_their_source_and_time() -> None:
    async def story(kit: Kit) -> None:
        await kit.open(AAPL)
        kit.gateway.headline(
            "AAPL", "{A:800015:L:en:K:n/a}!Apple \x07 does\u202e <b>something</b>", article_id="BRFG$1"
        )
        await kit.holds(lambda: [e for e in kit.heard if isinstance(e, NewsArrived)])
        news = next(e for e in kit.heard if isinstance(e, NewsArrived))
        assert news.headline == "Apple does <b>something</b>"
        assert (news.id, news.symbols, news.kind, news.source) == ("ibkr:BRFG$1", (AAPL,), "BRFG", "ibkr")
        assert abs(news.ts_event - kit.clock.now()) < 5 * SECOND

    tell(story)


@pytest.mark.parametrize(("seconds", "count"), [(60, 400), (300, 100), (86_400, 30)])
def test_history_is_whole_in_order_and_ended_by_the_end(seconds: int, count: int) -> None:
    async def story(kit: Kit) -> None:
        end = kit.clock.now()
        bars = await kit.provider.history(AAPL, seconds, count, end)
        assert bars is not None
        assert len(bars["ts_open"]) == count
        assert (np.diff(bars["ts_open"]) > 0).all()
        assert bars["ts_close"][-1] <= end
        assert (bars["high"] >= bars["low"]).all()
        assert (bars["volume"] >= 0).all()
        if seconds == 86_400:
            # 9:30 to 16:00 in New York, in winter.
            assert set(bars["ts_open"] // SECOND % 86_400) <= {14 * 3600 + 1800, 13 * 3600 + 1800}
            assert ((bars["ts_close"] - bars["ts_open"]) == 6.5 * 3600 * SECOND).all()

    tell(story, config={"history_pacing": False})


def test_history_of_a_pair_is_asked_for_by_its_middle() -> None:
    async def story(kit: Kit) -> None:
        pair = Symbol("EUR.USD")
        kit.catalogue.instrument = lambda symbol: Instrument(  # type: ignore[method-assign]
            symbol=symbol, kind=InstrumentKind.FOREX, exchange="IDEALPRO", calendar="24/5"
        )
        bars = await kit.provider.history(pair, 300, 50, kit.clock.now())
        assert bars is not None
        assert len(bars["close"]) == 50
        assert (bars["volume"] == 0).all()
        assert np.isnan(bars["vwap"]).all()

    tell(story)


def test_the_budget_of_history_is_kept_and_a_request_beyond_it_is_refused_in_words() -> None:
    async def story(kit: Kit) -> None:
        now = kit.clock.now()

        async def ask(number: int) -> None:
            await kit.provider.history((AAPL, MSFT, KO)[number % 3], 60, 5, now - number * 60 * SECOND)

        for number in range(60):
            await ask(number)
        with pytest.raises(ProviderError, match=r"budget .* room again in \d+ s"):
            await ask(60)
        texts = [f.fields for f in kit.gateway.wire.select(4, "out")]
        assert not [t for t in texts if "pacing" in " ".join(t).lower()]

    tell(story)


def test_a_history_that_is_not_answered_or_refused_is_an_error_and_no_data_is_none() -> None:
    async def story(kit: Kit) -> None:
        kit.gateway.faults.add("history_silent")
        with pytest.raises(ProviderError, match="within 5 s"):
            await kit.provider.history(AAPL, 60, 5, kit.clock.now())
        kit.gateway.faults.add("history_pacing", times=1)
        with pytest.raises(ProviderError, match=r"\(162\)"):
            await kit.provider.history(MSFT, 60, 5, kit.clock.now())
        await asyncio.sleep(61)
        with pytest.raises(ProviderError, match="No security definition"):
            await kit.provider.history(Symbol("NOBODY"), 60, 5, kit.clock.now())
        assert await kit.provider.history(AAPL, 77, 5, kit.clock.now()) is None

    tell(story, history_timeout_s=5)


def test_instruments_carry_the_step_of_their_price_band_calendar_and_sector() -> None:
    async def story(kit: Kit) -> None:
        apple, spy = await kit.provider.describe([AAPL, Symbol("SPY"), Symbol("NOBODY")])
        assert (apple.kind, apple.tick, apple.calendar, apple.sector) == (
            InstrumentKind.STOCK,
            Decimal("0.01"),
            "XNYS",
            "Technology",
        )
        assert (apple.conid, apple.lot, apple.name) == (265598, 1, "APPLE INC")
        assert spy.kind is InstrumentKind.ETF
        listed = kit.broker.contracts.listing(AAPL)
        assert listed is not None
        assert listed.increment(Decimal("0.50")) == Decimal("0.0001")

    tell(story)


def test_instruments_that_are_asked_for_again_have_the_hours_of_today() -> None:
    async def story(kit: Kit) -> None:
        (first,) = await kit.provider.describe([AAPL])
        await asyncio.sleep(86_400 * 3)  # over a weekend, too
        (same,) = await kit.provider.describe([AAPL])
        (fresh,) = await kit.provider.describe([AAPL], again=True)
        assert same.hours == first.hours
        assert fresh.hours[-1][0] > first.hours[-1][0]

    tell(story)


def test_without_a_gateway_the_start_fails_with_its_reason_and_works_later() -> None:
    async def whole() -> None:
        gateway = begin_gateway()
        gateway.refuses = True
        kit = Kit(gateway)
        await kit.broker.start()
        with pytest.raises(ProviderError, match="not connected"):
            await kit.provider.start()
        gateway.refuses = False
        await kit.holds(lambda: kit.link.state is LinkState.UP, 60)
        await kit.provider.start()
        await kit.open(AAPL)
        await kit.provider.stop()
        await kit.provider.stop()
        kit.heard.clear()
        kit.gateway.trade("AAPL", 100, 3)
        await asyncio.sleep(1)
        assert kit.heard == []
        await kit.provider.start()
        await kit.open(AAPL)
        await kit.provider.stop()
        await kit.broker.stop()
        await gateway.stop()

    run_virtual(whole)


def test_data_requests_never_fill_the_second_that_orders_need() -> None:
    async def story(kit: Kit) -> None:
        symbols = [Symbol(s) for s in ("AAPL", "MSFT", "NVDA", "TSLA", "KO", "JPM", "IBM", "SPY", "QQQ", "META")]
        kit.provider.watch(symbols, depth=True)
        for _ in range(400):
            await asyncio.sleep(0.01)
            assert kit.link.pace.used <= 25
        assert kit.provider.kinds >= {DataKind.QUOTES, DataKind.TRADES, DataKind.HISTORY}

    tell(story)
