"""Writing settings so that a crash at any instant leaves the old file or the new one, never half of one."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

from config.errors import ProfileError
from config.load import FOOTER, HEADER, last_good, load_text, read_text
from config.settings import Settings


def write_atomically(file: Path, content: bytes) -> None:
    """Replace a file in one step: private temporary file, fsync, rename, fsync of the folder.

    Raise ProfileError with the cause; the old file is untouched then.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)  # 0600 from the start
    except OSError as error:
        raise ProfileError(f"{file.parent} cannot be written: {error.strerror}") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ProfileError(f"{file} cannot be written: {error.strerror}") from error
    if os.name == "posix":  # Windows cannot open a folder; its rename is journalled
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def to_text(settings: Settings) -> str:
    """Return the YAML text of a settings value: only what differs from the defaults, marked complete."""
    tree: dict[str, Any] = settings.model_dump(mode="json", exclude_defaults=True)
    tree = {"mode": settings.mode, "autonomy": settings.autonomy, **tree}
    body = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100)
    return f"{HEADER}\n{body}{FOOTER}\n"


def save(file: Path, settings: Settings) -> None:
    """Check, then store settings; a good file that is replaced stays beside it as `.last-good`."""
    text = to_text(settings)
    if load_text(text, str(file)).settings != settings:
        raise ValueError("settings do not survive being written and read")
    keep_last_good(file, text)
    write_atomically(file, text.encode())


def keep_last_good(file: Path, text: str | None = None) -> None:
    """Store the text (default: the file's own, which the caller has just loaded) as the last good copy."""
    if text is None:
        text = read_text(file)
        if not text:
            return
    copy = last_good(file)
    if not copy.exists() or copy.read_bytes() != text.encode():
        write_atomically(copy, text.encode())


def quarantine(file: Path) -> Path:
    """Copy a damaged file aside as evidence (`.damaged`, once per content) and return the copy."""
    copy = file.with_name(file.name + ".damaged")
    shutil.copyfile(file, copy)
    copy.chmod(0o600)
    return copy
