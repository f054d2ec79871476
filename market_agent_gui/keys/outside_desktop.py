"""Keys that desktops declare as theirs: GNOME and its kin through gsettings, KDE and XFCE in their own files."""

import logging
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from market_agent_gui.keys.key_map import KeyMapError, normal
from market_agent_gui.keys.outside import Owner, title_of

log = logging.getLogger(__name__)

PATIENCE_S = 3.0
_MEDIA = "org.gnome.settings-daemon.plugins.media-keys"
GNOME = ("org.gnome.desktop.wm.keybindings", _MEDIA, "org.gnome.shell.keybindings", "org.gnome.mutter.keybindings",
         "org.gnome.mutter.wayland.keybindings")  # fmt: skip
CINNAMON = ("org.cinnamon.desktop.keybindings.wm", "org.cinnamon.desktop.keybindings.media-keys",
            "org.cinnamon.desktop.keybindings")  # fmt: skip
MATE = ("org.mate.Marco.global-keybindings", "org.mate.Marco.window-keybindings",
        "org.mate.SettingsDaemon.plugins.media-keys")  # fmt: skip
_SCHEMAS = {"GNOME": GNOME, "Unity": GNOME, "Budgie": GNOME, "Pantheon": GNOME, "X-Cinnamon": CINNAMON, "MATE": MATE}
_MODIFIERS = {"primary": "Ctrl", "control": "Ctrl", "ctrl": "Ctrl", "ctl": "Ctrl", "shift": "Shift", "shft": "Shift",
              "alt": "Alt", "mod1": "Alt", "super": "Meta", "mod4": "Meta", "meta": "Meta"}  # fmt: skip
_NAMES = {
    "escape": "Esc", "backspace": "Backspace", "iso_left_tab": "Tab", "page_up": "PgUp", "prior": "PgUp",
    "page_down": "PgDown", "next": "PgDown", "insert": "Ins", "delete": "Del", "above_tab": "`", "grave": "`",
    "period": ".", "comma": ",", "slash": "/", "backslash": "\\", "minus": "-", "equal": "=", "plus": "+",
    "semicolon": ";", "apostrophe": "'", "bracketleft": "[", "bracketright": "]", "kp_enter": "Return",
}  # fmt: skip
_ORDER = ("Meta", "Ctrl", "Alt", "Shift")

Run = Callable[[list[str]], str]
"""Runs a program and returns what it wrote. Raises ``OSError`` where it cannot."""


def run_program(command: list[str]) -> str:
    """Run a short program. Raises ``OSError`` when it is missing, fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} did not answer in {PATIENCE_S:.0f} s") from error
    if done.returncode:
        raise OSError(f"{command[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def accelerator(text: str) -> str:
    """Return a key of GTK's spelling (``<Primary><Alt>l``) in ours (``Ctrl+Alt+L``), empty for what is no plain key."""
    parts = re.findall(r"<([^>]*)>", text)
    name = re.sub(r"<[^>]*>", "", text)
    modifiers = {_MODIFIERS.get(part.lower(), "") for part in parts}
    if not name or "" in modifiers:
        return ""
    key = _NAMES.get(name.lower(), name)
    return _plain("+".join([*(m for m in _ORDER if m in modifiers), key]))


def _plain(text: str) -> str:
    try:
        return normal(text)
    except KeyMapError:
        return ""  # a media key, or one of a keyboard that has more of them


def read_gsettings(text: str) -> Iterator[tuple[str, Owner]]:
    """Read ``schema name ['<Super>l', …]`` a line, as ``gsettings list-recursively`` writes them."""
    for line in text.splitlines():
        _schema, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        for found in re.findall(r"'([^']*)'", value):
            if not found.startswith("/") and (key := accelerator(found)):
                yield key, Owner(True, title_of(name))


def read_custom(text: str) -> Iterator[tuple[str, Owner]]:
    """Read one shortcut of a person's own: its name, command and binding."""
    values = {}
    for line in text.splitlines():
        _schema, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        values[name] = value.strip("'\"")
    if key := accelerator(values.get("binding", "")):
        yield key, Owner(True, values.get("name", ""))


