"""For every limit an order at the limit and one a unit beyond it (T-K1). Each case builds its own world."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.bus.clock import SECOND
from engine.model.broker import WhatIf
from engine.model.instrument import InstrumentKind
from engine.model.market import DataType, Side
from engine.model.order import OrderRequest, OrderState, OrderType, Origin
from engine.risk.ports import ShortFacts
from tests.engine.risk.world import AAPL, DAY, MINUTE, MSFT, OPEN_NS, XOM, Book, Mode, World, d, limits

Built = tuple[World, OrderRequest]


@dataclass(frozen=True)
class Edge:
    """``build(False)`` is at the limit and passes; ``build(True)`` is a unit beyond and is denied with ``code``."""

    name: str
    code: str
    build: Callable[[bool], Built]
    hard: bool = True
    warns: bool = False
    """Beyond the limit it only warns."""
    world: dict[str, Any] = field(default_factory=dict)


EDGES: list[Edge] = []


def edge(name: str, code: str, *, hard: bool = True, warns: bool = False) -> Callable[[Callable[[bool], Built]], Any]:
    def add(build: Callable[[bool], Built]) -> Callable[[bool], Built]:
        EDGES.append(Edge(name, code, build, hard, warns))
        return build

    return add


WIDE = {
    "order_notional_percent": 100,
    "order_notional_soft_percent": 100,
    "position_percent": 100,
    "gross_percent": 400,
    "net_percent": 400,
    "sector_percent": 400,
    "unknown_sector_percent": 400,
    "cluster_percent": 400,
    "risk_percent": 20,
    "order_adv_percent": 100,
    "funds_percent": 100,
    "cushion_percent": 0.001,
}
"""Percentages out of the way, so that one limit can be looked at alone."""
HAND = {**WIDE, "fat_finger_percent": 100, "fat_finger_multiple": 100}


def wide(auto: dict[str, Any] | None = None, manual: dict[str, Any] | None = None, **more: Any) -> World:
    world = more.pop("world", {})
    settings = limits({**WIDE, **(auto or {})}, {**HAND, **(manual or {})}, **more)
    made = World(settings=settings, **world)
    made.ledger.change(available_funds=d(100_000_000), excess_liquidity=d(100_000_000))
    return made


def live(**more: Any) -> World:
    """A live world after its first sessions, with the broker's what-if at hand."""
    made = wide(world={"book": Book.LIVE}, what_if="full_value", **more)
    made.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    return made


@edge("agent's order value in percent", "G1")
def _(over: bool) -> Built:
    w = wide({"order_notional_percent": 5, "order_notional_soft_percent": 5})
    return w, w.request(quantity=501 if over else 500)


@edge("agent's order value in money", "G1")
def _(over: bool) -> Built:
    w = live()
    return w, w.request(quantity=51 if over else 50)


@edge("order value by hand, to confirm", "G1", hard=False)
def _(over: bool) -> Built:
    w = wide(manual={"order_notional_soft_percent": 10})
    return w, w.manual(quantity=1001 if over else 1000)


@edge("order value by hand, hard", "G1")
def _(over: bool) -> Built:
    w = wide(manual={"order_notional_percent": 20, "order_notional_soft_percent": 20})
    return w, w.manual(quantity=2001 if over else 2000)


@edge("the smaller of equity now and at the session's start counts", "G1")
def _(over: bool) -> Built:
    w = wide({"order_notional_percent": 5, "order_notional_soft_percent": 5})
    w.ledger.change(equity=d(900_000), session_equity=d(1_000_000))
    return w, w.request(quantity=451 if over else 450)


@edge("first sessions at a tenth", "G1")
def _(over: bool) -> Built:
    w = wide(world={"book": Book.LIVE}, what_if="full_value")
    return w, w.request(quantity=6 if over else 5)


@edge("share of the average volume", "G2")
def _(over: bool) -> Built:
    w = wide({"order_adv_percent": 1})
    w.market.instruments[AAPL] = msgspec.structs.replace(w.market.instruments[AAPL], adv20=100_000.0)
    return w, w.request(quantity=1001 if over else 1000)


