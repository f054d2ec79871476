"""The numbers of a painted table: which glyph stands at which place of which row; only what differs is copied.

The digits of every column of every row to write are computed together by numpy, compared with what is painted there,
and the pictures of those that differ go into the picture in one copy each: a price that ticks changes one or two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from widgets.glyph_atlas import (
    BLANK,
    DOWN_GLYPH,
    GROUNDS,
    MINUS_GLYPH,
    MISSING_GLYPH,
    PLUS_GLYPH,
    UP_GLYPH,
    GlyphAtlas,
    NumberStyle,
    Pixels,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_TENS = np.power(10, np.arange(19), dtype=np.int64)
_SCALES = _TENS.astype(np.float64)
_MOST = 1e17
"""Larger numbers are written as this one: the digits are counted in 64 bits."""
_UNIT_FROM = np.array([999.5, 999.95e3, 999.95e6, 999.95e9])
_UNIT_SIZES = np.array([1.0, 1e3, 1e6, 1e9, 1e12])
_UNITS_ROOM = 8
"""Numbers a unit may have in what is remembered of a cell."""


@dataclass(frozen=True, slots=True)
class NumberPlace:
    """Where a column writes: device pixels of the picture; the last glyph ends at ``right``, none begins before
    ``left``."""

    left: int
    right: int
    style: NumberStyle


def least_cut(style: NumberStyle) -> float:
    """Return the smallest number for which a style has not enough digits."""
    if style.compact:
        return float((10**style.integers - 0.5 * 10**-style.fraction) * _UNIT_SIZES[-1])
    return float(10**style.integers - 0.5)


def digits_of(value: float, style: NumberStyle) -> int:
    """Return how many digits a number above zero has left of the point."""
    return len(str(int(value / (_UNIT_SIZES[-1] if style.compact else 1.0) + 0.5)))


class NumberCells:
    """Writes the numbers of some columns into a picture (row, y, x); it must be the only one who writes there."""

    def __init__(self, atlas: GlyphAtlas, pixels: Pixels, places: Sequence[NumberPlace]) -> None:
        rows, height, width = pixels.shape
        self._pixels, self._places = pixels, tuple(places)
        self._high = min(atlas.height, height)
        self._top = (height - self._high) // 2
        self._grounds = atlas.ground_pixels
        self._row_at = (np.arange(rows) * height + self._top) * width
        styles = [place.style for place in self._places]
        self._fraction = _upright([style.fraction for style in styles])
        self._compact = _upright([style.compact for style in styles]).astype(np.bool_)
        self._any_compact = bool(self._compact.any())
        self._plus = _upright([PLUS_GLYPH if style.signed else BLANK for style in styles])
        self._marked = np.array([at for at, style in enumerate(styles) if style.arrow], np.int64)

        owners: list[int] = []
        powers: list[int] = []
        starts: list[int] = []
        first: list[int] = []
        self._point_at, self._unit_at = (np.full(len(styles), -1, np.int64) for _ in range(2))
        for number, place in enumerate(self._places):
            first.append(len(owners))
            x = place.right
            for kind, wide, power in atlas.places(place.style):
                x -= wide
                if x < place.left:
                    break
                if kind == "digit":
                    owners.append(number)
                    powers.append(power)
                    starts.append(x)
                elif kind != "gap":
                    (self._point_at if kind == "point" else self._unit_at)[number] = x
        self._owner, self._start = np.array(owners, np.int64), np.array(starts, np.int64)
        self._power = _upright(powers)
        self._ten = _TENS[np.minimum(self._power, 18)]
        self._first = _upright(first)
        self._end = _upright([*first[1:], len(owners)] if first else [])
        dashed = np.array([style.missing for style in styles], np.bool_)[self._owner]
        at_unit = self._power[:, 0] == self._fraction[self._owner, 0]
        self._dash = np.where(dashed & at_unit, MISSING_GLYPH, BLANK)[:, None]
        self._pointed = np.flatnonzero(self._point_at >= 0)
        self._united = np.flatnonzero(self._unit_at >= 0)

        self._glyphs, self._unit_count = atlas.digits.shape[1], atlas.units.shape[1]
        self._digits, self._points, self._units = (
            np.ascontiguousarray(drawn.reshape(-1, *drawn.shape[2:])[:, : self._high])
            for drawn in (atlas.digits, atlas.points, atlas.units)
        )
        self._digit_blocks, self._point_blocks, self._unit_blocks = (
            _blocks(pixels, self._high, drawn.shape[2]) for drawn in (self._digits, self._points, self._units)
        )
        # What is painted: a picture's number by digit place and row; and by column and row the rest of a cell.
        self._painted = np.full((len(owners), rows), -1, np.int64)
        self._looks = np.full((len(styles), rows), -1, np.int64)

    def write(self, rows: Ints, values: Floats, decimals: Ints, roles: Ints, grounds: Ints) -> Bools:
        """Write the numbers of some rows of the picture; say of each column whether anything was copied.

        The other arrays are (column, entry of ``rows``).
        """
        glyphs, points, units = self._composed(values, decimals)
        combo = roles * len(GROUNDS) + grounds
        codes = glyphs + np.take(combo * self._glyphs, self._owner, axis=0)
        looks = (combo * 2 + points) * _UNITS_ROOM + units
        new_looks = looks != np.take(self._looks, rows, axis=1)
        changed: Bools = new_looks.any(axis=1)
        row_at = self._row_at[rows]
        if changed.any():
            self._ground(rows, grounds, changed)
            self._looks[:, rows] = looks
            point_codes = looks // _UNITS_ROOM
            self._put(self._point_blocks, self._points, self._pointed, self._point_at, row_at, new_looks, point_codes)
            unit_codes = combo * self._unit_count + units
            self._put(self._unit_blocks, self._units, self._united, self._unit_at, row_at, new_looks, unit_codes)
        new = codes != np.take(self._painted, rows, axis=1)
        at = np.flatnonzero(new)
        if at.size:
            self._painted[:, rows] = codes
            places = (self._start[:, None] + row_at).ravel()[at]
            self._digit_blocks[places] = np.take(self._digits, codes.ravel()[at], axis=0)
            changed[self._owner[new.any(axis=1)]] = True
        return changed

    def _composed(self, values: Floats, decimals: Ints) -> tuple[Ints, Bools, Ints]:
        """Return the glyph at every (digit place, row), whether a cell has a point, and its unit."""
        known = np.isfinite(values)
        size = np.where(known, np.minimum(np.abs(values), _MOST), 0.0)
        fraction = self._fraction
        shown = np.minimum(decimals, fraction)
        units = np.zeros(values.shape, np.int64)
        if self._any_compact:
            units = np.searchsorted(_UNIT_FROM, size, side="right") * self._compact
            shown = np.where(self._compact, np.where(units > 0, fraction, 0), shown)
            size = size / _UNIT_SIZES[units]
        spare = fraction - shown
        whole = np.rint(size * _SCALES[shown]) * _SCALES[spare]
        number = np.minimum(whole, _MOST).astype(np.int64)
        length = np.maximum(np.searchsorted(_TENS, number, side="right"), fraction + 1)
        some = number > 0
        below = values < 0

        owner, power = self._owner, self._power
        glyphs = np.empty((len(owner) + 1, values.shape[1]), np.int64)  # the last takes what has no room
        digits = glyphs[:-1]
        np.floor_divide(np.take(number, owner, axis=0), self._ten, out=digits)
        np.remainder(digits, 10, out=digits)
        digits[power >= np.take(length, owner, axis=0)] = BLANK
        if spare.any():
            digits[power < np.take(spare, owner, axis=0)] = BLANK
        columns = np.arange(values.shape[1])
        at = self._first + length
        sign = np.where(some, np.where(below, MINUS_GLYPH, self._plus), BLANK)
        glyphs[np.where(at < self._end, at, len(owner)), columns] = sign
        if self._marked.size:
            marked = self._marked
            at = at[marked] + 1
            mark = np.where(some[marked], np.where(below[marked], DOWN_GLYPH, UP_GLYPH), BLANK)
            glyphs[np.where(at < self._end[marked], at, len(owner)), columns] = mark
        if not known.all():
            digits = np.where(np.take(known, owner, axis=0), digits, self._dash)
        return digits, known & (shown > 0), units

    def _ground(self, rows: Ints, grounds: Ints, columns: Bools) -> None:
        """Paint the ground of cells that have another one, between the glyphs too: a flash has no gaps."""
        for number in np.flatnonzero(columns):
            painted = self._looks[number, rows]
            other = (painted < 0) | (painted // (2 * _UNITS_ROOM) % len(GROUNDS) != grounds[number])
            if other.any():
                place, top = self._places[number], self._top
                pixels = self._grounds[grounds[number, other]][:, None, None]
                self._pixels[rows[other], top : top + self._high, place.left : max(place.left, place.right)] = pixels

    @staticmethod
    def _put(
        blocks: Pixels, pictures: Pixels, columns: Ints, starts: Ints, row_at: Ints, new: Bools, codes: Ints
    ) -> None:
        """Copy one picture per cell that is new, for the columns that have such a place."""
        if not columns.size:
            return
        at = np.flatnonzero(new[columns])
        if at.size:
            places = (starts[columns][:, None] + row_at).ravel()[at]
            blocks[places] = np.take(pictures, codes[columns].ravel()[at], axis=0)


def _upright(values: Sequence[int]) -> Ints:
    """One value per column, to stand against (column, row)."""
    return np.array(values, np.int64)[:, None]


def _blocks(pixels: Pixels, height: int, width: int) -> Pixels:
    """Return the block (height, width) that begins at each pixel of a picture, all in the picture's own memory."""
    line = pixels.shape[2]
    count = max(0, pixels.size - (height - 1) * line - width + 1)
    return np.lib.stride_tricks.as_strided(pixels, (count, height, width), (4, line * 4, 4))
