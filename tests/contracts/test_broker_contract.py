"""What every broker promises the order desk, run over ours in virtual time. A broker of your own: add a builder.

A builder makes a world: a broker that has not been started, a way to move the one stock's price, and the same broker
again after the program was ended (``again``).
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND
from engine.bus.errors import BrokerError
from engine.execution.broker import Broker
from engine.model.events.market import QuoteTick
from engine.model.ids import DecisionId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import ClearedOrder, OrderRequest, OrderType, TimeInForce
from engine.model.report import (
    AccountReport,
    AnyReport,
    BrokerSnapshot,
    BrokerStatus,
    CommissionReport,
    EchoReport,
    ErrorClass,
    ErrorReport,
    ExecutionReport,
    LinkReport,
    LinkState,
    StatusReport,
)
from engine.simulation.paper.exchange import PaperExchange
from engine.simulation.paper.settings import PaperSettings
from engine.simulation.paper.store import PaperStore
from tests.engine.execution.brokers.ibkr.rig import LoopClock, begin_gateway, make_broker, run_virtual
from tests.support.desk_rig import FakeMarket

AAPL = Symbol("AAPL")
ALIVE = (BrokerStatus.WORKING, BrokerStatus.HELD)
OVER = (BrokerStatus.CANCELLED, BrokerStatus.REJECTED, BrokerStatus.INACTIVE)


class World(Protocol):
    """A broker and its market."""

    broker: Broker
    untried: frozenset[OrderType]
    """Order types that the other side of this test does not know."""

    def price(self, mid: float) -> None: ...
    def again(self) -> Broker: ...
    async def close(self) -> None: ...


class PaperWorld:
    """The embedded exchange."""

    untried: frozenset[OrderType] = frozenset()

    def __init__(self, folder: Path) -> None:
        self.clock = LoopClock()
        self.market = FakeMarket(self.clock)
        self.folder = folder
        self.broker: Broker = self.again()

    def again(self) -> PaperExchange:
        self.bus = Bus(lambda owner, role, event, error: pytest.fail(f"{owner}: {error!r}"))
        store = PaperStore(self.folder / "paper.db")
        return PaperExchange(self.bus, self.clock, self.market, PaperSettings(), store, seed=1)

    def price(self, mid: float) -> None:
        self.market.prices["AAPL"] = mid
        now = self.clock.now()
        self.bus.publish(
            QuoteTick(
                ts_event=now, ts_init=now, symbol=AAPL, bid=mid - 0.01, ask=mid + 0.01, bid_size=500, ask_size=500
            )
        )

    async def close(self) -> None:
        """Nothing is left open."""


class IbkrWorld:
    """The gateway."""

    # The fake wants a limit price on a trailing stop limit; the real one wants the offset that we send.
    untried = frozenset({OrderType.TRAIL_LIMIT})

    def __init__(self, folder: Path) -> None:
        self.clock = LoopClock()
        self.market = FakeMarket(self.clock)
        self.gateway = begin_gateway()
        self.gateway.set_price("AAPL", 100)
        self.broker: Broker = self.again()

    def again(self) -> Broker:
        return make_broker(self.gateway, self.clock, self.market)[0]

    def price(self, mid: float) -> None:
        self.gateway.set_price("AAPL", mid)

    async def close(self) -> None:
        await self.gateway.stop()


BUILDERS: dict[str, Callable[[Path], World]] = {"paper": PaperWorld, "ibkr": IbkrWorld}


class Case:
    """A started broker, what it has said, and helpers to order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reports: list[AnyReport] = []
        self.numbers = itertools.count(1)

    @property
    def broker(self) -> Broker:
        return self.world.broker

    async def begin(self) -> None:
        self.broker.attach(self.reports.append)
        await self.broker.start()
        await self.until(lambda: self.broker.link is LinkState.UP)
        self.world.price(100)
        await asyncio.sleep(1)

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not condition():
            assert loop.time() < end, "it did not come to hold in time"
            await asyncio.sleep(0.02)

    def of(self, kind: type, ref: str = "") -> list[Any]:
        return [r for r in self.reports if type(r) is kind and (not ref or r.ref == ref)]

    def status(self, ref: str) -> BrokerStatus | None:
        found = self.of(StatusReport, ref)
        return found[-1].status if found else None

    def cleared(self, legs: tuple[ClearedOrder, ...] = (), **fields: Any) -> ClearedOrder:
        number = next(self.numbers)
        values = {"side": Side.BUY, "quantity": Decimal(100), "limit_price": Decimal("90.00"), **fields}
        return ClearedOrder(
            ref=OrderRef(f"MA-0000-260102-{number:04d}-M"),
            account=self.broker.account_id,
            request=OrderRequest(intent_id=IntentId("i"), symbol=AAPL, **values),
            decision_id=DecisionId("d"),
            limits_hash="l",
            build_hash="b",
            cleared_ns=0,
            reference_price=Decimal(100),
            legs=legs,
        )

    async def place(self, legs: tuple[ClearedOrder, ...] = (), wait: bool = True, **fields: Any) -> OrderRef:
        order = self.cleared(legs, **fields)
        self.broker.place(order)
        if wait:
            await self.until(lambda: self.status(order.ref) is not None)
        return order.ref

    async def bracket(self) -> tuple[OrderRef, OrderRef, OrderRef]:
        stop = self.cleared(
            side=Side.SELL,
            order_type=OrderType.STOP,
            limit_price=None,
            stop_price=Decimal("95.00"),
            tif=TimeInForce.GTC,
        )
        target = self.cleared(side=Side.SELL, limit_price=Decimal("110.00"), tif=TimeInForce.GTC)
        entry = await self.place((stop, target), limit_price=Decimal("99.00"))
        return entry, stop.ref, target.ref

    async def picture(self) -> BrokerSnapshot:
        snapshot = await self.broker.snapshot()
        assert snapshot.missing == ()
        return snapshot


