"""A trading week with everything going wrong, in virtual time; the invariants are checked at every step."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.bus.clock import SECOND
from engine.bus.errors import JournalError
from engine.execution import failpoints
from engine.execution.record import OrderRecord
from engine.execution.settings import ExecutionSettings
from engine.model.decision import Mode
from engine.model.events.order import ExecutionCorrected
from engine.model.ids import OrderRef
from engine.model.market import Side
from engine.model.order import ClearedOrder, OrderState, OrderStatus, Origin
from engine.model.report import AnyReport, BrokerSnapshot, BrokerStatus, LinkState
from tests.support.desk_rig import START, SYMBOLS, Rig
from tests.support.fake_broker import FakeBroker, Truth
from tests.support.memory_journal import Disk
from tests.support.simloop import Killed, LoopClock, SimLoop

SESSION_S = 6.5 * 3600
NIGHT_S = 17.5 * 3600
REPORTS = ("EchoReport", "StatusReport", "ExecutionReport", "CommissionReport", "ErrorReport")

FAULTS = (
    "lose",
    "double",
    "link down",
    "link degraded",
    "swallow",
    "place raises",
    "missing",
    "silent cancel",
    "correction",
    "foreign order",
    "by hand",
    "crash",
    "disk",
    "stale quote",
    "stop",
    "flatten",
    "strange code",
    "false reject",
    "strange status",
    "untold fill",
    "untold cancel",
    "modify",
    "killed inside",
    "disk between the marks",
    "restored backup",
    "clock step",
    "reject",
    "bad quote",
    "halted symbol",
    "gate denies",
)

POINTS = (
    *("before intent", "intent durable", "sending durable", "broker wire", "broker accepted", "placed"),
    *("report EchoReport", "report StatusReport", "report ExecutionReport"),
    *("cancel noted", "cancel sent", "modify durable", "modify sent"),
)
"""Where the program is killed (reliability.md §5.2)."""


CODES = (4711, 399, 404, 10349, 2109, 100, 103, 104, 110, 161, 201, 202, 1100, 10147, 10148)
"""One of each class, and one that nobody knows."""


class LateBroker(FakeBroker):
    """Reports and snapshots take time, and overtake each other."""

    def __init__(self, clock: LoopClock, loop: SimLoop, rng: random.Random) -> None:
        super().__init__(clock, embedded=False)
        self.loop, self.rng = loop, rng

    def _say(self, report: AnyReport) -> None:
        lost = type(report).__name__ in self.faults.lose or self.link is LinkState.DOWN
        if lost or self._sink is None:
            self.fired["lose"] += 1
            return
        sink = self._sink
        for _ in range(2 if self.faults.double else 1):
            self.loop.call_later(self.rng.choice([0.0, 0.01, 0.1, 1.5]), self._arrive, sink, report)

    def _arrive(self, sink: object, report: AnyReport) -> None:
        if sink is self._sink and self.link is not LinkState.DOWN:
            self._sink(report)

    async def snapshot(self) -> BrokerSnapshot:
        await asyncio.sleep(self.rng.choice([0.0, 0.2, 2.0]))
        picture = self.picture()
        await asyncio.sleep(self.rng.choice([0.0, 0.2, 2.0]))
        return picture


class Campaign:
    """One seed. ``fired`` says which faults came to pass; ``digest`` is the hash of the journal."""

    def __init__(self, loop: SimLoop, seed: int, folder: Path | None = None) -> None:
        """With ``folder`` on the real journal there, else on one in memory."""
        self.loop = loop
        self.rng = random.Random(seed)
        self.clock = LoopClock(loop, START)
        self.broker = LateBroker(self.clock, loop, random.Random(seed + 1))
        settings = ExecutionSettings(orders_every_s=120.0)
        self.rig = Rig(
            folder or Path(),
            broker=self.broker,
            clock=self.clock,
            settings=settings,
            disk=Disk() if folder is None else None,
        )
        self.fired: Counter[str] = Counter()
        self.filled: dict[str, Decimal] = {}
        self.seen: dict[str, OrderStatus] = {}
        self.refs: set[str] = set()
        self.human = False
        self.meddled: set[str] = set()
        """Symbols that somebody else trades too: there the gate, not the flattener, keeps us from crossing zero."""
        self.seed = seed
        self.armed = ""
        """The point at which something happens next."""
        self.at_armed: Callable[[str], None] = self._kill
        self.dead = False
        self.disk_broken = False
        self.before_birth: set[str] = set()
        """References made before the program started last: its gate has no reservation of theirs."""

    async def run(self, days: int = 5) -> str:
        failpoints.hook = self._reached
        try:
            return await self._run(days)
        finally:
            failpoints.hook = None

    async def _run(self, days: int) -> str:
        await self.rig.start()
        self._guard()
        await asyncio.sleep(30)
        for day in range(days):
            self.rig.back_up()
            await self.session()
            await self.quiet(f"day {day}")
            self.rig.desk.settle()
            self.broker.new_day()
            self.broker.say_link(LinkState.DOWN)
            await asyncio.sleep(NIGHT_S)
            self.cancel_day_orders()
            self.broker.say_link(LinkState.UP)
            await asyncio.sleep(30)
            self.resume()
        await self.quiet("end")
        for truth in self.broker.past:
            self.compare(truth, "end")
        digest = self.digest()
        await self.rig.close()
        return digest

    def digest(self) -> str:
        self.rig.journal.flush()
        rows = [row[1:] for row in self.rig.journal.order_log()]
        fills = list(self.rig.journal.fills())
        return hashlib.sha256(repr((rows, fills, dict(self.rig.ledger.positions()))).encode()).hexdigest()

    async def session(self) -> None:
        end = self.loop.time() + SESSION_S
        while self.loop.time() < end:
            await asyncio.sleep(self.rng.expovariate(1 / 150))
            await self.revive()
            try:
                await self.act()
            except Killed:
                assert self.dead
            if not self.dead:
                self.check()
        self.armed = ""
        await self.revive()
        self.mend()

    # --- what happens

    async def act(self) -> None:
        name = self.rng.choice(
            ("trade",) * 14 + ("fill",) * 14 + ("cancel",) * 4 + ("calm",) * 10 + FAULTS + ("modify",) * 3
        )
        await getattr(self, name.replace(" ", "_"))()

    async def trade(self) -> None:
        rng = self.rng
        symbol, side = rng.choice(SYMBOLS), rng.choice(list(Side))
        closing = {t.symbol for t in self.broker.orders if t.open and t.ref.endswith("F")}
        if symbol in closing or symbol in self.rig.stop_switch.closing:
            return  # the gate would not let it pass
        origin = rng.choice([Origin.MANUAL, Origin.AUTO])
        request = self.rig.request(symbol, side, rng.choice([10, 100]), origin=origin)
        cleared = self.rig.cleared(request, bracket=rng.random() < 0.3)
        assert cleared.ref not in self.refs, "I10: references are never reused"
        self.refs |= {cleared.ref, *(leg.ref for leg in cleared.legs)}
        for part in (cleared, *cleared.legs):
            self.rig.gate.reserved[part.ref] = part.request.quantity
        self.rig.desk.submit(cleared)

    def open_truths(self) -> list[Truth]:
        return [t for t in self.broker.orders if t.open and BrokerStatus(t.status) is BrokerStatus.WORKING]

    async def fill(self, tell: bool = True) -> None:
        found = self.open_truths()
        if found:
            truth = self.rng.choice(found)
            part = min(truth.remaining, Decimal(self.rng.choice([3, 10, 100])))
            before = self.broker.positions().get(truth.symbol, Decimal(0))
            self.broker.fill(truth, part, f"{self.rng.uniform(90, 110):.2f}", tell=tell)
            after = self.broker.positions().get(truth.symbol, Decimal(0))
            if truth.ref.endswith("F") and truth.symbol not in self.meddled:
                assert before * after >= 0, "I9: a closing order crossed zero"
                assert abs(after) < abs(before)

    async def untold_fill(self) -> None:
        self.fired["untold fill"] += bool(self.open_truths())
        await self.fill(tell=False)

    async def untold_cancel(self) -> None:
        for truth in self.open_truths()[:1]:
            self.fired["untold cancel"] += 1
            self.broker.finish(truth, self.rng.choice([BrokerStatus.CANCELLED, BrokerStatus.REJECTED]), tell=False)

    async def cancel(self) -> None:
        own = [s for s in self.rig.desk.open_orders() if not s.external]
        if own:
            self.rig.desk.cancel(self.rng.choice(own).ref, "test")

    async def modify(self) -> None:
        own = [s for s in self.rig.desk.open_orders() if not s.external and not s.ref.endswith("F")]
        if own:
            status = self.rng.choice(own)
            price = Decimal(self.rng.randrange(9000, 11000)) / 100
            more = status.request.quantity + self.rng.choice([0, 10])
            self.fired["modify"] += self.rig.desk.modify(status.ref, limit_price=price, quantity=more).ok

    async def calm(self) -> None:
        self.mend()

    def mend(self) -> None:
        faults = self.broker.faults
        faults.lose, faults.missing = set(), set()
        faults.double = faults.swallow = faults.place_raises = faults.silent_cancel = False
        faults.refuse = False
        self.rig.gate.deny = ""
        market = self.rig.market
        market.stale.clear()
        market.halted.clear()
        market.prices.update(dict.fromkeys(SYMBOLS, 100.0))
        self._mend_disk()
        if self.broker.link is not LinkState.UP:
            self.broker.say_link(LinkState.UP)
        for symbol, quantity in list(self.broker.foreign_positions.items()):
            if quantity:
                self.broker.by_hand(symbol, -quantity)
        self.resume()

    def resume(self) -> None:
        if self.rig.modes.mode.level < Mode.MANUAL.level:
            self.human = True
            self.rig.modes.resume()
            self.human = False

    async def lose(self) -> None:
        self.fired["lose"] += 1
        self.broker.faults.lose = set(self.rng.sample(REPORTS, 2))

    async def double(self) -> None:
        self.fired["double"] += 1
        self.broker.faults.double = True

    async def link_down(self) -> None:
        self.fired["link down"] += 1
        self.broker.say_link(LinkState.DOWN)

    async def link_degraded(self) -> None:
        self.fired["link degraded"] += 1
        self.broker.say_link(LinkState.DEGRADED, 1100)

    async def swallow(self) -> None:
        self.broker.faults.swallow = True
        await self.trade()
        self.fired["swallow"] += self.broker.fired["swallow"] > 0
        self.broker.faults.swallow = False

    async def place_raises(self) -> None:
        self.broker.faults.place_raises = True
        self.broker.faults.swallow = self.rng.random() < 0.5
        await self.trade()
        self.fired["place raises"] += self.broker.fired["place_raises"] > 0
        self.broker.faults.place_raises = self.broker.faults.swallow = False

    async def missing(self) -> None:
        self.fired["missing"] += 1
        self.broker.faults.missing = {self.rng.choice(["open_orders", "completed", "executions", "positions"])}

    async def silent_cancel(self) -> None:
        self.fired["silent cancel"] += 1
        self.broker.faults.silent_cancel = True
        await self.cancel()

    async def correction(self) -> None:
        if self.broker.executions:
            old = self.rng.choice(self.broker.current_executions()[-30:])
            if old.ref and old.exec_id.endswith(".01"):
                self.fired["correction"] += 1
                price = old.price + Decimal("0.01")
                new = msgspec.structs.replace(old, exec_id=old.exec_id[:-2] + "02", price=price)
                self.broker.executions.append(new)
                self.broker._say(new)

    async def foreign_order(self) -> None:
        self.fired["foreign order"] += 1
        symbol = self.rng.choice(SYMBOLS)
        self.meddled.add(symbol)
        self.broker.foreign_order(symbol, self.rng.choice(list(Side)), 20, "50")

    async def by_hand(self) -> None:
        self.fired["by hand"] += 1
        symbol = self.rng.choice(SYMBOLS)
        self.meddled.add(symbol)
        self.broker.by_hand(symbol, self.rng.choice([-30, 50]))

    async def crash(self) -> None:
        self.fired["crash"] += 1
        self._die()
        await self.revive()

    def _die(self) -> None:
        self.dead = True
        if self.rig.journal._pending:
            self.filled.clear()  # what was noted and not written dies with the program: the broker has it
        self.rig.die()

    async def revive(self, restored: bool = False) -> None:
        """Start the program again if it is dead."""
        if not self.dead:
            return
        self.dead = False
        if restored or self.disk_broken:
            self.filled.clear()  # what was known of fills is not in this journal: the broker has it
        self.seen.clear()
        self.before_birth = set(self.refs)
        self._mend_disk()
        await self.rig.restart(self.rig.modes.mode)
        self._guard()

    def _reached(self, point: str) -> None:
        if point == self.armed:
            self.armed = ""
            self.at_armed(point)

    def _kill(self, point: str) -> None:
        self.fired["killed inside"] += 1
        self.fired[f"killed: {point}"] += 1
        self._die()
        raise Killed(point)

    async def killed_inside(self) -> None:
        self.armed, self.at_armed = self.rng.choice(POINTS), self._kill

    async def disk_between_the_marks(self) -> None:
        failed = self.rig.journal.times.failed
        self.armed, self.at_armed = "intent durable", lambda point: self._break_disk()
        await self.trade()
        self.fired["disk between the marks"] += self.rig.journal.times.failed > failed
        self.armed = ""
        self._mend_disk()

    async def restored_backup(self) -> None:
        """The journal is damaged and this morning's copy takes its place."""
        self.fired["restored backup"] += 1
        self._die()
        self.rig.bring_back()
        await self.revive(restored=True)

    def _break_disk(self) -> None:
        self.disk_broken = True
        self.rig.break_disk()

    def _mend_disk(self) -> None:
        self.disk_broken = False
        if self.rig.life.alive:
            self.rig.break_disk(False)
        elif self.rig.disk is not None:
            self.rig.disk.broken = False

    async def disk(self) -> None:
        self._break_disk()
        failed = self.rig.journal.times.failed
        with suppress(JournalError):  # the reference counter could not be kept: no order was made
            await self.trade()
        await self.modify()
        await self.fill()
        await asyncio.sleep(2)
        self.fired["disk"] += self.rig.journal.times.failed > failed
        self._mend_disk()

    async def clock_step(self) -> None:
        self.fired["clock step"] += 1
        self.clock.offset_ns += self.rng.choice([-90, -3, 3, 90]) * SECOND

    async def reject(self) -> None:
        self.broker.faults.refuse = True
        before = len(self.broker.orders)
        await self.trade()
        self.fired["reject"] += len(self.broker.orders) > before
        self.broker.faults.refuse = False

    async def bad_quote(self) -> None:
        self.fired["bad quote"] += 1
        self.rig.market.prices[self.rng.choice(SYMBOLS)] = float("nan")

    async def halted_symbol(self) -> None:
        self.fired["halted symbol"] += 1
        self.rig.market.halted.add(self.rng.choice(SYMBOLS))

    async def gate_denies(self) -> None:
        self.fired["gate denies"] += 1
        self.rig.gate.deny = "G4"

    async def stale_quote(self) -> None:
        self.fired["stale quote"] += 1
        self.rig.market.stale.update(SYMBOLS)

    async def stop(self) -> None:
        self.fired["stop"] += 1
        self.rig.stop_switch.stop("person", "enough")

    async def flatten(self) -> None:
        self.fired["flatten"] += bool(self.rig.ledger.positions())
        self.rig.stop_switch.flatten()

    async def strange_code(self) -> None:
        for truth in self.open_truths()[:1]:
            self.fired["strange code"] += 1
            self.broker.say_error(truth.ref, self.rng.choice(CODES), "hm")

    async def false_reject(self) -> None:
        for truth in self.open_truths()[:1]:
            self.fired["false reject"] += 1
            self.broker.say_status(truth.ref, self.rng.choice([BrokerStatus.CANCELLED, BrokerStatus.INACTIVE]))

    async def strange_status(self) -> None:
        for truth in self.open_truths()[:1]:
            self.fired["strange status"] += 1
            self.broker.say_status(truth.ref, BrokerStatus.OTHER, text="?")

    def cancel_day_orders(self) -> None:
        for truth in self.broker.orders:
            if truth.open:
                self.broker.finish(truth, BrokerStatus.EXPIRED, tell=False)

    # --- what must hold

    def _guard(self) -> None:
        """I5, I11, I12 where the order leaves."""
        marks = self.rig._check_marks

        def before(order: ClearedOrder) -> None:
            marks(order)
            assert order.decision_id, "I11"
            assert order.limits_hash, "I11"
            assert order.build_hash, "I11"
            if self.rig.desk.halted or self.rig.modes.mode is Mode.HALTED:
                assert order.request.origin is Origin.FLATTEN, "I12: an order left after HALT"
            assert not any(self.broker.wire[part.ref] for part in (order, *order.legs)), "I1"

        self.broker.before_place = before
        lowest = self.rig.modes

        class Watched(type(lowest)):  # type: ignore[misc]
            def __setattr__(watched, name: str, value: object) -> None:
                if name == "mode" and isinstance(value, Mode) and value.level > watched.mode.level:
                    assert self.human, "I6: the mode rose without a person"
                super().__setattr__(name, value)

        lowest.__class__ = Watched

    def check(self) -> None:
        where = f"seed {self.seed} at {self.loop.time():.1f}"
        assert not self.rig.failures, f"{where}: {self.rig.failures}"
        events = self.rig.events
        corrected = {e.ref for e in events if isinstance(e, ExecutionCorrected)}
        events.clear()
        for ref, status in self.rig.desk.orders().items():
            if self.seen.get(ref) is status:
                continue
            self.seen[ref] = status
            record: OrderRecord = self.rig.desk._records.by_ref[ref]
            if not status.external:
                assert status.filled <= record.ceiling, f"{where}: I2 {ref}"
            assert status.filled >= self.filled.get(ref, Decimal(0)) or ref in corrected, f"{where}: I3 {ref}"
            self.filled[ref] = status.filled
            if status.state is OrderState.NEVER_SENT:
                assert status.reason, f"{where}: I11 {ref}"
                assert self.broker.wire[ref] == 0, f"{where}: {ref} was sent after all"
        for status in self.rig.desk.open_orders():
            if not status.external and status.ref in self.refs:
                known = status.ref in self.rig.gate.reserved or status.ref in self.before_birth
                assert known, f"{where}: I4 {status.ref} {status.state}"
        if self.rig.desk.synced:
            for truth in self.broker.orders:
                if truth.ref:
                    self.covers(truth, where)

    def covers(self, truth: Truth, where: str) -> None:
        """I4: at every step we count at least what the order may still do, and never more done than it has done."""
        ours = self.rig.desk.orders().get(OrderRef(truth.ref))
        where = f"{where}: I4 {truth.ref}"
        assert ours is not None, f"{where} is not known"
        assert ours.filled <= Decimal(truth.filled), f"{where} filled {ours.filled} of {truth.filled}"
        if ours.state.closed:
            assert not truth.open, f"{where} {ours.state}, but it is {truth.status}"
            assert ours.filled == Decimal(truth.filled), f"{where} {ours.state} with {ours.filled} of {truth.filled}"
        else:
            most = self.rig.desk._records.by_ref[ours.ref].ceiling
            assert not truth.open or most >= Decimal(truth.quantity), f"{where} counts {most} of {truth.quantity}"

    async def quiet(self, when: str) -> None:
        """All is mended and some minutes pass: everything agrees with the truth (I8)."""
        self.mend()
        await asyncio.sleep(900)
        self.mend()
        self.check()
        where = f"seed {self.seed}, {when}"
        held = {symbol: p.quantity for symbol, p in self.rig.ledger.positions().items()}
        assert held == self.broker.positions(), f"{where}: I8 {held} but {self.broker.positions()}"
        assert not self.rig.modes.locks or set(self.rig.modes.locks), where
        assert all(count <= 1 for count in self.broker.wire.values()), f"{where}: I1"
        for truth in self.broker.orders:
            self.compare(truth, where)
        unknown = [s.ref for s in self.rig.desk.open_orders() if s.state is OrderState.UNKNOWN]
        assert unknown == [], f"{where}: still unknown"
        assert not any(code == "DRIFT" for _, code in self.rig.modes.locks), f"{where}: still locked"
        assert self.clock.now() % SECOND >= 0

    def compare(self, truth: Truth, where: str) -> None:
        """Our belief in an order and the truth are the same."""
        if not truth.ref:
            return
        ours = self.rig.desk.order(truth.ref)
        assert ours is not None, f"{where}: {truth.ref} is not known"
        assert ours.filled == Decimal(truth.filled), f"{where}: {truth.ref} filled"
        assert ours.state.closed is not truth.open, f"{where}: {truth.ref} {ours.state} but {truth.status}"
