"""Version 1: the first released schemas of both databases, built from the tables as they are."""

from sqlalchemy import MetaData
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from engine.memory.migrations.runner import Migration
from engine.memory.tables import APPEND_ONLY, JOURNAL, MARKET


def _create(metadata: MetaData) -> list[str]:
    dialect = sqlite.dialect()
    statements: list[str] = []
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in sorted(table.indexes, key=str)]
    return statements


def _append_only(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


JOURNAL_MIGRATIONS = (
    Migration(
        version=1,
        title="orders, order log, fills, counters, small values, suggestions, audit chain",
        statements=(*_create(JOURNAL), *(line for table in APPEND_ONLY for line in _append_only(table.name))),
    ),
)

MARKET_MIGRATIONS = (Migration(version=1, title="decisions, forecasts, news", statements=tuple(_create(MARKET))),)
