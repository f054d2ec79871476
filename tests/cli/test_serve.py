"""main.py serve, as a process of its own beside an engine of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

import main
from engine.api.door import read_door
from service.tokens import Scope, open_tokens, token_file
from tests.engine.operations.processes import EngineProcess

ROOT = Path(__file__).resolve().parents[2]
MAIN = [sys.executable, str(ROOT / "main.py")]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real engine process on the simulated market."""
    folder = tmp_path_factory.mktemp("serve") / "profile"
    engine = EngineProcess(folder, "--speed", "20", "--seed", "3")
    engine.wait_for_the_door()
    yield folder
    engine.end()


def test_the_service_runs_beside_the_engine_and_ends_in_order(profile, tmp_path):
    key, file = "0123456789abcdef", tmp_path / "serve.yaml"
    file.write_text("serve:\n  hooks:\n    tv: env:HOOK_KEY\n")
    process = subprocess.Popen(
        [*MAIN, "serve", "--profile", str(profile), "--settings", str(file), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOOK_KEY": key},
    )
    try:
        lines = [process.stdout.readline() for _ in range(5)]
        url = lines[0].split()[0]
        assert url.startswith("http://127.0.0.1:"), (lines, process.poll())
        assert "read-only" in lines[0]
        assert any("/hooks/tv" in line for line in lines)
        tokens = {scope: token_file(profile, scope).read_text().strip() for scope in Scope}
        assert not any(token in "".join(lines) for token in (*tokens.values(), key))
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {tokens[Scope.READ]}"}) as client:
            for _ in range(200):
                if (health := client.get("/health").json())["engine"]:
                    break
                time.sleep(0.05)
            status = client.get("/status").json()
            assert (health["mode"], status["reason"]) == ("MANUAL", "start")
            assert status["pid"] == read_door(profile).pid
            assert client.get("/quotes").json()["rows"]
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, ""), out
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert (profile / "logs" / "service.jsonl").exists()  # the engine's own is rotated by the engine alone
    for line in (profile / "logs" / "service.jsonl").read_text().splitlines():
        json.loads(line)
    written = b"".join(path.read_bytes() for path in (profile / "logs").rglob("*") if path.is_file())
    assert tokens[Scope.READ].encode() not in written
    assert read_door(profile) is not None


def settings(folder: Path, text: str) -> list[str]:
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "settings.yaml").write_text(text)
    return ["serve", "--profile", str(folder), "--port", "0"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("serve:\n  address: 0.0.0.0\n", "serve.allow_network"),
        ("serve:\n  hooks:\n    tv: env:NO_SUCH_KEY\n", "NO_SUCH_KEY"),
        ("serve:\n  hooks:\n    tv: env:SHORT_KEY\n", "serve.hooks.tv"),
        ("serve:\n  hooks:\n    Loud: env:SHORT_KEY\n", "small letters"),
        ("serve:\n  trade: sure\n", "serve.trade"),
    ],
)
def test_what_is_not_safe_to_serve_is_refused_with_the_key_that_says_so(tmp_path, monkeypatch, capsys, text, word):
    monkeypatch.setenv("SHORT_KEY", "short")
    assert main.main(settings(tmp_path / "p", text)) == 2
    errors = capsys.readouterr().err
    assert word in errors
    assert "short\n" not in errors


def test_a_port_that_is_taken_is_said(tmp_path, capsys):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    assert main.main(["serve", "--profile", str(tmp_path / "p"), "--port", str(port)]) == 1
    assert f"port {port} cannot be opened" in capsys.readouterr().err
    taken.close()


def all_tokens(profile: Path) -> list[str]:
    return [token_file(profile, scope).read_text() for scope in Scope]


def test_a_port_that_is_taken_leaves_the_tokens_of_the_service_that_has_it(tmp_path, capsys):
    profile = tmp_path / "p"
    profile.mkdir(mode=0o700)
    open_tokens(profile)
    before = all_tokens(profile)
    taken = socket.create_server(("127.0.0.1", 0))
    port = str(taken.getsockname()[1])
    assert main.main(["serve", "--profile", str(profile), "--port", port, "--new-tokens"]) == 1
    assert all_tokens(profile) == before
    taken.close()


def test_tokens_are_made_anew_only_when_asked(tmp_path, monkeypatch):
    async def nothing(_spec, _tokens, opened, _settings):
        opened.close()

    monkeypatch.setattr("cli.serve._run", nothing)
    monkeypatch.setattr("cli.serve.configure_log", lambda *_, **__: None)
    profile = tmp_path / "p"
    arguments = ["serve", "--profile", str(profile), "--port", "0"]
    assert main.main(arguments) == 0
    first = all_tokens(profile)
    assert main.main(arguments) == 0
    assert all_tokens(profile) == first
    assert main.main([*arguments, "--new-tokens"]) == 0
    assert not {*all_tokens(profile)} & {*first}


def test_the_status_names_the_setting(profile, capsys):
    assert main.main(["status", "--json", "-", "--profile", str(profile)]) == 0
    assert json.loads(capsys.readouterr().out)["programs_trade"] is False
