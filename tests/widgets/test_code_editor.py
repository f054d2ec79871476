"""The editor numbers its lines, marks faults at theirs, and writes what YAML can read."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QTextCharFormat

from widgets.code_editor import CodeEditor
from widgets.theme import current_theme


@pytest.fixture
def editor(qtbot) -> CodeEditor:
    made = CodeEditor()
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.replace_text("id: rest\nlong:\n  enter:\n    - close > 3  # a remark\n")
    made.show()
    return made


def painted(editor: CodeEditor) -> QImage:
    return editor.grab().toImage()


def has(image: QImage, colour: QColor, left: int, right: int) -> bool:
    return any(QColor(image.pixel(x, y)) == colour for x in range(left, right) for y in range(image.height()))


def test_a_fault_is_marked_at_its_line_and_only_there(editor) -> None:
    editor.set_faults({3: "what is wrong"})
    under = [
        s for s in editor.extraSelections() if s.format.underlineStyle() != QTextCharFormat.UnderlineStyle.NoUnderline
    ]
    assert [s.cursor.blockNumber() for s in under] == [2]
    assert has(painted(editor), current_theme().color("danger"), 0, 3)
    editor.set_faults({})
    assert not has(painted(editor), current_theme().color("danger"), 0, editor.margin_width())


def test_a_fault_beyond_the_text_is_no_error(editor) -> None:
    editor.set_faults({400: "gone"})
    editor.go_to(400)
    assert editor.textCursor().blockNumber() == 0


def test_the_margin_grows_with_the_lines(editor) -> None:
    before = editor.margin_width()
    editor.replace_text("\n" * 1_200)
    assert editor.margin_width() > before
    assert editor.viewportMargins().left() == editor.margin_width()


def test_tab_writes_spaces_and_enter_keeps_the_indent(editor, qtbot) -> None:
    editor.replace_text("  - a")
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    qtbot.keyClicks(editor, "b")
    assert editor.toPlainText() == "  - a\n    b"


def test_ctrl_s_asks_to_save_and_writes_nothing(editor, qtbot) -> None:
    text = editor.toPlainText()
    with qtbot.waitSignal(editor.save_wanted, timeout=500):
        qtbot.keyClick(editor, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert editor.toPlainText() == text


def test_keys_numbers_and_remarks_have_colours_of_their_own(editor) -> None:
    def roles(line: int) -> set[str]:
        found = editor.document().findBlockByNumber(line).layout().formats()
        return {span.format.foreground().color().name() for span in found}

    theme = current_theme()
    assert roles(0) == {theme.color("focus").name()}
    assert roles(3) == {theme.color("replay").name(), theme.color("t3").name()}
