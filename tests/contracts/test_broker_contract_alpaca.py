"""The broker contract over Alpaca: real sockets, so the loop's time runs ten times as fast instead of jumping.

Three of its promises are Alpaca's to break, and are tested in their own words with the broker: it names no commission,
a change gets a new id, and it answers no question of cost.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.execution.broker import Broker
from engine.model.order import OrderType
from tests.contracts.test_broker_contract import (
    Case,
    Story,
    test_a_cancel_ends_the_order_and_a_second_one_is_refused_not_raised,
    test_a_good_till_date_order_ends_by_itself,
    test_a_refused_order_gives_its_reason_and_works_nowhere,
    test_a_start_ends_in_a_link_that_is_up_and_says_so_and_stop_ends_it,
    test_an_accepted_order_is_shown_with_its_reference_ids_and_fields,
    test_every_order_type_that_is_offered_is_taken,
    test_every_time_in_force_that_is_offered_is_taken,
    test_ioc_and_fok_that_find_nothing_end_at_once,
    test_orders_outlive_the_program_and_are_found_again_by_their_reference,
    test_the_legs_of_a_bracket_guard_what_is_filled_and_end_each_other,
    test_two_pictures_of_a_quiet_account_are_the_same,
)
from tests.engine.execution.brokers.alpaca.rig import BEGIN, make_broker
from tests.engine.execution.brokers.ibkr.rig import LoopClock
from tests.support.alpaca_server.server import AlpacaServer

__all__ = [
    "test_a_cancel_ends_the_order_and_a_second_one_is_refused_not_raised",
    "test_a_good_till_date_order_ends_by_itself",
    "test_a_refused_order_gives_its_reason_and_works_nowhere",
    "test_a_start_ends_in_a_link_that_is_up_and_says_so_and_stop_ends_it",
    "test_an_accepted_order_is_shown_with_its_reference_ids_and_fields",
    "test_every_order_type_that_is_offered_is_taken",
    "test_every_time_in_force_that_is_offered_is_taken",
    "test_ioc_and_fok_that_find_nothing_end_at_once",
    "test_orders_outlive_the_program_and_are_found_again_by_their_reference",
    "test_the_legs_of_a_bracket_guard_what_is_filled_and_end_each_other",
    "test_two_pictures_of_a_quiet_account_are_the_same",
]
HASTE = 10


class HastyLoop(asyncio.SelectorEventLoop):
    """A second of its time is a tenth of a real one."""

    def __init__(self) -> None:
        super().__init__()
        real = self._selector.select
        self._selector.select = lambda timeout=None: real(None if timeout is None else timeout / HASTE)

    def time(self) -> float:
        return super().time() * HASTE


class AlpacaWorld:
    """A rich account at the fake server."""

    untried: frozenset[OrderType] = frozenset()

    def __init__(self, server: AlpacaServer) -> None:
        self.server = server
        self.clock = LoopClock()
        self.orders: dict[str, Any] = {}
        self.broker: Broker = self.again()

    def again(self) -> Broker:
        broker = make_broker(
            self.server, self.clock, request_timeout_s=8.0, ping_s=30, expire_by_program=True, order=self.orders.get
        )
        place = broker.place

        def noted(order: Any) -> None:
            self.orders[order.ref] = _Status(order)
            place(order)

        broker.place = noted  # type: ignore[method-assign]
        return broker

    def price(self, mid: float) -> None:
        self.server.set_price("AAPL", f"{mid:.2f}")

    async def close(self) -> None:
        """The server closes with the story."""


class _Status:
    """What the order desk would say of an order."""

    def __init__(self, order: Any) -> None:
        self.request = order.request
        self.parent_ref = None
        self.state = _Open


class _Open:
    closed = False


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story over a started broker."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with AlpacaServer(start=BEGIN, cash="10000000", requests_a_minute=10_000) as server:
                server.book.quotes["AAPL"].last = server.book.quotes["AAPL"].bid
                server.set_price("AAPL", "100")
                case = Case(AlpacaWorld(server))
                try:
                    await case.begin()
                    await story(case)
                finally:
                    await case.broker.stop()

        with asyncio.Runner(loop_factory=HastyLoop) as runner:
            runner.run(whole())

    return run
