"""What `main.py gui` hands to the window, and what it says when the window cannot be."""

from pathlib import Path
from typing import Any

import pytest

import main
from config.paths import default_root


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the window was opened with, without opening one."""
    found: list[dict[str, Any]] = []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("market_agent_gui.app.run_gui", lambda **arguments: found.append(arguments) or 0)
    return found


@pytest.mark.parametrize("arguments", [(), ("gui", "--demo")])
def test_without_a_profile_the_window_opens_on_the_users_own(opened, arguments):
    assert main.main(list(arguments)) == 0
    assert opened[0]["profile"] == default_root().resolve()
    assert opened[0]["profile"].is_dir()


@pytest.mark.parametrize("profile", ["file", "file/below"])
def test_a_profile_that_cannot_be_is_named_and_no_window_opens(opened, tmp_path, capsys, profile):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert main.main(["gui", "--demo", "--profile", str(tmp_path / profile)]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said
    assert "--profile" in said
    assert not opened


def test_the_window_opens_the_settings_file_that_its_engine_reads(opened, tmp_path):
    file = tmp_path / "mine.yaml"
    assert main.main(["gui", "--profile", str(tmp_path / "p"), "--settings", str(file)]) == 0
    assert opened[0]["settings_argv"] == ("--settings", str(file))
    assert "--settings" not in opened[0]["engine_command"]


@pytest.mark.parametrize("command", [("run", "--demo", "--for", "1"), ("replay", "all")])
def test_a_settings_file_that_is_named_and_not_there_does_not_give_way_to_the_defaults(tmp_path, capsys, command):
    missing: Path = tmp_path / "settngs.yaml"
    assert main.main([*command, "--profile", str(tmp_path / "p"), "--settings", str(missing)]) == 2
    assert capsys.readouterr().err.strip() == f"{missing}: does not exist"
