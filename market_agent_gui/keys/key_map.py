"""Which key does what: defaults, a person's changes, conflicts. One JSON file per profile and book."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from market_agent_gui.actions import ACTIONS, BY_ID, ORDER_GROUPS, ActionSpec, Scope, in_order


class KeyMapError(ValueError):
    """The key map file cannot be used; the message names the line or the action."""


class Conflict(NamedTuple):
    key: str
    first: str
    second: str


def normal(key: str) -> str:
    """Return the portable spelling of one key; raises :class:`KeyMapError` for what is none or is a chord."""
    if not key:
        return ""
    sequence = QKeySequence.fromString(key, QKeySequence.SequenceFormat.PortableText)
    text = sequence.toString(QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1 or not text or sequence[0].key() == 0x01FFFFFF:
        raise KeyMapError(f"{key!r} is not a key")
    return "Return" if text == "Enter" else text.replace("+Enter", "+Return")


_WALKS = {
    Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Delete, Qt.Key.Key_Home,
    Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}  # fmt: skip
_CHORD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_SPECIAL = 0x01000000
"""Qt's keys from here on write nothing."""


def in_passing(key: str) -> bool:
    """Whether a key is pressed for a hundred other things: it writes, walks, or means Enter, with Shift or alone."""
    stroke = QKeySequence.fromString(key, QKeySequence.SequenceFormat.PortableText)[0]
    return not stroke.keyboardModifiers() & _CHORD and (stroke.key() < _SPECIAL or stroke.key() in _WALKS)


DEFAULTS: dict[str, str] = {spec.id: normal(spec.key) for spec in ACTIONS}


class KeyMap:
    """Action to key. A key may serve two actions only where they never act at once."""

    def __init__(self, changes: Mapping[str, str] | None = None) -> None:
        """``changes``: action to key, empty for no key. Raises :class:`KeyMapError`."""
        self._changes: dict[str, str] = {}
        for action, key in (changes or {}).items():
            if action not in BY_ID:
                raise KeyMapError(f"there is no action {action!r}")
            try:
                self._changes[action] = normal(key)
            except KeyMapError as error:
                raise KeyMapError(f"{action}: {error}") from None
        self._keys = {**DEFAULTS, **self._changes}
        for action in ("stop", "stop_hold"):
            if not self._keys[action]:
                raise KeyMapError(f"{action}: STOP always has a key")
        self._by_key: dict[str, list[str]] = {}
        for action, key in self._keys.items():
            if key and _wants_chord(BY_ID[action]) and in_passing(key):
                raise KeyMapError(
                    f"{action}: {key} is pressed in passing; take one with Ctrl or Alt, or a function key"
                )
            if key:
                self._by_key.setdefault(key, []).append(action)
        found = self.conflicts()
        if found:
            first = found[0]
            raise KeyMapError(f"{first.key}: both {first.first} and {first.second} want it")

    @property
    def changes(self) -> dict[str, str]:
        """What differs from the defaults."""
        return {action: key for action, key in self._changes.items() if key != DEFAULTS.get(action, "")}

    @property
    def actions(self) -> list[ActionSpec]:
        """Every action of the table, and those of presets that have a key."""
        return in_order(action for action, key in self._keys.items() if key or action in DEFAULTS)

    def key(self, action: str) -> str:
        """Return the key of an action, empty when it has none."""
        return self._keys[action] if action in self._keys else BY_ID[action].key

    def find(self, key: str, *, staged: bool, in_text: bool, chart: bool = False) -> str | None:
        """Return the action that ``key`` means here, ``None`` when it means nothing."""
        actions = self._by_key.get(key, ())
        for wanted in (Scope.STAGED, Scope.CHART, Scope.ANYWHERE, Scope.WINDOW):
            for action in actions:
                if BY_ID[action].scope is wanted and _acts(wanted, staged, in_text, chart):
                    return action
        return None

    def conflicts(self) -> list[Conflict]:
        """Name every pair of actions on one key that could both act."""
        found = []
        for key, actions in self._by_key.items():
            for i, first in enumerate(actions):
                found += [Conflict(key, first, second) for second in actions[i + 1 :] if _clash(first, second)]
        return found

    def with_key(self, action: str, key: str) -> "KeyMap":
        """Return a map with one key changed; raises :class:`KeyMapError` naming the conflict."""
        return KeyMap({**self._changes, action: key})


def _wants_chord(spec: ActionSpec) -> bool:
    """Whether an action must not happen by typing: it acts in text, or on orders with nothing staged."""
    return spec.scope is Scope.ANYWHERE or (spec.scope is Scope.WINDOW and spec.group in ORDER_GROUPS)


def _acts(scope: Scope, staged: bool, in_text: bool, chart: bool) -> bool:
    if scope is Scope.ANYWHERE:
        return True
    return not in_text and {Scope.STAGED: staged, Scope.CHART: chart}.get(scope, True)


def _clash(first: str, second: str) -> bool:
    # Keys of a staged order and of the chart hide the window's own; only equals clash, and nothing shares a key with
    # what acts anywhere.
    scopes = {BY_ID[first].scope, BY_ID[second].scope}
    return len(scopes) == 1 or Scope.ANYWHERE in scopes


def key_file(profile: Path, book: str) -> Path:
    """Where the key map of a book (paper, live, replay) lies."""
    return profile / f"keys-{book}.json"


def load_key_map(path: Path) -> KeyMap:
    """Read a key map; a missing file means the defaults. Raises :class:`KeyMapError` naming what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return KeyMap()
    except OSError as error:
        raise KeyMapError(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        changes = json.loads(text)
    except json.JSONDecodeError as error:
        raise KeyMapError(f"{path.name}, line {error.lineno}: {error.msg}") from error
    if not isinstance(changes, dict) or not all(isinstance(value, str) for value in changes.values()):
        raise KeyMapError(f"{path.name}: wanted an object of action to key")
    try:
        return KeyMap(changes)
    except KeyMapError as error:
        raise KeyMapError(f"{path.name}: {error}") from None


def save_key_map(path: Path, keys: KeyMap) -> None:
    """Write what differs from the defaults, in one step."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(keys.changes, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)
