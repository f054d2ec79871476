"""T-R1 to T-R5 and T-D2: agreement with the broker."""

import random
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from engine.execution import failpoints
from engine.execution.fold import establish, replace
from engine.execution.reconcile import Rules, plan
from engine.execution.record import OrderRecord
from engine.model.decision import Mode
from engine.model.events.book import DriftFound
from engine.model.events.system import Alarm
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import OrderRequest, OrderState
from engine.model.report import (
    BrokerPosition,
    BrokerSnapshot,
    BrokerStatus,
    ExecutionReport,
    LinkState,
    OpenOrder,
)
from tests.support.desk_rig import SECOND, START, Rig
from tests.support.fake_broker import ACCOUNT
from tests.support.simloop import Killed

S = OrderState


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    built = await Rig(tmp_path).start()
    yield built
    await built.close()


def rules(now: int = START) -> Rules:
    return Rules(
        now_ns=now,
        grace_ns=0,
        absent_gap_ns=10 * SECOND,
        link_up_ns=0,
        ours=lambda ref: ref.startswith("MA-"),
        day=lambda symbol, ns: "today",
    )


def request(symbol: str, side: Side, quantity: int) -> OrderRequest:
    return OrderRequest(
        intent_id=IntentId(""), symbol=Symbol(symbol), side=side, quantity=Decimal(quantity), limit_price=Decimal(10)
    )


