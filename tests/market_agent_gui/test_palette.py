"""The palette finds every action, pane, symbol, workspace, theme and language by its own words."""

import msgspec
import pytest

from market_agent_gui.docks import DOCKS, title
from market_agent_gui.palette import ROW_PX, find
from market_agent_gui.translate import LANGUAGES, say
from tests.support_gui.harness import Desk, until
from widgets.theme import current_theme


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_action_and_pane_is_the_first_that_its_title_finds(desk: Desk, run, language: str) -> None:
    async def story() -> None:
        await desk.open()
        desk.shell.program.use_language(language)
        source = desk.shell.program.palette_source
        titles = [say(spec.title) for spec in desk.shell.commander.known() if spec.id != "palette"]
        titles += [title(spec) for spec in DOCKS] + list(LANGUAGES.values())
        lost = [words for words in titles if find(words, source.entries(words))[0].title != words]
        desk.shell.program.use_language("en")
        assert lost == []

    run(story())


def test_every_symbol_is_the_first_that_its_letters_find_however_many_begin_alike(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        await until(lambda: desk.shell.bridge.mirror.rows("quotes"), "symbols")
        rows = desk.shell.bridge.mirror._tables["quotes"]
        some = next(iter(rows.values()))
        for number in range(30):
            rows[f"A{number}"] = msgspec.structs.replace(some, key=f"A{number}", index=500 + number)
        rows["A"] = msgspec.structs.replace(some, key="A", index=600)
        source = desk.shell.program.palette_source
        for symbol in rows:
            assert find(symbol, source.entries(symbol))[0].title == symbol
            assert source.symbols(symbol.lower())[0].title == symbol

    run(story())


def test_the_box_is_as_high_as_what_it_shows(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        palette = desk.shell.program.palette
        palette.open("save")
        rows = palette.list.count()
        assert 0 < rows < 6
        assert palette.list.sizeHintForRow(0) == current_theme().px(ROW_PX)
        assert palette.list.viewport().height() - rows * palette.list.sizeHintForRow(0) < current_theme().px(ROW_PX)
        assert not palette.list.verticalScrollBar().isVisible()

    run(story())
