"""Opening what the engine remembers: the journal and its reserve on disk."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from engine.bus.clock import Clock, LiveClock
from engine.memory.backup import Backups
from engine.memory.ballast import Ballast
from engine.memory.database import JOURNAL_APPLICATION_ID, MARKET_APPLICATION_ID, Database, open_database
from engine.memory.files import make_private
from engine.memory.journal import Journal
from engine.memory.migrations.first import JOURNAL_MIGRATIONS, MARKET_MIGRATIONS
from engine.memory.settings import Durability
from engine.runtime.spec import EngineSpec

JOURNAL_FILE = "journal.db"
MARKET_FILE = "market.db"
PAPER_FILE = "paper.db"
BARS_FOLDER = "bars"
AUDIT_ANCHOR = "audit.anchor"


@dataclass(frozen=True)
class Storage:
    """The open databases: the journal of orders, and what was seen and thought."""

    database: Database
    seen: Database
    journal: Journal
    ballast: Ballast
    backups: Backups

    def close(self) -> None:
        """Write what was noted, keep a copy of the day, close."""
        self.journal.flush()
        if self.backups.due():
            self.backups.make(self.database.connection)
        self.database.connection.close()
        self.seen.connection.close()


def open_storage(spec: EngineSpec, clock: Clock, wall_ns: int) -> Storage:
    """Open the databases of a profile. Accelerated paper time survives a killed process, not a power cut."""
    durability = spec.memory.durability
    if spec.simulated_time and spec.speed != 1.0:
        durability = Durability.NORMAL
    if spec.replay is not None:
        forget_replay(spec.home)
    backups = Backups(
        spec.home / "backups",
        LiveClock(),
        application_id=JOURNAL_APPLICATION_ID,
        keep_daily=spec.memory.keep_daily,
        keep_weekly=spec.memory.keep_weekly,
    )

    def keep_old(connection: sqlite3.Connection) -> None:
        backups.make(connection)

    database = open_database(
        spec.home / JOURNAL_FILE,
        application_id=JOURNAL_APPLICATION_ID,
        migrations=JOURNAL_MIGRATIONS,
        now_ns=wall_ns,
        durability=durability,
        backups=backups.newest_first(),
        before_upgrade=keep_old,
    )
    seen = open_database(
        spec.home / MARKET_FILE,
        application_id=MARKET_APPLICATION_ID,
        migrations=MARKET_MIGRATIONS,
        now_ns=wall_ns,
        durability=Durability.NORMAL,
    )
    ballast = Ballast(spec.home / "ballast", 0 if spec.replay is not None else spec.memory.ballast_mb)
    ballast.take()
    journal = Journal(database, clock, ballast=ballast, flush_ms=spec.memory.flush_ms)
    return Storage(database=database, seen=seen, journal=journal, ballast=ballast, backups=backups)


def forget_replay(home: Path) -> None:
    """Begin with empty books: the same files replayed give the same decisions, whatever was played before."""
    make_private(home)
    for name in (JOURNAL_FILE, MARKET_FILE, PAPER_FILE, AUDIT_ANCHOR):
        for path in home.glob(f"{name}*"):
            path.unlink()


def last_market_time(profile: Path, key: str) -> int:
    """The newest market time this profile has seen, UTC ns; 0 for a new profile. A run never goes back behind it."""
    path = profile / JOURNAL_FILE
    if not path.exists():
        return 0
    connection = sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True)
    try:
        saved = connection.execute("SELECT value FROM kv WHERE name = ?", (key,)).fetchone()
        logged = connection.execute("SELECT max(ts_ns) FROM order_log").fetchone()
    except sqlite3.DatabaseError:
        # Damaged or of another schema: opening it properly, a moment later, says what is wrong.
        return 0
    finally:
        connection.close()
    return max(int(saved[0]) if saved else 0, int(logged[0] or 0) if logged else 0)
