"""The painted table."""

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from widgets.paint import TEXTS
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.theme import apply_theme, current_theme

COLUMNS = (
    Column(id="name", title="Name", format=lambda r: r.name, align="left", width_for="AAAA"),
    Column(id="value", title="Value", format=lambda r: f"{r.value}", sort=lambda r: r.value, flash=True),
    Column(id="note", title="Note", format=lambda r: r.note, align="left", stretch=True, width_for="x"),
)


def row(key: str, value: object = 0, note: str = "") -> SimpleNamespace:
    return SimpleNamespace(key=key, value=value, name=key, note=note)


@pytest.fixture
def table(qtbot):
    made = RowTable(RowModel(COLUMNS, sort_by="name"), "Test", empty=("Nothing here", "Press X"))
    qtbot.addWidget(made)
    made.resize(400, 200)
    made.show()
    made.apply([row("aapl", 1), row("msft", 2), row("amd", 3)])
    return made


def names(table: RowTable) -> list[str]:
    return [table.key_at(at) for at in range(table.model().rowCount())]


def test_letters_filter_and_escape_shows_all_again(qtbot, table):
    qtbot.keyClicks(table, "am")
    assert names(table) == ["amd"]
    qtbot.keyClick(table, Qt.Key.Key_Backspace)
    assert names(table) == ["aapl", "amd"]
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert len(names(table)) == 3


def test_arrows_choose_and_enter_opens_once_even_when_held(qtbot, table):
    chosen, opened = [], []
    table.chosen.connect(chosen.append)
    table.opened.connect(opened.append)
    table.select_key("aapl")
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert chosen[-1] == "amd"
    assert opened == ["amd"]


def test_the_selection_follows_its_row_through_sorting_insertion_and_reset(table):
    table.select_key("msft")
    table.apply([row("zzz", 9), row("aaa", 0)])
    assert table.current_key == "msft"
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert table.current_key == "msft"
    table.apply([row(f"n{n}", n) for n in range(0, 200, 2)] + [row("msft", 2)], (), True)
    assert table.selected_keys() == ["msft"]


def test_a_column_grows_with_its_longest_value_and_is_never_cut(table):
    before = table.columnWidth(1)
    table.apply([row("aapl", 123456789012345678)])
    assert table.columnWidth(1) > before
    assert table.tooltip_at(table.model().index(0, 1)) == "", "a value that fits needs no tool tip"


def test_prose_that_does_not_fit_is_in_the_tool_tip_as_plain_text(table):
    text = "<b>" + "long words " * 40
    table.apply([row("aapl", 1, text)])
    assert table.tooltip_at(table.model().index(0, 2)) == text


def test_copy_puts_the_selected_rows_on_the_clipboard(qtbot, table):
    table.select_key("amd")
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Name,Value,Note\namd,3,\n"


def test_the_menu_holds_the_actions_of_the_row_and_the_columns(table):
    table.set_actions([QAction("Cancel all", table)], lambda key: [QAction(f"Exit {key}")])
    menu = table.row_menu("amd")
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts[:2] == ["Exit amd", "Cancel all"]
    assert "Columns" in texts
    assert "Copy as CSV" in texts
    menu.close()


def test_columns_hidden_moved_and_sized_come_back_after_a_restart(qtbot, table):
    table.set_column_shown(1, False)
    table.horizontalHeader().moveSection(2, 0)
    drag(table, 0, 99)
    table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    state = table.layout_state()
    other = RowTable(RowModel(COLUMNS, sort_by="name"), "Other")
    qtbot.addWidget(other)
    other.restore_layout(state)
    assert other.isColumnHidden(1)
    assert other.horizontalHeader().visualIndex(2) == 0
    assert other.columnWidth(0) == 99
    assert other.layout_state() == state
    assert state["width"] == {"name": 99}, "widths that fit by themselves go on doing so"


def drag(table, number, width):
    """Drag the right edge of a column to a width."""
    head = table.horizontalHeader()
    edge = head.sectionViewportPosition(number) + head.sectionSize(number) - 2
    view, y = head.viewport(), head.height() // 2
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(edge, y))
    QTest.mouseMove(view, QPoint(edge + (width - head.sectionSize(number)), y))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(edge + (width - head.sectionSize(number)), y))


