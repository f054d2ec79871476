"""Durable counts per exchange date. A count that cannot be stored is an error, never zero."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from engine.memory import tables as t
from engine.memory.database import Database, Statement

_insert = insert(t.counters).values(key=None, date=None, value=None)
_ADD = Statement(
    _insert.on_conflict_do_update(
        index_elements=["key", "date"], set_={"value": t.counters.c.value + _insert.excluded.value}
    )
)
_GET = Statement(
    select(t.counters.c.value).where(t.counters.c.key == bindparam("key"), t.counters.c.date == bindparam("date"))
)


class Counters:
    """Counts by key and date. Reads come from memory once seen; writes are durable before they return."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[tuple[str, str], int] = {}

    def get(self, key: str, date: str) -> int:
        """The count of ``key`` on exchange date ``date`` (ISO; empty for counts that never reset)."""
        found = self._seen.get((key, date))
        if found is None:
            found = next((int(value) for (value,) in self._database.rows(_GET, (key, date))), 0)
            self._seen[key, date] = found
        return found

    def add(self, key: str, date: str, n: int = 1) -> int:
        """Add ``n``, durably, and return the new count. Raises ``JournalError``; the count is then unchanged."""
        after = self.get(key, date) + n
        with self._database.transaction() as cursor:
            cursor.execute(_ADD.sql, (key, date, n))
        self._seen[key, date] = after
        return after
