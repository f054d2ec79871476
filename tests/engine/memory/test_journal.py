"""The journal: all or nothing, in order, append-only, strict."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.clock import MILLISECOND, StepClock
from engine.bus.errors import JournalError
from engine.memory.ballast import Ballast
from engine.memory.journal import Journal
from engine.memory.settings import Durability
from engine.model.fill import Fill
from engine.model.ids import AccountId, ExecId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.suggestion import Suggestion, SuggestionState
from tests.engine.memory.rig import NOW, open_journal, open_journal_database


def entry(n: int, kind: str = "INTENT") -> tuple[OrderRef, str, int, bytes]:
    return OrderRef(f"r{n}"), kind, NOW + n, b"x"


def fill(n: int) -> Fill:
    return Fill(
        exec_id=ExecId(f"e{n}"),
        ref=OrderRef("r"),
        account=AccountId("a"),
        symbol=Symbol("AAPL"),
        side=Side.BUY,
        quantity=Decimal("1.5"),
        price=Decimal("190.123456"),
        commission=Decimal("0.35"),
        ts_event=NOW + n,
        ts_seen=NOW,
    )


def test_a_commit_is_visible_to_a_second_connection_and_survives_reopening(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.commit([entry(1)], fills=[fill(1)])
    other = sqlite3.connect(tmp_path / "journal.db")
    assert other.execute("SELECT count(*) FROM order_log").fetchone() == (1,)
    other.close()
    journal.database.close()
    again = open_journal(tmp_path)
    assert list(again.fills()) == [fill(1)]
    again.close()


def test_only_what_may_be_a_little_old_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, durability=Durability.FULL)
    database, full = journal.database, 2

    def waits() -> int:
        return int(database.connection.execute("PRAGMA synchronous").fetchone()[0])

    with database.unhurried():
        assert waits() < full
    assert waits() == full
    with pytest.raises(JournalError), database.unhurried() as cursor:
        cursor.execute("INSERT INTO kv VALUES ('a', 'b', NULL)")
    assert (waits(), journal.kv.get("a")) == (full, None)
    journal.kv.note("clock", "7")
    with database.transaction():
        assert waits() == full
    journal.close()
    again = open_journal(tmp_path, durability=Durability.FULL)
    assert again.kv.get("clock") == "7"
    again.close()


def test_notes_ride_with_the_next_commit_in_order(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.note([entry(1)])
    journal.note([entry(2)])
    journal.commit([entry(3)])
    assert [row[1] for row in journal.order_log()] == ["r1", "r2", "r3"]
    journal.close()


def test_notes_are_flushed_by_the_clock(tmp_path: Path) -> None:
    clock = StepClock(NOW)
    journal = Journal(open_journal_database(tmp_path / "journal.db"), clock)
    journal.note([entry(1)])
    clock.advance(1)
    other = sqlite3.connect(tmp_path / "journal.db")
    assert other.execute("SELECT count(*) FROM order_log").fetchone() == (1,)
    other.close()
    journal.close()


def test_a_failed_commit_keeps_nothing_of_itself_and_all_notes(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.note([entry(1)])
    connection = journal.database.connection
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(JournalError, match="full"):
        journal.commit([(OrderRef("big"), "INTENT", NOW, b"x" * 100_000)])
    assert not connection.in_transaction
    connection.execute("PRAGMA max_page_count = 1000000")
    journal.commit([entry(2)])
    assert [row[1] for row in journal.order_log()] == ["r1", "r2"]
    journal.close()


def test_a_full_disk_frees_the_ballast(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 1)
    assert ballast.take()
    assert ballast.held
    journal = Journal(open_journal_database(tmp_path / "journal.db"), StepClock(NOW), ballast=ballast)
    connection = journal.database.connection
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(JournalError):
        journal.commit([(OrderRef("big"), "INTENT", NOW, b"x" * 100_000)])
    assert not ballast.held
    connection.execute("PRAGMA max_page_count = 1000000")
    journal.close()


@pytest.mark.parametrize("table", ["order_log", "audit"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET kind = 'x'"])
def test_the_logs_can_only_be_appended_to(tmp_path: Path, table: str, verb: str) -> None:
    journal = open_journal(tmp_path)
    journal.append_audit(1, NOW, "k", "p", "0", "h")
    journal.commit([entry(1)])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal.database.connection.execute(verb.format(table))
    journal.close()


def test_tables_are_strict_and_the_file_is_private(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    with pytest.raises(sqlite3.IntegrityError):
        journal.database.connection.execute("INSERT INTO counters VALUES ('a', 'b', 'not a number')")
    assert (tmp_path / "journal.db").stat().st_mode & 0o777 == 0o600
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    pragma = journal.database.connection.execute
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA foreign_keys").fetchone() == (1,)
    assert pragma("PRAGMA application_id").fetchone()[0] != 0
    journal.close()


def test_counters_and_values_survive_and_counters_reset_by_date_alone(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    assert journal.counters.add("orders", "2026-01-02", 3) == 3
    assert journal.counters.add("orders", "2026-01-02") == 4
    journal.kv.set("mode", "AUTO")
    journal.database.close()
    again = open_journal(tmp_path)
    assert again.counters.get("orders", "2026-01-02") == 4
    assert again.counters.get("orders", "2026-01-05") == 0
    assert again.kv.get("mode") == "AUTO"
    again.kv.delete("mode")
    assert again.kv.get("mode") is None
    assert again.kv.names() == ()
    again.close()


def test_a_counter_that_cannot_be_stored_is_not_counted(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.counters.add("orders", "d")
    journal.database.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalError):
        journal.counters.add("orders", "d")
    assert journal.counters.get("orders", "d") == 1
    journal.database.connection.execute("PRAGMA query_only = OFF")
    journal.close()


def test_open_suggestions_come_back_with_their_state(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    base = {"decision_id": "d", "symbol": "AAPL", "side": Side.BUY, "quantity": Decimal(1), "horizon": "day"}
    prices = {"entry": Decimal(10), "stop": Decimal(9), "target": Decimal(12), "strategy": "s"}
    for name, state in (
        ("a", SuggestionState.PENDING),
        ("b", SuggestionState.REJECTED),
        ("c", SuggestionState.SNOOZED),
    ):
        journal.save_suggestion(Suggestion(id=name, **base, **prices), state, NOW)
    assert [(s.value, x.id) for s, x in journal.open_suggestions()] == [("PENDING", "a"), ("SNOOZED", "c")]
    journal.save_suggestion(Suggestion(id="a", **base, **prices), SuggestionState.EXPIRED, NOW)
    assert [x.id for _, x in journal.open_suggestions()] == ["c"]
    journal.close()


class SlowClock(StepClock):
    """Each look at it is a tenth of a second later: so long a commit takes."""

    looks = 0

    def monotonic(self) -> int:
        self.looks += 1
        return self.looks * 100 * MILLISECOND


def test_commits_that_take_longer_than_the_limit_of_now_are_counted_until_one_does_not(tmp_path: Path) -> None:
    journal = Journal(open_journal_database(tmp_path / "journal.db"), SlowClock(NOW))
    journal.slow_ms = lambda: 99.0
    for number in (1, 2):
        journal.commit([entry(number)])
        assert journal.times.slow_in_a_row == number
    journal.slow_ms = lambda: 100.0
    journal.commit([entry(3)])
    assert journal.times.slow_in_a_row == 0
