"""The window's loop and a small engine behind the real wire, both in the test's own thread."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from market_agent_gui.loop import PreciseLoop
from tests.support_gui.harness import Desk


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[PreciseLoop]:
    """The window's loop, closed when the test ends."""
    qapp.setQuitOnLastWindowClosed(False)
    loop = PreciseLoop(qapp)
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def run(loop: PreciseLoop) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on the window's loop to its end, twenty seconds at most."""

    async def bounded(work: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.ensure_future(work)
        for _ in range(2000):
            done, _pending = await asyncio.wait({task}, timeout=0.01)
            if done:
                return task.result()
        task.cancel()
        raise TimeoutError("the test's coroutine did not end")

    return lambda work: loop.run_until_complete(bounded(work))


@pytest.fixture
def desk(tmp_path: Path, qapp: QApplication, loop: PreciseLoop) -> Iterator[Desk]:
    """A whole window before a running small engine; see :class:`Desk`."""
    made = Desk(tmp_path, qapp)
    yield made
    loop.run_until_complete(made.close())
