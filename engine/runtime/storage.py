"""Opening what the engine remembers: the journal and its reserve on disk."""

from dataclasses import dataclass
from pathlib import Path

from engine.bus.clock import Clock
from engine.memory.ballast import Ballast
from engine.memory.database import JOURNAL_APPLICATION_ID, Database, open_database
from engine.memory.journal import Journal
from engine.memory.migrations.runner import Migration
from engine.memory.settings import Durability
from engine.runtime.spec import EngineSpec

JOURNAL_FILE = "journal.db"
PAPER_FILE = "paper.db"
BARS_FOLDER = "bars"


@dataclass(frozen=True)
class Storage:
    """The open journal."""

    database: Database
    journal: Journal
    ballast: Ballast

    def close(self) -> None:
        """Write what was noted and close."""
        self.journal.flush()
        self.database.connection.close()


def open_storage(spec: EngineSpec, clock: Clock, wall_ns: int, migrations: tuple[Migration, ...]) -> Storage:
    """Open the journal of a profile. Accelerated paper time need not outlive a power cut, only a killed process."""
    durability = spec.memory.durability
    if spec.simulated_time and spec.speed != 1.0:
        durability = Durability.NORMAL
    backups = sorted((spec.profile / "backups").glob(f"{Path(JOURNAL_FILE).stem}*.db"), reverse=True)
    database = open_database(
        spec.profile / JOURNAL_FILE,
        application_id=JOURNAL_APPLICATION_ID,
        migrations=migrations,
        now_ns=wall_ns,
        durability=durability,
        backups=backups,
    )
    ballast = Ballast(spec.profile / "ballast", spec.memory.ballast_mb)
    ballast.take()
    journal = Journal(database, clock, ballast=ballast, flush_ms=spec.memory.flush_ms)
    return Storage(database=database, journal=journal, ballast=ballast)
