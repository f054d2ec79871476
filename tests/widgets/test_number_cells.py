"""Numbers in a picture: what is written over older numbers looks like what is written on empty ground."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widgets.glyph_atlas import GROUNDS, ROLES, GlyphAtlas, NumberStyle, picture
from widgets.number_cells import NumberCells, NumberPlace
from widgets.theme import current_theme

pytestmark = pytest.mark.usefixtures("qapp")

PRICE = NumberStyle(integers=4, fraction=2)
CHANGE = NumberStyle(integers=2, fraction=2, signed=True, arrow=True)
SIZE = NumberStyle(integers=3, fraction=1, compact=True)
STYLES = (PRICE, CHANGE, SIZE)
ROWS, HEIGHT, GAP = 3, 22, 5


@cache
def the_atlas() -> GlyphAtlas:
    theme = current_theme()
    return GlyphAtlas(theme, 1.0, theme.font(12))


def made(
    styles: tuple[NumberStyle, ...] = STYLES, height: int = HEIGHT, cut: int = 0
) -> tuple[NumberCells, np.ndarray]:
    """Columns side by side, each ``cut`` pixels narrower at the left than its glyphs."""
    atlas, places, x = the_atlas(), [], 0
    for style in styles:
        wide = atlas.width(style)
        places.append(NumberPlace(x + cut, x + wide, style))
        x += wide + GAP
    pixels, _ = picture(ROWS, height, x, current_theme().color("bg1"))
    return NumberCells(atlas, pixels, places), pixels


def write(cells: NumberCells, rows: list[int], values, decimals=2, role=0, ground=0) -> list[bool]:
    shape = np.broadcast_shapes(np.shape(values), (len(STYLES), len(rows)))
    full = [np.broadcast_to(np.asarray(x, np.int64), shape).copy() for x in (decimals, role, ground)]
    return cells.write(np.array(rows), np.broadcast_to(np.asarray(values, float), shape).copy(), *full).tolist()


value = st.sampled_from(
    [0.0, 0.004, 1.5, 99.99, 100.37, 100.38, -0.03, -7.25, 999.6, 1234.5, 36.5e6, 1.24e12, np.nan, np.inf]
)
cell = st.tuples(value, st.integers(0, 3), st.integers(0, len(ROLES) - 1), st.integers(0, len(GROUNDS) - 1))
line = st.tuples(*[cell] * len(STYLES))
batch = st.dictionaries(st.integers(0, ROWS - 1), line, min_size=1)


def send(cells: NumberCells, lines: dict[int, tuple]) -> None:
    rows = sorted(lines)
    values, decimals, roles, grounds = (
        np.array([[lines[row][column][part] for row in rows] for column in range(len(STYLES))]) for part in range(4)
    )
    cells.write(np.array(rows), values.astype(float), decimals, roles, grounds)


@given(st.lists(batch, min_size=1, max_size=6))
@settings(deadline=None)
def test_numbers_over_older_numbers_look_like_numbers_on_empty_ground(batches):
    cells, pixels = made()
    last: dict[int, tuple] = {}
    for lines in batches:
        send(cells, lines)
        last |= lines
    fresh, clean = made()
    send(fresh, last)
    assert np.array_equal(pixels, clean)


def test_a_price_that_ticks_copies_its_last_digit_and_nothing_else():
    cells, pixels = made()
    write(cells, [0, 1], 100.37)
    pixels[:] = 0
    values = np.full((len(STYLES), 2), 100.37)
    values[0, 1] = 100.38
    assert write(cells, [0, 1], values) == [True, False, False]
    copied = pixels != 0
    right = the_atlas().width(PRICE)
    assert copied[1, :, right - the_atlas().wide : right].any()
    copied[1, :, right - the_atlas().wide : right] = False
    assert not copied.any()


def test_numbers_that_stay_copy_nothing():
    cells, pixels = made()
    values = [[100.37], [np.nan], [36.5e6]]
    assert write(cells, [1], values) == [True] * 3
    pixels[:] = 0
    assert write(cells, [1], values) == [False] * 3
    assert not pixels.any()


@pytest.mark.parametrize("part", ["role", "ground"])
def test_another_colour_with_the_same_number_is_written(part):
    cells, pixels = made()
    write(cells, [1], 100.37)
    before = pixels.copy()
    assert write(cells, [1], 100.37, **{part: 2}) == [True] * 3
    assert not np.array_equal(pixels, before)


def test_a_flash_has_no_gaps_and_leaves_none_behind():
    cells, pixels = made((PRICE,) * 3)
    write(cells, [1], 1234.56)
    calm = pixels.copy()
    write(cells, [1], np.full((3, 1), np.nan), ground=2)
    atlas = the_atlas()
    top = (HEIGHT - atlas.height) // 2
    flash = pixels[1, top, : atlas.width(PRICE)]
    assert (flash == atlas.ground_pixels[2]).all()
    write(cells, [1], 1234.56)
    assert np.array_equal(pixels, calm)


def test_what_has_no_room_is_left_out_and_never_stands_in_the_neighbour():
    cut = the_atlas().wide * 2
    cells, pixels = made(cut=cut)
    empty = pixels.copy()
    write(cells, [0, 1, 2], -99999.99)
    x = 0
    for style in STYLES:
        assert np.array_equal(pixels[:, :, x : x + cut], empty[:, :, x : x + cut])
        x += the_atlas().width(style) + GAP
        assert np.array_equal(pixels[:, :, x - GAP : x], empty[:, :, x - GAP : x])


def test_a_sign_without_room_is_not_written_into_the_next_column():
    full, short = made((PRICE, PRICE, CHANGE)), made((PRICE, PRICE, CHANGE))
    write(full[0], [0], [[-9999.99], [-9999.99], [1.5]])
    write(short[0], [0], [[9999.99], [9999.99], [1.5]])
    assert np.array_equal(full[1], short[1])


def test_a_row_lower_than_a_glyph_keeps_to_itself():
    cells, pixels = made(height=8)
    empty = pixels.copy()
    write(cells, [1], 88.88, ground=3)
    assert not np.array_equal(pixels[1], empty[1])
    assert np.array_equal(pixels[[0, 2]], empty[[0, 2]])


@pytest.mark.parametrize("huge", [1e17, 1e30, 1.7e308])
def test_a_number_beyond_counting_is_written_without_a_warning(huge):
    cells, pixels = made()
    write(cells, [0], huge)
    assert len(np.unique(pixels)) > 1


def test_no_columns_and_no_room_write_nothing():
    atlas = the_atlas()
    pixels, _ = picture(2, HEIGHT, 10, current_theme().color("bg1"))
    empty = pixels.copy()
    none = NumberCells(atlas, pixels, ())
    nothing = np.zeros((0, 1), np.int64)
    assert none.write(np.array([0]), nothing.astype(float), nothing, nothing, nothing).tolist() == []
    zero = np.zeros((1, 1), np.int64)
    thin = NumberCells(atlas, pixels, [NumberPlace(8, 3, PRICE)])
    thin.write(zero[0], np.array([[12.5]]), zero, zero, zero)
    assert np.array_equal(pixels, empty)