@edge("units of one order", "G2")
def _(over: bool) -> Built:
    w = live(manual={"order_notional_cap": 1e9})
    return w, _big(w, 10_001 if over else 10_000)


def _big(w: World, quantity: int) -> OrderRequest:
    w.ledger.change(
        equity=d(100_000_000),
        session_equity=d(100_000_000),
        available_funds=d(100_000_000),
        excess_liquidity=d(100_000_000),
    )
    return w.manual(quantity=quantity)


@edge("average volume unknown to the agent", "G2")
def _(over: bool) -> Built:
    w = wide({"adv_notional_floor": 1})
    w.market.instruments[AAPL] = msgspec.structs.replace(
        w.market.instruments[AAPL], adv20=float("nan") if over else 1e7
    )
    return w, w.request()


@edge("lowest price", "G3")
def _(over: bool) -> Built:
    w = wide()
    price = 4.99 if over else 5.0
    w.market.set(AAPL, price)
    return w, w.request(limit_price=price, stop_loss=4.5, take_profit=6)


@edge("traded value", "G3")
def _(over: bool) -> Built:
    w = wide()
    adv = 49_999.0 if over else 50_000.0
    w.market.instruments[AAPL] = msgspec.structs.replace(w.market.instruments[AAPL], adv20=adv)
    return w, w.request()


@edge("restricted list", "G3")
def _(over: bool) -> Built:
    w = wide(restricted_list=["AAPL"] if over else ["MSFT"])
    return w, w.manual()


@edge("allow list", "G3")
def _(over: bool) -> Built:
    w = wide(allow_list=["MSFT"] if over else ["AAPL"])
    return w, w.request()


@edge("leveraged fund", "G3")
def _(over: bool) -> Built:
    w = wide()
    w.market.instruments[AAPL] = msgspec.structs.replace(w.market.instruments[AAPL], leveraged=over)
    return w, w.request()


@edge("currency", "G3")
def _(over: bool) -> Built:
    w = wide()
    w.market.instruments[AAPL] = msgspec.structs.replace(w.market.instruments[AAPL], currency="EUR" if over else "USD")
    return w, w.request()


@edge("currency of the account", "G3")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.change(currency="JPY" if over else "USD")
    return w, w.manual()


@edge("kind of instrument", "G3")
def _(over: bool) -> Built:
    w = wide()
    kind = InstrumentKind.FUTURE if over else InstrumentKind.ETF
    w.market.instruments[AAPL] = msgspec.structs.replace(w.market.instruments[AAPL], kind=kind)
    return w, w.request()


@edge("an index cannot be traded", "G3")
def _(over: bool) -> Built:
    w = wide()
    kind = InstrumentKind.INDEX if over else InstrumentKind.STOCK
    w.market.instruments[AAPL] = msgspec.structs.replace(w.market.instruments[AAPL], kind=kind)
    return w, w.manual()


@edge("agent's collar", "G4")
def _(over: bool) -> Built:
    w = wide()
    return w, w.request(limit_price=101.01 if over else 101)


@edge("collar by hand, to confirm", "G4", hard=False)
def _(over: bool) -> Built:
    w = wide()
    return w, w.manual(limit_price=102.01 if over else 102)


@edge("collar by hand above 50", "G4")
def _(over: bool) -> Built:
    w = wide(manual={"collar_soft_percent": 50})
    return w, w.manual(limit_price=103.01 if over else 103)


@edge("collar by hand to 50", "G4")
def _(over: bool) -> Built:
    w = wide(manual={"collar_soft_percent": 50})
    w.market.set(AAPL, 50.0)
    return w, w.manual(limit_price=52.51 if over else 52.5, stop_loss=40, take_profit=90)


@edge("collar by hand to 25", "G4")
def _(over: bool) -> Built:
    w = wide(manual={"collar_soft_percent": 50})
    w.market.set(AAPL, 20.0)
    return w, w.manual(limit_price=22.01 if over else 22, stop_loss=18, take_profit=30)


