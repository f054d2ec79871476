"""Panes as windows and tabs: the focus stays with what one looks at, and each has a menu."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QTabBar
from pytestqt.qtbot import QtBot

from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.links import LinkGroups
from market_agent_gui.main_window import MainWindow
from market_agent_gui.pane_menu import pane_menu
from tests.support_gui.harness import Desk, until


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = MainWindow()
    made.may_close = True
    made.stop = QPushButton("STOP")  # type: ignore[attr-defined]
    made.add_to_head(made.stop)  # type: ignore[attr-defined]
    for dock in made.docks.values():
        dock.fill(QLineEdit())
    qtbot.addWidget(made)
    made.resize(1600, 900)
    made.use_template("Terminal")
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def focus(window: MainWindow, pane: str, qtbot: QtBot) -> None:
    window.docks[pane].pane.setFocus()
    qtbot.waitUntil(lambda: window.focused_dock() == pane)


def tab_bar(window: MainWindow, pane: str) -> tuple[QTabBar, int]:
    words = window.docks[pane].windowTitle()
    for bar in window.findChildren(QTabBar):
        for number in range(bar.count()):
            if bar.tabText(number) == words:
                return bar, number
    raise AssertionError(pane)


def test_a_pane_that_floats_keeps_the_focus_and_stop_never_gets_it(window: MainWindow, qtbot: QtBot) -> None:
    focus(window, "chart", qtbot)
    window.float_dock("chart")
    qtbot.waitUntil(lambda: window.docks["chart"].isFloating() and window.focused_dock() == "chart")
    window.float_dock("chart", False)
    qtbot.waitUntil(lambda: not window.docks["chart"].isFloating() and window.focused_dock() == "chart")


def test_closing_a_pane_hands_its_focus_to_a_harmless_pane(window: MainWindow, qtbot: QtBot) -> None:
    focus(window, "why", qtbot)
    window.docks["why"].close()
    qtbot.waitUntil(lambda: window.focused_dock() == "chart")


def test_a_click_on_a_tab_gives_the_keys_to_its_pane(window: MainWindow, qtbot: QtBot) -> None:
    focus(window, "positions", qtbot)
    bar, number = tab_bar(window, "fills")
    bar.setCurrentIndex(number)
    bar.tabBarClicked.emit(number)
    qtbot.waitUntil(lambda: window.focused_dock() == "fills")


def test_tab_and_head_ask_for_the_menu_of_their_pane(window: MainWindow) -> None:
    asked: list[str] = []
    window.pane_menu_wanted.connect(lambda name, _at: asked.append(name))
    bar, number = tab_bar(window, "news")
    bar.customContextMenuRequested.emit(bar.tabRect(number).center())
    window.docks["chart"].head.menu_wanted.emit(QPoint())
    assert asked == ["news", "chart"]


def test_the_menu_of_a_tabbed_pane_links_floats_and_closes_it(window: MainWindow) -> None:
    links = LinkGroups(tuple(window.docks))
    menu = pane_menu(window, links, "positions", KeyMap, lambda _pane: None)
    entries = {action.text().split("\t")[0]: action for action in menu.actions()}
    assert entries["Float it"].text().endswith("Ctrl+Shift+D")
    colours = entries["Link colour"].menu().actions()
    assert [action.isChecked() for action in colours] == [True, False, False, False]
    colours[1].trigger()
    assert links.group("positions") == "amber"
    entries["Float it"].trigger()
    assert window.docks["positions"].isFloating()
    entries["Close Positions"].trigger()
    assert window.docks["positions"].isHidden()
    ticket = pane_menu(window, links, "ticket", KeyMap, lambda _pane: None)
    assert not [action for action in ticket.actions() if action.text().startswith("Close")]


def test_panes_that_float_come_back_over_the_window(window: MainWindow, qtbot: QtBot) -> None:
    window.float_dock("tape")
    state = window.layout_state()
    again = MainWindow()
    again.may_close = True
    qtbot.addWidget(again)
    raised: list[str] = []
    for name, dock in again.docks.items():
        dock.raise_ = lambda name=name: raised.append(name)  # type: ignore[method-assign]
    assert again.restore_layout(state)
    raised.clear()
    again.show()
    qtbot.waitUntil(lambda: set(raised) == {"tape"})


def test_a_pane_that_floats_says_whose_money_it_is(window: MainWindow, qtbot: QtBot) -> None:
    head = window.docks["tape"].head
    window.show_book("paper", "DU1234567")
    assert not head.book.isVisible()
    window.float_dock("tape")
    qtbot.waitUntil(lambda: head.book.isVisible() and head.line.isVisible())
    assert head.book.text() == "PAPER"
    window.show_book("replay", "")
    assert head.book.text() == "REPLAY"
    window.float_dock("tape", False)
    qtbot.waitUntil(lambda: not head.book.isVisible() and not head.line.isVisible())


def test_what_is_floated_closed_or_opened_without_the_mouse_is_the_persons_own_arrangement(window: MainWindow) -> None:
    for change in (
        lambda: window.float_dock("tape"),
        lambda: window.docks["tape"].close(),
        lambda: window.show_dock("differences"),
    ):
        window.use_template("Terminal")
        assert window.untouched_template == "Terminal"
        change()
        assert window.untouched_template == ""


def test_a_dragged_separator_makes_the_arrangement_a_persons_own_and_a_click_on_a_caption_does_not(
    window: MainWindow,
) -> None:
    window.use_template("Terminal")
    head = window.docks["chart"].head
    QTest.mouseClick(head.title, Qt.MouseButton.LeftButton)
    assert window.untouched_template == "Terminal"
    chart, depth = window.docks["chart"].geometry(), window.docks["depth"].geometry()
    between = QPoint((chart.right() + depth.left()) // 2 + 1, chart.center().y())
    under = window.childAt(between) or window
    at = under.mapFrom(window, between)
    QTest.mousePress(under, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(under, at + QPoint(-60, 0))
    QTest.mouseRelease(under, Qt.MouseButton.LeftButton, pos=at + QPoint(-60, 0))
    assert window.untouched_template == ""


def test_a_pane_goes_to_another_screen_whole(window: MainWindow, qtbot: QtBot) -> None:
    screen = window.screen()
    window.move_dock("watchlist", screen)
    dock = window.docks["watchlist"]
    qtbot.waitUntil(lambda: window.focused_dock() == "watchlist")
    assert dock.isFloating()
    assert screen.availableGeometry().contains(dock.geometry())


def test_with_one_screen_the_key_says_so(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.window.show_dock("chart")
        await until(lambda: desk.shell.window.focused_dock() == "chart", "the focus")
        desk.key("Ctrl+Shift+M")
        await until(lambda: any("only one screen" in text for _, text in desk.toasts), "the refusal")

    run(story())


def test_the_palette_asked_for_in_a_floating_pane_takes_the_letters_and_gives_the_focus_back(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.window.float_dock("watchlist")
        await until(lambda: shell.window.focused_dock() == "watchlist", "the focus in the pane")
        desk.key("Ctrl+K")
        await until(lambda: QApplication.focusWidget() is shell.program.palette.line, "the palette's line")
        assert shell.program.palette.isVisible()
        shell.program.palette.close_palette()
        await until(lambda: shell.window.focused_dock() == "watchlist", "the focus back")

    run(story())
