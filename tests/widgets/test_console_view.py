"""The console's view shows what comes, in bites that can be shown, and brings back what was typed."""

import pytest
from PySide6.QtCore import Qt

from widgets.console_view import LINES, Clipper, ConsoleView


@pytest.fixture
def view(qtbot) -> ConsoleView:
    made = ConsoleView()
    qtbot.addWidget(made)
    made.resize(600, 200)
    made.show_running(True, "")
    made.show()
    return made


def test_a_line_of_millions_is_cut_however_it_comes_in_pieces() -> None:
    clipper = Clipper(10)
    shown = "".join(clipper.clip(part) for part in ("12345", "67890ABC", "DEF" * 100_000, "\nnext\r\nlast"))
    assert shown == "1234567890…\nnext\nlast"


def test_escapes_and_control_characters_are_left_out() -> None:
    assert Clipper().clip("\x1b[31mred\x1b[0m\x00\x07\ttab") == "red\ttab"


def test_up_and_down_bring_back_what_was_typed_and_the_draft(view, qtbot) -> None:
    view.line.remember(["from before"])
    for text in ("one", "two", "two"):
        qtbot.keyClicks(view.line, text)
        qtbot.keyClick(view.line, Qt.Key.Key_Return)
    qtbot.keyClicks(view.line, "draft")
    seen = []
    for key in (Qt.Key.Key_Up,) * 4 + (Qt.Key.Key_Down,) * 3:
        qtbot.keyClick(view.line, key)
        seen.append(view.line.text())
    assert seen == ["two", "one", "from before", "from before", "one", "two", "draft"]


def test_what_is_typed_is_shown_and_told(view, qtbot) -> None:
    view.append(">>> ")
    with qtbot.waitSignal(view.submitted) as told:
        qtbot.keyClicks(view.line, "status()")
        qtbot.keyClick(view.line, Qt.Key.Key_Return)
    assert told.args == ["status()"]
    assert view.output.toPlainText() == ">>> status()\n"
    assert view.line.text() == ""


def test_ctrl_c_interrupts_and_copies_where_text_is_selected(view, qtbot) -> None:
    interrupts = []
    view.interrupt_wanted.connect(lambda: interrupts.append(1))
    view.line.setText("abc")
    view.line.selectAll()
    qtbot.keyClick(view.line, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert (interrupts, view.line.text()) == ([], "abc")
    view.line.deselect()
    qtbot.keyClick(view.line, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert (interrupts, view.line.text()) == ([1], "")


def test_tab_indents_at_the_beginning_of_a_line(view, qtbot) -> None:
    view.line.setFocus()
    qtbot.keyClick(view.line, Qt.Key.Key_Tab)
    qtbot.keyClicks(view.line, "x")
    assert view.line.text() == "    x"


def test_only_so_many_lines_are_kept(view) -> None:
    view.append("line\n" * (LINES + 500))
    assert view.output.blockCount() <= LINES


def test_one_who_has_scrolled_up_is_left_where_they_are(view) -> None:
    view.append("line\n" * 200)
    bar = view.output.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(3)
    view.append("line\n" * 10)
    assert bar.value() == 3


def test_nothing_can_be_typed_while_nothing_runs(view) -> None:
    view.show_running(False, "The console has ended.")
    assert not view.line.isEnabled()
    assert view.state.text() == "The console has ended."
    assert view.restart.text() == "Start"


def test_tab_behind_a_name_asks_what_can_become_of_it(view, qtbot) -> None:
    asked = []
    view.line.complete_wanted.connect(asked.append)
    view.line.setFocus()
    for text in ("quo", "x = frame.col", "é", "a[0].b", "12", "f("):
        view.line.setText(text)
        qtbot.keyClick(view.line, Qt.Key.Key_Tab)
        view.line.setFocus()
    assert asked == ["quo", "frame.col", "é"]


def test_what_all_names_begin_with_is_typed_and_the_rest_is_shown_above_the_prompt(view) -> None:
    view.append(">>> ")
    view.line.setText("x = pr")
    view.offer("pr", ("print(",))
    assert view.line.text() == "x = print("
    view.line.setText("frame.co")
    view.offer("frame.co", ("frame.columns", "frame.count("))
    view.offer("frame.co", ("frame.columns", "frame.count("))
    assert view.line.text() == "frame.co"
    assert view.output.toPlainText() == ">>> \ncolumns  count(\n" * 2 + ">>> "
    view.offer("frame.co", [f"frame.co{n:03}" for n in range(0, 1_000, 10)])
    assert view.output.toPlainText().endswith("\n… 40 more\n>>> ")
    assert max(map(len, view.output.toPlainText().splitlines())) <= 96


def test_an_answer_to_what_was_typed_before_changes_nothing(view) -> None:
    view.line.setText("print")
    view.offer("pr", ("property(",))
    view.offer("print", ("print",))
    view.offer("print", ())
    assert (view.line.text(), view.output.toPlainText()) == ("print", "")
