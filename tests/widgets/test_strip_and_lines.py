"""Mode strip, STOP, banner, status line, toasts, empty panes, buttons."""

from decimal import Decimal

import msgspec
import pytest
from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from engine.api.rows import AlarmRow, SourceRow, StateRow
from tests.widgets.factories import NOW, SECOND
from widgets.banner_line import BannerLine
from widgets.cells import short_account
from widgets.empty_state import EmptyState
from widgets.halt_button import HOLD_MS, HaltButton
from widgets.key_button import KeyButton
from widgets.mode_strip import ModeStrip
from widgets.status_line import StatusLine
from widgets.theme import current_theme
from widgets.toast import MOST, Toaster, free_place

STATE = StateRow(
    key="state",
    book="paper",
    mode="MANUAL",
    autonomy="ask",
    account="DU1234567",
    equity=Decimal(1_000_000),
    day_pnl=Decimal("1234.56"),
    day_pnl_percent=0.12,
    risk_used=0.38,
    link="up",
    now_ns=NOW,
    session="open",
    session_close_ns=NOW + 1073 * SECOND,
)


@pytest.fixture
def strip(qtbot):
    made = ModeStrip()
    qtbot.addWidget(made)
    made.resize(1600, made.height())
    made.show()
    made.apply([STATE])
    return made


def words(strip: ModeStrip) -> str:
    return " ".join(piece.text for _, pieces in strip._sections() for piece in pieces)


def test_the_strip_says_mode_money_and_time_to_the_close(strip):
    assert "PAPER" in strip.accessibleName()
    assert "1\u2009000\u2009000.00" in words(strip)
    assert "+1\u2009234.56" in words(strip)
    assert any(piece.text == "0:17:53" for piece in strip._clock_pieces())


def test_the_account_is_told_apart_but_not_given_away(strip):
    assert strip._badge()[0] == "DU…567"
    assert short_account("U1234318") == "U…318"
    assert short_account("") == ""


@pytest.mark.parametrize("book", ["paper", "live", "replay"])
def test_every_book_differs_in_words_and_in_picture(qtbot, strip, book):
    strip.apply([msgspec.structs.replace(STATE, book=book)])
    image = strip.grab().toImage()
    assert book.upper() in strip.accessibleName()
    if book == "live":
        assert image.pixelColor(10, 2).name().lower() == current_theme().live.lower()
        assert image.pixelColor(6, 20).name().lower() == current_theme().live.lower()


def test_unknown_money_is_a_dash_and_not_a_zero(strip):
    strip.apply([msgspec.structs.replace(STATE, equity=None, day_pnl=None, day_pnl_percent=None, risk_used=None)])
    pieces = {name: [piece.text for piece in pieces] for name, pieces in strip._sections()}
    assert "–" in pieces["equity"]
    assert "–" in pieces["day"]
    assert "–" in pieces["risk"]


def test_a_lost_broker_is_named_with_its_reason_before_everything_that_works(strip):
    strip.apply_sources(
        [
            SourceRow(key="tws", kind="broker", state="down", text="lost 0:35"),
            SourceRow(key="a", kind="data", state="up"),
            SourceRow(key="b", kind="data", state="degraded", text="slow"),
        ]
    )
    health = {kind: (state, text) for kind, state, text in strip._health()}
    assert health["broker"] == ("down", "Broker lost 0:35")
    assert health["data"] == ("degraded", "Data slow"), "the worst source speaks for its kind"


def test_without_a_source_row_the_broker_is_as_the_link_says(strip):
    strip.apply([msgspec.structs.replace(STATE, link="down")])
    assert ("broker", "down", "Broker") in strip._health()


def test_a_spent_budget_is_amber(strip):
    strip.apply([msgspec.structs.replace(STATE, llm_spent=2.0, llm_budget=2.0)])
    assert next(state for kind, state, _ in strip._health() if kind == "llm") == "degraded"


@pytest.mark.parametrize("width", [1000, 1366, 1920, 2560])
def test_the_strip_fits_and_stop_is_whole_at_every_width(strip, width):
    strip.apply(
        [msgspec.structs.replace(STATE, book="live", llm_spent=0.41, llm_budget=2.0, halted=True, mode="HALTED")]
    )
    strip.resize(width, strip.height())
    strip.grab()
    assert strip._needed() <= width
    assert strip.rect().contains(strip.halt.geometry())
    assert not strip.halt.geometry().intersects(strip.autonomy.geometry())
    assert not strip.halt.geometry().intersects(strip.resume.geometry())


