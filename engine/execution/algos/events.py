"""What the desk of algorithms tells."""

from engine.execution.algos.parent import ParentStatus
from engine.model.events.base import Event


class ParentEvent(Event, frozen=True, kw_only=True):
    parent: ParentStatus


class ParentStarted(ParentEvent, frozen=True, kw_only=True):
    """Its schedule is durable; no child has been sent yet."""


class ParentChanged(ParentEvent, frozen=True, kw_only=True):
    """It is paused, goes on, or stops; or a child was sent."""


class ParentEnded(ParentEvent, frozen=True, kw_only=True):
    """No child of it is at work any more; its slippage is known."""
