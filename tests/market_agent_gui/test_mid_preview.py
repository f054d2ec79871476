"""Something happens between the preview of an order and Enter: what goes out is what was seen, or nothing."""

from PySide6.QtWidgets import QApplication, QWidget

from engine.api.commands import Flatten, PlaceOrder
from tests.support_gui.harness import Desk, until


async def previewed(desk: Desk) -> QWidget:
    """Arm and stage a buy of AAPL; return the chart, where the keys are pressed."""
    chart = await desk.open_on("AAPL")
    shell = desk.shell
    shell.commander.run("arm", "key")
    desk.key("Ctrl+B", chart)
    assert shell.entry.staged is not None
    return chart


def test_the_focus_lost_meanwhile_disarms_and_what_was_staged_stays_unsent(desk: Desk, run) -> None:
    async def story() -> None:
        chart = await previewed(desk)
        shell = desk.shell
        shell.keys._on_focus_window(None)  # another program has it
        assert not shell.arming.armed
        shell.keys._on_focus_window(QApplication.focusWindow())  # and gives it back
        desk.key("Return", chart)
        assert not desk.sent(PlaceOrder)
        assert "the window lost the focus" in shell.key_log.presses[-1].outcome
        assert shell.entry.staged is not None

    run(story())


def test_another_symbol_meanwhile_disarms_and_drops_what_was_staged(desk: Desk, run) -> None:
    async def story() -> None:
        chart = await previewed(desk)
        shell = desk.shell
        shell.links.choose("chart", "MSFT")
        await until(lambda: shell.entry.staged is None, "nothing staged")
        assert not shell.arming.armed
        desk.key("Return", chart)
        assert not desk.sent(PlaceOrder)

    run(story())


def test_two_enters_at_once_are_one_order(desk: Desk, run) -> None:
    async def story() -> None:
        chart = await previewed(desk)
        for _ in range(5):
            desk.key("Return", chart)
        await until(lambda: desk.sent(PlaceOrder), "the order")
        desk.key("Return", chart)
        assert len(desk.sent(PlaceOrder)) == 1

    run(story())


def test_a_press_is_logged_with_the_intent_that_it_began_and_no_other(desk: Desk, run) -> None:
    async def story() -> None:
        chart = await previewed(desk)
        shell = desk.shell
        first = shell.entry.staged
        assert first is not None
        assert shell.key_log.presses[-1].intent == first.intent
        shell.guard._last.clear()
        desk.key("Ctrl+S", chart)
        second = shell.entry.staged
        assert second is not None
        assert second.intent != first.intent
        assert shell.key_log.presses[-1].intent == second.intent
        desk.key("Ctrl+5", chart)
        await until(lambda: desk.sent(Flatten), "the exit")
        assert shell.key_log.presses[-1].intent == desk.sent(Flatten)[0].intent_id
        desk.key("Ctrl+Shift+Backspace", chart)
        assert shell.key_log.presses[-1].intent == "", "what is staged has no part in it"

    run(story())
