"""Services that need each other: a name that is filled in once, before anything runs."""

from typing import Any, cast


class Late:
    """Stands for a part that is made later. Using it earlier is an error that names it."""

    def __init__(self, name: str) -> None:
        self._late_name = name
        self._late_part: object | None = None

    def fill(self, part: object) -> None:
        """Put the part in place, once."""
        if self._late_part is not None:
            raise RuntimeError(f"{self._late_name} is in place already")
        self._late_part = part

    def __getattr__(self, attribute: str) -> Any:
        part = self.__dict__.get("_late_part")
        if part is None:
            raise RuntimeError(f"{self.__dict__.get('_late_name')} is used before it is made")
        return getattr(part, attribute)


def late(name: str) -> Any:
    """Make a :class:`Late`, typed as whatever the user of it needs."""
    return cast(Any, Late(name))
