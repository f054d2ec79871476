"""Runs schema changes: forward only, all of them in one explicit transaction, after a backup.

Python 3.11's default transaction mode commits DDL at once; the connection must be in autocommit mode
(``isolation_level=None``) so that the transaction here is the only one.
"""

import sqlite3
from collections.abc import Callable, Sequence

import msgspec

from engine.bus.errors import IntegrityError, SettingsError


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One step from ``version - 1`` to ``version``."""

    version: int
    title: str
    statements: tuple[str, ...]


Step = Callable[[int, str], None]


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the file's ``user_version``."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(version: int, migrations: Sequence[Migration], name: str) -> None:
    """Raise ``SettingsError`` when the file was written by a later program."""
    newest = migrations[-1].version
    if version > newest:
        raise SettingsError(
            f"{name} has schema version {version}; this program knows up to {newest}. "
            f"Use the version of the program that wrote it (schema {version} or later), or restore a backup from "
            "before the upgrade. The file was not changed."
        )


def migrate(
    connection: sqlite3.Connection,
    migrations: Sequence[Migration],
    *,
    name: str,
    application_id: int,
    backup: Callable[[], None],
    step: Step | None = None,
) -> int:
    """Bring the schema up to date; return how many migrations ran.

    ``backup`` runs first when there is anything to lose. ``step(version, statement)`` is called before each
    statement; the crash tests stop the process there. Raises ``IntegrityError`` when a statement fails; the old
    schema is then complete.
    """
    if connection.isolation_level is not None:
        raise IntegrityError("migrations need a connection in autocommit mode")
    current = schema_version(connection)
    refuse_newer(current, migrations, name)
    pending = [migration for migration in migrations if migration.version > current]
    if not pending:
        return 0
    if current > 0:
        backup()
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in pending:
            for statement in migration.statements:
                if step is not None:
                    step(migration.version, statement)
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {migration.version:d}")
        connection.execute(f"PRAGMA application_id = {application_id:d}")
        if step is not None:
            step(pending[-1].version, "COMMIT")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise IntegrityError(f"{name}: the upgrade to schema {pending[-1].version} failed: {error}") from error
    return len(pending)
