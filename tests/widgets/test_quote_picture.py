"""The picture of the watchlist on screens of every kind, with numbers of every size."""

import msgspec
import numpy as np
import pytest

from engine.api.rows import QuoteRow
from tests.widgets.factories import block
from widgets.quote_columns import COLUMNS
from widgets.quote_table import QuoteTable
from widgets.theme import current_theme

VOLUME = [column.id for column in COLUMNS].index("volume")


@pytest.fixture
def table(qtbot):
    made = QuoteTable()
    qtbot.addWidget(made)
    made.resize(300, 1200)
    made.apply([QuoteRow(key=f"X{n:02}", index=n) for n in range(45)], (), True)
    made.show()
    made.view.throttle.set_interval(0)
    return made


@pytest.mark.parametrize("ratio", [1.0, 1.1, 1.25, 1.5, 1.75, 2.0])
def test_every_row_is_painted_where_a_click_finds_it(monkeypatch, table, ratio):
    view = table.view
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: ratio)
    view.select_key("X40")
    rect = view.visualRect(view.quotes.index(view.quotes.position("X40"), 0))
    assert rect.top() > 800, "far down the table, where a part of a pixel a row adds up"
    image = view.viewport().grab().toImage()
    mark = current_theme().color("focus").rgb()
    marked = [y for y in range(image.height()) if image.pixel(0, y) == mark]
    assert abs(marked[0] - rect.top()) <= 1
    assert abs(marked[-1] - rect.bottom()) <= 1


@pytest.mark.parametrize(("size", "digits"), [(1.24e12, 3), (1.24e15, 4)])
def test_a_size_above_a_million_millions_is_not_cut(table, size, digits):
    view = table.view
    table.resize(900, 1200)
    view.set_column_shown(VOLUME, True)
    view.grab()
    table.update_quotes(msgspec.structs.replace(block({2: 96.0}), volume=np.full(1, size).tobytes()))
    view.grab()
    assert view._style(COLUMNS[VOLUME]).integers == digits
    assert table.model.text(table.model.position("X02"), VOLUME).endswith("T")
