"""T-X2 to T-X6: what cannot be recorded is not sent, what is not answered is not repeated."""

import ast
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from engine.execution.settings import ExecutionSettings
from engine.model.decision import Mode
from engine.model.events.order import OrderNeverSent, OrderPartlyFilled
from engine.model.events.system import Alarm
from engine.model.market import Side
from engine.model.order import OrderType, Origin, TimeInForce
from engine.model.report import LinkState
from tests.support.desk_rig import SECOND, Rig


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    built = await Rig(tmp_path).start()
    yield built
    await built.close()


def fill_disk(rig: Rig) -> None:
    connection = rig.journal.database.connection
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")


def free_disk(rig: Rig) -> None:
    rig.journal.database.connection.execute("PRAGMA max_page_count = 1000000")


@pytest.mark.parametrize("fault", ["query_only", "full", "locked"])
async def test_t_x2_a_journal_that_fails_lets_no_order_leave_and_frees_the_reservation(rig: Rig, fault: str) -> None:
    import sqlite3

    connection = rig.journal.database.connection
    other = sqlite3.connect(rig.folder / "journal.db", isolation_level=None)
    ref = rig.submit(rig.request("MSFT"), bracket=True)
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    stops = [t.ref for t in rig.broker.orders if t.open]
    if fault == "query_only":
        connection.execute("PRAGMA query_only = ON")
    elif fault == "locked":
        connection.execute("PRAGMA busy_timeout = 1")
        other.execute("BEGIN IMMEDIATE")
    else:
        fill_disk(rig)
        rig.journal.note([(ref, "padding", 0, b"x" * 200_000)])
    cleared = rig.cleared()
    rig.gate.reserved[cleared.ref] = Decimal(100)
    status = rig.desk.submit(cleared)
    assert status.state.value == "NEVER_SENT"
    assert status.reason.startswith("JOURNAL")
    assert rig.broker.wire[cleared.ref] == 0
    assert cleared.ref not in rig.gate.reserved
    assert any(isinstance(e, Alarm) and e.code == "JOURNAL" and e.severity == "red" for e in rig.events)
    assert any(isinstance(e, OrderNeverSent) and e.ref == cleared.ref for e in rig.events)
    assert [t.ref for t in rig.broker.orders if t.open] == stops, "existing stops are untouched"
    connection.execute("PRAGMA query_only = OFF")
    free_disk(rig)
    other.close()


async def test_t_x2_failing_between_the_marks_sends_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rig.journal.commit

    def commit(entries=(), orders=(), fills=()):  # type: ignore[no-untyped-def]
        if any(kind == "SENDING" for _, kind, _, _ in entries):
            from engine.bus.errors import JournalError

            raise JournalError("the disk is full")
        real(entries, orders, fills)

    monkeypatch.setattr(rig.journal, "commit", commit)
    ref = rig.submit(bracket=True)
    assert rig.broker.wire == {}
    assert {o.state.value for o in rig.desk.orders().values()} == {"NEVER_SENT"}
    assert "JOURNAL" in rig.desk.orders()[ref].reason


async def test_t_x2_fills_are_booked_from_memory_while_the_disk_is_full_and_recorded_later(rig: Rig) -> None:
    ref = rig.submit()
    rig.journal.database.connection.execute("PRAGMA query_only = ON")
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    assert rig.ledger.positions()["AAPL"].quantity == 100
    rig.journal.database.connection.execute("PRAGMA query_only = OFF")
    rig.clock.advance(5)
    await rig.restart(crash=True)
    assert rig.ledger.positions()["AAPL"].quantity == 100


async def test_t_x3_the_mark_is_seen_by_another_connection_before_the_wire(rig: Rig) -> None:
    """The rig's broker looks into the journal file itself before it takes an order; see ``Rig._check_marks``."""
    rig.submit(bracket=True)
    assert not rig.failures
    rig.desk._mark = lambda records, kind: None  # type: ignore[method-assign]
    status = rig.desk.submit(rig.cleared())
    assert rig.broker.wire[status.ref] == 0, "without a committed row the guard itself must object"


