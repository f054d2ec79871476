"""Who else is connected to the engine stands in the status line."""

from collections.abc import Callable

from tests.support_gui.harness import Desk, until


def test_the_status_line_names_who_is_connected_and_forgets_who_has_left(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        line = desk.shell.head.status
        desk.engine.state(clients=("api", "window"), programs_trade=True)
        await until(lambda: ("service: may trade", "t1") in line._figures, "the service")
        desk.engine.state(clients=("window",))
        await until(lambda: not [text for text, _ in line._figures if "service" in text], "its end")

    run(story())
