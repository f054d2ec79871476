"""Named points of the order path where the crash tests stop the process. ``hook`` is None in production."""

from collections.abc import Callable

hook: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Pass the point ``name``."""
    if hook is not None:
        hook(name)
