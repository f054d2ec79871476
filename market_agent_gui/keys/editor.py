"""The key editor: choose an action, press its new key. Conflicts are refused with the name of the other action."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem

from market_agent_gui.actions import BY_ID, GROUPS, Scope, key_text
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.keys.controller import key_of
from market_agent_gui.keys.key_map import DEFAULTS, KeyMap, KeyMapError
from market_agent_gui.translate import say


class KeyEditor(PlainDialog):
    """Edits a copy; nothing holds until it is accepted."""

    saved = Signal(object)
    """The new :class:`KeyMap`."""

    def __init__(self, keys: KeyMap, known: set[str], book: str) -> None:
        super().__init__(
            say("Keys for {book}", book=book.upper() or "PAPER"),
            say("Choose an action, then press its new key. Delete takes the key away, Esc gives up."),
            accept=say("Use these keys"),
            reject=say("Change nothing"),
        )
        # The controller leaves the presses of this window alone.
        self.setProperty("recordsKeys", True)
        self.keys = keys
        self.tree = QTreeWidget()
        self.tree.setColumnCount(3)
        self.tree.setHeaderLabels([say("Action"), say("Key"), say("Acts")])
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setMinimumSize(620, 420)
        self.tree.setAccessibleName(say("Actions and their keys"))
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._items: dict[str, QTreeWidgetItem] = {}
        self._fill(known)
        self.add_widget(self.tree)
        self.defaults = QPushButton(say("Back to the defaults"))
        self.defaults.setAutoDefault(False)
        self.defaults.clicked.connect(self._on_defaults)
        self.add_widget(self.defaults)
        self.tree.installEventFilter(self)
        self.tree.setFocus()

    def _fill(self, known: set[str]) -> None:
        scopes = {
            Scope.ANYWHERE: say("everywhere"),
            Scope.WINDOW: say("outside text"),
            Scope.STAGED: say("while staged"),
            Scope.CHART: say("on the chart"),
        }
        for group in GROUPS:
            actions = [spec for spec in BY_ID.values() if spec.group == group and spec.id in known]
            if not actions:
                continue
            top = QTreeWidgetItem([say(group)])
            top.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.tree.addTopLevelItem(top)
            for spec in actions:
                item = QTreeWidgetItem([say(spec.title), "", scopes[spec.scope]])
                item.setData(0, Qt.ItemDataRole.UserRole, spec.id)
                top.addChild(item)
                self._items[spec.id] = item
            top.setExpanded(True)
        self._show()

    def _show(self) -> None:
        for action, item in self._items.items():
            key = self.keys.key(action)
            item.setText(1, key_text(key) + ("" if key == DEFAULTS[action] else " *"))

    def bind(self, action: str, key: str) -> bool:
        """Give an action a key; say why when it cannot have it."""
        try:
            self.keys = self.keys.with_key(action, key)
        except KeyMapError as error:
            self.complain(str(error))
            return False
        self.complain("")
        self._show()
        return True

    def _on_defaults(self) -> None:
        self.keys = KeyMap()
        self.complain("")
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent) or event.isAutoRepeat():
            return False
        item = self.tree.currentItem()
        action = item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None
        key = key_of(event)
        # Plain arrows walk through the list; with an action whose default they are, they are its key.
        if not action or not key or key in ("Esc", "Up", "Down", "PgUp", "PgDown"):
            return False
        self.bind(action, "" if key == "Del" else key)
        return True

    def on_accept(self) -> None:
        self.saved.emit(self.keys)
        self.accept()
