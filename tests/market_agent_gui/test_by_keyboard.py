"""What the menu has is found by keys alone, and a table goes into a file."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from engine.api.commands import Halt
from market_agent_gui.keys.controller import key_of
from market_agent_gui.keys.editor import KeyEditor
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.resume_dialog import ResumeDialog
from tests.support_gui.harness import Desk, dialog_of, until


def choose(desk: Desk, text: str) -> None:
    """Type into the palette and press Enter."""
    desk.key("Ctrl+K")
    palette = desk.shell.program.palette
    palette.line.setText(text)
    assert palette.list.count(), f"the palette does not know {text!r}"
    palette._run()


@pytest.mark.parametrize("pane", ["orders", "positions", "fills", "denials", "limits", "log", "news"])
def test_every_pane_is_reached_through_the_palette(desk: Desk, run, pane: str) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.window.docks[pane].hide()
        choose(desk, pane)
        dock = desk.shell.window.docks[pane]
        assert dock.isVisible()
        focus = QApplication.focusWidget()
        assert focus is not None
        assert dock.isAncestorOf(focus)

    run(story())


def test_the_blotter_is_saved_by_keys_alone(desk: Desk, run, tmp_path: Path) -> None:
    async def story() -> None:
        await desk.open()
        await until(lambda: desk.shell.bridge.mirror.working(), "orders")
        choose(desk, "orders pane")
        choose(desk, "save all rows")
        dialog = dialog_of(QFileDialog)
        file = tmp_path / "orders.csv"
        dialog.fileSelected.emit(str(file))
        dialog.close()
        lines = file.read_text(encoding="utf-8").splitlines()
        assert "Symbol" in lines[0]
        assert len(lines) > 1

    run(story())
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []


def test_the_entry_of_a_tables_menu_asks_for_a_file_and_a_full_disk_is_told(desk: Desk, run, tmp_path: Path) -> None:
    async def story() -> None:
        await desk.open()
        table = desk.shell.window.docks["fills"].pane
        menu = table.row_menu("")
        next(action for action in menu.actions() if action.text().startswith("Save all rows")).trigger()
        dialog = dialog_of(QFileDialog)
        dialog.fileSelected.emit(str(tmp_path / "nowhere" / "fills.csv"))
        dialog.close()
        assert [text for severity, text in desk.toasts if severity == "bad" and "not saved" in text]

    run(story())


def test_a_theme_and_a_language_are_chosen_in_the_palette(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        choose(desk, "theme light")
        assert desk.shell.preferences.now.theme == "light"
        choose(desk, "language ru")
        assert desk.shell.preferences.now.language == "ru"
        choose(desk, "language en")

    run(story())


def test_f10_opens_the_menu(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.key("F10")
        menu = desk.shell.program.menu
        assert menu.isVisible()
        menu.close()

    run(story())


def test_another_workspace_never_leaves_the_focus_on_stop(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        window = desk.shell.window
        for name in ("Approval desk", "Keyboard", "Terminal", "Small screen"):
            window.show_dock("watchlist")
            choose(desk, name)
            await asyncio.sleep(0.1)
            focus = QApplication.focusWidget()
            assert focus is not None, name
            assert any(dock.isAncestorOf(focus) for dock in window.docks.values()), f"{name}: {focus}"

    run(story())


def test_resuming_is_typed_without_looking_for_the_field(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.engine.state(halted=True, mode="HALTED")
        await until(lambda: desk.shell.bridge.mirror.state().halted, "the halt")
        choose(desk, "resume trading")
        dialog = dialog_of(ResumeDialog)
        assert dialog.focusWidget() is dialog.word
        dialog.reject()

    run(story())


def test_a_palette_that_finds_nothing_says_so_and_is_as_high_as_what_it_shows(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.commander.run("palette", "key")
        palette = desk.shell.program.palette
        full = palette.height()
        palette.line.setText("no such thing")
        assert palette.nothing.text() == "Nothing is called “no such thing”"
        assert not palette.nothing.isHidden()
        assert palette.list.isHidden()
        assert palette.height() < full / 3
        palette._run()
        assert palette.isVisible(), "Enter on nothing does nothing"
        palette.line.setText("stop")
        assert palette.nothing.isHidden()
        assert not palette.list.isHidden()

    run(story())


@pytest.mark.parametrize(
    ("letter", "key"), [("Ю", "Ctrl+."), ("Б", "Ctrl+,"), ("Ж", "Ctrl+;"), ("Ы", "Ctrl+S"), ("Ё", "Ctrl+`")]
)
def test_on_the_russian_layout_a_key_means_what_is_printed_beside_its_letter(letter: str, key: str) -> None:
    event = QKeyEvent(QEvent.Type.KeyPress, ord(letter), Qt.KeyboardModifier.ControlModifier, letter)
    assert key_of(event) == key


def test_stop_is_heard_from_the_russian_layout(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        event = QKeyEvent(QEvent.Type.KeyPress, ord("Ю"), Qt.KeyboardModifier.ControlModifier, "ю")
        QCoreApplication.sendEvent(QApplication.focusWindow(), event)
        await until(lambda: desk.sent(Halt), "STOP")

    run(story())


def test_stop_is_heard_while_keys_are_being_changed_and_no_other_key_acts(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.commander.run("edit_keys", "menu")
        editor = next(w for w in QApplication.topLevelWidgets() if isinstance(w, KeyEditor) and w.isVisible())
        await until(lambda: QApplication.focusWindow() is editor.windowHandle(), "the editor's focus")
        editor.tree.setCurrentItem(editor._items["exit_half"])
        desk.key("Ctrl+B")
        assert desk.shell.entry.staged is None
        assert not desk.sent(Halt)
        desk.key("Ctrl+.")
        await until(lambda: desk.sent(Halt), "STOP")
        assert editor.keys.key("exit_half") == "Ctrl+5"
        editor.reject()

    run(story())


def test_buttons_name_the_keys_that_hold_now(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.program._use_keys(KeyMap({"stop": "Ctrl+J", "acknowledge": "F9", "exit_all": "Ctrl+9"}))
        assert shell.head.strip.halt._key == "Ctrl+J"
        assert shell.head.banner._button.key == "F9"
        ticket = shell.window.docks["ticket"].pane
        shell.links.choose("ticket", "MSFT")
        assert ticket.flatten.key == "Ctrl+9"
        shell.program.pins.set("2468")
        shell.program.lock()
        assert "Ctrl+J" in shell.program.lock_page.stop.text()

    run(story())
