"""The command line is stable: what it prints, what it answers as JSON, and how it exits."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import main
from cli.run import pace
from cli.trade import _show_status
from config.lock import ProfileLock
from engine.api.commands import Receipt
from engine.api.door import Door, read_door, write_door

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real engine process on the simulated market, and its profile."""
    profile = tmp_path_factory.mktemp("cli") / "profile"
    command = [sys.executable, str(ROOT / "main.py"), "run", "--demo", "--quiet", "--speed", "20", "--seed", "3"]
    process = subprocess.Popen([*command, "--profile", str(profile)], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while read_door(profile) is None:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "the engine did not open its door"
        time.sleep(0.1)
    time.sleep(1.0)
    yield profile
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main.main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_status_answers_with_every_key_that_scripts_rely_on(running, capsys):
    code, out, _ = call(capsys, "status", "--json", "-", "--profile", str(running))
    status = json.loads(out)
    assert code == 0
    keys = {"mode", "autonomy", "link", "account", "cash", "equity", "positions", "orders", "unknown", "locks"}
    assert keys | {"sources", "reconciled_at"} <= set(status)
    assert status["link"] == "up"
    assert status["cash"] == {"USD": "1000000"}


def test_an_order_is_previewed_placed_shown_and_cancelled(running, capsys):
    profile = ("--profile", str(running))
    code, out, _ = call(capsys, "order", "buy KO 10 @ 55 day", "--preview", "--json", "-", *profile)
    assert (code, json.loads(out)["ok"]) == (0, True)
    code, out, _ = call(capsys, "order", "buy KO 10 @ 55 day", "--json", "-", *profile)
    placed = json.loads(out)
    assert (code, placed["denials"]) == (0, [])
    ref = placed["ref"]
    _, out, _ = call(capsys, "status", "--json", "-", *profile)
    assert ref in [order["ref"] for order in json.loads(out)["orders"]]
    code, out, _ = call(capsys, "order", f"cancel {ref}", *profile)
    assert code == 0
    deadline = time.monotonic() + 10
    while ref in [o["ref"] for o in json.loads(call(capsys, "status", "--json", "-", *profile)[1])["orders"]]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_denied_order_fails_with_its_codes(running, capsys):
    code, out, _ = call(capsys, "order", "buy KO 9000 @ 60", "--json", "-", "--profile", str(running))
    assert code == 1
    assert [denial["code"] for denial in json.loads(out)["denials"]]
    code, _, err = call(capsys, "order", "buy KO 9000 @ 60", "--profile", str(running))
    assert code == 1
    assert "G" in err


def test_an_order_that_cannot_be_read_names_the_word(running, capsys):
    code, _, err = call(capsys, "order", "buy KO many", "--profile", str(running))
    assert code == 2
    assert "many" in err


def test_a_second_engine_on_the_profile_is_refused_and_names_the_first(running, capsys):
    code, _, err = call(capsys, "run", "--demo", "--for", "1", "--profile", str(running))
    assert code == 1
    assert str(read_door(running).pid) in err


def test_rejecting_needs_a_known_reason(running, capsys):
    code, _, err = call(capsys, "suggestions", "reject", "S-1", "--reason", "BORED", "--profile", str(running))
    assert code == 2
    assert "PRICE" in err


def test_halt_stops_and_says_so_in_status(running, capsys):
    code, out, _ = call(capsys, "halt", "--profile", str(running))
    assert code == 0
    assert "Stopped" in out
    _, out, _ = call(capsys, "status", "--json", "-", "--profile", str(running))
    assert json.loads(out)["mode"] == "HALTED"


def test_without_an_engine_halt_leaves_the_flag_that_keeps_the_next_one_from_trading(tmp_path, capsys):
    tmp_path.chmod(0o700)
    code, _, err = call(capsys, "halt", "--profile", str(tmp_path))
    assert code == 1
    assert "no engine is running" in err
    assert (tmp_path / "HALT").exists()


def test_settings_that_cannot_be_are_named_by_line_and_key(tmp_path, capsys):
    file = tmp_path / "settings.yaml"
    file.write_text("mode: paper\nautonomi: ask\n", encoding="utf-8")
    file.chmod(0o600)
    tmp_path.chmod(0o700)
    code, _, err = call(capsys, "run", "--settings", str(file), "--profile", str(tmp_path), "--for", "1")
    assert code == 2
    assert "line 2" in err
    assert "autonomi" in err


def test_what_is_not_in_this_version_is_refused_by_its_key(tmp_path, capsys):
    file = tmp_path / "settings.yaml"
    file.write_text("providers: {polygon: {enabled: true}}\n", encoding="utf-8")
    file.chmod(0o600)
    tmp_path.chmod(0o700)
    code, _, err = call(capsys, "run", "--settings", str(file), "--profile", str(tmp_path), "--for", "1")
    assert code == 2
    assert "providers.polygon" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mode: paper\nmetrics: {port: 9100}", "line 2, metrics.port: must be 0: the export of metrics is not in this"),
        ("relay:\n  url: redis://x", "line 2, relay.url: must be none"),
        ("cache: {url: 'redis://x:1/0'}", "line 1, cache.url: must be memory"),
        (
            "providers:\n  finnhub:\n    enabled: true",
            "line 3, providers.finnhub.enabled: this provider is not in this",
        ),
        (
            "providers: {plugins: {mine: {enabled: true}}}",
            "providers.plugins.mine.enabled: providers of plug-ins are not",
        ),
        ("providers: {alpaca: {enabled: true}}", "providers.alpaca.enabled: its data comes with broker.kind: alpaca"),
        ("ibkr_data: {enabled: true}", "line 1, ibkr_data.enabled: market data comes with broker.kind: ibkr"),
        ("replay: {enabled: true}", "line 1, replay.enabled: main.py replay and --replay play what was imported"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused_with_its_file_and_line(tmp_path, capsys, text, said):
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    code, _, errors = call(capsys, "run", "--demo", "--for", "1", "--profile", str(tmp_path))
    assert code == 2
    assert said in errors


def test_a_replay_of_an_empty_archive_says_how_to_fill_it(tmp_path, capsys):
    tmp_path.chmod(0o700)
    code, _, err = call(capsys, "replay", "all", "--profile", str(tmp_path))
    assert code == 2
    assert "data import" in err


def test_genuine_minute_bars_are_imported_listed_and_played(shared_dir, tmp_path, capsys):
    tmp_path.chmod(0o700)
    profile = ("--profile", str(tmp_path))
    file = shared_dir / "market_data" / "minute" / "SP500_NOV2019_1min.csv"
    code, out, _ = call(capsys, "data", "import", str(file), *profile)
    assert code == 0
    assert "1563 of 1563 rows imported" in out
    code, out, _ = call(capsys, "data", "list", "--json", "-", *profile)
    assert [(row["symbol"], row["count"]) for row in json.loads(out)] == [("SP500", 1563)]
    code, out, _ = call(capsys, "replay", "SP500", "--json", "-", *profile)
    summary = json.loads(out)
    assert code == 0
    assert summary["counts"]["Suggested"] > 0
    assert summary["reconciled"]


def test_a_bad_row_is_named_and_nothing_is_imported_unless_asked(tmp_path, capsys):
    tmp_path.chmod(0o700)
    file = tmp_path / "ABC.csv"
    file.write_text(
        "timestamp,open,high,low,close,volume\n2024-01-02,1,2,0.5,1.5,10\n2024-01-03,1,0.2,0.5,1.5,10\n2024-01-04,1,2,1,2,9\n",
        encoding="utf-8",
    )
    profile = ("--profile", str(tmp_path))
    code, out, _ = call(capsys, "data", "import", str(file), *profile)
    assert code == 1
    assert "line 3" in out
    assert call(capsys, "data", "list", "--json", "-", *profile)[1].strip() == "[]"
    code, out, _ = call(capsys, "data", "import", str(file), "--on-bad", "skip", *profile)
    assert code == 0
    assert "2 of 3 rows imported, 1 skipped" in out


def test_audit_verify_finds_a_changed_row(tmp_path, capsys):
    import sqlite3

    profile = tmp_path / "p"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "main.py"), "run", "--demo", "--auto", "--speed", "max", "--for", "900"]
    subprocess.run([*command, "--quiet", "--profile", str(profile)], check=True, env=environment)
    code, out, _ = call(capsys, "audit", "verify", "--json", "-", "--profile", str(profile))
    assert (code, json.loads(out)["ok"]) == (0, True)
    database = sqlite3.connect(profile / "journal.db")
    database.execute("DROP TRIGGER audit_no_update")
    database.execute("UPDATE audit SET payload = replace(payload, '1', '2') WHERE seq = 2")
    database.commit()
    database.close()
    code, out, _ = call(capsys, "audit", "verify", "--json", "-", "--profile", str(profile))
    answer = json.loads(out)
    assert (code, answer["ok"]) == (1, False)
    assert answer["faults"][0]["seq"] == 2


