"""The profile is the owner's alone."""

import os
import stat
import sys
from pathlib import Path

import pytest

from engine.bus.errors import SettingsError
from engine.operations.permissions import require_private

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folder rights are another matter on Windows")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    folder = tmp_path / "profile"
    folder.mkdir(mode=0o700)
    (folder / "logs").mkdir(mode=0o700)
    (folder / "journal.db").touch(mode=0o600)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_profile_is_left_as_it_is(profile: Path) -> None:
    assert require_private(profile) == ()


@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777])
@pytest.mark.parametrize("where", ["", "logs"])
def test_a_folder_that_others_can_write_to_is_refused_by_name(profile: Path, bits: int, where: str) -> None:
    (profile / where).chmod(bits)
    with pytest.raises(SettingsError, match="chmod") as refused:
        require_private(profile)
    assert str(profile / where) in str(refused.value)
    assert mode(profile / where) == bits


def test_what_others_could_only_read_is_closed(profile: Path) -> None:
    profile.chmod(0o755)
    (profile / "journal.db").chmod(0o664)
    assert set(require_private(profile)) == {profile, profile / "journal.db"}
    assert mode(profile) == 0o700
    assert mode(profile / "journal.db") == 0o600


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(profile: Path) -> None:
    os.chown(profile / "journal.db", 12345, 12345)
    with pytest.raises(SettingsError, match="another user"):
        require_private(profile)


def test_a_link_to_elsewhere_is_not_followed(profile: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(mode=0o600)
    outside.chmod(0o644)
    (profile / "link").symlink_to(outside)
    require_private(profile)
    assert mode(outside) == 0o644
