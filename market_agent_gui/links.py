"""Colour groups: panes of one colour show one symbol."""

from PySide6.QtCore import QObject, Signal

GROUPS = ("blue", "amber", "violet", "")
"""The empty group stands alone: such a pane keeps its own symbol."""
ROLES = {"blue": "focus", "amber": "warn", "violet": "replay", "": "t3"}
"""Theme colour of each group's mark; the mark's letter tells them apart too."""
LETTERS = {"blue": "B", "amber": "A", "violet": "V", "": "–"}


class LinkGroups(QObject):
    """Which pane is in which group, and which symbol each group shows."""

    changed = Signal(str, str)
    """pane, symbol: the pane shows another symbol now."""
    group_changed = Signal(str, str)
    """pane, group."""

    def __init__(self, panes: tuple[str, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._group = dict.fromkeys(panes, GROUPS[0])
        self._symbol: dict[str, str] = {}
        self._own: dict[str, str] = {}

    def group(self, pane: str) -> str:
        return self._group[pane]

    def symbol(self, pane: str) -> str:
        """Return what the pane shows, empty before anything was chosen."""
        group = self._group[pane]
        return self._symbol.get(group, "") if group else self._own.get(pane, "")

    def add(self, pane: str) -> None:
        """Take in a pane that was not there from the start; it joins the first group."""
        if pane not in self._group:
            self._group[pane] = GROUPS[0]

    def choose(self, pane: str, symbol: str) -> None:
        """A person chose a symbol in ``pane``: its group follows."""
        group = self._group[pane]
        if not group:
            if self._own.get(pane) != symbol:
                self._own[pane] = symbol
                self.changed.emit(pane, symbol)
            return
        if self._symbol.get(group) == symbol:
            return
        self._symbol[group] = symbol
        for other, theirs in self._group.items():
            if theirs == group:
                self.changed.emit(other, symbol)

    def join(self, pane: str, group: str) -> None:
        """Put a pane into a group; it shows that group's symbol at once. Raises ``ValueError`` for no such group."""
        if group not in GROUPS:
            raise ValueError(f"no link group {group!r}; there are {', '.join(filter(None, GROUPS))}")
        before = self.symbol(pane)
        self._group[pane] = group
        if not group:
            self._own[pane] = before
        elif group not in self._symbol and before:
            self._symbol[group] = before
        self.group_changed.emit(pane, group)
        if self.symbol(pane) != before:
            self.changed.emit(pane, self.symbol(pane))

    def next_group(self, pane: str) -> None:
        """Move a pane to the next colour."""
        self.join(pane, GROUPS[(GROUPS.index(self._group[pane]) + 1) % len(GROUPS)])

    def reset(self) -> None:
        """Put every pane into the first colour, with the symbol that shows."""
        for pane in self._group:
            self.join(pane, GROUPS[0])

    def state(self) -> dict[str, dict[str, str]]:
        """Return what a workspace keeps."""
        return {"groups": dict(self._group), "symbols": dict(self._symbol), "own": dict(self._own)}

    def restore(self, state: dict[str, dict[str, str]]) -> None:
        """Take what a workspace kept; panes and groups that are no more are passed over."""
        self._symbol = {group: symbol for group, symbol in state.get("symbols", {}).items() if group in GROUPS}
        self._own = dict(state.get("own", {}))
        for pane, group in state.get("groups", {}).items():
            if pane in self._group and group in GROUPS:
                self._group[pane] = group
        for pane, group in self._group.items():
            self.group_changed.emit(pane, group)
            if symbol := self.symbol(pane):
                self.changed.emit(pane, symbol)
