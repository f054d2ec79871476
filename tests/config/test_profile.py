"""The profile folder is private, writable and used by one engine at a time."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from config.errors import ProfileError, ProfileInUseError
from config.lock import ProfileLock
from config.paths import default_root, open_profile


def test_a_new_profile_is_private(tmp_path: Path) -> None:
    profile = open_profile(tmp_path / "a" / "b")
    assert stat.S_IMODE(profile.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(profile.folder("logs").stat().st_mode) == 0o700


def test_a_readable_profile_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert stat.S_IMODE(open_profile(tmp_path).root.stat().st_mode) == 0o700


def test_a_profile_that_others_can_write_is_refused_with_the_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ProfileError, match="chmod 700"):
        open_profile(tmp_path)


def test_a_file_in_the_place_of_a_profile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("x")
    with pytest.raises(ProfileError, match="is a file, not a folder"):
        open_profile(tmp_path / "p")


@pytest.mark.parametrize("step", ["mkdir", "probe"])
def test_an_unwritable_place_is_refused_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    if step == "mkdir":
        monkeypatch.setattr(Path, "mkdir", fails)
    else:
        monkeypatch.setattr("config.paths.tempfile.TemporaryFile", fails)
    with pytest.raises(ProfileError, match=r"Read-only file system.*--profile DIR"):
        open_profile(tmp_path / "p")


def test_the_default_profile_is_in_the_users_data_folder() -> None:
    assert str(default_root()).startswith(os.environ["XDG_DATA_HOME"])


def test_the_door_fits_a_socket_address_however_deep_the_profile_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A home as short as a person's: the folder of a test of a worker of the thousandth run is longer than any.
    with tempfile.TemporaryDirectory(prefix="ma-") as home:
        monkeypatch.setenv("XDG_DATA_HOME", home)
        _doors_fit(tmp_path)


def _doors_fit(tmp_path: Path) -> None:
    deep = open_profile(tmp_path / ("d" * 60) / ("e" * 60))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(deep.door))
    assert deep.door != open_profile(tmp_path / ("d" * 60) / ("f" * 60)).door


def test_a_second_process_is_told_who_holds_the_profile(tmp_path: Path, repo_dir: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from config.lock import ProfileLock\n"
        "ProfileLock(Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()"
    )
    file = tmp_path / "engine.lock"
    command = [sys.executable, "-c", script, str(file)]
    with subprocess.Popen(command, cwd=repo_dir, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ProfileInUseError, match=f"in use by process {other.pid}"):
            ProfileLock(file).acquire()
        other.kill()  # a crash, not a clean end
    with ProfileLock(file):
        pass


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with ProfileLock(tmp_path / "engine.lock"), pytest.raises(ProfileInUseError):
            ProfileLock(tmp_path / "engine.lock").acquire()