@edge("collar of a stop limit is measured from its stop", "G4")
def _(over: bool) -> Built:
    w = wide()
    limit = 103.03 if over else 103.02
    return w, w.request(
        order_type=OrderType.STOP_LIMIT, stop_price=102, limit_price=limit, stop_loss=98, take_profit=110
    )


@edge("last of five seconds stands in for the mid", "G4")
def _(over: bool) -> Built:
    w = wide()
    at = w.clock.now() - 5 * SECOND - (1 if over else 0)
    w.market.set(AAPL, 100.0, bid=float("nan"), ts_event=at)
    return w, w.manual(confirmed=("G21",))


@edge("passive distance", "G5")
def _(over: bool) -> Built:
    w = wide()
    return w, w.request(limit_price=89.99 if over else 90, stop_loss=80)


@edge("passive distance by hand", "G5", hard=False)
def _(over: bool) -> Built:
    w = wide()
    return w, w.manual(limit_price=79.99 if over else 80, stop_loss=70)


@edge("market order without a quote", "G6")
def _(over: bool) -> Built:
    w = wide()
    if over:
        w.market.set(AAPL, 100.0, bid=float("nan"))
    return w, w.manual(order_type=OrderType.MARKET, limit_price=None, confirmed=("G21",))


@edge("trailing stop may only close", "G6")
def _(over: bool) -> Built:
    w = wide()
    if not over:
        w.ledger.hold(AAPL, 10)
    fields = {"order_type": OrderType.TRAIL, "limit_price": None, "trail_amount": d(1)}
    if over:
        return w, w.manual(**fields, stop_loss=None, take_profit=None)
    return w, w.close(10, **fields)


@edge("spread", "G7")
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, spread=0.52 if over else 0.5)
    return w, w.request()


@edge("spread against its median", "G7")
def _(over: bool) -> Built:
    w = wide()
    w.market.medians[AAPL] = 0.0004
    w.market.set(AAPL, 100.0, spread=0.22 if over else 0.2)
    return w, w.request()


@edge("spread by hand", "G7", warns=True)
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, spread=1.02 if over else 1.0)
    return w, w.manual()


@edge("messages in a second", "G8")
def _(over: bool) -> Built:
    w = wide({"messages_per_second": 5})
    for _ in range(3 if over else 2):
        w.gate.note_message()
    return w, w.request()


@edge("a message of one order in a second", "G8")
def _(over: bool) -> Built:
    w = wide()
    for _ in range(5 if over else 4):
        w.gate.note_message()
    return w, w.manual(stop_loss=None, take_profit=None)


@edge("messages in a minute", "G8")
def _(over: bool) -> Built:
    w = wide()
    for _ in range(28 if over else 27):
        w.gate.note_message()
    w.clock.advance(2)
    return w, w.request()


@edge("the absolute message rate holds for people, too", "G8")
def _(over: bool) -> Built:
    w = wide(manual={"messages_per_second": 20}, common={"absolute_messages_per_second": 7})
    for _ in range(5 if over else 4):
        w.gate.note_message()
    return w, w.manual()


@edge("agent's duplicate", "G9")
def _(over: bool) -> Built:
    w = wide({"working_entries": 20, "entries_per_day": 100})
    w.send(w.request(strategy="a"))
    w.clock.advance(299 if over else 300)
    return w, w.request(strategy="b", limit_price=d("100.01") if over else d(100))


@edge("duplicate a tick away, and two", "G9")
def _(over: bool) -> Built:
    w = wide({"working_entries": 20, "entries_per_day": 100})
    w.send(w.request(strategy="a"))
    w.clock.advance(10)
    return w, w.request(strategy="b", limit_price=d("100.01") if over else d("100.02"))


@edge("duplicate by hand", "G9", hard=False)
def _(over: bool) -> Built:
    w = wide()
    w.send(w.manual())
    w.clock.advance(9 if over else 10)
    return w, w.manual()


