"""What the paper exchange remembers: its orders, executions and books in one SQLite file of its own.

The exchange plays the part of a broker, so its memory is apart from the journal: after a crash the two are compared
exactly as with a real broker.
"""

import sqlite3
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.model.report import ExecutionReport
from engine.simulation.paper.account import PaperAccount
from engine.simulation.paper.orders import PaperOrder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  broker_id TEXT PRIMARY KEY, open INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS executions (
  exec_id TEXT PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL, commission TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
"""


class PaperStore:
    """Durable against a killed process; ``path=None`` keeps everything in memory (back tests)."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        if path is not None:
            path.chmod(0o600)

    def begin(self) -> None:
        """Open one atomic change; nested calls are the caller's error."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def save_order(self, order: PaperOrder) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?)",
            (order.broker_id, int(order.open), msgspec.json.encode(order)),
        )

    def save_execution(self, report: ExecutionReport, commission: Decimal) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?)",
            (report.exec_id, report.ts_event, msgspec.json.encode(report), str(commission)),
        )

    def save_account(self, account: PaperAccount, counter: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO state VALUES ('account', ?)", (msgspec.json.encode(account),))
        self._db.execute("INSERT OR REPLACE INTO state VALUES ('counter', ?)", (str(counter).encode(),))

    def load_orders(self) -> list[PaperOrder]:
        rows = self._db.execute("SELECT body FROM orders ORDER BY rowid")
        return [msgspec.json.decode(body, type=PaperOrder) for (body,) in rows]

    def load_executions(self, since: int = 0) -> list[tuple[ExecutionReport, Decimal]]:
        rows = self._db.execute("SELECT body, commission FROM executions WHERE at >= ? ORDER BY at, exec_id", (since,))
        return [(msgspec.json.decode(body, type=ExecutionReport), Decimal(fee)) for body, fee in rows]

    def load_account(self) -> tuple[PaperAccount, int] | None:
        rows = dict(self._db.execute("SELECT name, body FROM state").fetchall())
        if "account" not in rows:
            return None
        return msgspec.json.decode(rows["account"], type=PaperAccount), int(rows["counter"])

    def marked(self, name: str) -> bool:
        """Whether something that happens once has happened."""
        return self._db.execute("SELECT 1 FROM state WHERE name = ?", (name,)).fetchone() is not None

    def mark(self, name: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, b"1"))

    def close(self) -> None:
        self._db.close()