def test_doctor_lists_every_check(tmp_path, capsys):
    tmp_path.chmod(0o700)
    code, out, _ = call(capsys, "doctor", "--json", "-", "--profile", str(tmp_path))
    names = [check["name"] for check in json.loads(out)]
    assert code == 0
    assert {"settings", "strategies", "database", "keyring", "display", "clock"} <= set(names)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["run", "--speed", "fast"],
        ["run", "--for", "-5"],
        ["run", "--for", "nan"],
        ["data"],
        ["secrets", "burn"],
    ],
)
def test_wrong_arguments_exit_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main.main(arguments)
    assert exit_.value.code == 2


def test_a_reader_of_events_that_goes_away_ends_the_run_instead_of_filling_the_log(tmp_path):
    command = [sys.executable, str(ROOT / "main.py"), "run", "--demo", "--auto", "--speed", "max", "--for", "20000"]
    command += ["--profile", str(tmp_path / "p"), "--jsonl", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b'{"event"')
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(timeout=60) == 0, errors
    assert "Traceback" not in errors
    assert sum(file.stat().st_size for file in (tmp_path / "p" / "logs").iterdir()) < 10_000


def test_events_for_a_file_in_a_folder_that_is_not_there_are_wrong_arguments_with_the_path_named(tmp_path, capsys):
    where = tmp_path / "nowhere" / "events.jsonl"
    code, _, errors = call(
        capsys, "run", "--demo", "--for", "5", "--profile", str(tmp_path / "p"), "--jsonl", str(where)
    )
    assert (code, errors) == (2, f"--jsonl {where} cannot be written: No such file or directory\n")


