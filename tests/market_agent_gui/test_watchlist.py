"""The watchlist and the symbol that a window remembers."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtWidgets import QLineEdit

from engine.api.commands import GetBars, Receipt, Unwatch, Watch
from tests.support_gui.harness import Desk, dialog_of, until
from widgets.quote_table import symbols_of_file


@pytest.mark.parametrize("book", ["replay", "paper"])
def test_a_remembered_symbol_that_a_recording_does_not_hold_gives_way_to_one_that_it_holds(
    tmp_path, qapp, loop, run, book
) -> None:
    desk = Desk(tmp_path, qapp, book)

    async def story() -> None:
        desk.shell.links.choose("watchlist", "ZZZ")
        await desk.open()
        rows = desk.shell.presenters["watchlist"]._table.model.rows
        await until(lambda: rows and desk.shell.presenters["watchlist"]._looked, "the watchlist")
        assert desk.shell.links.symbol("chart") in (rows if book == "replay" else {"ZZZ"})
        await desk.close()

    run(story())


def lists_of(desk: Desk):  # type: ignore[no-untyped-def]
    return desk.shell.window.docks["watchlist"].pane


def choose(desk: Desk, words: str) -> None:
    menu = lists_of(desk)._choice.menu()
    next(action for action in menu.actions() if action.text().split("\t")[0] == words).trigger()


def test_lists_are_made_renamed_and_deleted_from_the_menu_and_kept(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        table = lists_of(desk)
        for name in ("Tech", "Metals"):
            choose(desk, "New list…")
            dialog_of().findChild(QLineEdit).setText(name)
            dialog_of().yes.click()
        table.add_symbols(("AAPL", "MSFT"), "Tech")
        assert table.model.shown_list == "Metals"
        choose(desk, "Rename this list…")
        dialog = dialog_of()
        dialog.findChild(QLineEdit).setText("tech")
        dialog.yes.click()
        assert "already" in dialog.problem.text()
        dialog.findChild(QLineEdit).setText("Gold")
        dialog.yes.click()
        assert list(table.lists) == ["Tech", "Gold"]
        choose(desk, "Delete this list…")
        dialog_of().yes.click()
        assert json.loads((desk.profile / "watchlists.json").read_text()) == {"Tech": ["AAPL", "MSFT"]}

    run(story())


def test_a_selected_symbol_goes_to_a_new_list(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        table = lists_of(desk)
        free = next(key for key, row in table.model.rows.items() if not row.held)
        table.view.select_key(free)
        action = next(found for found in table._row_actions(free) if found.text() == "Add to a new list…")
        action.trigger()
        dialog_of().findChild(QLineEdit).setText("One")
        dialog_of().yes.click()
        assert table.lists == {"One": (free,)}

    run(story())


def test_only_what_the_lists_asked_for_is_no_longer_watched_when_they_go(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        table = lists_of(desk)
        agents = next(key for key, row in table.model.rows.items() if not row.held)
        table.make_list("One", (agents, "RKLB"))
        await until(lambda: desk.sent(Watch), "the wish to watch")
        assert desk.sent(Watch)[-1].symbols == ("RKLB",)
        rows = dict(table.model.rows)
        table.apply([msgspec.structs.replace(rows[agents], key="RKLB", index=len(rows) + 1)])
        table.delete_list("One")
        await until(lambda: desk.sent(Unwatch), "the end of it")
        assert [command.symbols for command in desk.sent(Unwatch)] == [("RKLB",)]

    run(story())


def test_the_lists_are_watched_again_when_an_engine_has_started(desk: Desk, run) -> None:
    async def story() -> None:
        (desk.profile / "watchlists.json").write_text('{"Mine": ["AAPL", "RKLB"]}')
        await desk.open()
        await until(lambda: desk.sent(Watch), "the wish to watch")
        known = "AAPL" in lists_of(desk).model.rows
        assert desk.sent(Watch)[0].symbols == (("RKLB",) if known else ("AAPL", "RKLB"))

    run(story())


def test_the_picture_of_the_day_is_there_from_the_start(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        table = lists_of(desk)
        rows = table.model.rows

        def points(key: str) -> int:
            return int(np.isfinite(table.book.spark[rows[key].index]).sum())

        await until(lambda: rows and all(points(key) > 2 for key in rows), "a picture of every symbol")
        assert not desk.shell.presenters["watchlist"]._loads

    run(story())


def test_a_day_the_engine_did_not_know_at_first_is_asked_for_again(desk: Desk, run) -> None:
    answer, known = desk.engine._answer, False

    def empty_at_first(command):  # type: ignore[no-untyped-def]
        if isinstance(command, GetBars) and not known:
            return Receipt(ok=False, code="NO_BARS", text="none")
        return answer(command)

    desk.engine._answer = empty_at_first

    async def story() -> None:
        nonlocal known
        await desk.open()
        presenter, table = desk.shell.presenters["watchlist"], lists_of(desk)
        await until(lambda: presenter._without == set(table.model.rows) and presenter._later.isActive(), "the refusals")
        known = True
        presenter._later.setInterval(20)
        presenter._later.start()
        rows = table.model.rows
        await until(
            lambda: all(np.isfinite(table.book.spark[row.index]).sum() > 2 for row in rows.values()), "the pictures"
        )
        assert not presenter._without

    run(story())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("DES,AAPL,STK,SMART/NASDAQ,,,,,\nDES,ES,FUT,CME,202612,,,,\n", ("AAPL", "ES")),
        ("Name;Ticker;Last\nApple;AAPL;190.1\nBerkshire;BRK.B;410\n", ("AAPL", "BRK.B")),
        ("aapl, msft\nEUR.USD ESZ6", ("AAPL", "MSFT", "EUR.USD", "ESZ6")),
        ("", ()),
    ],
)
def test_symbols_are_read_from_lists_of_other_programs_from_tables_and_from_plain_text(text: str, found) -> None:
    assert symbols_of_file(text) == found


def test_a_file_makes_a_list_of_its_name_and_a_bad_one_is_told(desk: Desk, run, tmp_path: Path) -> None:
    async def story() -> None:
        await desk.open()
        dialogs = desk.shell.presenters["watchlist"]._lists
        path = tmp_path / "Favourites.txt"
        path.write_text("AAPL\nMSFT\n")
        dialogs.read(path)
        assert lists_of(desk).lists == {"Favourites": ("AAPL", "MSFT")}
        assert lists_of(desk).model.shown_list == "Favourites"
        dialogs.read(tmp_path / "gone.txt")
        assert "gone.txt cannot be read" in desk.toasts[-1][1]
        path.write_text("!!")
        dialogs.read(path)
        assert "no symbol" in desk.toasts[-1][1]

    run(story())
