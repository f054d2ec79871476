"""The keyed table model."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from widgets.row_model import Column, RowModel, csv_safe

COLUMNS = (
    Column(id="name", title="Name", format=lambda r: r.name, align="left"),
    Column(
        id="value",
        title="Value",
        format=lambda r: f"{r.value}",
        sort=lambda r: r.value,
        plain=lambda r: r.value,
        flash=True,
    ),
)


def row(key: str, value: object = 0, name: str = "") -> SimpleNamespace:
    return SimpleNamespace(key=key, value=value, name=name or key)


def shown(model: RowModel) -> list[str]:
    return [model.key_at(at) for at in range(model.rowCount())]


changes = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3)), max_size=5),
        st.lists(st.sampled_from("abcdefgh"), max_size=3),
        st.booleans(),
    ),
    max_size=12,
)


@given(changes, st.booleans())
def test_any_series_of_changes_shows_what_a_plain_dictionary_sorted_would(steps, descending):
    model = RowModel(COLUMNS, sort_by="value", descending=descending)
    truth: dict[str, SimpleNamespace] = {}
    seen: list[str] = []
    model.rowsInserted.connect(lambda _p, a, b: seen.__setitem__(slice(a, a), shown(model)[a : b + 1]))
    model.rowsRemoved.connect(lambda _p, a, b: seen.__delitem__(slice(a, b + 1)))
    model.layoutChanged.connect(lambda: seen.__setitem__(slice(None), shown(model)))
    model.modelReset.connect(lambda: seen.__setitem__(slice(None), shown(model)))
    for rows, removed, reset in steps:
        fresh = {key: row(key, value) for key, value in rows}
        model.apply(fresh.values(), removed, reset)
        if reset:
            truth = {key: value for key, value in truth.items() if key in fresh}
        for key in removed:
            if not (reset and key in fresh):
                truth.pop(key, None)
        truth |= fresh
        values = [model.row(at).value for at in range(model.rowCount())]
        assert values == sorted(values, reverse=descending)
        assert set(shown(model)) == set(truth)
        assert {model.key_at(at): model.row(at).value for at in range(model.rowCount())} == {
            key: value.value for key, value in truth.items()
        }
        assert seen == shown(model), "a view that follows the signals sees something else than the model holds"


def test_qt_finds_no_fault_with_the_model(qtmodeltester):
    model = RowModel(COLUMNS)
    qtmodeltester.check(model)
    model.apply([row("a", 1), row("b", 2), row("c", 3)])
    model.apply([row("b", 5)], ["a"])


def test_only_the_changed_row_is_announced(qtbot):
    model = RowModel(COLUMNS)
    model.apply([row("a", 1), row("b", 2)])
    with qtbot.waitSignal(model.dataChanged) as told:
        model.apply([row("a", 1), row("b", 3)])
    assert (told.args[0].row(), told.args[1].row()) == (1, 1)


def test_missing_values_stay_last_in_both_directions():
    model = RowModel(COLUMNS)
    model.apply([row("none", None), row("nan", float("nan")), row("two", 2), row("one", Decimal(1))])
    model.sort(1, Qt.SortOrder.AscendingOrder)
    assert shown(model)[:2] == ["one", "two"]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert shown(model)[:2] == ["two", "one"]


def test_every_typed_word_must_occur():
    model = RowModel(COLUMNS)
    model.apply([row("1", 5, "Apple Computer"), row("2", 7, "Apple Records"), row("3", 5, "Pear")])
    model.set_filter("apple 5")
    assert shown(model) == ["1"]
    model.set_filter("")
    assert len(shown(model)) == 3


def test_the_newest_rows_survive_the_limit():
    model = RowModel(COLUMNS, limit=20, limit_by=lambda r: r.value)
    for number in range(100):
        model.apply([row(f"k{number}", number)])
    assert model.total <= 20
    assert model.get("k99") is not None
    assert model.get("k0") is None


def test_a_flash_tells_the_way_a_number_went():
    model = RowModel(COLUMNS)
    model.apply([row("a", 1)])
    model.cells(0)
    told = []
    model.flashed.connect(lambda *what: told.append(what))
    model.apply([row("a", 2)])
    model.apply([row("a", 2, "renamed")])
    assert told == [("a", 1, 1)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@x", "\t=1"])
def test_text_that_a_spreadsheet_would_run_is_exported_as_text(text):
    assert csv_safe(text) == "'" + text
    model = RowModel(COLUMNS)
    model.apply([row("k", -5, text)])
    line = model.csv().splitlines()[1]
    assert "'" + text.strip("\t") in line or "'" in line
    assert line.endswith(",-5"), "a number stays a number"


def test_headers_and_cells_are_spoken_with_their_column():
    model = RowModel(COLUMNS)
    model.apply([row("a", 1)])
    assert model.data(model.index(0, 1), Qt.ItemDataRole.AccessibleTextRole) == "Value: 1"
    assert model.headerData(1, Qt.Orientation.Horizontal) == "Value"
