"""The page that stands where the panes would be while there is no engine."""

import asyncio

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from market_agent_gui.bridge import LinkState
from market_agent_gui.engine_host import HostState, Phase
from market_agent_gui.engine_page import EnginePage
from market_agent_gui.translate import Language
from tests.support_gui.harness import Desk


def test_it_changes_its_language_while_it_stands(qtbot, qapp: QApplication) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    page = EnginePage(parent, "settings.yaml")
    page.show_state(HostState(phase=Phase.ABSENT, text=""), 40)
    language = Language(qapp)
    assert page.heading.text() == "No engine is running"
    try:
        language.use("ru")
        assert page.heading.text() != "No engine is running"
        assert "settings.yaml" in page.open.text()
        assert "Open" not in page.open.text()
    finally:
        language.use("en")
    assert page.heading.text() == "No engine is running"


@pytest.mark.parametrize("phase", [Phase.DOWN, Phase.BAD_SETTINGS, Phase.STOPPED, Phase.WAITING])
def test_a_window_that_cannot_connect_starts_no_engine_that_is_to_stay_down(desk: Desk, run, phase: Phase) -> None:
    async def story() -> None:
        await desk.open()
        shell, starts = desk.shell, []
        shell.host.start = lambda: starts.append(phase)
        shell.host._set(phase, "it ended")
        for _ in range(3):
            shell.bridge.link_changed.emit(LinkState.LOST.value, "there is no engine behind the door")
        assert starts == []
        assert shell.host.state.phase is phase

    run(story())


def test_when_a_replay_has_ended_its_results_stay_in_sight_and_the_strip_says_so(tmp_path, qapp, loop) -> None:
    desk = Desk(tmp_path, qapp, book="replay")

    async def story() -> None:
        try:
            await desk.open()
            shell = desk.shell
            shell.bridge.link = LinkState.LOST
            shell.host._set(Phase.STOPPED, "the engine has stopped", 0)
            assert shell.page is None or shell.page.isHidden()
            assert shell.head.strip._away == "the replay is over"
            shell.host._set(Phase.STOPPED, "the engine has stopped", 3)
            assert shell.page is not None, "an engine that failed is told"
        finally:
            await desk.close()

    loop.run_until_complete(asyncio.wait_for(story(), 20))
