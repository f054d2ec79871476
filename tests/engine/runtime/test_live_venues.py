"""The whole engine on a live venue: the real adapters over sockets, against a gateway whose ledger is the truth."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from engine.api.commands import CancelAll, GetStatus, PlaceOrder, SetMode, SetPin
from engine.execution.brokers.alpaca.settings import AlpacaSettings
from engine.execution.brokers.ibkr.settings import IbkrSettings
from engine.model.decision import Book, Mode
from engine.model.events.system import Alarm
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType, TimeInForce
from engine.model.report import LinkState
from engine.runtime.engine import Engine
from engine.security.secret import Secret
from tests.support.alpaca_server.server import AlpacaServer
from tests.support.tws_gateway.server import TwsGateway

TWO = tuple(Instrument(symbol=Symbol(symbol)) for symbol in ("AAPL", "MSFT"))


async def until(holds, seconds: float = 30.0) -> None:
    for _ in range(round(seconds / 0.05)):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("it did not come to hold")


@pytest.fixture
async def gateway() -> AsyncIterator[TwsGateway]:
    async with TwsGateway(accounts=("DU1234567",)) as running:
        running.set_price("AAPL", 190.0)
        running.set_price("MSFT", 420.0)
        yield running


def bracket(name: str, price: str) -> OrderRequest:
    return OrderRequest(
        intent_id=name,
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(price),
        stop_loss=Decimal(185),
        take_profit=Decimal(200),
        tif=TimeInForce.GTC,
        outside_rth=True,
        confirmed=("G21",),
    )


async def test_a_bracket_at_ib_survives_a_drop_and_the_books_end_equal(make_spec, gateway):
    ibkr = IbkrSettings(port=gateway.port, account="DU1234567", retry_first_s=0.2)
    engine = Engine(make_spec(universe=TWO, demo=None, broker="ibkr", ibkr=ibkr, speed=1.0))
    await engine.start()
    await engine.listen()
    desk = engine.parts.trading.desk
    try:
        await until(lambda: desk.synced)
        await until(lambda: engine.parts.place.cache.quote(Symbol("AAPL")) is not None)
        gateway.set_price("AAPL", 190.1)
        await asyncio.sleep(0.3)
        receipt = await engine.parts.handler.handle(PlaceOrder(request=bracket("b-1", "189.50")))
        assert receipt.ok, receipt.text
        ref = receipt.data["ref"]
        await until(lambda: desk.order(ref).state.value == "WORKING")
        gateway.drop()
        gateway.set_price("AAPL", 189.0)
        await until(lambda: desk.synced and desk.order(ref).state.value == "FILLED")
        assert gateway.place_frames(ref) == 1
        status = (await engine.parts.handler.handle(GetStatus())).data
        assert [(p["symbol"], p["quantity"]) for p in status["positions"]] == [("AAPL", gateway.ledger.held("AAPL"))]
        await until(lambda: not desk.order(ref).state.exposed and engine.parts.trading.ledger.cash_difference() == {})
    finally:
        summary = await engine.stop()
    assert summary.reconciled is True, "the broker was asked once more at the end"


async def test_an_account_that_is_not_there_is_never_traded(make_spec, gateway):
    ibkr = IbkrSettings(port=gateway.port, account="DU7654321", retry_first_s=0.2)
    engine = Engine(make_spec(universe=TWO, demo=None, broker="ibkr", ibkr=ibkr, speed=1.0))
    await engine.start()
    try:
        await until(lambda: engine.parts.place.gateway.link.identity_fault != "")
        assert engine.parts.broker.link.value != "up"
        receipt = await engine.parts.handler.handle(PlaceOrder(request=bracket("b-2", "189.50")))
        assert not receipt.ok
        assert gateway.place_counts() == {}
    finally:
        await engine.stop()


async def test_an_order_at_alpaca_works_and_is_cancelled(make_spec):
    async with AlpacaServer() as server:
        server.set_price("AAPL", 190.0)
        server.set_quote("AAPL", 189.99, 190.01)
        alpaca = AlpacaSettings(
            base_url=server.base_url, stream_url=server.order_stream_url, account=server.account_number
        )
        spec = make_spec(
            universe=TWO[:1],
            demo=None,
            broker="alpaca",
            alpaca=alpaca,
            alpaca_keys=(Secret("PKTEST"), Secret("not-a-secret")),
            speed=1.0,
        )
        engine = Engine(spec)
        await engine.start()
        await engine.listen()
        try:
            await until(lambda: engine.parts.trading.desk.synced)
            status = (await engine.parts.handler.handle(GetStatus())).data
            assert status["link"] == "up"
            await engine.parts.handler.handle(CancelAll())
            # What a strategy asks for passes where resting exits are taken away; gate and broker agree that they hold.
            trading = engine.parts.trading
            assert trading.approval._sender._orders is trading.aside
            assert trading.gate._observer._exits_hold is trading.aside._hold is True
        finally:
            await engine.stop()


async def test_real_money_opens_nothing_until_a_pin_is_set_and_given_and_again_after_each_start(make_spec):
    async with TwsGateway(accounts=("U7654321",)) as gateway:
        gateway.set_price("AAPL", 190.0)
        ibkr = IbkrSettings(port=gateway.port, account="U7654321", retry_first_s=0.2)
        spec = make_spec(universe=TWO[:1], demo=None, book=Book.LIVE, broker="ibkr", ibkr=ibkr, speed=1.0)

        async def begun() -> Engine:
            engine = Engine(spec)
            await engine.start()
            await engine.listen()
            await until(lambda: engine.parts.trading.desk.synced)
            await until(lambda: engine.parts.place.cache.quote(Symbol("AAPL")) is not None)
            await until(lambda: engine.parts.trading.modes.mode is Mode.REDUCE_ONLY)
            return engine

        async def tried(engine: Engine, name: str) -> str:
            for _ in range(60):  # a machine that is busy makes the engine late, and a late engine opens nothing (G24)
                gateway.set_price("AAPL", 190.1)
                await asyncio.sleep(0.3)
                receipt = await engine.parts.handler.handle(PlaceOrder(request=bracket(name, "189.50"), by="cli"))
                if receipt.ok or receipt.code != "G24":
                    break
            return "" if receipt.ok else receipt.code

        def raised(pin: str) -> SetMode:
            return SetMode(mode=Mode.MANUAL, reason="start of the session", pin=pin, by="cli")

        engine = await begun()
        try:
            handle = engine.parts.handler.handle
            assert await tried(engine, "live-1") != ""
            assert (await handle(raised(""))).code == "PIN"
            assert (await handle(SetPin(new="kestrel-84", by="strategy"))).code == "PERSON"
            assert (await handle(SetPin(new="kestrel-84", by="cli"))).ok
            assert (await handle(raised("0000"))).code == "PIN"
            assert (await handle(raised("kestrel-84"))).ok
            assert await tried(engine, "live-2") == ""
        finally:
            await engine.stop()
        engine = await begun()  # the PIN of yesterday is asked again
        try:
            assert await tried(engine, "live-3") != ""
            assert (await engine.parts.handler.handle(raised("kestrel-84"))).ok
            await engine.parts.handler.handle(CancelAll(by="cli"))
        finally:
            await engine.stop()
    profile = spec.profile
    written = b"".join(path.read_bytes() for path in profile.rglob("*") if path.is_file())
    assert b"kestrel-84" not in written


async def test_a_key_of_another_account_at_alpaca_only_observes_and_says_why(make_spec):
    async with AlpacaServer() as server:
        alpaca = AlpacaSettings(base_url=server.base_url, stream_url=server.order_stream_url, account="PA3OTHER0001")
        spec = make_spec(
            universe=TWO[:1],
            demo=None,
            broker="alpaca",
            alpaca=alpaca,
            alpaca_keys=(Secret("PKTEST"), Secret("not-a-secret")),
            speed=1.0,
        )
        engine = Engine(spec)
        alarms: list[Alarm] = []
        engine.parts.bus.subscribe(Alarm, alarms.append, owner="test")
        await engine.start()
        try:
            await until(lambda: engine.parts.trading.modes.mode is Mode.OBSERVE)
            assert engine.parts.broker.link is not LinkState.UP
            said = [alarm for alarm in alarms if alarm.code == "IDENTITY" and not alarm.cleared]
            assert "The key belongs to" in said[0].happened
            receipt = await engine.parts.handler.handle(PlaceOrder(request=bracket("b-3", "189.50")))
            assert not receipt.ok
            assert not server.book.orders
        finally:
            await engine.stop()
