"""Keys that somebody outside has: told once, kept in sight in the status line, with consent where orders hang on it."""

import logging
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal

from market_agent_gui.actions import BY_ID, ActionSpec, words
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.outside import Outside, Taken, bound, collision_text, collisions, of_orders, wants_consent
from market_agent_gui.keys.outside_watch import OutsideWatch
from market_agent_gui.translate import say

log = logging.getLogger(__name__)


class OutsideKeys(QObject):
    """Compares what the system answers with the keys in use."""

    said = Signal(str, str)
    """severity and one sentence."""
    noted = Signal(str)
    """What is wrong with the keys of orders now; empty when nothing is."""

    def __init__(
        self, watch: OutsideWatch, keys: Callable[[], KeyMap], accepted: Iterable[str], parent: QObject | None = None
    ) -> None:
        """``accepted``: keys that a person uses all the same, as remembered."""
        super().__init__(parent)
        self.watch = watch
        self.accepted = frozenset(accepted)
        self._keys = keys
        self._told: frozenset[Taken] = frozenset()
        watch.changed.connect(lambda _outside: self.refresh())

    @property
    def now(self) -> Outside:
        return self.watch.now

    def accept(self, keys: Iterable[str]) -> None:
        """These keys are used all the same, and no others."""
        self.accepted = frozenset(keys)
        self.refresh()

    def on_keys(self) -> None:
        """The keys in use are others: what is known of them is asked anew."""
        self.refresh()
        if not bound(self._keys()) <= self.now.asked:
            self.watch.ask()

    def objection(self, spec: ActionSpec, key: str) -> str:
        """Say why a key may not stage or send: somebody else has it, and nobody said to use it all the same."""
        owner = self.now.taken.get(key)
        if owner is None or key in self.accepted or not wants_consent(spec):
            return ""
        return say(
            "{collision}; “Change keys…” gives it another key, or uses it all the same",
            collision=collision_text(key, owner),
        )

    def refresh(self) -> None:
        """Tell what is new, and keep in sight what is not accepted."""
        found = [each for each in collisions(self._keys(), self.now) if of_orders(BY_ID[each.action])]
        for each in found:
            if each not in self._told:
                self.said.emit("warn", self._sentence(each))
        if gone := self._told - set(found):
            log.info("given back: %s", ", ".join(sorted(each.key for each in gone)))
        self._told = frozenset(found)
        self.noted.emit(self._note([each for each in found if each.key not in self.accepted]))

    @staticmethod
    def _sentence(each: Taken) -> str:
        title = words(BY_ID[each.action])
        return say("{action}: {collision}", action=title, collision=collision_text(each.key, each.owner))

    def _note(self, open_ones: list[Taken]) -> str:
        if not open_ones:
            return ""
        first = self._sentence(open_ones[0])
        return say("{first} · {count} more", first=first, count=len(open_ones) - 1) if len(open_ones) > 1 else first
