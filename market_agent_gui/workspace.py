"""Named workspaces and the ring of snapshots that a crash leaves behind. Plain JSON files in the profile."""

import base64
import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import msgspec

from market_agent_gui.chart_memory import ChartState

log = logging.getLogger(__name__)

RING = 5
LAST = "last"
VERSION = 1
_RING_NAME = re.compile(r"snapshot-\d+")
_NAME = re.compile(r"[\w][\w .\-]{0,39}")


class WorkspaceError(ValueError):
    """The workspace cannot be used; the message says why."""


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One arrangement. ``layout`` and ``geometry`` are Qt's own bytes, base64."""

    version: int = VERSION
    name: str = ""
    layout: str = ""
    geometry: str = ""
    links: dict[str, dict[str, str]] = {}
    chart: ChartState = ChartState()
    charts: dict[str, ChartState] = {}
    """Of the charts beside the first, by dock."""
    tables: dict[str, dict[str, Any]] = {}
    """Columns, sorting and lists of the tables, as they tell them."""
    presets: Any = {}
    """What orders begin with: in a file that was exported, and nowhere else."""
    template: str = ""
    """A template nobody has touched: it is laid out anew for the screen at hand."""
    saved_ns: int = 0

    @property
    def layout_bytes(self) -> bytes:
        return base64.b64decode(self.layout)

    @property
    def geometry_bytes(self) -> bytes:
        return base64.b64decode(self.geometry)


def make_workspace(
    name: str,
    layout: bytes,
    geometry: bytes,
    links: dict[str, dict[str, str]],
    chart: ChartState,
    template: str = "",
    charts: dict[str, ChartState] | None = None,
    tables: dict[str, dict[str, Any]] | None = None,
) -> Workspace:
    """Make a workspace of what the window looks like now. Raises :class:`WorkspaceError` for a bad name."""
    if not _NAME.fullmatch(name):
        raise WorkspaceError(f"{name!r} is no name: letters, digits, spaces, dots and dashes, at most 40")
    return Workspace(
        name=name,
        layout=base64.b64encode(layout).decode(),
        geometry=base64.b64encode(geometry).decode(),
        links=links,
        chart=chart,
        charts=charts or {},
        template=template,
        tables=tables or {},
        saved_ns=time.time_ns(),
    )


def read_workspace(path: Path) -> Workspace:
    """Read a file. Raises :class:`WorkspaceError` naming the file and what is wrong with it."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(raw, Workspace)
        base64.b64decode(found.layout, validate=True)
        base64.b64decode(found.geometry, validate=True)
    except OSError as error:
        raise WorkspaceError(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise WorkspaceError(f"{path.name} is no workspace: {error}") from error
    if found.version != VERSION:
        raise WorkspaceError(f"{path.name} is of version {found.version}, this program reads {VERSION}")
    return found


def write_workspace(path: Path, workspace: Workspace) -> None:
    """Write a file in one step. Raises :class:`WorkspaceError` when the disk refuses."""
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(workspace)))
        temporary.replace(path)
    except OSError as error:
        raise WorkspaceError(f"{path.name} cannot be written: {error.strerror}") from error


def is_own(name: str) -> bool:
    """Whether the program keeps its own looks under a name."""
    return name.casefold() == LAST or _RING_NAME.fullmatch(name.casefold()) is not None


class WorkspaceStore:
    """The workspaces of a profile, and whether the last window closed in order."""

    def __init__(self, profile: Path) -> None:
        self._folder = profile / "workspaces"
        self._marker = profile / "window.open"
        self.crashed = self._marker.exists()

    def names(self) -> list[str]:
        """Name the saved workspaces."""
        return sorted(path.stem for path in self._folder.glob("*.json") if not is_own(path.stem))

    def load(self, name: str) -> Workspace:
        """Read a workspace by name. Raises :class:`WorkspaceError`."""
        return read_workspace(self._folder / f"{name}.json")

    def load_last(self) -> Workspace | None:
        """Return how the window looked last; ``None`` when it never did or the file is damaged (that is logged)."""
        path = self._folder / f"{LAST}.json"
        if not path.exists():
            return None
        try:
            return read_workspace(path)
        except WorkspaceError as error:
            log.warning("%s", error)
            return None

    def save(self, workspace: Workspace) -> None:
        """Keep a workspace under its name."""
        write_workspace(self._folder / f"{workspace.name}.json", workspace)

    def delete(self, name: str) -> None:
        """Forget a workspace."""
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def save_last(self, workspace: Workspace) -> None:
        """Keep how the window looks, for the next start."""
        write_workspace(self._folder / f"{LAST}.json", workspace)

    def snapshot(self, workspace: Workspace) -> None:
        """Keep one of the last few looks, against a crash."""
        number = workspace.saved_ns // 60_000_000_000 % RING
        write_workspace(self._folder / f"snapshot-{number}.json", workspace)

    def newest_snapshot(self) -> Workspace | None:
        """Return the newest readable snapshot."""
        found = []
        for path in self._folder.glob("snapshot-*.json"):
            try:
                found.append(read_workspace(path))
            except WorkspaceError as error:
                log.warning("%s", error)
        return max(found, key=lambda workspace: workspace.saved_ns, default=None)

    def mark_open(self) -> None:
        """The window is open; the mark stays behind when it dies."""
        self._marker.write_text(str(time.time_ns()), encoding="utf-8")

    def mark_closed(self) -> None:
        """The window closed in order."""
        self._marker.unlink(missing_ok=True)
