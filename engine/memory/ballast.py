"""Disk space kept in reserve, so that a full disk does not stop us from recording a cancel."""

import os
from pathlib import Path

_BLOCK = b"\0" * (1 << 20)


class Ballast:
    """A file of ``megabytes``; freeing it makes room once."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self._path = path
        self._bytes = megabytes << 20

    @property
    def held(self) -> bool:
        """Whether the reserve is still there."""
        return self._bytes == 0 or (self._path.exists() and self._path.stat().st_size == self._bytes)

    def take(self) -> bool:
        """Claim the reserve; false when the disk has not enough room for it."""
        if self.held:
            return True
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, self._bytes)
                else:
                    for _ in range(self._bytes >> 20):
                        file.write(_BLOCK)
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        return True

    def free(self) -> bool:
        """Give the reserve back to the disk; true when there was one."""
        existed = self._path.exists()
        self._path.unlink(missing_ok=True)
        return existed
