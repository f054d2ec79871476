"""A workspace brings back what a person arranged: panes, columns, lists, links; and it is saved by Enter."""

from pathlib import Path

from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit

from market_agent_gui.workspace import WorkspaceStore
from tests.support_gui.harness import Desk, dialog_of, gone, until


def test_enter_saves_a_workspace_under_the_name_typed(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.commander.run("save_workspace", "test")
        dialog = dialog_of()
        field = dialog.findChild(QLineEdit)
        await until(lambda: QApplication.focusWidget() is field, "the field")
        field.setText("Mine")
        desk.key("Return")
        await until(lambda: "Mine" in desk.shell.workspaces.names(), "the workspace")
        assert gone(dialog)
        desk.shell.commander.run("save_workspace", "test")
        assert dialog_of().findChild(QLineEdit).text() == "Mine"
        dialog_of().reject()

    run(story())


def test_columns_sorting_list_and_links_come_back_and_a_reset_undoes_them(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        table = shell.window.docks["watchlist"].pane
        bid = table.view.column_ids().index("bid")
        table.make_list("Tech", ("AAPL",))
        table.view.set_column_shown(bid, True)
        table.view.sortByColumn(1, table.view.horizontalHeader().sortIndicatorOrder())
        shell.links.join("tape", "amber")
        kept = shell.workspaces._now("Kept")
        shell.workspaces.reset()
        assert table.view.isColumnHidden(bid)
        assert (table.model.shown_list, table.model.sorting[0]) == ("", -1)
        assert shell.links.group("tape") == "blue"
        assert shell.workspaces._take(kept)
        assert not table.view.isColumnHidden(bid)
        assert (table.model.shown_list, table.model.sorting[0]) == ("Tech", 1)
        assert shell.links.group("tape") == "amber"

    run(story())


def test_what_was_arranged_is_there_at_the_next_start(tmp_path: Path, qapp, loop, run) -> None:
    async def story() -> None:
        first = Desk(tmp_path, qapp)
        await first.open()
        pane = first.shell.window.docks["watchlist"].pane
        number = pane.view.column_ids().index("volume")
        assert pane.view.isColumnHidden(number)
        pane.view.set_column_shown(number, True)
        await first.close()
        second = Desk(tmp_path, qapp)
        await second.open()
        assert not second.shell.window.docks["watchlist"].pane.view.isColumnHidden(number)
        await second.close()

    run(story())


def test_a_workspace_can_be_deleted_and_the_programs_own_cannot_be_named(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.commander.run("delete_workspace", "test")
        assert "no workspace of your own" in desk.toasts[-1][1]
        for name in ("Lasting", "last", "Snapshot-3"):
            shell.workspaces._save(name)
        assert shell.workspaces._store.names() == ["Lasting"]
        assert "the program uses itself" in desk.toasts[-1][1]
        shell.commander.run("delete_workspace", "test")
        dialog = dialog_of()
        assert dialog.findChild(QComboBox).currentText() == "Lasting"
        dialog.yes.click()
        assert WorkspaceStore(desk.profile).names() == []

    run(story())


def test_a_workspace_goes_into_a_file_and_comes_back_from_it(desk: Desk, run, tmp_path: Path) -> None:
    async def story() -> None:
        await desk.open()
        shell, path = desk.shell, tmp_path / "exported.json"
        shell.window.float_dock("tape")
        shell.charts.main.set(axis="log")
        shell.workspaces._export(str(path))
        shell.workspaces.reset()
        shell.charts.main.set(axis="linear")
        assert not shell.window.docks["tape"].isFloating()
        shell.workspaces._import(str(path))
        assert shell.window.docks["tape"].isFloating()
        assert shell.charts.main.now.axis == "log"
        path.write_text('{"version": 1, "tables": 3}')
        shell.workspaces._import(str(path))
        assert "exported.json is no workspace" in desk.toasts[-1][1]
        shell.window.float_dock("tape", False)

    run(story())
