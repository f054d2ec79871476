"""What the broker says an order would bind, asked beforehand: the gate itself never waits for an answer (G15)."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from engine.bus.bus import Bus, Role
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import BrokerError
from engine.execution.broker import Broker
from engine.model.broker import WhatIf
from engine.model.events.order import OrderEvent, OrderFilled, OrderPartlyFilled, OrderSubmitted
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest

AGE_NS = 60 * SECOND
SILENT_NS = 10 * SECOND
"""How long a broker that did not say is not asked again for the same thing."""
TRIES = 2
DEARER = Decimal("1.01")
"""An answer serves an order at this share more of the price that it was asked for: at a cent everything is cheap."""
_CHANGES = (OrderSubmitted, OrderPartlyFilled, OrderFilled)

Key = tuple[Symbol, Side]


class _Answer(NamedTuple):
    quantity: Decimal
    price: Decimal | None
    """At which it was asked; None for the market's."""
    what_if: WhatIf
    at_ns: int


class WhatIfBook:
    """Fresh answers by symbol and side. One for more units serves for fewer; whatever is sent makes all of them old."""

    name = "execution.what_ifs"

    def __init__(self, bus: Bus, clock: Clock, broker: Broker, *, required: bool) -> None:
        """``required``: nothing opens without an answer, so one that is missing is asked for."""
        self._bus = bus
        self._clock = clock
        self._broker = broker
        self._required = required
        self._answers: dict[Key, _Answer] = {}
        self._parents: dict[Key, _Answer] = {}
        self._silent: dict[Key, int] = {}
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._changes = 0
        self._ends: list[Callable[[], None]] = []

    @property
    def required(self) -> bool:
        return self._required

    def start(self) -> None:
        """Listen for what makes answers old."""
        self._ends = [
            self._bus.subscribe(kind, self._on_change, owner=self.name, role=Role.DECIDER) for kind in _CHANGES
        ]

    async def stop(self) -> None:
        """Let the questions go."""
        for end in self._ends:
            end()
        tasks = tuple(self._asking.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def latest(self, request: OrderRequest) -> WhatIf | None:
        """Return a fresh answer that covers ``request``; ``pending`` while one is asked for, None for none."""
        key = _key(request)
        if request.parent_ref is not None and (whole := self._parents.get(key)) is not None:
            return _share(whole, request.quantity)
        found = self._fresh(request)
        if found is not None or not self._required or request.reduce_only:
            return found
        if self._clock.now() < self._silent.get(key, 0):
            return None
        self._question(request)
        return WhatIf(pending=True)

    async def ask(self, request: OrderRequest, *, exact: bool = False) -> WhatIf | None:
        """Return a fresh answer, asking for it when there is none; None when the broker does not say.

        ``exact``: one for more units does not do, because its commission will be shown.
        """
        for _ in range(TRIES):
            found = self._fresh(request, exact)
            if found is not None and request.algo:
                self._parents[_key(request)] = self._answers[_key(request)]  # its children will be many, and later
            if found is not None or self._clock.now() < self._silent.get(_key(request), 0):
                return found
            await asyncio.wait({self._question(request)})
        return self._fresh(request, exact)

    def _fresh(self, request: OrderRequest, exact: bool = False) -> WhatIf | None:
        found = self._answers.get(_key(request))
        if found is None or found.quantity < request.quantity or self._clock.now() - found.at_ns > AGE_NS:
            return None
        price = _price(request)
        if found.price is not None and (price is None or price > found.price * DEARER):
            return None
        # A no to many units says nothing about fewer.
        alike = found.quantity == request.quantity
        return found.what_if if alike or not (exact or found.what_if.refused) else None

    def _question(self, request: OrderRequest) -> asyncio.Task[None]:
        key = _key(request)
        task = self._asking.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._put(key, request), name=f"what-if {request.symbol}")
            self._asking[key] = task
            task.add_done_callback(lambda done: self._over(key, done))
        return task

    async def _put(self, key: Key, request: OrderRequest) -> None:
        changes = self._changes
        try:
            # Margin does not depend on how an order is worked, and our own algorithms mean nothing to the broker.
            answer = await self._broker.what_if(msgspec.structs.replace(request, algo="", algo_params={}))
        except BrokerError:
            answer = None
        now = self._clock.now()
        if answer is None:
            self._silent[key] = now + SILENT_NS
            return
        known = _Answer(request.quantity, _price(request), answer, now)
        if request.algo:
            self._parents[key] = known
        if changes == self._changes:
            self._answers[key] = known

    def _over(self, key: Key, task: asyncio.Task[None]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": f"{task.get_name()} failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    def _on_change(self, _event: OrderEvent) -> None:
        self._changes += 1
        self._answers.clear()


def _key(request: OrderRequest) -> Key:
    return request.symbol, request.side


def _price(request: OrderRequest) -> Decimal | None:
    return request.limit_price if request.limit_price is not None else request.stop_price


def _share(whole: _Answer, quantity: Decimal) -> WhatIf:
    """The part of a parent's margin that one of its children binds; what remains afterwards is said of the whole."""
    before, after = whole.what_if.initial_margin_before, whole.what_if.initial_margin_after
    if before is None or after is None or whole.quantity <= 0:
        return whole.what_if
    part = (after - before) * quantity / whole.quantity
    return msgspec.structs.replace(whole.what_if, initial_margin_after=before + part)
