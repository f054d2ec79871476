"""The watchlist and the symbol that a window remembers."""

import pytest

from tests.support_gui.harness import Desk, until


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
