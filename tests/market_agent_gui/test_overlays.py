"""The rehearsal and the editor of keys: what a key would send is read whole; every key can be changed."""

import pytest
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from market_agent_gui.actions import ACTIONS, ORDER_GROUPS, Scope
from market_agent_gui.keys.editor import KeyEditor
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.overlay import TITLE_PX, RehearsalOverlay
from market_agent_gui.keys.rehearsal import Line
from widgets.theme import apply_theme, current_theme


def test_the_editor_knows_the_keys_of_every_place(qtbot: QtBot) -> None:
    editor = KeyEditor(KeyMap(), {spec.id for spec in ACTIONS}, "paper")
    qtbot.addWidget(editor)
    assert set(editor._items) == {spec.id for spec in ACTIONS}
    acts = {editor._items[spec.id].text(2) for spec in ACTIONS}
    assert len(acts) == len(Scope)


@pytest.mark.parametrize("width", [1366, 1920])
def test_a_rehearsal_cuts_nothing_that_would_be_sent(qtbot: QtBot, qapp: QApplication, width: int) -> None:
    apply_theme(qapp, "dark")
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(width, 768)
    overlay = RehearsalOverlay(parent)
    lines = [
        Line(action="x", key=key, title=title, effect=effect, able=True, group=group)
        for group in ORDER_GROUPS
        for key, title, effect in (
            ("Ctrl+Shift+F", "Flatten symbol", "SELL 200 AAPL · +1 230.00"),
            ("Shift+Tab", "Previous working order", "BUY 100 AAPL @ 190.98"),
            ("Ctrl+.", "STOP", "cancels every entry, keeps stops"),
        )
    ]
    overlay.show_lines(lines, "AAPL", "not armed")
    widths = overlay._widths()
    assert sum(widths) == width
    metrics = QFontMetrics(current_theme().font(12, QFont.Weight.Normal))
    for column in widths:
        room = column - 24 - overlay._key_width(lines[:3])
        assert all(metrics.horizontalAdvance(line.effect) <= room - 48 for line in lines)


def test_a_column_of_long_effects_takes_the_room_of_titles_elsewhere(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(1366, 768)
    overlay = RehearsalOverlay(parent)
    effects = dict.fromkeys(ORDER_GROUPS, "нет позиции по AAPL") | {
        "Order": "сдвигает вход, стоп и цель вместе · нажать дважды"
    }
    lines = [
        Line(
            action="x", key="Alt+PgDown", title="Всю заявку на десять шагов ниже", effect=effect, able=True, group=group
        )
        for group, effect in effects.items()
    ]
    overlay.show_lines(lines, "AAPL", "not armed")
    metrics = QFontMetrics(current_theme().font(12, QFont.Weight.Normal))
    for line, column in zip(lines, overlay._widths(), strict=True):
        assert metrics.horizontalAdvance(line.effect) <= column - 24 - overlay._key_width([line]) - TITLE_PX
