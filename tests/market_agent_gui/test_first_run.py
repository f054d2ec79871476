"""The first steps: what is chosen holds whichever way the page is left, and what is skipped changes nothing."""

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.model.decision import Autonomy
from market_agent_gui.first_run import FirstRun
from market_agent_gui.keys.key_map import KeyMap
from widgets.theme import theme_names


@pytest.fixture
def pages(qtbot: QtBot) -> FirstRun:
    made = FirstRun(theme_names(), "en", "dark", KeyMap().key)
    qtbot.addWidget(made)
    made.chosen = []
    made.autonomy_chosen.connect(made.chosen.append)
    made.show()
    return made


def click_step(qtbot: QtBot, pages: FirstRun, number: int) -> None:
    at = pages.steps._row(number).center()
    qtbot.mouseClick(pages.steps, Qt.MouseButton.LeftButton, pos=QPoint(round(at.x()), round(at.y())))


def test_a_level_that_was_clicked_holds_when_one_goes_to_another_page(qtbot: QtBot, pages: FirstRun) -> None:
    click_step(qtbot, pages, 2)
    qtbot.mouseClick(pages.rows[1], Qt.MouseButton.LeftButton, pos=QPoint(300, 30))
    assert pages.levels.checkedId() == 1
    assert [row.property("chosen") for row in pages.rows] == [False, True, False, False, False]
    click_step(qtbot, pages, 4)
    assert pages.pages.currentIndex() == 4
    assert pages.chosen == [Autonomy.SUGGEST]


def test_a_level_is_told_once(qtbot: QtBot, pages: FirstRun) -> None:
    click_step(qtbot, pages, 2)
    qtbot.keyClick(pages, Qt.Key.Key_1)
    pages.next.click()
    pages.back.click()
    pages.next.click()
    assert pages.chosen == [Autonomy.OBSERVE]


def test_pages_that_are_skipped_choose_nothing(qtbot: QtBot, pages: FirstRun) -> None:
    for _ in range(5):
        qtbot.keyClick(pages, Qt.Key.Key_Escape)
    assert pages.isHidden()
    assert pages.chosen == []
