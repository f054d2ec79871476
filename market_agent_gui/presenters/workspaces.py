"""Workspaces: save, use, reset, export, import; the last look is kept; a crash offers the look before it."""

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit

from market_agent_gui.charts import Charts
from market_agent_gui.commander import Commander, Refusal
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.docks import TEMPLATES
from market_agent_gui.links import LinkGroups
from market_agent_gui.main_window import MainWindow
from market_agent_gui.opening import arrange_as
from market_agent_gui.presenters.table_layouts import TableLayouts
from market_agent_gui.translate import say
from market_agent_gui.workspace import (
    Workspace,
    WorkspaceError,
    WorkspaceStore,
    is_own,
    make_workspace,
    read_workspace,
    write_workspace,
)

log = logging.getLogger(__name__)
SNAPSHOT_MS = 60_000


class WorkspacesPresenter(QObject):
    said = Signal(str, str)
    imported = Signal(object)
    """A :class:`Workspace` out of a file has been taken."""

    def __init__(
        self,
        window: MainWindow,
        links: LinkGroups,
        store: WorkspaceStore,
        commander: Commander,
        charts: Charts,
        tables: TableLayouts,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._tables = tables
        self._used = ""
        """The workspace saved or used last: the name a person most likely means."""
        self._window, self._links, self._store = window, links, store
        self._charts = charts
        self.presets: Callable[[], object] = dict
        """Returns what goes into an exported file beside the look."""
        self._timer = QTimer(self, interval=SNAPSHOT_MS)
        self._timer.timeout.connect(self._on_snapshot)
        commander.register("save_workspace", self.ask_name)
        commander.register("delete_workspace", self.ask_delete)
        commander.register("reset_workspace", self.reset)
        commander.register("export_workspace", self.ask_export)
        commander.register("import_workspace", self.ask_import)
        commander.register("new_chart", self.add_chart)
        if store.crashed:
            commander.register("restore_workspace", self.restore_snapshot)

    def open(self, last: Workspace | None) -> None:
        """Take up what belongs to the last look, in which the window stands already; ``None``: it is the default."""
        if last is not None:
            self._recall(last)
        if last is not None and self._store.crashed:
            self.said.emit("warn", say("The window did not close in order last time; its last saved layout is back."))
        try:
            self._store.mark_open()
        except OSError as error:
            log.warning("no crash mark: %s", error)
        self._timer.start()

    def close(self) -> None:
        """Keep the look for the next start."""
        self._timer.stop()
        try:
            self._store.save_last(self._now("last"))
            self._store.mark_closed()
        except (WorkspaceError, OSError) as error:
            log.warning("the layout was not kept: %s", error)

    def use(self, name: str) -> None:
        """Use a template or a saved workspace."""
        if name in TEMPLATES:
            self._window.use_template(name)
            return
        try:
            workspace = self._store.load(name)
        except WorkspaceError as error:
            raise Refusal(str(error)) from error
        if not self._take(workspace):
            raise Refusal(say("“{name}” was made by another version and cannot be used", name=name))
        self._used = name

    def names(self) -> list[str]:
        """Name what can be used: templates, then the person's own."""
        return [*TEMPLATES, *self._store.names()]

    def add_chart(self) -> None:
        """Open one chart more."""
        if not self._window.add_chart():
            raise Refusal(say("There are as many charts as one window has; close one first"))

    def reset(self) -> None:
        """Go back to the default look: panes, columns and one colour for all."""
        self._window.use_default()
        self._tables.reset()
        self._links.reset()

    def restore_snapshot(self) -> None:
        """Take the newest snapshot before the crash."""
        found = self._store.newest_snapshot()
        if found is None or not self._take(found):
            raise Refusal(say("There is no usable snapshot"))

    def ask_name(self) -> None:
        dialog = PlainDialog(
            say("Save this workspace"),
            say("Panes, sizes, link colours and symbols are kept under a name."),
            accept=say("Save"),
            reject=say("Do not save"),
            parent=self._window,
        )
        field = QLineEdit(self._used)
        field.selectAll()
        dialog.add_field(say("Name"), field)
        dialog.enter_accepts()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._save(field.text().strip()))
        dialog.open()

    def ask_delete(self) -> None:
        """Ask which of the person's own workspaces shall go."""
        names = self._store.names()
        if not names:
            raise Refusal(say("no workspace of your own is saved yet"))
        dialog = PlainDialog(
            say("Delete a workspace"),
            say("The window stays as it is; only what was saved under the name goes."),
            accept=say("Delete"),
            reject=say("Keep it"),
            parent=self._window,
        )
        choice = QComboBox()
        choice.addItems(names)
        dialog.add_field(say("Name"), choice)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._delete(choice.currentText()))
        dialog.open()

    def _delete(self, name: str) -> None:
        try:
            self._store.delete(name)
        except OSError as error:
            self.said.emit("bad", say("“{name}” was not deleted: {reason}", name=name, reason=error.strerror or error))
        else:
            self._used = "" if self._used == name else self._used
            self.said.emit("info", say("Workspace “{name}” deleted", name=name))

    def ask_export(self) -> None:
        dialog = self._file_dialog(say("Export workspace"), QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(self._export)
        dialog.open()

    def ask_import(self) -> None:
        dialog = self._file_dialog(say("Import workspace"), QFileDialog.AcceptMode.AcceptOpen)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._import)
        dialog.open()

    def _file_dialog(self, title: str, mode: QFileDialog.AcceptMode) -> QFileDialog:
        dialog = QFileDialog(self._window, title)
        dialog.setAcceptMode(mode)
        dialog.setNameFilter("JSON (*.json)")
        dialog.setDefaultSuffix("json")
        return dialog

    def _save(self, name: str) -> None:
        if name in TEMPLATES:
            self.said.emit("bad", say("“{name}” is the name of a template", name=name))
            return
        if is_own(name):
            self.said.emit("bad", say("“{name}” is a name the program uses itself", name=name))
            return
        try:
            self._store.save(self._now(name))
        except WorkspaceError as error:
            self.said.emit("bad", str(error))
        else:
            self._used = name
            self.said.emit("info", say("Workspace “{name}” saved", name=name))

    def _export(self, path: str) -> None:
        try:
            write_workspace(Path(path), msgspec.structs.replace(self._now("exported"), presets=self.presets()))
        except WorkspaceError as error:
            self.said.emit("bad", str(error))

    def _import(self, path: str) -> None:
        try:
            found = read_workspace(Path(path))
            if not self._take(found):
                raise WorkspaceError(say("it was made by another version"))
            self.imported.emit(found)
        except WorkspaceError as error:
            self.said.emit("bad", str(error))

    def _now(self, name: str) -> Workspace:
        return make_workspace(
            name,
            self._window.layout_state(),
            bytes(self._window.saveGeometry().data()),
            self._links.state(),
            self._charts.main.now,
            self._window.untouched_template,
            charts=self._charts.state(self._window.added_charts),
            tables=self._tables.state(),
        )

    def _take(self, workspace: Workspace) -> bool:
        if not arrange_as(self._window, workspace):
            return False
        self._recall(workspace)
        return True

    def _recall(self, workspace: Workspace) -> None:
        self._links.restore(workspace.links)
        self._charts.restore(workspace.chart, workspace.charts)
        self._tables.restore(workspace.tables)

    def _on_snapshot(self) -> None:
        try:
            self._store.snapshot(self._now("snapshot"))
        except WorkspaceError as error:
            log.warning("no snapshot: %s", error)
