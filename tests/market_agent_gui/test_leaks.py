"""What is opened and closed all day long leaves nothing behind."""

import asyncio
import gc

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from tests.support_gui.harness import Desk, asked

OFTEN = [15, pytest.param(200, marks=pytest.mark.long)]


def counted(desk: Desk) -> tuple[int, int]:
    """Return how many widgets without a parent there are, and how many widgets hang on the main window."""
    gc.collect()
    return len(QApplication.topLevelWidgets()), len(desk.shell.window.findChildren(QWidget))


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)


@pytest.mark.parametrize("times", OFTEN)
@pytest.mark.parametrize(
    "action",
    ["key_card", "edit_keys", "edit_sizes", "confirmations", "compare", "set_pin", "sign_mandate", "first_run"],
)
def test_a_dialog_opened_and_closed_many_times_leaves_no_widget(desk: Desk, run, action: str, times: int) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "AAPL")

        async def once() -> None:
            assert shell.commander.run(action, "menu")
            (await asked()).reject()
            await settle()

        await once()
        before = counted(desk)
        for _ in range(times):
            await once()
        assert counted(desk) == before

    run(story())


@pytest.mark.parametrize("times", OFTEN)
def test_palette_and_menus_opened_many_times_leave_no_widget(desk: Desk, run, times: int) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        chart = shell.presenters["chart"]._pane

        async def once() -> None:
            shell.commander.run("palette", "key")
            shell.program.palette.line.setText("the")
            shell.program.palette.close_palette()
            shell.program.menu.aboutToShow.emit()
            chart.style.menu().aboutToShow.emit()
            await settle()

        await once()
        before = counted(desk)
        for _ in range(times):
            await once()
        assert counted(desk) == before

    run(story())