def read_kde(text: str) -> Iterator[tuple[str, Owner]]:
    """Read ``kglobalshortcutsrc``: ``name=keys in use,default keys,title``; programs have the keys alone."""
    program = ""
    for line in text.splitlines():
        if line.startswith("["):
            service = re.fullmatch(r"\[services\]\[(.+?)(?:\.desktop)?\]", line)
            program = service.group(1).rpartition(".")[2] if service else ""
            continue
        name, _, value = line.partition("=")
        fields = re.split(r"(?<!\\),", value)
        if len(fields) < 3 and not program:
            continue
        title = fields[2] if len(fields) > 2 and fields[2] else program if name == "_launch" else name
        for found in re.split(r"\\t|\t", fields[0]):
            key = found.replace("\\,", ",").strip()
            if key and key != "none" and (ours := _plain(key)):
                yield ours, Owner(True, title)


def read_xfce(text: str) -> Iterator[tuple[str, Owner]]:
    """Read XFCE's shortcuts: a person's own stand for the defaults where they say so. Raises ``ValueError``."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    for part in root.findall("property"):
        kinds = {kind.get("name"): kind.findall("property") for kind in part.findall("property")}
        custom = kinds.get("custom", [])
        own = any(each.get("name") == "override" and each.get("value") == "true" for each in custom)
        for each in custom if own else [*kinds.get("default", []), *custom]:
            what = (each.get("value") or "").removesuffix("_key").replace("_", "-")
            if what and (key := accelerator(each.get("name") or "")):
                yield key, Owner(True, title_of(what))


class DesktopKeys:
    """Reads what the desktop in use declares; again only when its files have changed."""

    def __init__(self, environ: Mapping[str, str], home: Path, run: Run = run_program) -> None:
        self._desktops = environ.get("XDG_CURRENT_DESKTOP", "").split(":")
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        self._run = run
        self._dconf = config / "dconf" / "user"
        self._kde = config / "kglobalshortcutsrc"
        xfce = Path("xfce4", "xfconf", "xfce-perchannel-xml", "xfce4-keyboard-shortcuts.xml")
        self._xfce = (config / xfce, Path("/etc/xdg") / xfce)
        self._stamp: tuple[int, ...] | None = None
        self._found: dict[str, Owner] = {}

    @property
    def certain(self) -> bool:
        """Whether this desktop holds every key it declares: GNOME's window manager grabs in a way of its own."""
        return any(desktop in _SCHEMAS for desktop in self._desktops)

    def read(self) -> dict[str, Owner]:
        """Return key to owner. Raises ``OSError`` or ``ValueError`` where what is there cannot be read."""
        stamp = tuple(_changed(path) for path in (self._dconf, self._kde, *self._xfce))
        if stamp != self._stamp:
            self._found = dict(self._all())
            self._stamp = stamp
        return self._found

    def _all(self) -> Iterator[tuple[str, Owner]]:
        for desktop in self._desktops:
            if desktop in _SCHEMAS:
                yield from self._gsettings(_SCHEMAS[desktop])
            elif desktop == "KDE" and self._kde.exists():
                yield from read_kde(self._kde.read_text(encoding="utf-8"))
            elif desktop == "XFCE":
                file = next((path for path in self._xfce if path.exists()), None)
                if file is not None:
                    yield from read_xfce(file.read_text(encoding="utf-8"))

    def _gsettings(self, schemas: tuple[str, ...]) -> Iterator[tuple[str, Owner]]:
        there = set(self._run(["gsettings", "list-schemas"]).split())
        for schema in schemas:
            if schema in there:
                text = self._run(["gsettings", "list-recursively", schema])
                yield from read_gsettings(text)
                if schema == _MEDIA:
                    for path in re.findall(r"'(/[^']*/custom-keybindings/[^']*)'", text):
                        yield from read_custom(
                            self._run(["gsettings", "list-recursively", f"{_MEDIA}.custom-keybinding:{path}"])
                        )


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # it is not there
