"""Drawings by symbol, in one file of the profile. They hold for every interval of the symbol."""

from pathlib import Path

import msgspec

from widgets.candle_chart.layers import Drawing, DrawingKind

FILE = "drawings.json"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One drawing as it lies in the file: points are [UTC ns, price]."""

    id: str
    kind: DrawingKind
    points: tuple[tuple[int, float], ...]
    text: str = ""


class DrawingStore:
    """Reads once, writes on change in one step."""

    def __init__(self, profile: Path) -> None:
        self._path = profile / FILE
        self.problem = ""
        """Why the file could not be used, in words; it is then left as it is."""
        self._kept = self._read()

    def get(self, symbol: str) -> tuple[Drawing, ...]:
        """Return what is drawn on a symbol."""
        return tuple(
            Drawing(id=kept.id, kind=kept.kind, points=kept.points, text=kept.text)
            for kept in self._kept.get(symbol, ())
        )

    def put(self, symbol: str, drawings: tuple[Drawing, ...]) -> None:
        """Keep the drawings of a symbol. Raises ``OSError``; they hold until the end anyway."""
        kept = tuple(Kept(id=item.id, kind=item.kind, points=item.points, text=item.text) for item in drawings)
        if kept:
            self._kept[symbol] = kept
        else:
            self._kept.pop(symbol, None)
        if self.problem:
            raise OSError(self.problem)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(self._kept)))
        temporary.replace(self._path)

    def _read(self) -> dict[str, tuple[Kept, ...]]:
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=dict[str, tuple[Kept, ...]])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            self.problem = f"{FILE} cannot be used: {error}"
            return {}
        for symbol, drawings in found.items():
            for item in drawings:
                if len(item.points) != item.kind.points:
                    self.problem = (
                        f"{FILE} cannot be used: {symbol}, {item.id}: a {item.kind} has {item.kind.points} points"
                    )
                    return {}
        return found
