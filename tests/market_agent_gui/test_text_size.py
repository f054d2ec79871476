"""The size of the text, changed while the window is open."""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel

from market_agent_gui.dock_frame import HeadMark
from tests.support_gui.harness import Desk
from widgets.banner_line import HEIGHT_PX, BannerLine
from widgets.pane_head import PaneHead
from widgets.position_table import TotalLine
from widgets.status_line import StatusLine
from widgets.theme import apply_theme, current_theme

HIGH = {PaneHead: 24, TotalLine: 22, HeadMark: 20, StatusLine: 24, BannerLine: HEIGHT_PX}


class Counter(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.StyleChange
        return False


def test_every_line_is_as_high_as_its_text_needs_and_comes_back(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        window, columns = desk.shell.window, desk.shell.presenters["watchlist"].pane.view
        narrow = columns.columnWidth(1)
        for step, scale in ((0.5, 1.5), (-0.5, 1.0)):
            desk.shell.program._scale(step)
            await asyncio.sleep(0.05)
            assert current_theme().scale == scale
            for kind, pixels in HIGH.items():
                found = window.findChildren(kind)
                assert found, kind
                assert {line.height() for line in found} == {round(pixels * scale)}, kind
        assert columns.columnWidth(1) == narrow

    try:
        run(story())
    finally:
        apply_theme(desk.shell.app, "dark")


def test_what_is_worn_already_is_not_put_on_again(qtbot, qapp) -> None:
    label, counter = QLabel("text"), Counter()
    qtbot.addWidget(label)
    label.show()
    label.installEventFilter(counter)
    try:
        apply_theme(qapp, "dark", 1.3)
        assert label.font().pixelSize() == 16
        assert counter.count == 1, "each time every widget is dressed anew"
        apply_theme(qapp, "light", 1.3)
        assert counter.count == 2
        assert label.palette().color(label.foregroundRole()) == current_theme().color("t1")
    finally:
        apply_theme(qapp, "dark")