@edge("an unknown order of the symbol", "G9")
def _(over: bool) -> Built:
    w = wide()
    w.desk.put(w.manual(quantity=1), state=OrderState.UNKNOWN if over else OrderState.WORKING)
    return w, w.manual()


@edge("a working entry of the strategy", "G10")
def _(over: bool) -> Built:
    w = wide()
    w.desk.put(w.request(strategy="momentum" if over else "other", limit_price=95, quantity=3))
    return w, w.request()


@edge("entries of the day", "G10")
def _(over: bool) -> Built:
    w = wide()
    w.counters.add("entries.AAPL", "2026-03-02", 2 if over else 1)
    return w, w.request()


@edge("orders of the day, agent", "G11")
def _(over: bool) -> Built:
    w = wide()
    w.counters.add("orders.auto", "2026-03-02", 20 if over else 19)
    return w, w.request()


@edge("orders of the day, by hand", "G11")
def _(over: bool) -> Built:
    w = wide()
    w.counters.add("orders.manual", "2026-03-02", 100 if over else 99)
    return w, w.manual()


@edge("open orders", "G11")
def _(over: bool) -> Built:
    w = wide()
    for _ in range(10 if over else 9):
        w.desk.put(w.manual(symbol=MSFT, limit_price=399, stop_loss=None, take_profit=None, quantity=1))
    return w, w.request()


@edge("open orders of a symbol", "G11")
def _(over: bool) -> Built:
    w = wide()
    for n in range(3 if over else 2):
        w.desk.put(w.manual(limit_price=99 - n, quantity=1))
    return w, w.request()


@edge("position", "G12")
def _(over: bool) -> Built:
    w = wide({"position_percent": 10})
    w.ledger.hold(AAPL, 500)
    w.desk.put(w.manual(quantity=300, limit_price=99), filled=d(100))
    w.gate._exposure.reserve("other", w.manual(quantity=100))
    return w, w.request(quantity=201 if over else 200)


@edge("position with an unknown order", "G12")
def _(over: bool) -> Built:
    w = wide(manual={"position_percent": 20})
    w.ledger.hold(AAPL, 1000)
    w.desk.put(w.manual(quantity=500), state=OrderState.PENDING_CANCEL)
    return w, w.manual(quantity=501 if over else 500)


@edge("gross exposure", "G13")
def _(over: bool) -> Built:
    w = wide({"gross_percent": 80})
    w.ledger.hold(MSFT, 1000)
    w.ledger.hold(XOM, -5000)
    return w, w.request(quantity=1001 if over else 1000)


@edge("net exposure", "G13")
def _(over: bool) -> Built:
    w = wide({"net_percent": 80})
    w.ledger.hold(MSFT, 1750)
    return w, w.request(quantity=1001 if over else 1000)


@edge("number of positions", "G13")
def _(over: bool) -> Built:
    w = wide({"positions": 2})
    w.ledger.hold(MSFT, 1)
    if over:
        w.ledger.hold(XOM, 1)
    return w, w.request()


@edge("sector", "G14")
def _(over: bool) -> Built:
    w = wide({"sector_percent": 25})
    w.ledger.hold(MSFT, 500)
    return w, w.request(quantity=501 if over else 500)


@edge("sector by hand", "G14", hard=False)
def _(over: bool) -> Built:
    w = wide(manual={"sector_percent": 40})
    w.ledger.hold(MSFT, 500)
    return w, w.manual(quantity=2001 if over else 2000)


@edge("unknown sector", "G14")
def _(over: bool) -> Built:
    w = wide({"unknown_sector_percent": 10})
    w.market.instruments[AAPL] = msgspec.structs.replace(w.market.instruments[AAPL], sector="")
    return w, w.request(quantity=1001 if over else 1000)


