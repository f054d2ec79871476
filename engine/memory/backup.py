"""Backups of the journal: verified before they count, kept by day and by week, newest first when one is needed."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from engine.bus.clock import Clock
from engine.bus.errors import IntegrityError
from engine.memory.database import verify
from engine.memory.files import make_private, sync_folder

_FORM = "%Y%m%dT%H%M%S%f"


class Backups:
    """Copies of one database in a folder of their own."""

    def __init__(
        self, folder: Path, clock: Clock, *, application_id: int, keep_daily: int = 7, keep_weekly: int = 4
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._application_id = application_id
        self._keep_daily = keep_daily
        self._keep_weekly = keep_weekly

    def make(self, connection: sqlite3.Connection, name: str = "journal") -> Path:
        """Copy, check the copy, and only then give it its name. Raises ``IntegrityError`` or ``OSError``."""
        make_private(self._folder)
        moment = datetime.fromtimestamp(self._clock.now() / 1e9, UTC)
        target = self._folder / f"{name}-{moment.strftime(_FORM)}.db"
        temporary = target.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        copy = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute(f"PRAGMA application_id = {self._application_id:d}")
        finally:
            copy.close()
        problem = verify(temporary, self._application_id)
        if problem:
            temporary.unlink()
            raise IntegrityError(f"the backup could not be verified: {problem}")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(self._folder)
        self._prune(name)
        return target

    def newest_first(self, name: str = "journal") -> tuple[Path, ...]:
        """All backups, newest first. They were verified when made; whoever restores one verifies it again."""
        if not self._folder.is_dir():
            return ()
        return tuple(sorted(self._folder.glob(f"{name}-*.db"), reverse=True))

    def due(self, name: str = "journal") -> bool:
        """Whether today (UTC) has no backup yet."""
        today = datetime.fromtimestamp(self._clock.now() / 1e9, UTC).strftime("%Y%m%d")
        return not any(self._moment(path).strftime("%Y%m%d") == today for path in self.newest_first(name))

    def _moment(self, path: Path) -> datetime:
        return datetime.strptime(path.stem.rpartition("-")[2], _FORM).replace(tzinfo=UTC)

    def _prune(self, name: str) -> None:
        keep: set[Path] = set()
        days: set[str] = set()
        weeks: set[tuple[int, int]] = set()
        for path in self.newest_first(name):
            moment = self._moment(path)
            day = moment.strftime("%Y%m%d")
            week = moment.isocalendar()[:2]
            if day not in days and len(days) < self._keep_daily:
                days.add(day)
                keep.add(path)
            if week not in weeks and len(weeks) < self._keep_weekly:
                weeks.add(week)
                keep.add(path)
        for path in self.newest_first(name):
            if path not in keep:
                path.unlink()
