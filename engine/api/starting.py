"""What a starting engine is doing: a word in the profile, for a window that cannot talk with it yet."""

from enum import StrEnum
from pathlib import Path

START_FILE = "starting"


class StartStep(StrEnum):
    """A part of the start that can take seconds."""

    HISTORY = "history"
    COMPILING = "compiling"
    """Kernels become machine code: on the first start of this version on this machine, half a minute to minutes."""
    BOOKS = "books"


def write_start(profile: Path, step: StartStep) -> None:
    """Publish the step."""
    (profile / START_FILE).write_text(step.value, encoding="ascii")


def read_start(profile: Path) -> StartStep | None:
    """Read the step; ``None`` when no engine is starting (or the file is damaged)."""
    try:
        return StartStep((profile / START_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def remove_start(profile: Path) -> None:
    """Take the word back: the engine answers for itself now, or has ended."""
    (profile / START_FILE).unlink(missing_ok=True)