def test_a_width_made_by_hand_stays_until_a_double_click_on_its_edge_fits_it_again(qtbot, table):
    table.resize(600, 300)
    table.show()
    fitted = table.columnWidth(0)
    drag(table, 0, fitted - 15)
    table.apply([row("a name as long as names never are", 3)])
    assert table.columnWidth(0) == fitted - 15
    table.horizontalHeader().sectionHandleDoubleClicked.emit(0)
    assert table.columnWidth(0) > fitted
    assert table.layout_state()["width"] == {}


def test_a_state_with_unknown_columns_and_wild_widths_is_survived(table):
    table.restore_layout({"order": ["gone", "note"], "hidden": ["name", "gone"], "width": {"value": -5, "gone": 3}})
    assert not table.isColumnHidden(0), "the first column always stays"


def test_a_flash_changes_pixels_and_goes_away(qtbot, table):
    plain = table.viewport().grab().toImage()
    table.apply([row("aapl", 2)])
    table.apply([row("aapl", 1)])
    lit = table.viewport().grab().toImage()
    assert lit != plain
    qtbot.waitUntil(lambda: table.viewport().grab().toImage() == plain, timeout=3000)


def test_the_end_of_a_flash_repaints_its_row_and_leaves_the_screen_as_painted_whole(qtbot, qapp, table):
    qtbot.waitExposed(table)
    table.apply([row("amd", 4)])
    qapp.processEvents()
    asked = []

    class Watch(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint:
                asked.append(event.rect())
            return False

    watch = Watch()
    table.viewport().installEventFilter(watch)
    qtbot.waitUntil(lambda: not table._flashes and bool(asked), timeout=3000)
    qapp.processEvents()
    table.viewport().removeEventFilter(watch)
    at = table.position_of("amd")
    assert [(rect.top(), rect.height()) for rect in asked] == [(table.rowViewportPosition(at), table.rowHeight(at))]
    shown = table.screen().grabWindow(table.winId()).toImage()
    assert shown == table.grab().toImage().convertToFormat(shown.format())


def test_no_ground_is_painted_below_what_a_table_paints(table):
    assert table.viewport().testAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)


def test_the_flash_can_be_switched_off(table):
    plain = table.viewport().grab().toImage()
    table.flash = False
    table.apply([row("aapl", 2)])
    table.apply([row("aapl", 1)])
    assert table.viewport().grab().toImage() == plain


def test_an_empty_table_paints_its_words(qtbot, table):
    full = table.viewport().grab().toImage()
    table.apply([], (), True)
    empty = table.viewport().grab().toImage()
    assert empty != full
    background = current_theme().color("bg1").rgb()
    inked = sum(
        empty.pixel(x, y) != background for x in range(0, empty.width(), 2) for y in range(0, empty.height(), 2)
    )
    assert inked > 20


def test_at_150_percent_rows_are_taller_and_nothing_that_fits_is_cut(qtbot, table):
    app = QApplication.instance()
    try:
        apply_theme(app, "dark", 1.5)
        qtbot.wait(1)
        assert table.rowHeight(0) == 33
        for number in (0, 1):
            assert table.tooltip_at(table.model().index(0, number)) == ""
    finally:
        apply_theme(app, "dark", 1.0)


def test_what_an_empty_table_says_is_wrapped_in_a_narrow_pane_and_cut_only_where_a_word_is_too_long():
    theme = current_theme()
    words = "Paste symbols here with Ctrl+V, or type one in the palette."
    lines = TEXTS.wrapped(theme, words, 200)
    assert len(lines) == 2
    assert " ".join(lines) == words
    assert all(TEXTS.width(theme, line) <= 200 for line in lines)
    assert TEXTS.wrapped(theme, words, 2000) == [words]
    assert TEXTS.wrapped(theme, "", 200) == []
    assert len(TEXTS.wrapped(theme, words, 60)) == 3
    assert TEXTS.wrapped(theme, words, 60)[-1].endswith("…")
