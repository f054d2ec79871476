"""A pane's own bar stands beside its title; where the dock is a tab and has no title, it stands over the pane."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from market_agent_gui.dock_frame import DockFrame, bar_of
from market_agent_gui.docks import BY_ID
from tests.support_gui.harness import Desk
from widgets.pane_head import PaneHead


def docked(qtbot, name: str) -> DockFrame:
    window = QMainWindow()
    qtbot.addWidget(window)
    dock = DockFrame(BY_ID[name], window)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.resize(400, 300)
    window.show()
    dock.owner = window
    return dock


class Pane(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.head = PaneHead([("a", "A"), ("b", "B")])
        column = QVBoxLayout(self)
        column.addWidget(self.head)
        column.addWidget(QWidget(), 1)
        self.setProperty("ownsKeys", True)


def test_the_bar_moves_with_the_head_there_and_back(qtbot) -> None:
    dock = docked(qtbot, "orders")
    pane = Pane()
    dock.fill(pane)
    assert pane.head.parent() is dock.head
    assert pane.head.property("ownsKeys"), "its keys mean what they mean in the pane"
    dock.fit_head(tabbed=True)
    assert pane.head.parent() is pane
    assert pane.layout().indexOf(pane.head) == 0
    dock.fit_head(tabbed=False)
    assert pane.head.parent() is dock.head


def test_a_bar_that_has_nothing_to_say_stays_hidden_wherever_it_stands(qtbot) -> None:
    dock = docked(qtbot, "ticket")
    pane = Pane()
    pane.head.setVisible(False)
    dock.fill(pane)
    assert pane.head.isHidden()
    dock.fit_head(tabbed=True)
    assert pane.head.isHidden()


def test_a_tab_of_a_bar_beside_the_title_is_clicked_and_its_empty_place_moves_the_pane(qtbot) -> None:
    dock = docked(qtbot, "orders")
    pane = Pane()
    dock.fill(pane)
    pane.head.grab()
    rect, name = pane.head._places[1]
    qtbot.mouseClick(pane.head, Qt.MouseButton.LeftButton, pos=rect.center())
    assert pane.head.current == name == "b"


def test_every_docked_pane_with_a_bar_has_it_in_its_head_and_every_tab_over_the_pane(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        window = desk.shell.window
        for template in ("Terminal", "Small screen", "Keyboard", "Terminal"):
            window.use_template(template)
            for dock in window.docks.values():
                bar = bar_of(dock.pane) if dock.pane is not None else None
                if bar is not None and not dock.isHidden():
                    in_head = dock.titleBarWidget() is dock.head
                    assert (dock.head if in_head else dock.pane).isAncestorOf(bar), (template, dock.objectName())

    run(story())
