"""The menu of a pane, on its head or its tab: what a dock as a tab has no room to show is here."""

from collections.abc import Callable

from PySide6.QtWidgets import QMenu

from market_agent_gui.actions import key_text
from market_agent_gui.docks import title
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.links import GROUPS, LETTERS, LinkGroups
from market_agent_gui.main_window import MainWindow
from market_agent_gui.translate import say

GROUP_WORDS = {"blue": "Blue", "amber": "Amber", "violet": "Violet", "": "None: its own symbol"}


def pane_menu(
    window: MainWindow,
    links: LinkGroups,
    pane: str,
    keys: Callable[[], KeyMap],
    to_next_screen: Callable[[str], object],
) -> QMenu:
    """Return the menu of one pane; it deletes itself when it closes."""
    dock = window.docks[pane]
    spec = dock.spec
    menu = QMenu(window)
    menu.aboutToHide.connect(menu.deleteLater)

    def entry(text: str, action: str, do: Callable[[], object]) -> None:
        key = key_text(keys().key(action)) if action else ""
        menu.addAction(f"{text}\t{key}" if key else text).triggered.connect(lambda _=False: do())

    floats = dock.isFloating()
    entry(say("Put it back") if floats else say("Float it"), "new_window", lambda: window.float_dock(pane, not floats))
    if len(window.screen().virtualSiblings()) > 1:
        entry(say("To the next screen"), "next_screen", lambda: to_next_screen(pane))
    if spec.linked:
        colours = menu.addMenu(say("Link colour"))
        for group in GROUPS:
            action = colours.addAction(f"{LETTERS[group]}   {say(GROUP_WORDS[group])}")
            action.setCheckable(True)
            action.setChecked(links.group(pane) == group)
            action.triggered.connect(lambda _=False, group=group: links.join(pane, group))
    if not spec.pinned:
        entry(say("Close {pane}", pane=title(spec)), "", dock.close)
    menu.addSeparator()
    panes = menu.addMenu(say("Panes"))
    for name in window.docks:
        action = panes.addAction(title(window.docks[name].spec))
        action.setCheckable(True)
        action.setChecked(not window.docks[name].isHidden())
        action.setEnabled(not window.docks[name].spec.pinned)
        action.triggered.connect(lambda on, name=name: window.show_dock(name) if on else window.docks[name].close())
    return menu