@pytest.mark.parametrize(("flag", "value"), [("--world", "nope"), ("--symbols", "0"), ("--symbols", "5001")])
def test_an_argument_that_names_no_market_is_refused_in_a_sentence(tmp_path, capsys, flag, value):
    code, _, errors = call(capsys, "run", "--demo", flag, value, "--for", "5", "--profile", str(tmp_path / "p"))
    assert code == 2
    assert errors.startswith(flag)
    assert errors.count("\n") == 1


# --- letting the agent do more, last in this file: it leaves the engine with a PIN


def piped(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in lines)))


def test_after_a_halt_a_person_sets_a_pin_resumes_and_raises_with_it_from_the_shell(running, capsys, monkeypatch):
    profile = ("--profile", str(running))
    call(capsys, "halt", *profile)
    deadline = time.monotonic() + 60  # the books are compared again after the halt; that comes first
    while True:
        code, _, err = call(capsys, "resume", "--confirm", "RESUME", "--reason", "looked", *profile)
        if code == 0 or "RECONCILE" not in err:
            break
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert code == 0, err
    piped(monkeypatch, "4711")
    assert call(capsys, "pin", *profile)[:2] == (0, "The PIN is set.\n")
    status = json.loads(call(capsys, "status", "--json", "-", *profile)[1])
    assert (status["mode"], status["pin_set"], status["latches"]) == ("MANUAL", True, [])
    piped(monkeypatch, "0000")
    code, _, err = call(capsys, "autonomy", "auto", "--reason", "trial", *profile)
    assert (code, err) == (1, "PIN The PIN is wrong.\n")
    piped(monkeypatch, "4711")
    assert call(capsys, "autonomy", "auto", "--reason", "trial", *profile)[0] == 0
    assert json.loads(call(capsys, "status", "--json", "-", *profile)[1])["mode"] == "AUTO"
    piped(monkeypatch)  # going down asks nothing
    assert call(capsys, "mode", "manual", *profile)[0] == 0
    piped(monkeypatch, "4711", "0815")
    assert call(capsys, "pin", *profile)[:2] == (0, "The PIN is changed.\n")
    piped(monkeypatch, "4711", "1234")
    assert call(capsys, "pin", *profile)[0] == 1


