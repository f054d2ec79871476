"""The typed bus: synchronous, in order, by exact type. No strings, no wildcards, no threads.

Delivery guarantee: every subscriber of a type sees events in the order in which they were published; an event
published from inside a handler is delivered after the current one has reached all of its subscribers.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from engine.model.events.base import Event

E = TypeVar("E", bound=Event)
Handler = Callable[[Any], None]


class Role(Enum):
    """What a handler's exception means."""

    OBSERVER = "observer"
    """Isolated: reported as ``ComponentFailed``, everything else goes on."""
    DECIDER = "decider"
    """Risk, approval, execution, portfolio: trading halts first, then it is reported."""


FailureHook = Callable[[str, Role, Event, Exception], None]


class Bus:
    """Publish facts to the handlers of their type."""

    def __init__(self, on_failure: FailureHook) -> None:
        """``on_failure(owner, role, event, error)`` runs at once when a handler raises; it must not raise."""
        self._handlers: dict[type[Event], tuple[tuple[Handler, str, Role], ...]] = {}
        self._queue: deque[Event] = deque()
        self._draining = False
        self._on_failure = on_failure

    def subscribe(
        self, kind: type[E], handler: Callable[[E], None], *, owner: str, role: Role = Role.OBSERVER
    ) -> Callable[[], None]:
        """Call ``handler`` for each event of exactly ``kind``; return a function that ends it."""
        entry = (handler, owner, role)
        self._handlers[kind] = (*self._handlers.get(kind, ()), entry)

        def unsubscribe() -> None:
            self._handlers[kind] = tuple(e for e in self._handlers.get(kind, ()) if e is not entry)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Deliver ``event``; when called from a handler, after the event being delivered."""
        if self._draining:
            self._queue.append(event)
            return
        self._draining = True
        try:
            self._deliver(event)
            queue = self._queue
            while queue:
                self._deliver(queue.popleft())
        finally:
            self._draining = False

    def _deliver(self, event: Event) -> None:
        for handler, owner, role in self._handlers.get(type(event), ()):
            try:
                handler(event)
            except Exception as error:  # noqa: BLE001  the bus is the boundary that isolates handlers
                self._on_failure(owner, role, event, error)

    def subscribers(self, kind: type[Event]) -> tuple[str, ...]:
        """Name the owners of the handlers of ``kind``, in order."""
        return tuple(owner for _, owner, _ in self._handlers.get(kind, ()))
