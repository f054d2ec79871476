"""Positions, orders, fills, refusals, news, log and limits."""

import math
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt

from engine.api.rows import DenialRow, FillRow, LimitRow, LogRow, NewsRow
from engine.model.decision import Denial, LimitUse
from tests.widgets.factories import NOW, SECOND, order, position
from widgets.denial_table import DenialTable
from widgets.fill_table import FillTable
from widgets.inline_edit import read_number
from widgets.limit_panel import LimitPanel, share
from widgets.log_view import LogView
from widgets.news_list import NewsList, one_line
from widgets.order_blotter import STATES, OrderBlotter
from widgets.order_groups import OrderGroups
from widgets.paint import TEXTS, TextCache
from widgets.position_table import PositionTable
from widgets.theme import current_theme
from widgets.words import tr


def texts(model, position: int) -> dict[str, str]:
    return {column.id: cell.text for column, cell in zip(model.columns, model.cells(position), strict=True)}


def cell(model, position: int, column: str):
    return model.cells(position)[model.column(column)]


@pytest.fixture
def blotter(qtbot):
    made = OrderBlotter()
    qtbot.addWidget(made)
    made.resize(700, 240)
    made.show()
    return made


# --- positions


def test_a_position_shows_sign_arrow_and_its_stop(qtbot):
    table = PositionTable()
    qtbot.addWidget(table)
    table.apply([position("AAPL"), position("XOM", quantity=Decimal(-50), open_pnl=Decimal("-120.60"))])
    assert texts(table.model, 0)["quantity"] == "+200"
    assert texts(table.model, 1)["quantity"] == "−50"
    assert cell(table.model, 0, "open").mark == "up"
    assert cell(table.model, 1, "open").mark == "down"


def test_a_position_without_a_stop_says_so_in_words_and_not_by_colour_alone(qtbot):
    table = PositionTable()
    qtbot.addWidget(table)
    table.apply([position("KO", stop=None, to_stop=None, protected="no stop")])
    assert texts(table.model, 0)["stop"] == "none"
    assert texts(table.model, 0)["protected"] == "no stop"
    assert cell(table.model, 0, "protected").mark == "bad"
    assert "not known" in table.total.accessibleName(), "a sum with a missing part is not a sum"


def test_the_total_adds_exactly(qtbot):
    table = PositionTable()
    qtbot.addWidget(table)
    table.apply([position("A", open_pnl=Decimal("0.10")), position("B", open_pnl=Decimal("0.20"))])
    assert "+0.30" in table.total.accessibleName()


def test_the_menu_of_a_position_asks_to_close_a_part_of_it(qtbot):
    table = PositionTable()
    qtbot.addWidget(table)
    table.apply([position("AAPL")])
    wanted = []
    table.flatten_wanted.connect(lambda symbol, part: wanted.append((symbol, part)))
    menu = table.table.row_menu("AAPL")
    next(action for action in menu.actions() if action.text() == "Exit half").trigger()
    assert wanted == [("AAPL", Decimal("0.5"))]
    menu.close()


# --- orders


def test_a_stop_and_a_target_that_cancel_each_other_are_one_row(blotter):
    stop = order("s", side="SELL", limit_price=None, stop_price=Decimal("187.90"), oca="g", leg="stop")
    target = order("t", side="SELL", limit_price=Decimal("194.00"), oca="g", leg="target")
    blotter.apply([stop, target, order("e")])
    assert blotter.model.rowCount() == 2
    pair = next(at for at in range(2) if "OCA" in texts(blotter.model, at)["note"])
    assert texts(blotter.model, pair)["stop"] == "187.90"
    assert texts(blotter.model, pair)["limit"] == "194.00"


def test_when_one_of_a_pair_goes_the_other_stays(blotter):
    stop = order("s", side="SELL", limit_price=None, stop_price=Decimal("187.90"), oca="g", leg="stop")
    target = order("t", side="SELL", limit_price=Decimal("194.00"), oca="g", leg="target")
    blotter.apply([stop, target])
    blotter.apply([], ["t"])
    assert blotter.model.rowCount() == 1
    assert "OCA" not in texts(blotter.model, 0)["note"]


def test_orders_of_two_symbols_with_the_same_group_name_are_not_mixed():
    changed, _ = OrderGroups().apply([order("a", oca="1", leg="stop"), order("b", oca="1", leg="stop", symbol="MSFT")])
    assert len(changed) == 2


