"""The whole window changes its language at once: nothing of the one before stays on the screen or in what is spoken."""

import asyncio
import re
from collections.abc import Callable

import pytest

from engine.api.frames import Notice
from market_agent_gui.docks import TEMPLATES
from market_agent_gui.notifications import read
from market_agent_gui.translate import say
from tests.support_gui.harness import Desk, until
from tests.support_gui.shown_texts import Tongues, painted, spoken_by
from widgets.words import once_more

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


ENGLISH = re.compile("[a-z]{2,} [a-z]{2,}")
SPOKEN = ("send", "arm", "edit_order", "exit_all", "stop_even", "size_risk", "stage_buy", "cancel_last", "acknowledge")


def test_no_refusal_of_order_entry_speaks_english_in_a_russian_window(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.program.use_language("ru")
        shell.links.choose("chart", "AAPL")
        await until(lambda: not shell.entry.blocked("AAPL"), "a fresh quote")
        desk.engine.state(halted=True, mode="HALTED", halt_reason="by hand")
        await until(lambda: shell.bridge.mirror.state().halted, "the halt")
        shell.links.choose("chart", "NVDA")
        desk.toasts.clear()
        for action in SPOKEN:
            shell.commander.run(action, "palette")
        shell.entry.drop()
        for action in SPOKEN:
            shell.commander.run(action, "palette")
        await until(lambda: len(desk.toasts) > 5, "the refusals")
        assert [text for _, text in desk.toasts if ENGLISH.search(text)] == []
        assert not ENGLISH.search(shell.arming.reason), shell.arming.reason
        shell.commander.run("stage_buy", "palette")
        shell.program.rehearsal.toggle()
        lines = shell.program.rehearsal.overlay._lines
        shell.program.rehearsal.toggle()
        assert [line.effect for line in lines if ENGLISH.search(line.effect)] == []
        shell.program.use_language("en")

    run(story())


def test_a_note_on_the_screen_is_said_again_in_the_other_language(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell, toaster = desk.shell, desk.shell.head.toaster
        del shell.head.toast  # the real one
        shell.say("bad", say("Cancel {symbol}", symbol="AAPL") + ": " + say("done"))
        shell.say("warn", "AAPL: no working order to change")
        shell.say("warn", say("keys stay disarmed: {reason}", reason="trading is halted"))

        def notes() -> list[tuple[str, str]]:
            return [(toast.title, toast.text) for toast in toaster.toasts]

        english = notes()
        shell.program.use_language("ru")
        assert notes() == [
            ("Снятие AAPL", "выполнено"),
            ("AAPL", "нет активной заявки, которую можно изменить"),
            ("клавиши не взведены", "торговля остановлена"),
        ]
        assert "выполнено" in toaster.toasts[0].accessibleName()
        shell.program.use_language("en")
        assert notes() == english

    run(story())


def test_a_fill_is_told_in_the_language_of_now_side_and_all(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        notice = Notice(
            seq=1, kind="OrderFilled", event={"side": "SELL", "symbol": "F", "fill": {"quantity": 5, "price": 12}}
        )
        news = read(notice)
        assert news is not None
        assert news.text == "SELL F: 5 filled at 12"
        desk.shell.language.use("ru")
        assert once_more(news.text) == "ПРОДАТЬ F: исполнено 5 по 12"

    try:
        run(story())
    finally:
        desk.shell.language.use("en")
