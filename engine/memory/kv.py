"""Small durable values by name: mode, autonomy, halt flag, locks, latches."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from engine.bus.clock import Clock
from engine.memory import tables as t
from engine.memory.database import Database, Statement

_insert = insert(t.kv).values(name=None, value=None, changed_ns=None)
_SET = Statement(
    _insert.on_conflict_do_update(
        index_elements=["name"], set_={"value": _insert.excluded.value, "changed_ns": _insert.excluded.changed_ns}
    )
)
_GET = Statement(select(t.kv.c.value).where(t.kv.c.name == bindparam("name")))
_DELETE = Statement(delete(t.kv).where(t.kv.c.name == bindparam("name")))
_NAMES = Statement(select(t.kv.c.name).order_by(t.kv.c.name))


class KeyValues:
    """Text by name. ``set`` is durable when it returns."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, name: str) -> str | None:
        """The value, None when there is none. Raises ``JournalError`` when it cannot be read."""
        return next((str(value) for (value,) in self._database.rows(_GET, (name,))), None)

    def set(self, name: str, value: str) -> None:
        """Keep a value. Raises ``JournalError``; the old value is then still there."""
        with self._database.transaction() as cursor:
            cursor.execute(_SET.sql, (name, value, self._clock.now()))

    def note(self, name: str, value: str) -> None:
        """Keep a value without waiting for the disk (:meth:`Database.unhurried`). Raises ``JournalError``."""
        with self._database.unhurried() as cursor:
            cursor.execute(_SET.sql, (name, value, self._clock.now()))

    def delete(self, name: str) -> None:
        """Forget a value; no error when there is none."""
        with self._database.transaction() as cursor:
            cursor.execute(_DELETE.sql, (name,))

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(str(name) for (name,) in self._database.rows(_NAMES))