def test_autonomy_is_asked_for_and_not_shown_before_the_engine_says_so(strip):
    told = []
    strip.autonomy_wanted.connect(told.append)
    strip._actions["auto"].trigger()
    assert told == ["auto"]
    assert strip._actions["ask"].isChecked()
    assert not strip._actions["auto"].isChecked()


def test_an_agent_that_may_trade_by_itself_but_was_disarmed_says_that_it_asks_and_is_armed_again(strip):
    strip.apply([msgspec.structs.replace(STATE, mode="MANUAL", autonomy="auto")])
    words = [piece.text for _, pieces in strip._sections() for piece in pieces]
    assert "off: asks you" in words
    told = []
    strip.autonomy_wanted.connect(told.append)
    strip._actions["auto"].trigger()
    assert told == ["auto"]
    strip.apply([msgspec.structs.replace(STATE, mode="AUTO", autonomy="auto")])
    words = [piece.text for _, pieces in strip._sections() for piece in pieces]
    assert "off: asks you" not in words
    strip._actions["auto"].trigger()
    assert told == ["auto"]


def test_an_engine_that_is_away_leaves_only_stop(strip):
    strip.set_away("engine away 0:12")
    assert not strip.autonomy.isEnabled()
    assert strip.halt.isEnabled()
    assert "halt flag" in strip.halt.accessibleDescription()
    strip.apply([STATE])
    assert strip.autonomy.isEnabled()


def test_while_the_engine_is_away_nothing_of_it_is_green_or_looks_fresh(strip):
    strip.apply([STATE])
    strip.apply_sources([SourceRow(key="a", kind="data", state="up"), SourceRow(key="b", kind="broker", state="up")])
    strip.set_away("engine away 0:12")
    assert {state for _, state, _ in strip._health()} == {"off"}
    assert {piece.role for _, pieces in strip._sections() for piece in pieces} == {"t3"}
    assert "not connected" in strip.accessibleName()
    strip.apply([STATE])
    assert {state for _, state, _ in strip._health()} == {"up"}


def test_resume_appears_only_while_halted(strip):
    assert not strip.resume.isVisible()
    strip.apply([msgspec.structs.replace(STATE, halted=True)])
    assert strip.resume.isVisible()


# --- STOP


@pytest.fixture
def halt(qtbot):
    made = HaltButton()
    qtbot.addWidget(made)
    made.resize(made.sizeHint())
    made.show()
    return made


