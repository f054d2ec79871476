"""The pace of simulated time is shown and asked for; toasts keep off what must stay free."""

import msgspec
import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.api.rows import SourceRow, StateRow
from widgets.mode_strip import ModeStrip
from widgets.replay_bar import SPEEDS, ReplayBar
from widgets.toast import Toaster

STATE = StateRow(
    key="state", book="paper", mode="MANUAL", autonomy="ask", account="DU1234567", now_ns=10**18, simulated_time=True,
    speed=20.0, link="up",
)  # fmt: skip


@pytest.fixture
def bar(qtbot: QtBot) -> ReplayBar:
    made = ReplayBar()
    qtbot.addWidget(made)
    return made


def test_it_is_there_only_while_time_is_simulated(bar: ReplayBar) -> None:
    bar.apply([msgspec.structs.replace(STATE, simulated_time=False)])
    assert bar.isHidden()
    bar.apply([STATE])
    assert not bar.isHidden()


def test_it_says_which_speed_holds_and_what_the_button_does(bar: ReplayBar) -> None:
    bar.apply([STATE])
    assert [speed for speed, button in bar.speeds.items() if button.property("current")] == [20.0]
    assert bar.pause.text() == "Pause"
    bar.apply([msgspec.structs.replace(STATE, paused=True)])
    assert bar.pause.text() == "Go on"
    assert not any(button.property("current") for button in bar.speeds.values())


def test_each_button_asks_for_its_speed(bar: ReplayBar, qtbot: QtBot) -> None:
    asked: list[object] = []
    bar.speed_wanted.connect(asked.append)
    for button in bar.speeds.values():
        button.click()
    assert asked == list(SPEEDS)


@pytest.mark.parametrize("free", [QRect(900, 500, 300, 300), QRect(0, 500, 1200, 300)])
def test_no_toast_covers_what_must_stay_free(qtbot: QtBot, free: QRect) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1200, 800)
    toaster = Toaster(window, keep_free=lambda: [free])
    for number in range(4):
        toaster.show_toast(f"fill {number}", "100 at 190.10")
    assert not any(free.intersects(toast.geometry()) for toast in toaster.toasts)
    assert all(window.rect().contains(toast.geometry()) for toast in toaster.toasts)


def test_sources_of_prices_and_news_are_one_dot_and_are_named(qtbot: QtBot) -> None:
    strip = ModeStrip()
    qtbot.addWidget(strip)
    strip.apply([STATE])
    strip.apply_sources([SourceRow(key="simulated", kind="depth, quotes", state="up")])
    assert strip._health() == [("data", "up", "Data"), ("broker", "up", "Broker")]
    strip.apply_sources([SourceRow(key="wire", kind="news", state="down", text="no answer")])
    assert strip._health()[0] == ("data", "down", "Data no answer")
    assert "simulated" in strip.health_text()
    assert "broker DU" in strip.health_text()
    strip.apply([msgspec.structs.replace(STATE, link="down")])
    assert strip._health()[1][1] == "down"


def test_notes_under_one_title_are_one_note_with_the_newest_words_and_a_count(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    toaster = Toaster(window)
    toaster.show_toast("BUY AAPL", "40 filled at 190.10")
    toaster.show_toast("SELL MSFT", "10 filled at 420.00")
    toaster.show_toast("BUY AAPL", "60 filled at 190.11")
    toaster.show_toast("BUY AAPL", "rejected", "bad")
    assert [(toast.shown_title, toast.text) for toast in toaster.toasts] == [
        ("SELL MSFT", "10 filled at 420.00"),
        ("BUY AAPL ×2", "60 filled at 190.11"),
        ("BUY AAPL", "rejected"),
    ]


def test_toasts_find_their_place_again_when_the_panes_have_found_theirs(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    place = QRect(900, 600, 300, 200)
    toaster = Toaster(window, keep_free=lambda: [place])
    toaster.show_toast("a fill", "100 at 190.10")
    window.resize(900, 600)
    place = QRect(600, 350, 300, 250)  # the panes are laid out after the window's own event
    qtbot.waitUntil(lambda: not place.intersects(toaster.toasts[0].geometry()))
    assert window.rect().contains(toaster.toasts[0].geometry())
