"""T-C3: who is not let in: a wrong name, a foreign page, no token, too much, too slow, from elsewhere."""

import asyncio
import socket
import stat
from pathlib import Path

import pytest
import structlog

from engine.model.decision import Mode
from service.rate import Bucket
from service.server import listen, refusal
from service.spec import ServiceSpec
from service.tokens import Scope, open_tokens, token_file
from tests.service.house import running


async def raw(port: int, text: bytes, *, wait_s: float = 20.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    try:
        return await asyncio.wait_for(reader.read(), wait_s)
    finally:
        writer.close()


async def test_t_c3_a_foreign_name_is_refused_before_anything_else(begun):
    for host in (
        "evil.example",
        f"evil.example:{begun.port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "",
        f"127.0.0.1.evil:{begun.port}",
    ):
        async with begun.client(Scope.TRADE, Host=host) as client:
            for path in ("/status", "/openapi.json", "/hooks/tv"):
                response = await client.get(path)
                assert (response.status_code, response.json()["code"]) == (421, "HOST"), host
    for host in (f"127.0.0.1:{begun.port}", f"localhost:{begun.port}"):
        async with begun.client(Scope.READ, Host=host) as client:
            assert (await client.get("/health")).status_code == 200
    token = begun.tokens[Scope.READ].encode()
    twice = b"GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: Bearer " + token + b"\r\n\r\n"
    assert b" 200 " not in (await raw(begun.port, twice)).split(b"\r\n")[0]


async def test_t_c3_a_page_of_a_browser_is_refused_and_never_allowed_to_read(begun):
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{begun.port}"):
        async with begun.client(Scope.TRADE, Origin=origin) as client:
            for response in (
                await client.get("/status"),
                await client.post("/halt", json={}),
                await client.options("/halt"),
            ):
                assert (response.status_code, response.json()["code"]) == (403, "ORIGIN")
                assert not [name for name in response.headers if name.startswith("access-control")]
    assert begun.engine.parts.trading.modes.mode is Mode.MANUAL


async def test_t_c3_without_the_right_token_nothing_is_told_or_done(begun):
    good = begun.tokens[Scope.TRADE]
    for told in (
        "",
        "Bearer",
        f"Basic {good}",
        f"Bearer {good}x",
        f"Bearer {good[:-1]}",
        f"Bearer x{good}",
        "Bearer \u00fcn\u00ef",
    ):
        headers = {"Authorization": told.encode("utf-8")} if told else {}
        async with begun.client(None) as client:
            response = await client.get("/status", headers=headers)
            assert (response.status_code, response.json()["code"]) == (401, "TOKEN"), told
            assert response.headers["www-authenticate"] == "Bearer"
            assert (await client.post("/halt", json={}, headers=headers)).status_code == 401, told
            await asyncio.sleep(0.3)  # who guesses faster is slowed down instead
    assert begun.engine.parts.trading.modes.mode is Mode.MANUAL


async def test_who_guesses_tokens_is_slowed_down_and_the_owner_is_not(begun):
    async with begun.client(None) as stranger:
        codes = [
            (await stranger.get("/status", headers={"Authorization": f"Bearer {i}"})).status_code for i in range(40)
        ]
    assert codes[-1] == 429
    assert (await begun.http.get("/status")).status_code == 200


async def test_too_many_requests_are_refused_but_a_halt_never_is(tmp_path):
    async with running(tmp_path / "profile", service={"requests_per_second": 2.0}) as begun:
        codes = [(await begun.http.get("/positions")).status_code for _ in range(12)]
        assert 429 in codes
        for _ in range(12):
            assert (await begun.http.post("/halt", json={})).status_code == 200


async def test_t_c3_a_large_body_is_refused_told_or_untold(begun):
    assert (await begun.http.post("/orders", json={"id": "x", "text": "x" * 10_000_000})).status_code == 413

    async def pieces():
        for _ in range(200):
            yield b" " * 1024

    response = await begun.http.post("/orders", content=pieces(), headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    lying = f"POST /halt HTTP/1.1\r\nHost: 127.0.0.1:{begun.port}\r\nContent-Length: -5\r\n\r\n"
    assert b" 200 " not in (await raw(begun.port, lying.encode())).split(b"\r\n")[0]
    assert (await begun.http.get("/status")).status_code == 200


async def test_a_form_that_a_page_could_post_is_not_read(begun):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        response = await begun.http.post("/halt", content=b"{}", headers={"Content-Type": kind})
        assert (response.status_code, response.json()["code"]) == (415, "KIND")
    assert begun.engine.parts.trading.modes.mode is Mode.MANUAL


async def test_t_c3_who_dawdles_is_shown_out_and_the_others_are_served(tmp_path):
    async with running(tmp_path / "profile", service={"patience_s": 0.5}) as begun:
        host = f"Host: 127.0.0.1:{begun.port}\r\n".encode()
        token = f"Authorization: Bearer {begun.tokens[Scope.TRADE]}\r\n".encode()
        silent = raw(begun.port, b"")
        heading = raw(begun.port, b"GET /status HTTP/1.1\r\n" + host + b"X-Slow: ")
        body = raw(
            begun.port,
            b"POST /halt HTTP/1.1\r\nConnection: close\r\n" + host + token
            + b"Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{",
        )  # fmt: skip
        reader, writer = await asyncio.open_connection("127.0.0.1", begun.port)
        writer.write(b"GET /health HTTP/1.1\r\n" + host + token + b"\r\n")
        assert b" 200 " in await reader.readline()
        second = asyncio.create_task(reader.read())
        writer.write(b"GET /health HTTP/1.1\r\nX-Slow: ")
        assert (await begun.http.get("/status")).status_code == 200
        answers = await asyncio.gather(silent, heading, body)
        assert answers[:2] == [b"", b""]
        assert b" 408 " in answers[2]
        await asyncio.wait_for(second, 20)
        writer.close()
        assert begun.engine.parts.trading.modes.mode is Mode.MANUAL


async def test_t_c3_a_body_that_comes_drop_by_drop_has_no_more_time_than_another(tmp_path):
    async with running(tmp_path / "profile", service={"patience_s": 0.6}) as begun:
        reader, writer = await asyncio.open_connection("127.0.0.1", begun.port)
        head = f"POST /hooks/tv HTTP/1.1\r\nHost: 127.0.0.1:{begun.port}\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n".encode())
        answer = asyncio.create_task(reader.readline())
        for _ in range(100):
            if answer.done():
                break
            writer.write(b"x")
            await asyncio.sleep(0.1)
        assert answer.done()
        assert b" 408 " in answer.result()
        writer.close()


async def test_the_stream_has_the_same_guard(begun):
    import websockets

    for headers in (
        {},
        {"Authorization": "Bearer guess"},
        {**begun.headers(Scope.READ), "Origin": "http://evil.example"},
    ):
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            await websockets.connect(f"ws://127.0.0.1:{begun.port}/stream", additional_headers=headers)
        assert refused.value.response.status_code in (401, 403)


def test_answers_are_not_held_back_for_an_acknowledgement(tmp_path):
    """asyncio sets TCP_NODELAY where the socket is called TCP; without it each answer waits 40 ms for an ACK."""
    opened = listen(ServiceSpec(profile=tmp_path, version="test", port=0))
    assert opened.proto == socket.IPPROTO_TCP
    opened.close()


def listening() -> list[list[str]]:
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    return [row.split() for table in tables if table.exists() for row in table.read_text().splitlines()[1:]]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads the sockets of this process from the kernel")
async def test_t_c3_it_listens_on_this_machine_alone(begun):
    rows = listening()
    mine = [row[1] for row in rows if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == begun.port]
    assert mine == [f"0100007F:{begun.port:04X}"]


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.7", "::", "example.com", ""])
def test_another_address_is_refused_with_a_sentence_unless_a_setting_says_so(tmp_path, address):
    spec = ServiceSpec(profile=tmp_path, version="test", address=address)
    assert "serve.allow_network" in refusal(spec, False)
    assert refusal(spec, True) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_this_machine_is_not_refused(tmp_path, address):
    assert refusal(ServiceSpec(profile=tmp_path, version="test", address=address), False) == ""


# --- tokens


def test_tokens_are_made_once_for_the_owner_alone_and_made_anew_when_asked(tmp_path):
    first = open_tokens(tmp_path)
    files = [token_file(tmp_path, scope) for scope in Scope]
    texts = [file.read_text() for file in files]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(set(texts)) == 2
    assert first.scope(f"Bearer {texts[0].strip()}") is Scope.READ
    assert first.scope(f"bearer {texts[1].strip()}") is Scope.TRADE
    open_tokens(tmp_path)
    assert [file.read_text() for file in files] == texts
    anew = open_tokens(tmp_path, anew=True)
    assert anew.scope(f"Bearer {texts[1].strip()}") is None
    assert not {file.read_text() for file in files} & set(texts)


def test_a_token_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    open_tokens(tmp_path)
    file = token_file(tmp_path, Scope.READ)
    file.chmod(0o644)
    with pytest.raises(ValueError, match="others can read"):
        open_tokens(tmp_path)
    file.chmod(0o600)
    file.write_text("\n")
    with pytest.raises(ValueError, match="holds no token"):
        open_tokens(tmp_path)
    file.write_text(token_file(tmp_path, Scope.TRADE).read_text())
    with pytest.raises(ValueError, match="the same"):
        open_tokens(tmp_path)


def test_a_bucket_lets_its_rate_through_and_a_burst_after_a_pause():
    at = [0.0]
    bucket = Bucket(5.0, lambda: at[0])
    assert sum(bucket.take() for _ in range(100)) == 10
    at[0] = 1.0
    assert sum(bucket.take() for _ in range(100)) == 5
    at[0] = 1000.0
    assert sum(bucket.take() for _ in range(100)) == 10
    together = Bucket(0.5, lambda: at[0], 7)
    assert sum(together.take() for _ in range(100)) == 7


async def test_who_hangs_up_in_the_middle_of_a_body_is_nobodys_error(begun, caplog):
    host = f"Host: 127.0.0.1:{begun.port}\r\nAuthorization: Bearer {begun.tokens[Scope.TRADE]}\r\n"
    kind = "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    with structlog.testing.capture_logs() as said:
        for path in ("/halt", "/hooks/tv"):
            _, writer = await asyncio.open_connection("127.0.0.1", begun.port)
            writer.write(f"POST {path} HTTP/1.1\r\n{host}{kind}{{".encode())
            await writer.drain()
            assert (await begun.http.get("/status")).status_code == 200
            writer.close()
            await writer.wait_closed()
            for _ in range(5):
                assert (await begun.http.get("/status")).status_code == 200
    assert [line for line in said if line["log_level"] == "error"] == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert begun.engine.parts.trading.modes.mode is Mode.MANUAL


async def test_a_page_that_the_settings_name_asks_with_its_token_and_no_other_page_does(tmp_path):
    page = "https://desk.example"
    async with running(tmp_path / "profile", service={"origins": (page,)}) as begun:
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        async with begun.client(None, Origin=page) as client:
            before = await client.options("/halt", headers=asks)
            assert before.status_code == 204
            assert before.headers["access-control-allow-origin"] == page
            assert "authorization" in before.headers["access-control-allow-headers"].lower()
            assert "access-control-allow-credentials" not in before.headers
            without = await client.get("/status")
            assert (without.status_code, without.headers["access-control-allow-origin"]) == (401, page)
        async with begun.client(Scope.READ, Origin=page) as client:
            told = await client.get("/status")
            assert (told.status_code, told.headers["access-control-allow-origin"]) == (200, page)
        async with begun.client(Scope.READ, Origin="https://desk.example.evil") as client:
            refused = await client.options("/halt", headers=asks)
            assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
        assert "access-control-allow-origin" not in (await begun.http.get("/status")).headers
        assert begun.engine.parts.trading.modes.mode is Mode.MANUAL