def test_an_unknown_order_is_amber_counted_and_says_what_not_to_do(blotter):
    counted = []
    blotter.counts_changed.connect(lambda *n: counted.append(n))
    blotter.apply([order("u", state="UNKNOWN", working=False)])
    assert texts(blotter.model, 0)["state"] == "UNKNOWN"
    assert texts(blotter.model, 0)["note"].startswith("not confirmed: do not re-enter")
    assert blotter.model.tint(0) == "warn"
    assert cell(blotter.model, 0, "state").mark == "warn"
    assert counted[-1] == (0, 1)


def test_an_unknown_half_of_a_pair_makes_the_whole_row_unsure(blotter):
    sure = order("s", stop_price=Decimal("187.90"), limit_price=None, oca="g", leg="stop")
    unsure = order("t", state="UNKNOWN", working=False, oca="g", leg="target")
    blotter.apply([sure, unsure])
    assert texts(blotter.model, 0)["state"] == "UNKNOWN"


def test_every_state_of_the_engine_has_words():
    from engine.model.order import OrderState

    assert {state.value for state in OrderState} == set(STATES)


def test_delete_asks_to_cancel_both_of_a_pair_once(qtbot, blotter):
    stop = order("s", stop_price=Decimal("187.90"), limit_price=None, oca="g", leg="stop")
    blotter.apply([stop, order("t", oca="g", leg="target")])
    wanted = []
    blotter.cancel_wanted.connect(wanted.append)
    blotter.table.selectRow(0)
    qtbot.keyClick(blotter.table, Qt.Key.Key_Delete)
    assert [sorted(refs) for refs in wanted] == [["s", "t"]]


def test_done_orders_are_on_the_other_tab(blotter):
    blotter.apply([order("w"), order("f", state="FILLED", working=False, filled=Decimal(100))])
    assert blotter.model.rowCount() == 1
    blotter.head.set_current("all")
    assert blotter.model.rowCount() == 2


def test_a_price_is_changed_where_it_stands(qtbot, blotter):
    blotter.apply([order("w")])
    asked = []
    blotter.modify_wanted.connect(lambda *what: asked.append(what))
    assert blotter.edit_cell("w", "limit")
    editor = blotter._edit
    editor.setText("190.25")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert asked == [("w", "limit_price", Decimal("190.25"))]
    assert not editor.isVisible()


def test_escape_and_nonsense_change_nothing(qtbot, blotter):
    blotter.apply([order("w")])
    asked = []
    blotter.modify_wanted.connect(lambda *what: asked.append(what))
    blotter.edit_cell("w", "limit")
    blotter._edit.setText("19o.1")
    qtbot.keyClick(blotter._edit, Qt.Key.Key_Return)
    assert blotter._edit.isVisible(), "it stays open with the reason"
    qtbot.keyClick(blotter._edit, Qt.Key.Key_Escape)
    blotter.edit_cell("w", "limit")
    qtbot.keyClick(blotter._edit, Qt.Key.Key_Return)
    assert asked == []


def test_an_order_that_does_not_work_cannot_be_edited(blotter):
    blotter.apply([order("u", state="UNKNOWN", working=False)])
    assert not blotter.edit_cell("u", "limit")


@pytest.mark.parametrize(
    ("text", "value"),
    [("190.10", "190.10"), ("1 500", "1500"), ("1,5", "1.5"), ("0,125", "0.125"), ("1_000", "1000")],
)
def test_numbers_are_read_as_people_write_them(text, value):
    assert read_number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "abc", "-1", "0", "NaN", "inf", "1,500", "1e999999999", "1.2.3"])
def test_what_is_no_positive_number_or_could_be_two_is_refused(text):
    value = read_number(text)
    assert value is None or value.is_finite()
    if text != "1e999999999":
        assert value is None


# --- fills, refusals, news, log, limits


def test_fills_stand_newest_first_with_slippage_signed_against_the_trader(qtbot):
    table = FillTable()
    qtbot.addWidget(table)
    fills = [
        FillRow(
            key=f"f{n}", ref="r", symbol="AAPL", side="BUY", quantity=Decimal(1), price=Decimal("189.5215"),
            commission=Decimal(1), ts_event=NOW + n * SECOND, slippage_bps=1.3,
        )
        for n in range(3)
    ]  # fmt: skip
    table.apply(fills)
    assert table.key_at(0) == "f2"
    assert texts(table.rows, 0)["price"] == "189.5215"
    assert cell(table.rows, 0, "slippage").role == "down", "paying more is bad"


