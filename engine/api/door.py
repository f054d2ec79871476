"""Where the engine of a profile listens: a small file in the profile that every client reads."""

import hashlib
import json
import os
import stat
import sys
import tempfile
from pathlib import Path

import msgspec

DOOR_FILE = "door.json"
_UNIX_PATH_MAX = 100


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Address of a running engine. ``token`` guards the TCP form."""

    kind: str
    """``unix`` or ``tcp``."""
    path: str = ""
    port: int = 0
    token: str = ""
    pid: int = 0
    version: int = 0


def socket_path(profile: Path) -> Path:
    """Choose the Unix socket's path: in the profile, or in a private folder when that name would be too long."""
    inside = profile / "engine.sock"
    if len(str(inside)) <= _UNIX_PATH_MAX:
        return inside
    digest = hashlib.sha256(str(profile.resolve()).encode()).hexdigest()[:16]
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    folder = base / f"market-agent-{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder.lstat()
    if not stat.S_ISDIR(made.st_mode) or made.st_uid != os.getuid() or made.st_mode & 0o077:
        # Whoever made it before us could put a socket of his own there, and hear the token.
        raise PermissionError(f"{folder} is not a folder of yours alone; remove it, or use a shorter --profile")
    return folder / f"{digest}.sock"


def prefers_unix() -> bool:
    """Say whether this system has Unix sockets for asyncio."""
    return sys.platform != "win32"


def write_door(profile: Path, door: Door) -> None:
    """Publish the address, readable by the owner only, in one step."""
    target = profile / DOOR_FILE
    temporary = profile / f".{DOOR_FILE}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(door))
    os.replace(temporary, target)


def read_door(profile: Path) -> Door | None:
    """Read the address; ``None`` when no engine has published one (or the file is damaged)."""
    try:
        return msgspec.json.decode((profile / DOOR_FILE).read_bytes(), type=Door)
    except (OSError, msgspec.DecodeError, json.JSONDecodeError):
        return None


def remove_door(profile: Path) -> None:
    """Take the address back at a clean stop."""
    (profile / DOOR_FILE).unlink(missing_ok=True)
