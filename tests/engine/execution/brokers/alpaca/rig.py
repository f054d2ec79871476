"""The real Alpaca broker over sockets in front of the fake server, with the order desk and its journal behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.bus.clock import SECOND
from engine.execution.brokers.alpaca.broker import AlpacaBroker
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.execution.settings import ExecutionSettings
from engine.model.decision import Mode
from engine.model.ids import AccountId, OrderRef
from engine.model.order import ClearedOrder, OrderRequest
from engine.model.report import AnyReport, LinkState
from engine.security.secret import Secret
from tests.engine.execution.brokers.ibkr.rig import LoopClock
from tests.support.alpaca_server.server import AlpacaServer
from tests.support.desk_rig import START, Rig

ACCOUNT = AccountId("PA0000000001")
BEGIN = datetime.fromtimestamp(START / SECOND, UTC)
QUICK = ExecutionSettings(
    silence_s=1, claim_s=0.5, cancel_s=1, orders_every_s=5, settle_grace_s=0.1, absent_gap_s=1, round_timeout_s=3
)


def settings_for(server: AlpacaServer, **values: Any) -> AlpacaSettings:
    fields = {
        "base_url": server.base_url,
        "stream_url": server.order_stream_url,
        "account": server.account_number,
        "request_timeout_s": 0.8,
        "retry_first_s": 0.05,
        "retry_most_s": 0.2,
        "ping_s": 1,
        "requests_per_minute": 10_000,
    }
    return AlpacaSettings(**{**fields, **values})


def make_broker(
    server: AlpacaServer,
    clock: LoopClock,
    *,
    live: bool = False,
    key: str = "PKTEST",
    order: Callable[[OrderRef], Any] = lambda ref: None,
    family: Callable[[OrderRef], Any] = lambda ref: (),
    **values: Any,
) -> AlpacaBroker:
    return AlpacaBroker(
        clock,
        settings_for(server, **values),
        np.random.default_rng(1),
        key=Secret(key),
        secret=Secret("not-a-secret"),
        live=live,
        order=order,
        family=family,
    )


class AlpacaRig(Rig):
    """`async with alpaca_rig(...)`. Every POST must find a committed SENDING row (T-X3)."""

    def __init__(self, folder: Path, server: AlpacaServer, clock: LoopClock, **values: Any) -> None:
        self.server = server
        self.values = values
        self.reports: list[AnyReport] = []
        self.alpaca = self._new_broker(clock)
        super().__init__(folder, broker=self.alpaca, clock=clock, settings=QUICK)  # type: ignore[arg-type]

    def _new_broker(self, clock: LoopClock) -> AlpacaBroker:
        broker = make_broker(
            self.server, clock, order=lambda ref: self.desk.order(ref), family=self._family, **self.values
        )
        place, attach = broker.place, broker.attach

        def watched(order: ClearedOrder) -> None:
            self._check_marks(order)
            place(order)

        def heard(sink: Callable[[AnyReport], None]) -> None:
            attach(lambda report: (self.reports.append(report), sink(report))[1])

        broker.place = watched  # type: ignore[method-assign]
        broker.attach = heard  # type: ignore[method-assign]
        return broker

    def _family(self, ref: OrderRef) -> list[tuple[OrderRef, OrderRequest]]:
        return [(s.ref, s.request) for s in self.desk.orders().values() if s.parent_ref == ref]

    async def start(self) -> "AlpacaRig":
        await super().start()
        await self.alpaca.start()
        await self.wait(lambda: self.desk.synced)
        return self

    async def restart(self, mode: Mode = Mode.MANUAL, crash: bool = True) -> "AlpacaRig":
        await self.desk.stop()
        await self.alpaca.stop()
        self.journal.database.close() if crash else self.journal.close()
        self.alpaca = self.broker = self._new_broker(self.clock)  # type: ignore[assignment,arg-type]
        self._build(mode)
        return await self.start()

    async def close(self) -> None:
        await self.desk.stop()
        await self.alpaca.stop()
        self.journal.close()
        assert not self.failures, self.failures

    async def wait(self, holds: Callable[[], bool], seconds: float = 8.0) -> None:
        """Wait until something holds."""
        for _ in range(round(seconds / 0.02)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not come to hold in time")

    async def until_state(self, ref: str, *states: str, seconds: float = 8.0) -> None:
        try:
            await self.wait(lambda: self.state(ref) in states, seconds)
        except AssertionError:
            raise AssertionError(f"{ref} is {self.state(ref)}, not {states}") from None

    def buy(self, price: str = "150", quantity: int = 10, **fields: Any) -> OrderRef:
        return self.submit(self.request("AAPL", quantity=quantity, price=price, **fields))

    @property
    def link(self) -> LinkState:
        return self.alpaca.link


@asynccontextmanager
async def alpaca_rig(folder: Path, monkeypatch: pytest.MonkeyPatch, **values: Any) -> AsyncIterator[AlpacaRig]:
    monkeypatch.setattr("tests.support.desk_rig.ACCOUNT", ACCOUNT)
    trouble: list[dict[str, Any]] = []

    def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # The server ends its connections by cancelling their tasks.
        if not isinstance(context.get("exception"), asyncio.CancelledError):
            trouble.append(context)

    asyncio.get_running_loop().set_exception_handler(note)
    async with AlpacaServer(start=BEGIN, requests_a_minute=10_000) as server:
        rig = await AlpacaRig(folder, server, LoopClock(), **values).start()
        try:
            yield rig
        finally:
            await rig.close()
        assert server.faults.never_fired() == []
    assert not trouble, trouble
