"""Who may touch the profile: the owner alone (0700, 0600). Looked at once, before anything in it is believed."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from engine.bus.errors import SettingsError

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
OTHERS = 0o077


def require_private(profile: Path) -> tuple[Path, ...]:
    """Refuse a profile that others can write to or own a part of; close what they could only read.

    Raises ``SettingsError`` that names the path and the remedy. Returns what was closed. Files inside a private folder
    are closed rather than refused: nobody could have reached them. On Windows the folder's own rights decide.
    """
    if os.name != "posix":
        return ()
    closed: list[Path] = []
    for path, is_folder in _entries(profile):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            continue
        if status.st_uid != os.getuid():
            raise SettingsError(f"{path} belongs to another user. Look at it, then take it over or remove it.")
        if is_folder and status.st_mode & OTHERS_WRITE:
            raise SettingsError(
                f"Other users can write to {path}. Check what is in it, then run: chmod -R go-rwx '{path}'"
            )
        if status.st_mode & OTHERS:
            path.chmod(stat.S_IMODE(status.st_mode) & ~OTHERS)
            closed.append(path)
    return tuple(closed)


def _entries(profile: Path) -> Iterator[tuple[Path, bool]]:
    """The profile, then what is in it, folders before their content."""
    yield profile, True
    for root, folders, files in os.walk(profile):
        for name in sorted(folders):
            yield Path(root, name), True
        for name in sorted(files):
            yield Path(root, name), False
