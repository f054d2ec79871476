"""The key editor: choose an action, press its new key. Conflicts are refused with the name of the other action.

A key that the desktop or another program has is told beside it; one that stages or sends is taken only when the person
says to use it all the same.
"""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QBrush, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QPushButton, QTreeWidget, QTreeWidgetItem

from market_agent_gui.actions import BY_ID, GROUPS, Scope, in_order, key_text, words
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.keys.controller import key_of
from market_agent_gui.keys.key_map import DEFAULTS, KeyMap, KeyMapError
from market_agent_gui.keys.outside import Outside, bound, collision_text, owner_text, unsure_text, wants_consent
from market_agent_gui.translate import say
from widgets.theme import current_theme


class KeyEditor(PlainDialog):
    """Edits a copy; nothing holds until it is accepted."""

    saved = Signal(object, object)
    """The new :class:`KeyMap`, and the frozenset of keys that are used although somebody else has them."""
    ask_wanted = Signal(object)
    """Keys that the system should be asked about; :meth:`show_outside` brings the answer."""

    def __init__(
        self,
        keys: KeyMap,
        known: set[str],
        book: str,
        *,
        outside: Outside | None = None,
        accepted: Iterable[str] = (),
    ) -> None:
        """``outside``: what the system last answered; ``accepted``: keys used all the same until now."""
        super().__init__(
            say("Keys for {book}", book=book.upper() or "PAPER"),
            say("Choose an action, then press its new key. Delete takes the key away, Esc gives up."),
            accept=say("Use these keys"),
            reject=say("Change nothing"),
        )
        # The controller leaves the presses of this window alone.
        self.setProperty("recordsKeys", True)
        self.keys = keys
        self.outside = outside or Outside()
        self.accepted = frozenset(accepted)
        self._pending = ("", "")
        """An action and the key it was given, while the system is asked whose that is."""
        self._offered = ("", "")
        """An action and the key it would have all the same."""
        self.tree = QTreeWidget()
        self.tree.setColumnCount(4)
        self.tree.setHeaderLabels([say("Action"), say("Key"), say("Acts"), say("Who else has it")])
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setMinimumSize(current_theme().px(820), current_theme().px(440))
        self.tree.setAccessibleName(say("Actions and their keys"))
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            self.tree.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self._items: dict[str, QTreeWidgetItem] = {}
        self._fill(known)
        self.add_widget(self.tree)
        self.all_the_same = QPushButton()
        self.all_the_same.setAutoDefault(False)
        self.all_the_same.clicked.connect(self._on_all_the_same)
        self.all_the_same.hide()
        self.add_widget(self.all_the_same)
        self.unsure = QLabel()
        self.unsure.setProperty("role", "secondary")
        self.unsure.setTextFormat(Qt.TextFormat.PlainText)
        self.unsure.setWordWrap(True)
        self.add_widget(self.unsure)
        self.defaults = QPushButton(say("Back to the defaults"))
        self.defaults.setAutoDefault(False)
        self.defaults.clicked.connect(self._on_defaults)
        self.add_widget(self.defaults)
        self.tree.installEventFilter(self)
        self.tree.currentItemChanged.connect(lambda *_: self._on_row())
        self.tree.setFocus()
        self._show()

    def _fill(self, known: set[str]) -> None:
        scopes = {
            Scope.ANYWHERE: say("everywhere"),
            Scope.WINDOW: say("outside text"),
            Scope.STAGED: say("while staged"),
            Scope.CHART: say("on the chart"),
        }
        for group in GROUPS:
            actions = [spec for spec in in_order(known) if spec.group == group]
            if not actions:
                continue
            top = QTreeWidgetItem([say(group)])
            top.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.tree.addTopLevelItem(top)
            for spec in actions:
                item = QTreeWidgetItem([words(spec), "", scopes[spec.scope], ""])
                item.setData(0, Qt.ItemDataRole.UserRole, spec.id)
                top.addChild(item)
                self._items[spec.id] = item
            top.setExpanded(True)

    def _show(self) -> None:
        warn = QBrush(current_theme().color("warn"))
        for action, item in self._items.items():
            key = self.keys.key(action)
            item.setText(1, key_text(key) + ("" if key == DEFAULTS.get(action, "") else " *"))
            owner = self.outside.taken.get(key) if key else None
            whose = ""
            if owner is not None:
                whose = "⚠ " + owner_text(owner)
                if wants_consent(BY_ID[action]):
                    whose += " · " + (say("used all the same") if key in self.accepted else say("does not act"))
            item.setText(3, whose)
            item.setForeground(3, warn)
        self.unsure.setText(unsure_text(self.outside))
        self.unsure.setVisible(bool(self.unsure.text()))

    # --- whose key it is

    def show_outside(self, outside: Outside) -> None:
        """The system has answered."""
        self.outside = outside
        action, key = self._pending
        if action and key in outside.asked:
            self._pending = ("", "")
            self._give(action, key)
        elif self.problem.isHidden():
            self._on_row()  # what has just been bound may turn out to be somebody else's
        self._show()

    def _on_row(self) -> None:
        """Another row: say whose its key is, and offer to use it all the same where that is for a person to say."""
        item = self.tree.currentItem()
        action = item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None
        self._pending = ("", "")
        self._offer("", "")
        self.complain("")
        if action:
            key = self.keys.key(action)
            owner = self.outside.taken.get(key) if key else None
            if owner is not None:
                self.complain(collision_text(key, owner))
                if wants_consent(BY_ID[action]) and key not in self.accepted:
                    self._offer(action, key)

    def _offer(self, action: str, key: str) -> None:
        self._offered = (action, key)
        self.all_the_same.setVisible(bool(action))
        if action:
            title = words(BY_ID[action])
            self.all_the_same.setText(say("Use {key} all the same: {action}", key=key_text(key), action=title))

    def _on_all_the_same(self) -> None:
        action, key = self._offered
        if action:
            self._offer("", "")
            self.accepted |= {key}
            self.keys = self.keys.with_key(action, key)
            self.complain("")
            self._show()
            self.tree.setFocus()

    # --- giving keys

    def bind(self, action: str, key: str) -> bool:
        """Give an action a key; say why when it cannot have it, or not yet."""
        self._pending = ("", "")
        self._offer("", "")
        try:
            self.keys.with_key(action, key)
        except KeyMapError as error:
            self.complain(str(error))
            return False
        if key and key not in self.outside.asked:
            self.ask_wanted.emit(frozenset({key}) | bound(self.keys))
            if key not in self.outside.asked and wants_consent(BY_ID[action]):
                self._pending = (action, key)
                self.complain(say("asking the system whose key {key} is…", key=key_text(key)))
                return False
        return self._give(action, key)

    def _give(self, action: str, key: str) -> bool:
        owner = self.outside.taken.get(key) if key else None
        if owner is not None and wants_consent(BY_ID[action]) and key not in self.accepted:
            self.complain(collision_text(key, owner))
            self._offer(action, key)
            return False
        self.keys = self.keys.with_key(action, key)
        self.complain(collision_text(key, owner) if owner is not None else "")
        self._show()
        return True

    def _on_defaults(self) -> None:
        self.keys = KeyMap()
        self._pending = ("", "")
        self._offer("", "")
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
        # A consent goes with the key: taken away from every action, it is asked for again.
        self.saved.emit(self.keys, self.accepted & bound(self.keys))
        self.accept()
