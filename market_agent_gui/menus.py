"""The menu of the window: built from the tables of actions and docks, anew each time it opens."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from market_agent_gui.actions import GROUPS, key_text, words
from market_agent_gui.commander import Commander
from market_agent_gui.docks import title
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.main_window import MainWindow
from market_agent_gui.translate import LANGUAGES, say
from widgets.theme import theme_names


class MainMenu(QMenu):
    """Groups of actions, panes, workspaces, themes, languages."""

    def __init__(
        self,
        commander: Commander,
        window: MainWindow,
        keys: Callable[[], KeyMap],
        workspaces: Callable[[], list[str]],
        use_workspace: Callable[[str], object],
        use_theme: Callable[[str], object],
        use_language: Callable[[str], object],
    ) -> None:
        super().__init__(window)
        self._commander, self._window, self._keys = commander, window, keys
        self._workspaces, self._use_workspace = workspaces, use_workspace
        self._use_theme, self._use_language = use_theme, use_language
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Build the entries for the present language, keys and panes."""
        self.clear()
        for menu in self.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly):
            menu.setParent(None)  # clear() takes submenus out and keeps them
            menu.deleteLater()
        for group in GROUPS:
            specs = [spec for spec in self._commander.known() if spec.group == group]
            if not specs:
                continue
            menu = self.addMenu(say(group))
            for spec in specs:
                key = key_text(self._keys().key(spec.id))
                action = menu.addAction(f"{words(spec)}\t{key}" if key else words(spec))
                action.triggered.connect(lambda _=False, name=spec.id: self._commander.run(name, "menu"))
        self.addSeparator()
        panes = self.addMenu(say("Panes"))
        for name, frame in self._window.docks.items():
            foreign = f"\t{frame.spec.package}" if frame.spec.package else ""
            action = panes.addAction(title(frame.spec) + foreign)
            action.setCheckable(True)
            action.setChecked(not frame.isHidden())
            action.setEnabled(not frame.spec.pinned)
            action.triggered.connect(lambda on, dock=name: self._toggle(dock, on))
        self._choices(say("Workspaces"), self._workspaces(), self._use_workspace)
        self._choices(say("Theme"), list(theme_names()), self._use_theme)
        languages = self.addMenu(say("Language"))
        for name, own in LANGUAGES.items():
            languages.addAction(own).triggered.connect(lambda _=False, chosen=name: self._use_language(chosen))

    def _choices(self, heading: str, names: list[str], use: Callable[[str], object]) -> None:
        menu = self.addMenu(heading)
        for name in names:
            shown = say(name.replace("_", " ").replace("-", " ").capitalize() if name.islower() else name)
            menu.addAction(shown).triggered.connect(lambda _=False, chosen=name: use(chosen))

    def _toggle(self, dock: str, on: bool) -> None:
        if on:
            self._window.show_dock(dock)
        else:
            self._window.docks[dock].close()