@edge("correlated cluster", "G14")
def _(over: bool) -> Built:
    w = wide({"cluster_percent": 30})
    w.clusters.sets.append(frozenset({AAPL, XOM}))
    w.ledger.hold(XOM, 2500)
    return w, w.request(quantity=1501 if over else 1500)


@edge("available funds", "G15")
def _(over: bool) -> Built:
    w = wide({"funds_percent": 80})
    w.ledger.change(available_funds=d(62_500))
    return w, w.request(quantity=1001 if over else 1000)


@edge("margin cushion", "G15")
def _(over: bool) -> Built:
    w = wide({"cushion_percent": 30})
    w.ledger.change(excess_liquidity=d(350_000))
    return w, w.request(quantity=1001 if over else 1000)


@edge("settled cash", "G15")
def _(over: bool) -> Built:
    w = wide({"funds_percent": 80})
    w.ledger.change(margin_account=False, settled_cash=d(125_000))
    return w, w.request(quantity=1001 if over else 1000)


@edge("the broker's what-if", "G15")
def _(over: bool) -> Built:
    w = _live_required()
    after = d(80_000_001) if over else d(80_000_000)
    w.what_ifs.answer = WhatIf(
        initial_margin_after=after, maintenance_margin_after=d(0), equity_after=d(1_000_000), commission=d(1)
    )
    return w, w.request()


def _live_required() -> World:
    made = wide({"funds_percent": 80}, world={"book": Book.LIVE})
    made.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    return made


@edge("no what-if for a live order", "G15")
def _(over: bool) -> Built:
    w = _live_required()
    if not over:
        w.what_ifs.answer = WhatIf(
            initial_margin_after=d(1), maintenance_margin_after=d(0), equity_after=d(1_000_000), commission=d(1)
        )
    return w, w.request()


@edge("the broker would refuse", "G15")
def _(over: bool) -> Built:
    w = _live_required()
    w.what_ifs.answer = WhatIf(
        initial_margin_after=d(1),
        maintenance_margin_after=d(0),
        equity_after=d(1_000_000),
        refused="not allowed" if over else "",
    )
    return w, w.request()


@edge("excess liquidity by the what-if", "G15")
def _(over: bool) -> Built:
    w = wide({"cushion_percent": 30}, world={"book": Book.LIVE})
    w.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    w.what_ifs.answer = WhatIf(
        initial_margin_after=d(1),
        maintenance_margin_after=d(700_001 if over else 700_000),
        equity_after=d(1_000_000),
    )
    return w, w.request()


@edge("risk of a trade", "G16")
def _(over: bool) -> Built:
    w = wide({"risk_percent": 0.5})
    return w, w.request(quantity=2501 if over else 2500)


@edge("risk of a trade by hand", "G16", hard=False)
def _(over: bool) -> Built:
    w = wide(manual={"risk_percent": 2})
    return w, w.manual(quantity=2001 if over else 2000, stop_loss=90)


@edge("the agent's stop", "G16")
def _(over: bool) -> Built:
    w = wide()
    return w, w.request(stop_loss=None if over else d(98))


@edge("age of the quote by its source", "G21")
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, ts_event=w.clock.now() - 3 * SECOND - (SECOND if over else 0))
    return w, w.request()


@edge("age of the quote by arrival", "G21")
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, ts_seen=w.clock.now() - 3 * SECOND - (SECOND if over else 0))
    return w, w.request()


@edge("age of the quote by hand", "G21", hard=False)
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, ts_event=w.clock.now() - 15 * SECOND - (SECOND if over else 0))
    return w, w.manual()


@edge("delayed prices", "G21")
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, data_type=DataType.DELAYED if over else DataType.LIVE)
    return w, w.request()


@edge("frozen prices by hand", "G21", hard=False)
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, data_type=DataType.FROZEN if over else DataType.LIVE)
    return w, w.manual()


@edge("one-sided book by hand", "G21", hard=False)
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, **({"ask": 0.0} if over else {}))
    return w, w.manual()


