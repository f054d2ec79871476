"""What a person did to the tables: columns shown, their order and width, sorting, the list in sight."""

from collections.abc import Iterable
from typing import Any, Protocol, cast

from PySide6.QtWidgets import QWidget

from market_agent_gui.presenters.table_files import tables_of

State = dict[str, dict[str, Any]]


class Kept(Protocol):
    """A table, or a pane that keeps more than its tables do."""

    def layout_state(self) -> dict[str, Any]: ...

    def restore_layout(self, state: dict[str, Any]) -> None: ...


class TableLayouts:
    """Panes come one by one after the window: what is known of theirs waits for them."""

    def __init__(self) -> None:
        self._panes: dict[str, QWidget] = {}
        self._first: State = {}
        """How each came: what a reset goes back to."""
        self._waiting: State = {}

    def adopt(self, name: str, pane: QWidget) -> None:
        """A pane stands: give it what was kept."""
        self._panes[name] = pane
        for key, kept in _kept(name, pane):
            self._first[key] = kept.layout_state()
            if state := self._waiting.pop(key, None):
                kept.restore_layout(state)

    def state(self) -> State:
        """Return what a workspace keeps."""
        found = dict(self._waiting)
        for name, pane in self._panes.items():
            found |= {key: kept.layout_state() for key, kept in _kept(name, pane)}
        return found

    def restore(self, state: State) -> None:
        """Take what a workspace kept; a table it does not know stays as it is."""
        self._waiting = dict(state)
        for name, pane in self._panes.items():
            for key, kept in _kept(name, pane):
                if known := self._waiting.pop(key, None):
                    kept.restore_layout(known)

    def reset(self) -> None:
        """Let every table look as it came."""
        self.restore(self._first)


def _kept(name: str, pane: QWidget) -> Iterable[tuple[str, Kept]]:
    for table in tables_of(pane):
        yield f"{name}/{table.objectName()}", table
    if hasattr(pane, "layout_state") and pane not in tables_of(pane):
        yield name, cast(Kept, pane)
