"""The journal's small values, which may fail like a full disk."""

from engine.bus.errors import JournalError


class Store(dict[str, str]):
    broken = False

    def set(self, name: str, value: str) -> None:
        if self.broken:
            raise JournalError("the disk is full")
        self[name] = value
