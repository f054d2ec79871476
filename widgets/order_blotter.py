"""Orders and where they stand. What is not confirmed is amber and says what not to do."""

from collections.abc import Iterable
from decimal import Decimal

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.api.rows import OrderRow
from widgets import formats
from widgets.cells import NEW_YORK, origin_text, price_text, side_text, time_plain, time_text
from widgets.inline_edit import InlineEdit
from widgets.order_groups import BlotterRow, OrderGroups
from widgets.pane_head import PaneHead
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, told, tr

STATES: dict[str, tuple[str, str, str]] = {
    "INTENT": ("off", "recorded", "t2"),
    "SENDING": ("off", "sending", "t2"),
    "SENT": ("off", "sent", "t2"),
    "HELD": ("off", "held at broker", "t2"),
    "WORKING": ("ok", "working", "t1"),
    "PARTIAL": ("ok", "part filled", "t1"),
    "PENDING_CANCEL": ("off", "cancelling", "t2"),
    "PENDING_MODIFY": ("warn", "MODIFY?", "warn"),
    "UNKNOWN": ("warn", "UNKNOWN", "warn"),
    "CLAIM_FILLED": ("warn", "FILLED?", "warn"),
    "CLAIM_CANCELLED": ("warn", "CANCELLED?", "warn"),
    "CLAIM_REJECTED": ("warn", "REJECTED?", "warn"),
    "FILLED": ("", "filled", "t2"),
    "CANCELLED": ("", "cancelled", "t3"),
    "REJECTED": ("bad", "rejected", "danger"),
    "DENIED": ("bad", "denied", "danger"),
    "NEVER_SENT": ("", "never sent", "t3"),
    "EXPIRED": ("", "expired", "t3"),
    "NOT_AT_BROKER": ("", "not at broker", "t3"),
    "SETTLED": ("", "settled", "t3"),
}
"""Mark, words and colour role of every state."""

_FIELDS = {"quantity": "quantity", "stop": "stop_price", "limit": "limit_price"}


def _state(row: BlotterRow) -> tuple[str, str, str]:
    state = row.head.state
    return STATES.get(state, ("warn", state, "warn"))


def _note(row: BlotterRow) -> str:
    head = row.head
    said = ""
    if head.state == "UNKNOWN":
        said = tr("not confirmed: do not re-enter")
    elif head.state.startswith("CLAIM"):
        said = tr("told once, not confirmed yet")
    elif head.state == "PENDING_MODIFY":
        said = tr("change asked, not confirmed")
    elif len(row.orders) > 1:
        said = tr("OCA pair")
    elif head.leg == "stop" and row.working:
        said = tr("stop only, no target")
    filled = ""
    if head.filled or (row.working and head.leg not in ("stop", "target")):
        filled = f"{formats.quantity(head.filled)}/{formats.quantity(head.quantity)}"
        if head.average_price is not None:
            filled += f" @ {price_text(head.average_price)}"
    elsewhere = tr("made elsewhere") if head.external else ""
    return " · ".join(part for part in (elsewhere, said, filled, told(head.note)) if part)


def _whole_note(row: BlotterRow) -> str:
    notes = [told(order.note) for order in row.orders if order.note]
    return "\n".join(dict.fromkeys([_note(row), *notes])) if notes else ""


