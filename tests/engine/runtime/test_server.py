"""The door: who may come in, what everybody sees, and what nobody can break. T-C3 lives here."""

import asyncio
import contextlib
import stat
from pathlib import Path

import pytest

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import GetBars, GetStatus, Watch
from engine.api.door import Door, read_door, write_door
from engine.api.frames import Frame, Notice, Refused, RowsChanged, Welcome
from engine.api.wire import Follow, Hello, pack, read_frame, unpack_up
from engine.runtime.engine import Engine


@pytest.fixture
async def engine(make_spec):
    """A listening engine whose market moves."""
    engine = Engine(make_spec(symbols=("AAPL", "MSFT", "KO"), speed=20.0))
    await engine.start()
    await engine.listen()
    task = asyncio.create_task(engine.run())
    yield engine
    engine.ask_to_stop()
    await task
    await engine.stop()


async def collect(client: EngineClient, until, timeout: float = 20.0) -> list:
    """Read messages until ``until(messages)`` holds."""
    seen: list = []
    async with asyncio.timeout(timeout):
        async for message in client.messages():
            seen.append(message)
            if until(seen):
                return seen
    raise AssertionError("the engine left")


async def test_a_client_gets_snapshots_then_changes_and_packed_prices(engine):
    client = await EngineClient.connect(engine.spec.profile)
    await client.follow(Follow(tables=("state", "quotes"), quotes=True, bars=(("AAPL", 60),), tape=("AAPL",)))
    seen = await collect(client, lambda m: sum(isinstance(x, Frame) and x.quotes is not None for x in m) >= 3)
    resets = [m for m in seen if isinstance(m, RowsChanged) and m.reset]
    assert {m.table for m in resets} == {"state", "quotes"}
    block = next(m.quotes for m in seen if isinstance(m, Frame) and m.quotes is not None)
    assert len(block.bid) == 2 * len(block.index)
    assert any(m.bars for m in seen if isinstance(m, Frame))
    await client.close()


async def test_two_clients_ask_at_once_and_each_gets_its_own_answers(engine):
    clients = [await EngineClient.connect(engine.spec.profile) for _ in range(2)]
    answers = await asyncio.gather(*(c.send(GetBars(symbol="AAPL", seconds=s)) for c in clients for s in (60, 300)))
    assert [a.data["seconds"] for a in answers] == [60, 300, 60, 300]
    assert all(a.ok for a in answers)
    for client in clients:
        await client.close()


def test_the_socket_file_is_for_the_owner_only(engine):
    door = read_door(engine.spec.profile)
    assert stat.S_IMODE(Path(door.path).stat().st_mode) == 0o600


async def raw(engine: Engine, message) -> object:
    door = read_door(engine.spec.profile)
    reader, writer = await asyncio.open_unix_connection(door.path)
    writer.write(message if isinstance(message, bytes) else pack(message))
    body = await asyncio.wait_for(read_frame(reader), 10)
    writer.close()
    return unpack_up(body) if body is not None else None


async def test_an_old_client_is_refused_with_a_reason(engine):
    token = read_door(engine.spec.profile).token
    answer = await raw(engine, Hello(version=0, token=token))
    assert isinstance(answer, Refused)
    assert answer.code == "VERSION"


async def test_a_wrong_token_is_refused(engine):
    for token in ("guess", "угадано", ""):
        answer = await raw(engine, Hello(token=token))
        assert answer.code == "TOKEN"


@pytest.mark.parametrize("junk", [b"\x00\x00\x00\x02{}", b"\x00\x00\x00\x05GET /"], ids=["json", "http"])
async def test_what_is_not_a_client_is_refused_and_the_engine_goes_on(engine, junk):
    answer = await raw(engine, junk)
    assert isinstance(answer, Refused)
    client = await EngineClient.connect(engine.spec.profile)
    assert (await client.send(GetStatus())).ok
    await client.close()


async def test_t_c3_who_says_nothing_is_shown_out_and_the_engine_goes_on(engine, monkeypatch):
    monkeypatch.setattr("engine.runtime.server.HELLO_TIMEOUT_S", 0.1)
    door = read_door(engine.spec.profile)
    silent = [await asyncio.open_unix_connection(door.path) for _ in range(20)]
    for number, (_, writer) in enumerate(silent):
        writer.write(b"\x00" * (number % 4))
    client = await EngineClient.connect(engine.spec.profile)
    assert (await client.send(GetStatus())).ok
    for reader, writer in silent:
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
    await client.close()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads the sockets of this process from the kernel")
