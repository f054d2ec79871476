"""The level of autonomy as a person chooses it in the strip."""

from collections.abc import Callable

from engine.api.commands import SetAutonomy
from market_agent_gui.raise_dialog import RaiseDialog
from tests.support_gui.harness import Desk, opened, until


def test_an_agent_that_was_disarmed_is_armed_by_choosing_its_level_again_and_only_with_a_reason(
    desk: Desk, run: Callable
) -> None:
    async def story() -> None:
        await desk.open()
        desk.engine.state(mode="MANUAL", autonomy="auto")
        await until(lambda: desk.shell.bridge.mirror.state().stands_down, "the news")
        desk.shell.modes.choose_autonomy("auto")
        (dialog,) = opened(RaiseDialog)
        assert desk.sent(SetAutonomy) == []
        dialog.reject()
        desk.engine.state(mode="AUTO", autonomy="auto")
        await until(lambda: not desk.shell.bridge.mirror.state().stands_down, "the news")
        desk.shell.modes.choose_autonomy("auto")
        assert opened(RaiseDialog) == []

    run(story())


def test_where_nothing_is_halted_no_dialog_says_it_was(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        assert not desk.shell.commander.run("resume")
        assert desk.toasts[-1] == ("warn", "trading is not halted")
        assert opened() == []
        desk.engine.state(halted=False, latches=(("DAY_LOSS", "", "the day's loss"),))
        await until(lambda: desk.shell.bridge.mirror.state().latches, "the latch")
        assert desk.shell.commander.run("resume")

    run(story())
