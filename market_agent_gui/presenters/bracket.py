"""A whole bracket moved by key: entry, stop and target keep their distances."""

from collections.abc import Iterable

from engine.model.money import exact
from market_agent_gui.commander import Refusal
from market_agent_gui.keys.bracket import STEPS, Move, moves
from market_agent_gui.services import Services
from market_agent_gui.translate import say


class BracketKeys:
    """Moves what is staged, else what works, of the symbol the ticket shows."""

    def __init__(self, services: Services) -> None:
        self._services = services
        for action, ticks in STEPS.items():
            services.commander.register(action, lambda ticks=ticks: self.move(ticks))

    def move(self, ticks: int) -> None:
        """Move everything by ticks. Raises ``Refusal`` where nothing can be moved."""
        services = self._services
        staged, symbol = services.entry.staged, services.links.symbol("ticket")
        if staged is not None and not staged.ref:
            by = staged.tick * ticks
            legs = (("entry", staged.limit), ("stop", staged.stop), ("target", staged.target))
            if any(price is not None and price + by <= 0 for _, price in legs):
                raise Refusal(say("a price would fall to zero: nothing was moved"))
            for leg, price in legs:
                if price is not None:
                    services.entry.move_leg(leg, price + by)
            return
        if reason := services.entry.blocked(symbol):
            raise Refusal(reason)
        price = services.bridge.mirror.price(symbol)
        if price is None:
            raise Refusal(say("no price yet"))
        try:
            found = moves(services.bridge.mirror.working(symbol), exact(price.tick) * ticks)
        except ValueError as error:
            raise Refusal(str(error)) from error
        self._send(found)

    def _send(self, found: Iterable[Move]) -> None:
        for move in found:
            self._services.entry.modify(move.ref, limit_price=move.limit_price, stop_price=move.stop_price)
