"""What a person keeps by symbol, in one file of the profile: read once, written on change in one step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

K = TypeVar("K", bound=msgspec.Struct)


class SymbolFile(Generic[K]):
    """Tuples of one kind by symbol. A file that cannot be used is left as it is, and ``problem`` says why in words."""

    def __init__(self, path: Path, kind: type[K], fault: Callable[[K], str]) -> None:
        """``fault`` says what is wrong with one that was read, empty when nothing is."""
        self._path, self._fault = path, fault
        self.problem = ""
        self.kept: dict[str, tuple[K, ...]] = self._read(kind)

    def get(self, symbol: str) -> tuple[K, ...]:
        """Return what is kept for a symbol."""
        return self.kept.get(symbol, ())

    def put(self, symbol: str, items: tuple[K, ...]) -> None:
        """Keep those of a symbol. Raises ``OSError``; they hold until the end anyway."""
        if items:
            self.kept[symbol] = items
        else:
            self.kept.pop(symbol, None)
        if self.problem:
            raise OSError(self.problem)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(self.kept)))
        temporary.replace(self._path)

    def _read(self, kind: type[K]) -> dict[str, tuple[K, ...]]:
        try:
            shape: Any = dict[str, tuple[kind, ...]]  # type: ignore[valid-type]
            found: dict[str, tuple[K, ...]] = msgspec.json.decode(self._path.read_bytes(), type=shape)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            self.problem = f"{self._path.name} cannot be used: {error}"
            return {}
        for symbol, items in found.items():
            for item in items:
                if fault := self._fault(item):
                    self.problem = f"{self._path.name} cannot be used: {symbol}, {fault}"
                    return {}
        return {symbol: items for symbol, items in found.items() if items}
