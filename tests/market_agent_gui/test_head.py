"""What stays on top and at the edge: it moves nothing under the mouse, and covers nothing one presses."""

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QAbstractButton

from engine.api.rows import AlarmRow
from tests.support_gui.harness import Desk, until

SIZES = [(1366, 768), (1920, 1080)]


def places(desk: Desk) -> dict[str, QRect]:
    return {name: dock.geometry() for name, dock in desk.shell.window.docks.items()}


@pytest.mark.parametrize("size", SIZES)
def test_an_alarm_that_comes_or_goes_moves_no_pane(desk: Desk, run: Callable, size: tuple[int, int]) -> None:
    async def story() -> None:
        await desk.open()
        window, banner = desk.shell.window, desk.shell.head.banner
        window.resize(*size)
        await asyncio.sleep(0.1)
        before = places(desk)
        desk.engine.put("alarms", AlarmRow(key="DATA", severity="red", happened="Data is late."))
        await until(lambda: banner.current is not None, "the alarm")
        await asyncio.sleep(0.1)
        assert places(desk) == before
        desk.engine.put("alarms", AlarmRow(key="DATA", severity="red", happened="Data is late.", acknowledged=True))
        await until(lambda: banner.current is None, "nothing to acknowledge")
        await asyncio.sleep(0.1)
        assert places(desk) == before

    run(story())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("template", ["Terminal", "Small screen", "Approval desk", "Automatic", "Keyboard", "Research"])
def test_no_note_covers_what_acts_and_esc_takes_them_away(
    desk: Desk, run: Callable, size: tuple[int, int], template: str
) -> None:
    async def story() -> None:
        await desk.open()
        shell, window = desk.shell, desk.shell.window
        del shell.head.toast  # the real one
        window.resize(*size)
        window.use_template(template)
        await asyncio.sleep(0.1)
        for number in range(4):
            shell.say("info", f"BUY AAPL {number}: 100 filled at 190.10")
        notes = [toast.geometry() for toast in shell.head.toaster.toasts]
        assert len(notes) == 4
        assert all(window.rect().contains(note) and note.top() >= window.head_height for note in notes)
        acting = [window.docks[name] for name in ("ticket", "suggestions", "depth")]
        acting += [button for button in window.findChildren(QAbstractButton) if button.window() is window]
        for part in acting:
            if part.isVisible() and not part.visibleRegion().isEmpty():
                place = QRect(part.mapTo(window, QPoint()), part.size())
                assert not any(place.intersects(note) for note in notes), part
        assert "BUY AAPL 3: 100 filled at 190.10" in shell.head.banner.accessibleName()
        desk.key("Esc", shell.presenters["positions"].pane)
        assert shell.head.toaster.toasts == []

    run(story())
