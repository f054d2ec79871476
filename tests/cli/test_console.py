"""The console is a client like any other: it asks, previews before it sends, and outlives what goes wrong in it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from cli import live
from engine.api.commands import GetStatus, Halt, PlaceOrder, PreviewOrder
from engine.api.rows import FillRow
from engine.model.decision import PEOPLE, Denial
from engine.operations.watchdog import is_running
from market_agent_gui.console_marks import BEGIN, END, READY, Marks, question
from tests.support_gui.fake_engine import FakeEngine

ROOT = Path(__file__).resolve().parents[2]


class Typed:
    """A console process that is typed into."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def until(self, words: str) -> str:
        """Read on until some words have come; return what came up to there since the last time."""
        async with asyncio.timeout(30):
            while words not in self.said:
                more = await self.process.stdout.read(4096)
                assert more, f"it ended before {words!r}: {self.said}"
                self.said += more.decode()
        before, _, self.said = self.said.partition(words)
        return before

    async def type(self, line: str) -> str:
        """Type a line and return what it says, up to the next prompt."""
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()
        return await self.until(">>> ")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[FakeEngine]:
    made = FakeEngine(tmp_path)
    made.furnish()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def console(engine: FakeEngine, tmp_path: Path) -> AsyncIterator[Typed]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(ROOT / "main.py"), "console", "--profile", str(tmp_path),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    typed = Typed(process)
    await typed.until(">>> ")
    yield typed
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_questions_are_answered_as_frames_and_prove_nobodys_presence(console, engine) -> None:
    assert "AAPL" in await console.type('quotes("AAPL")')
    assert "True" in await console.type('quotes("AAPL").loc["AAPL", "bid"] > 100')
    assert "(7, 5)" in await console.type('bars("AAPL", "5m", 7).shape')
    assert "True" in await console.type("set(positions().columns) > {'symbol', 'quantity'}")
    assert "S-" in await console.type("suggestions()")
    asked = [command for command in engine.commands if not isinstance(command, PreviewOrder)]
    assert asked
    assert not [command for command in asked if command.by in PEOPLE]


async def test_await_works_at_the_prompt_and_in_functions(console) -> None:
    assert "7" in await console.type("await asyncio.sleep(0.01, 7)")
    assert "190" in await console.type('(await quotes("AAPL")).last')
    await console.type("async def late(): return await asyncio.sleep(0.01, 'done' + '!')\n")
    assert "done!" in await console.type("await late()")


async def test_an_order_is_previewed_first_and_only_send_sends_it(console, engine) -> None:
    assert "no order to send" in await console.type("send()")
    assert "send() sends it" in await console.type('order("buy AAPL 100 @ 190")')
    assert not [c for c in engine.commands if isinstance(c, PlaceOrder)]
    assert "working" in await console.type("send()")
    assert "working" in await console.type("send()")
    placed = [c for c in engine.commands if isinstance(c, PlaceOrder)]
    assert len({c.request.intent_id for c in placed}) == 1
    assert placed[0].by == "cli"


async def test_a_refusal_of_the_gate_is_shown_and_an_unreadable_order_forgets_the_one_before(console, engine) -> None:
    engine.denials = (Denial(code="G1", text="It is worth too much.", hard=False),)
    said = await console.type('order("buy AAPL 100 @ 190")')
    assert "G1  It is worth too much. (send(confirm='G1') accepts it)" in said
    await console.type('send(confirm="G1")')
    assert [c for c in engine.commands if isinstance(c, PlaceOrder)][-1].request.confirmed == ("G1",)
    placed = len(engine.commands)
    assert "quantity is missing" in await console.type('order("buy AAPL")')
    assert "no order to send" in await console.type("send()")
    assert len(engine.commands) == placed


async def test_an_error_is_shown_and_the_prompt_comes_back(console) -> None:
    assert "ZeroDivisionError" in await console.type("1/0")
    assert "NOPE: not followed" in await console.type('quotes("NOPE")')
    assert "2" in await console.type("1+1")


@pytest.mark.skipif(os.name == "nt", reason="a signal of POSIX")
@pytest.mark.parametrize("wait", ["while True: pass", "await asyncio.sleep(600)", "import time; time.sleep(600)"])
async def test_an_interrupt_ends_what_runs_and_not_the_console(console, wait) -> None:
    begun = "if print('be' + 'gun') is None:"
    console.process.stdin.write(f"{begun}\n    {wait}\n\n".encode())
    await console.until("begun")
    console.process.send_signal(signal.SIGINT)
    await console.until("KeyboardInterrupt")
    console.process.stdin.write(b"6*7\n")
    await console.until("42")


async def test_stop_is_sent_at_once(console, engine) -> None:
    await console.type("halt()")
    assert [c.by for c in engine.commands if isinstance(c, Halt)] == ["cli"]


