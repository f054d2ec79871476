"""T-D3: an upgrade happens whole or not at all; a newer file is refused untouched."""

import hashlib
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from engine.bus.errors import IntegrityError, SettingsError
from engine.memory.migrations.first import JOURNAL_MIGRATIONS
from engine.memory.migrations.runner import Migration, schema_version
from engine.model.ids import OrderRef
from tests.engine.memory.rig import NOW, open_journal, open_journal_database
from tests.support.failpoints import FINISHED, KILLED, run_child

LATER = (
    Migration(
        version=2,
        title="a test column and a table",
        statements=(
            "ALTER TABLE orders ADD COLUMN note TEXT NOT NULL DEFAULT ''",
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
            "INSERT INTO notes (text) SELECT ref FROM order_log",
        ),
    ),
    Migration(version=3, title="an index", statements=("CREATE INDEX notes_text ON notes (text)",)),
)


def migrations_to(version: int) -> tuple[Migration, ...]:
    return tuple(m for m in (*JOURNAL_MIGRATIONS, *LATER) if m.version <= version)


def _with_one_row(folder: Path) -> Path:
    journal = open_journal(folder)
    journal.commit([(OrderRef("r"), "INTENT", NOW, b"")])
    journal.close()
    return folder / "journal.db"


def _upgrade(path: Path, kill_at: int) -> str:
    """Upgrade in a child process that is killed before statement ``kill_at``."""
    count = 0

    def step(version: int, statement: str) -> None:
        nonlocal count
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def work() -> None:
        open_journal_database(path, migrations=migrations_to(3), step=step).close()

    return run_child(work, path.with_suffix(".log"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs child processes by fork")
@pytest.mark.parametrize("start", [0, 1])
def test_t_d3_sigkill_at_each_statement_leaves_the_old_or_the_new_schema_whole(tmp_path: Path, start: int) -> None:
    fixture = tmp_path / "fixture"
    fixture.mkdir()
    if start:
        _with_one_row(fixture)
    steps = sum(len(m.statements) for m in migrations_to(3) if m.version > start) + 1
    for kill_at in range(steps):
        folder = tmp_path / f"kill{kill_at}"
        shutil.copytree(fixture, folder)
        path = folder / "journal.db"
        assert _upgrade(path, kill_at) == KILLED
        connection = sqlite3.connect(path)
        version = schema_version(connection)
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        connection.close()
        assert version == start, "nothing of the upgrade is there"
        assert "notes" not in tables
        database = open_journal_database(path, migrations=migrations_to(3))
        assert schema_version(database.connection) == 3, "the second start succeeds"
        expected = [("r",)] if start else []
        assert database.connection.execute("SELECT text FROM notes").fetchall() == expected
        database.close()
    assert _upgrade(folder / "new.db", 10_000) == FINISHED


def test_t_d3_a_newer_schema_is_refused_by_name_and_the_file_is_unchanged(tmp_path: Path) -> None:
    path = _with_one_row(tmp_path)
    open_journal_database(path, migrations=migrations_to(3)).close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(SettingsError, match=r"journal\.db has schema version 3; this program knows up to 1"):
        open_journal_database(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_backup_is_made_before_an_upgrade_and_not_before_a_creation(tmp_path: Path) -> None:
    calls: list[int] = []
    options = {"before_upgrade": lambda connection: calls.append(schema_version(connection))}
    path = tmp_path / "journal.db"
    open_journal_database(path, **options).close()
    assert calls == []
    open_journal_database(path, migrations=migrations_to(3), **options).close()
    assert calls == [1]


def test_a_failing_statement_leaves_the_old_schema(tmp_path: Path) -> None:
    path = _with_one_row(tmp_path)
    broken = (*JOURNAL_MIGRATIONS, Migration(version=2, title="bad", statements=(*LATER[0].statements, "NONSENSE")))
    with pytest.raises(IntegrityError, match="upgrade to schema 2 failed"):
        open_journal_database(path, migrations=broken)
    database = open_journal_database(path)
    assert schema_version(database.connection) == 1
    database.close()
