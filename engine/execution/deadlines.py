"""Waiting times of orders: silence after sending, claims to confirm, cancels to confirm, unknowns to ask about."""

from collections.abc import Callable

from engine.bus.clock import Clock, Timer
from engine.execution.settings import ExecutionSettings
from engine.model.ids import OrderRef
from engine.model.order import OrderState

S = OrderState


class Deadlines:
    """At most one timer per order, chosen by its state."""

    def __init__(
        self, clock: Clock, settings: ExecutionSettings, on_due: Callable[[OrderRef, OrderState], None]
    ) -> None:
        self._clock = clock
        self._on_due = on_due
        self._timers: dict[OrderRef, tuple[OrderState, Timer]] = {}
        self._wait_s = {
            S.SENDING: settings.silence_s,
            S.SENT: settings.silence_s,
            S.UNKNOWN: settings.silence_s,
            S.PENDING_MODIFY: settings.cancel_s,
            S.PENDING_CANCEL: settings.cancel_s,
            S.CLAIM_FILLED: settings.claim_s,
            S.CLAIM_CANCELLED: settings.claim_s,
            S.CLAIM_REJECTED: settings.claim_s,
        }

    def watch(self, ref: OrderRef, state: OrderState, *, again: bool = False) -> None:
        """Start the wait that ``state`` has; a running one of the same state goes on unless ``again``."""
        running = self._timers.get(ref)
        if running is not None:
            if running[0] is state and not again:
                return
            running[1].cancel()
            del self._timers[ref]
        wait_s = self._wait_s.get(state)
        if wait_s is not None:
            self._timers[ref] = state, self._clock.call_later(wait_s, lambda: self._due(ref, state))

    def _due(self, ref: OrderRef, state: OrderState) -> None:
        self._timers.pop(ref, None)
        self._on_due(ref, state)

    def stop(self) -> None:
        """Forget all waits."""
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
