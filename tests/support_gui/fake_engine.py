"""An engine of tables filled by hand behind the real server and outbox. Orders work at once, fill when told to.

Alone it moves: ``python -m tests.support_gui.fake_engine PROFILE [--book live] [--fail CODE]``.
"""

import argparse
import asyncio
import itertools
import math
import random
import sys
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np

from engine.api.commands import (
    Acknowledge,
    AnyCommand,
    Approve,
    CancelAll,
    CancelOrder,
    Flatten,
    GetBars,
    GetCapabilities,
    GetIndicator,
    GetIndicators,
    Halt,
    ModifyOrder,
    PlaceOrder,
    PreviewOrder,
    Receipt,
    Refuse,
    Resume,
    Scan,
    SetAutonomy,
    SetMode,
    SetPin,
    SetSpeed,
    Shutdown,
    Snooze,
)
from engine.api.frames import BarUpdate, Notice, QuoteBlock
from engine.api.rows import (
    TABLES,
    AlarmRow,
    AnyRow,
    FillRow,
    LimitRow,
    OrderRow,
    PositionRow,
    QuoteRow,
    SourceRow,
    StateRow,
    SuggestionRow,
)
from engine.bus.bus import Bus
from engine.bus.clock import LiveClock
from engine.model.decision import Denial, LimitUse, Verdict
from engine.model.events.market import BookChanged, TradeTick
from engine.model.events.system import StrategyChanged
from engine.model.ids import Symbol
from engine.model.order import OrderRequest
from engine.model.score import Evidence
from engine.runtime.outbox import Outbox
from engine.runtime.server import Server
from engine.runtime.strategies import AnyOf as StrategyCommand
from engine.views.table import Table
from tests.support_gui.fake_queries import FakeBroker, fake_queries
from tests.support_gui.fake_strategies import fake_strategies

D = Decimal
COLUMNS = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "previous_close")


class FakeQuotes:
    """Quotes in columns, all sent whenever any changed."""

    def __init__(self) -> None:
        self.version = 0
        self.values: list[list[float]] = []
        self.flags: list[int] = []
        self.ts = 1

    def since(self, version: int) -> QuoteBlock | None:
        if version >= self.version or not self.values:
            return None
        packed = {
            name: np.array([row[i] for row in self.values], dtype=np.float64).tobytes()
            for i, name in enumerate(COLUMNS)
        }
        count = len(self.values)
        return QuoteBlock(
            index=np.arange(count, dtype=np.int32).tobytes(),
            ts=np.full(count, self.ts, dtype=np.int64).tobytes(),
            flags=np.array(self.flags, dtype=np.uint8).tobytes(),
            **packed,
        )


class FakeBars:
    def __init__(self) -> None:
        self.bars: dict[tuple[str, int], BarUpdate] = {}

    def forming(self, symbol: str, seconds: int) -> BarUpdate | None:
        return self.bars.get((symbol, seconds))

    def closed(self, symbol: str, seconds: int, since_ns: int) -> tuple[BarUpdate, ...]:
        return ()


def _raise(owner: str, _role: object, _event: object, error: Exception) -> None:
    raise RuntimeError(owner) from error


