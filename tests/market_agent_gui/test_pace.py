"""Simulated time by key; what becomes a toast and what does not."""

from collections.abc import Callable

from engine.api.commands import SetSpeed, StepTime
from engine.api.frames import Notice
from market_agent_gui.notifications import read
from tests.support_gui.harness import Desk, until


def test_keys_pause_step_and_change_the_speed_of_simulated_time(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        mirror = desk.shell.bridge.mirror
        desk.key("Ctrl+P")
        assert desk.sent(SetSpeed) == []
        desk.engine.state(simulated_time=True, speed=5.0)
        await until(lambda: mirror.state().simulated_time, "simulated time")
        assert desk.shell.head.replay.isVisible()
        desk.key("Ctrl+PgUp")
        await until(lambda: mirror.state().speed == 20.0, "a faster market")
        desk.key("Ctrl+P")
        await until(lambda: mirror.state().paused, "a pause")
        desk.engine.state(speed=20.0)
        await until(lambda: mirror.state().speed == 20.0, "the speed that was")
        desk.shell.commander.run("time_step")
        desk.shell.commander.run("time_pause")
        await until(lambda: len(desk.sent(SetSpeed)) == 3, "going on")
        assert [command.seconds for command in desk.sent(StepTime)] == [60.0]
        assert [command.speed for command in desk.sent(SetSpeed)] == [20.0, 0.0, 20.0]

    run(story())


def test_only_fills_and_refusals_are_toasts() -> None:
    def toast(kind: str, **event: object) -> bool:
        return read(Notice(seq=1, kind=kind, event=event)).toast

    assert toast("OrderFilled", symbol="AAPL", side="BUY", fill={"quantity": "100", "price": "190.1"})
    assert toast("OrderRejected", symbol="AAPL", side="BUY", reason="no")
    assert toast("OrderUnknown", symbol="AAPL", side="BUY")
    assert not toast("ApprovalAsked", symbol="AAPL")
    assert not toast("ModeChanged", before="MANUAL", after="AUTO", reason="asked")
    assert not toast("TradingHalted", by="window", reason="stop pressed")
