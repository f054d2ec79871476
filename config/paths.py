"""Where a profile keeps its files."""

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.errors import ProfileError

APP_NAME = "market-agent"
# The kernel's room for a Unix socket's path is 104 bytes on macOS and 108 on Linux.
_SOCKET_PATH_MAX = 100


@dataclass(frozen=True, slots=True)
class Profile:
    """One user's files, all below `root`, which only that user may enter."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """Return the settings file; it need not exist."""
        return self.root / "settings.yaml"

    @property
    def lock_file(self) -> Path:
        """Return the file whose OS lock says that an engine runs on this profile."""
        return self.root / "engine.lock"

    @property
    def database_file(self) -> Path:
        """Return the SQLite file of journal and tables."""
        return self.root / "market-agent.sqlite3"

    @property
    def door(self) -> Path:
        """Return the engine's Unix socket: in the profile, or below the default one when that path is too long."""
        inside = self.root / "engine.sock"
        if len(os.fsencode(inside)) <= _SOCKET_PATH_MAX:
            return inside
        import hashlib

        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        # Not the run-time folder: without a session it falls back to a guessable name in /tmp.
        outside = open_profile().folder("doors") / f"{name}.sock"
        if len(os.fsencode(outside)) > _SOCKET_PATH_MAX:
            raise ProfileError(f"The path {self.root} is too long for a socket. Choose a shorter --profile DIR.")
        return outside

    def folder(self, name: str) -> Path:
        """Return the private folder `name` of the profile (bars, logs, models, strategies), made if missing."""
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path


def default_root() -> Path:
    """Return the profile folder used without --profile: the user-data folder of the system."""
    # Imported where it is asked for: a window that is given its profile opens the sooner.
    import platformdirs

    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def open_profile(root: Path | None = None) -> Profile:
    """Make or check the profile folder: 0700 and writable. Raise ProfileError with the remedy."""
    path = (default_root() if root is None else root).expanduser()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = path.resolve(strict=True)
        mode = path.stat().st_mode
    except FileExistsError:
        raise ProfileError(f"{path} is a file, not a folder. Choose another with --profile DIR.") from None
    except OSError as error:
        raise ProfileError(
            f"The profile folder {path} cannot be made: {error.strerror}. Choose another with --profile DIR."
        ) from error
    if os.name == "posix":
        _keep_private(path, mode)
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ProfileError(
            f"The profile folder {path} cannot be written: {error.strerror}. Choose another with --profile DIR."
        ) from error
    return Profile(path)


def _keep_private(path: Path, mode: int) -> None:
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        # Somebody else may already have put something in: the owner must look, so it is not mended silently.
        raise ProfileError(f"Other users can write to {path}. Check what is in it, then run: chmod 700 '{path}'")
    if mode & 0o077:
        try:
            path.chmod(0o700)
        except OSError as error:
            raise ProfileError(f"Others can read {path} and that cannot be changed: {error.strerror}") from error
