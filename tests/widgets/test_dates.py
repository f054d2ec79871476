"""Days and months have names in each language, whatever the locale of the system."""

import locale

import pytest
from PySide6.QtWidgets import QApplication

from market_agent_gui.translate import Language
from widgets import cells, dates
from widgets.candle_chart.time_axis import _label

NOON = 1_779_364_800_000_000_000
"""Thursday, 21 May 2026, 12:00 UTC."""
DAY = 86_400_000_000_000


@pytest.fixture
def language(qapp: QApplication):
    found = Language(qapp)
    yield found
    found.use("en")


def test_a_date_is_named_in_the_language_that_is_chosen(language: Language) -> None:
    assert dates.long_day(NOON, "UTC") == "Thu 21 May 2026"
    assert cells.time_text(NOON, "UTC") == "21 May 12:00:00"
    language.use("ru")
    assert dates.long_day(NOON, "UTC") == "чт 21 мая 2026"
    assert cells.time_text(NOON, "UTC") == "21 мая 12:00:00"
    assert dates.month(dates.formats.local_time(NOON, "UTC")) == "май"


def test_a_moment_that_is_not_known_is_a_dash() -> None:
    assert dates.long_day(None, "UTC") == "–"


def test_a_day_of_one_figure_stands_below_one_of_two() -> None:
    assert cells.time_text(NOON - 16 * DAY, "UTC") == " 5 May 12:00:00"


def test_the_axis_says_its_days_again_in_another_language(language: Language) -> None:
    def label() -> str:
        return _label(NOON, True, True, "D", dates.tr(dates.DAYS[0]))

    assert label() == "Thu 21 May"
    language.use("ru")
    assert label() == "чт 21 мая"


def test_the_locale_of_the_system_names_no_day(language: Language) -> None:
    before = locale.setlocale(locale.LC_TIME)
    for name in ("ru_RU.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8"):
        try:
            locale.setlocale(locale.LC_TIME, name)
        except locale.Error:
            continue
    try:
        assert dates.long_day(NOON, "UTC") == "Thu 21 May 2026"
    finally:
        locale.setlocale(locale.LC_TIME, before)
