"""The window's asyncio loop: Qt's own, with precise timers.

qasync's timers are coarse and truncate to whole milliseconds, so a short sleep may end early. Ours round up and ask
Qt for precise ones. A cancelled timer stays until it expires: no long ``wait_for`` in the window.
"""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

import qasync
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication


class PreciseLoop(qasync.QEventLoop):
    """``qasync.QEventLoop`` whose ``call_later`` never fires early."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        timer = self._timer
        callbacks = timer._SimpleTimer__callbacks

        def add(handle: asyncio.Handle, delay: float = 0) -> asyncio.Handle:
            milliseconds = max(0, math.ceil(delay * 1000))
            callbacks[timer.startTimer(milliseconds, Qt.TimerType.PreciseTimer)] = handle
            return handle

        timer.add_callback = add


class TaskOwner:
    """Owns tasks by name: none is lost, none dies unheard, all end with their owner."""

    def __init__(self, on_error: Any) -> None:
        """``on_error(name, error)`` runs for every task that ends by an exception."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_error = on_error

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run ``work`` as an owned task."""
        task = asyncio.get_event_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(task.get_name(), error)

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)


async def signal_once(signal: Any, owner: QObject) -> Any:
    """Wait for one emission of a Qt signal (a dialog's ``finished``) without a nested loop; return its argument.

    Ends with ``None`` when ``owner`` is destroyed first.
    """
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def take(*values: object) -> None:
        if not future.done():
            future.set_result(values[0] if values else None)

    def gone() -> None:
        if not future.done():
            future.set_result(None)

    signal.connect(take)
    owner.destroyed.connect(gone)
    return await future
