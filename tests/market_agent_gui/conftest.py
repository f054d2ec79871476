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
def desk(tmp_path: Path, qapp: QApplication, loop: PreciseLoop) -> Desk:
    """A whole window before a small engine; ``run`` closes it. See :class:`Desk`."""
    return Desk(tmp_path, qapp)


@pytest.fixture
def run(request: pytest.FixtureRequest, loop: PreciseLoop) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine on the window's loop to its end, twenty seconds at most; then close the test's desk.

    All in one run: what still lives when qasync's run ends is stepped without a running loop.
    """
    desk: Desk | None = request.getfixturevalue("desk") if "desk" in request.fixturenames else None

    async def bounded(work: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.ensure_future(work)
        try:
            for _ in range(2000):
                done, _pending = await asyncio.wait({task}, timeout=0.01)
                if done:
                    return task.result()
            task.cancel()
            raise TimeoutError("the test's coroutine did not end")
        finally:
            if desk is not None:
                await desk.close()
            await asyncio.sleep(0.05)

    return lambda work: loop.run_until_complete(bounded(work))
