"""Drawings by symbol, in one file of the profile. They hold for every interval of the symbol."""

from pathlib import Path

import msgspec

from market_agent_gui.symbol_file import SymbolFile
from widgets.candle_chart.layers import Drawing, DrawingKind

FILE = "drawings.json"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One drawing as it lies in the file: points are [UTC ns, price]."""

    id: str
    kind: DrawingKind
    points: tuple[tuple[int, float], ...]
    text: str = ""


class DrawingStore:
    """Drawings as the chart has them."""

    def __init__(self, profile: Path) -> None:
        self._file = SymbolFile(profile / FILE, Kept, _fault)

    @property
    def problem(self) -> str:
        """Why the file could not be used, in words; it is then left as it is."""
        return self._file.problem

    def get(self, symbol: str) -> tuple[Drawing, ...]:
        """Return what is drawn on a symbol."""
        return tuple(
            Drawing(id=kept.id, kind=kept.kind, points=kept.points, text=kept.text) for kept in self._file.get(symbol)
        )

    def put(self, symbol: str, drawings: tuple[Drawing, ...]) -> None:
        """Keep the drawings of a symbol. Raises ``OSError``; they hold until the end anyway."""
        kept = tuple(Kept(id=item.id, kind=item.kind, points=item.points, text=item.text) for item in drawings)
        self._file.put(symbol, kept)


def _fault(item: Kept) -> str:
    good = len(item.points) == item.kind.points
    return "" if good else f"{item.id}: a {item.kind} has {item.kind.points} points"
