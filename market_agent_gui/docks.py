"""The panes and how they stand: one table of docks, one tree per template."""

from dataclasses import dataclass
from enum import StrEnum

from market_agent_gui.translate import say

BOOK = "positions"
"""The pane whose tabs the lesser panes are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockSpec:
    """One pane. ``id`` is its object name: English, fixed, stored in layouts."""

    id: str
    title: str
    linked: bool = False
    """It shows one symbol and follows a colour group."""
    pinned: bool = False
    """Never closed: what one needs to act stays in sight."""
    package: str = ""
    """Of a foreign pane: who brought it. Its title is the package's word and is not translated."""
    home: str = BOOK
    """Pane whose tab it becomes when it is opened in an arrangement that does not place it."""


DOCKS: tuple[DockSpec, ...] = (
    DockSpec(id="watchlist", title="Watchlist", linked=True),
    DockSpec(id="chart", title="Chart", linked=True),
    DockSpec(id="depth", title="Depth", linked=True),
    DockSpec(id="tape", title="Tape", linked=True),
    DockSpec(id="suggestions", title="Suggestions", linked=True),
    DockSpec(id="why", title="Why"),
    DockSpec(id="ticket", title="Order ticket", linked=True, pinned=True),
    DockSpec(id="positions", title="Positions", linked=True),
    DockSpec(id="orders", title="Orders", linked=True),
    DockSpec(id="fills", title="Fills"),
    DockSpec(id="denials", title="Why no trade"),
    DockSpec(id="news", title="News"),
    DockSpec(id="scanner", title="Scanner", linked=True),
    DockSpec(id="strategies", title="Strategies", linked=True, home="chart"),
    DockSpec(id="limits", title="Limits"),
    DockSpec(id="differences", title="Differences"),
    DockSpec(id="log", title="Log"),
    DockSpec(id="console", title="Console"),
)
FIRST_CHART = "chart"
_CHARTS = tuple(DockSpec(id=f"chart-{n}", title=f"Chart {n}", linked=True) for n in range(2, 9))
EXTRA_CHARTS: tuple[str, ...] = tuple(spec.id for spec in _CHARTS)
"""Charts that a person or a template may add; each is made when it is first wanted."""
BY_ID: dict[str, DockSpec] = {spec.id: spec for spec in (*DOCKS, *_CHARTS)}


class Way(StrEnum):
    ACROSS = "across"
    DOWN = "down"
    TABS = "tabs"


@dataclass(frozen=True, slots=True)
class Split:
    """Panes side by side, stacked or tabbed; ``shares`` are parts of the whole."""

    way: Way
    children: "tuple[Split | str, ...]"
    shares: tuple[float, ...] = ()

    def docks(self) -> tuple[str, ...]:
        """Return the ids of all panes in it, in order."""
        found: list[str] = []
        for child in self.children:
            found += child.docks() if isinstance(child, Split) else [child]
        return tuple(found)


def across(*children: "Split | str", shares: tuple[float, ...] = ()) -> Split:
    return Split(Way.ACROSS, children, shares)


def down(*children: "Split | str", shares: tuple[float, ...] = ()) -> Split:
    return Split(Way.DOWN, children, shares)


def tabs(*children: str) -> Split:
    return Split(Way.TABS, children)


_BOOK = tabs("positions", "fills", "denials", "scanner", "news", "limits", "log")

WIDE = across(
    down(
        across("watchlist", "chart", down("depth", "tape", shares=(0.75, 0.25)), shares=(0.195, 0.56, 0.245)),
        across(_BOOK, "orders", shares=(0.6, 0.4)),
        shares=(0.75, 0.25),
    ),
    down("suggestions", "why", "ticket", shares=(0.36, 0.33, 0.31)),
    shares=(0.75, 0.25),
)
SMALL = across(
    down(
        across("watchlist", "chart", shares=(0.3, 0.7)),
        tabs("positions", "orders", "fills", "denials", "scanner", "news", "limits", "log"),
        shares=(0.75, 0.25),
    ),
    down(tabs("suggestions", "why", "depth", "tape"), "ticket", shares=(0.57, 0.43)),
    shares=(0.725, 0.275),
)
APPROVAL = across(
    down("suggestions", tabs("positions", "orders", "fills", "denials", "log"), shares=(0.7, 0.3)),
    down("why", tabs("limits", "news"), shares=(0.65, 0.35)),
    down("chart", "ticket", shares=(0.65, 0.35)),
    shares=(0.36, 0.3, 0.34),
)
KEYBOARD = across(
    down("chart", tabs("orders", "positions", "fills", "denials", "log"), shares=(0.72, 0.28)),
    "depth",
    down("ticket", tabs("watchlist", "suggestions", "why", "tape"), shares=(0.42, 0.58)),
    shares=(0.48, 0.22, 0.3),
)
AUTOMATIC = across(
    down("positions", "orders", tabs("fills", "denials", "log"), shares=(0.36, 0.34, 0.3)),
    down("chart", tabs("suggestions", "why", "news"), shares=(0.52, 0.48)),
    down("limits", "ticket", shares=(0.68, 0.32)),
    shares=(0.37, 0.33, 0.30),
)
RESEARCH = across(
    down("watchlist", "scanner", shares=(0.55, 0.45)),
    down(
        across("chart", "chart-2"),
        across("chart-3", "chart-4"),
        shares=(0.55, 0.45),
    ),
    down(
        tabs("why", "suggestions"),
        tabs("news", "positions", "orders", "fills", "denials", "log"),
        "ticket",
        shares=(0.4, 0.3, 0.3),
    ),
    shares=(0.21, 0.52, 0.27),
)
TEMPLATES: dict[str, Split] = {
    "Terminal": WIDE,
    "Small screen": SMALL,
    "Approval desk": APPROVAL,
    "Automatic": AUTOMATIC,
    "Keyboard": KEYBOARD,
    "Research": RESEARCH,
}
NARROW_PX = 1400
"""Windows narrower than this start with the small template."""


def default_template(width: int) -> str:
    """Return the template a window of this width starts with."""
    return "Terminal" if width >= NARROW_PX else "Small screen"


def title(spec: DockSpec) -> str:
    """Return a pane's title in the user's language; that of a foreign one has a mark."""
    return f"{spec.title} ◇" if spec.package else say(spec.title)
