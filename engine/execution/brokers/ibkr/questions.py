"""What-if questions, and the watch over them: a gateway that does not know the flag would work them as orders.

A question is sent like an order with one flag set. Should the gateway show one of their ids working, or fill it, it is
cancelled at once and each time it is seen alive, everybody is told, and no question is ever put to it again.
"""

import asyncio
from collections.abc import Callable

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import BrokerError
from engine.model.broker import WhatIf
from engine.model.report import BrokerStatus, NoticeReport

AGAIN_NS = 2 * SECOND
_ALIVE = (BrokerStatus.PENDING, BrokerStatus.HELD, BrokerStatus.WORKING)


class Questions:
    """Owner of the ids that questions were asked with."""

    def __init__(self, clock: Clock, cancel: Callable[[int], None], say: Callable[[NoticeReport], None]) -> None:
        """``cancel(order_id)`` writes a cancel to the gateway. Raises ``BrokerError`` when it cannot."""
        self._clock, self._cancel, self._say = clock, cancel, say
        self._waiting: dict[int, asyncio.Future[WhatIf]] = {}
        self._asked: set[int] = set()
        self._priced: set[int] = set()
        self._cancelled_ns: dict[int, int] = {}
        self._told: set[tuple[int, str]] = set()
        self.betrayed = ""
        """Why no question may be asked in this run any more; empty while it may."""

    def ask(self, order_id: int) -> asyncio.Future[WhatIf]:
        """Note that a question goes out under an id; its answer will be in the future."""
        answer: asyncio.Future[WhatIf] = asyncio.get_running_loop().create_future()
        self._asked.add(order_id)
        self._waiting[order_id] = answer
        return answer

    def over(self, order_id: int) -> None:
        """Nobody waits for the answer any more; the id stays watched."""
        self._waiting.pop(order_id, None)

    def waiting(self, order_id: int) -> asyncio.Future[WhatIf] | None:
        """The answer that is waited for under an id."""
        return self._waiting.get(order_id)

    def answer(self, order_id: int, what_if: WhatIf) -> None:
        """The gateway has answered."""
        self._priced.add(order_id)
        answer = self._waiting.get(order_id)
        if answer is not None and not answer.done():
            answer.set_result(what_if)

    def fail(self, why: str) -> None:
        """The connection ended: no answer will come."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(BrokerError(why))

    def asked(self, order_id: int) -> bool:
        """Whether a question of this run went out under an id of this client."""
        return order_id in self._asked

    def shown(self, order_id: int, status: BrokerStatus, filled: bool, order: bool) -> None:
        """The gateway spoke of an id as of an order. ``order``: it showed one without the flag of a question.

        A mere pre-submission of what it has priced is no proof: some gateways say so of questions, too.
        """
        sure = filled or order or status in (BrokerStatus.WORKING, BrokerStatus.FILLED)
        if not sure and (status is not BrokerStatus.HELD or order_id in self._priced):
            return
        if filled or status is BrokerStatus.FILLED:
            self._tell(order_id, "filled")
        elif status in _ALIVE:
            self._tell(order_id, "working")
        if status in _ALIVE:
            self._end(order_id)

    def executed(self, order_id: int) -> None:
        """An execution came under the id of a question."""
        self._tell(order_id, "filled")

    def _end(self, order_id: int) -> None:
        now = self._clock.now()
        if now - self._cancelled_ns.get(order_id, -AGAIN_NS) < AGAIN_NS:
            return
        self._cancelled_ns[order_id] = now
        try:
            self._cancel(order_id)
        except BrokerError:
            # Not reached: the next comparison shows it again, and it is cancelled then.
            del self._cancelled_ns[order_id]

    def _tell(self, order_id: int, what: str) -> None:
        self.betrayed = "the gateway worked a what-if question as an order"
        self.fail(self.betrayed)
        if (order_id, what) in self._told:
            return
        self._told.add((order_id, what))
        now = self._clock.now()
        happened = f"A question about costs (order id {order_id}) was worked by the gateway as an order"
        did = "It is cancelled. No such question is asked any more."
        if what == "filled":
            happened += ", and filled"
            did = "It is booked as an order made elsewhere. No such question is asked any more."
        self._say(
            NoticeReport(
                ts_event=now,
                ts_seen=now,
                code=f"WHAT_IF:{order_id}",
                happened=f"{happened}.",
                did=did,
                you_can="Look at orders and positions; close what you do not want.",
            )
        )
