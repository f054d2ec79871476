"""A letter begins a symbol wherever none means anything else, and never where it does."""

import pytest
from PySide6.QtWidgets import QWidget

from engine.api.commands import Halt, Watch
from tests.support_gui.harness import Desk, until


def place(desk: Desk, where: str) -> QWidget:
    if where in ("chart", "ticket", "suggestions", "watchlist", "positions", "orders", "tape", "depth", "why"):
        return desk.shell.window.docks[where].pane
    return desk.shell.window.docks[where.partition(" ")[0]].pane.head


@pytest.mark.parametrize("where", ["tape", "depth", "why", "chart", "orders head"])
def test_letters_open_the_entry_of_symbols_with_what_was_typed(desk: Desk, run, where: str) -> None:
    async def story() -> None:
        await desk.open()
        palette = desk.shell.program.palette
        desk.shell.window.show_dock(where.partition(" ")[0])
        desk.key("M", place(desk, where))
        assert palette.isVisible()
        assert palette.line.text() == "M"
        palette.line.insert("SFT")
        assert [palette.list.item(n).text() for n in range(palette.list.count())] == ["MSFT"]
        palette._run()
        await until(lambda: desk.shell.links.symbol("chart") == "MSFT", "the symbol")

    run(story())


def test_what_is_typed_as_a_symbol_never_runs_an_action(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        palette = desk.shell.program.palette
        desk.key("S", place(desk, "tape"))
        palette.line.insert("TOP")
        assert [palette.list.item(n).text() for n in range(palette.list.count())] == ["STOP"]
        palette._run()
        await until(lambda: desk.sent(Watch), "the wish to watch it")
        assert desk.sent(Watch)[0].symbols == ("STOP",)
        assert not desk.sent(Halt)
        desk.shell.commander.run("palette", "key")
        assert palette.list.count() > 3

    run(story())


@pytest.mark.parametrize("where", ["watchlist", "positions", "suggestions", "ticket"])
def test_letters_keep_their_own_meaning_where_they_have_one(desk: Desk, run, where: str) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.window.show_dock(where)
        desk.key("M", place(desk, where))
        assert not desk.shell.program.palette.isVisible()

    run(story())


def test_a_letter_behind_the_lock_opens_nothing(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.program.pins.set("2468")
        desk.shell.program.lock()
        desk.key("M", place(desk, "tape"))
        assert not desk.shell.program.palette.isVisible()

    run(story())


def test_letters_of_the_chart_act_on_the_chart(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.links.choose("chart", "AAPL")
        before = desk.shell.charts.main.now.style
        desk.key("S", place(desk, "chart"))
        assert desk.shell.charts.main.now.style != before
        assert not desk.shell.program.palette.isVisible()

    run(story())