@edge("no quote at all while there is a price in the order", "G4")
def _(over: bool) -> Built:
    w = wide()
    if over:
        del w.market.quotes[AAPL]
    return w, w.manual(confirmed=("G21",))


@edge("clock, agent", "G23")
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(clock_skew_s=-5.01 if over else -5.0)
    return w, w.request()


@edge("clock, everyone", "G23")
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(clock_skew_s=30.01 if over else 30.0)
    return w, w.manual()


@edge("clock, warning", "G23", warns=True)
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(clock_skew_s=2.01 if over else 2.0)
    return w, w.manual()


@edge("clock unknown when it is live", "G23")
def _(over: bool) -> Built:
    w = live()
    w.vitals.change(clock_skew_s=None if over else 0.0)
    return w, w.request()


@edge("a step of the clock", "G23")
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(clock_step_ns=w.clock.now() - 60 * SECOND + (1 if over else 0))
    return w, w.request()


@edge("lag", "G24")
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(lag_ms=501.0 if over else 500.0)
    return w, w.manual()


@edge("queue", "G24")
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(queue_depth=10_001 if over else 10_000)
    return w, w.manual()


@edge("after the open", "G25")
def _(over: bool) -> Built:
    w = wide()
    w.clock._now = OPEN_NS + 5 * MINUTE - (1 if over else 0)
    return w, w.request()


@edge("before the close", "G25")
def _(over: bool) -> Built:
    w = wide()
    w.clock._now = OPEN_NS + (390 - 10) * MINUTE + (1 if over else 0)
    return w, w.request()


@edge("outside the session by hand", "G25")
def _(over: bool) -> Built:
    w = wide()
    w.clock._now = OPEN_NS + 391 * MINUTE
    return w, w.manual(outside_rth=not over)


@edge("outside the session, agent", "G25")
def _(over: bool) -> Built:
    w = wide()
    w.clock._now = OPEN_NS + (391 if over else 379) * MINUTE
    return w, w.request(outside_rth=True)


@edge("a missing calendar counts as closed", "G25")
def _(over: bool) -> Built:
    w = wide()
    if over:
        w.market.no_calendar.add(AAPL)
    return w, w.manual(outside_rth=True)


@edge("halted", "G26")
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, halted=over)
    return w, w.manual()


@edge("quiet after a halt", "G26")
def _(over: bool) -> Built:
    w = wide()
    w.market.resumed[AAPL] = w.clock.now() - 5 * MINUTE + (1 if over else 0)
    return w, w.request()


@edge("own price band", "G26")
def _(over: bool) -> Built:
    w = wide({"passive_percent": 50})
    w.market.means[AAPL] = 100.0
    return w, w.request(limit_price=94.99 if over else 95, stop_loss=90)


@edge("jump up overnight", "G27")
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, previous_close=100 / 1.8 if over else 100 / 1.79)
    return w, w.manual()


@edge("jump down overnight", "G27")
def _(over: bool) -> Built:
    w = wide()
    w.market.set(AAPL, 100.0, previous_close=100 / 0.55 if over else 100 / 0.56)
    return w, w.manual()


def _sell(w: World, quantity: object, **changes: Any) -> OrderRequest:
    return w.manual(side=Side.SELL, quantity=quantity, stop_loss=None, take_profit=None, **changes)


@edge("a sell ends at the position", "G28")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.hold(AAPL, 100)
    return w, _sell(w, 101 if over else 100)


@edge("a sell ends at the position less working sells", "G28")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.hold(AAPL, 100)
    w.desk.put(_sell(w, 40, limit_price=101))
    return w, _sell(w, 61 if over else 60)


@edge("reduce-only never crosses zero", "G28")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.hold(AAPL, -100)
    return w, w.close(101 if over else 100, side=Side.BUY)


def _short(w: World) -> OrderRequest:
    return w.manual(side=Side.SELL, stop_loss=102, take_profit=95)


def _borrow(**facts: Any) -> World:
    w = wide(allow_short=True)
    w.shorts.answer = ShortFacts(**{"shortable": 3.0, "shares": 1e6, "fee_percent": 1.0, **facts})
    return w


