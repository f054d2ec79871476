"""Which packages offer panes: names alone are read until a pane is opened."""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from market_agent_gui.docks import BY_ID, DockSpec
from market_agent_gui.foreign.pane import GROUP, PaneSpec

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
PREFIX = "foreign_"
"""Before the name of a foreign dock: no package can take the place of one of ours."""

Allowed = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Of the names found, those that the settings allow."""


class PaneError(Exception):
    """What a package offers is not a pane; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A pane that can be opened."""

    point: EntryPoint
    dock: DockSpec


def find_panes(allowed: Allowed, points: Iterable[EntryPoint] | None = None) -> tuple[Found, ...]:
    """Name the panes that packages offer and the settings allow. Nothing of theirs is imported."""
    offered = sorted(entry_points(group=GROUP) if points is None else points, key=lambda p: (p.name, p.value))
    named: dict[str, EntryPoint] = {}
    for point in offered:
        if not _NAME.fullmatch(point.name):
            log.warning("the pane %r of %s is left out: not a usable name", point.name, package(point))
        elif point.name in named or point.name in BY_ID:
            log.warning("the pane %r of %s is left out: the name is taken", point.name, package(point))
        else:
            named[point.name] = point
    if not named:
        return ()
    wanted = set(allowed(tuple(named)))
    return tuple(Found(point, _dock(point)) for name, point in named.items() if name in wanted)


def package(point: EntryPoint) -> str:
    """Name the package that offers an entry point."""
    return point.dist.name if point.dist is not None else point.module.partition(".")[0]


def load_spec(point: EntryPoint) -> PaneSpec:
    """Import the pane. Raises :class:`PaneError`, or whatever the package raises."""
    offered = point.load()
    spec = offered if isinstance(offered, PaneSpec) else offered() if callable(offered) else offered
    if not isinstance(spec, PaneSpec):
        raise PaneError(f"{point.value} is {type(spec).__name__}, not a PaneSpec")
    if spec.id != point.name:
        raise PaneError(f"{point.value} calls itself {spec.id!r}, but its entry point {point.name!r}")
    if not spec.title.strip() or not callable(spec.factory):
        raise PaneError(f"{point.value} has no title or no factory")
    return spec


def _dock(point: EntryPoint) -> DockSpec:
    words = point.name.replace("_", " ")
    return DockSpec(
        id=f"{PREFIX}{point.name}", title=words[:1].upper() + words[1:], linked=True, package=package(point)
    )
