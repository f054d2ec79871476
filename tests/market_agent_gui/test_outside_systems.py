"""Whose key is it: what X, Windows, macOS and the desktops answer, read as they write it."""

import plistlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.outside import Owner, System, bound, merge, system_of
from market_agent_gui.keys.outside_desktop import DesktopKeys, accelerator, read_gsettings, read_kde, read_xfce
from market_agent_gui.keys.outside_mac import FILE, declared
from market_agent_gui.keys.outside_windows import ALREADY_REGISTERED, asked_of_windows, stroke, taken
from market_agent_gui.keys.outside_x11 import LOCKS, XKeys, grabbed, keysym
from tests.support_gui.x_server import x_server

# --- X


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    if not sys.platform.startswith("linux"):
        pytest.skip("X is asked on Linux")
    with x_server() as name:
        yield name


@pytest.fixture
def other(display: str) -> Iterator[XKeys]:
    """Another program on the same server."""
    link = XKeys(display)
    yield link
    link.close()


def test_a_key_that_another_x_program_has_grabbed_is_told_and_no_other(
    display: str, other: XKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    keys = bound(KeyMap()) | {"Meta+L"}
    assert grabbed(keys) == set()
    for key in ("Ctrl+B", "Meta+L", "F12", "Ctrl++"):
        assert other.hold(key)
    assert grabbed(keys) == {"Ctrl+B", "Meta+L", "F12", "Ctrl++"}


def test_asking_leaves_nothing_grabbed(display: str, other: XKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    link = XKeys(display)
    try:
        assert link.taken(["Ctrl+B"]) == set()
        assert other.hold("Ctrl+B"), "the question must not have kept the key"
        assert link.taken(["Ctrl+B"]) == {"Ctrl+B"}
    finally:
        link.close()


def test_a_key_given_back_is_free_again(display: str, other: XKeys) -> None:
    holder = XKeys(display)
    assert holder.hold("Ctrl+S")
    assert other.taken(["Ctrl+S"]) == {"Ctrl+S"}
    holder.close()
    assert other.taken(["Ctrl+S"]) == set()


def test_a_grab_for_num_lock_alone_is_found(display: str, other: XKeys) -> None:
    holder = XKeys(display)
    try:
        ((code, modifiers),) = holder._strokes("Ctrl+B")
        assert not holder._refused(holder._grab(code, modifiers | LOCKS[2], 1))
        assert other.taken(["Ctrl+B", "Ctrl+S"]) == {"Ctrl+B"}
    finally:
        holder.close()


def test_no_x_server_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch, display: str) -> None:
    monkeypatch.setenv("DISPLAY", ":987654")
    with pytest.raises(OSError, match="X server"):
        grabbed(["F1"])


def test_x_has_a_name_for_every_key_of_the_defaults() -> None:
    assert [key for key in bound(KeyMap()) if not keysym(key)[1]] == []
    assert keysym("Ctrl+Shift+B") == (5, ord("b"))


# --- Windows


class Registered:
    """Answers of Windows, recorded: hot keys that somebody has, and errors of another kind."""

    def __init__(self, had: set[tuple[int, int]], broken: frozenset[tuple[int, int]] = frozenset()) -> None:
        self.had, self.broken = had, broken
        self.open: dict[int, tuple[int, int]] = {}

    def register(self, number: int, modifiers: int, code: int) -> int:
        if (modifiers, code) in self.broken:
            return 5
        if (modifiers, code) in self.had or (modifiers, code) in self.open.values():
            return ALREADY_REGISTERED
        self.open[number] = (modifiers, code)
        return 0

    def unregister(self, number: int) -> None:
        del self.open[number]


def test_a_hot_key_of_windows_that_is_registered_already_is_told_and_ours_are_given_back() -> None:
    windows = Registered({(2, ord("B"))}, frozenset({(2, ord("E"))}))
    assert taken(bound(KeyMap()), windows) == {"Ctrl+B": Owner(False)}
    assert windows.open == {}


def test_what_windows_keeps_for_itself_is_the_desktops() -> None:
    found = taken({"Meta+L", "Meta+Q", "Alt+F4", "Ctrl+Alt+Del", "Ctrl+S"}, Registered(set()))
    assert found == {
        "Meta+L": Owner(True, "screensaver"),
        "Meta+Q": Owner(True),
        "Alt+F4": Owner(True, "close"),
        "Ctrl+Alt+Del": Owner(True, "security"),
    }


def test_plain_typing_is_never_registered_not_even_for_a_moment() -> None:
    asked = {key for key in bound(KeyMap()) if asked_of_windows(key)}
    assert {"Ctrl+B", "Ctrl+Shift+F", "F2", "Alt+1"} <= asked
    assert not asked & {"Return", "1", "M", "Up", "Shift+Up", "Tab", "F12"}
    assert stroke("Ctrl+Shift+Backspace") == (6, 0x08)


# --- macOS


def test_the_keys_of_macos_are_those_of_its_file_over_those_it_came_with(tmp_path: Path) -> None:
    assert declared(tmp_path)["Ctrl+Space"] == Owner(True, "search")
    on = {"type": "standard", "parameters": [65535, 49, 0x100000 | 0x80000]}
    own = {"type": "standard", "parameters": [115, 1, 0x100000]}
    content = {"AppleSymbolicHotKeys": {
        "64": {"enabled": False, "value": on},
        "60": {"enabled": True, "value": on},
        "118": {"enabled": True, "value": own},
        "27": {"enabled": True},
        "9999": {"enabled": True, "value": {"parameters": ["odd"]}},
    }}  # fmt: skip
    file = tmp_path / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(plistlib.dumps(content, fmt=plistlib.FMT_BINARY))
    found = declared(tmp_path)
    assert "Ctrl+Space" not in found, "the search was switched off"
    assert found["Ctrl+Alt+Space"] == Owner(True, "input-source")
    assert found["Ctrl+S"] == Owner(True, "switch-workspace"), "Command and S"
    assert found["Ctrl+`"] == Owner(True, "cycle-windows"), "on, with the key it came with"
    file.write_bytes(b"bplist00 damaged")
    with pytest.raises(ValueError, match="symbolichotkeys"):
        declared(tmp_path)


# --- desktops


@pytest.mark.parametrize(
    ("gtk", "ours"),
    [
        ("<Super>l", "Meta+L"),
        ("<Primary><Alt>Delete", "Ctrl+Alt+Del"),
        ("<Alt><Control>t", "Ctrl+Alt+T"),
        ("<Shift><Super>Page_Up", "Meta+Shift+PgUp"),
        ("<Super>Above_Tab", "Meta+`"),
        ("Print", "Print"),
        ("<Primary>period", "Ctrl+."),
        ("<Control>Return", "Ctrl+Return"),
        ("<Hyper>x", ""),
        ("XF86HomePage42", ""),
        ("<Alt>", ""),
        ("", ""),
    ],
)
def test_a_key_of_gtk_is_one_of_ours(gtk: str, ours: str) -> None:
    from market_agent_gui.keys.key_map import normal

    assert accelerator(gtk) == (normal(ours) if ours else "")


GSETTINGS = """org.gnome.desktop.wm.keybindings close ['<Alt>F4']
org.gnome.desktop.wm.keybindings switch-to-workspace-1 ['<Super>Home', '<Control>1']
org.gnome.desktop.wm.keybindings lower @as []
org.gnome.settings-daemon.plugins.media-keys screensaver ['<Super>l']
org.gnome.settings-daemon.plugins.media-keys custom-keybindings ['/org/gnome/x/custom-keybindings/custom0/']
"""
CUSTOM = """org.gnome.settings-daemon.plugins.media-keys.custom-keybinding binding '<Control>b'
org.gnome.settings-daemon.plugins.media-keys.custom-keybinding command 'notes --new'
org.gnome.settings-daemon.plugins.media-keys.custom-keybinding name 'My notes'
"""


def test_what_gnome_declares_is_read_with_its_kin() -> None:
    assert dict(read_gsettings(GSETTINGS)) == {
        "Alt+F4": Owner(True, "close"),
        "Meta+Home": Owner(True, "switch-workspace"),
        "Ctrl+1": Owner(True, "switch-workspace"),
        "Meta+L": Owner(True, "screensaver"),
    }


class Settings:
    """gsettings, recorded."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def __call__(self, command: list[str]) -> str:
        self.runs.append(command[-1])
        if command[1] == "list-schemas":
            return "org.gnome.settings-daemon.plugins.media-keys\norg.other\n"
        return CUSTOM if "custom0" in command[-1] else GSETTINGS


def test_a_persons_own_shortcut_of_gnome_is_told_by_its_name_and_read_again_only_when_changed(tmp_path: Path) -> None:
    run = Settings()
    environ = {"XDG_CURRENT_DESKTOP": "ubuntu:GNOME", "XDG_CONFIG_HOME": str(tmp_path)}
    desktop = DesktopKeys(environ, tmp_path, run)
    assert desktop.certain
    assert desktop.read()["Ctrl+B"] == Owner(True, "My notes")
    before = len(run.runs)
    desktop.read()
    assert len(run.runs) == before
    (tmp_path / "dconf").mkdir()
    (tmp_path / "dconf" / "user").write_bytes(b"x")
    desktop.read()
    assert len(run.runs) == 2 * before


def test_a_desktop_that_is_not_in_use_is_not_asked(tmp_path: Path) -> None:
    run = Settings()
    assert DesktopKeys({"XDG_CURRENT_DESKTOP": "LXQt"}, tmp_path, run).read() == {}
    assert run.runs == []


KDE = """[$Version]
update_info=x

[ksmserver]
_k_friendly_name=Session Management
Lock Session=Meta+L\\tScreensaver,Meta+L,Lock Session
Log Out=none,Ctrl+Alt+Del,Log Out

[services][org.kde.konsole.desktop]
_launch=Ctrl+Alt+T

[yakuake]
toggle-window-state=F12,F12,Open/Retract Yakuake
Comma=Meta+\\,,none,With a comma
"""


def test_what_kde_declares_is_read_as_it_writes_it() -> None:
    assert dict(read_kde(KDE)) == {
        "Meta+L": Owner(True, "Lock Session"),
        "Screensaver": Owner(True, "Lock Session"),
        "Ctrl+Alt+T": Owner(True, "konsole"),
        "F12": Owner(True, "Open/Retract Yakuake"),
        "Meta+,": Owner(True, "With a comma"),
    }


XFCE = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-keyboard-shortcuts" version="1.0">
  <property name="commands" type="empty">
    <property name="default" type="empty"><property name="&lt;Alt&gt;F2" type="empty"/></property>
    <property name="custom" type="empty">
      <property name="&lt;Primary&gt;&lt;Alt&gt;l" type="string" value="xflock4"/>
      <property name="override" type="bool" value="true"/>
    </property>
  </property>
  <property name="xfwm4" type="empty">
    <property name="default"><property name="&lt;Alt&gt;F4" type="string" value="close_window_key"/></property>
    <property name="custom"><property name="&lt;Alt&gt;F6" type="string" value="stick_window_key"/></property>
  </property>
</channel>
"""


def test_what_xfce_declares_is_read_and_a_damaged_file_is_an_error() -> None:
    assert dict(read_xfce(XFCE)) == {
        "Ctrl+Alt+L": Owner(True, "xflock4"),
        "Alt+F4": Owner(True, "close-window"),
        "Alt+F6": Owner(True, "stick-window"),
    }
    with pytest.raises(ValueError, match="line"):
        list(read_xfce("<channel>"))


# --- whom to ask


@pytest.mark.parametrize(
    ("platform", "qt", "environ", "system"),
    [
        ("linux", "xcb", {}, System.X11),
        ("linux", "xcb", {"XDG_SESSION_TYPE": "wayland"}, System.WAYLAND),
        ("linux", "wayland", {}, System.WAYLAND),
        ("linux", "offscreen", {"DISPLAY": ":0"}, System.NOBODY),
        ("win32", "windows", {}, System.WINDOWS),
        ("darwin", "cocoa", {}, System.MAC),
    ],
)
def test_the_system_asked_is_the_one_that_has_the_window(
    platform: str, qt: str, environ: dict[str, str], system: System
) -> None:
    assert system_of(platform, qt, environ) is system


def test_a_declared_key_that_nobody_holds_counts_only_where_holding_cannot_be_seen() -> None:
    declared_keys = {"Ctrl+B": Owner(True, "notes"), "F12": Owner(True, "terminal")}
    assert merge(declared_keys, {"F12", "F2"}, trust=False) == {"F12": Owner(True, "terminal"), "F2": Owner(False)}
    assert set(merge(declared_keys, set(), trust=True)) == {"Ctrl+B", "F12"}
