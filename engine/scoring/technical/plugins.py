"""Strategy texts of installed packages: read by the same reader as ours, and off until a person switches them on."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from engine.scoring.technical.library import Offered

GROUP = "market_agent.strategies"


def offered_strategies(points: Iterable[EntryPoint] | None = None) -> tuple[Offered, ...]:
    """Load every text of the entry point group, in the order of their names; one that cannot be loaded says why."""
    found = entry_points(group=GROUP) if points is None else points
    return tuple(_load(point) for point in sorted(found, key=lambda p: (p.name, p.value)))


def _load(point: EntryPoint) -> Offered:
    package = point.dist.name if point.dist is not None else point.module.partition(".")[0]
    try:
        made = point.load()
        text = made() if callable(made) else made
    except Exception as error:  # noqa: BLE001  whatever a package raises, its strategy is off and the others go on
        return Offered(point.name, package, "", f"It could not be loaded ({type(error).__name__}: {error}).")
    if not isinstance(text, str):
        return Offered(point.name, package, "", f"{point.value} is no text.")
    return Offered(point.name, package, text)
