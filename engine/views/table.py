"""A table of rows that knows what changed since any client last looked."""

from collections import OrderedDict
from collections.abc import Iterator

from engine.api.rows import AnyRow


class Table:
    """Keyed rows with a change counter. Single writer (its view), many readers (clients), one thread."""

    def __init__(self, name: str, keep: int | None = None) -> None:
        """``keep`` bounds a growing table: the oldest rows leave it."""
        self.name = name
        self.version = 0
        self._keep = keep
        self._rows: dict[str, AnyRow] = {}
        self._changed: OrderedDict[str, int] = OrderedDict()

    def put(self, row: AnyRow) -> None:
        """Insert or replace a row; an equal row is no change."""
        if self._rows.get(row.key) == row:
            return
        self._rows[row.key] = row
        self._mark(row.key)
        if self._keep is not None and len(self._rows) > self._keep:
            self.remove(next(iter(self._rows)))

    def remove(self, key: str) -> None:
        if self._rows.pop(key, None) is not None:
            self._mark(key)

    def get(self, key: str) -> AnyRow | None:
        return self._rows.get(key)

    def rows(self) -> Iterator[AnyRow]:
        return iter(tuple(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def since(self, version: int) -> tuple[tuple[AnyRow, ...], tuple[str, ...]]:
        """Return rows changed and keys removed after ``version``, oldest change first."""
        rows: list[AnyRow] = []
        removed: list[str] = []
        for key, changed in reversed(self._changed.items()):
            if changed <= version:
                break
            row = self._rows.get(key)
            if row is None:
                removed.append(key)
            else:
                rows.append(row)
        return tuple(reversed(rows)), tuple(reversed(removed))

    def _mark(self, key: str) -> None:
        self.version += 1
        self._changed[key] = self.version
        self._changed.move_to_end(key)
        # Tombstones of rows long gone are dropped with the oldest changes: a client that far behind gets a snapshot.
        limit = max(4 * len(self._rows), 20_000)
        while len(self._changed) > limit:
            self._changed.popitem(last=False)