@edge("shorts are off", "G28")
def _(over: bool) -> Built:
    w = _borrow()
    if over:
        w = wide()
    return w, _short(w)


@edge("shortable figure", "G28")
def _(over: bool) -> Built:
    w = _borrow(shortable=2.5 if over else 2.51)
    return w, _short(w)


@edge("shares to borrow", "G28")
def _(over: bool) -> Built:
    w = _borrow(shares=99.0 if over else 100.0)
    return w, _short(w)


@edge("borrow fee", "G28")
def _(over: bool) -> Built:
    w = _borrow(fee_percent=10.01 if over else 10.0)
    return w, _short(w)


@edge("short facts unknown", "G28")
def _(over: bool) -> Built:
    w = _borrow(fee_percent=None if over else 1.0)
    return w, _short(w)


@edge("short-sale restriction", "G28")
def _(over: bool) -> Built:
    w = _borrow(restricted=over)
    return w, w.manual(side=Side.SELL, stop_loss=102, take_profit=95, order_type=OrderType.MARKET, limit_price=None)


@edge("own resting sell", "G29")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.hold(AAPL, 10)
    w.desk.put(_sell(w, 10, limit_price=d("100.00") if over else d("100.01")))
    return w, w.manual()


@edge("own resting buy", "G29")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.hold(AAPL, 10)
    w.desk.put(w.manual(limit_price=d("99.50") if over else d("99.49")))
    return w, _sell(w, 10, limit_price=d("99.50"))


@edge("wash sale, agent", "G30")
def _(over: bool) -> Built:
    w = wide(wash_sale_guard=True)
    w.losses.closed(AAPL, d(-5), w.clock.now() - 30 * DAY - (0 if over else 1))
    return w, w.request()


@edge("wash sale by hand", "G30", warns=True)
def _(over: bool) -> Built:
    w = wide()
    w.losses.closed(AAPL, d(-5), w.clock.now() - 30 * DAY - (0 if over else 1))
    return w, w.manual()


@edge("day trades in reserve", "G31")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.change(day_trades_remaining=1 if over else 2)
    return w, w.request()


@edge("day trades by hand", "G31", warns=True)
def _(over: bool) -> Built:
    w = wide()
    w.ledger.change(day_trades_remaining=1 if over else 2)
    return w, w.manual()


@edge("near the hard value", "G33", hard=False)
def _(over: bool) -> Built:
    w = wide(manual={"order_notional_percent": 20, "order_notional_soft_percent": 20, "fat_finger_percent": 50})
    return w, w.manual(quantity=1001 if over else 1000)


@edge("larger than usual", "G33", hard=False)
def _(over: bool) -> Built:
    w = wide(manual={"fat_finger_multiple": 3})
    for n in range(5):
        w.send(w.manual(symbol=XOM, limit_price=60, stop_loss=None, take_profit=None, quantity=10 + n))
        w.clock.advance(11)
    return w, w.manual(quantity=22 if over else 21)


@edge("a quantity where money was meant", "G33", hard=False)
def _(over: bool) -> Built:
    w = wide()
    return w, w.manual(quantity=100, intended_notional=d("499") if over else d("500"))


@edge("disk, no entries", "G37")
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(disk_free_mb=199.0 if over else 200.0)
    return w, w.manual()


@edge("disk, warning", "G37", warns=True)
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(disk_free_mb=999.0 if over else 1000.0)
    return w, w.manual()


@edge("slow journal", "G37")
def _(over: bool) -> Built:
    w = wide()
    w.vitals.change(slow_commits=3 if over else 2)
    return w, w.request()


@edge("a locked symbol", "G27")
def _(over: bool) -> Built:
    w = wide()
    w.modes.lock(AAPL if over else MSFT, "G27", "a split")
    return w, w.manual()


@edge("the mode", "MODE")
def _(over: bool) -> Built:
    w = wide(world={"mode": Mode.MANUAL if over else Mode.AUTO})
    return w, w.request()


