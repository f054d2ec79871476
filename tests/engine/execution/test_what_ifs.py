"""The broker's what-if, asked beforehand: fresh, for enough units, forgotten when anything is sent."""

import asyncio
from collections.abc import Coroutine
from decimal import Decimal

import pytest

from engine.bus.bus import Bus
from engine.bus.clock import SECOND
from engine.bus.errors import BrokerError
from engine.execution.what_ifs import WhatIfBook
from engine.model.broker import WhatIf
from engine.model.events.order import OrderSubmitted
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState, OrderStatus, OrderType
from tests.support.simloop import LoopClock, SimLoop, simulate

START = 1_700_000_000 * SECOND


class Broker:
    """Takes half a second to answer; ``answer`` may be an error or None."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.asked: list[OrderRequest] = []
        self.answer: WhatIf | Exception | None = WhatIf(
            initial_margin_before=Decimal(100), initial_margin_after=Decimal(1100), commission=Decimal(1)
        )

    async def what_if(self, request: OrderRequest) -> WhatIf | None:
        self.asked.append(request)
        await self._clock.sleep(0.5)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Rig:
    def __init__(self, loop: SimLoop, *, required: bool = True) -> None:
        self.clock = LoopClock(loop, START)
        self.broker = Broker(self.clock)
        self.bus = Bus(lambda owner, role, event, error: pytest.fail(str(error)))
        self.book = WhatIfBook(self.bus, self.clock, self.broker, required=required)
        self.book.start()

    def sent(self) -> None:
        status = OrderStatus(ref=OrderRef("r-1"), account=AccountId("DU1"), request=request(), state=OrderState.SENT)
        now = self.clock.now()
        self.bus.publish(
            OrderSubmitted(
                ts_event=now, ts_init=now, ref=status.ref, symbol=Symbol("AAPL"), side=Side.BUY, status=status
            )
        )


def request(quantity: int = 100, **changes: object) -> OrderRequest:
    fields: dict[str, object] = {
        "intent_id": IntentId("i"),
        "symbol": Symbol("AAPL"),
        "side": Side.BUY,
        "quantity": Decimal(quantity),
        "order_type": OrderType.LIMIT,
        "limit_price": Decimal(190),
    }
    return OrderRequest(**{**fields, **changes})


def play(story, *, required: bool = True) -> None:
    async def main(loop: SimLoop) -> None:
        rig = Rig(loop, required=required)
        work: Coroutine[object, object, None] = story(rig)
        await work
        await rig.book.stop()

    simulate(1, main)


def test_a_missing_answer_is_pending_at_once_and_there_on_the_next_look() -> None:
    async def story(rig: Rig) -> None:
        assert rig.book.latest(request()).pending
        assert rig.book.latest(request()).pending
        await rig.clock.sleep(1)
        assert rig.book.latest(request()).initial_margin_after == 1100
        assert len(rig.broker.asked) == 1

    play(story)


def test_an_answer_serves_fewer_units_of_the_same_side_and_nothing_else() -> None:
    async def story(rig: Rig) -> None:
        await rig.book.ask(request(100))
        assert not rig.book.latest(request(60)).pending
        assert rig.book.latest(request(101)).pending
        assert rig.book.latest(request(60, side=Side.SELL)).pending
        assert rig.book.latest(request(60, symbol=Symbol("MSFT"))).pending
        await rig.book.ask(request(60), exact=True)
        assert [asked.quantity for asked in rig.broker.asked].count(60) == 3

    play(story)


def test_an_answer_for_a_cheap_price_does_not_serve_a_dear_one() -> None:
    async def story(rig: Rig) -> None:
        await rig.book.ask(request(1000, limit_price=Decimal("0.01")))
        assert rig.book.latest(request(10, limit_price=Decimal(64))).pending
        assert rig.book.latest(request(10, limit_price=None, order_type=OrderType.MARKET)).pending
        assert not rig.book.latest(request(10, limit_price=Decimal("0.01"))).pending

    play(story)


def test_an_answer_grows_old_and_is_forgotten_when_an_order_leaves() -> None:
    async def story(rig: Rig) -> None:
        await rig.book.ask(request())
        await rig.clock.sleep(61)
        assert rig.book.latest(request()).pending
        await rig.clock.sleep(1)
        assert not rig.book.latest(request()).pending
        rig.sent()
        assert rig.book.latest(request()).pending

    play(story)


def test_an_answer_that_an_order_overtook_is_asked_for_again() -> None:
    async def story(rig: Rig) -> None:
        asking = asyncio.ensure_future(rig.book.ask(request()))
        await rig.clock.sleep(0.2)
        rig.sent()
        assert (await asking).initial_margin_after == 1100
        assert len(rig.broker.asked) == 2

    play(story)


@pytest.mark.parametrize("silence", [None, BrokerError("the link is down")])
def test_a_broker_that_does_not_say_is_left_alone_for_a_while(silence: BrokerError | None) -> None:
    async def story(rig: Rig) -> None:
        rig.broker.answer = silence
        assert await rig.book.ask(request()) is None
        assert rig.book.latest(request()) is None
        assert len(rig.broker.asked) == 1
        await rig.clock.sleep(10)
        assert rig.book.latest(request()).pending

    play(story)


def test_nothing_is_asked_where_it_is_not_required_or_the_order_only_reduces() -> None:
    async def paper(rig: Rig) -> None:
        assert rig.book.latest(request()) is None
        assert rig.broker.asked == []
        await rig.book.ask(request())
        assert rig.book.latest(request()) is not None

    async def closing(rig: Rig) -> None:
        assert rig.book.latest(request(side=Side.SELL, reduce_only=True)) is None
        assert rig.broker.asked == []

    play(paper, required=False)
    play(closing)


def test_a_parent_answers_for_its_children_in_their_share_and_is_asked_without_its_algorithm() -> None:
    async def story(rig: Rig) -> None:
        await rig.book.ask(request(1000, algo="twap", algo_params={"minutes": "30"}))
        assert (rig.broker.asked[0].algo, rig.broker.asked[0].algo_params) == ("", {})
        rig.sent()
        assert rig.book.latest(request(250, parent_ref=OrderRef("p-1"))).initial_margin_after == 350

    async def previewed(rig: Rig) -> None:
        await rig.book.ask(request(1000))
        await rig.book.ask(request(1000, algo="twap", algo_params={"minutes": "30"}))
        assert len(rig.broker.asked) == 1
        rig.sent()
        child = rig.book.latest(request(250, parent_ref=OrderRef("p-1")))
        assert (child.initial_margin_before, child.initial_margin_after) == (100, 350)

    play(story)
    play(previewed)


def test_a_refusal_of_many_units_is_no_refusal_of_fewer() -> None:
    async def story(rig: Rig) -> None:
        rig.broker.answer = WhatIf(refused="too much")
        assert (await rig.book.ask(request(1000))).refused
        assert rig.book.latest(request(1000)).refused
        assert rig.book.latest(request(10)).pending

    play(story)
