"""Tables into files: what a table shows, as CSV where the person says."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from market_agent_gui.commander import Commander, Refusal
from market_agent_gui.main_window import MainWindow
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from widgets.grid_view import GridView


class TableFiles(QObject):
    """Asks for a file and writes the rows of a table into it."""

    said = Signal(str, str)
    """severity and one sentence."""

    def __init__(self, window: MainWindow, commander: Commander, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        commander.register("save_table", self.save_focused)

    def adopt(self, name: str, pane: QWidget) -> None:
        """Answer the tables of a pane when a person wants their rows in a file."""
        for table in tables_of(pane):
            self._answer(name, table)
        if (made := getattr(pane, "table_made", None)) is not None:
            made.connect(lambda table: self._answer(name, table))

    def _answer(self, name: str, table: "GridView") -> None:
        table.save_wanted.connect(lambda text: self.ask(name, text))

    def save_focused(self) -> None:
        """Ask where the rows of the pane with the focus shall go."""
        focus = QApplication.focusWidget()
        for name, dock in self._window.docks.items():
            if focus is None or not dock.isAncestorOf(focus) or dock.pane is None:
                continue
            shown = [table for table in tables_of(dock.pane) if table.isVisible()]
            for table in sorted(shown, key=lambda table: table is not focus and not table.isAncestorOf(focus)):
                self.ask(name, table.file_text())
                return
        raise Refusal(say("no table has the focus: choose a pane first, such as Orders or Fills"))

    def ask(self, name: str, text: str) -> None:
        """Ask for a file; the rows are those of the moment of the wish."""
        dialog = QFileDialog(self._window, say("Save all rows as CSV"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("CSV (*.csv)")
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(f"{name}.csv")
        dialog.fileSelected.connect(lambda path: self.write(Path(path), text))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def write(self, path: Path, text: str) -> None:
        """Write the rows: all of them, or the file stays as it was."""
        half = path.with_name(path.name + ".part")
        try:
            with half.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.replace(half, path)
        except OSError as error:
            half.unlink(missing_ok=True)
            self.said.emit("bad", say("The rows were not saved: {reason}", reason=error.strerror or error))
        else:
            self.said.emit("info", say("The rows are in {file}", file=path))


def tables_of(pane: QWidget) -> "list[GridView]":
    """Return the tables in a pane, the pane itself included."""
    from widgets.grid_view import GridView

    own = [pane] if isinstance(pane, GridView) else []
    return [*own, *pane.findChildren(GridView)]
