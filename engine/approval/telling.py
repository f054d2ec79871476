"""What the desk publishes."""

from engine.approval.case import Live
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.model.decision import Denial, Verdict
from engine.model.events.base import Event
from engine.model.events.decision import RiskCleared, RiskDenied


class Teller:
    """Publishes facts about one suggestion."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    def publish(self, kind: type[Event], live: Live, **fields: object) -> None:
        """Publish an event of ``kind`` about the suggestion."""
        now, suggestion = self._clock.now(), live.case.suggestion
        self._bus.publish(
            kind(ts_event=now, ts_init=now, suggestion_id=suggestion.id, symbol=suggestion.symbol, **fields)  # type: ignore[call-arg]
        )

    def cleared(self, live: Live, verdict: Verdict) -> None:
        """The gate has nothing against it; nothing is reserved."""
        now, suggestion = self._clock.now(), live.case.suggestion
        self._bus.publish(
            RiskCleared(
                ts_event=now,
                ts_init=now,
                symbol=suggestion.symbol,
                side=suggestion.side,
                intent_id=verdict.request.intent_id,
                verdict=verdict,
                suggestion_id=suggestion.id,
            )
        )

    def denied(self, live: Live, verdict: Verdict, denials: tuple[Denial, ...]) -> None:
        """The gate, or the policy, is against it."""
        now, suggestion = self._clock.now(), live.case.suggestion
        self._bus.publish(
            RiskDenied(
                ts_event=now,
                ts_init=now,
                symbol=suggestion.symbol,
                side=suggestion.side,
                intent_id=verdict.request.intent_id,
                denials=denials,
                request=verdict.request,
                origin=verdict.request.origin,
                suggestion_id=suggestion.id,
            )
        )