def test_stop_acts_on_the_press_and_a_short_press_flattens_nothing(qtbot, halt):
    halted, flattened = [], []
    halt.halt_wanted.connect(lambda: halted.append(1))
    halt.flatten_wanted.connect(lambda: flattened.append(1))
    qtbot.mousePress(halt, Qt.MouseButton.LeftButton)
    assert halted == [1], "before the button is let go"
    qtbot.mouseRelease(halt, Qt.MouseButton.LeftButton)
    qtbot.wait(HOLD_MS // 5)
    assert flattened == []


def test_stop_held_flattens_once(qtbot, halt):
    flattened = []
    halt.flatten_wanted.connect(lambda: flattened.append(1))
    qtbot.mousePress(halt, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(flattened), timeout=HOLD_MS * 4)
    qtbot.wait(200)
    assert flattened == [1]
    qtbot.mouseRelease(halt, Qt.MouseButton.LeftButton)


def test_stop_works_by_keyboard_and_ignores_repeats(qtbot, halt):
    halted = []
    halt.halt_wanted.connect(lambda: halted.append(1))
    qtbot.keyClick(halt, Qt.Key.Key_Space)
    halt.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ", True))
    assert halted == [1]


# --- banner


def alarm(code: str, severity: str = "red", **changes: object) -> AlarmRow:
    return AlarmRow(key=code, severity=severity, happened=f"{code} happened", did="did", you_can="can", **changes)


@pytest.fixture
def banner(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(1200, 100)
    made = BannerLine(parent=holder)
    made.resize(1200, 32)
    holder.show()
    made.holder = holder  # Python owns it: kept as long as the banner
    return made


def test_the_most_severe_line_is_shown_and_the_others_counted(banner):
    banner.apply([alarm("A", "amber"), alarm("R"), alarm("Y", "yellow")])
    assert banner.current.key == "R"
    assert banner._more.text() == "2 more"
    banner.grab()


def test_a_severity_it_does_not_know_is_red(banner):
    banner.apply([alarm("A", "amber"), alarm("?", "mauve")])
    assert banner.current.key == "?"


def test_red_stays_until_the_engine_takes_the_acknowledgement(qtbot, banner):
    told = []
    banner.acknowledge.connect(told.append)
    banner.apply([alarm("R")])
    qtbot.mouseClick(banner._button, Qt.MouseButton.LeftButton)
    banner.acknowledge_current()
    assert told == ["R"]
    assert banner.current.key == "R"
    banner.apply([alarm("R", acknowledged=True)])
    assert banner.current is None
    assert not banner._button.isVisible()
    assert "Not over: R happened" in banner.accessibleName()


def test_an_alarm_that_is_over_leaves_nothing_on_the_line(banner):
    banner.apply([alarm("R")])
    banner.apply([], ["R"])
    assert banner.current is None
    assert banner.accessibleName() == "No alarms"
    banner.grab()


def test_what_was_told_last_stands_on_the_line_while_nothing_is_wrong(banner):
    banner.note("15:42:07 ET", lambda: "BUY AAPL: 100 filled at 190.10")
    assert banner.accessibleName() == "No alarms. 15:42:07 ET BUY AAPL: 100 filled at 190.10"
    quiet = banner.grab().toImage()
    banner.apply([alarm("R", acknowledged=True)])
    assert banner.grab().toImage() != quiet
    banner.apply([alarm("R")])
    assert "AAPL" not in banner.accessibleName()


def test_what_is_acknowledged_hands_the_focus_to_no_other_control(qtbot, banner):
    stop, field = QPushButton("STOP", banner.holder), QLineEdit(banner.holder)
    for widget in (stop, field):
        widget.show()
    banner.holder.activateWindow()
    banner.apply([alarm("R")])
    field.setFocus()
    qtbot.mouseClick(banner._more, Qt.MouseButton.LeftButton)
    assert banner.holder.focusWidget() is field
    banner._button.setFocus()
    banner.acknowledge_current()
    assert banner.holder.focusWidget() in (None, banner.holder)


def test_a_press_meant_for_one_alarm_does_not_acknowledge_the_one_that_took_its_place(monkeypatch, banner):
    told = []
    banner.acknowledge.connect(told.append)
    banner.apply([alarm("A", "amber")])
    banner.apply([alarm("R")])
    banner.acknowledge_current()
    assert told == []
    monkeypatch.setattr("widgets.banner_line.HASTE_MS", 0)
    banner.acknowledge_current()
    assert told == ["R"]


# --- the small ones


def test_slow_lags_are_amber_and_spoken(qtbot):
    line = StatusLine()
    qtbot.addWidget(line)
    line.resize(900, 24)
    line.show()
    line.set_keys([("A", "approve")])
    line.set_measures(window_ms=3, engine_ms=80, broker_ms=None, symbols=500, quotes_per_s=12400, disk_gb=1)
    roles = dict(line._figures)
    assert roles["lag: window 3 ms"] == "t2"
    assert roles["engine 80 ms"] == "warn"
    assert roles["disk 1 GB"] == "warn"
    assert line.accessibleName() == "A approve"
    line.grab()


def test_who_else_is_connected_is_one_line_with_what_programs_may_do(qtbot):
    line = StatusLine()
    qtbot.addWidget(line)
    line.set_measures(window_ms=3, clients=("window",))
    assert [text for text, _ in line._figures] == ["lag: window 3 ms"]
    line.set_measures(window_ms=3, clients=("api", "cli", "console", "mcp", "mcp", "watchdog", "window"))
    assert line._figures[0] == ("service, assistant ×2: may propose · console", "t1")
    assert "they may not trade" in line.toolTip()
    line.set_measures(window_ms=3, clients=("program", "window", "window"), programs_trade=True)
    assert line._figures[0] == ("another program: may trade · another window", "t1")
    assert "while AUTO is armed" in line.toolTip()
    line.set_note("taken by another program")
    assert line.toolTip().startswith("taken by another program\nConnected")
    line.set_measures(window_ms=3)
    assert line.toolTip() == "taken by another program"


def test_toasts_stack_are_plain_text_and_never_take_the_focus(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, 600)
    window.show()
    toaster = Toaster(window)
    for number in range(MOST + 2):
        toaster.show_toast(f"{number} <b>bold</b>", "text", "good")
    assert [toast.title[0] for toast in toaster.toasts] == [str(n) for n in range(2, MOST + 2)]
    tops = [toast.y() for toast in toaster.toasts]
    assert tops == sorted(tops)
    last = toaster.toasts[-1]
    assert last.focusPolicy() == Qt.FocusPolicy.NoFocus
    qtbot.mouseClick(last, Qt.MouseButton.LeftButton)
    assert last not in toaster.toasts
    window.grab()


@pytest.mark.parametrize(
    ("taken", "place"),
    [
        ([], (1000, 800)),
        ([QRect(700, 500, 300, 300)], (690, 800)),
        ([QRect(0, 500, 1000, 300)], (1000, 490)),
        ([QRect(700, 500, 300, 300), QRect(400, 600, 300, 200)], (390, 800)),
        ([QRect(700, 500, 300, 300), QRect(100, 600, 600, 200)], (690, 590)),
        ([QRect(0, 0, 1000, 790)], (1000, 800)),
    ],
)
def test_toasts_stand_as_low_and_as_far_right_as_nothing_that_acts_is_under_them(taken, place):
    found = free_place(QSize(200, 100), QRect(0, 0, 1000, 800), taken, 10)
    assert (found.x(), found.y()) == place


def test_an_empty_pane_offers_its_one_button(qtbot):
    pane = EmptyState("No symbols", "Paste them here", "Add", "Ctrl+V")
    qtbot.addWidget(pane)
    pane.resize(300, 200)
    pane.show()
    with qtbot.waitSignal(pane.wanted):
        qtbot.mouseClick(pane.button, Qt.MouseButton.LeftButton)
    pane.grab()
    assert "Paste" in pane.accessibleName()


@pytest.mark.parametrize("role", ["plain", "quiet", "warn", "send"])
@pytest.mark.parametrize("mode", ["paper", "live", "replay"])
def test_buttons_show_their_key_and_have_room_for_both(qtbot, role, mode):
    button = KeyButton("Approve everything", "Ctrl+A", role)
    qtbot.addWidget(button)
    button.set_mode(mode)
    button.show()
    button.say("Approve everything", blocked=True)
    button.grab()
    assert button.width() >= button.sizeHint().width() - 1
    assert button.accessibleDescription() == "Ctrl+A"


def test_a_long_reason_on_the_send_button_pushes_no_pane_wider(qtbot) -> None:
    button = KeyButton("", "Enter", "send")
    qtbot.addWidget(button)
    button.say("Send to PAPER · AAPL is locked: our position is 100, the broker's is 150", blocked=True)
    layout = QHBoxLayout()
    pane = QWidget()
    qtbot.addWidget(pane)
    pane.setLayout(layout)
    layout.addWidget(button)
    assert pane.minimumSizeHint().width() < 300
    assert button.toolTip() == button.text()


def test_the_reason_on_a_narrow_send_button_stands_in_two_lines_and_nothing_of_it_is_cut(qtbot) -> None:
    reason = "Отправить, PAPER DU…567 · AAPL: котировка устарела или её нет"
    button = KeyButton("", "Enter", "send")
    button.folds = True
    qtbot.addWidget(button)
    button.resize(330, 28)
    button.show()
    button.say(reason, blocked=True)
    assert len(button.lines(700)) == 2
    assert " ".join(button.lines(700)) == reason
    button.say("Отправить, PAPER DU…567, сейчас · не заполнена", blocked=True)
    assert button.lines(700) == ["Отправить, PAPER DU…567, сейчас ·", "не заполнена"], "what belongs together stays so"
    button.say(reason, blocked=True)
    tall = button.height()
    assert tall > 28
    button.grab()
    button.resize(900, tall)
    assert button.lines(700) == [reason]
    assert button.height() < tall
    button.resize(330, 28)
    button.say("BUY 100 AAPL · PAPER DU…567")
    assert button.height() < tall
