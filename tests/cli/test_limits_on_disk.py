"""The limits of the settings file as the engine watches them while it runs."""

import os
from pathlib import Path

from cli.compose import limits_on_disk


def test_a_file_that_is_written_while_the_engine_runs_and_changes_no_limit_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    look = limits_on_disk(file)
    before = look()
    file.write_text("autonomy: suggest\n", encoding="utf-8")
    assert look() == before
    file.unlink()
    assert look() == before


def test_a_file_that_is_written_while_the_engine_runs_and_changes_a_limit_is_one(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    look = limits_on_disk(file)
    before = look()
    file.write_text("risk:\n  auto:\n    position_percent: 1.0\n", encoding="utf-8")
    changed = look()
    assert changed not in (before, "unreadable", None)
    file.unlink()
    assert look() == before


def test_an_edit_that_keeps_size_and_times_of_the_file_is_an_edit(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("risk:\n  auto:\n    position_percent: 1.0\n", encoding="utf-8")
    look = limits_on_disk(file)
    before, kept = look(), file.stat()
    file.write_text("risk:\n  auto:\n    position_percent: 9.0\n", encoding="utf-8")
    os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (kept.st_size, kept.st_mtime_ns)
    assert look() not in (before, "unreadable")


def test_a_file_that_cannot_be_read_any_more_is_a_change_and_no_error(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    look = limits_on_disk(file)
    before = look()
    file.write_text("risk: [", encoding="utf-8")
    assert (look(), look()) == ("unreadable", "unreadable")
    file.unlink()
    file.mkdir()
    assert look() == "unreadable"
    file.rmdir()
    assert look() == before
