"""What a start says: to the profile, where a window reads it, and to whoever started it."""

from pathlib import Path

import numba
import pytest

from engine.api.starting import StartStep, read_start, write_start
from engine.runtime.starting import Starting


def test_a_kernel_that_compiles_is_told_once_and_stays_said_until_the_next_step(tmp_path: Path) -> None:
    told: list[StartStep] = []
    kernels = [numba.njit(lambda x: x + 1), numba.njit(lambda x: x + 2)]
    with Starting(tmp_path, told.append) as starting:
        starting.tell(StartStep.HISTORY)
        assert read_start(tmp_path) is StartStep.HISTORY
        for kernel in kernels:
            kernel(1.0)
            assert read_start(tmp_path) is StartStep.COMPILING
        kernels[0](2.0)
        starting.tell(StartStep.BOOKS)
        assert read_start(tmp_path) is StartStep.BOOKS
    assert told == [StartStep.HISTORY, StartStep.COMPILING, StartStep.BOOKS]


def test_what_is_compiled_already_is_not_told(tmp_path: Path) -> None:
    kernel = numba.njit(lambda x: x + 3)
    kernel(1.0)
    with Starting(tmp_path):
        kernel(2.0)
        assert read_start(tmp_path) is None


def test_the_word_goes_when_the_start_is_over_or_has_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with Starting(tmp_path) as starting:
            starting.tell(StartStep.BOOKS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert read_start(tmp_path) is None
    numba.njit(lambda x: x + 4)(1.0)
    assert read_start(tmp_path) is None, "the compiler is not listened to any more"


def test_a_damaged_word_is_no_step(tmp_path: Path) -> None:
    write_start(tmp_path, StartStep.HISTORY)
    (tmp_path / "starting").write_bytes(b"\xffhist")
    assert read_start(tmp_path) is None
