"""After a change of keys, sizes or account the first orders by key are small and confirmed: hands know the old."""

from collections.abc import Callable

from market_agent_gui.actions import ORDER_GROUPS
from market_agent_gui.keys.key_map import KeyMap

ORDERS = 3
"""How many orders by key are confirmed after a change."""
WHY = {
    "keys": "the keys were changed",
    "account": "the account is another one",
    "sizes": "the sizes were changed",
    "presets": "the presets were changed",
    "confirmations": "less is confirmed than before",
}


def touches_orders(before: KeyMap, after: KeyMap) -> bool:
    """Whether a key that stages, sizes, sends or closes became another one."""
    specs = {spec.id: spec for spec in (*before.actions, *after.actions)}.values()
    return any(before.key(spec.id) != after.key(spec.id) for spec in specs if spec.group in ORDER_GROUPS)


class FreshKeys:
    """Counts down. What lowers risk never asks here."""

    def __init__(self, left: int, keep: Callable[[int], object], why: str = "keys") -> None:
        """``left``: orders still to be confirmed, and ``why``, as remembered; ``keep`` remembers a new count."""
        self.left = max(0, left)
        self.why = why if why in WHY else "keys"
        """What changed last: a word of :data:`WHY`."""
        self._keep = keep
        self._asked = ""

    def changed(self, before: KeyMap, after: KeyMap) -> None:
        """The keys are others now."""
        if touches_orders(before, after):
            self.why = "keys"
            self._count(ORDERS)

    def look(self, what: str, before: str, now: str) -> None:
        """Compare what the hands knew of ``what`` (a word of :data:`WHY`) with what is; nothing known is no change."""
        if before and before != now:
            self.why = what
            self._count(ORDERS)

    def sizes_changed(self) -> None:
        """The keys stand for other sizes now."""
        self.why = "sizes"
        self._count(ORDERS)

    def presets_changed(self) -> None:
        """The keys stage other orders now."""
        self.why = "presets"
        self._count(ORDERS)

    def confirmations_loosened(self) -> None:
        """Something that was confirmed is sent by the first press now."""
        self.why = "confirmations"
        self._count(ORDERS)

    def sent(self) -> None:
        """An order was let out by a second press. A press that was refused counts for nothing."""
        if self.left:
            self._count(self.left - 1)

    def asks(self, what: str) -> bool:
        """Whether the press that would send an order must be repeated first; the second press of it sends.

        ``what``: the intent of the order, or the action that moves those which work.
        """
        if not self.left or what == self._asked:
            return False
        self._asked = what
        return True

    def _count(self, left: int) -> None:
        self._asked = ""
        self.left = left
        self._keep(left)
