"""The window that stands before the program behind it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication

from market_agent_gui.chart_memory import ChartState
from market_agent_gui.commander import Commander
from market_agent_gui.docks import TEMPLATES
from market_agent_gui.keys.arming import Arming
from market_agent_gui.keys.controller import KeyController
from market_agent_gui.keys.fresh import FreshKeys
from market_agent_gui.keys.guard import PressGuard
from market_agent_gui.keys.log import KeyLog
from market_agent_gui.opening import Opening, paint_first
from market_agent_gui.workspace import WorkspaceStore, make_workspace


@pytest.fixture
def opening(qtbot: object, tmp_path: Path) -> Opening:
    made = Opening(tmp_path)
    yield made
    made.window.may_close = True
    made.window.close()
    made.window.deleteLater()


def test_the_first_loop_ends_once_the_window_is_painted(opening: Opening, qapp: QApplication) -> None:
    painted: list[bool] = []

    class Seen(type(opening.lines.strip)):  # type: ignore[misc]
        def paintEvent(self, event: QEvent) -> None:
            painted.append(True)
            super().paintEvent(event)

    opening.window.add_to_head(Seen())
    opening.show()
    paint_first(qapp, opening.window)
    assert painted
    assert opening.window.isVisible()


def test_a_window_that_cannot_be_painted_keeps_nothing_waiting(opening: Opening, qapp: QApplication) -> None:
    paint_first(qapp, opening.window)  # never shown
    assert not opening.window.isVisible()


def test_the_first_loop_never_runs_inside_another(opening: Opening, qapp: QApplication) -> None:
    errors: list[str] = []

    def inside() -> None:
        try:
            paint_first(qapp, opening.window)
        except RuntimeError as error:
            errors.append(str(error))
        qapp.exit(0)

    QTimer.singleShot(0, inside)
    qapp.exec()
    assert errors == ["the first paint comes before the program's own loop, never inside it"]


def test_the_last_look_stands_before_the_first_paint(tmp_path: Path, opening: Opening) -> None:
    store = WorkspaceStore(tmp_path)
    store.save_last(make_workspace("last", b"x", b"", {}, ChartState(), template="Keyboard"))
    opening.show()
    assert opening.window.template == "Keyboard"
    assert opening.last is not None


def test_a_damaged_last_look_gives_way_to_the_default(tmp_path: Path, opening: Opening) -> None:
    store = WorkspaceStore(tmp_path)
    store.save_last(make_workspace("last", b"no layout of ours", b"", {}, ChartState()))
    opening.show()
    assert opening.window.template in ("Terminal", "Small screen")
    assert opening.last is None


def test_the_strip_and_stop_stand_in_the_first_paint(opening: Opening, qapp: QApplication) -> None:
    opening.show()
    paint_first(qapp, opening.window)
    assert opening.lines.strip.isVisible()
    assert opening.lines.status.isVisible()
    wanted = TEMPLATES[opening.window.template].docks()
    assert all(opening.window.docks[name].isVisibleTo(opening.window) for name in wanted)


def test_a_window_that_had_the_focus_before_its_keys_were_known_hears_them(
    opening: Opening, qapp: QApplication, tmp_path: Path
) -> None:
    opening.show()
    opening.window.activateWindow()
    paint_first(qapp, opening.window)
    assert qapp.focusWindow() is opening.window.windowHandle()
    commander, ran = Commander(), []
    commander.register("palette", lambda: ran.append("palette"))
    controller = KeyController(
        qapp,
        commander,
        Arming(),
        PressGuard(),
        KeyLog(tmp_path / "keys.jsonl"),
        staged_intent=lambda: "",
        locked=lambda: False,
        fresh=FreshKeys(0, lambda _left: None),
    )
    key = QKeySequence(controller.keys.key("palette"))[0]
    event = QKeyEvent(QEvent.Type.KeyPress, key.key(), key.keyboardModifiers())
    QCoreApplication.sendEvent(opening.window.windowHandle(), event)
    controller.close()
    assert ran == ["palette"]