def order_columns(zone: str) -> tuple[Column, ...]:
    """Return the columns of the blotter; times in ``zone``."""
    return (
        Column(
            id="state",
            title="State",
            format=lambda r: tr(_state(r)[1], "order"),
            align="left",
            mark=lambda r: _state(r)[0],
            colour=lambda r: _state(r)[2],
            width_for="CANCELLED?",
            plain=lambda r: r.head.state,
        ),
        Column(
            id="symbol", title="Symbol", format=lambda r: r.head.symbol, align="left", weight=600, width_for="BRK.B"
        ),
        Column(
            id="quantity",
            title="Side, qty",
            format=lambda r: f"{side_text(r.head.side)} {formats.quantity(r.head.quantity)}",
            sort=lambda r: r.head.quantity,
            plain=lambda r: f"{r.head.side} {r.head.quantity}",
            width_for="SELL 1 000",
        ),
        Column(
            id="stop",
            title="Stop",
            format=lambda r: price_text(r.stop),
            sort=lambda r: r.stop,
            plain=lambda r: r.stop,
            colour=lambda r: "t1" if r.stop is not None else "t3",
            width_for="1 000.00",
        ),
        Column(
            id="limit",
            title="Limit",
            format=lambda r: price_text(r.limit),
            sort=lambda r: r.limit,
            plain=lambda r: r.limit,
            colour=lambda r: "t1" if r.limit is not None else "t3",
            width_for="1 000.00",
        ),
        Column(id="type", title="Type", format=lambda r: r.head.order_type, align="left", visible=False),
        Column(
            id="tif", title="TIF", format=lambda r: r.head.tif, align="left", colour=lambda r: "t2", width_for="GTC"
        ),
        Column(
            id="origin",
            title="By",
            format=lambda r: origin_text(r.head.origin, r.head.suggestion),
            align="left",
            colour=lambda r: "t2",
            visible=False,
        ),
        Column(
            id="changed",
            title="Changed",
            format=lambda r: time_text(r.changed_ns, zone),
            plain=lambda r: time_plain(r.changed_ns, zone),
            sort=lambda r: r.changed_ns,
            colour=lambda r: "t2",
            visible=False,
        ),
        Column(
            id="ref", title="Reference", format=lambda r: r.head.key, align="left", colour=lambda r: "t3", visible=False
        ),
        Column(
            id="note",
            title="Note",
            format=_note,
            align="left",
            colour=lambda r: "warn" if r.unsure or r.head.state == "PENDING_MODIFY" else "t2",
            width_for="not confirmed: do not",
            stretch=True,
            tooltip=_whole_note,
        ),
    )


