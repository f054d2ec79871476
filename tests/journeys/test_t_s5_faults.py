"""T-S5: every row of the table of faults, on the real engine: the mode, the line, how soon, and never up by itself."""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.api.commands import PlaceOrder
from engine.bus.bus import Role
from engine.bus.clock import SECOND
from engine.bus.errors import SettingsError
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.execution.brokers.ibkr.windows import Windows
from engine.market.settings import MarketSettings
from engine.model.decision import Book, Mode
from engine.model.events.market import HaltChanged, NewsArrived, QuoteTick
from engine.model.events.system import LagExceeded, ModelLoaded
from engine.model.ids import ExecId, OrderRef, Symbol
from engine.model.market import DataType, Side
from engine.model.order import OrderRequest, OrderState, OrderType
from engine.model.report import (
    AccountReport,
    BrokerPosition,
    BrokerStatus,
    ExecutionReport,
    LinkReport,
    LinkState,
    OpenOrder,
)
from engine.risk.settings import RiskSettings
from engine.runtime import vitals as vitals_module
from tests.engine.operations.rig import Rig, spec_in

AAPL, MSFT = Symbol("AAPL"), Symbol("MSFT")
Break = Callable[[Rig], Awaitable[None]]


# --- what breaks


def link(state: LinkState, code: int = 0, text: str = "") -> Break:
    async def broken(rig: Rig) -> None:
        voice, now = rig.engine.parts.broker._voice, rig.engine.clock.now()
        voice.link = state
        voice.sink(LinkReport(ts_event=now, ts_seen=now, state=state, code=code, text=text))

    return broken


async def place(rig: Rig, symbol: Symbol, quantity: int = 10, away: str = "0", intent: str = "i-1") -> OrderRef:
    quote = rig.engine.parts.place.cache.quote(symbol)
    price = Decimal(str(round(quote.ask, 2))) - Decimal(away)
    request = OrderRequest(
        intent_id=f"{intent}-{symbol}",
        symbol=symbol,
        side=Side.BUY,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT,
        limit_price=price,
    )
    receipt = await rig.engine.parts.handler.handle(PlaceOrder(request=request))
    assert receipt.ok, receipt.text
    return OrderRef(receipt.data["ref"])


def lost_orders(*symbols: Symbol) -> Break:
    """The broker takes the orders and says nothing of them, neither in reports nor in comparisons."""

    async def broken(rig: Rig) -> None:
        broker = rig.engine.parts.broker
        broker.place = lambda order: None
        for symbol in symbols:
            await place(rig, symbol)
        broker.snapshot_now = lambda: None
        broker.snapshot = lambda: asyncio.get_running_loop().create_future()

    return broken


def other_picture(change: Callable[[Rig, object], object]) -> Break:
    """Every comparison from now on sees something else."""

    async def broken(rig: Rig) -> None:
        broker = rig.engine.parts.broker
        honest = broker.snapshot_now
        broker.snapshot_now = lambda: change(rig, honest())

    return broken


def fifty_more(rig: Rig, picture):
    held = BrokerPosition(
        account=rig.engine.parts.broker.account_id, symbol=AAPL, quantity=Decimal(50), average_price=Decimal(100)
    )
    return msgspec.structs.replace(picture, positions=(*picture.positions, held))


def somebody_elses_order(rig: Rig, picture):
    request = OrderRequest(
        intent_id="elsewhere",
        symbol=AAPL,
        side=Side.BUY,
        quantity=Decimal(5),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(10),
    )
    order = OpenOrder(
        ref=OrderRef(""),
        perm_id="77",
        broker_id="0",
        account=rig.engine.parts.broker.account_id,
        status=BrokerStatus.WORKING,
        request=request,
    )
    return msgspec.structs.replace(picture, open_orders=(*picture.open_orders, order))


async def overfilled(rig: Rig) -> None:
    ref = await place(rig, AAPL, 10)
    await rig.until(lambda: rig.engine.parts.trading.desk.order(ref).state is OrderState.FILLED, 30)
    now = rig.engine.clock.now()
    rig.engine.parts.broker._voice.sink(
        ExecutionReport(
            ts_event=now,
            ts_seen=now,
            ref=ref,
            exec_id=ExecId("more.01.01"),
            account=rig.engine.parts.broker.account_id,
            symbol=AAPL,
            side=Side.BUY,
            quantity=Decimal(7),
            price=Decimal(100),
        )
    )


async def silent(rig: Rig) -> None:
    """The only source of prices says nothing more."""
    await rig.engine.parts.place.provider.stop()


