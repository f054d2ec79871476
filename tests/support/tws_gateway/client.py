"""Plain ib_async against the gateway: connect, a barrier instead of a sleep, and a wait with an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ib_async import IB, Contract, LimitOrder, Order, Stock, Trade

from tests.support.tws_gateway.server import TwsGateway

TURN = 0.002


async def barrier(ib: IB) -> None:
    """Return when everything the gateway has sent so far is handled (callbacks keep their order on the wire)."""
    await asyncio.wait_for(ib.reqCurrentTimeAsync(), 5)


async def until(condition: Callable[[], object], what: str = "condition", seconds: float = 5.0) -> None:
    """Wait for a condition; TimeoutError says what did not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        await asyncio.sleep(TURN)


@asynccontextmanager
async def connected(
    gateway: TwsGateway, client_id: int = 7, timeout: float = 5.0, raise_sync_errors: bool = True
) -> AsyncIterator[IB]:
    """An ib_async client that is connected and disconnects at the end."""
    ib = IB()
    await ib.connectAsync("127.0.0.1", gateway.port, client_id, timeout, raiseSyncErrors=raise_sync_errors)
    try:
        yield ib
    finally:
        ib.disconnect()
        await asyncio.sleep(0)


@asynccontextmanager
async def connected_in_memory(gateway: TwsGateway, client_id: int = 7, timeout: float = 5.0) -> AsyncIterator[IB]:
    """The same without a socket: works on a loop without I/O, in virtual time."""
    ib = IB()

    async def join(host: str, port: int) -> None:
        ib.client.conn.reset()  # type: ignore[no-untyped-call]
        ib.client.conn.transport = gateway.connect_in_memory(ib.client.conn)

    ib.client.conn.connectAsync = join  # type: ignore[method-assign]
    await ib.connectAsync("", 0, client_id, timeout, raiseSyncErrors=True)
    try:
        yield ib
    finally:
        ib.disconnect()
        for _ in range(4):
            await asyncio.sleep(0)


async def qualified(ib: IB, contract: Contract | str) -> Contract:
    """Qualify a contract (a plain string is a US stock)."""
    asked = Stock(contract, "SMART", "USD") if isinstance(contract, str) else contract
    found = await ib.qualifyContractsAsync(asked)
    if not isinstance(found[0], Contract):
        raise LookupError(f"{contract!r} could not be qualified: {found}")
    return found[0]


async def place(ib: IB, contract: Contract, order: Order) -> Trade:
    """Place (or change) an order and return when the gateway's answers are in."""
    order.tif = order.tif or "DAY"
    trade = ib.placeOrder(contract, order)
    await barrier(ib)
    return trade


async def working(ib: IB, ref: str = "w", limit: float = 150) -> Trade:
    """A limit order for 100 AAPL, far below the market unless said otherwise."""
    return await place(ib, await qualified(ib, "AAPL"), LimitOrder("BUY", 100, limit, orderRef=ref, tif="GTC"))
