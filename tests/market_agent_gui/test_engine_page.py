"""The page that stands where the panes would be while there is no engine."""

from PySide6.QtWidgets import QApplication, QWidget

from market_agent_gui.engine_host import HostState, Phase
from market_agent_gui.engine_page import EnginePage
from market_agent_gui.translate import Language


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