def test_t_c3_nothing_listens_on_any_network(engine):
    mine = {
        Path(f"/proc/self/fd/{fd.name}").readlink().name for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()
    }
    for table in ("tcp", "tcp6"):
        rows = [row.split() for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        assert [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in mine] == []


async def test_an_oversized_frame_ends_that_session_only(engine):
    door = read_door(engine.spec.profile)
    reader, writer = await asyncio.open_unix_connection(door.path)
    writer.write((2**31).to_bytes(4, "big"))
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    client = await EngineClient.connect(engine.spec.profile)
    assert (await client.send(Watch(symbols=("KO",)))).ok
    await client.close()


async def test_a_client_that_comes_back_gets_the_notices_it_missed(engine):
    client = await EngineClient.connect(engine.spec.profile)
    await client.follow(Follow(notices=True))
    engine.parts.trading.modes.lock("KO", "TEST", "for the test")
    first = await collect(client, lambda m: any(isinstance(x, Notice) for x in m))
    last = [m for m in first if isinstance(m, Notice)][-1].seq
    await client.close()
    engine.parts.trading.modes.unlock("KO", "TEST")
    again = await EngineClient.connect(engine.spec.profile, last_notice=last)
    assert not again.welcome.missed
    await again.follow(Follow(notices=True))
    missed = await collect(again, lambda m: any(isinstance(x, Notice) and x.kind == "SymbolUnlocked" for x in m))
    assert next(m.seq for m in missed if isinstance(m, Notice)) == last + 1
    await again.close()


async def test_without_an_engine_the_client_says_so(tmp_path):
    with pytest.raises(EngineUnavailable, match="no engine is running"):
        await EngineClient.connect(tmp_path)


async def test_when_the_engine_stops_waiting_calls_fail_and_the_stream_ends(make_spec):
    engine = Engine(make_spec(symbols=("AAPL",), speed=5.0))
    await engine.start()
    await engine.listen()
    client = await EngineClient.connect(engine.spec.profile)
    await engine.stop()
    with pytest.raises(ConnectionError):
        await client.send(GetStatus())
    assert [m async for m in client.messages()] == []
    assert read_door(engine.spec.profile) is None
    await client.close()


async def test_a_client_whose_hello_is_not_answered_in_time_leaves_no_connection_open(tmp_path):
    tmp_path.chmod(0o700)
    gone = asyncio.Event()

    async def silent(reader, writer):
        try:
            while await reader.read(1_000):
                pass
        finally:
            writer.close()
            gone.set()

    path = tmp_path / "door.sock"
    server = await asyncio.start_unix_server(silent, path)
    write_door(tmp_path, Door(kind="unix", path=str(path), token="t" * 32, pid=1))
    with pytest.raises(EngineUnavailable, match="does not answer"):
        await EngineClient.connect(tmp_path, timeout_s=0.05)
    await asyncio.wait_for(gone.wait(), 5)
    server.close()
    await server.wait_closed()


async def test_t_c3_who_has_not_shown_a_token_is_not_listened_to_at_length(engine):
    token = read_door(engine.spec.profile).token
    assert isinstance(await raw(engine, Hello(token=token, client="x" * 1_000)), Welcome)
    with contextlib.suppress(ConnectionError):  # closed while it was still read
        assert await raw(engine, Hello(token=token, client="x" * 10_000)) is None


async def test_a_connection_that_breaks_under_a_command_is_told_as_an_engine_that_is_not_there(engine, monkeypatch):
    client = await EngineClient.connect(engine.spec.profile)

    async def broken():
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(client._writer, "drain", broken)
    with pytest.raises(EngineUnavailable, match="the connection to the engine broke"):
        await client.send(GetStatus())
    await client.close()


async def test_what_answers_and_is_no_engine_is_said_and_left(tmp_path):
    tmp_path.chmod(0o700)
    gone = asyncio.Event()

    async def stranger(reader, writer):
        writer.write(b"\x00\x00\x00\x01\xc1")
        try:
            while await reader.read(1_000):
                pass
        finally:
            writer.close()
            gone.set()

    path = tmp_path / "door.sock"
    server = await asyncio.start_unix_server(stranger, path)
    write_door(tmp_path, Door(kind="unix", path=str(path), token="t" * 32, pid=1))
    with pytest.raises(EngineUnavailable, match="not an engine of this installation"):
        await EngineClient.connect(tmp_path)
    await asyncio.wait_for(gone.wait(), 5)
    server.close()
    await server.wait_closed()


async def test_who_only_sends_keeps_nothing_of_what_is_said(engine):
    client = await EngineClient.connect(engine.spec.profile, client="cli", listens=False)
    await client.follow(Follow(tables=("state",), quotes=True))
    for _ in range(5):
        assert (await client.send(GetStatus(by="cli"))).ok
        await asyncio.sleep(0.1)
    assert client._inbox.qsize() == 0
    await client.close()
    assert [message async for message in client.messages()] == []