Story = Callable[[Case], Awaitable[None]]


@pytest.fixture(params=sorted(BUILDERS))
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Run a story over a started broker."""

    def run(story: Story) -> None:
        async def whole() -> None:
            case = Case(BUILDERS[request.param](tmp_path))
            try:
                await case.begin()
                await story(case)
            finally:
                await case.broker.stop()
                await case.world.close()

        run_virtual(whole)

    return run


def test_a_start_ends_in_a_link_that_is_up_and_says_so_and_stop_ends_it(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        assert case.of(LinkReport)[-1].state is LinkState.UP
        await case.until(lambda: case.of(AccountReport))
        account = case.of(AccountReport)[-1].account
        assert account.account == case.broker.account_id
        assert account.equity is not None
        await case.broker.stop()
        assert case.broker.link is LinkState.DOWN
        with pytest.raises((BrokerError, OSError)):
            case.broker.place(case.cleared())

    tell(story)


def test_an_accepted_order_is_shown_with_its_reference_ids_and_fields(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        ref = await case.place()
        assert case.status(ref) in ALIVE
        echo = case.of(EchoReport, ref)[-1]
        assert (echo.quantity, echo.limit_price, echo.stop_price) == (100, Decimal("90"), None)
        assert echo.broker_id
        assert echo.perm_id
        shown = (await case.picture()).open_orders
        assert shown is not None
        (order,) = shown
        assert (order.ref, order.perm_id, order.account) == (ref, echo.perm_id, case.broker.account_id)
        assert (order.request.symbol, order.request.side, order.request.quantity) == (AAPL, Side.BUY, 100)
        assert order.request.limit_price == Decimal("90")

    tell(story)


def test_a_fill_is_an_execution_with_its_commission_and_a_position(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        ref = await case.place(limit_price=Decimal("100.50"))
        await case.until(lambda: case.status(ref) is BrokerStatus.FILLED)
        fills = case.of(ExecutionReport, ref)
        assert sum(f.quantity for f in fills) == 100
        assert all(f.price <= Decimal("100.50") and f.side is Side.BUY and f.symbol == AAPL for f in fills)
        assert len({f.exec_id for f in fills}) == len(fills)
        await case.until(lambda: {c.exec_id for c in case.of(CommissionReport)} >= {f.exec_id for f in fills})
        snapshot = await case.picture()
        assert {e.exec_id for e in snapshot.executions or ()} == {f.exec_id for f in fills}
        (position,) = snapshot.positions or ()
        assert (position.symbol, position.quantity) == (AAPL, 100)
        assert [c.ref for c in snapshot.completed or ()] == [ref]
        assert snapshot.open_orders == ()

    tell(story)


def test_a_cancel_ends_the_order_and_a_second_one_is_refused_not_raised(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        ref = await case.place()
        case.broker.cancel(ref)
        await case.until(lambda: case.status(ref) is BrokerStatus.CANCELLED)
        assert (await case.picture()).open_orders == ()
        case.reports.clear()
        case.broker.cancel(ref)
        await case.until(lambda: case.of(ErrorReport, ref))
        assert case.of(ErrorReport, ref)[-1].error_class is ErrorClass.CANCEL_FAILED

    tell(story)


def test_a_change_keeps_the_order_and_shows_the_new_fields(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        order = case.cleared()
        case.broker.place(order)
        await case.until(lambda: case.of(EchoReport, order.ref))
        before = case.of(EchoReport, order.ref)[-1]
        import msgspec

        changed = msgspec.structs.replace(order.request, limit_price=Decimal("91.00"), quantity=Decimal(80))
        case.broker.modify(order.ref, changed)
        await case.until(lambda: case.of(EchoReport, order.ref)[-1].limit_price == Decimal("91"))
        after = case.of(EchoReport, order.ref)[-1]
        assert (after.quantity, after.perm_id, after.broker_id) == (80, before.perm_id, before.broker_id)
        assert len((await case.picture()).open_orders or ()) == 1

    tell(story)


@pytest.mark.parametrize("end", ["stop", "target", "cancel"])
def test_the_legs_of_a_bracket_guard_what_is_filled_and_end_each_other(tell: Callable[[Story], None], end: str) -> None:
    async def story(case: Case) -> None:
        entry, stop, target = await case.bracket()
        await case.until(lambda: case.status(stop) and case.status(target))
        assert {case.status(r) for r in (stop, target)} <= set(ALIVE)
        if end == "cancel":
            case.broker.cancel(entry)
            await case.until(lambda: {case.status(r) for r in (entry, stop, target)} == {BrokerStatus.CANCELLED})
            return
        case.world.price(98)
        await case.until(lambda: case.status(entry) is BrokerStatus.FILLED)
        for price in (94.0, 93.9, 93.8) if end == "stop" else (110.5, 110.6, 110.7):
            case.world.price(price)
            await asyncio.sleep(1)
        hit, other = (stop, target) if end == "stop" else (target, stop)
        await case.until(lambda: case.status(hit) is BrokerStatus.FILLED)
        await case.until(lambda: case.status(other) is BrokerStatus.CANCELLED)
        snapshot = await case.picture()
        assert snapshot.open_orders == ()
        assert sum(p.quantity for p in snapshot.positions or ()) == 0

    tell(story)


def test_a_refused_order_gives_its_reason_and_works_nowhere(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        order = case.cleared(limit_price=Decimal("90.003"))
        case.broker.place(order)

        def refused() -> bool:
            errors = [e for e in case.of(ErrorReport, order.ref) if e.error_class is ErrorClass.REJECT and e.text]
            words = [s for s in case.of(StatusReport, order.ref) if s.status in OVER and s.text]
            return bool(errors or words)

        await case.until(refused)
        assert (await case.picture()).open_orders == ()

    tell(story)


def test_ioc_and_fok_that_find_nothing_end_at_once(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        for tif in (TimeInForce.IOC, TimeInForce.FOK):
            ref = await case.place(tif=tif)
            await case.until(lambda ref=ref: case.status(ref) is BrokerStatus.CANCELLED)
        assert (await case.picture()).positions == ()

    tell(story)


FIELDS: dict[OrderType, dict[str, Any]] = {
    OrderType.MARKET: {"limit_price": None},
    OrderType.LIMIT: {},
    OrderType.STOP: {"limit_price": None, "stop_price": Decimal("105.00")},
    OrderType.STOP_LIMIT: {"limit_price": Decimal("106.00"), "stop_price": Decimal("105.00")},
    OrderType.TRAIL: {"limit_price": None, "trail_amount": Decimal("2.00"), "stop_price": Decimal("102.00")},
    OrderType.TRAIL_LIMIT: {
        "limit_price": Decimal("102.50"),
        "stop_price": Decimal("102.00"),
        "trail_amount": Decimal("2.00"),
    },
    OrderType.MARKET_ON_CLOSE: {"limit_price": None},
    OrderType.LIMIT_ON_CLOSE: {},
    OrderType.MARKET_ON_OPEN: {"limit_price": None, "tif": TimeInForce.OPG},
    OrderType.LIMIT_ON_OPEN: {"tif": TimeInForce.OPG},
    OrderType.RELATIVE: {"trail_amount": Decimal("0.05")},
    OrderType.MIDPRICE: {},
}


def test_every_order_type_that_is_offered_is_taken(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        assert set(case.broker.capabilities.order_types) <= set(FIELDS)
        for kind in case.broker.capabilities.order_types:
            if kind in case.world.untried:
                continue
            ref = await case.place(order_type=kind, **FIELDS[kind])
            await asyncio.sleep(1)
            assert not [e for e in case.of(ErrorReport, ref) if e.error_class is ErrorClass.REJECT], kind
            assert case.status(ref) in (*ALIVE, BrokerStatus.FILLED), kind

    tell(story)


def test_every_time_in_force_that_is_offered_is_taken(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        for tif in case.broker.capabilities.tifs:
            till = case.world.clock.now() + 600 * SECOND if tif is TimeInForce.GTD else None  # type: ignore[attr-defined]
            kind = OrderType.LIMIT_ON_OPEN if tif is TimeInForce.OPG else OrderType.LIMIT
            ref = await case.place(tif=tif, good_till_ns=till, order_type=kind)
            await asyncio.sleep(1)
            assert not [e for e in case.of(ErrorReport, ref) if e.error_class is ErrorClass.REJECT], tif

    tell(story)


def test_a_good_till_date_order_ends_by_itself(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        till = case.world.clock.now() + 60 * SECOND  # type: ignore[attr-defined]
        ref = await case.place(tif=TimeInForce.GTD, good_till_ns=till)
        await case.until(lambda: case.status(ref) in (BrokerStatus.CANCELLED, BrokerStatus.EXPIRED), 90)

    tell(story)


def test_two_pictures_of_a_quiet_account_are_the_same(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        await case.place(limit_price=Decimal("100.50"))
        await case.place()
        await asyncio.sleep(5)
        first, second = await case.picture(), await case.picture()
        for part in ("open_orders", "completed", "executions", "positions"):
            strip = [_timeless(x) for x in getattr(first, part)]
            assert strip == [_timeless(x) for x in getattr(second, part)], part

    tell(story)


def _timeless(row: Any) -> dict[str, object]:
    return {f: getattr(row, f) for f in row.__struct_fields__ if f != "ts_seen"}


def test_a_question_of_cost_places_nothing_and_says_margin_and_commission(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        answer = await case.broker.what_if(case.cleared().request)
        assert answer is not None
        assert answer.refused == ""
        assert answer.initial_margin_after is not None
        assert answer.initial_margin_after > 0
        assert (answer.commission or 0) > 0
        assert (await case.picture()).open_orders == ()

    tell(story)


def test_orders_outlive_the_program_and_are_found_again_by_their_reference(tell: Callable[[Story], None]) -> None:
    async def story(case: Case) -> None:
        kept = await case.place(tif=TimeInForce.GTC)
        done = await case.place(limit_price=Decimal("100.50"))
        await case.until(lambda: case.status(done) is BrokerStatus.FILLED)
        await case.broker.stop()
        case.world.broker = case.world.again()
        case.reports.clear()
        await case.begin()
        snapshot = await case.picture()
        assert [o.ref for o in snapshot.open_orders or ()] == [kept]
        assert [e.ref for e in snapshot.executions or ()] == [done] * len(snapshot.executions or ())
        assert snapshot.executions
        case.broker.cancel(kept)
        await case.until(lambda: case.status(kept) is BrokerStatus.CANCELLED)

    tell(story)
