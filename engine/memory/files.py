"""Files that are either old or new, never half: temp, mode, data, fsync, replace, fsync of the folder."""

import os
from pathlib import Path


def make_private(folder: Path) -> None:
    """Create ``folder`` for the owner alone (0700); tighten it when it exists."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` survive power loss. A platform without folder handles (Windows) has no need."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def atomic_write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace ``path`` by ``data``. The mode is set before the data, so a secret is never readable by others.

    Raises ``OSError``; the old file is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            os.chmod(temporary, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def set_aside(path: Path, stamp_ns: int) -> Path:
    """Rename a damaged file to ``<name>.corrupt-<stamp>``; it is never deleted. Return the new name."""
    target = path.with_name(f"{path.name}.corrupt-{stamp_ns}")
    os.replace(path, target)
    sync_folder(path.parent)
    return target
