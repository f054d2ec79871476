"""The limits of the settings file as the engine watches them while it runs."""

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