async def delayed(rig: Rig) -> None:
    """The contract of the source turns out to be for delayed prices."""
    cache = rig.engine.parts.place.cache
    live = cache.accept

    def accept(event) -> None:
        if isinstance(event, QuoteTick):
            event = msgspec.structs.replace(event, data_type=DataType.DELAYED)
        live(event)

    for line in rig.engine.parts.place.collector._lines.values():
        line._accept = accept


async def nonsense(rig: Rig) -> None:
    """Somebody sends numbers that cannot be."""
    now = rig.engine.clock.now()
    for bid in (float("nan"), -1.0, 1e9):
        rig.engine.parts.place.cache.accept(
            QuoteTick(ts_event=now, ts_init=now, symbol=AAPL, bid=bid, ask=1.0, bid_size=1, ask_size=1, source="s")
        )


def account(equity: Callable[[Decimal], Decimal | None]) -> Break:
    """From now on the broker reports another equity."""

    async def broken(rig: Rig) -> None:
        broker, now = rig.engine.parts.broker, rig.engine.clock.now()
        honest = broker.account()
        changed = msgspec.structs.replace(honest, equity=equity(honest.equity))
        broker._books.values = lambda books: changed
        broker._voice.sink(AccountReport(ts_event=now, ts_seen=now, account=changed))

    return broken


async def late_loop(rig: Rig) -> None:
    for _ in range(3):
        now = rig.engine.clock.now()
        rig.engine.parts.bus.publish(LagExceeded(ts_event=now, ts_init=now, loop="engine", lag_ms=2500.0))


async def handler_fails(rig: Rig) -> None:
    def broken(event) -> None:
        raise RuntimeError("broken on purpose")

    rig.engine.parts.bus.subscribe(NewsArrived, broken, owner="a decider", role=Role.DECIDER)
    rig.engine.parts.bus.publish(NewsArrived(ts_event=1, ts_init=1, id="n", symbols=(), headline="h"))


async def task_dies(rig: Rig) -> None:
    async def work() -> None:
        raise OSError("the fills stopped")

    rig.made.tasks.own("fills", work, down_to=Mode.HALTED)
    for _ in range(5):
        await asyncio.sleep(0)


async def provider_task_dies(rig: Rig) -> None:
    async def work() -> None:
        raise KeyError("quotes")

    rig.made.tasks.watch(asyncio.get_running_loop().create_task(work(), name="provider x"))
    for _ in range(3):
        await asyncio.sleep(0)


async def callback_fails(rig: Rig) -> None:
    def broken() -> None:
        raise ZeroDivisionError("in a timer")

    asyncio.get_running_loop().call_soon(broken)
    await asyncio.sleep(0.01)


async def window_freezes(rig: Rig) -> None:
    rig.made.window.beat(1)
    await rig.run(2)
    rig.made.window.beat(1)


def disk(free_mb: float | None) -> Break:
    async def broken(rig: Rig) -> None:
        rig.engine.parts.trading.governor._vitals._disk_ns = -(10**12)
        vitals_module.free_megabytes = lambda folder: free_mb

    return broken


async def slow_commits(rig: Rig) -> None:
    journal = rig.engine.parts.storage.journal
    journal.slow_ms = lambda: -1.0
    for number in range(3):
        journal.commit([(OrderRef("x"), "TEST", number, b"")])


async def disk_full(rig: Rig) -> None:
    """The database may not grow by a page, and what it holds fills the last one."""
    connection = rig.engine.parts.storage.database.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    journal = rig.engine.parts.storage.journal
    journal.note([(OrderRef("x"), "TEST", 0, b"\0" * 200_000)])
    rig.mend = lambda: connection.execute("PRAGMA max_page_count = 1000000")


async def clock_set(rig: Rig) -> None:
    rig.wall.shift_s = 5.0


async def clock_off(rig: Rig) -> None:
    rig.skew_s = 6.0


async def halted(rig: Rig) -> None:
    now = rig.engine.clock.now()
    rig.engine.parts.place.cache.accept(HaltChanged(ts_event=now, ts_init=now, symbol=AAPL, halted=True, reason="LULD"))


async def model_changes(rig: Rig) -> None:
    for digest in ("a" * 64, "b" * 64):
        now = rig.engine.clock.now()
        rig.engine.parts.bus.publish(
            ModelLoaded(ts_event=now, ts_init=now, model_id="trees", kind="boosted", sha256=digest, domain="daily")
        )


