"""The paper exchange is as honest as a broker: queues, partial fills, brackets, sessions, and a memory."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND, StepClock
from engine.model.events.market import HaltChanged, QuoteTick, TradeTick
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session, SessionState, Side
from engine.model.order import ClearedOrder, OrderRequest, OrderType, TimeInForce
from engine.model.report import BrokerStatus, CommissionReport, ErrorReport, ExecutionReport, StatusReport
from engine.simulation.paper.exchange import PaperExchange
from engine.simulation.paper.settings import PaperSettings
from engine.simulation.paper.store import PaperStore

START = 1_767_625_200 * SECOND


class Market:
    """A market of one symbol whose prices the test sets."""

    def __init__(self) -> None:
        self.open_ns, self.close_ns = START - SECOND, START + 3600 * SECOND
        self.last_quote: Quote | None = None

    def quote(self, symbol):
        return self.last_quote

    def instrument(self, symbol):
        return Instrument(symbol=symbol) if symbol == "AAPL" else None

    def session(self, symbol, at_ns):
        state = SessionState.OPEN if self.open_ns <= at_ns < self.close_ns else SessionState.CLOSED
        return Session(
            state=state,
            date="2026-01-05",
            open_ns=self.open_ns,
            close_ns=self.close_ns,
            next_open_ns=self.open_ns + 86_400 * SECOND,
        )


class Desk:
    """A paper exchange with everything a test wants to see."""

    def __init__(self, path: Path | None = None, **settings) -> None:
        self.clock, self.market, self.reports = StepClock(START), Market(), []
        self.bus = Bus(lambda owner, role, event, error: pytest.fail(f"{owner}: {error!r}"))
        self.exchange = PaperExchange(
            self.bus, self.clock, self.market, PaperSettings(**settings), PaperStore(path), seed=1
        )
        self.exchange.attach(self.reports.append)
        self.exchange.open()
        self.count = 0

    def quote(self, bid: float, ask: float, bid_size: float = 500, ask_size: float = 500) -> None:
        now = self.clock.now()
        self.market.last_quote = Quote(
            symbol="AAPL",
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            last=(bid + ask) / 2,
            last_size=100,
            volume=1000,
            open=bid,
            high=ask,
            low=bid,
            previous_close=bid,
            ts_event=now,
            ts_seen=now,
        )
        self.bus.publish(
            QuoteTick(ts_event=now, ts_init=now, symbol="AAPL", bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)
        )

    def trade(self, price: float, size: float, aggressor: int) -> None:
        now = self.clock.now()
        self.bus.publish(
            TradeTick(ts_event=now, ts_init=now, symbol="AAPL", price=price, size=size, aggressor=aggressor)
        )

    def place(self, side: str, quantity: int, legs: tuple = (), wait: bool = True, **fields) -> str:
        self.count += 1
        ref = f"MA-0567-260105-{self.count:04d}-M"
        self.exchange.place(self.cleared(ref, side, quantity, legs, **fields))
        if wait:
            self.clock.advance(1)
        return ref

    def cleared(self, ref: str, side: str, quantity: int, legs: tuple = (), **fields) -> ClearedOrder:
        request = OrderRequest(intent_id=ref, symbol="AAPL", side=Side(side), quantity=Decimal(quantity), **fields)
        return ClearedOrder(
            ref=ref,
            account="DU9000567",
            request=request,
            decision_id="D-1",
            limits_hash="l",
            build_hash="b",
            cleared_ns=self.clock.now(),
            reference_price=Decimal(100),
            legs=legs,
        )

    def status(self, ref: str) -> BrokerStatus | None:
        found = [r for r in self.reports if isinstance(r, StatusReport) and r.ref == ref]
        return found[-1].status if found else None

    def fills(self, ref: str) -> list[tuple[Decimal, Decimal]]:
        return [(r.price, r.quantity) for r in self.reports if isinstance(r, ExecutionReport) and r.ref == ref]


def limit(price: str) -> dict:
    return {"order_type": OrderType.LIMIT, "limit_price": Decimal(price)}


def test_a_marketable_order_walks_the_levels_and_stops_at_its_limit():
    desk = Desk()
    desk.quote(99.99, 100.00, ask_size=300)
    ref = desk.place("BUY", 1000, **limit("100.01"))
    assert desk.fills(ref) == [(Decimal("100.00"), Decimal(300)), (Decimal("100.01"), Decimal(300))]
    assert desk.status(ref) is BrokerStatus.WORKING


def test_a_resting_order_waits_for_those_ahead_of_it():
    desk = Desk()
    desk.quote(99.99, 100.01, bid_size=500)
    ref = desk.place("BUY", 100, **limit("99.99"))
    desk.trade(99.99, 400, -1)
    desk.clock.advance(1)
    assert desk.fills(ref) == []
    desk.trade(99.99, 150, -1)
    desk.clock.advance(1)
    assert desk.fills(ref) == [(Decimal("99.99"), Decimal(50))]


def test_a_print_through_the_price_fills_all_of_a_resting_order():
    desk = Desk()
    desk.quote(99.99, 100.01)
    ref = desk.place("BUY", 100, **limit("99.99"))
    desk.trade(99.97, 10, -1)
    desk.clock.advance(1)
    assert desk.fills(ref) == [(Decimal("99.99"), Decimal(100))]


def test_nothing_fills_while_halted():
    desk = Desk()
    desk.quote(99.99, 100.01)
    ref = desk.place("BUY", 100, **limit("99.99"))
    now = desk.clock.now()
    desk.bus.publish(HaltChanged(ts_event=now, ts_init=now, symbol="AAPL", halted=True))
    desk.trade(99.00, 1000, -1)
    desk.clock.advance(1)
    assert desk.fills(ref) == []


def test_a_stop_sleeps_until_its_price_prints_and_then_takes_the_market():
    desk = Desk()
    desk.quote(99.99, 100.01)
    ref = desk.place("SELL", 100, order_type=OrderType.STOP, stop_price=Decimal("99.50"))
    desk.trade(99.60, 10, -1)
    desk.clock.advance(1)
    assert desk.fills(ref) == []
    desk.quote(99.48, 99.50)
    desk.trade(99.50, 10, -1)
    desk.clock.advance(1)
    assert sum(q for _, q in desk.fills(ref)) == 100
    assert all(price <= Decimal("99.48") for price, _ in desk.fills(ref))


def test_a_trailing_stop_follows_and_never_goes_back():
    desk = Desk()
    desk.quote(100.00, 100.02)
    ref = desk.place("SELL", 10, order_type=OrderType.TRAIL, trail_amount=Decimal("0.50"))
    for price in (100.5, 101.0, 100.8):
        desk.trade(price, 1, 1)
    desk.clock.advance(1)
    assert desk.fills(ref) == []
    desk.quote(100.48, 100.50)
    desk.trade(100.49, 1, -1)
    desk.clock.advance(1)
    assert sum(q for _, q in desk.fills(ref)) == 10


def bracket(desk: Desk, quantity: int = 100) -> tuple[str, str, str]:
    stop = desk.cleared("stop", "SELL", quantity, order_type=OrderType.STOP, stop_price=Decimal("99"))
    target = desk.cleared("target", "SELL", quantity, **limit("102"))
    entry = desk.place("BUY", quantity, legs=(stop, target), **limit("100.01"))
    return entry, "stop", "target"


def test_legs_work_only_for_what_the_entry_has_filled():
    desk = Desk()
    desk.quote(99.99, 100.01, ask_size=40)
    entry, stop, target = bracket(desk)
    assert desk.fills(entry) == [(Decimal("100.01"), Decimal(40))]
    shown = {o.ref: o for o in desk.exchange.snapshot_now().open_orders}
    assert shown[stop].request.quantity == shown[target].request.quantity == Decimal(40)


def test_a_filled_target_cancels_the_stop_and_leaves_nothing():
    desk = Desk()
    desk.quote(99.99, 100.01)
    _, stop, target = bracket(desk)
    desk.quote(102.5, 102.6)
    desk.clock.advance(1)
    assert sum(q for _, q in desk.fills(target)) == 100
    assert desk.status(stop) is BrokerStatus.CANCELLED
    assert desk.exchange.snapshot_now().positions == ()


def test_cancelling_an_entry_takes_its_legs_along():
    desk = Desk()
    desk.quote(99.99, 100.05)
    entry, stop, target = bracket(desk)
    desk.exchange.cancel(entry)
    desk.clock.advance(1)
    assert {desk.status(r) for r in (entry, stop, target)} == {BrokerStatus.CANCELLED}


def test_day_orders_end_with_the_session_and_gtc_orders_stay():
    desk = Desk()
    desk.quote(99.99, 100.05)
    day = desk.place("BUY", 10, **limit("99"))
    stays = desk.place("BUY", 10, tif=TimeInForce.GTC, **limit("99"))
    desk.clock.advance(3700)
    assert desk.status(day) is BrokerStatus.EXPIRED
    assert desk.status(stays) is BrokerStatus.WORKING


def test_fill_or_kill_takes_all_or_nothing():
    desk = Desk()
    desk.quote(99.99, 100.00, ask_size=50)
    ref = desk.place("BUY", 5000, tif=TimeInForce.FOK, **limit("100.00"))
    assert desk.fills(ref) == []
    assert desk.status(ref) is BrokerStatus.CANCELLED


def test_a_cancel_that_comes_too_late_is_refused():
    desk = Desk()
    desk.quote(99.99, 100.00)
    ref = desk.place("BUY", 10, **limit("100.00"))
    desk.exchange.cancel(ref)
    desk.clock.advance(1)
    assert [r.code for r in desk.reports if isinstance(r, ErrorReport)] == [10148]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"quantity": 10, **limit("100.005")}, "grid"),
        ({"quantity": 1_000_000, **limit("100.00")}, "buying power"),
    ],
)
def test_what_a_broker_would_refuse_is_rejected_with_a_reason(fields, word):
    desk = Desk()
    desk.quote(99.99, 100.00)
    ref = desk.place("BUY", **fields)
    assert desk.status(ref) is BrokerStatus.REJECTED
    assert word in [r.text for r in desk.reports if isinstance(r, StatusReport) and r.ref == ref][-1]


def test_cash_and_positions_are_the_sum_of_executions_and_fees():
    desk = Desk()
    desk.quote(99.99, 100.00)
    desk.place("BUY", 100, **limit("100.00"))
    desk.quote(101.00, 101.01)
    desk.place("SELL", 40, **limit("101.00"))
    account = desk.exchange.account()
    paid = sum(r.commission for r in desk.reports if isinstance(r, CommissionReport))
    assert account.cash["USD"] == Decimal(1_000_000) - 10_000 + 4_040 - paid
    assert paid == Decimal("2.00")
    assert desk.exchange.snapshot_now().positions[0].quantity == 60


def test_a_new_process_finds_the_orders_and_books_of_the_old_one(tmp_path: Path):
    desk = Desk(tmp_path / "paper.db")
    desk.quote(99.99, 100.00)
    bought = desk.place("BUY", 100, **limit("100.00"))
    resting = desk.place("BUY", 50, **limit("99.00"))
    before = desk.exchange.snapshot_now()
    again = Desk(tmp_path / "paper.db")
    again.quote(99.99, 100.00)
    after = again.exchange.snapshot_now()
    assert [o.ref for o in after.open_orders] == [resting]
    assert [e.ref for e in after.executions] == [bought]
    assert after.positions == before.positions
    assert after.account.cash == before.account.cash
    again.trade(98.9, 1000, -1)
    again.clock.advance(1)
    assert again.fills(resting) == [(Decimal("99.00"), Decimal(50))]
    assert again.place("BUY", 1, **limit("99.00"))
    numbers = [o.broker_id for o in again.exchange.snapshot_now().open_orders]
    assert len(set(numbers)) == len(numbers)


def test_an_order_still_on_its_way_when_the_process_dies_never_arrived(tmp_path: Path):
    desk = Desk(tmp_path / "paper.db")
    desk.quote(99.99, 100.00)
    desk.place("BUY", 100, wait=False, **limit("100.00"))
    again = Desk(tmp_path / "paper.db")
    assert again.exchange.snapshot_now().open_orders == ()
    assert again.exchange.snapshot_now().executions == ()


def test_modifying_the_price_gives_up_the_place_in_the_queue():
    desk = Desk()
    desk.quote(99.99, 100.02, bid_size=100)
    ref = desk.place("BUY", 100, **limit("99.99"))
    desk.trade(99.99, 90, -1)
    request = next(o.request for o in desk.exchange.snapshot_now().open_orders)
    desk.exchange.modify(ref, msgspec.structs.replace(request, limit_price=Decimal("100.00")))
    desk.clock.advance(1)
    desk.quote(100.00, 100.02, bid_size=800)
    desk.exchange.modify(ref, msgspec.structs.replace(request, limit_price=Decimal("99.99")))
    desk.clock.advance(1)
    desk.trade(99.99, 11, -1)
    desk.clock.advance(1)
    assert desk.fills(ref) == []


def test_an_order_that_joins_the_group_of_stop_and_target_ends_them_when_it_fills():
    """An exit by rule sells the position; its stop must not sell it once more."""
    desk = Desk()
    desk.quote(100.00, 100.02)
    entry = "MA-0567-260105-9001-A"
    legs = tuple(
        desk.cleared(f"MA-0567-260105-900{n}-P", "SELL", 100, order_type=kind, oca_group=f"{entry}-x", **price)
        for n, kind, price in (
            (2, OrderType.STOP, {"stop_price": Decimal(99)}),
            (3, OrderType.LIMIT, {"limit_price": Decimal(103)}),
        )
    )
    desk.exchange.place(desk.cleared(entry, "BUY", 100, legs, limit_price=Decimal("100.02")))
    desk.clock.advance(1)
    leave = desk.place("SELL", 100, limit_price=Decimal("99.90"), oca_group=f"{entry}-x")
    assert desk.status(leave) is BrokerStatus.FILLED
    assert [desk.status(leg.ref) for leg in legs] == [BrokerStatus.CANCELLED] * 2
    desk.quote(98.00, 98.02)
    assert desk.exchange.snapshot_now().positions == ()
