"""A window that is asked to end from outside leaves in order: the engine does not take it for frozen."""

import asyncio
import os
import signal

import pytest

from market_agent_gui.session import ENDS, Hooks
from tests.support_gui.harness import Desk, until


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_to_end_closes_the_window_with_a_goodbye_to_the_engine(desk: Desk, run, number: int) -> None:
    before = signal.getsignal(number)

    async def story() -> None:
        await desk.open()
        hooks = Hooks(desk.shell)
        hooks.install(asyncio.get_running_loop())
        try:
            os.kill(os.getpid(), number)
            await until(lambda: desk.engine.goodbyes, "the end of the connection")
        finally:
            hooks.remove()
        assert desk.engine.goodbyes == [True]
        assert desk.shell.window.isHidden()

    run(story())
    assert signal.getsignal(number) is before


def test_a_signal_that_is_to_be_ignored_stays_ignored(desk: Desk, run) -> None:
    number = ENDS[-1]
    before = signal.signal(number, signal.SIG_IGN)

    async def story() -> None:
        await desk.open()
        hooks = Hooks(desk.shell)
        hooks.install(asyncio.get_running_loop())
        try:
            assert signal.getsignal(number) is signal.SIG_IGN
        finally:
            hooks.remove()
        assert signal.getsignal(number) is signal.SIG_IGN

    try:
        run(story())
    finally:
        signal.signal(number, before)
