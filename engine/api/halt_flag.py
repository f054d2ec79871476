"""The flag that stops trading where no engine hears: a file in the profile that every engine looks for each second."""

import os
from pathlib import Path

HALT_FLAG = "HALT"
_FLATTEN = "flatten=True"


def leave_halt_flag(profile: Path, *, flatten: bool = False) -> Path:
    """Leave it, whole in one step; one that closes every position goes on doing so. Raises ``OSError``."""
    flag, temporary = profile / HALT_FLAG, profile / f".{HALT_FLAG}.tmp"
    text = f"flatten={flatten or read_halt_flag(profile) is True}\n"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        os.replace(temporary, flag)
    except OSError:
        # An empty file still fits on a full disk, and stops as well.
        flag.touch(mode=0o600)
    return flag


def read_halt_flag(profile: Path) -> bool | None:
    """Return whether it closes every position too; None where there is no flag. One that cannot be read stops."""
    flag = profile / HALT_FLAG
    try:
        return _FLATTEN in flag.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        return False