class FakeEngine:
    """Fill ``tables``; read ``commands``."""

    def __init__(self, profile: Path, book: str = "paper") -> None:
        self.book = book
        self.tables = {name: Table(name) for name in TABLES}
        self.quotes = FakeQuotes()
        self.bars = FakeBars()
        self.commands: list[AnyCommand] = []
        self.pin = ""
        self.denials: tuple[Denial, ...] = ()
        self.refuse: dict[type[object], Receipt] = {}
        """Answers to kinds of commands, instead of the usual ones."""
        self.silent = False
        """Swallow commands: no answer ever comes."""
        self.stopped = asyncio.Event()
        self._released = asyncio.Event()
        self.clock = LiveClock()
        self.bus = Bus(_raise)
        self._symbols: dict[str, int] = {}
        self._refs = itertools.count(1)
        self.outbox = Outbox(
            self.bus, self.clock, self.tables, self.quotes, self.bars, (StrategyChanged,), lambda: None
        )
        self.broker = FakeBroker()
        self.queries = fake_queries(bars_data, lambda: tuple(self._symbols), self.broker)
        self.strategies = fake_strategies(self.bus, self.clock, profile, bars_data, lambda: tuple(self._symbols))
        self.beats: list[int] = []
        self.goodbyes: list[bool] = []
        self.server = Server(profile, "test", self.outbox, self.handle, self)

    def beat(self, client: int) -> None:
        """A window lives."""
        self.beats.append(client)

    def left(self, client: int, in_order: bool) -> None:
        """A connection ended."""
        self.goodbyes.append(in_order)

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        self._released.set()
        await asyncio.sleep(0)
        await self.server.stop()

    # --- filling

    def put(self, table: str, *rows: AnyRow) -> None:
        for row in rows:
            self.tables[table].put(row)

    def state(self, **changes: object) -> StateRow:
        row = self.tables["state"].get("state")
        if not isinstance(row, StateRow):
            live = self.book == "live"
            now = time.time_ns()
            row = StateRow(
                key="state",
                book=self.book,
                mode="MANUAL",
                autonomy="ask",
                account="U4412318" if live else "DU1234567",
                equity=D("48210.35") if live else D("1000000.00"),
                cash=D("830210.00"),
                day_pnl=D("1234.56"),
                day_pnl_percent=0.12,
                risk_used=0.38,
                link="up",
                now_ns=now,
                session="open",
                session_date="2026-11-20",
                session_open_ns=now - 6 * 3600 * 10**9,
                session_close_ns=now + 1073 * 10**9,
                symbols=500,
                quotes_per_s=12_400.0,
                disk_free_gb=61.0,
                llm_spent=0.41,
                llm_budget=2.0,
                engine_lag_ms=1.0,
            )
        row = msgspec.structs.replace(row, **changes)
        self.put("state", row)
        return row

    def quote(self, symbol: str, bid: float, ask: float, *, flags: int = 0, previous: float | None = None) -> None:
        """Set a quote; a new symbol gets its row."""
        index = self._symbols.get(symbol)
        last = round((bid + ask) / 2, 2)
        if index is None:
            index = self._symbols[symbol] = len(self._symbols)
            self.quotes.values.append([math.nan] * len(COLUMNS))
            self.quotes.flags.append(0)
            self.put("quotes", QuoteRow(key=symbol, index=index, name=f"{symbol} Inc.", currency="USD"))
        close = self.quotes.values[index][6] if previous is None else previous
        close = last * 0.99 if math.isnan(close) else close
        self.quotes.values[index] = [bid, ask, 300.0, 400.0, last, 212_000.0, close]
        self.quotes.flags[index] = flags
        self.quotes.ts = time.time_ns()
        self.quotes.version += 1

    def suggest(self, number: int, symbol: str, side: str = "BUY", entry: str = "190.10", **changes: object) -> str:
        key = f"S-{number}"
        price = D(entry)
        sign = 1 if side == "BUY" else -1
        row = SuggestionRow(
            key=key,
            symbol=symbol,
            side=side,
            quantity=D(100),
            entry=price,
            stop=price - sign * D("2.20"),
            target=price + sign * D("3.90"),
            risk=D("220.00"),
            state="PENDING",
            horizon="5 days",
            strategy="swing",
            evidence_state="CANDIDATE",
            made_ns=time.time_ns(),
            expires_ns=time.time_ns() + 372 * 10**9,
            probability=0.57,
            probability_low=0.52,
            probability_high=0.61,
            worth=D("21.40"),
            reference_price=float(price),
            drift=0.04,
            drift_atr=0.1,
            sources=(
                ("technical", 2.1, 0.11, "CANDIDATE"),
                ("ml", 3.4, 0.19, "PREDICTIVE"),
                ("news", 1.9, 0.12, "TRADEABLE"),
                ("fundamentals", -0.7, 0.06, "NO EVIDENCE"),
                ("llm", 1.2, 0.07, "CANDIDATE"),
                ("null", -1.3, 0.42, ""),
            ),
            evidence=(
                Evidence(id="E1", source="technical", kind="bar", text="2 closes above EMA 50 since 15:25",
                         direction=1, available_at=time.time_ns()),
                Evidence(id="E3", source="news", kind="news", text="8-K 7.01: guidance raised", direction=1,
                         available_at=time.time_ns()),
                Evidence(id="E4", source="fundamentals", kind="fundamental", text="EPS revisions 30 d: 3 raised, 5 cut",
                         direction=-1, available_at=time.time_ns()),
            ),
            approval_hash=f"hash-{number}",
            record_n=149,
            record_hit=0.56,
            invalidation="5-min close < 188.60, or guidance withdrawn",
        )  # fmt: skip
        self.put("suggestions", msgspec.structs.replace(row, **changes))
        return key

    def order(self, request: OrderRequest, **changes: object) -> OrderRow:
        now = time.time_ns()
        row = OrderRow(
            key=f"ma-4567-261120-{next(self._refs):05d}-M",
            symbol=request.symbol,
            side=request.side.value,
            quantity=request.quantity,
            filled=D(0),
            state="WORKING",
            order_type=request.order_type.value,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            tif=request.tif.value,
            working=True,
            leg="entry",
            created_ns=now,
            changed_ns=now,
            suggestion=request.suggestion_id or "",
        )
        row = msgspec.structs.replace(row, **changes)
        self.put("orders", row)
        return row

    def fill(self, ref: str, price: str) -> None:
        """Fill an order whole: blotter, fill, position, day's result, notice."""
        row = self.tables["orders"].get(ref)
        assert isinstance(row, OrderRow)
        done = msgspec.structs.replace(
            row, filled=row.quantity, state="FILLED", working=False, average_price=D(price), changed_ns=time.time_ns()
        )
        self.put("orders", done)
        now = time.time_ns()
        self.put(
            "fills",
            FillRow(key=f"x-{ref}", ref=ref, symbol=row.symbol, side=row.side, quantity=row.quantity,
                    price=D(price), commission=D("1.00"), ts_event=now),
        )  # fmt: skip
        sign = 1 if row.side == "BUY" else -1
        self.put(
            "positions",
            PositionRow(
                key=row.symbol, symbol=row.symbol, quantity=sign * row.quantity, average_price=D(price),
                last=float(price), mark=D(price), open_pnl=D("0.00"), open_pnl_percent=0.0, protected="stop at broker",
                opened_by="agent" if row.suggestion else "you", opened_ns=now,
            ),
        )  # fmt: skip
        self.notice("OrderFilled", ref=ref, symbol=row.symbol, side=row.side, status={"filled": str(row.quantity)},
                    fill={"quantity": str(row.quantity), "price": price, "side": row.side, "symbol": row.symbol,
                          "ts_event": now, "exec_id": f"x-{ref}"})  # fmt: skip

    def notice(self, kind: str, **event: object) -> None:
        outbox = self.outbox
        outbox._notice_seq += 1
        outbox.notices.append(Notice(seq=outbox._notice_seq, kind=kind, event=dict(event)))

    # --- answering

    async def handle(self, command: AnyCommand) -> Receipt:
        self.commands.append(command)
        if self.silent:
            await self._released.wait()
        if type(command) in self.refuse:
            return self.refuse[type(command)]
        match command:
            case GetIndicator():
                return await self.queries.indicator(command)
            case Scan():
                return await self.queries.scan(command)
            case _ if isinstance(command, StrategyCommand):
                return await self.strategies.answer(command)
            case GetIndicators():
                return self.queries.indicators()
            case GetCapabilities():
                return self.queries.capabilities()
            case SetPin() | SetMode():
                return self._up(command)
        return self._answer(command)

    def _answer(self, command: AnyCommand) -> Receipt:
        if isinstance(command, PreviewOrder):
            request = command.request
            price = request.limit_price or D("190.00")
            verdict = Verdict(
                request=request, denials=self.denials, notional=price * request.quantity,
                risk=None if request.stop_loss is None else abs(price - request.stop_loss) * request.quantity,
                margin=price * request.quantity / 2, commission=D("1.00"), position_after=request.quantity,
                risk_used_after=0.41,
            )  # fmt: skip
            return Receipt(ok=not self.denials, denials=self.denials, data={"verdict": msgspec.to_builtins(verdict)})
        if isinstance(command, PlaceOrder):
            if self.denials:
                return Receipt(ok=False, code="DENIED", denials=self.denials)
            row = self.order(command.request)
            return Receipt(ok=True, text="working at the broker", data={"ref": row.key, "state": row.state})
        if isinstance(command, Approve):
            row = self.tables["suggestions"].get(command.suggestion_id)
            if not isinstance(row, SuggestionRow) or command.approval_hash != row.approval_hash:
                return Receipt(ok=False, code="G32", text="what was shown is not what it is now")
            order = OrderRow(
                key=f"ma-4567-261120-{next(self._refs):05d}-A", symbol=row.symbol, side=row.side,
                quantity=row.quantity, filled=D(0), state="WORKING", order_type="LMT", limit_price=row.entry, tif="DAY",
                working=True, leg="entry", suggestion=row.key, created_ns=time.time_ns(), changed_ns=time.time_ns(),
            )  # fmt: skip
            self.put("orders", order)
            self.put("suggestions", msgspec.structs.replace(row, state="APPROVED"))
            return Receipt(ok=True, data={"refs": [order.key]})
        return self._answer_small(command)

    def _up(self, command: SetPin | SetMode) -> Receipt:
        given = command.old if isinstance(command, SetPin) else command.pin
        if self.pin and given != self.pin:
            return Receipt(ok=False, code="PIN", text="The PIN is wrong.")
        if isinstance(command, SetPin):
            self.pin = command.new
            self.state(pin_set=True)
            return Receipt(ok=True, text="The PIN is set.")
        self.state(mode=command.mode.value)
        return Receipt(ok=True)

    def _answer_small(self, command: AnyCommand) -> Receipt:
        if isinstance(command, GetBars):
            return Receipt(ok=True, data=bars_data(command.symbol, command.seconds, command.count))
        if isinstance(command, Halt):
            self._cancel(lambda row: row.leg == "entry")
            self.state(mode="HALTED", halted=True, halt_reason=command.reason)
            return Receipt(ok=True, text="halted")
        if isinstance(command, Resume):
            self.state(mode="MANUAL", halted=False, halt_reason="")
        if isinstance(command, CancelAll):
            self._cancel(lambda row: row.leg == "entry" and command.symbol in (None, row.symbol))
        if isinstance(command, CancelOrder):
            self._cancel(lambda row: row.key == command.ref)
        if isinstance(command, ModifyOrder):
            row = self.tables["orders"].get(command.ref)
            assert isinstance(row, OrderRow)
            changes = {"limit_price": command.limit_price, "stop_price": command.stop_price}
            self.put("orders", msgspec.structs.replace(row, **{k: v for k, v in changes.items() if v is not None}))
        if isinstance(command, Flatten):
            self.put("log")
        if isinstance(command, Refuse | Snooze):
            row = self.tables["suggestions"].get(command.suggestion_id)
            if isinstance(row, SuggestionRow):
                state = "REJECTED" if isinstance(command, Refuse) else "SNOOZED"
                self.put("suggestions", msgspec.structs.replace(row, state=state))
        if isinstance(command, SetSpeed):
            self.state(speed=command.speed, paused=command.speed == 0)
        if isinstance(command, SetAutonomy):
            self.state(autonomy=command.autonomy.value)
        if isinstance(command, Acknowledge):
            row = self.tables["alarms"].get(command.code)
            if isinstance(row, AlarmRow):
                self.put("alarms", msgspec.structs.replace(row, acknowledged=True))
        if isinstance(command, Shutdown):
            self.stopped.set()
        return Receipt(ok=True)

    def _cancel(self, wanted: object) -> None:
        for row in self.tables["orders"].rows():
            if isinstance(row, OrderRow) and row.working and wanted(row):  # type: ignore[operator]
                self.put("orders", msgspec.structs.replace(row, state="CANCELLED", working=False))

    # --- a picture of a day

    def furnish(self) -> None:
        """Fill every table so that a person can look at the window."""
        self.state()
        for number, (symbol, price, change) in enumerate(_SYMBOLS):
            self.quote(symbol, price - 0.01, price + 0.01, previous=price / (1 + change / 100))
            badges = {"NVDA": ("E2d",), "AAPL": ("N2",), "PLTR": ("HALT",)}.get(symbol, ())
            self.put(
                "quotes",
                QuoteRow(key=symbol, index=number, name=f"{symbol} Inc.", sector="Technology", held=number < 7,
                         badges=badges, currency="USD"),
            )  # fmt: skip
        self.suggest(1042, "AAPL")
        self.suggest(1040, "NVDA", "SELL", "134.58", probability=0.48, probability_low=0.44, probability_high=0.53)
        self.suggest(1038, "AMD", "BUY", "168.40", drift=1.65, drift_atr=1.4, reason="price moved +1.65, 1.4 ATR")
        now = time.time_ns()
        for number, (symbol, quantity, average) in enumerate(_POSITIONS):
            last = {s: p for s, p, _ in _SYMBOLS}[symbol]
            pnl = D(str(round((last - average) * quantity, 2)))
            self.put(
                "positions",
                PositionRow(
                    key=symbol, symbol=symbol, quantity=D(quantity), average_price=D(str(average)), last=last,
                    mark=D(str(last)),
                    open_pnl=pnl, open_pnl_percent=(last / average - 1) * 100, stop=D(str(round(average * 0.98, 2))),
                    target=D(str(round(average * 1.04, 2))), to_stop=D("-488.00"), protected="stop at broker",
                    opened_by="agent S-1026" if number % 2 else "you", opened_ns=now,
                ),
            )  # fmt: skip
            for leg, price, kind in (("stop", average * 0.98, "STP"), ("target", average * 1.04, "LMT")):
                exact = D(str(round(price, 2)))
                self.put(
                    "orders",
                    OrderRow(
                        key=f"ma-4567-261120-{symbol}{leg}-P", symbol=symbol, side="SELL", quantity=D(quantity),
                        filled=D(0), state="WORKING", order_type=kind, limit_price=exact if kind == "LMT" else None,
                        stop_price=exact if kind == "STP" else None, tif="GTC", working=True, leg=leg,
                        oca=f"oca-{symbol}", created_ns=now, changed_ns=now,
                    ),
                )  # fmt: skip
        self.put(
            "sources",
            SourceRow(key="simulated", kind="data", state="up", text="simulated market", lag_ms=3.0, rate=12_400.0),
            SourceRow(key="paper", kind="broker", state="up", text="paper exchange", lag_ms=1.0),
            SourceRow(key="llm", kind="llm", state="up", text="0.41 of 2.00 $"),
        )
        self.put("limits", LimitRow(key="G17", use=LimitUse(code="G17", title="Daily loss", used=0.2, limit=1.0)))

    async def move(self) -> None:
        """Let prices walk until the engine is told to shut down."""
        rng = random.Random(1)
        while not self.stopped.is_set():
            for symbol, index in self._symbols.items():
                last = self.quotes.values[index][4] * (1 + rng.gauss(0, 0.0002))
                self.quote(symbol, round(last - 0.01, 2), round(last + 0.01, 2))
                if symbol == "AAPL":
                    self._move_book(symbol, last, rng)
            self.state(now_ns=time.time_ns())
            await asyncio.sleep(0.1)

    def _move_book(self, symbol: str, last: float, rng: random.Random) -> None:
        now = time.time_ns()
        prices = (
            [round(last - 0.01 - i * 0.01, 2) for i in range(10)],
            [round(last + 0.01 + i * 0.01, 2) for i in range(10)],
        )
        sizes = [tuple(float(rng.randint(1, 12) * 100) for _ in range(10)) for _ in range(2)]
        self.bus.publish(
            BookChanged(symbol=Symbol(symbol), bid_prices=tuple(prices[0]), bid_sizes=sizes[0],
                        ask_prices=tuple(prices[1]), ask_sizes=sizes[1], ts_event=now, ts_init=now)
        )  # fmt: skip
        self.bus.publish(
            TradeTick(symbol=Symbol(symbol), price=round(last, 2), size=float(rng.randint(1, 9) * 100),
                      aggressor=rng.choice((-1, 1)), ts_event=now, ts_init=now)
        )  # fmt: skip
        for seconds in (60, 300):
            start = now // (seconds * 10**9) * seconds * 10**9
            self.bars.bars[(symbol, seconds)] = BarUpdate(
                symbol=symbol, seconds=seconds, ts_open=start, open=last - 0.1, high=last + 0.2, low=last - 0.2,
                close=round(last, 2), volume=50_000.0,
            )  # fmt: skip


