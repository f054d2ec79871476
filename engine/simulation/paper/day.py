"""The exchange's day: orders wake at the open, end at the close, expire at their time."""

from collections.abc import Callable, Iterable

from engine.bus.clock import SECOND, Clock
from engine.model.ids import Symbol
from engine.model.market import SessionState
from engine.model.order import TimeInForce
from engine.model.report import BrokerStatus
from engine.simulation.paper.books import Market
from engine.simulation.paper.orders import PaperOrder

LOOK_EVERY_NS = 60 * SECOND


class DayCycle:
    """Looks at session boundaries, and once a minute; acts through the callbacks it was given."""

    def __init__(
        self,
        clock: Clock,
        market: Market,
        *,
        resting: Callable[[], list[PaperOrder]],
        holdings: Callable[[], Iterable[str]],
        wake: Callable[[PaperOrder], None],
        at_close: Callable[[PaperOrder], None],
        expire: Callable[[PaperOrder], None],
        new_session: Callable[[str], None],
    ) -> None:
        self._clock, self._market, self._resting, self._holdings = clock, market, resting, holdings
        self._wake, self._at_close, self._expire, self._new_session = wake, at_close, expire, new_session

    def tick(self) -> None:
        """Wake or end orders at session boundaries and plan the next look."""
        now = self._clock.now()
        boundaries = [now + LOOK_EVERY_NS]
        for symbol in tuple(self._holdings()):
            held = self._market.session(Symbol(symbol), now)
            if held is not None and held.state is SessionState.OPEN:
                self._new_session(held.date)
                break
        for order in self._resting():
            session = self._market.session(order.request.symbol, now)
            if session is None:
                continue
            if session.state is SessionState.OPEN:
                self._new_session(session.date)
                if order.status is BrokerStatus.HELD and order.active:
                    self._wake(order)
            elif order.accepted_ns < session.close_ns <= now:
                self._at_close(order)
            boundaries.extend(b for b in (session.open_ns, session.close_ns) if b > now)
        self._clock.call_at(min(boundaries), self.tick)

    def schedule_expiry(self, order: PaperOrder) -> None:
        """End a good-till-date order when its time has come."""
        until = order.request.good_till_ns
        if order.request.tif is not TimeInForce.GTD or until is None:
            return

        def due() -> None:
            latest = order.request.good_till_ns
            if order.open and latest is not None and latest <= self._clock.now():
                self._expire(order)
            elif order.open:
                self.schedule_expiry(order)

        self._clock.call_at(until, due)
