"""The first sessions in which the agent trades real money: it starts small."""

import json

from engine.bus.errors import IntegrityError
from engine.risk.ports import Store

KEY = "risk.auto_sessions"


class AutoSessions:
    """Exchange dates on which the agent sent live orders. Durable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dates: list[str] | None = None

    def before(self, date: str) -> int:
        """Return the sessions other than ``date`` so far."""
        return sum(1 for seen in self._load() if seen != date)

    def note(self, date: str) -> None:
        """Count a session, once. Raises ``JournalError``."""
        dates = self._load()
        if date not in dates:
            self._store.set(KEY, json.dumps([*dates, date]))
            dates.append(date)

    def _load(self) -> list[str]:
        if self._dates is None:
            text = self._store.get(KEY)
            try:
                found = json.loads(text) if text else []
            except json.JSONDecodeError as error:
                raise IntegrityError(f"the stored AUTO sessions cannot be read: {error}") from error
            self._dates = [str(date) for date in found]
        return self._dates
