"""The bell: one for a fill, two for a refusal, three for a halt; off when it is switched off."""

import asyncio

from pytestqt.qtbot import QtBot

from engine.api.frames import Notice
from market_agent_gui.notifications import BEAT_MS, Bell, Sound, read
from tests.support_gui.harness import Desk, until


def sound_of(kind: str, **event: object) -> Sound:
    news = read(Notice(seq=1, kind=kind, event=event))
    assert news is not None
    return news.sound


def test_fills_refusals_and_halts_sound_different() -> None:
    assert sound_of("OrderFilled") == sound_of("OrderPartlyFilled") == sound_of("ApprovalAsked") == Sound.FILL
    assert sound_of("OrderRejected") == sound_of("OrderUnknown") == sound_of("CancelRejected") == Sound.REFUSED
    assert sound_of("TradingHalted") == sound_of("ComponentFailed", halted=True) == Sound.HALTED
    assert sound_of("ModeChanged") == sound_of("ComponentFailed") == Sound.NONE


def test_a_burst_of_fills_rings_once_and_a_halt_breaks_in(qtbot: QtBot) -> None:
    rings: list[int] = []
    bell = Bell(lambda: rings.append(1))
    for _ in range(20):
        bell.ring(Sound.FILL)
    assert len(rings) <= 20
    qtbot.wait(2 * BEAT_MS)
    first = len(rings)
    assert first == 1
    bell.ring(Sound.FILL)
    bell.ring(Sound.HALTED)
    qtbot.waitUntil(lambda: len(rings) == first + 4)
    qtbot.wait(3 * BEAT_MS)
    assert len(rings) == first + 4


def test_sounds_are_switched_off_by_an_action_and_stay_off(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        rings: list[int] = []
        desk.shell.program.bell._beep = lambda: rings.append(1)
        desk.engine.notice("OrderFilled", symbol="AAPL", side="BUY", fill={"quantity": "1", "price": "2"})
        await until(lambda: rings, "the bell")
        desk.shell.commander.run("sounds", "menu")
        assert not desk.shell.preferences.now.sounds
        await asyncio.sleep(3 * BEAT_MS / 1000)
        heard = len(rings)
        desk.engine.notice("TradingHalted", by="test", reason="test")
        desk.engine.notice("OrderRejected", symbol="AAPL", side="BUY", reason="told last")
        await until(lambda: any("told last" in text for _, text in desk.toasts), "the notices")
        assert len(rings) == heard

    run(story())
