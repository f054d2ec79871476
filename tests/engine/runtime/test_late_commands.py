"""An engine that stood still does not do afterwards what a person wanted before; each second it tells that it lives."""

import asyncio
import math
from decimal import Decimal

import msgspec
import pytest

from engine.api.client import EngineClient
from engine.api.commands import (
    Approve,
    ApproveIf,
    CancelAll,
    CancelOrder,
    Edit,
    Flatten,
    Halt,
    ModifyOrder,
    PlaceOrder,
    Propose,
    Receipt,
    Refuse,
    Resume,
    SetAutonomy,
    SetMode,
)
from engine.api.frames import Answer, Frame
from engine.api.wire import Call, Follow, pack, unpack_down, unpack_up
from engine.model.decision import Autonomy, Mode
from engine.model.ids import IntentId, OrderRef, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest
from engine.runtime.server import LATE_S, Server
from tests.support_gui.fake_engine import FakeEngine

ORDER = PlaceOrder(
    request=OrderRequest(intent_id=IntentId("i-1"), symbol=Symbol("AAPL"), side=Side.BUY, quantity=Decimal(1))
)
CHANGE = ModifyOrder(ref=OrderRef("r-1"), intent_id=IntentId("i-2"))
SHOWN = SuggestionId("S-1")


class Writer:
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data


def told(writer: Writer) -> Receipt:
    answer = unpack_up(writer.written[4:])
    assert isinstance(answer, Answer)
    return msgspec.msgpack.decode(answer.receipt, type=Receipt)


async def answered(command, waited_s: float) -> tuple[Receipt, list]:
    """Hand the server a command that has waited; return the answer, and what was done."""
    return await answered_at(command, asyncio.get_running_loop().time() - waited_s)


async def answered_at(command, sent_s: float) -> tuple[Receipt, list]:
    done: list = []

    async def handle(command) -> Receipt:
        done.append(command)
        return Receipt(ok=True)

    server = Server.__new__(Server)
    server._handle = handle
    writer = Writer()
    await server._call(Call(id=1, command=command, sent_s=sent_s), writer, "")
    return told(writer), done


RISKIER = {
    "order": ORDER,
    "change": CHANGE,
    "approve": Approve(suggestion_id=SHOWN),
    "approve if": ApproveIf(suggestion_id=SHOWN, price=Decimal(1), seconds=1.0),
    "edit": Edit(suggestion_id=SHOWN),
    "idea": Propose(intent_id=IntentId("p-1"), symbol=Symbol("AAPL"), side=Side.BUY, by="api"),
    "resume": Resume(typed="RESUME", reason="x"),
    "mode": SetMode(mode=Mode.AUTO),
    "autonomy": SetAutonomy(autonomy=Autonomy.AUTO),
}


@pytest.mark.parametrize("command", RISKIER.values(), ids=RISKIER)
async def test_what_adds_risk_and_has_waited_in_the_socket_is_refused_with_the_seconds(command) -> None:
    receipt, done = await answered(command, 12.2)
    assert (receipt.ok, receipt.code, done) == (False, "LATE", [])
    assert "12 s late" in receipt.text


CLOSING = PlaceOrder(request=msgspec.structs.replace(ORDER.request, reduce_only=True))


SAFER = {
    "cancel one": CancelOrder(ref=OrderRef("r-1")),
    "cancel": CancelAll(),
    "close": Flatten(),
    "halt": Halt(reason="x"),
    "refuse": Refuse(suggestion_id=SHOWN, code="OTHER"),
    "reduce-only order": CLOSING,
    "mode": SetMode(mode=Mode.MANUAL),
    "autonomy": SetAutonomy(autonomy=Autonomy.ASK),
}


@pytest.mark.parametrize("command", SAFER.values(), ids=SAFER)
async def test_what_lowers_risk_is_done_however_late_it_comes(command) -> None:
    receipt, done = await answered(command, 60.0)
    assert (receipt.ok, done) == (True, [command])


async def test_an_order_that_comes_in_time_is_done() -> None:
    assert (await answered(ORDER, LATE_S / 2))[1] == [ORDER]


@pytest.mark.parametrize("sent_s", [0.0, -1.0, math.nan, math.inf, 1e12])
async def test_what_adds_risk_and_does_not_tell_when_it_was_sent_is_not_done(sent_s: float) -> None:
    receipt, done = await answered_at(ORDER, sent_s)
    assert (receipt.code, done) == ("LATE", [])
    assert "does not say when" in receipt.text
    assert (await answered_at(CLOSING, sent_s))[1] == [CLOSING]


async def test_who_asks_for_what_fails_gets_an_answer_and_the_keeper_of_tasks_the_error() -> None:
    async def handle(command) -> Receipt:
        raise ZeroDivisionError("a fault")

    server = Server.__new__(Server)
    server._handle = handle
    writer = Writer()
    with pytest.raises(ZeroDivisionError):
        await server._call(Call(id=1, command=CLOSING), writer, "")
    receipt = told(writer)
    assert (receipt.ok, receipt.code) == (False, "FAILED")
    assert receipt.text.endswith("ZeroDivisionError: a fault")


async def test_a_client_stamps_what_it_sends(tmp_path) -> None:
    engine = FakeEngine(tmp_path)
    await engine.start()
    client = await EngineClient.connect(tmp_path)
    before = asyncio.get_running_loop().time()
    written: list[bytes] = []
    client._writer.write = written.append
    task = asyncio.create_task(client.send(ORDER))
    await asyncio.sleep(0)
    call = unpack_down(written[0][4:])
    assert before <= call.sent_s <= asyncio.get_running_loop().time()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()
    await engine.stop()


async def test_an_engine_that_has_nothing_to_tell_tells_that_it_lives(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.runtime.server.QUIET_S", 0.1)
    engine = FakeEngine(tmp_path)
    await engine.start()
    client = await EngineClient.connect(tmp_path)
    await client.follow(Follow())
    async with asyncio.timeout(5):
        async for message in client.messages():
            if isinstance(message, Frame):
                break
    assert message.quotes is None
    assert pack(message)
    await client.close()
    await engine.stop()
