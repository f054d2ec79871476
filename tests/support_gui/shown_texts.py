"""Every text a window shows or speaks: of widgets, actions, tabs and headers, and what is painted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QMenu, QTabBar, QTableView, QWidget
from shiboken6 import isValid

from market_agent_gui.translate import load_catalogue
from widgets.candle_chart.labels import Labels
from widgets.paint import TextCache

CYRILLIC = re.compile("[А-Яа-яЁё]")
_SPOKEN = ("text", "title", "windowTitle", "toolTip", "accessibleName", "accessibleDescription", "placeholderText")


@contextmanager
def painted(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Collect the texts our painters draw meanwhile, before they are cut to fit."""
    seen: set[str] = set()
    with monkeypatch.context() as patch:
        for owner, name, at in (
            (TextCache, "draw", 4), (TextCache, "elided", 1), (Labels, "draw", 3), (Labels, "width", 1),
        ):  # fmt: skip
            patch.setattr(owner, name, _told(getattr(owner, name), at, seen))
        yield seen


def _told(method: Any, at: int, seen: set[str]) -> Any:
    def telling(self: object, *args: Any, **kwargs: Any) -> Any:
        if at < len(args) and isinstance(args[at], str):
            seen.add(args[at])
        return method(self, *args, **kwargs)

    return telling


def spoken_by(root: QWidget) -> set[tuple[str, str]]:
    """Return (who, text) of everything in a window that is a property and not painted by us."""
    found: set[tuple[str, str]] = set()
    for widget in (root, *root.findChildren(QWidget)):
        if not isValid(widget):
            continue  # a menu that was filled anew
        if isinstance(widget, QMenu):
            widget.aboutToShow.emit()  # many are filled at that moment
        who = f"{type(widget).__name__} {widget.objectName()}".strip()
        for name in _SPOKEN:
            value = getattr(widget, name, None)
            text = value() if callable(value) else ""
            if isinstance(text, str):
                found.add((f"{who}.{name}", text))
        found |= {(f"{who} action", text) for action in widget.actions() for text in _of(action)}
        if isinstance(widget, QTabBar):
            found |= {(f"{who} tab", widget.tabText(i)) for i in range(widget.count())}
        if isinstance(widget, QComboBox):
            found |= {(f"{who} item", widget.itemText(i)) for i in range(widget.count())}
        if isinstance(widget, QTableView) and widget.model() is not None:
            found |= {(f"{who} header", text) for text in _headers(widget)}
    return {(who, text) for who, text in found if text}


def _of(action: QAction) -> set[str]:
    return {action.text().partition("\t")[0], action.toolTip()}


def _headers(view: QTableView) -> set[str]:
    model = view.model()
    across = Qt.Orientation.Horizontal
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
    return {str(model.headerData(i, across, role) or "") for i in range(model.columnCount()) for role in roles}


class Tongues:
    """Tells the text of one language from that of the other, by the catalogue."""

    def __init__(self) -> None:
        pairs = {key.partition("|")[0]: text for key, text in load_catalogue("ru").items()}
        same = {text for key, text in load_catalogue("ru").items() if key.partition("|")[0] == text}
        words = [key for key, text in pairs.items() if key != text and key not in same and re.search("[a-z]{2}", key)]
        self._english = {key for key in words if "{" not in key}
        self._shapes = [
            re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(key)))
            for key in words
            if "{" in key and len(re.findall("[a-z]{3,}", re.sub(r"\{\w+\}", "", key))) > 1
        ]

    def english(self, text: str) -> bool:
        """Whether it, or a part of it, is a text of the catalogue that Russian says otherwise."""
        if any(part in self._english for part in re.split(r": |, | \d+$|[●■] ", text)):
            return True
        plain = text.replace("&", "").strip(" ▾:…")
        return plain in self._english or text in self._english or any(shape.fullmatch(text) for shape in self._shapes)

    @staticmethod
    def russian(text: str) -> bool:
        return bool(CYRILLIC.search(text))
