"""Where the engine stands: the mode strip's row and the command line's answer, from the same parts."""

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

import msgspec

from engine.api.rows import SourceRow, StateRow, SuggestionRow
from engine.bus.clock import Clock, ReplayClock
from engine.execution.broker import Broker
from engine.model.market import Session
from engine.model.money import ZERO, cents
from engine.model.order import OrderState
from engine.model.suggestion import SuggestionState
from engine.risk.limits import HELD
from engine.runtime.lag import LagMeter
from engine.runtime.rebasing import BY_HAND
from engine.runtime.spec import EngineSpec
from engine.runtime.trading import Trading
from engine.runtime.vitals import free_megabytes
from engine.runtime.worth import Worth
from engine.views.table import Table

UNSURE = (OrderState.UNKNOWN,)
RATE_WINDOW_NS = 1_000_000_000


class Counted(Protocol):
    ticks: int

    def symbol_count(self) -> int: ...


class Status:
    """Reads; owns nothing but the rate of quotes."""

    def __init__(
        self,
        spec: EngineSpec,
        clock: Clock,
        trading: Trading,
        broker: Broker,
        lag: LagMeter,
        session_at: Callable[[int], Session | None],
    ) -> None:
        self._spec, self._clock, self._trading, self._broker = spec, clock, trading, broker
        self._lag, self._session_at = lag, session_at
        self._worth = Worth()
        self._quotes: Counted | None = None
        self._sources: Table | None = None
        self._suggestions: Table | None = None
        self._clients: Callable[[], tuple[str, ...]] = tuple
        self._rate = (0, 0, 0.0)
        self._disk: tuple[int, float | None] = (0, None)

    def connect(self, quotes: Counted, tables: dict[str, Table]) -> None:
        """Take the views, which are made later."""
        self._quotes, self._sources, self._suggestions = quotes, tables["sources"], tables["suggestions"]

    def open(self, clients: Callable[[], tuple[str, ...]]) -> None:
        """Take the door, which opens last."""
        self._clients = clients

    def row(self) -> StateRow:
        """The one row of the mode strip."""
        trading, now = self._trading, self._clock.now()
        account = trading.ledger.account()
        session = self._session_at(now)
        day, realised = trading.ledger.day_pnl(), trading.ledger.day_realised()
        start = account.session_equity if account is not None else None
        equity = self._worth.equity(account, trading.ledger.equity())
        replay = self._clock if isinstance(self._clock, ReplayClock) else None
        orders = trading.desk.open_orders()
        return StateRow(
            key="state",
            book=self._spec.book.value,
            mode=trading.modes.mode.value,
            autonomy=trading.modes.autonomy.value,
            account=self._broker.account_id,
            currency=account.currency if account is not None else "USD",
            equity=cents(equity) if equity is not None else None,
            cash=sum(account.cash.values(), ZERO) if account is not None else None,
            day_pnl=cents(day) if day is not None else None,
            day_realised=cents(realised) if realised is not None else None,
            day_pnl_percent=float(day / start) * 100 if day is not None and start else None,
            risk_used=trading.gate.risk_at_stops(),
            link=self._broker.link.value,
            now_ns=now,
            simulated_time=replay is not None,
            speed=replay.speed if replay is not None else 1.0,
            paused=replay.paused if replay is not None else False,
            session=session.state.value if session is not None else "closed",
            session_date=session.date if session is not None else "",
            session_open_ns=session.open_ns if session is not None else 0,
            session_close_ns=session.close_ns if session is not None else 0,
            next_open_ns=session.next_open_ns if session is not None else 0,
            halted=trading.modes.halted,
            halt_reason=trading.modes.reason,
            pin_set=trading.modes.pin_set,
            latches=self._off(),
            reconciled_ns=trading.desk.reconciled_ns,
            unknown=sum(1 for order in orders if order.state in UNSURE),
            working=sum(1 for order in orders if not order.state.closed),
            engine_lag_ms=round(self._lag.recent, 1),
            clients=self._clients(),
            programs_trade=self._spec.programs_trade,
            symbols=self._quotes.symbol_count() if self._quotes is not None else 0,
            quotes_per_s=self._quote_rate(),
            disk_free_gb=self._disk_gb(),
            engine_pid=os.getpid(),
            version=self._spec.build,
        )

    def _off(self) -> tuple[tuple[str, str, str], ...]:
        """What a person may arm again: latches, locks of symbols that do not end by themselves, raises by the file."""
        modes = self._trading.modes
        locks = ((lock.code, symbol, lock.reason) for symbol, lock in modes.locks.items() if lock.code in BY_HAND)
        held = (
            (HELD, key, f"raised in the settings file from {was} to {wanted}; it waits for your PIN")
            for key, (was, wanted) in self._trading.limits.held().items()
        )
        return (*((latch.code, latch.scope, latch.text) for latch in modes.latched), *locks, *held)

    def answer(self) -> dict[str, object]:
        """The answer of ``status --json``."""
        row, trading = self.row(), self._trading
        account = trading.ledger.account()
        positions: list[dict[str, object]] = [
            {"symbol": p.symbol, "quantity": p.quantity, "average_price": p.average_price}
            for p in trading.ledger.positions().values()
            if p.quantity != ZERO
        ]
        orders: list[dict[str, object]] = [
            {
                "ref": o.ref,
                "symbol": o.request.symbol,
                "side": o.request.side.value,
                "quantity": o.request.quantity,
                "filled": o.filled,
                "state": o.state.value,
                "external": o.external,
            }
            for o in trading.desk.open_orders()
        ]
        cash: dict[str, Decimal] = dict(account.cash) if account is not None else {}
        return {
            "book": row.book,
            "mode": row.mode,
            "autonomy": row.autonomy,
            "link": row.link,
            "account": row.account,
            "cash": cash,
            "equity": row.equity,
            "positions": positions,
            "orders": orders,
            "unknown": [o.ref for o in trading.desk.open_orders() if o.state in UNSURE],
            "locks": [{"symbol": s, "reason": lock.reason} for s, lock in trading.modes.locks.items()],
            "differences": [
                {"symbol": d.symbol, "ours": d.ours, "theirs": d.theirs} for d in trading.desk.adoption.differences
            ],
            "mandate": msgspec.to_builtins(trading.mandates.current),
            "sources": self._source_answers(),
            "suggestions": self._suggestion_answers(),
            "reconciled_at": row.reconciled_ns,
            "now": row.now_ns,
            "session": row.session,
            "halted": row.halted,
            "reason": row.halt_reason,
            "pin_set": row.pin_set,
            "programs_trade": row.programs_trade,
            "clients": list(row.clients),
            "latches": [{"code": code, "scope": scope, "text": text} for code, scope, text in row.latches],
            "engine_lag_ms": {
                "recent": row.engine_lag_ms,
                "p99": round(self._lag.percentile(0.99), 1),
                "worst": round(self._lag.worst, 1),
            },
            "pid": row.engine_pid,
        }

    def _source_answers(self) -> list[dict[str, object]]:
        rows = self._sources.rows() if self._sources is not None else iter(())
        return [
            {"name": r.key, "kind": r.kind, "state": r.state, "lag_ms": r.lag_ms}
            for r in rows
            if isinstance(r, SourceRow)
        ]

    def _suggestion_answers(self) -> list[dict[str, object]]:
        rows = self._suggestions.rows() if self._suggestions is not None else iter(())
        return [
            {
                "id": r.key,
                "symbol": r.symbol,
                "side": r.side,
                "quantity": r.quantity,
                "entry": r.entry,
                "stop": r.stop,
                "target": r.target,
                "state": r.state,
                "strategy": r.strategy,
                "expires": r.expires_ns,
            }
            for r in rows
            if isinstance(r, SuggestionRow) and SuggestionState(r.state).open
        ]

    def _quote_rate(self) -> float:
        if self._quotes is None:
            return 0.0
        now, ticks = self._clock.monotonic(), self._quotes.ticks
        since, count, rate = self._rate
        if now - since >= RATE_WINDOW_NS:
            rate = (ticks - count) / ((now - since) / 1e9) if since else 0.0
            self._rate = (now, ticks, rate)
        return round(rate, 1)

    def _disk_gb(self) -> float | None:
        now = self._clock.monotonic()
        if now - self._disk[0] > 10 * RATE_WINDOW_NS or self._disk[1] is None:
            free = free_megabytes(self._spec.profile)
            self._disk = (now, round(free / 1024, 1) if free is not None else None)
        return self._disk[1]
