"""The lock: nothing behind it can be seen or reached, in no window, whatever is done to it; STOP can."""

from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from engine.api.commands import Halt, PlaceOrder
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.loop import PreciseLoop
from tests.support_gui.harness import Desk, gone, until

PIN = "2468"


@pytest.fixture
def desk(tmp_path: Path, qapp: QApplication, loop: PreciseLoop) -> Desk:
    return Desk(tmp_path, qapp, "live")


async def locked(desk: Desk) -> None:
    await desk.open()
    desk.shell.program.pins.set(PIN)
    desk.shell.program.lock()


def test_a_pane_in_a_window_of_its_own_is_gone_while_the_lock_holds(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        dock = desk.shell.window.docks["ticket"]
        dock.setFloating(True)
        place = dock.pos()
        desk.shell.program.pins.set(PIN)
        desk.shell.program.lock()
        assert not dock.isVisible()
        assert not dock.pane.isEnabled()
        desk.shell.program.lock_page.line.setText(PIN)
        desk.shell.program.lock_page.line.returnPressed.emit()
        assert dock.isVisible()
        assert dock.isFloating()
        assert dock.pos() == place
        assert dock.pane.isEnabled()

    run(story())


def test_a_program_that_ends_behind_the_lock_keeps_its_windows_for_the_next_start(desk: Desk, run) -> None:
    seen: list[bool] = []

    async def story() -> None:
        await desk.open()
        dock, keep = desk.shell.window.docks["tape"], desk.shell.workspaces.close
        desk.shell.workspaces.close = lambda: (seen.append(dock.isVisible()), keep())  # type: ignore[method-assign]
        dock.setFloating(True)
        desk.shell.program.pins.set(PIN)
        desk.shell.program.lock()
        assert not dock.isVisible()
        desk.shell.quit()
        await until(lambda: seen, "the end")

    run(story())
    assert seen == [True]


def test_the_lock_covers_a_window_that_is_made_larger(desk: Desk, run) -> None:
    async def story() -> None:
        await locked(desk)
        desk.shell.window.resize(desk.shell.window.width() + 300, desk.shell.window.height() + 200)
        assert desk.shell.program.lock_page.geometry() == desk.shell.window.rect()

    run(story())


def test_tab_finds_the_pin_and_stop_and_nothing_that_lies_behind(desk: Desk, run) -> None:
    async def story() -> None:
        await locked(desk)
        page, found = desk.shell.program.lock_page, set[QWidget]()
        for _ in range(60):
            desk.shell.window.focusNextPrevChild(True)
            found.add(desk.shell.window.focusWidget())
        assert found <= {page.line, page.stop}
        page.stop.click()
        await until(lambda: desk.sent(Halt), "STOP")
        assert not desk.sent(PlaceOrder)

    run(story())


def test_a_question_that_was_open_is_answered_with_no(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        said: list[str] = []
        dialog = PlainDialog("Open trading?", "This is REAL money.", accept="Open", reject="Leave it")
        dialog.accepted.connect(lambda: said.append("yes"))
        dialog.rejected.connect(lambda: said.append("no"))
        desk.shell.open_dialog(dialog)
        desk.shell.program.pins.set(PIN)
        desk.shell.program.lock()
        assert said == ["no"]
        await until(lambda: gone(dialog), "the dialog's end")

    run(story())


def test_a_fill_is_not_told_over_the_lock_and_the_page_says_whose_money_it_is(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.head.toaster.show_toast("BUY AAPL", "100 filled")
        desk.shell.program.pins.set(PIN)
        desk.shell.program.lock()
        assert desk.shell.head.toaster.toasts == []
        desk.toasts.clear()
        desk.shell.say("info", f"BUY AAPL: {Decimal(100)} filled")
        assert desk.toasts == []
        assert desk.shell.program.lock_page.whose.text().startswith("LIVE · U")

    run(story())
