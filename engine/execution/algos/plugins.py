"""Our algorithms and those of plug-ins, by name. One that cannot be loaded is left out and named."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from engine.execution.algos.algorithm import Algorithm
from engine.execution.algos.chase import Chase
from engine.execution.algos.iceberg import Iceberg
from engine.execution.algos.pov import Pov
from engine.execution.algos.twap import Twap
from engine.execution.algos.vwap import Vwap

GROUP = "market_agent.execution_algos"


def own_algorithms() -> dict[str, Algorithm]:
    """The algorithms this program brings."""
    return {algorithm.name: algorithm for algorithm in (Twap(), Vwap(), Iceberg(), Pov(), Chase())}


def all_algorithms(points: Iterable[EntryPoint] | None = None) -> tuple[Mapping[str, Algorithm], tuple[str, ...]]:
    """Return (algorithms by name, sentences about plug-ins that could not be loaded)."""
    found = entry_points(group=GROUP) if points is None else points
    algorithms = own_algorithms()
    failures: list[str] = []
    for point in sorted(found, key=lambda p: p.name):
        try:
            made: Algorithm = point.load()()
            name = str(made.name)
            complete = callable(made.plan) and callable(made.refusal) and callable(made.seconds)
            fits = (
                complete and isinstance(made.params, tuple) and bool(made.title) and made.needs_curve in (True, False)
            )
        except Exception as error:  # noqa: BLE001  whatever a plug-in raises, the others go on
            failures.append(f"The algorithm {point.name} could not be loaded ({type(error).__name__}: {error}).")
            continue
        if not fits or name != name.lower() or name in algorithms or "." in name:
            failures.append(f"The algorithm {point.name} has no usable name of its own ({name!r}), so it is left out.")
            continue
        algorithms[name] = made
    return algorithms, tuple(failures)
