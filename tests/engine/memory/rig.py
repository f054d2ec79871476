"""Databases for the tests of the memory."""

from pathlib import Path

from engine.bus.clock import StepClock
from engine.memory.database import JOURNAL_APPLICATION_ID, Database, open_database
from engine.memory.journal import Journal
from engine.memory.migrations.first import JOURNAL_MIGRATIONS
from engine.memory.settings import Durability

NOW = 1_767_366_000_000_000_000


def open_journal_database(path: Path, **options: object) -> Database:
    return open_database(
        path,
        **{
            "application_id": JOURNAL_APPLICATION_ID,
            "migrations": JOURNAL_MIGRATIONS,
            "now_ns": NOW,
            "durability": Durability.NORMAL,
            **options,
        },
    )


def open_journal(folder: Path, **options: object) -> Journal:
    return Journal(open_journal_database(folder / "journal.db", **options), StepClock(NOW))