async def audit_tampered(rig: Rig) -> None:
    rig.engine.parts.audit.anchor()
    connection = sqlite3.connect(rig.engine.spec.profile / "journal.db", isolation_level=None)
    connection.execute("DROP TRIGGER audit_no_update")
    connection.execute("UPDATE audit SET payload = '{}' WHERE seq = 1")
    connection.close()
    watch = next(w for w in rig.made.operations.watches if w.name == "audit")
    watch._due_ns = rig.engine.clock.now()  # the hour is over


async def wrong_account(rig: Rig) -> None:
    rig.identity = "Profile PAPER, but account U1…4567 is for live trading."


# --- what must follow


@dataclass(frozen=True)
class Row:
    """One row of the table. ``within_s``: market seconds until mode and line must be there."""

    fault: str
    broken: Break
    mode: Mode
    code: str
    severity: str
    within_s: float
    lock: str = ""


ROWS = (
    Row("socket lost", link(LinkState.DOWN), Mode.MANUAL, "LINK", "red", 1),
    Row("1100", link(LinkState.DEGRADED, 1100, "connectivity lost"), Mode.MANUAL, "LINK", "red", 1),
    Row("half-open", link(LinkState.DOWN, 0, "no answer for 6 s"), Mode.MANUAL, "LINK", "red", 1),
    Row("order unknown", lost_orders(AAPL), Mode.AUTO, "UNKNOWN:AAPL", "red", 15, lock="UNKNOWN"),
    Row("two orders unknown", lost_orders(AAPL, MSFT), Mode.MANUAL, "UNKNOWN:", "red", 15, lock="UNKNOWN"),
    Row("position mismatch", other_picture(fifty_more), Mode.AUTO, "DRIFT:AAPL", "amber", 60, lock="DRIFT"),
    Row("overfill", overfilled, Mode.HALTED, "", "red", 2),
    Row("silent data", silent, Mode.MANUAL, "PRICES", "amber", 30),
    Row("delayed data", delayed, Mode.MANUAL, "PRICES", "amber", 70),
    Row("impossible prices", nonsense, Mode.AUTO, "TICKS-s", "yellow", 1),
    Row("daily loss", account(lambda e: e * Decimal("0.965")), Mode.REDUCE_ONLY, "G17", "red", 1),
    Row("drawdown", account(lambda e: e * Decimal("0.89")), Mode.REDUCE_ONLY, "G18", "red", 1),
    Row("equity unavailable", account(lambda e: None), Mode.REDUCE_ONLY, "EQUITY", "red", 20),
    Row("loop lag", late_loop, Mode.MANUAL, "G24", "red", 2),
    Row("handler exception", handler_fails, Mode.HALTED, "FAILED-", "red", 2),
    Row("task death", task_dies, Mode.HALTED, "TASK-fills", "red", 2),
    Row("task of another part", provider_task_dies, Mode.MANUAL, "TASK-provider x", "red", 2),
    Row("timer exception", callback_fails, Mode.HALTED, "TASK-", "red", 2),
    Row("window frozen", window_freezes, Mode.AUTO, "WINDOW", "yellow", 7),
    Row("disk low", disk(150.0), Mode.REDUCE_ONLY, "DISK", "red", 5),
    Row("commits slow", slow_commits, Mode.MANUAL, "DISK-SLOW", "amber", 5),
    Row("disk full", disk_full, Mode.REDUCE_ONLY, "JOURNAL", "red", 5),
    Row("clock step", clock_set, Mode.AUTO, "CLOCK", "amber", 5),
    Row("clock skew", clock_off, Mode.MANUAL, "CLOCK-SKEW", "amber", 5),
    Row("trading halt", halted, Mode.AUTO, "HALT:AAPL", "yellow", 1),
    Row("model changed", model_changes, Mode.MANUAL, "MODEL:trees", "amber", 1),
    Row("audit chain broken", audit_tampered, Mode.OBSERVE, "AUDIT", "red", 5),
    Row("paper or live", wrong_account, Mode.OBSERVE, "IDENTITY", "red", 5),
    Row("trade elsewhere", other_picture(somebody_elses_order), Mode.AUTO, "EXTERNAL:AAPL", "yellow", 20, "EXTERNAL"),
)


