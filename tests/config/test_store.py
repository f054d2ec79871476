"""Storing settings: the old file or the new one, never half of one."""

import os
import stat
from pathlib import Path

import pytest

from config.errors import ProfileError
from config.load import last_good, load, load_text
from config.settings import Settings
from config.store import quarantine, save, to_text, write_atomically


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    settings = load_text(
        "universe: ['NO', 'ON', '1234']\nllm: {daily_budget_usd: 0.1}\nproviders: {plugins: {mine: {enabled: true}}}",
        "s",
    ).settings
    file = tmp_path / "settings.yaml"
    save(file, settings)
    assert load(file).settings == settings


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert "ibkr" not in to_text(Settings())


def test_files_are_private_from_their_first_byte(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    save(file, Settings())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(last_good(file).stat().st_mode) == 0o600


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "settings.yaml"
    write_atomically(file, b"old")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fails)
    else:
        monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(ProfileError, match="No space left"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.yaml"]


def test_a_damaged_file_is_kept_as_evidence(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_bytes(b"\x00damaged")
    copy = quarantine(file)
    assert copy.read_bytes() == b"\x00damaged"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
