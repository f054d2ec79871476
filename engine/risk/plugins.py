"""Rules of plug-ins. One that cannot be loaded denies everything: it is never skipped."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from engine.risk.rules.rule import ForeignRule, Rule, broken
from engine.risk.rules.table import REQUIRED

GROUP = "market_agent.risk_rules"


def foreign_rules(points: Iterable[EntryPoint] | None = None) -> tuple[Rule, ...]:
    """Load every rule of the entry point group, in the order of their names."""
    found = entry_points(group=GROUP) if points is None else points
    return tuple(_load(point) for point in sorted(found, key=lambda p: p.name))


def _load(point: EntryPoint) -> Rule:
    try:
        made: ForeignRule = point.load()()
        code, title = str(made.code), str(made.title)
        check = made.check
    except Exception as error:  # noqa: BLE001  whatever a plug-in raises, its place in the gate stays guarded
        text = f"The rule {point.name} could not be loaded ({type(error).__name__}: {error}), so nothing is sent."
        return broken(point.name, text)
    if not code or code in REQUIRED or not callable(check):
        return broken(point.name, f"The rule {point.name} has no code of its own, so nothing is sent.")
    return Rule(code, title, check, openings_only=False, foreign=True)