def test_a_file_of_fills_tells_them_apart_and_has_the_year_the_zone_and_every_column(qtbot):
    table = FillTable()
    qtbot.addWidget(table)
    sold = FillRow(
        key="x-1",
        ref="MA-1-F",
        symbol="AAPL",
        side="SELL",
        quantity=Decimal(38),
        price=Decimal("188.955"),
        commission=Decimal("1.00"),
        ts_event=1_767_623_973_987_000_000,
    )
    table.apply([sold])
    head, line = (dict(enumerate(row.split(","))) for row in table.file_text().splitlines())
    got = {head[n]: line[n] for n in head}
    assert got["Time ET"] == "2026-01-05T09:39:33.987-05:00"
    assert got["Reference"] == "MA-1-F", "also what is not shown"
    assert (got["Symbol"], got["Qty"], got["Price"], got["Fee"]) == ("AAPL", "38", "188.955", "1.00")
    assert "Reference" not in table.csv_text(None), "what is copied is what is seen"


@pytest.mark.parametrize(
    ("mark", "shown"),
    [("126.00999999999999", "126.01"), ("188.855", "188.855"), ("189.6542", "189.654"), ("0.12346", "0.1235")],
)
def test_a_mark_between_two_ticks_is_shown_as_such_and_no_rounding_of_floats_is(qtbot, mark, shown):
    table = PositionTable()
    qtbot.addWidget(table)
    table.apply([position("AAPL", mark=Decimal(mark))])
    assert texts(table.model, 0)["mark"] == shown


def test_that_an_order_was_made_elsewhere_is_said_first(qtbot, blotter):
    blotter.apply([order("a", external=True, note="a long word of the broker about it", leg="entry")])
    assert texts(blotter.model, 0)["note"].startswith("made elsewhere · ")


def test_the_chooser_of_columns_shows_an_ampersand_as_one(qtbot):
    table = PositionTable()
    qtbot.addWidget(table)
    assert "Open P&&L" in [action.text() for action in table.table._chooser(table).actions()]


def test_prose_is_elided_and_told_whole_before_a_table_scrolls_sideways(qtbot, blotter):
    note = "the program left it to the broker, whose word on it has not come yet"
    blotter.apply([order("a", note=note)])
    others = sum(blotter.table.columnWidth(n) for n in range(len(blotter.model.columns) - 1))
    blotter.resize(others + 60, 200)
    qtbot.wait(10)
    assert blotter.table.horizontalScrollBar().maximum() == 0
    assert note in blotter.model.data(blotter.model.index(0, blotter.model.column("note")), Qt.ItemDataRole.ToolTipRole)


def test_a_refused_candidate_shows_code_and_numbers(qtbot):
    table = DenialTable()
    qtbot.addWidget(table)
    denial = Denial(code="G12", text="too large", limit="0.20", value="0.22")
    table.apply([DenialRow(key="d", ts=NOW, symbol="TSLA", side="BUY", origin="A", what="120", denials=(denial,))])
    assert texts(table.rows, 0)["code"] == "G12"
    assert "0.22 / 0.20" in table.tooltip_at(table.rows.index(0, table.rows.column("why")))


def test_a_headline_is_shown_as_text_whatever_it_holds(qtbot):
    news = NewsList()
    qtbot.addWidget(news)
    nasty = "<img src=x>\u202eevil\nsecond line\x1b[31m"
    news.apply([NewsRow(key="n", symbols=("AAPL",), headline=nasty, url="javascript:alert(1)", ts_event=NOW)])
    shown = texts(news.rows, 0)["headline"]
    assert "\n" not in shown
    assert "\u202e" not in shown
    assert "\x1b" not in shown
    assert "<img src=x>" in shown
    opened = []
    news.link_wanted.connect(opened.append)
    news.select_key("n")
    news.opened.emit("n")
    assert opened == [], "only https is offered to the browser"


def test_one_line_keeps_ordinary_text():
    assert one_line("Apple’s results – Übersicht") == "Apple’s results – Übersicht"


def test_the_log_hides_what_is_below_the_level(qtbot):
    view = LogView(limit=100)
    qtbot.addWidget(view)
    view.apply(
        [LogRow(key=level, ts=NOW, level=level, part="x", text="y") for level in ("debug", "info", "error", "odd")]
    )
    assert view.model.rowCount() == 3, "an unknown level is shown"
    view.head.set_current("error")
    assert view.model.rowCount() == 1


@pytest.mark.parametrize(
    ("used", "limit", "part"), [(50, 100, 0.5), (1, 0, 1.0), (0, 0, 0.0), (math.nan, 1, None), (1, math.inf, None)]
)
def test_the_used_share_of_a_limit(used, limit, part):
    row = LimitRow(key="G1", use=LimitUse(code="G1", title="t", used=used, limit=limit))
    assert share(row) == part