async def test_an_engine_that_is_gone_is_said_and_one_that_comes_back_is_found(console, engine, tmp_path) -> None:
    await console.type("status()")
    await engine.stop()
    said = await console.type("status()")
    assert "engine" in said
    assert "Traceback" not in said
    assert "HALT" in await console.type("halt()")
    assert (tmp_path / "HALT").exists()
    other = FakeEngine(tmp_path)
    await other.start()
    try:
        await console.type("status()")
        assert [c for c in other.commands if isinstance(c, GetStatus)]
    finally:
        await other.stop()


def test_an_old_preview_sends_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    session = live.Session(tmp_path)
    try:
        functions = live.Live(session)
        functions._draft = live.Draft("buy AAPL 1", PlaceOrder(request=None), None)  # type: ignore[arg-type]
        functions._draft.made_s -= live.PREVIEW_S + 1
        with pytest.raises(live.Refusal, match="older"):
            functions.send()
        with pytest.raises(live.Refusal, match="no order"):
            functions.send()
    finally:
        session.close()


async def test_a_connection_that_breaks_under_a_command_is_said_and_the_command_is_not_sent_twice(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = live.Session(tmp_path)
    try:
        functions = live.Live(session)
        await asyncio.to_thread(functions.status)
        client, sends = session._client, []

        async def broken(command):
            sends.append(command)
            raise BrokenPipeError(32, "Broken pipe")

        monkeypatch.setattr(client, "send", broken)
        with pytest.raises(live.EngineUnavailable, match="look before you repeat"):
            await asyncio.to_thread(functions.status)
        assert len(sends) == 1
        assert session._client is None
        await asyncio.to_thread(functions.status)
        assert len([command for command in engine.commands if isinstance(command, GetStatus)]) == 2
    finally:
        await asyncio.to_thread(session.close)


async def test_what_the_engine_says_each_second_does_not_pile_up_in_a_console_that_is_left_open(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runtime.server.QUIET_S", 0.02)
    session = live.Session(tmp_path)
    try:
        functions = live.Live(session)
        await asyncio.to_thread(functions.status)
        for _ in range(5):
            await asyncio.sleep(0.1)
            await asyncio.to_thread(functions.status)
        assert session._client._inbox.qsize() == 0
    finally:
        await asyncio.to_thread(session.close)


async def test_tables_that_do_not_come_are_said_in_a_line(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_client: object) -> AsyncIterator[object]:
        for message in ():
            yield message

    monkeypatch.setattr("engine.api.client.EngineClient.messages", nothing)
    session = live.Session(tmp_path)
    try:
        with pytest.raises(live.EngineUnavailable, match="did not send its tables"):
            await asyncio.to_thread(live.Live(session).positions)
    finally:
        await asyncio.to_thread(session.close)


async def test_the_pane_is_told_what_a_beginning_can_become_and_python_goes_on(
    engine: FakeEngine, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(ROOT / "main.py"), "console", "--pane", "--profile", str(tmp_path),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    typed, marks = Typed(process), Marks()

    async def told(word: str) -> tuple[str, ...]:
        process.stdin.write(f"{question(word)}\n".encode())
        return json.loads((await typed.until(END)).rpartition(BEGIN)[2])

    await typed.until(READY)
    assert await told("quot") == ["quot", "quotes("]
    assert await told("nothing_like_it") == ["nothing_like_it"]
    await typed.type("class Odd:\n    def __dir__(self): raise ValueError\n\nodd = Odd()")
    await typed.type("word = 6 * 7")
    assert await told("odd.x") == ["odd.x"]
    assert await told("wor") == ["wor", "word"]
    assert marks.take(await typed.type("word"))[0].strip() == "42"
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 20) == 0


@pytest.mark.skipif(os.name == "nt", reason="who started a process is known on POSIX alone")
async def test_a_console_whose_window_has_died_does_not_run_on(tmp_path: Path) -> None:
    window = (
        "import subprocess, sys, time\n"
        f"command = [sys.executable, '-u', {str(ROOT / 'main.py')!r}, 'console', '--pane']\n"
        f"command += ['--profile', {str(tmp_path)!r}]\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "said = b''\n"
        "while b'>>> ' not in said: said += child.stdout.read(1)\n"
        "child.stdin.write(b'while True: pass\\n\\n'); child.stdin.flush()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", window, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        console = int(await asyncio.wait_for(process.stdout.readline(), 60))
        assert is_running(console)
    finally:
        process.kill()
        await process.wait()
    for _ in range(200):
        if not is_running(console):
            break
        await asyncio.sleep(0.1)
    assert not is_running(console)


def test_a_time_is_told_to_the_nanosecond_also_beside_one_that_is_not_known() -> None:
    at = 1_767_623_970_247_748_661
    rows = [
        FillRow(
            key=key,
            ref="r",
            symbol="KO",
            side="BUY",
            quantity=Decimal(1),
            price=Decimal(64),
            commission=Decimal(1),
            ts_event=ts,
        )
        for key, ts in (("known", at), ("unknown", 0))
    ]
    frame = live.table_frame(rows, FillRow)
    assert frame.loc["known", "ts_event"].value == at
    assert frame["ts_event"].isna().tolist() == [False, True]
    assert live.table_frame([], FillRow).empty