def test_going_up_without_a_reason_or_the_word_is_refused_before_anything_is_sent(running, capsys, monkeypatch):
    profile = ("--profile", str(running))
    piped(monkeypatch)
    code, _, err = call(capsys, "mode", "AUTO", *profile)
    assert (code, "--reason" in err) == (2, True)
    call(capsys, "halt", *profile)
    code, _, err = call(capsys, "resume", "--reason", "looked", *profile)
    assert (code, "RESUME" in err) == (2, True)
    assert json.loads(call(capsys, "status", "--json", "-", *profile)[1])["mode"] == "HALTED"


def test_a_mandate_is_signed_shown_and_ended_from_the_shell(running, capsys, monkeypatch):
    profile = ("--profile", str(running))
    assert call(capsys, "mandate", "--order", "5000", *profile)[0] == 2
    piped(monkeypatch, "0815")
    caps = ("--order", "5000", "--day", "20000", "--orders", "5", "--symbols", "aapl msft")
    assert call(capsys, "mandate", *caps, *profile)[0] == 0
    mandate = json.loads(call(capsys, "status", "--json", "-", *profile)[1])["mandate"]
    assert (mandate["max_day"], mandate["universe"]) == ("20000", ["AAPL", "MSFT"])
    assert call(capsys, "mandate", "--end", *profile)[0] == 0
    assert json.loads(call(capsys, "status", "--json", "-", *profile)[1])["mandate"] is None


def test_adopt_says_that_all_agrees_and_refuses_what_does_not_differ(running, capsys):
    profile = ("--profile", str(running))
    assert call(capsys, "adopt", *profile)[:2] == (0, "ours and the broker's agree\n")
    code, _, err = call(capsys, "adopt", "AAPL", "--reason", "looked", *profile)
    assert (code, "neither" in err) == (2, True)


def test_rearm_alone_lists_what_is_off(running, capsys, monkeypatch):
    piped(monkeypatch, "0815")
    assert call(capsys, "rearm", "--profile", str(running))[:2] == (0, "nothing is off\n")
    code, _, err = call(capsys, "rearm", "G10", "--reason", "looked", "--profile", str(running))
    assert (code, err.startswith("LATCH")) == (1, True)


@pytest.mark.parametrize(
    ("lived", "moved", "wall", "said"),
    [
        (1_800.0, 1_800.0, 90.0, "20×"),
        (23_400.0, 70_000.0, 10.0, "2,340×"),
        (500.0, 25.92e6, 10.0, "30.0 days/s"),
    ],
)
def test_the_pace_counts_what_was_lived_through_and_beyond_a_day_a_second_days(lived, moved, wall, said):
    assert pace(lived, moved, wall) == said


def test_a_gateway_that_is_not_there_is_named_and_the_run_fails(tmp_path, capsys):
    file = tmp_path / "settings.yaml"
    text = "broker: {kind: ibkr}\nibkr: {port: 1, account: DU1234567}\nuniverse: [AAPL]\n"
    file.write_text(text + "providers: {simulated: {enabled: false}}\n", encoding="utf-8")
    file.chmod(0o600)
    tmp_path.chmod(0o700)
    code, out, err = call(capsys, "run", "--profile", str(tmp_path), "--for", "1")
    assert code == 1
    assert "nothing listens at 127.0.0.1:1" in err
    assert "start TWS or IB Gateway" in err
    assert "our books were not compared with the broker's: the broker never answered" in out
    assert "AGREE" not in out


