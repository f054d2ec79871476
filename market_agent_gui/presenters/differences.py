"""Where our positions and the broker's differ, and taking the broker's over."""

from PySide6.QtWidgets import QWidget

from engine.api.rows import DriftRow
from market_agent_gui.presenters.asking import Asking
from market_agent_gui.presenters.pane import PanePresenter
from market_agent_gui.services import Services


class DifferencesPresenter(PanePresenter):
    dock = "differences"
    tables = ("drifts",)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._asking = Asking(services.bridge, self)

    def make(self) -> QWidget:
        from widgets.drift_table import DriftTable

        table = DriftTable()
        table.symbol_chosen.connect(self.choose)
        table.adopt_wanted.connect(self._on_adopt)
        self.feed("drifts", table.apply)
        return table

    def _on_adopt(self, row: DriftRow) -> None:
        from market_agent_gui.adopt_dialog import AdoptDialog

        state = self.services.bridge.mirror.state()
        dialog = AdoptDialog(row, pin=state is None or state.pin_set)
        dialog.chosen.connect(lambda command: self._asking.send(dialog, command))
        self.services.open_dialog(dialog)