@edge("reduce only", "MODE")
def _(over: bool) -> Built:
    w = wide(world={"mode": Mode.REDUCE_ONLY if over else Mode.MANUAL})
    return w, w.manual()


@edge("halted mode", "MODE")
def _(over: bool) -> Built:
    w = wide(world={"mode": Mode.HALTED})
    w.ledger.hold(AAPL, 10)
    return w, w.close(10, origin=Origin.MANUAL if over else Origin.FLATTEN)


@edge("the lease", "G34")
def _(over: bool) -> Built:
    w = wide(world={"lease": True})
    w.clock._now = w.modes.lease_until - (0 if over else 1)
    return w, w.request()


@edge("gross exposure counts what is held of the symbol once", "G13")
def _(over: bool) -> Built:
    w = wide({"gross_percent": 80})
    w.ledger.hold(MSFT, 1000)
    w.ledger.hold(AAPL, 1000)
    return w, w.request(quantity=3001 if over else 3000)


@edge("sector counts what is held of the symbol once", "G14")
def _(over: bool) -> Built:
    w = wide({"sector_percent": 25})
    w.ledger.hold(MSFT, 250)
    w.ledger.hold(AAPL, 500)
    return w, w.request(quantity=1001 if over else 1000)


@edge("a short position with working sells counts in full", "G12")
def _(over: bool) -> Built:
    w = wide(manual={"position_percent": 20}, allow_short=True)
    w.shorts.answer = ShortFacts(shortable=3.0, shares=1e9, fee_percent=1.0)
    w.ledger.hold(AAPL, -500)
    w.desk.put(_sell(w, 500, limit_price=101))
    return w, w.manual(side=Side.SELL, quantity=1001 if over else 1000, stop_loss=102, take_profit=95)


@edge("gross exposure with working sells of a short", "G13")
def _(over: bool) -> Built:
    w = wide({"gross_percent": 80})
    w.ledger.hold(XOM, -5000, 60)
    w.desk.put(_sell(w, 5000, symbol=XOM, limit_price=61))
    return w, w.request(quantity=2001 if over else 2000)


@edge("a symbol without a quote counts at what was paid", "G13")
def _(over: bool) -> Built:
    w = wide({"gross_percent": 80})
    w.ledger.hold(MSFT, 1000, 600)
    del w.market.quotes[MSFT]
    return w, w.request(quantity=2001 if over else 2000)


@edge("a symbol with half a quote counts at its last price", "G13")
def _(over: bool) -> Built:
    w = wide({"gross_percent": 80})
    w.ledger.hold(MSFT, 1000, 1)
    w.market.set(MSFT, 600.0, bid=float("nan"))
    return w, w.request(quantity=2001 if over else 2000)


@edge("the target of an own bracket cannot trade before its entry has filled", "G29")
def _(over: bool) -> Built:
    w = wide()
    entry = w.desk.put(
        w.manual(limit_price=d("99.00"), quantity=1), filled=d(1) if over else d(0), state=OrderState.PARTIAL
    )
    w.ledger.hold(AAPL, 5)
    w.desk.put(w.close(1, limit_price=d("99.90"), origin=Origin.PROTECTIVE, parent_ref=entry))
    return w, w.manual()


@edge("observing", "MODE")
def _(over: bool) -> Built:
    w = wide(world={"mode": Mode.OBSERVE if over else Mode.HALTED})
    w.ledger.hold(AAPL, 10)
    return w, w.close(10, origin=Origin.FLATTEN)


@edge("bracket children count up to what their parent has filled", "G28")
def _(over: bool) -> Built:
    w = wide()
    w.ledger.hold(AAPL, 100)
    entry = w.desk.put(w.manual(limit_price=95, quantity=50), state=OrderState.PARTIAL, filled=d(10))
    w.desk.put(w.close(50, limit_price=110, origin=Origin.PROTECTIVE, parent_ref=entry))
    return w, w.close(91 if over else 90)
