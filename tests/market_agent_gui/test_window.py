"""The window arranges: templates, workspaces, links, the frame of LIVE, the lock."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.api.frames import Notice
from market_agent_gui.chart_memory import ChartState
from market_agent_gui.docks import BY_ID, TEMPLATES, default_template
from market_agent_gui.links import LinkGroups
from market_agent_gui.lock import PAUSE_S, TRIES, LockPage, PinStore
from market_agent_gui.main_window import MainWindow
from market_agent_gui.mode_frame import FRAME_PX, LINE_PX, account_tail
from market_agent_gui.notifications import read
from market_agent_gui.palette import Entry, find
from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.workspace import WorkspaceError, WorkspaceStore, make_workspace, read_workspace


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = MainWindow()
    made.may_close = True
    qtbot.addWidget(made)
    made.resize(1600, 900)
    made.show()
    return made


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_a_template_shows_its_panes_once_and_always_the_ticket(window: MainWindow, name: str) -> None:
    window.use_template(name)
    docks = TEMPLATES[name].docks()
    assert len(set(docks)) == len(docks)
    assert {dock for dock, frame in window.docks.items() if not frame.isHidden()} == set(docks)
    assert "ticket" in docks
    assert BY_ID["ticket"].pinned


def test_a_narrow_window_turns_the_right_column_into_tabs(window: MainWindow) -> None:
    assert (default_template(1366), default_template(1920)) == ("Small screen", "Terminal")
    window.use_default()
    window.resize(1366, 768)
    assert window.template == "Small screen"
    assert window.docks["why"] in window.tabifiedDockWidgets(window.docks["suggestions"])
    assert window.tabifiedDockWidgets(window.docks["ticket"]) == []


def test_a_saved_arrangement_comes_back(window: MainWindow, tmp_path: Path) -> None:
    window.use_template("Approval desk")
    state = window.layout_state()
    shown = {name for name, dock in window.docks.items() if not dock.isHidden()}
    window.use_template("Keyboard")
    assert window.restore_layout(state)
    assert {name for name, dock in window.docks.items() if not dock.isHidden()} == shown
    assert not window.restore_layout(b"nonsense")


def test_live_frames_the_window_and_names_the_account_in_its_title(window: MainWindow) -> None:
    window.show_book("live", "U4412318")
    assert window.contentsMargins().left() == FRAME_PX
    assert "LIVE" in window.windowTitle()
    assert "U…318" in window.windowTitle()
    window.show_book("paper", "DU1234567")
    assert window.contentsMargins().left() == 0
    assert account_tail("DU1234567") == "DU…567"


@pytest.mark.parametrize(("book", "margins"), [("live", (3, 3)), ("paper", (LINE_PX, 0)), ("replay", (LINE_PX, 0))])
def test_a_pane_in_a_window_of_its_own_says_whose_money_it_is_and_a_docked_one_gives_no_room_for_it(
    window: MainWindow, book: str, margins: tuple[int, int]
) -> None:
    dock, frame = window.docks["tape"], window._frames["tape"]
    window.show_book(book, "U4412318")
    assert dock.contentsMargins().top() == 0
    assert not frame.isVisible()
    dock.setFloating(True)
    assert frame.isVisible()
    assert (dock.contentsMargins().top(), dock.contentsMargins().left()) == margins
    painted = dock.grab().toImage()
    window.show_book("", "")
    assert not frame.isVisible()
    assert dock.grab().toImage() != painted
    window.show_book(book, "U4412318")
    dock.setFloating(False)
    assert not frame.isVisible()
    assert dock.contentsMargins().top() == 0


def test_a_pane_in_a_window_of_its_own_comes_to_the_front_with_the_main_one(window: MainWindow) -> None:
    raised: list[str] = []
    for name in ("tape", "news", "depth"):
        window.docks[name].raise_ = lambda name=name: raised.append(name)  # type: ignore[method-assign]
    window.docks["tape"].setFloating(True)
    QApplication.sendEvent(window, QEvent(QEvent.Type.WindowActivate))
    assert raised == ["tape"]


def test_closing_is_asked_for_and_not_done(window: MainWindow, qtbot: QtBot) -> None:
    window.may_close = False
    with qtbot.waitSignal(window.close_asked):
        window.close()
    assert window.isVisible()
    window.may_close = True


@pytest.mark.usefixtures("qapp")
def test_panes_of_a_colour_show_one_symbol_and_others_keep_theirs() -> None:
    links = LinkGroups(("chart", "ticket", "depth"))
    links.join("depth", "amber")
    links.choose("chart", "AAPL")
    links.choose("depth", "MSFT")
    assert [links.symbol(pane) for pane in ("chart", "ticket", "depth")] == ["AAPL", "AAPL", "MSFT"]
    links.join("depth", "blue")
    assert links.symbol("depth") == "AAPL"
    links.join("depth", "")
    links.choose("chart", "NVDA")
    assert links.symbol("depth") == "AAPL"


@pytest.mark.parametrize(
    ("text", "says"), [("{", "no workspace"), ('{"version": 9}', "version 9"), ('{"layout": 3}', "no workspace")]
)
def test_a_bad_workspace_file_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(WorkspaceError, match=says):
        read_workspace(path)


def test_a_workspace_needs_a_plain_name() -> None:
    with pytest.raises(WorkspaceError, match="no name"):
        make_workspace("../escape", b"", b"", {}, ChartState())


def test_a_window_that_died_is_known_at_the_next_start(tmp_path: Path) -> None:
    first = WorkspaceStore(tmp_path)
    assert not first.crashed
    first.mark_open()
    assert WorkspaceStore(tmp_path).crashed
    first.mark_closed()
    assert not WorkspaceStore(tmp_path).crashed


def test_five_wrong_pins_close_the_lock_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    now = [1000.0]
    pins = PinStore(tmp_path, wall=lambda: now[0])
    pins.set("2468")
    assert pins.check("2468")
    assert [pins.check("1111") for _ in range(TRIES)] == [False] * TRIES
    assert not pins.check("2468")
    now[0] += PAUSE_S + 1
    assert pins.check("2468")
    assert (tmp_path / "window-lock.json").stat().st_mode & 0o077 == 0


def test_stop_stays_in_reach_behind_the_lock(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    page = LockPage(window, PinStore(tmp_path))
    page.lock()
    assert page.stop.isVisible()
    with qtbot.waitSignal(page.stop_pressed):
        page.stop.click()


def test_damaged_preferences_give_way_to_the_defaults_and_are_told(tmp_path: Path) -> None:
    (tmp_path / "window.json").write_text('{"scale": "big"}')
    preferences = PreferencesFile(tmp_path)
    assert preferences.now.scale == 1.0
    assert "scale" in preferences.problem


def test_the_palette_finds_by_all_words_and_puts_beginnings_first() -> None:
    entries = [Entry(title=title, group="g", do=lambda: None) for title in ("Cancel last", "Last cancel", "Stage buy")]
    assert [entry.title for entry in find("last c", entries)] == ["Last cancel", "Cancel last"]
    assert find("sell", entries) == []


def test_an_unknown_order_is_told_outside_the_window_too() -> None:
    news = read(Notice(seq=1, kind="OrderUnknown", event={"side": "BUY", "symbol": "AAPL"}))
    assert news is not None
    assert (news.severity, news.outside) == ("bad", True)
    assert "do not re-enter" in news.text
    assert read(Notice(seq=2, kind="PositionChanged", event={})) is None
