"""Numbers as a trader reads them."""

import math
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets import formats

THIN = "\u2009"
D = Decimal
NOON = 1_795_369_327_000_000_000  # 2026-11-22 12:42:07 in New York


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1_000_000, 2, f"1{THIN}000{THIN}000.00"),
        (-0.005, 2, "0.00"),
        (-1234.5, 1, f"−1{THIN}234.5"),
        (D("0.1") + D("0.2"), 2, "0.30"),
        (None, 2, "–"),
        (math.nan, 2, "–"),
        (math.inf, 2, "–"),
    ],
)
def test_numbers(value: float | None, decimals: int, text: str) -> None:
    assert formats.number(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.25, "▲ +1.25"), (-0.72, "▼ −0.72"), (0, "0.00"), (0.001, "0.00"), (None, "–")]
)
def test_a_change_has_arrow_and_sign_unless_it_rounds_to_nothing(value: float | None, text: str) -> None:
    assert formats.change(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (372, "6:12"),
        (3909, "1:05:09"),
        (0, "0:00"),
        (59.9, "0:59"),
        (-61, "−1:01"),
        (273_600, "3 d 4:00:00"),
        (None, "–"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999, "999"),
        (999.6, f"1.0{THIN}k"),
        (212_000, f"212{THIN}k"),
        (36_512_345, f"36.5{THIN}M"),
        (2e9, f"2.0{THIN}G"),
        (999.6e9, f"1.0{THIN}T"),
        (1.24e12, f"1.2{THIN}T"),
        (None, "–"),
    ],
)
def test_large_amounts_are_brief(value: float | None, text: str) -> None:
    assert formats.compact(value) == text


def test_prices_have_the_precision_of_their_tick() -> None:
    assert formats.price(189.5, D("0.01")) == "189.50"
    assert formats.price(1.08125, D("0.00005")) == "1.08125"
    assert formats.price(4501.25, D("0.25")) == f"4{THIN}501.25"
    assert formats.price(30_125.0, D(5)) == f"30{THIN}125"
    with pytest.raises(ValueError, match="tick size"):
        formats.decimals_of(D(0))


@given(
    st.decimals(min_value=-10_000, max_value=100_000, places=5),
    st.sampled_from(["0.01", "0.05", "0.25", "0.0001", "1", "5"]),
)
def test_rounding_gives_the_nearest_multiple_of_the_tick(price: Decimal, tick: str) -> None:
    rounded = formats.round_to_tick(price, D(tick))
    assert rounded % D(tick) == 0
    assert abs(rounded - price) <= D(tick) / 2


def test_rounding_refuses_what_is_no_price() -> None:
    for value in (math.nan, math.inf, D("NaN")):
        with pytest.raises(ValueError, match="price must be finite"):
            formats.round_to_tick(value, D("0.01"))


def test_times_name_their_zone() -> None:
    assert formats.clock(NOON, "America/New_York", "ET") == "12:42:07 ET"
    assert formats.clock(NOON, "America/New_York") == "12:42:07 EST"
    assert formats.clock(NOON, "UTC", seconds=False) == "17:42 UTC"
    assert formats.clock(None, "UTC") == "–"


def test_quantities_and_money() -> None:
    assert formats.quantity(D("100.00")) == "100"
    assert formats.quantity(0.1 + 0.2) == "0.3"
    assert formats.quantity(12_000) == f"12{THIN}000"
    assert formats.money(D("9505"), "USD") == f"9{THIN}505.00{THIN}USD"
    assert formats.percent(0.123) == f"+0.12{THIN}%"


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_a_formatted_number_reads_back_to_its_rounding(value: float, decimals: int) -> None:
    text = formats.number(value, decimals).replace(THIN, "").replace("−", "-")
    assert float(text) == pytest.approx(value, abs=0.5 * 10.0**-decimals + 1e-9 * abs(value))


@given(
    st.one_of(st.floats(-1e9, 1e9), st.integers(-(10**9), 10**9), st.decimals(-(10**6), 10**6, places=5).map(float)),
    st.integers(0, 6),
)
def test_a_number_is_rounded_as_it_is_written_not_as_it_is_stored(value: float, decimals: int) -> None:
    written = D(repr(float(value))).quantize(D(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    assert formats.number(value, decimals).replace(THIN, "").replace("−", "") == f"{abs(written):f}"


@pytest.mark.parametrize(("value", "text"), [(2.675, "2.68"), (1.005, "1.00"), (0.125, "0.12"), (8.665, "8.66")])
def test_a_half_goes_to_the_even_neighbour(value: float, text: str) -> None:
    assert formats.number(value, 2) == text
