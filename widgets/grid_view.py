"""The manners all tables share: 22 px rows, sticky header, chooser, typing to filter, keys, menu, copy as CSV."""

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QToolTip, QWidget

from widgets.head_row import HeadRow
from widgets.paint import TEXTS
from widgets.theme import current_theme
from widgets.words import tr


class GridView(QTableView):
    """Base of the painted tables. Subclasses say what a key is and paint the rows."""

    chosen = Signal(str)
    """Key of the current row."""
    opened = Signal(str)
    """Enter or double click."""
    filter_changed = Signal(str)
    save_wanted = Signal(str)
    """CSV text of all shown rows, for a file the shell asks about."""

    def __init__(self, name: str, *, empty: tuple[str, str] = ("", ""), parent: QWidget | None = None) -> None:
        """``name`` is the object's own, in English; what is shown and spoken comes with :meth:`say`."""
        super().__init__(parent)
        self.setObjectName(name)
        self.say(name, empty)
        self._typed = ""
        self._quiet = False
        self._actions: list[QAction] = []
        self._menu_maker: Callable[[str], Iterable[QAction]] | None = None
        self.type_to_filter = True
        self.setProperty("takesLetters", True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        # What is painted covers everything: Qt need not paint a ground under it first.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setAutoScroll(False)
        self.setCornerButtonEnabled(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = HeadRow(self)
        self.setHorizontalHeader(head)
        head.setMinimumSectionSize(20)
        head.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        head.customContextMenuRequested.connect(self._on_header_menu)
        self.by_hand: set[str] = set()
        """Columns a person made as wide as they are: they are kept, and never fitted to what is in them."""
        head.sectionResized.connect(self._on_resized)
        head.sectionMoved.connect(self._on_columns_changed)
        head.sectionHandleDoubleClicked.connect(self._on_handle)
        self._apply_metrics()
        self.doubleClicked.connect(self._on_double_clicked)

    def say(self, name: str, empty: tuple[str, str]) -> None:
        """Set the name for assistive tools, and what will appear here and what makes it happen."""
        self.setAccessibleName(name)
        self._empty = empty
        self.viewport().update()

    # --- what subclasses say -----------------------------------------------------------------------------------

    def key_at(self, position: int) -> str:
        """Return the key of a row, or an empty text where there is none."""
        raise NotImplementedError

    def position_of(self, key: str) -> int | None:
        raise NotImplementedError

    def set_filter_text(self, text: str) -> None:
        raise NotImplementedError

    def csv_text(self, positions: list[int] | None) -> str:
        raise NotImplementedError

    def on_geometry(self) -> None:
        """Columns or metrics changed; painted pictures are out of date."""

    # --- selection ---------------------------------------------------------------------------------------------

    @property
    def current_key(self) -> str:
        index = self.currentIndex()
        return self.key_at(index.row()) if index.isValid() else ""

    def selected_keys(self) -> list[str]:
        """Return the keys of the selected rows, top down."""
        model = self.selectionModel()
        if model is None:
            return []
        rows = sorted(index.row() for index in model.selectedRows())
        return [key for key in (self.key_at(row) for row in rows) if key]

    def select_key(self, key: str) -> bool:
        """Make a row current without saying that a person chose it; False when it is not shown."""
        at = self.position_of(key)
        if at is None:
            return False
        if at != self.currentIndex().row() or not self.selectionModel().isRowSelected(at):
            self._quiet = True
            try:
                self.selectRow(at)
            finally:
                self._quiet = False
        return True

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:
        super().currentChanged(current, previous)
        if current.isValid() and current.row() != previous.row() and not self._quiet:
            key = self.key_at(current.row())
            if key:
                self.chosen.emit(key)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        key = self.key_at(index.row())
        if key:
            self.opened.emit(key)

    # --- menu --------------------------------------------------------------------------------------------------

    def set_actions(self, actions: Iterable[QAction], maker: Callable[[str], Iterable[QAction]] | None = None) -> None:
        """Set the entries of the context menu; ``maker`` adds those of the row it is opened on."""
        self._actions = list(actions)
        self._menu_maker = maker

    def row_menu(self, key: str) -> QMenu:
        """Build the context menu of a row; every entry shows its key."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        made = list(self._menu_maker(key)) if self._menu_maker and key else []
        for action in made:
            if action.parent() is None:
                action.setParent(menu)
        menu.addActions(made)
        if made and self._actions:
            menu.addSeparator()
        menu.addActions(self._actions)
        if not menu.isEmpty():
            menu.addSeparator()
        copy = menu.addAction(tr("Copy as CSV"), self.copy)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        menu.addAction(tr("Save all rows as CSV…"), lambda: self.save_wanted.emit(self.file_text()))
        menu.addMenu(self._chooser(menu))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        at = self.indexAt(event.pos())
        self.row_menu(self.key_at(at.row()) if at.isValid() else "").popup(event.globalPos())

    def _chooser(self, parent: QWidget) -> QMenu:
        menu = QMenu(tr("Columns"), parent)
        model = self.model()
        for number in range(model.columnCount() if model else 0):
            title = str(model.headerData(number, Qt.Orientation.Horizontal) or "")
            action = menu.addAction(title.replace("&", "&&"))  # a lone one underlines a letter and goes
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.setEnabled(number != 0)
            action.toggled.connect(lambda shown, number=number: self.set_column_shown(number, shown))
        return menu

    def _on_header_menu(self, at: QPoint) -> None:
        menu = self._chooser(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    def set_column_shown(self, number: int, shown: bool) -> None:
        """Show or hide a column; the first one always stays."""
        self.setColumnHidden(number, not shown and number != 0)
        self._on_columns_changed()

    def file_text(self) -> str:
        """Return what goes into a file: every row that is shown, with the columns that are not, too."""
        return self.csv_text(None)

    def copy(self) -> None:
        """Put the selected rows on the clipboard as CSV."""
        model = self.selectionModel()
        rows = sorted(index.row() for index in model.selectedRows()) if model else []
        QGuiApplication.clipboard().setText(self.csv_text(rows or None))

    # --- keys --------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        key, held = event.key(), event.modifiers()
        none = held in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and none and not event.isAutoRepeat():
            if self.current_key:
                self.opened.emit(self.current_key)
                return
        elif self.type_to_filter and none:
            if key == Qt.Key.Key_Escape and self._typed:
                self._set_typed("")
                return
            if key == Qt.Key.Key_Backspace and self._typed:
                self._set_typed(self._typed[:-1])
                return
            text = event.text()
            if text and text.isprintable() and (self._typed or not text.isspace()):
                self._set_typed(self._typed + text)
                return
        if event.text().isprintable() and event.text() and none:
            event.ignore()  # not ours: the shell may have a key for it; Qt's own type-ahead would jump rows
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Typing filters; it never jumps."""

    @property
    def typed(self) -> str:
        """What was typed to filter by."""
        return self._typed

    def _set_typed(self, text: str) -> None:
        self._typed = text
        self.set_filter_text(text)
        self.filter_changed.emit(text)
        self.viewport().update()

    # --- look --------------------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.LanguageChange):
            self._apply_metrics()
            self.on_geometry()
            self.viewport().update()

    def _apply_metrics(self) -> None:
        theme = current_theme()
        if self.verticalHeader().defaultSectionSize() != theme.px(22):
            self.verticalHeader().setMinimumSectionSize(theme.px(22))
            self.verticalHeader().setDefaultSectionSize(theme.px(22))
        self.horizontalHeader().setFixedHeight(theme.px(22))
        self.horizontalHeader().setFont(theme.font(11))

    def _on_resized(self, number: int, _old: int, _new: int) -> None:
        head = self.horizontalHeader()
        if isinstance(head, HeadRow) and head.held:
            self.by_hand.add(self.column_ids()[number])
        self._on_columns_changed()

    def _on_handle(self, number: int) -> None:
        self.by_hand.discard(self.column_ids()[number])
        self.fit_column(number)

    def fit_column(self, number: int) -> None:
        """Make a column as wide as what is in it needs."""

    def _on_columns_changed(self, *_: object) -> None:
        self.on_geometry()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.on_geometry()

    def paint_extras(self, painter: QPainter, rows: int) -> None:
        """Paint the words of an empty table and the typed filter."""
        if rows and not self._typed:
            return
        theme = current_theme()
        size = self.viewport().size()
        if rows == 0:
            title, hint = (
                (tr("Nothing matches “{text}”", text=self._typed), tr("Esc shows all")) if self._typed else self._empty
            )
            room = size.width() - theme.px(16)
            told = [(line, "t2") for line in TEXTS.wrapped(theme, title, room)]
            told += [(line, "t3") for line in TEXTS.wrapped(theme, hint, room)]
            y = size.height() / 2 - theme.px(10) * (len(told) - 1)
            for line, role in told:
                TEXTS.draw(painter, theme, size.width() / 2, y, line, theme.color(role), align="centre")
                y += theme.px(20)
        if self._typed:
            text = tr("filter: {text} · Esc", text=self._typed)
            width = TEXTS.width(theme, text, 12, 600) + theme.px(16)
            height = theme.px(20)
            left, top = size.width() - width - theme.px(4), size.height() - height - theme.px(4)
            painter.fillRect(round(left), round(top), round(width), height, theme.color("focus"))
            TEXTS.draw(painter, theme, left + theme.px(8), top + height / 2, text, theme.color("on_focus"), weight=600)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.indexAt(event.pos())
            text = self.tooltip_at(index) if index.isValid() else ""
            if text:
                # Foreign text must stay text: a tooltip that looks like HTML would be rendered.
                QToolTip.showText(event.globalPos(), _as_plain(text), self.viewport())
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def tooltip_at(self, index: QModelIndex) -> str:
        """Return the words for a cell."""
        return str(index.data(Qt.ItemDataRole.ToolTipRole) or "")

    # --- memory ------------------------------------------------------------------------------------------------

    def column_ids(self) -> list[str]:
        """Return the names of the columns, by number."""
        raise NotImplementedError

    def layout_state(self) -> dict[str, Any]:
        """Return order and visibility of the columns and the widths made by hand, as JSON values."""
        head = self.horizontalHeader()
        names = self.column_ids()
        order = sorted(range(len(names)), key=head.visualIndex)
        return {
            "order": [names[number] for number in order],
            "hidden": [names[number] for number in range(len(names)) if self.isColumnHidden(number)],
            "width": {
                names[n]: round(self.columnWidth(n) / current_theme().scale)
                for n in range(len(names))
                if names[n] in self.by_hand and not self.isColumnHidden(n)
            },
        }

    def restore_layout(self, state: dict[str, Any]) -> None:
        """Take a state back; names that no longer exist are passed over."""
        names = self.column_ids()
        number = {name: at for at, name in enumerate(names)}
        head = self.horizontalHeader()
        for target, name in enumerate(n for n in state.get("order", ()) if n in number):
            head.moveSection(head.visualIndex(number[name]), target)
        hidden = set(state.get("hidden", ()))
        for name, at in number.items():
            self.setColumnHidden(at, name in hidden and at != 0)
        for name, width in dict(state.get("width", {})).items():
            if name in number and isinstance(width, int | float) and 20 <= width <= 2000:
                self.by_hand.add(name)
                self.setColumnWidth(number[name], current_theme().px(width))
        self._on_columns_changed()


def _as_plain(text: str) -> str:
    from html import escape

    return f"<qt>{escape(text).replace(chr(10), '<br>')}</qt>"