def test_t_x3_only_the_desk_places_orders(repo_dir: Path) -> None:
    callers = set()
    for path in (repo_dir / "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "place":
                owner = node.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if "broker" in name:
                    callers.add(path.relative_to(repo_dir).as_posix())
    assert callers == {"engine/execution/desk.py"}


async def test_t_x4_no_answer_but_the_broker_has_it(rig: Rig) -> None:
    rig.broker.faults.lose = {"EchoReport", "StatusReport"}
    rig.broker.faults.missing = {"open_orders"}
    ref = rig.submit()
    rig.gate.reserved[ref] = Decimal(100)
    rig.clock.advance(10)
    assert rig.state(ref) == "UNKNOWN"
    assert rig.modes.locked("AAPL")
    assert ref in rig.gate.reserved, "exposure stays"
    rig.clock.advance(51)
    assert rig.broker.wire[ref] == 1
    assert rig.state(ref) == "UNKNOWN"
    rig.broker.faults.lose = set()
    rig.broker.acknowledge(rig.broker.truth(ref))
    assert rig.state(ref) == "WORKING"
    assert not rig.modes.locked("AAPL")


async def test_t_x4_no_answer_and_the_broker_never_had_it(rig: Rig) -> None:
    rig.broker.faults.swallow = True
    ref = rig.submit()
    rig.gate.reserved[ref] = Decimal(100)
    rig.clock.advance(10)
    assert rig.state(ref) == "UNKNOWN"
    rig.clock.advance(8)
    assert rig.state(ref) == "UNKNOWN", "one look is no proof"
    assert ref in rig.gate.reserved
    rig.clock.advance(30)
    assert rig.state(ref) == "NOT_AT_BROKER"
    assert ref not in rig.gate.reserved
    assert rig.broker.wire[ref] == 1, "it is never sent again"
    assert not rig.modes.locked("AAPL")
    rig.broker.faults.swallow = False
    again = rig.submit()
    assert again != ref
    assert rig.state(again) == "WORKING"


async def test_t_x4_absence_proves_nothing_while_a_part_of_the_picture_is_missing(rig: Rig) -> None:
    rig.broker.faults.swallow = True
    ref = rig.submit()
    rig.broker.faults.missing = {"completed"}
    rig.clock.advance(120)
    assert rig.state(ref) == "UNKNOWN"


async def test_t_x4_absence_proves_nothing_on_another_day_until_the_time_in_force_is_over(rig: Rig) -> None:
    rig.broker.faults.swallow = True
    gtc = rig.submit(rig.request(tif=TimeInForce.GTC))
    day = rig.submit(rig.request("MSFT"))
    rig.broker.faults.missing = {"completed"}
    rig.clock.advance(86_400)
    rig.broker.faults.missing = set()
    rig.clock.advance(60)
    assert rig.state(gtc) == "UNKNOWN", "a person must look"
    assert rig.state(day) == "EXPIRED"
    assert not rig.desk.resolve(gtc, "NOT_AT_BROKER", "", "window").ok, "a note is needed"
    assert rig.desk.resolve(gtc, "NOT_AT_BROKER", "looked in the broker's window", "window").ok
    assert rig.state(gtc) == "NOT_AT_BROKER"


@pytest.mark.parametrize("swallow", [False, True])
async def test_t_x4_a_link_that_breaks_while_sending_is_unknown_never_a_retry(rig: Rig, swallow: bool) -> None:
    rig.broker.faults.place_raises = True
    rig.broker.faults.swallow = swallow
    ref = rig.submit()
    assert rig.state(ref) == "UNKNOWN"
    rig.clock.advance(60)
    assert rig.state(ref) == ("NOT_AT_BROKER" if swallow else "WORKING")
    assert rig.broker.wire[ref] == (0 if swallow else 1)


async def test_t_x5_the_same_approval_sent_from_everywhere_and_after_a_restart_is_one_order(rig: Rig) -> None:
    cleared = rig.cleared()
    for _ in range(3):
        rig.desk.submit(cleared)
    await rig.restart()
    rig.clock.advance(2)
    assert rig.desk.submit(cleared).state.value == "WORKING"
    assert rig.broker.wire[cleared.ref] == 1


async def test_t_x6_sixty_orders_in_one_tick_then_a_disconnect_lose_nothing_silently(rig: Rig) -> None:
    refs = [rig.submit(rig.request(price=f"{90 + n / 100:.2f}")) for n in range(60)]
    rig.broker.say_link(LinkState.DOWN)
    late = rig.submit()
    states = [rig.state(ref) for ref in refs]
    assert states.count("NEVER_SENT") == 60 - ExecutionSettings().sends_per_s
    assert states.count("UNKNOWN") == ExecutionSettings().sends_per_s
    assert sum(rig.broker.wire.values()) == ExecutionSettings().sends_per_s, "the budget holds"
    assert rig.desk.orders()[late].reason.startswith("LINK")
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(5)
    for ref in refs:
        assert rig.state(ref) in ("NEVER_SENT", "WORKING")
        assert (rig.state(ref) == "WORKING") == (rig.broker.truth(ref) is not None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"limit_price": Decimal("NaN")}, "NUMBER"),
        ({"limit_price": Decimal("-1")}, "NUMBER"),
        ({"limit_price": Decimal("Infinity")}, "NUMBER"),
        ({"limit_price": Decimal("1.797e308")}, "NUMBER"),
        ({"quantity": Decimal(0)}, "NUMBER"),
        ({"stop_price": Decimal("NaN")}, "NUMBER"),
    ],
)
async def test_numbers_that_are_none_never_reach_the_wire(rig: Rig, change: dict[str, object], code: str) -> None:
    import msgspec

    request = msgspec.structs.replace(rig.request(), **change)
    status = rig.desk.submit(rig.cleared(request))
    assert status.state.value == "NEVER_SENT"
    assert status.reason.startswith(code)
    assert not rig.broker.wire


