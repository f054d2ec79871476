"""Puts docks into a tree of splits, and reads which of them are tabs."""

import itertools
from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMainWindow

from market_agent_gui.dock_frame import DockFrame
from market_agent_gui.docks import Split, Way


def arrange(window: QMainWindow, docks: Mapping[str, DockFrame], tree: Split) -> None:
    """Place every dock of ``tree``; the others close."""
    wanted = tree.docks()
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
        dock.setVisible(False)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks[_first(tree)])
    _split(window, docks, tree)
    # A closed dock still needs a place: as a tab of the book. Not of a chart: what is put beside that would become a
    # tab as well. Its real home it gets when it is opened.
    home = next(name for name in ("positions", _first(tree)) if name in wanted)
    for name, dock in docks.items():
        if name not in wanted:
            window.tabifyDockWidget(docks[home], dock)
            dock.hide()
    for name in wanted:
        docks[name].show()
    _raise_first_tabs(docks, tree)
    resize(window, docks, tree)
    fit_heads(window, docks)


def resize(window: QMainWindow, docks: Mapping[str, DockFrame], tree: Split, area: QSize | None = None) -> None:
    """Give every split its shares of the window."""
    size = area or window.size()
    _resize(window, docks, tree, size.width(), size.height())


def fit_heads(window: QMainWindow, docks: Mapping[str, DockFrame]) -> None:
    """Hide the heads of docks that are tabs."""
    for dock in docks.values():
        dock.fit_head(tabbed=bool(window.tabifiedDockWidgets(dock)))


def _first(node: Split | str) -> str:
    return node if isinstance(node, str) else _first(node.children[0])


def _split(window: QMainWindow, docks: Mapping[str, DockFrame], node: Split | str) -> None:
    if isinstance(node, str):
        return
    heads = [_first(child) for child in node.children]
    for before, after in itertools.pairwise(heads):
        if node.way is Way.TABS:
            window.tabifyDockWidget(docks[heads[0]], docks[after])
        else:
            way = Qt.Orientation.Horizontal if node.way is Way.ACROSS else Qt.Orientation.Vertical
            window.splitDockWidget(docks[before], docks[after], way)
    for child in node.children:
        _split(window, docks, child)


def _raise_first_tabs(docks: Mapping[str, DockFrame], node: Split | str) -> None:
    if isinstance(node, str):
        return
    if node.way is Way.TABS:
        docks[_first(node)].raise_()
    for child in node.children:
        _raise_first_tabs(docks, child)


def _resize(window: QMainWindow, docks: Mapping[str, DockFrame], node: Split | str, width: int, height: int) -> None:
    if isinstance(node, str) or node.way is Way.TABS:
        return
    is_across = node.way is Way.ACROSS
    shares = node.shares or tuple(1 / len(node.children) for _ in node.children)
    total = width if is_across else height
    sizes = [max(1, round(share * total)) for share in shares]
    way = Qt.Orientation.Horizontal if is_across else Qt.Orientation.Vertical
    window.resizeDocks([docks[_first(child)] for child in node.children], sizes, way)
    for child, part in zip(node.children, sizes, strict=True):
        _resize(window, docks, child, part if is_across else width, height if is_across else part)
