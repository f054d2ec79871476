"""What is never hidden: mode strip and banner on top, status line and toasts below."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from market_agent_gui.translate import say

if TYPE_CHECKING:
    from market_agent_gui.shell import Shell


class Head(QObject):
    def __init__(self, shell: "Shell") -> None:
        super().__init__(shell)
        self._shell = shell
        self.menu_button = QToolButton()
        self.menu_button.setText("☰")
        self.menu_button.setProperty("role", "flat")
        self.menu_button.setAccessibleName(say("Menu"))
        self.menu_button.clicked.connect(self.open_menu)
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.menu_button)
        line.addStretch(1)
        shell.window.add_to_head(row)

    def open_menu(self) -> None:
        button = self.menu_button
        self._shell.program.menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def toast(self, severity: str, text: str) -> None:
        self._shell.window.statusBar().showMessage(text, 8000)
