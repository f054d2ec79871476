"""Which events belong to which family: what is written as JSON lines, hashed, and sent as notices."""

from engine.execution.algos import events as algo_events
from engine.model.events import book, decision, order, system, thought
from engine.model.events.base import Event


def _events_of(module: object) -> tuple[type[Event], ...]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and value.__module__ == getattr(module, "__name__", "")
    ]
    return tuple(sorted((kind for kind in found if kind is not order.OrderEvent), key=lambda kind: kind.__name__))


DECISION = _events_of(decision)
ORDER: tuple[type[Event], ...] = (
    *_events_of(order),
    algo_events.ParentStarted,
    algo_events.ParentChanged,
    algo_events.ParentEnded,
)
BOOK = _events_of(book)
SYSTEM = _events_of(system)
SUGGESTIONS = (thought.Suggested, thought.SuggestionWithdrawn, thought.SuggestionSuperseded)

WRITTEN: tuple[type[Event], ...] = (*SUGGESTIONS, *DECISION, *ORDER, *BOOK, *SYSTEM)
"""Events of a run's JSON lines."""
HASHED: tuple[type[Event], ...] = (
    *SUGGESTIONS,
    *DECISION,
    *ORDER,
    book.PositionOpened,
    book.PositionChanged,
    book.PositionClosed,
)
"""Events whose bytes make the decision hash: the same inputs give the same hash."""
NOTICED = tuple(kind for kind in WRITTEN if kind not in (book.AccountChanged, book.Reconciled, system.RunSummary))
"""Events sent to clients as notices."""
