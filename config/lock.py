"""One engine per profile: an OS lock that dies with its process, so no stale lock ever needs removing."""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from config.errors import ProfileError, ProfileInUseError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> None:
        # Byte 4096 lies behind the process id, which others must be able to read while it is locked.
        os.lseek(handle, 4096, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class ProfileLock:
    """Held while an engine runs on a profile; also a context manager."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock without waiting. Raise ProfileInUseError when another process has it."""
        if self._handle is not None:
            return
        try:
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ProfileError(f"{self._file} cannot be opened: {error.strerror}") from error
        try:
            _try_lock(handle)
        except OSError as error:
            os.close(handle)
            raise ProfileInUseError(self._file.parent, holder(self._file)) from error
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; the file stays, for removing it would let two processes lock two files."""
        if self._handle is not None:
            with contextlib.suppress(OSError):  # the lock goes with the handle in any case
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(file: Path) -> int | None:
    """Return the process id written into a lock file, None when there is none."""
    try:
        return int(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
