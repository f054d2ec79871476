"""The flag that stops trading: one writing, one reading, whoever leaves it."""

import os
import stat

import pytest

from engine.api.halt_flag import HALT_FLAG, leave_halt_flag, read_halt_flag


def test_a_flag_says_whether_it_closes_every_position(tmp_path) -> None:
    assert read_halt_flag(tmp_path) is None
    leave_halt_flag(tmp_path)
    assert read_halt_flag(tmp_path) is False
    flag = leave_halt_flag(tmp_path, flatten=True)
    assert read_halt_flag(tmp_path) is True
    assert stat.S_IMODE(flag.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [HALT_FLAG]


def test_a_smaller_stop_takes_nothing_back_from_a_larger_one(tmp_path) -> None:
    leave_halt_flag(tmp_path, flatten=True)
    leave_halt_flag(tmp_path)
    assert read_halt_flag(tmp_path) is True


def test_an_empty_flag_of_a_full_disk_stops(tmp_path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    leave_halt_flag(tmp_path, flatten=True)
    assert read_halt_flag(tmp_path) is False


def test_one_that_cannot_be_read_stops(tmp_path) -> None:
    (tmp_path / HALT_FLAG).mkdir()
    assert read_halt_flag(tmp_path) is False


def test_where_it_cannot_be_left_it_is_said(tmp_path) -> None:
    with pytest.raises(OSError, match="No such file"):
        leave_halt_flag(tmp_path / "nowhere")
