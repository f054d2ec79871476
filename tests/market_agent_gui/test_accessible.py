"""Every control a person can reach has a name that assistive tools can say, in each language."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QScrollBar,
    QWidget,
)

from tests.support_gui.harness import Desk, until

CONTROLS = (QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit)


def name_of(widget: QWidget) -> str:
    told = QAccessible.queryAccessibleInterface(widget)
    return (told.text(QAccessible.Text.Name) if told is not None else "") or widget.accessibleName()


def nameless(top: QWidget) -> list[str]:
    """Controls, and whatever takes the focus, without a name: class and the way to it."""
    found = []
    for widget in top.findChildren(QWidget):
        inside = any(isinstance(above, CONTROLS) for above in _above(widget, top))
        reachable = isinstance(widget, CONTROLS) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if isinstance(widget, QHeaderView | QScrollBar) or inside or not reachable:
            continue
        if not widget.isVisibleTo(top):
            continue
        if widget.objectName().startswith("qt_") or widget.focusProxy() is not None:
            continue
        if not name_of(widget).strip(" ▾×⋯☰…"):
            path = [type(above).__name__ for above in _above(widget, top)]
            found.append(" < ".join([type(widget).__name__, widget.objectName(), *path]))
    return found


def _above(widget: QWidget, top: QWidget) -> list[QWidget]:
    found = []
    above = widget.parentWidget()
    while above is not None and above is not top:
        found.append(above)
        above = above.parentWidget()
    return found


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_control_of_the_window_has_a_name(desk: Desk, run, language: str) -> None:
    async def story() -> None:
        await desk.open()
        await until(lambda: desk.shell.bridge.mirror.rows("suggestions"), "cards")
        desk.shell.program.use_language(language)
        desk.shell.program.open_palette("")
        for dock in desk.shell.window.docks.values():
            dock.show()
        assert "\n".join(nameless(desk.shell.window)) == ""

        desk.shell.program.lock_page.lock()
        assert nameless(desk.shell.program.lock_page) == []
        desk.shell.program.lock_page.hide()
        desk.shell.program.use_language("en")

    run(story())


@pytest.mark.parametrize(
    "action",
    [
        *(
            "save_workspace",
            "compare",
            "draw_text",
            "indicators",
            "edit_keys",
            "edit_sizes",
            "confirmations",
            "key_card",
        ),
        *("set_pin", "sign_mandate", "first_run"),
    ],
)
def test_every_control_of_a_dialog_has_a_name(desk: Desk, run, action: str) -> None:
    async def story() -> None:
        await desk.open()
        await until(lambda: desk.shell.window.docks["chart"].pane.chart.bar_count, "bars")
        before = set(desk.shell.app.topLevelWidgets())

        def dialogs() -> list[QWidget]:
            return [w for w in desk.shell.app.topLevelWidgets() if w not in before and w.isVisible()]

        desk.shell.commander.run(action, "test")
        await until(dialogs, "the dialog")
        for dialog in dialogs():
            assert nameless(dialog) == []
            dialog.close()

    run(story())