class OrderBlotter(QWidget):
    """The blotter: cancel with Delete, change a price or size where it stands."""

    cancel_wanted = Signal(list)
    """References to cancel."""
    modify_wanted = Signal(str, str, object)
    """Reference, field of ``ModifyOrder`` (quantity, limit_price, stop_price) and the new value (Decimal)."""
    symbol_chosen = Signal(str)
    order_chosen = Signal(str)
    resolve_wanted = Signal(str)
    """The person wants to close an UNKNOWN order after looking at the broker's own screen."""
    adopt_wanted = Signal(str)
    suggestion_wanted = Signal(str)
    counts_changed = Signal(int, int)
    """Working orders, orders that are not confirmed."""

    def __init__(self, zone: str = NEW_YORK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups = OrderGroups()
        self.model = RowModel(
            order_columns(zone),
            sort_by="changed",
            descending=True,
            limit=5000,
            limit_by=lambda row: (row.open, row.changed_ns),
            tint=lambda row: "warn" if row.unsure else "",
        )
        self.head = PaneHead([("open", ""), ("all", "")])
        keep_said(self.head, lambda: self.head.set_tabs([("open", tr("Working")), ("all", tr("All today"))]))
        self.table = RowTable(
            self.model,
            "Orders",
        )
        keep_said(
            self.table,
            lambda: self.table.say(
                tr("Orders"),
                (tr("No working orders"), tr("Orders you send or approve appear here until they are done.")),
            ),
        )
        self._edit = InlineEdit(self.table.viewport())
        self._editing = ("", "")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.head)
        box.addWidget(self.table, 1)
        self.setFocusProxy(self.table)
        self.model.set_condition(lambda row: row.open)
        self.head.tab_changed.connect(self._on_tab)
        self.table.chosen.connect(self._on_chosen)
        self.table.doubleClicked.connect(self._on_double_clicked)
        self.table.verticalScrollBar().valueChanged.connect(lambda _: self._edit.hide())
        self._edit.taken.connect(self._on_taken)
        self.table.set_actions((), self._row_actions)
        keep_said(self, self._count)

    def apply(self, rows: Iterable[OrderRow], removed: Iterable[str] = (), reset: bool = False) -> None:
        """Take changed rows of the table ``orders``."""
        changed, gone = self._groups.apply(rows, removed, reset)
        self.model.apply(changed, gone)
        self._count()

    def set_filter(self, symbol: str) -> None:
        """Show the orders of one symbol; empty shows all."""
        self.model.set_filter(symbol)

    def _count(self) -> None:
        orders = self._groups.orders.values()
        working = sum(order.working for order in orders)
        unknown = sum(order.state == "UNKNOWN" or order.state.startswith("CLAIM") for order in orders)
        self.head.set_count("open", working)
        self.head.set_count("all", len(orders))
        words = (tr("{n} not confirmed", n=unknown), "warn", 600) if unknown else (tr("0 unknown"), "t3", 400)
        self.head.set_words([words])
        self.counts_changed.emit(working, unknown)

    def _on_tab(self, tab: str) -> None:
        self.model.set_condition((lambda row: row.open) if tab == "open" else None)

    def _row(self, key: str) -> BlotterRow | None:
        row = self.model.get(key)
        return row if isinstance(row, BlotterRow) else None

    def _on_chosen(self, key: str) -> None:
        row = self._row(key)
        if row is not None:
            self.symbol_chosen.emit(row.head.symbol)
            self.order_chosen.emit(row.head.key)

    def cancel_selected(self) -> None:
        """Ask to cancel the selected orders that may still work."""
        rows = [row for key in self.table.selected_keys() if (row := self._row(key)) is not None]
        refs = [
            order.key for row in rows for order in row.orders if order.working or order.state in ("UNKNOWN", "SENT")
        ]
        if refs:
            self.cancel_wanted.emit(refs)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and not event.isAutoRepeat():
            self.cancel_selected()
        else:
            super().keyPressEvent(event)

    def edit_cell(self, key: str, column: str) -> bool:
        """Open the field over a price or size; False where it cannot be changed."""
        row, at = self._row(key), self.model.position(key)
        field = _FIELDS.get(column, "")
        order = row.order_with(field) if row is not None and field else None
        if order is None or at is None or not order.working:
            return False
        self._editing = (order.key, field)
        index = self.model.index(at, self.model.column(column))
        name = tr("New {field} of {symbol}", field=tr(field.replace("_", " ")), symbol=order.symbol)
        self._edit.start(self.table.visualRect(index), str(getattr(order, field)), name)
        return True

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.edit_cell(self.model.key_at(index.row()), self.model.columns[index.column()].id)

    def _on_taken(self, value: Decimal) -> None:
        ref, field = self._editing
        order = self._groups.orders.get(ref)
        if order is not None and order.working and getattr(order, field) != value:
            self.modify_wanted.emit(ref, field, value)

    def _row_actions(self, key: str) -> list[QAction]:
        row = self._row(key)
        if row is None:
            return []
        made: list[QAction] = []

        def add(text: str, run: object, enabled: bool = True) -> None:
            action = QAction(text)
            action.setEnabled(enabled)
            action.triggered.connect(run)
            made.append(action)

        head = row.head
        cancel = tr("Cancel both of the pair") if len(row.orders) > 1 else tr("Cancel this order")
        add(cancel, self.cancel_selected, row.open)
        for column, text in (
            ("limit", tr("Change the limit…")),
            ("stop", tr("Change the stop…")),
            ("quantity", tr("Change the size…")),
        ):
            if row.working and row.order_with(_FIELDS[column]) is not None:
                add(text, lambda _=False, column=column: self.edit_cell(key, column))
        if row.unsure:
            add(tr("I looked at the broker: resolve…"), lambda _=False: self.resolve_wanted.emit(head.key))
        if head.external:
            add(tr("Adopt this order"), lambda _=False: self.adopt_wanted.emit(head.key))
        if head.suggestion:
            add(
                tr("Show suggestion {id}", id=head.suggestion),
                lambda _=False: self.suggestion_wanted.emit(head.suggestion),
            )
        return made
