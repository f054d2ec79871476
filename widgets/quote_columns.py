"""The columns of the watchlist: which numbers, how written, in which colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from widgets.glyph_atlas import NumberStyle
from widgets.quote_book import DELAYED, HALTED, STALE, QuoteBook

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PLAIN, UP, DOWN, QUIET, SECOND = range(5)
"""Numbers of ``glyph_atlas.ROLES``."""
_BY_SIGN = np.array([PLAIN, UP, DOWN, QUIET, QUIET, QUIET], np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteColumn:
    """A column; ``values`` is None for words and pictures."""

    id: str
    title: str
    align: str = "right"
    visible: bool = True
    values: Callable[[QuoteBook, Ints], Floats] | None = None
    decimals: int | None = None
    """None: those of the instrument's tick."""
    style: NumberStyle | None = None
    colour: str = "plain"
    """plain, second or sign."""
    flash: bool = False
    width: int = 0
    """Pixels at 100 % where the content does not say."""
    about: str = ""


def _price(fraction: int = 2) -> NumberStyle:
    return NumberStyle(integers=4, fraction=fraction)


_SIZE = NumberStyle(integers=3, fraction=1, compact=True)

SPARK = 4
"""Number of the picture's column: it takes what is left of the width, or gives way."""
COLUMNS: tuple[QuoteColumn, ...] = (
    QuoteColumn(id="symbol", title="Symbol", align="left", width=72),
    QuoteColumn(id="last", title="Last", values=lambda b, i: b.last[i], style=_price(), flash=True),
    QuoteColumn(
        id="percent",
        title="Chg %",
        values=lambda b, i: b.change_percent(i),
        decimals=2,
        style=NumberStyle(integers=2, fraction=2, signed=True, arrow=True),
        colour="sign",
        about="Change since the previous close",
    ),
    QuoteColumn(
        id="change",
        title="Chg",
        values=lambda b, i: b.change(i),
        style=NumberStyle(integers=3, fraction=2, signed=True),
        colour="sign",
        visible=False,
    ),
    QuoteColumn(id="spark", title="Today", width=60),
    QuoteColumn(id="bid", title="Bid", values=lambda b, i: b.bid[i], style=_price(), visible=False),
    QuoteColumn(id="ask", title="Ask", values=lambda b, i: b.ask[i], style=_price(), visible=False),
    QuoteColumn(
        id="bid_size",
        title="Bid size",
        values=lambda b, i: b.bid_size[i],
        decimals=0,
        style=_SIZE,
        colour="second",
        visible=False,
    ),
    QuoteColumn(
        id="ask_size",
        title="Ask size",
        values=lambda b, i: b.ask_size[i],
        decimals=0,
        style=_SIZE,
        colour="second",
        visible=False,
    ),
    QuoteColumn(
        id="volume",
        title="Volume",
        values=lambda b, i: b.volume[i],
        decimals=0,
        style=_SIZE,
        colour="second",
        visible=False,
    ),
    QuoteColumn(id="name", title="Name", align="left", width=140, visible=False),
    QuoteColumn(id="sector", title="Sector", align="left", width=110, visible=False),
)


def roles_of(columns: Sequence[QuoteColumn], book: QuoteBook, index: Ints, values: Floats) -> Ints:
    """Return the colour of every number (column, symbol); what is stale, halted or delayed is quiet."""
    roles = np.empty(values.shape, np.int64)
    for number, column in enumerate(columns):
        if column.colour == "sign":
            shown = values[number]
            roles[number] = _BY_SIGN[(shown > 0) + (shown < 0) * 2 + ~np.isfinite(shown) * 3]
        else:
            roles[number] = SECOND if column.colour == "second" else PLAIN
    quiet = (book.flags[index] & (STALE | HALTED | DELAYED)) != 0
    if quiet.any():
        roles[:, quiet] = QUIET
    return roles
