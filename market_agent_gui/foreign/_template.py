"""A pane of your own: copy this file into your package and name it in your ``pyproject.toml``::

    [project.entry-points."market_agent.panes"]
    breadth = "my_package.breadth:PANE"

Installed beside the program, it stands in the menu under *Panes*, in the palette and in workspaces, marked as foreign.
Nothing of it is imported before the pane is opened. It runs in the window's thread: what takes long goes into a thread
or a process of yours, and comes back by a Qt signal. Import from ``engine.api``, ``engine.model`` and
``market_agent_gui.foreign.pane``; everything else changes without notice.
``tests/contracts/test_pane_contract.py`` says what every pane must do; run it on yours.
"""

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from engine.api.commands import GetStatus, Receipt
from market_agent_gui.foreign.pane import PaneHost, PaneSpec


class Breadth(QWidget):
    """Example: how many symbols are above their last close, and what the pane's colour group shows."""

    def __init__(self, host: PaneHost) -> None:
        super().__init__()
        self._host = host
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)  # what comes from outside is never markup
        self._answer = QLabel()
        self._answer.setTextFormat(Qt.TextFormat.PlainText)
        ask = QPushButton("Ask the engine")
        column = QVBoxLayout(self)
        for part in (self._words, ask, self._answer):
            column.addWidget(part)
        column.addStretch(1)
        ask.clicked.connect(self._ask)
        host.on_change(self._on_change)  # "quotes", "positions", "orders" or "symbol"
        self._show()

    def _on_change(self, what: str) -> None:
        if what in ("quotes", "symbol"):
            self._show()

    def _show(self) -> None:
        quotes = [quote for symbol in self._host.symbols() if (quote := self._host.quote(symbol)) is not None]
        known = [q for q in quotes if math.isfinite(q.last) and math.isfinite(q.previous_close)]  # NaN is unknown
        up = sum(q.last > q.previous_close for q in known)
        self._words.setText(f"{up} of {len(known)} above the last close · {self._host.symbol or 'no symbol'}")

    def _ask(self) -> None:
        # The answer comes later, in this thread; the window never waits.
        self._host.send(GetStatus(), self._on_status)

    def _on_status(self, receipt: Receipt) -> None:
        self._answer.setText(f"mode {receipt.data.get('mode')}" if receipt.ok else receipt.text)


PANE = PaneSpec(id="breadth", title="Breadth", factory=Breadth)
