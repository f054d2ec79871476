"""An opening with real money asks the broker first; a cancel that comes meanwhile wins."""

import asyncio
from decimal import Decimal

from engine.api.commands import CancelAll, PlaceOrder, PreviewOrder
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.model.decision import Book, Mode
from engine.model.ids import Symbol
from engine.runtime.engine import Engine
from tests.engine.runtime.test_live_venues import TWO, bracket, until
from tests.support.tws_gateway.server import TwsGateway


async def begun(make_spec, gateway: TwsGateway, book: Book, account: str) -> Engine:
    ibkr = IbkrSettings(port=gateway.port, account=account, retry_first_s=0.2)
    engine = Engine(make_spec(universe=TWO[:1], demo=None, book=book, broker="ibkr", ibkr=ibkr, speed=1.0))
    await engine.start()
    await engine.listen()
    await until(lambda: engine.parts.trading.desk.synced)
    await until(lambda: engine.parts.place.cache.quote(Symbol("AAPL")) is not None)
    gateway.set_price("AAPL", 190.1)
    await asyncio.sleep(0.3)
    return engine


async def until_ok(ask) -> None:
    """A machine that is busy makes the engine late, and a late engine opens nothing (G24)."""
    for _ in range(60):
        receipt = await ask()
        if receipt.ok:
            return
        assert receipt.code == "G24", receipt.text
        await asyncio.sleep(0.3)
    raise AssertionError(receipt.text)


async def test_a_preview_at_ib_tells_the_brokers_margin_and_commission(make_spec):
    async with TwsGateway(accounts=("DU1234567",)) as gateway:
        gateway.set_price("AAPL", 190.0)
        engine = await begun(make_spec, gateway, Book.PAPER, "DU1234567")
        try:
            receipt = await engine.parts.handler.handle(PreviewOrder(request=bracket("p-1", "189.50"), by="window"))
            verdict = receipt.data["verdict"]
            assert Decimal(verdict["margin"]) > 0
            assert Decimal(verdict["commission"]) > 0
            assert gateway.place_counts() == {}
        finally:
            await engine.stop()


async def test_cancel_all_that_overtakes_an_order_being_asked_about_keeps_it_from_leaving(make_spec):
    async with TwsGateway(accounts=("U7654321",)) as gateway:
        gateway.set_price("AAPL", 190.0)
        engine = await begun(make_spec, gateway, Book.LIVE, "U7654321")
        try:
            modes, handle = engine.parts.trading.modes, engine.parts.handler.handle
            await until(lambda: modes.mode is Mode.REDUCE_ONLY)
            assert modes.set_pin("kestrel-84", "", "cli").ok
            assert modes.raise_to(Mode.MANUAL, "cli", "start", "kestrel-84").ok
            placing = asyncio.ensure_future(handle(PlaceOrder(request=bracket("c-1", "189.50"), by="window")))
            await asyncio.sleep(0)
            await handle(CancelAll(by="window"))
            receipt = await placing
            assert (receipt.ok, receipt.code) == (False, "CANCELLED")
            assert gateway.place_counts() == {}
            await until_ok(lambda: handle(PlaceOrder(request=bracket("c-2", "189.50"), by="window")))
        finally:
            await engine.stop()