def test_a_damaged_journal_is_told_by_doctor_and_by_the_run_that_set_it_aside(tmp_path, capsys):
    profile = tmp_path / "p"
    run = ["run", "--demo", "--symbols", "2", "--speed", "max", "--for", "5", "--profile", str(profile)]
    assert call(capsys, *run)[0] == 0
    journal = profile / "journal.db"
    content = bytearray(journal.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * (4096 * 3)
    journal.write_bytes(content)
    code, out, _ = call(capsys, "doctor", "--profile", str(profile))
    assert code == 1
    line = next(line for line in out.splitlines() if "database" in line)
    assert "journal.db is damaged" in line
    assert "***" not in out
    code, out, err = call(capsys, *run)
    assert code == 0
    assert "note: The order journal was damaged" in out
    assert "was restored from" in out
    assert "The order journal was damaged" in err
    assert "***" not in out


def test_a_stop_with_nothing_at_work_says_so(running, capsys):
    call(capsys, "order", "cancel all", "--profile", str(running))
    time.sleep(1.0)
    code, out, _ = call(capsys, "halt", "--profile", str(running))
    assert code == 0
    assert out.strip() == "Stopped. Nothing was working that it cancels."


STRATEGY = """id: mine
title: Mine
horizon: day
bar_seconds: 300
long: {enter: ["close > ema(20)"]}
"""


def test_a_strategy_is_checked_and_installed_by_a_running_engine_and_listed(running, capsys, tmp_path):
    profile, file = ("--profile", str(running)), tmp_path / "draft.yaml"
    file.write_text(STRATEGY.replace("ema(20)", "nothing(20)"))
    code, _, err = call(capsys, "strategies", "check", str(file), *profile)
    assert code == 2
    assert f"{file}, line 5: long.enter" in err
    assert call(capsys, "strategies", "install", str(file), *profile)[0] == 2
    file.write_text(STRATEGY)
    code, out, _ = call(capsys, "strategies", "install", str(file), "--json", "-", *profile)
    assert (code, json.loads(out)["id"]) == (0, "mine")
    rows = {row["id"]: row for row in json.loads(call(capsys, "strategies", "list", "--json", "-", *profile)[1])}
    assert (rows["mine"]["origin"], rows["mine"]["signals"]) == ("own", 0)
    assert rows["day_trading"]["origin"] == "shipped"
    assert (running / "strategies" / "mine.yaml").read_text() == STRATEGY


def test_without_an_engine_a_strategy_is_written_and_a_broken_one_is_listed_with_its_line(capsys, tmp_path):
    profile, file = ("--profile", str(tmp_path / "idle")), tmp_path / "draft.yaml"
    file.write_text(STRATEGY)
    assert call(capsys, "strategies", "install", str(file), *profile)[0] == 0
    (tmp_path / "idle" / "strategies" / "mine.yaml").write_text(STRATEGY + "stop_atr: 0\n")
    code, out, _ = call(capsys, "strategies", "list", *profile)
    assert code == 0
    assert "mine" in out
    assert "line 6: stop_atr: must be above 0" in out


def test_an_engine_that_was_killed_keeps_no_strategy_from_being_installed_and_one_that_starts_does(capsys, tmp_path):
    folder, file = tmp_path / "killed", tmp_path / "draft.yaml"
    file.write_text(STRATEGY)
    folder.mkdir(mode=0o700)
    write_door(folder, Door(kind="unix", path=str(folder / "engine.sock"), token="t" * 32, pid=1))
    with ProfileLock(folder / "engine.lock"):
        code, _, err = call(capsys, "strategies", "install", str(file), "--profile", str(folder))
        assert (code, "nothing is installed" in err) == (1, True)
        assert not (folder / "strategies" / "mine.yaml").exists()
    assert call(capsys, "strategies", "install", str(file), "--profile", str(folder))[0] == 0
    assert (folder / "strategies" / "mine.yaml").read_text() == STRATEGY


def test_status_names_the_programs_that_are_connected_and_what_they_may_do(capsys):
    data = {"book": "paper", "clients": ["api", "cli", "mcp", "watchdog", "window"], "programs_trade": False}
    _show_status(Receipt(ok=True, data=data))
    assert "connected: api, mcp; programs may propose, not trade\n" in capsys.readouterr().out
    _show_status(Receipt(ok=True, data={**data, "programs_trade": True}))
    assert "programs may trade while AUTO is armed\n" in capsys.readouterr().out
    _show_status(Receipt(ok=True, data={**data, "clients": ["cli", "console", "window"]}))
    assert "connected" not in capsys.readouterr().out
