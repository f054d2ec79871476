"""Quantities read as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.money import units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (263.0, "263"),
        ("263.0", "263"),
        (Decimal("1E+3"), "1000"),
        (0.5, "0.5"),
        ("7.50", "7.5"),
        (0.0, "0"),
        (-4.0, "-4"),
    ],
)
def test_whole_units_have_no_fraction(value: float | str | Decimal, text: str) -> None:
    assert str(units(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
def test_the_number_stays_the_same(value: Decimal) -> None:
    assert units(value) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not a finite amount"):
        units(value)
