"""What the menu of the watchlist asks: a name for a list, whether one shall go, a file with symbols."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.services import Services
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from widgets.quote_table import QuoteTable

LONGEST = 30
MOST_BYTES = 1_000_000


class WatchlistDialogs:
    """Answers ``list_wanted`` of one table."""

    def __init__(self, services: Services, table: "QuoteTable") -> None:
        self._services, self._table = services, table
        table.list_wanted.connect(self._on_wanted)

    def _on_wanted(self, what: str) -> None:
        shown = self._table.model.shown_list
        if what == "new":
            self._ask_name("", ())
        elif what == "add":
            self._ask_name("", tuple(self._table.view.selected_keys()))
        elif what == "import":
            self._ask_file()
        elif shown and what == "rename":
            self._ask_name(shown, ())
        elif shown:
            self._ask_delete(shown)

    def _ask_name(self, old: str, symbols: tuple[str, ...]) -> None:
        dialog = PlainDialog(
            say("Rename the list") if old else say("New list"),
            say("Its symbols are watched until no list holds them."),
            accept=say("Rename") if old else say("Make it"),
            reject=say("Leave it"),
        )
        field = QLineEdit(old)
        field.setMaxLength(LONGEST)
        field.selectAll()
        dialog.add_field(say("Name"), field)
        dialog.enter_accepts()

        def accept() -> None:
            name = " ".join(field.text().split())
            taken = {known.casefold() for known in self._table.lists if known != old}
            if not name:
                dialog.complain(say("A list needs a name."))
            elif name.casefold() in taken:
                dialog.complain(say("There is a list “{name}” already.", name=name))
            else:
                if old:
                    self._table.rename_list(old, name)
                else:
                    self._table.make_list(name, symbols)
                dialog.accept()

        dialog.buttons.accepted.disconnect()
        dialog.buttons.accepted.connect(accept)
        self._services.open_dialog(dialog)

    def _ask_delete(self, name: str) -> None:
        dialog = PlainDialog(
            say("Delete the list “{name}”?", name=name),
            say("What you hold stays in sight; what stands in no other list is no longer watched."),
            accept=say("Delete"),
            reject=say("Keep it"),
        )
        dialog.accepted.connect(lambda: self._table.delete_list(name))
        self._services.open_dialog(dialog)

    def _ask_file(self) -> None:
        dialog = QFileDialog(QApplication.activeWindow(), say("Symbols from a file"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([say("Lists (*.csv *.txt *.tls)"), say("All files (*)")])
        dialog.fileSelected.connect(lambda path: self.read(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def read(self, path: Path) -> None:
        """Take the symbols of a file into the list shown, or into one named after the file."""
        from widgets.quote_table import symbols_of_file

        try:
            if path.stat().st_size > MOST_BYTES:
                self._services.say("warn", say("{file} is too large for a list of symbols", file=path.name))
                return
            symbols = symbols_of_file(path.read_text(encoding="utf-8-sig", errors="replace"))
        except OSError as error:
            reason = error.strerror or str(error)
            self._services.say("warn", say("{file} cannot be read: {reason}", file=path.name, reason=reason))
            return
        if not symbols:
            self._services.say("warn", say("There is no symbol in {file}", file=path.name))
            return
        name = self._table.model.shown_list or path.stem[:LONGEST]
        self._table.make_list(name, symbols)
        words = say("{n} symbols of {file} are in “{name}”", n=len(symbols), file=path.name, name=name)
        self._services.say("info", words)
