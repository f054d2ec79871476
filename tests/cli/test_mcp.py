"""main.py mcp as a real process over pipes: genuine messages of the protocol, and what no tool can do."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.api.commands import CancelAll
from engine.api.halt_flag import read_halt_flag
from engine.model.decision import Mode
from engine.model.order import Origin
from engine.model.suggestion import SuggestionState
from service.mcp.stdio import converse
from tests.service.house import make_engine

ROOT = Path(__file__).resolve().parents[2]
READING = {"status", "positions", "orders", "suggestions", "quotes", "bars", "preview_order", "propose_order", "halt"}
SENDING = {"place_order", "cancel_order", "approve_suggestion"}


class Assistant:
    """The other side of the pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process, self._number = process, 0

    def write(self, message: object) -> None:
        self.process.stdin.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")

    async def read(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))

    async def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        self.write({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params or {}})
        answer = await self.read()
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", self._number)
        return answer

    async def use(self, tool: str, **arguments: Any) -> tuple[dict[str, Any], bool]:
        """Return what a tool says, and whether it is an error."""
        result = (await self.ask("tools/call", {"name": tool, "arguments": arguments}))["result"]
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"], result["isError"]

    async def greet(self, version: str = "2025-06-18") -> dict[str, Any]:
        told = await self.ask(
            "initialize",
            {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
        )
        self.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return told["result"]

    async def leave(self) -> tuple[int, bytes]:
        self.process.stdin.close()
        errors = await asyncio.wait_for(self.process.stderr.read(), 30)
        return await asyncio.wait_for(self.process.wait(), 30), errors


async def start(profile: Path, settings: str = "") -> Assistant:
    command = [str(ROOT / "main.py"), "mcp", "--profile", str(profile)]
    if settings:
        file = profile.parent / "serve.yaml"
        file.write_text(settings)
        command += ["--settings", str(file)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=pipe, stdout=pipe, stderr=pipe, limit=4 * 1024 * 1024
    )
    return Assistant(process)


async def begun(profile: Path, **changes: Any):
    engine = make_engine(profile, **changes)
    await engine.start()
    await engine.listen()
    await engine.run(400.0)
    return engine


async def test_an_assistant_looks_proposes_and_halts_and_sends_nothing(tmp_path):
    engine = await begun(tmp_path / "profile")
    assistant = await start(tmp_path / "profile")
    told = await assistant.greet()
    assert (told["protocolVersion"], told["serverInfo"]["name"]) == ("2025-06-18", "market-agent")
    assert told["capabilities"] == {"tools": {"listChanged": False}}
    tools = {tool["name"]: tool for tool in (await assistant.ask("tools/list"))["result"]["tools"]}
    assert set(tools) == READING
    assert all(tool["inputSchema"]["type"] == "object" for tool in tools.values())
    assert {name for name, tool in tools.items() if not tool["annotations"]["readOnlyHint"]} == {
        "propose_order",
        "halt",
    }

    status, failed = await assistant.use("status")
    assert (failed, status["book"], status["programs_trade"]) == (False, "paper", False)
    assert (await assistant.use("positions"))[0] == {"rows": []}
    quotes, _ = await assistant.use("quotes", symbols=["ko", "NOPE"])
    assert [row["symbol"] for row in quotes["rows"]] == ["KO"]
    assert quotes["unknown"] == ["NOPE"]
    bars, _ = await assistant.use("bars", symbol="KO", step="1m", count=5)
    assert len(bars["bars"]) == 5
    bid, stop = round(quotes["rows"][0]["bid"], 2), round(quotes["rows"][0]["bid"] * 0.98, 2)
    preview, failed = await assistant.use("preview_order", text=f"buy KO 10 @ {bid} stop {stop}")
    assert (failed, preview["ok"]) == (False, True)
    huge, failed = await assistant.use("preview_order", text=f"buy KO 900000 @ {bid} stop {stop}")
    assert failed
    assert huge["denials"]

    made, failed = await assistant.use("propose_order", symbol="KO", side="BUY", quantity=10, comment="<b>cheap</b>")
    assert (failed, made["state"]) == (False, "PENDING")
    suggestion = engine.parts.board.suggestion(made["suggestion_id"])
    assert (suggestion.source, suggestion.evidence[0].text) == ("mcp", "cheap")
    for tool in SENDING:
        refused = await assistant.ask("tools/call", {"name": tool, "arguments": {}})
        assert refused["error"]["code"] == -32602
    assert engine.parts.trading.desk.orders() == {}
    assert engine.parts.board.state(made["suggestion_id"]) is SuggestionState.PENDING

    told, failed = await assistant.use("halt", reason="enough")
    assert not failed
    assert engine.parts.trading.modes.mode is Mode.HALTED
    assert await assistant.leave() == (0, b"")
    await engine.stop()


async def test_what_the_assistants_settings_say_does_not_open_the_engines_gate(tmp_path):
    """The tools that send are offered where the file says so; the engine was started without it and refuses."""
    engine = await begun(tmp_path / "profile")
    assert (await engine.arm_auto("cli", "test")).ok
    assistant = await start(tmp_path / "profile", "serve:\n  trade: true\n")
    await assistant.greet()
    tools = {tool["name"] for tool in (await assistant.ask("tools/list"))["result"]["tools"]}
    assert tools == READING | SENDING
    bid = engine.parts.place.cache.quote("KO").bid
    text = f"buy KO 10 @ {bid:.2f} stop {bid * 0.98:.2f}"
    made, _ = await assistant.use("propose_order", symbol="KO", side="BUY")
    for tool, arguments in (
        ("place_order", {"id": "a", "text": text}),
        ("cancel_order", {"ref": "X-1"}),
        ("approve_suggestion", {"suggestion_id": made["suggestion_id"], "hash": "x"}),
    ):
        told, failed = await assistant.use(tool, **arguments)
        assert (failed, told["code"]) == (True, "TRADE"), tool
    assert engine.parts.trading.desk.orders() == {}
    assert await assistant.leave() == (0, b"")
    await engine.stop()


async def test_with_the_setting_and_an_armed_auto_an_order_is_sent_once_and_named(tmp_path):
    engine = await begun(tmp_path / "profile", programs_trade=True)
    assert (await engine.arm_auto("cli", "test")).ok
    assistant = await start(tmp_path / "profile", "serve:\n  trade: true\n")
    await assistant.greet()
    bid = engine.parts.place.cache.quote("KO").bid
    text = f"buy KO 10 @ {bid * 0.995:.2f} stop {bid * 0.98:.2f}"
    first, failed = await assistant.use("place_order", id="a", text=text)
    assert not failed, first
    again, _ = await assistant.use("place_order", id="a", text=text)
    assert again == first
    sent = [o for o in engine.parts.trading.desk.orders().values() if o.request.origin is Origin.PROGRAM]
    assert [(o.ref, o.request.strategy) for o in sent] == [(first["ref"], "mcp")]
    flat, failed = await assistant.use("place_order", id="b", text="flatten all")
    assert (failed, flat["code"]) == (True, "TEXT")
    assert (await assistant.use("cancel_order", ref=first["ref"]))[1] is False
    assert await assistant.leave() == (0, b"")
    await engine.stop()


async def test_the_protocol_answers_what_is_not_understood_and_goes_on(tmp_path):
    (tmp_path / "profile").mkdir(mode=0o700)
    assistant = await start(tmp_path / "profile")
    assert (await assistant.ask("server/discover"))["error"]["code"] == -32601
    assert (await assistant.ask("tools/list"))["error"]["code"] == -32600
    assert (await assistant.ask("ping"))["result"] == {}
    for raw, code in (
        (b"{", -32700),
        (b"[]", -32600),
        (b'{"id": 1}', -32600),
        (b'{"jsonrpc":"2.0","id":null}', -32600),
    ):
        assistant.write(raw)
        assert (await assistant.read())["error"]["code"] == code
    assistant.write(b'[{"jsonrpc":"2.0","id":7,"method":"ping"},{"jsonrpc":"2.0","method":"x"},1]')
    told = await assistant.read()
    assert [(one["id"], one.get("result"), one.get("error", {}).get("code")) for one in told] == [
        (7, {}, None),
        (None, None, -32600),
    ]
    assistant.write(b'[{"jsonrpc":"2.0","method":"only/told"}]')
    assert (await assistant.ask("initialize"))["error"]["code"] == -32602
    assert (await assistant.greet("1999-01-01"))["protocolVersion"] == "2025-11-25"
    assistant.write({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    assistant.write(b"")
    assert (await assistant.ask("tools/call", {"name": "rm"}))["error"]["code"] == -32602
    for arguments in (
        {"symbol": "KO"},
        {"symbol": "<x>", "side": "BUY"},
        {"symbol": "KO", "side": "BUY", "by": "window"},
    ):
        told, failed = await assistant.use("propose_order", **arguments)
        assert (failed, told["code"]) == (True, "ARGUMENTS")
    told, failed = await assistant.use("positions")
    assert (failed, told["code"]) == (True, "NO_ENGINE")
    assert await assistant.leave() == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
async def test_it_ends_when_it_is_told_to_also_while_its_input_is_open(tmp_path):
    (tmp_path / "profile").mkdir(mode=0o700)
    assistant = await start(tmp_path / "profile")
    await assistant.greet()
    assistant.process.terminate()
    assert await asyncio.wait_for(assistant.process.wait(), 30) == 0
    assert await assistant.process.stderr.read() == b""


async def test_it_proves_nobodys_presence(tmp_path):
    engine = await begun(tmp_path / "profile")
    before = engine.parts.trading.modes._present_ns
    assistant = await start(tmp_path / "profile")
    await assistant.greet()
    await assistant.use("status")
    await assistant.use("propose_order", symbol="KO", side="BUY")
    assert engine.parts.trading.modes._present_ns == before
    await assistant.leave()
    assert (await engine.parts.handler.handle(CancelAll(by="cli"))).ok
    assert engine.parts.trading.modes._present_ns > before
    await engine.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_it_ends_when_it_is_told_to_also_while_nobody_reads_what_it_says(tmp_path):
    (tmp_path / "profile").mkdir(mode=0o700)
    command = [sys.executable, str(ROOT / "main.py"), "mcp", "--profile", str(tmp_path / "profile")]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}).encode())
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert b'"id":0' in process.stdout.readline()
        for number in range(1, 60):  # 60 answers fill any pipe
            process.stdin.write(b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}\n' % number)
        process.stdin.flush()
        time.sleep(1.0)
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.communicate()


async def test_a_halt_that_no_engine_hears_leaves_the_flag(tmp_path):
    (tmp_path / "profile").mkdir(mode=0o700)
    assistant = await start(tmp_path / "profile")
    await assistant.greet()
    told, failed = await assistant.use("halt", reason="enough")
    assert (failed, told["code"], "HALT" in told["text"]) == (True, "NO_ENGINE", True)
    assert read_halt_flag(tmp_path / "profile") is False
    assert await assistant.leave() == (0, b"")


async def test_an_input_that_cannot_be_read_is_its_end(tmp_path):
    source, sink = os.pipe()
    os.close(source)
    async with asyncio.timeout(20):
        await converse(tmp_path, "test", False, 10.0, source, sink, asyncio.Event())
    os.close(sink)
