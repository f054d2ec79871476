"""Where the engine's socket lies when the profile's path is too long for one."""

import os
import sys
from pathlib import Path

import pytest

from engine.api.door import socket_path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows listens on loopback")


def test_a_folder_that_others_can_reach_holds_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    profile = tmp_path / ("long" * 40)
    folder = tmp_path / f"market-agent-{os.getuid()}"
    assert socket_path(profile).parent == folder
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="yours alone"):
        socket_path(profile)


def test_a_link_in_its_place_holds_none_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (tmp_path / f"market-agent-{os.getuid()}").symlink_to(other)
    with pytest.raises(PermissionError, match="yours alone"):
        socket_path(tmp_path / ("long" * 40))