_SYMBOLS = (
    ("AAPL", 190.34, 0.94), ("MSFT", 423.08, 0.41), ("NVDA", 134.62, 2.18), ("XOM", 112.95, -0.72),
    ("JPM", 244.27, 0.36), ("SPY", 598.61, 0.22), ("KO", 62.71, -0.27), ("AMD", 170.05, 1.87), ("AMZN", 220.16, 0.58),
    ("GOOG", 178.42, -0.14), ("META", 561.70, -0.63), ("AVGO", 171.33, 1.12), ("TSLA", 339.10, -1.94),
    ("NFLX", 886.25, 0.29), ("CRM", 327.84, 0.07), ("ORCL", 189.66, 0.81), ("INTC", 24.38, -1.41),
    ("PLTR", 64.12, 3.05), ("CVX", 161.04, -0.55), ("BAC", 46.91, 0.47),
)  # fmt: skip
_POSITIONS = (("AAPL", 200, 189.19), ("MSFT", 60, 421.15), ("NVDA", 150, 131.84), ("XOM", 180, 113.62),
              ("JPM", 90, 243.10), ("SPY", 40, 597.20), ("KO", 300, 62.88))  # fmt: skip


def bars_data(symbol: str, seconds: int, count: int) -> dict[str, object]:
    """A seeded walk that ends at the present price."""
    rng = np.random.default_rng(abs(hash(symbol)) % 2**32 if symbol != "AAPL" else 7)
    end = {s: p for s, p, _ in _SYMBOLS}.get(symbol, 100.0)
    step = seconds * 10**9
    last = time.time_ns() // step * step
    ts = last - np.arange(count - 1, -1, -1, dtype=np.int64) * step
    walk = np.cumsum(rng.normal(0, 0.0012, count))
    close = np.round(end * np.exp(walk - walk[-1]), 2)
    opened = np.concatenate([[close[0]], close[:-1]])
    high = np.round(np.maximum(opened, close) + np.abs(rng.normal(0, 0.1, count)), 2)
    low = np.round(np.minimum(opened, close) - np.abs(rng.normal(0, 0.1, count)), 2)
    volume = np.round(rng.lognormal(10, 0.6, count))
    arrays = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    return {"symbol": symbol, "seconds": seconds, "ts_open": ts.tobytes(),
            **{name: array.astype(np.float64).tobytes() for name, array in arrays.items()}}  # fmt: skip


async def _main(arguments: argparse.Namespace) -> int:
    if arguments.fail:
        print("settings.yaml, line 3: ibkr.port: 70000 is above 65535", file=sys.stderr)
        return int(arguments.fail)
    engine = FakeEngine(arguments.profile, arguments.book)
    engine.furnish()
    await engine.start()
    await engine.move()
    await asyncio.sleep(0.1)
    await engine.stop()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("profile", type=Path)
    parser.add_argument("--book", default="paper")
    parser.add_argument("--fail", type=int, default=0)
    sys.exit(asyncio.run(_main(parser.parse_args())))
