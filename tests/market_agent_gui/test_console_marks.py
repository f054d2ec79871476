"""What the console and its pane say to each other is taken out of the output, however it comes in pieces."""

import pytest

from market_agent_gui.console_marks import BEGIN, MOST, READY, Marks, answer, asked, question

OUTPUT = f">>> {READY}{answer('pr', ('print(', 'property('))}more\n>>> {READY}{answer('é', ())}"
SHOWN = ">>> more\n>>> "
ANSWERS = [("pr", ("print(", "property(")), ("é", ())]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 1_000])
def test_marks_are_taken_out_wherever_the_pieces_are_cut(size: int) -> None:
    marks, shown, answers, ready = Marks(), "", [], False
    for at in range(0, len(OUTPUT), size):
        text, told, waits = marks.take(OUTPUT[at : at + size])
        shown, answers, ready = shown + text, answers + told, ready or waits
    assert (shown, answers, ready) == (SHOWN, ANSWERS, True)


def test_what_a_program_prints_by_itself_is_shown_and_holds_nothing_back_for_long() -> None:
    assert Marks().take("\x10\x03 plain\n") == ("\x10\x03 plain\n", [], False)
    marks = Marks()
    assert marks.take(f"{BEGIN}not an answer")[0] == ""
    assert len(marks.take("x" * (MOST + 1))[0]) > MOST
    assert Marks().take(f"{BEGIN}[1]\x10\x03{BEGIN}{{\x10\x03after") == ("after", [], False)


def test_a_question_is_told_from_a_line_of_python() -> None:
    assert asked(question('a"b')) == 'a"b'
    assert asked("quotes()") is None
    assert asked("\x10{") == asked("\x10[1]") == ""