async def test_the_last_door_refuses_with_a_code(rig: Rig) -> None:
    rig.market.stale.add("AAPL")
    assert rig.desk.orders()[rig.submit()].reason.startswith("QUOTE")
    rig.market.stale.clear()
    for mode, code in ((Mode.OBSERVE, "MODE"), (Mode.HALTED, "HALTED"), (Mode.REDUCE_ONLY, "MODE")):
        rig.modes.mode = mode
        assert rig.desk.orders()[rig.submit()].reason.startswith(code)
    rig.modes.mode = Mode.REDUCE_ONLY
    closing = rig.request(side=Side.SELL, reduce_only=True)
    assert rig.state(rig.submit(closing)) == "WORKING"
    assert sum(rig.broker.wire.values()) == 1


async def test_an_order_for_another_account_is_refused(rig: Rig) -> None:
    import msgspec

    cleared = msgspec.structs.replace(rig.cleared(), account="U999")
    assert rig.desk.submit(cleared).reason.startswith("ACCOUNT")


async def test_a_modification_is_refused_unless_the_link_is_up_and_the_order_works(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.say_link(LinkState.DEGRADED)
    assert rig.desk.modify(ref, limit_price=Decimal(101)).code == "LINK"
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(2)
    assert rig.desk.modify(ref, limit_price=Decimal("NaN")).code == "NUMBER"
    assert rig.desk.modify(ref, limit_price=Decimal(101)).ok
    rig.desk.cancel(ref, "test")
    assert rig.desk.modify(ref, limit_price=Decimal(102)).code == "STATE"
    assert rig.broker.modify_frames[ref] == 1


async def test_a_modification_nobody_answers_is_looked_up(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.faults.lose.add("EchoReport")
    rig.desk.modify(ref, limit_price=Decimal(101))
    rig.broker.truth(ref).limit_price = "100.00"  # the change was lost on the way
    rig.clock.advance(12)
    assert rig.state(ref) == "WORKING"
    assert rig.desk.orders()[ref].request.limit_price == Decimal("100.00")


async def test_a_silent_cancel_is_asked_again_once_then_unknown(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.faults.silent_cancel = True
    rig.broker.faults.missing = {"open_orders"}
    rig.desk.cancel(ref, "test")
    rig.clock.advance(11)
    assert rig.broker.cancel_frames[ref] == 2
    rig.clock.advance(11)
    assert rig.state(ref) == "UNKNOWN"
    assert rig.broker.cancel_frames[ref] == 2
    assert rig.desk.cancel(ref, "person").ok, "an unknown order can be cancelled by hand"


async def test_references_are_never_reused_across_restarts(rig: Rig) -> None:
    seen = [rig.desk.reserve_ref(Origin.MANUAL, rig.broker.account_id) for _ in range(5)]
    for _ in range(3):
        await rig.restart()
        seen += [rig.desk.reserve_ref(Origin.MANUAL, rig.broker.account_id) for _ in range(70)]
    assert len(set(seen)) == len(seen)
    assert all(len(ref) <= 40 and ref.isascii() and rig.references.ours(ref) for ref in seen)


async def test_references_made_after_a_restored_backup_are_new_even_before_the_broker_has_been_read(rig: Rig) -> None:
    """Seed 1: the count came back with the backup, and names that had left with orders were made again."""
    rig.back_up()
    sent = {rig.desk.reserve_ref(Origin.MANUAL, rig.broker.account_id) for _ in range(70)}
    rig.clock.advance(300)
    rig.broker.link = LinkState.DOWN
    rig.die()
    rig.bring_back()
    await rig.restart()
    again = {rig.desk.reserve_ref(Origin.MANUAL, rig.broker.account_id) for _ in range(70)}
    rig.clock.advance(24 * 3600)
    again |= {rig.desk.reserve_ref(Origin.MANUAL, rig.broker.account_id) for _ in range(70)}
    assert len(again) == 140
    assert not sent & again


async def test_market_orders_of_a_bracket_keep_their_type(rig: Rig) -> None:
    ref = rig.submit(bracket=True)
    kinds = {rig.desk.orders()[t.ref].request.order_type for t in rig.broker.orders if t.ref != ref}
    assert kinds == {OrderType.STOP, OrderType.LIMIT}
    assert rig.clock.now() % SECOND == 0


async def test_nothing_leaves_between_a_restored_link_and_the_first_agreement(rig: Rig) -> None:
    rig.broker.say_link(LinkState.DOWN)
    rig.broker.say_link(LinkState.UP)
    early = rig.submit()
    assert rig.desk.orders()[early].reason.startswith("NOT_SYNCED")
    assert not rig.broker.wire
    rig.clock.advance(1)
    assert rig.state(rig.submit()) == "WORKING"


async def test_a_fill_is_on_disk_before_anybody_hears_of_it(rig: Rig) -> None:
    import sqlite3

    seen: list[int] = []

    def look(event: OrderPartlyFilled) -> None:
        reader = sqlite3.connect(f"file:{rig.folder / 'journal.db'}?mode=ro", uri=True)
        seen.append(reader.execute("SELECT count(*) FROM fills WHERE ref = ?", (event.ref,)).fetchone()[0])
        reader.close()
        assert rig.ledger.positions()["AAPL"].quantity == 10

    rig.bus.subscribe(OrderPartlyFilled, look, owner="test")
    ref = rig.submit()
    rig.broker.fill(rig.broker.truth(ref), 10, "100")
    assert seen == [1]
