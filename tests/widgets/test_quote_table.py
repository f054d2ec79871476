"""The watchlist: columns without Python per quote, numbers by the atlas, lists, filter."""

from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QImage

from engine.api.rows import QuoteRow
from tests.widgets.factories import NOW, block
from widgets.glyph_atlas import GlyphAtlas, NumberStyle, picture
from widgets.number_cells import NumberCells, NumberPlace
from widgets.paint import TEXTS
from widgets.quote_book import HALTED, QuoteBook, day_so_far
from widgets.quote_columns import COLUMNS, DOWN, QUIET, SPARK, UP, roles_of
from widgets.quote_model import badge_text
from widgets.quote_table import QuoteTable, symbols_in
from widgets.theme import current_theme

pytestmark = pytest.mark.usefixtures("qapp")
PERCENT = next(column for column in COLUMNS if column.id == "percent")


@pytest.fixture
def table(qtbot):
    made = QuoteTable({"Main": ("AAPL", "SPY")})
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.apply(
        [
            QuoteRow(key="AAPL", index=0, name="Apple", held=True, badges=("N2",)),
            QuoteRow(key="SPY", index=1, name="S&P"),
            QuoteRow(key="AMD", index=2, name="Advanced", sector="Chips"),
        ],
        (),
        True,
    )
    made.show()
    made.view.throttle.set_interval(0)
    made.update_quotes(block({0: 190.34, 1: 598.61, 2: 95.0}))
    return made


def lines(table: QuoteTable) -> list[str]:
    return [line.key or line.title for line in table.model.lines]


def text(table: QuoteTable, symbol: str, column: str) -> str:
    number = next(n for n, c in enumerate(COLUMNS) if c.id == column)
    return table.model.text(table.model.position(symbol), number)


def row_pixels(table: QuoteTable, symbol: str) -> np.ndarray:
    return table.view._pixels[table.model.position(symbol)].copy()


# --- the book


quotes = st.lists(st.dictionaries(st.integers(0, 200), st.floats(0.01, 1e6), min_size=1, max_size=20), max_size=10)


def test_what_is_quoted_and_never_traded_shows_its_mid():
    book = QuoteBook()
    packed = block({0: 1.5812, 1: 190.34})
    book.take(msgspec.structs.replace(packed, last=np.array([np.nan, 190.34]).tobytes()))
    assert book.last[0] == pytest.approx(1.5812)
    assert book.last[1] == 190.34
    assert np.isfinite(book.change_percent(np.array([0]))[0])


@given(quotes)
def test_the_book_holds_the_newest_of_every_symbol(batches):
    book, truth = QuoteBook(), {}
    for batch in batches:
        book.take(block(batch))
        truth |= batch
    for index, price in truth.items():
        assert book.last[index] == price
        assert book.dirty[index]
    known = np.flatnonzero(np.isfinite(book.last)) if book.size else []
    assert set(known) == set(truth)


@pytest.mark.parametrize("column", ["bid", "last", "ts", "flags"])
def test_a_block_with_a_short_column_is_refused_by_name(column):
    good = block({0: 1.0, 1: 2.0})
    bad = msgspec.structs.replace(good, **{column: getattr(good, column)[: -1 if column == "flags" else -8]})
    with pytest.raises(ValueError, match=column):
        QuoteBook().take(bad)


def test_a_negative_index_is_refused():
    bad = msgspec.structs.replace(block({0: 1.0}), index=np.array([-1], "<i4").tobytes())
    with pytest.raises(ValueError, match="-1"):
        QuoteBook().take(bad)


def test_an_empty_block_changes_nothing():
    book = QuoteBook()
    book.take(block({}))
    assert book.size == 0


def test_change_is_unknown_without_a_previous_close():
    book = QuoteBook()
    book.take(block({0: 10.0}, previous=0.0))
    assert np.isnan(book.change_percent(np.array([0]))[0])