@pytest.fixture(autouse=True)
def _disk_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a row does to the free space ends with it."""
    monkeypatch.setattr(vitals_module, "free_megabytes", lambda folder: 50_000.0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
async def test_a_fault_lowers_the_mode_says_so_in_time_and_nothing_rises_by_itself(row: Row, tmp_path: Path) -> None:
    rig = await Rig.open(spec_in(tmp_path / "p"))
    try:
        assert rig.mode is Mode.AUTO
        rig.alarms.clear()
        await row.broken(rig)

        def follows() -> bool:
            said = rig.said(row.code)
            return said is not None and (not row.lock or row.lock in rig.locks.values())

        await rig.until(follows, row.within_s)
        said = rig.said(row.code)
        assert (rig.mode, said.severity) == (row.mode, row.severity)
        assert said.happened
        assert not said.cleared
        await rig.run(180)
        assert rig.mode.level <= row.mode.level
        rig.mend()
        if row.fault != "audit chain broken":
            assert rig.rises() == []
    finally:
        rig.mend()
        await rig.close()


async def test_a_silent_source_that_speaks_again_ends_the_line_after_a_minute_and_auto_stays_off(tmp_path) -> None:
    rig = await Rig.open(spec_in(tmp_path / "p"))
    try:
        provider = rig.engine.parts.place.provider
        await provider.stop()
        await rig.until(lambda: rig.said("PRICES") is not None, 30)
        await provider.start()
        await rig.run(30)
        assert not rig.said("PRICES").cleared
        await rig.until(lambda: rig.said("PRICES").cleared, 90)
        await rig.run(600)
        assert rig.mode is Mode.MANUAL
        assert rig.rises() == []
    finally:
        await rig.close()


async def test_an_hour_of_the_market_without_a_fault_lights_no_lamp(tmp_path) -> None:
    rig = await Rig.open(spec_in(tmp_path / "p"))
    try:
        rig.alarms.clear()
        await rig.run(3600)
        assert rig.mode is Mode.AUTO
        assert [a.code for a in rig.alarms if not a.code.startswith(("HALT:", "G"))] == []
    finally:
        await rig.close()


async def test_after_a_clock_step_the_agent_sends_nothing_for_a_minute(tmp_path) -> None:
    rig = await Rig.open(spec_in(tmp_path / "p"))
    try:
        rig.wall.shift_s = -3.0
        await rig.until(lambda: rig.said("CLOCK") is not None, 5)
        vitals = rig.engine.parts.trading.governor._vitals.vitals()
        assert 0 <= rig.engine.clock.now() - vitals.clock_step_ns < 5 * SECOND
        await rig.until(lambda: rig.said("CLOCK").cleared, 70)
    finally:
        await rig.close()


async def test_a_window_that_stays_frozen_ends_auto_after_ten_minutes_and_one_that_thaws_does_not(tmp_path) -> None:
    rig = await Rig.open(spec_in(tmp_path / "p"))
    try:
        window = rig.made.window
        window.beat(1)
        await rig.until(lambda: window.frozen, 10)
        await rig.run(300)
        window.beat(1)
        assert "frozen for 30" in rig.said("WINDOW").happened
        window.left(1, in_order=True)
        await rig.run(900)
        assert rig.mode is Mode.AUTO
        window.beat(2)
        window.left(2, in_order=False)
        await rig.until(lambda: rig.mode is Mode.MANUAL, 620, step=10)
        assert rig.said("G34").severity == "red"
    finally:
        await rig.close()


async def test_a_pause_after_a_trade_elsewhere_ends_after_a_minute(tmp_path) -> None:
    rig = await Rig.open(spec_in(tmp_path / "p"))
    try:
        await other_picture(somebody_elses_order)(rig)
        await rig.until(lambda: rig.locks.get("AAPL") == "EXTERNAL", 20)
        await rig.run(62)
        assert rig.locks == {}
        assert rig.said("EXTERNAL:AAPL").cleared
        assert rig.mode is Mode.AUTO
    finally:
        await rig.close()


async def test_before_a_gateway_restart_it_is_warned_of_and_within_it_nothing_is_opened(tmp_path) -> None:
    windows = Windows(IbkrSettings(account="DU1234567", restart_at="09:47", restart_zone="America/New_York"))
    rig = await Rig.open(spec_in(tmp_path / "p"), windows=windows)
    try:
        await rig.until(lambda: rig.said("RESTART") is not None, 180)
        assert rig.said("RESTART").severity == "amber"
        assert rig.mode is Mode.AUTO
        await rig.until(lambda: rig.mode is Mode.REDUCE_ONLY, 900, step=5)
        assert "09:47" in rig.said("RESTART").happened
        await rig.run(420)
        assert rig.said("RESTART").cleared
        assert rig.mode is Mode.REDUCE_ONLY
        assert rig.rises() == []
    finally:
        await rig.close()


async def test_an_incomplete_first_comparison_halts_and_names_what_is_missing(tmp_path) -> None:
    rig = Rig(spec_in(tmp_path / "p"))
    broker = rig.engine.parts.broker
    honest = broker.snapshot_now
    broker.snapshot_now = lambda: msgspec.structs.replace(honest(), executions=None)
    await rig.start()
    try:
        await rig.run(5)
        assert rig.mode is Mode.HALTED
        assert rig.said("SYNC").severity == "red"
        assert "executions" in rig.said("SYNC").happened
        assert rig.rises() == []
    finally:
        await rig.close()


async def test_a_damaged_journal_is_set_aside_and_the_engine_only_observes(tmp_path) -> None:
    profile = tmp_path / "p"
    first = await Rig.open(spec_in(profile), auto=False)
    await first.run(60)
    await first.close()
    journal = profile / "journal.db"
    data = bytearray(journal.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    journal.write_bytes(data)
    (profile / "audit.anchor").unlink(missing_ok=True)
    rig = await Rig.open(spec_in(profile), auto=False)
    try:
        assert rig.mode is Mode.OBSERVE
        assert rig.said("DATABASE").severity == "red"
        assert list(profile.glob("journal.db.corrupt-*"))
        await rig.run(120)
        assert rig.mode is Mode.OBSERVE
    finally:
        await rig.close()


async def test_a_journal_of_a_newer_version_is_refused_and_stays_as_it_is(tmp_path) -> None:
    profile = tmp_path / "p"
    first = await Rig.open(spec_in(profile), auto=False)
    await first.close()
    connection = sqlite3.connect(profile / "journal.db", isolation_level=None)
    connection.execute("PRAGMA user_version = 999")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    kept = tmp_path / "kept.db"
    shutil.copy(profile / "journal.db", kept)
    with pytest.raises(SettingsError, match="999"):
        Rig(spec_in(profile))
    assert (profile / "journal.db").read_bytes() == kept.read_bytes()


async def test_an_audit_chain_broken_at_the_start_means_observe(tmp_path) -> None:
    profile = tmp_path / "p"
    first = await Rig.open(spec_in(profile))
    await first.run(600)
    await audit_tampered(first)
    await first.close()
    rig = await Rig.open(spec_in(profile), auto=False)
    try:
        assert rig.mode is Mode.OBSERVE
        assert rig.said("AUDIT").severity == "red"
    finally:
        await rig.close()


async def test_real_money_begins_closed_until_a_person_gives_the_pin(tmp_path) -> None:
    rig = await Rig.open(spec_in(tmp_path / "p", book=Book.LIVE), auto=False)
    try:
        modes = rig.engine.parts.trading.modes
        assert rig.mode is Mode.REDUCE_ONLY
        assert rig.said("LIVE").severity == "amber"
        rig.engine.parts.trading.modes._pin.set("2468")
        assert not modes.raise_to(Mode.MANUAL, "window", "open", pin="").ok
        assert modes.raise_to(Mode.MANUAL, "window", "open", pin="2468").ok
        await rig.run(2)
        assert rig.said("LIVE").cleared
    finally:
        await rig.close()


async def test_t_s3_auto_ends_when_nobody_shows_up_and_warns_before(tmp_path) -> None:
    risk = RiskSettings(presence_hours=0.25, lease_warn_minutes=5)
    rig = Rig(spec_in(tmp_path / "p", risk=risk))
    rig.engine.parts.trading.modes._lease = True  # a demo has no lease; this one is watched like a live market
    await rig.start()
    try:
        await rig.run(60)
        assert (await rig.engine.arm_auto("cli", "test")).ok
        await rig.until(lambda: rig.said("G34") is not None, 700, step=10)
        assert rig.said("G34").severity == "amber"
        assert rig.mode is Mode.AUTO
        await rig.until(lambda: rig.mode is Mode.MANUAL, 400, step=10)
        assert rig.said("G34").severity == "red"
        assert rig.rises() == []
    finally:
        await rig.close()


def test_the_thresholds_of_silence_are_those_of_the_market() -> None:
    """The watch and the cache must speak of the same silence."""
    from engine.operations.settings import OperationsSettings

    assert OperationsSettings().symbol_silent_s == MarketSettings().symbol_stale_s
    assert OperationsSettings().source_silent_s == MarketSettings().source_stale_s
