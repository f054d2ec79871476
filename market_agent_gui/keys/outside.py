"""Keys that belong to somebody outside: what the system answered, and what follows from it. Pure.

A key of the desktop or of another program never reaches this window, or reaches both. Only the system knows, and not
every system tells: what it would not say stays said to be unknown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from market_agent_gui.actions import ORDER_GROUPS, ActionSpec, Risk, key_text
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.translate import say


class System(StrEnum):
    """Whom there is to ask."""

    X11 = "x11"
    WAYLAND = "wayland"
    WINDOWS = "windows"
    MAC = "mac"
    NOBODY = "nobody"
    """No screen, or a system that is not known."""


class Owner(NamedTuple):
    """Who has a key: the desktop, for ``what``, or another program, whose name no system tells."""

    desktop: bool
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the system answered. Keys are in portable spelling."""

    system: System = System.NOBODY
    asked: frozenset[str] = frozenset()
    taken: Mapping[str, Owner] = field(default_factory=dict)
    failed: str = ""
    """Why it could not be asked, in the system's words; empty when it answered."""


class Taken(NamedTuple):
    """An action whose key somebody else has."""

    action: str
    key: str
    owner: Owner


def system_of(platform: str, qt: str, environ: Mapping[str, str]) -> System:
    """Say whom to ask: ``platform`` as Python names it, ``qt`` the name of Qt's platform."""
    if qt == "windows" and platform == "win32":
        return System.WINDOWS
    if qt == "cocoa" and platform == "darwin":
        return System.MAC
    if qt.startswith("wayland"):
        return System.WAYLAND
    if qt == "xcb":
        # X inside Wayland knows the keys of X programs alone.
        inside = environ.get("XDG_SESSION_TYPE") == "wayland" or environ.get("WAYLAND_DISPLAY")
        return System.WAYLAND if inside else System.X11
    return System.NOBODY


def merge(declared: Mapping[str, Owner], grabbed: Iterable[str], *, trust: bool) -> dict[str, Owner]:
    """Join what a desktop declares with what is truly taken.

    ``trust``: a declared key counts although nobody was seen to hold it. Where the system tells of every grab, a line
    of a desktop's file may be that of a program that no longer runs.
    """
    held = set(grabbed)
    taken = {key: owner for key, owner in declared.items() if trust or key in held}
    for key in held - taken.keys():
        taken[key] = Owner(False)
    return taken


def of_orders(spec: ActionSpec) -> bool:
    """Whether a key of this action matters to the book."""
    return spec.group in ORDER_GROUPS


def wants_consent(spec: ActionSpec) -> bool:
    """Whether its key may be shared with somebody outside only when a person said so: it stages or sends."""
    return spec.risk is Risk.ADDS or spec.id in ("stage_buy", "stage_sell") or bool(spec.named)


def collisions(keys: KeyMap, outside: Outside) -> list[Taken]:
    """Name every action whose key belongs to somebody else, in the table's order."""
    found = []
    for spec in keys.actions:
        key = keys.key(spec.id)
        if key and (owner := outside.taken.get(key)) is not None:
            found.append(Taken(spec.id, key, owner))
    return found


def bound(keys: KeyMap) -> frozenset[str]:
    """Return every key that the map uses."""
    return frozenset(key for spec in keys.actions if (key := keys.key(spec.id)))


def owner_text(owner: Owner) -> str:
    """Say who has the key, without naming it: for a column beside it."""
    if not owner.desktop:
        return say("taken by another program")
    return say("the desktop: {what}", what=what_text(owner)) if owner.what else say("the desktop's own")


def collision_text(key: str, owner: Owner) -> str:
    """Say it as a sentence: ``Super+L belongs to the desktop: lock the screen``."""
    if not owner.desktop:
        return say("{key} is taken by another program", key=key_text(key))
    if not owner.what:
        return say("{key} belongs to the desktop", key=key_text(key))
    return say("{key} belongs to the desktop: {what}", key=key_text(key), what=what_text(owner))


def what_text(owner: Owner) -> str:
    """Say what a desktop does with its key; a name of its own stays as it is."""
    title = TITLES.get(owner.what)
    return say(title) if title is not None else owner.what.replace("-", " ")


def unsure_text(outside: Outside) -> str:
    """Say what the system does not tell; empty when it tells everything."""
    if outside.failed:
        return say("The system could not be asked whose keys these are: {reason}", reason=outside.failed)
    return say(_UNSURE[outside.system]) if outside.system in _UNSURE else ""


_UNSURE = {
    System.WAYLAND: "Wayland does not tell which keys other programs have: only those the desktop declares are known.",
    System.MAC: "macOS tells its own keys, not those that other programs have taken.",
    System.NOBODY: "This system does not tell whose keys these are.",
}

TITLES = {
    "activate-window-menu": "window menu",
    "area-screenshot": "screenshot of an area",
    "begin-move": "move the window",
    "begin-resize": "resize the window",
    "calculator": "calculator",
    "close": "close the window",
    "cycle-group": "next window of the program",
    "cycle-windows": "next window",
    "emoji": "emoji",
    "focus-active-notification": "notifications",
    "help": "help",
    "hide": "hide the window",
    "home": "home folder",
    "input-source": "next keyboard layout",
    "logout": "log out",
    "maximize": "maximise the window",
    "minimize": "minimise the window",
    "panel-main-menu": "main menu",
    "panel-run-dialog": "run a command",
    "quit": "quit the program",
    "screenshot": "screenshot",
    "screensaver": "lock the screen",
    "search": "search",
    "security": "security screen",
    "show-desktop": "show the desktop",
    "show-screenshot-ui": "screenshot",
    "switch-applications": "next program",
    "switch-input-source": "next keyboard layout",
    "switch-windows": "next window",
    "switch-workspace": "another workspace",
    "task-manager": "task manager",
    "terminal": "terminal",
    "toggle-fullscreen": "full screen",
    "toggle-maximized": "maximise the window",
    "toggle-message-tray": "notifications",
    "toggle-overview": "overview of windows",
    "toggle-quick-settings": "quick settings",
    "unmaximize": "restore the window",
    "volume-down": "volume",
    "volume-mute": "volume",
    "volume-up": "volume",
    "www": "web browser",
}
"""What desktops do with their keys, by the name they give it."""


def title_of(name: str) -> str:
    """Reduce a desktop's own name to one of :data:`TITLES` where it is a kin: ``switch-to-workspace-3``."""
    if name in TITLES:
        return name
    for kin, title in _KIN:
        if name.startswith(kin):
            return title
    return name


_KIN = (
    ("switch-to-workspace", "switch-workspace"),
    ("move-to-workspace", "switch-workspace"),
    ("switch-input-source", "switch-input-source"),
    ("switch-applications", "switch-applications"),
    ("switch-windows", "switch-windows"),
    ("switch-group", "cycle-group"),
    ("switch-panels", "focus-active-notification"),
    ("cycle-windows", "cycle-windows"),
    ("cycle-group", "cycle-group"),
    ("area-screenshot", "area-screenshot"),
    ("window-screenshot", "screenshot"),
    ("screenshot", "screenshot"),
    ("volume", "volume-up"),
)