def test_colours_tell_gain_loss_and_what_is_not_fresh():
    book = QuoteBook()
    book.take(block({0: 101.0, 1: 99.0}))
    book.take(block({2: 101.0}, flags=HALTED))
    index = np.array([0, 1, 2])
    assert roles_of([PERCENT], book, index, book.change_percent(index)[None]).tolist() == [[UP, DOWN, QUIET]]


def test_the_sparkline_takes_one_point_per_ten_minutes():
    book = QuoteBook()
    for minute in range(0, 40, 5):
        book.take(block({0: 100.0 + minute}, ts=NOW + minute * 60_000_000_000))
    points = book.spark[0][np.isfinite(book.spark[0])]
    assert 4 <= len(points) <= 5
    assert points[-1] == 135.0


def test_the_sparkline_of_yesterday_is_gone_in_the_morning():
    book, hour = QuoteBook(), 3_600_000_000_000
    for number, ts in enumerate((NOW, NOW + hour, NOW + 18 * hour, NOW + 18 * hour + hour // 4)):
        book.take(block({0: 100.0 + number}, ts=ts))
    points = book.spark[0][np.isfinite(book.spark[0])]
    assert points.tolist() == [102.0, 103.0]


def test_the_day_so_far_begins_after_the_night_and_goes_on_with_the_quotes():
    minute = 60_000_000_000
    start = NOW // (10 * minute) * 10 * minute
    stamps = np.array([start - 20 * 60 * minute, start, start + 5 * minute, start + 10 * minute])
    prices, newest = day_so_far(stamps, np.array([1.0, 2.0, 3.0, 4.0]))
    assert (prices.tolist(), newest) == ([3.0, 4.0], start + 10 * minute)
    assert day_so_far(stamps[:0], np.empty(0))[1] == 0
    book = QuoteBook()
    book.set_spark(0, prices, newest)
    book.take(block({0: 5.0}, ts=start + 19 * minute))
    book.take(block({0: 6.0}, ts=start + 21 * minute))
    assert book.spark[0][np.isfinite(book.spark[0])].tolist() == [3.0, 5.0, 6.0]


# --- numbers as pictures


@cache
def the_atlas() -> GlyphAtlas:
    theme = current_theme()
    return GlyphAtlas(theme, 1.0, theme.font(12))


def written(value: float, style: NumberStyle, decimals: int = 2) -> np.ndarray:
    theme, atlas = current_theme(), the_atlas()
    pixels, _ = picture(1, 22, atlas.width(style), theme.color("bg1"))
    cells = NumberCells(atlas, pixels, [NumberPlace(0, pixels.shape[2], style)])
    zero = np.zeros((1, 1), np.int64)
    cells.write(zero[0], np.array([[value]]), np.array([[decimals]]), zero, zero)
    return pixels[0]


PLAIN = NumberStyle(integers=5, fraction=2)
SIGNED = NumberStyle(integers=3, fraction=2, signed=True, arrow=True)


def glyphs(value: float, style: NumberStyle, decimals: int = 2) -> str:
    """Read a picture back by comparing every place with the atlas."""
    atlas = the_atlas()
    image = written(value, style, decimals)
    top = (22 - atlas.height) // 2
    x, found = image.shape[1], ""
    for kind, width, _ in atlas.places(style):
        x -= width
        part = image[top : top + atlas.height, x : x + width]
        if kind == "digit":
            names, pictures = "0123456789 −+▲▼–", atlas.digits[0]
        elif kind == "point":
            names, pictures = " .", atlas.points[0]
        elif kind == "unit":
            names, pictures = " kMGT", atlas.units[0]
        else:
            continue
        match = [name for name, drawn in zip(names, pictures, strict=True) if np.array_equal(drawn, part)]
        assert match, f"place {kind} of {value} shows no known glyph"
        found = match[0] + found
    return found.replace(" ", "")


@given(st.floats(0, 99999.99))
def test_a_price_is_written_as_the_formats_write_it(value):
    shown = glyphs(value, PLAIN)
    assert shown == f"{round(value * 100) / 100:.2f}" or abs(float(shown) - value) <= 0.005000001


@given(st.floats(-999.98, 999.98))
def test_a_change_has_its_sign_and_arrow_unless_it_rounds_to_nothing(value):
    shown = glyphs(value, SIGNED)
    if round(abs(value) * 100) == 0:
        assert shown == "0.00"
    else:
        assert shown[:2] == ("▲+" if value > 0 else "▼−")
        assert float(shown[2:]) == pytest.approx(abs(value), abs=0.00500001)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (999.0, "999"),
        (1234.0, "1.2k"),
        (36.5e6, "36.5M"),
        (999_960.0, "1.0M"),
        (2e9, "2.0G"),
        (999.96e9, "1.0T"),
        (1.24e12, "1.2T"),
        (999.9e12, "999.9T"),
    ],
)
def test_sizes_are_written_briefly(value, shown):
    assert glyphs(value, NumberStyle(integers=3, fraction=1, compact=True), 0) == shown


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_a_dash(value):
    assert glyphs(value, PLAIN) == "–"


