"""T-D1: a damaged database is set aside, never deleted; the newest verified backup or nothing takes its place."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from engine.bus.clock import StepClock
from engine.bus.errors import IntegrityError, SettingsError
from engine.memory.backup import Backups
from engine.memory.database import JOURNAL_APPLICATION_ID
from engine.model.ids import OrderRef
from tests.engine.memory.rig import NOW, open_journal, open_journal_database

ROWS = 40


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A closed journal with known rows."""
    folder = tmp_path / "good"
    journal = open_journal(folder)
    for n in range(ROWS):
        journal.commit([(OrderRef(f"r{n}"), "INTENT", NOW + n, b"payload %d" % n * 20)])
    journal.close()
    return folder / "journal.db"


def _open_again(path: Path) -> tuple[int, bool]:
    """Open whatever is there; say how many rows are left and whether it was restored."""
    database = open_journal_database(path)
    try:
        rows = [row[0] for row in database.connection.execute("SELECT ref FROM order_log ORDER BY seq")]
        assert rows == [f"r{n}" for n in range(len(rows))], "the rows are a prefix of what was written"
        return len(rows), database.recovery is not None
    finally:
        database.close()


@pytest.mark.parametrize("step", [512 * 5, pytest.param(512, marks=pytest.mark.long)])
def test_t_d1_journal_truncated_at_every_512_bytes_is_prior_state_or_quarantined(
    written: Path, tmp_path: Path, step: int
) -> None:
    whole = written.read_bytes()
    quarantined = 0
    for cut in range(0, len(whole), step):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        path = folder / "journal.db"
        path.write_bytes(whole[:cut])
        rows, recovered = _open_again(path)
        quarantined += recovered
        assert recovered or rows == ROWS
        if recovered:
            kept = list(folder.glob("journal.db.corrupt-*"))
            assert [k.read_bytes() for k in kept] == [whole[:cut]], "the damaged file is kept as it was"
        assert _open_again(path)[1] is False, "the second start is quiet: no crash loop"
        shutil.rmtree(folder)
    assert quarantined > 10


@pytest.mark.parametrize("step", [512 * 11, pytest.param(512, marks=pytest.mark.long)])
def test_t_d1_journal_log_truncated_at_every_512_bytes_is_a_valid_prior_state(tmp_path: Path, step: int) -> None:
    folder = tmp_path / "live"
    journal = open_journal(folder)
    for n in range(ROWS):
        journal.commit([(OrderRef(f"r{n}"), "INTENT", NOW + n, b"payload")])
    for name in ("journal.db", "journal.db-wal"):
        shutil.copy(folder / name, tmp_path / name)
    journal.close()
    log = (tmp_path / "journal.db-wal").read_bytes()
    seen = set()
    for cut in range(0, len(log), step):
        case = tmp_path / f"wal{cut}"
        case.mkdir()
        shutil.copy(tmp_path / "journal.db", case / "journal.db")
        (case / "journal.db-wal").write_bytes(log[:cut])
        rows, _ = _open_again(case / "journal.db")
        seen.add(rows)
        shutil.rmtree(case)
    assert len(seen) > 10


def test_t_d1_a_flipped_bit_in_a_page_is_noticed_or_harmless(written: Path, tmp_path: Path) -> None:
    whole = written.read_bytes()
    for at in range(0, len(whole), 997):
        path = tmp_path / f"flip{at}" / "journal.db"
        path.parent.mkdir()
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            database = open_journal_database(path)
        except (IntegrityError, SettingsError):
            assert path.read_bytes()[at] == whole[at] ^ 0x10, "a refused file is left as it is"
            continue
        database.close()
        shutil.rmtree(path.parent)


def test_t_d1_the_newest_backup_that_verifies_is_restored(written: Path, tmp_path: Path) -> None:
    clock = StepClock(NOW)
    backups = Backups(tmp_path / "backups", clock, application_id=JOURNAL_APPLICATION_ID)
    journal = open_journal(written.parent)
    good = backups.make(journal.database.connection)
    clock.advance(86_400)
    newest = backups.make(journal.database.connection)
    journal.close()
    newest.write_bytes(newest.read_bytes()[:4096])
    written.write_bytes(b"rubbish" * 100)
    database = open_journal_database(written, backups=backups.newest_first())
    assert database.recovery is not None
    assert database.recovery.restored_from == good
    assert database.connection.execute("SELECT count(*) FROM order_log").fetchone() == (ROWS,)
    database.close()


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA application_id = 42")
    other.execute("CREATE TABLE t (a)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(IntegrityError, match="another program"):
        open_journal_database(path)
    assert path.read_bytes() == before


def test_backups_are_kept_by_day_and_by_week(tmp_path: Path) -> None:
    clock = StepClock(NOW)
    backups = Backups(tmp_path / "b", clock, application_id=JOURNAL_APPLICATION_ID, keep_daily=7, keep_weekly=4)
    journal = open_journal(tmp_path / "j")
    for _ in range(40):
        assert backups.due()
        backups.make(journal.database.connection)
        assert not backups.due()
        clock.advance(86_400)
    journal.close()
    kept = backups.newest_first()
    assert 7 <= len(kept) <= 11
    weeks = {backups._moment(path).isocalendar()[:2] for path in kept}
    assert len(weeks) == 4
