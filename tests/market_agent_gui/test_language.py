"""The whole window changes its language at once: nothing of the one before stays on the screen or in what is spoken."""

import asyncio

import pytest

from market_agent_gui.docks import TEMPLATES
from tests.support_gui.harness import Desk, until
from tests.support_gui.shown_texts import Tongues, painted, spoken_by

OWN_NAMES = {"Русский"}


async def everything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    window = desk.shell.window
    with painted(monkeypatch) as seen:
        for name in TEMPLATES:
            window.use_template(name)
            for dock in window.docks.values():
                dock.show()
                dock.raise_()
                await asyncio.sleep(0.01)
                if dock.pane is not None:
                    dock.pane.grab()
        for widget in (desk.shell.head.strip, desk.shell.head.banner, desk.shell.head.status, desk.shell.head.replay):
            widget.grab()
    desk.shell.program.menu.fill()
    said = spoken_by(window) | spoken_by(desk.shell.program.menu)
    return {item for item in said | {("painted", text) for text in seen} if item[1] not in OWN_NAMES}


def test_a_whole_window_says_everything_in_the_language_that_is_chosen(
    desk: Desk, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tongues = Tongues()

    async def use(name: str) -> set[tuple[str, str]]:
        desk.shell.program.use_language(name)
        await asyncio.sleep(0.3)
        return await everything(desk, monkeypatch)

    async def story() -> None:
        await desk.open()
        desk.shell.links.choose("chart", "AAPL")
        await until(lambda: desk.shell.presenters["chart"]._loaded, "the bars")
        first = await everything(desk, monkeypatch)
        assert {text for _, text in first if tongues.russian(text)} == set()
        assert len({text for _, text in first if tongues.english(text)}) > 100
        assert sorted(item for item in await use("ru") if tongues.english(item[1])) == []
        assert sorted(item for item in await use("en") if tongues.russian(item[1])) == []

    try:
        run(story())
    finally:
        desk.shell.language.use("en")