def test_an_instrument_with_fewer_decimals_keeps_the_point_in_line():
    style = NumberStyle(integers=5, fraction=4)
    assert glyphs(190.34, style, 2) == "190.34"
    assert glyphs(1.0845, style, 4) == "1.0845"
    assert glyphs(151.0, style, 0) == "151"


# --- the table


def test_sections_are_held_agent_and_lists(table):
    assert lines(table) == ["Held 1", "AAPL", "Agent watches 1", "AMD", "Main 1", "SPY"]


def test_a_quote_repaints_its_row_and_no_other(table):
    table.view.grab()
    apple, amd = row_pixels(table, "AAPL"), row_pixels(table, "AMD")
    table.view.flash = False
    table.update_quotes(block({2: 96.0}))
    assert np.array_equal(row_pixels(table, "AAPL"), apple)
    assert not np.array_equal(row_pixels(table, "AMD"), amd)


def test_rows_painted_by_quotes_equal_a_fresh_painting(table):
    table.view.flash = False
    table.view.grab()
    table.update_quotes(block({0: 191.01, 2: 94.5}))
    by_quotes = table.view._pixels.copy()
    table.view.on_geometry()
    table.view.grab()
    assert np.array_equal(table.view._pixels, by_quotes)


@given(
    st.lists(
        st.dictionaries(
            st.integers(0, 2), st.sampled_from([94.5, 95.0, 95.01, 191.0, 1234.5, float("nan")]), min_size=1
        ),
        max_size=8,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
def test_cells_that_did_not_change_may_stay_and_the_picture_is_still_the_fresh_one(table, batches):
    table.view.flash = False
    table.view.grab()
    for batch in batches:
        table.update_quotes(block(batch))
    table.view.grab()  # a number that needed more room has arranged the columns anew
    by_quotes = table.view._pixels.copy()
    table.view.on_geometry()
    table.view.grab()
    assert np.array_equal(table.view._pixels, by_quotes)


def test_a_quote_that_goes_stale_turns_quiet_with_the_same_numbers(table):
    table.view.flash = False
    table.view.grab()
    fresh = row_pixels(table, "AMD")
    table.book.flags[2] = 1
    table.book.dirty[2] = True
    table.view.quotes_changed()
    assert not np.array_equal(row_pixels(table, "AMD"), fresh)


def test_the_screen_shows_every_changed_cell_and_only_changed_columns_are_asked_to_repaint(qtbot, qapp, table):
    table.resize(700, 300)
    qtbot.waitExposed(table)
    qapp.processEvents()
    view, asked = table.view, []

    class Watch(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint:
                asked.append(event.rect())
            return False

    watch = Watch()
    view.viewport().installEventFilter(watch)
    for price in (96.0, 96.01, 1234.5, 95.0):
        table.update_quotes(block({2: price}))
        qapp.processEvents()
        shown = table.screen().grabWindow(table.winId()).toImage()
        view.viewport().removeEventFilter(watch)
        fresh = table.grab().toImage().convertToFormat(shown.format())
        view.viewport().installEventFilter(watch)
        assert shown == fresh
    edge = view.horizontalHeader().sectionViewportPosition(1)
    assert edge > 0
    assert asked[0].left() >= edge, "the column of symbols stays"


def test_no_ground_is_painted_below_the_picture(qtbot, qapp, table):
    qtbot.waitExposed(table)
    qapp.processEvents()
    before = table.screen().grabWindow(table.winId()).toImage()
    clear = QImage(table.view._image.size(), QImage.Format.Format_ARGB32_Premultiplied)
    clear.fill(Qt.GlobalColor.transparent)
    table.view._image = clear
    table.update_quotes(block({0: 191.0, 2: 96.0}))
    qapp.processEvents()
    assert table.screen().grabWindow(table.winId()).toImage() == before


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_the_picture_covers_every_pixel_of_the_view(monkeypatch, table, ratio):
    monkeypatch.setattr(table.view, "devicePixelRatioF", lambda: ratio)
    for width, height in ((321, 300), (322, 311), (323, 333), (801, 777)):
        table.resize(width, height)
        table.view.grab()
        image, view = table.view._image, table.view.viewport()
        assert image.width() >= view.width() * ratio
        assert image.height() >= view.height() * ratio


def test_every_instrument_is_written_with_the_decimals_of_its_own_tick(table):
    table.apply([QuoteRow(key="X1", index=5, tick=1.0), QuoteRow(key="X2", index=6, tick=0.01)])
    table.view.flash = False
    table.update_quotes(block({5: 151.0, 6: 151.0}))
    table.view.grab()
    head, atlas = table.view.horizontalHeader(), table.view._ready_atlas()
    right = head.sectionViewportPosition(1) + head.sectionSize(1) - current_theme().px(6)
    decimals = [row_pixels(table, symbol)[:, right - 2 * atlas.wide : right] for symbol in ("X1", "X2")]
    assert (decimals[0] == atlas.ground_pixels[0]).all()
    assert not (decimals[1] == atlas.ground_pixels[0]).all()


def test_a_flash_ends(qtbot, table):
    table.view.grab()
    table.view.flash = False
    table.update_quotes(block({2: 96.0}))
    calm = row_pixels(table, "AMD")
    table.view.flash = True
    table.update_quotes(block({2: 97.0}))
    table.update_quotes(block({2: 96.0}))
    assert not np.array_equal(row_pixels(table, "AMD"), calm)
    qtbot.waitUntil(lambda: np.array_equal(row_pixels(table, "AMD"), calm), timeout=3000)


def test_a_longer_price_widens_its_column_instead_of_losing_a_digit(table):
    table.view.grab()
    before = table.view.columnWidth(1)
    table.update_quotes(block({2: 523_444.12}))
    table.view.grab()
    assert table.view.columnWidth(1) > before
    assert text(table, "AMD", "last") == "523\u2009444.12"


def test_typing_filters_by_symbol_name_and_sector(qtbot, table):
    qtbot.keyClicks(table.view, "chips")
    assert lines(table) == ["Agent watches 1", "AMD"]
    qtbot.keyClick(table.view, Qt.Key.Key_Escape)
    assert len(lines(table)) == 6


def test_arrows_pass_over_section_titles(qtbot, table):
    chosen = []
    table.symbol_chosen.connect(chosen.append)
    table.view.select_key("AAPL")
    qtbot.keyClick(table.view, Qt.Key.Key_Down)
    assert chosen[-1] == "AMD"


def test_pasted_symbols_join_the_list_and_are_watched(qtbot, table):
    watched, kept = [], []
    table.watch_wanted.connect(watched.append)
    table.lists_changed.connect(kept.append)
    QGuiApplication.clipboard().setText("msft, brk.b\nAAPL <script> msft")
    qtbot.keyClick(table.view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert kept[-1]["Main"] == ("AAPL", "SPY", "MSFT", "BRK.B")
    assert watched == [("MSFT", "BRK.B")]


def test_symbols_are_read_from_any_separation():
    assert symbols_in("aapl;msft | ES=F\t^VIX nvda,") == ("AAPL", "MSFT", "ES=F", "^VIX", "NVDA")


def test_delete_takes_a_symbol_out_of_the_list_and_stops_watching_it(qtbot, table):
    dropped = []
    table.unwatch_wanted.connect(dropped.append)
    table.view.select_key("SPY")
    qtbot.keyClick(table.view, Qt.Key.Key_Delete)
    assert table.lists["Main"] == ("AAPL",)
    assert dropped == [("SPY",)]


def test_what_is_held_is_never_unwatched(qtbot, table):
    dropped = []
    table.unwatch_wanted.connect(dropped.append)
    table.view.select_key("AAPL")
    qtbot.keyClick(table.view, Qt.Key.Key_Delete)
    assert dropped == []


def test_a_symbol_that_takes_over_an_index_never_shows_the_old_price(table):
    table.apply([QuoteRow(key="NEW", index=2)], ["AMD"])
    assert text(table, "NEW", "last") == "–"


def test_one_list_can_be_shown_alone(table):
    table.show_list("Main")
    assert lines(table) == ["Main 2", "AAPL", "SPY"]
    table.show_list("")
    assert len(lines(table)) == 6


def test_sorting_keeps_the_sections_and_puts_the_unknown_last(table):
    table.apply([QuoteRow(key="X1", index=5), QuoteRow(key="X2", index=6)])
    table.update_quotes(block({6: 50.0}))
    table.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert lines(table)[2:6] == ["Agent watches 3", "X2", "AMD", "X1"]


def test_the_selection_survives_new_rows(table):
    table.view.select_key("AMD")
    table.apply([QuoteRow(key="AAA", index=9, held=True)])
    assert table.view.current_key == "AMD"


def test_export_has_numbers_and_no_sections(table):
    text_ = table.view.csv_text(None).splitlines()
    assert text_[0].startswith("Symbol,Last")
    assert len(text_) == 4
    assert text_[1].startswith("AAPL,190.34")


@pytest.mark.parametrize(("badge", "word"), [("E2d", "earnings in 2"), ("N3", "3 headlines"), ("HALT", "halted")])
def test_badges_are_explained(badge, word):
    assert word in badge_text(badge)


# --- the picture of the day takes what is left of the width, or gives way


@pytest.mark.parametrize("width", [200, 250, 290, 320, 560, 1100])
def test_no_column_is_cut_at_the_edge(table: QuoteTable, width: int) -> None:
    table.resize(width, 300)
    view = table.view
    numbers = sum(view.columnWidth(n) for n in range(len(COLUMNS)) if n != SPARK and not view.isColumnHidden(n))
    left = view.viewport().width() - numbers
    needed = max(36, round(TEXTS.width(current_theme(), "Today", 11)) + 16)
    assert view.isColumnHidden(SPARK) == (left < needed)
    if left >= needed:
        assert view.horizontalScrollBar().maximum() == 0
        assert view.columnWidth(SPARK) == left, "no room is left empty"


def test_a_picture_that_gave_way_comes_back_and_one_that_was_switched_off_stays_off(table: QuoteTable) -> None:
    view = table.view
    table.resize(200, 300)
    assert view.isColumnHidden(SPARK)
    kept = view.layout_state()
    table.resize(400, 300)
    assert not view.isColumnHidden(SPARK)
    view.set_column_shown(SPARK, False)
    table.resize(500, 300)
    assert view.isColumnHidden(SPARK)
    view.restore_layout(kept)
    assert not view.isColumnHidden(SPARK)
