"""One SQLite file under our rules: one connection that writes and checkpoints, WAL, strict tables, checked at start.

Statements are written in SQLAlchemy Core and compiled once; execution goes straight to the driver, because an order
waits for it.
"""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from engine.bus.errors import IntegrityError, JournalError
from engine.memory.files import make_private, set_aside
from engine.memory.migrations.runner import Migration, Step, migrate, refuse_newer, schema_version
from engine.memory.settings import Durability

JOURNAL_APPLICATION_ID = 0x4D414A31
MARKET_APPLICATION_ID = 0x4D414D31
_NORMAL = 1
"""SQLite's `synchronous` that waits for the disk at checkpoints only."""
_DIALECT = sqlite.dialect(paramstyle="qmark")


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a damaged file. The engine then starts in OBSERVE until a person has looked."""

    reason: str
    set_aside: Path
    restored_from: Path | None


class Statement:
    """A Core statement, compiled once. Constants in it are kept; the other values are bound by position."""

    __slots__ = ("_constants", "sql")

    def __init__(self, clause: ClauseElement) -> None:
        compiled = clause.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        positions: tuple[str, ...] = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
        self._constants = tuple(compiled.params[name] for name in positions)

    def bind(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Values for the driver: the constants, and ``values`` for the rest in order."""
        given = iter(values)
        return tuple(next(given) if constant is None else constant for constant in self._constants)


class Database:
    """An open file. Not shared between threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection, recovery: Recovery | None = None) -> None:
        self.path = path
        self.connection = connection
        self.recovery = recovery
        self._begin = connection.cursor()
        self._synchronous = int(connection.execute("PRAGMA synchronous").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """All or nothing, durable when the block ends. Raises ``JournalError``; nothing is kept then."""
        connection, cursor = self.connection, self._begin
        try:
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            cursor.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._roll_back()
            raise JournalError(f"{self.path.name}: {error}") from error
        except BaseException:
            if connection.in_transaction:
                self._roll_back()
            raise

    @contextmanager
    def unhurried(self) -> Iterator[sqlite3.Cursor]:
        """As :meth:`transaction`, without waiting for the disk: the program may die, but with the power it may be lost.

        For what is written often and may be a little old: a disk that is busy holds up nobody else then. The next
        durable commit makes it durable too.
        """
        self._wait_for_disk(_NORMAL)
        try:
            with self.transaction() as cursor:
                yield cursor
        finally:
            self._wait_for_disk(self._synchronous)

    def _wait_for_disk(self, level: int) -> None:
        try:
            self.connection.execute(f"PRAGMA synchronous = {level}")
        except sqlite3.Error as error:
            raise JournalError(f"{self.path.name}: {error}") from error

    def _roll_back(self) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise JournalError(f"{self.path.name}: cannot roll back: {error}") from error

    def rows(self, statement: Statement, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Read. Raises ``JournalError``."""
        try:
            yield from self.connection.execute(statement.sql, statement.bind(values))
        except sqlite3.Error as error:
            raise JournalError(f"{self.path.name}: {error}") from error

    def close(self) -> None:
        """Checkpoint and close; safe to call twice."""
        self.connection.close()


def _connect(path: Path, durability: Durability) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=2.0, cached_statements=256)
    for pragma in (
        "journal_mode = WAL",
        f"synchronous = {durability.value.upper()}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "wal_autocheckpoint = 1000",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if sys.platform == "darwin":
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
    return connection


def _identity(path: Path) -> tuple[int, int]:
    """Read application id and schema version without writing a byte to the file."""
    connection = sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True, isolation_level=None)
    try:
        return int(connection.execute("PRAGMA application_id").fetchone()[0]), schema_version(connection)
    finally:
        connection.close()


def _damage(path: Path, check: str = "quick_check") -> str:
    """Say what is wrong with the file, or nothing."""
    if path.stat().st_size == 0:
        return "the file is empty"
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            answers = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(5)")]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if answers == ["ok"] else damage_text(answers)


def damage_text(answers: Sequence[str]) -> str:
    """What SQLite's own check says, without its headings."""
    lines = [line.strip() for answer in answers for line in answer.splitlines() if line.strip()]
    return "; ".join(line for line in lines if not line.startswith("***")) or "it is not whole"


def verify(path: Path, application_id: int) -> str:
    """Check a closed database file whole; return what is wrong, or an empty string."""
    if problem := _damage(path, "integrity_check"):
        return problem
    found, _ = _identity(path)
    return "" if found == application_id else f"application id {found:#x} is not ours"


def _restore(path: Path, reason: str, stamp_ns: int, backups: Sequence[Path], application_id: int) -> Recovery:
    aside = set_aside(path, stamp_ns)
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            set_aside(companion, stamp_ns)
    for backup in backups:
        if verify(backup, application_id):
            continue
        temporary = path.with_name(path.name + ".restore")
        temporary.write_bytes(backup.read_bytes())
        os.chmod(temporary, 0o600)
        os.replace(temporary, path)
        return Recovery(reason=reason, set_aside=aside, restored_from=backup)
    return Recovery(reason=reason, set_aside=aside, restored_from=None)


def open_database(
    path: Path,
    *,
    application_id: int,
    migrations: Sequence[Migration],
    now_ns: int,
    durability: Durability = Durability.FULL,
    backups: Sequence[Path] = (),
    before_upgrade: Callable[[sqlite3.Connection], None] | None = None,
    step: Step | None = None,
) -> Database:
    """Open, check, and if need be create, upgrade or restore a database.

    A damaged file is renamed, never deleted, and the newest verified backup takes its place (``Database.recovery``
    tells). A file with a newer schema, or of another program, raises and stays as it is.
    """
    make_private(path.parent)
    recovery: Recovery | None = None
    if path.exists():
        problem = _damage(path)
        if problem:
            recovery = _restore(path, problem, now_ns, backups, application_id)
    if path.exists():
        found, version = _identity(path)
        if found not in (0, application_id) or (found == 0 and version != 0):
            raise IntegrityError(f"{path.name} belongs to another program (application id {found:#x})")
        refuse_newer(version, migrations, path.name)
    else:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    os.chmod(path, 0o600)
    connection = _connect(path, durability)
    try:
        migrate(
            connection,
            migrations,
            name=path.name,
            application_id=application_id,
            backup=lambda: before_upgrade(connection) if before_upgrade is not None else None,
            step=step,
        )
    except BaseException:
        connection.close()
        raise
    return Database(path, connection, recovery)