def test_the_fullest_limit_is_on_top_and_what_is_unknown_is_marked(qtbot):
    panel = LimitPanel()
    qtbot.addWidget(panel)
    uses = [("G1", 10, 100), ("G8", 61, 60), ("G15", math.nan, 100)]
    panel.apply([LimitRow(key=c, use=LimitUse(code=c, title=c, used=u, limit=m)) for c, u, m in uses])
    assert [panel.key_at(n) for n in range(3)] == ["G8", "G1", "G15"]
    assert cell(panel.rows, 0, "share").mark == "bad"
    assert cell(panel.rows, 2, "share").mark == "warn"
    panel.show()
    panel.grab()


def test_the_total_under_the_positions_tells_what_was_taken_all_day_not_only_of_what_is_still_held(qtbot) -> None:
    table = PositionTable()
    qtbot.addWidget(table)
    table.apply([position("AAPL")])
    table.set_day(Decimal("570.00"), Decimal("289.15"))
    words = " ".join(text for text, _ in table.total._note)
    assert "289.15" in words
    assert "570.00" in words
    table.set_day(Decimal("570.00"), None)
    assert tr("realised") not in [text for text, _ in table.total._note]


def test_the_headline_stays_readable_in_a_narrow_pane(qtbot):
    news = NewsList()
    qtbot.addWidget(news)
    news.resize(320, 200)
    news.show()
    at = next(n for n, column in enumerate(news.rows.columns) if column.id == "headline")
    assert news.columnWidth(at) > 200


@pytest.mark.parametrize("width", [400, 560, 600, 640, 700, 900])
def test_the_result_under_the_positions_is_whole_or_not_there(qtbot, monkeypatch, width):
    table = PositionTable()
    qtbot.addWidget(table)
    table.total.set_sums(
        {"to_stop": ("−3 813.26", "t1", "")},
        [("realised", "t3"), ("−493.95", "down"), ("· day", "t3"), ("−722.22", "down")],
    )
    table.resize(width, 200)
    table.total.resize(width, 22)
    drawn, real = [], TextCache.draw

    def draw(cache, painter, theme, x, y, text, *more, **named):
        drawn.append((x + cache.width(theme, text), text))
        return real(cache, painter, theme, x, y, text, *more, **named)

    monkeypatch.setattr(TextCache, "draw", draw)
    table.total.grab()
    sums = [x for x, text in drawn if text == "−3 813.26"]
    shown = [(end, text) for end, text in drawn if text not in ("Total", "−3 813.26")]
    assert len(shown) in (0, 2, 4)
    assert all(end <= width for end, _ in shown)
    head = table.table.horizontalHeader()
    at = table.table.column_ids().index("to_stop")
    assert bool(sums) == (head.sectionViewportPosition(at) + head.sectionSize(at) - 6 <= width)


@pytest.mark.parametrize("width", [340, 420, 700])
def test_the_figures_of_a_limit_are_in_sight_before_all_its_words_are(qtbot, width):
    panel = LimitPanel()
    qtbot.addWidget(panel)
    use = LimitUse(
        code="STOPS", title="Lost if every single stop at the broker is hit today", used=0.36, limit=3, unit="%"
    )
    panel.resize(width, 200)
    panel.show()
    panel.apply([LimitRow(key="STOPS", use=use)])
    share_at = panel.rows.column("share")
    assert panel.columnViewportPosition(share_at) + panel.columnWidth(share_at) <= panel.viewport().width()
    assert panel.columnWidth(panel.rows.column("title")) >= 72


def test_a_sum_whose_column_is_scrolled_to_the_left_is_not_written_over_its_title(qtbot, monkeypatch):
    table = PositionTable()
    qtbot.addWidget(table)
    table.resize(300, 200)
    table.show()
    table.total.set_sums({"open": ("+12 345.67", "up", "up"), "to_stop": ("−3 813.26", "t1", "")}, [])
    drawn, real = [], TextCache.draw

    def draw(cache, painter, theme, x, y, text, *more, **named):
        drawn.append((x - cache.width(theme, text, 12, 600), text))
        return real(cache, painter, theme, x, y, text, *more, **named)

    monkeypatch.setattr(TextCache, "draw", draw)
    bar = table.table.horizontalScrollBar()
    title = TEXTS.width(current_theme(), "Total", 12, 600)
    written = set()
    for at in range(0, bar.maximum() + 1, 5):
        bar.setValue(at)
        drawn.clear()
        table.total.grab()
        figures = [(left, text) for left, text in drawn if text != "Total"]
        assert all(left >= title for left, _ in figures)
        written |= {text for _, text in figures}
    assert written == {"+12 345.67", "−3 813.26"}