@st.composite
def books(draw: st.DrawFn) -> tuple[dict[OrderRef, OrderRecord], BrokerSnapshot]:
    """Our records and a broker's picture that differ in every way they can."""
    rng = random.Random(draw(st.integers(0, 2**31)))
    records: dict[OrderRef, OrderRecord] = {}
    opened, completed, executions = [], [], []
    held: dict[str, Decimal] = {}
    for n in range(draw(st.integers(0, 6))):
        symbol, side, quantity = rng.choice(["AAPL", "MSFT"]), rng.choice(list(Side)), rng.choice([5, 100])
        ref = OrderRef(f"MA-{n}") if rng.random() < 0.8 else OrderRef("")
        asked = request(symbol, side, quantity)
        filled = rng.choice([0, quantity // 5, quantity - 1, quantity])
        for part in range(1 if filled else 0, 3 if filled > 1 else 2):
            if not filled:
                break
            share = Decimal(filled) / 2 if filled > 1 else Decimal(filled)
            executions.append(
                ExecutionReport(
                    ts_event=START - 1000 + n,
                    ts_seen=START,
                    ref=ref,
                    exec_id=f"x{n}.{part}.01",
                    account=ACCOUNT,
                    symbol=Symbol(symbol),
                    side=side,
                    quantity=share,
                    price=Decimal(10),
                    perm_id=f"p{n}",
                )
            )
            held[symbol] = held.get(symbol, ZERO) + share * side.sign
        over = filled == quantity
        word = BrokerStatus.FILLED if over else rng.choice([BrokerStatus.WORKING, BrokerStatus.CANCELLED])
        seen = OpenOrder(
            ref=ref,
            perm_id=f"p{n}",
            broker_id=str(n),
            account=ACCOUNT,
            status=word,
            request=asked,
            filled=Decimal(filled),
        )
        place = rng.random()
        if place < 0.85:
            (opened if word is BrokerStatus.WORKING else completed).append(seen)
        if ref and rng.random() < 0.8:
            record = OrderRecord(ref=ref, account=AccountId("a"), request=asked, created_ns=START - 100 * SECOND)
            base = rng.choice([S.SENT, S.UNKNOWN, S.WORKING, S.CANCELLED, S.NOT_AT_BROKER, S.REJECTED])
            records[ref] = establish(record, base, START - 50 * SECOND).record
    executions += [e for e in executions if rng.random() < 0.3]
    rng.shuffle(executions)
    snapshot = BrokerSnapshot(
        taken_ns=START,
        open_orders=tuple(opened),
        completed=tuple(completed),
        executions=tuple(executions),
        positions=tuple(
            BrokerPosition(account=ACCOUNT, symbol=Symbol(s), quantity=q, average_price=Decimal(10))
            for s, q in held.items()
            if q
        ),
        account=None,
    )
    return records, snapshot


def apply(records: dict[OrderRef, OrderRecord], positions: dict[Symbol, Decimal], snapshot: BrokerSnapshot) -> tuple:
    result = plan(records, positions, snapshot, rules())
    after, held = dict(records), dict(positions)
    for outcome, _, _ in result.changes:
        new, old = outcome.record, after.get(outcome.record.ref)
        for key, execution in new.executions.items():
            was = old.executions.get(key) if old else None
            delta = execution.quantity - (was.quantity if was else ZERO)
            held[new.symbol] = held.get(new.symbol, ZERO) + delta * execution.side.sign
        after[new.ref] = new
    told = [
        o for o, _, _ in result.changes if o.alarms or o.record.state is not records.get(o.record.ref, o.record).state
    ]
    return after, held, result, told


@given(books())
def test_t_r1_one_pass_converges_and_the_second_says_nothing(
    book: tuple[dict[OrderRef, OrderRecord], BrokerSnapshot],
) -> None:
    records, snapshot = book
    after, held, first, _ = apply(records, {}, snapshot)
    theirs = {p.symbol: p.quantity for p in snapshot.positions or ()}
    assert {s: q for s, q in held.items() if q} == theirs
    assert first.drifts == ()
    for seen in snapshot.open_orders or ():
        found = [r for r in after.values() if seen.perm_id in r.perm_ids]
        assert len(found) == 1
        assert found[0].state.exposed or found[0].executed >= found[0].request.quantity
    again, held_again, _, told = apply(after, held, snapshot)
    assert told == []
    assert held_again == held
    assert {r: x.state for r, x in again.items()} == {r: x.state for r, x in after.items()}


async def test_t_r1_an_open_order_filled_four_of_five_with_net_minus_one_is_minus_one(rig: Rig) -> None:
    sell = rig.submit(rig.request(side=Side.SELL, quantity=5))
    rig.broker.fill(rig.broker.truth(sell), 5, "100")
    buy = rig.submit(rig.request(quantity=5))
    rig.broker.fill(rig.broker.truth(buy), 4, "100", tell=False)
    rig.desk.reconcile(rig.broker.picture())
    rig.clock.advance(2)
    rig.desk.reconcile(rig.broker.picture())
    assert rig.ledger.positions()["AAPL"].quantity == -1
    assert rig.state(buy) == "PARTIAL"
    seen = len(rig.kinds())
    rig.desk.reconcile(rig.broker.picture())
    assert rig.kinds()[seen:] == []


PARTS = ("open_orders", "executions", "positions", "completed", "account")


@pytest.mark.parametrize("missing", [{p} for p in PARTS] + [{"open_orders", "positions"}, {"executions", "account"}])
async def test_t_r2_a_picture_with_a_hole_is_not_an_agreement(tmp_path: Path, missing: set[str]) -> None:
    rig = Rig(tmp_path)
    rig.broker.faults.missing = missing
    await rig.start()
    assert not rig.desk.synced
    assert rig.modes.mode is Mode.HALTED
    ref = rig.submit()
    assert rig.state(ref) == "NEVER_SENT"
    assert not rig.broker.wire
    banner = [e.happened for e in rig.events if isinstance(e, Alarm) and e.severity == "red"]
    assert any(all(part.replace("_", " ") in line for part in missing) for line in banner)
    rig.broker.faults.missing = set()
    rig.clock.advance(16)
    assert rig.desk.synced
    assert rig.modes.mode is Mode.HALTED, "a mode never rises by itself"
    await rig.close()


async def test_t_r2_a_broker_that_does_not_answer_at_all_is_not_connected(tmp_path: Path) -> None:
    import asyncio

    from engine.execution.settings import ExecutionSettings

    rig = Rig(tmp_path, settings=ExecutionSettings(round_timeout_s=1))
    rig.broker.embedded = False

    async def never() -> BrokerSnapshot:
        await asyncio.Event().wait()
        raise AssertionError

    rig.broker.snapshot = never  # type: ignore[method-assign]
    await rig.start()
    await asyncio.sleep(1.2)
    assert not rig.desk.synced
    assert rig.modes.mode is Mode.HALTED
    await rig.close()


@pytest.mark.parametrize("link", [LinkState.DEGRADED, LinkState.DOWN])
async def test_t_r3_an_outage_in_a_burst_of_fills_loses_and_doubles_none(rig: Rig, link: LinkState) -> None:
    burst = rig.submit(rig.request(quantity=200))
    working = rig.submit(rig.request("MSFT"))
    cancelling = rig.submit(rig.request("MSFT", price="99.00"))
    changing = rig.submit(rig.request("NVDA"))
    for n in range(20):
        if n == 7:
            rig.broker.faults.silent_cancel = True
            rig.desk.cancel(cancelling, "test")
            rig.broker.faults.lose.add("EchoReport")
            rig.desk.modify(changing, limit_price=Decimal("101.00"))
            rig.broker.faults.lose.clear()
            rig.broker.say_link(link, 1100)
            assert rig.state(burst) == rig.state(working) == "UNKNOWN"
        rig.broker.fill(rig.broker.truth(burst), 10, "100", tell=n < 7 or (n % 3 == 0 and link is LinkState.DEGRADED))
        rig.clock.advance(0.1)
    rig.broker.finish(rig.broker.truth(cancelling), BrokerStatus.CANCELLED, tell=False)
    rig.clock.advance(90)
    assert rig.broker.wire[rig.submit(rig.request("NVDA"))] == 0, "nothing is sent during the outage"
    rig.broker.say_link(LinkState.UP, 1102)
    rig.clock.advance(5)
    assert rig.state(burst) == "FILLED"
    assert rig.ledger.positions()["AAPL"].quantity == 200
    assert rig.state(working) == "WORKING"
    assert rig.state(cancelling) == "CANCELLED"
    assert rig.state(changing) == "WORKING"
    assert rig.desk.orders()[changing].request.limit_price == Decimal("101.00")
    assert len(rig.ledger.fills("AAPL")) == 20
    assert not rig.modes.locks


async def test_t_r4_a_position_changed_by_hand_locks_the_symbol_until_it_agrees(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.fill(rig.broker.truth(ref), 100, "100")
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    assert rig.modes.locked("AAPL")
    drifts = [e for e in rig.events if isinstance(e, DriftFound)]
    assert [(d.ours, d.theirs) for d in drifts] == [(100, 150)]
    banner = [e for e in rig.events if isinstance(e, Alarm) and e.code == "DRIFT:AAPL"]
    assert "100" in banner[0].happened
    assert "150" in banner[0].happened
    rig.clock.advance(60)
    assert len([e for e in rig.events if isinstance(e, DriftFound)]) == 1, "said once"
    rig.broker.by_hand("AAPL", -50)
    rig.clock.advance(16)
    assert not rig.modes.locked("AAPL")


async def test_t_r4_a_difference_can_be_taken_into_the_book_by_a_person(rig: Rig) -> None:
    rig.broker.by_hand("AAPL", 50)
    rig.clock.advance(16)
    rig.ledger.adopt(Symbol("AAPL"), Decimal(50), Decimal(100))
    rig.clock.advance(16)
    assert rig.ledger.positions()["AAPL"].quantity == 50
    assert not rig.modes.locked("AAPL")


async def test_t_r4_an_order_placed_elsewhere_is_external_counts_and_is_not_ours_to_cancel(rig: Rig) -> None:
    truth = rig.broker.foreign_order("MSFT", Side.BUY, 30, "50")
    rig.clock.advance(16)
    external = [o for o in rig.desk.open_orders() if o.external]
    assert [(o.request.symbol, o.request.quantity, o.state.value) for o in external] == [("MSFT", 30, "WORKING")]
    rig.stop_switch.stop("test", "enough")
    assert truth.open
    rig.broker.fill(truth, 30, "50")
    rig.clock.advance(16)
    assert rig.ledger.positions()["MSFT"].quantity == 30
    assert not rig.modes.locked("MSFT")
    assert not any(o.external for o in rig.desk.open_orders())


async def test_t_r4_what_was_held_before_the_first_start_is_adopted_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.broker.by_hand("AAPL", 70)
    await rig.start()
    assert rig.ledger.positions()["AAPL"].quantity == 70
    assert not rig.modes.locks
    await rig.restart()
    assert rig.ledger.positions()["AAPL"].quantity == 70
    await rig.close()


async def test_t_r4_what_was_traded_today_before_the_first_start_is_counted_once(tmp_path: Path) -> None:
    """Seed 5: the position of the broker holds today's executions already; both were booked."""
    rig = Rig(tmp_path)
    rig.broker.by_hand("AAPL", 70)
    rig.broker.by_hand("NVDA", 30)
    for symbol, side, quantity, price in (
        ("AAPL", Side.BUY, 30, "101"),
        ("MSFT", Side.SELL, 5, "50"),
        ("NVDA", Side.SELL, 30, "102"),
        ("NVDA", Side.SELL, 10, "103"),
        ("NVDA", Side.BUY, 10, "104"),
    ):
        rig.broker.fill(rig.broker.foreign_order(symbol, side, quantity, price), quantity, price, tell=False)
        rig.clock.advance(1)
    bought = rig.broker.executions[0]
    rig.broker.executions.append(replace(bought, exec_id="e00001.02", quantity=Decimal(20)))
    await rig.start()
    rig.clock.advance(30)
    held = {symbol: position.quantity for symbol, position in rig.ledger.positions().items()}
    assert held == rig.broker.positions() == {"AAPL": 90, "MSFT": -5}
    assert {fill.price for fill in rig.ledger.fills(Symbol("NVDA")) if fill.ref == "OPENING"} == {102}
    assert not rig.modes.locks
    await rig.close()


async def test_t_r5_broker_ids_handed_out_again_never_cross_two_orders(rig: Rig) -> None:
    old = rig.submit()
    rig.broker.faults.swallow = True
    lost = rig.submit(rig.request("MSFT"))
    rig.broker.faults.swallow = False
    rig.broker.say_link(LinkState.DOWN)
    rig.broker._next -= 1  # the gateway was restarted: its ids go back
    assert rig.desk.modify(old, limit_price=Decimal(99)).code == "LINK"
    rig.broker.say_link(LinkState.UP)
    rig.clock.advance(1)
    new = rig.submit(rig.request("NVDA"))
    assert rig.broker.truth(new).broker_id == rig.broker.truth(old).broker_id
    rig.broker.truth(new).perm_id = "777"
    rig.broker.fill(rig.broker.truth(old), 100, "100")
    assert rig.state(old) == "FILLED"
    assert rig.desk.orders()[new].filled == 0
    assert rig.state(lost) == "UNKNOWN"


async def test_t_d2_a_restored_backup_adopts_what_was_placed_since(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    folder.mkdir()
    rig = await Rig(folder).start()
    rig.submit()
    rig.journal.flush()
    rig.journal.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(folder / "journal.db", tmp_path / "yesterday.db")
    refs = [rig.submit(rig.request("MSFT", price=f"{90 + n}.00")) for n in range(5)]
    rig.broker.fill(rig.broker.truth(refs[0]), 100, "90")
    rig.broker.fill(rig.broker.truth(refs[1]), 40, "91")
    rig.broker.finish(rig.broker.truth(refs[2]), BrokerStatus.CANCELLED)
    await rig.desk.stop()
    rig.journal.close()
    for name in ("journal.db-wal", "journal.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "yesterday.db", folder / "journal.db")
    rig.broker._sink = None
    rig._build(Mode.AUTO)
    await rig.start()
    assert [rig.state(ref) for ref in refs] == ["FILLED", "PARTIAL", "CANCELLED", "WORKING", "WORKING"]
    assert rig.ledger.positions()["MSFT"].quantity == 140
    assert rig.modes.mode is Mode.MANUAL, "AUTO is off"
    assert not any(o.external for o in rig.desk.orders().values())
    fresh = rig.submit(rig.request("NVDA"))
    assert fresh not in refs
    assert rig.references.ours(fresh)
    await rig.close()


async def test_an_order_filled_before_a_change_of_its_size_left_is_filled(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed 116: killed between recording the change and sending it, the order waited for a size nobody knew of."""
    ref = rig.submit(rig.request(quantity=10))

    def kill(point: str) -> None:
        if point == "modify durable":
            rig.die()
            raise Killed(point)

    monkeypatch.setattr(failpoints, "hook", kill)
    with pytest.raises(Killed):
        rig.desk.modify(ref, quantity=Decimal(20))
    monkeypatch.undo()
    rig.broker.fill(rig.broker.truth(ref), 10, "100")
    await rig.restart(Mode.MANUAL)
    rig.clock.advance(60)
    assert rig.desk.orders()[ref].request.quantity == 10
    assert rig.state(ref) == "FILLED"
    assert not rig.modes.locks


@pytest.mark.parametrize("told", [True, False])
async def test_orders_settled_before_a_restart_are_known_again_when_the_broker_still_speaks_of_them(
    rig: Rig, told: bool
) -> None:
    """Seed 101: a correction after settlement and restart made a second, smaller order of the same name."""
    ref = rig.submit(rig.request(quantity=100))
    first = rig.broker.fill(rig.broker.truth(ref), 60, "100.00")
    rig.broker.fill(rig.broker.truth(ref), 40, "101.00")
    foreign = rig.broker.foreign_order("MSFT", Side.BUY, 5, "50")
    rig.broker.fill(foreign, 5, "50.00", tell=False)
    rig.desk.check_now()
    rig.clock.advance(5)
    before = rig.desk.order(ref)
    rig.clock.advance(30)
    assert rig.desk.settle() == 2
    rig.clock.advance(1)
    await rig.restart(Mode.AUTO)
    rig.clock.advance(60)
    known = rig.desk.order(ref)
    assert (known.state, known.filled, known.average_price) == (S.SETTLED, before.filled, before.average_price)
    assert (known.request, known.commission) == (before.request, before.commission)
    assert rig.modes.mode is Mode.AUTO, "nothing was adopted"
    assert not rig.modes.locks
    assert not [e for e in rig.events if isinstance(e, DriftFound)]
    correction = replace(first, exec_id=first.exec_id[:-2] + "02", price=Decimal("99.00"))
    rig.broker.executions.append(correction)
    if told:
        rig.desk.on_report(correction)
    rig.clock.advance(60)
    after = rig.desk.order(ref)
    assert (after.filled, after.request.quantity, after.state) == (100, 100, S.SETTLED)
    assert after.average_price == Decimal("99.80")
    assert rig.ledger.positions()["AAPL"].average_price == Decimal("99.80")


async def test_a_snapshot_is_not_judged_while_settled_orders_cannot_be_read(rig: Rig) -> None:
    ref = rig.submit()
    rig.broker.fill(rig.broker.truth(ref), 100, "100.00")
    rig.clock.advance(30)
    rig.desk.settle()
    rig.clock.advance(1)
    await rig.restart(Mode.AUTO)
    name = OrderRef(f"X-{rig.broker.foreign_order('MSFT', Side.BUY, 5, '50').perm_id}")
    rig.break_disk()
    rig.journal.note([(ref, "waits", 0, b"")])
    rig.clock.advance(30)
    assert name not in rig.desk.orders()
    rig.break_disk(False)
    rig.clock.advance(30)
    assert name in rig.desk.orders()
