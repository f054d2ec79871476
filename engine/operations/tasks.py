"""Owned tasks: one that dies is started again once, then trading is lowered. None dies unseen."""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import structlog

from engine.bus.bell import Bell
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes
from engine.operations.settings import OperationsSettings

_log = structlog.get_logger("tasks")
Work = Callable[[], Coroutine[Any, Any, None]]


class _Owned(NamedTuple):
    work: Work
    down_to: Mode


class TaskKeeper:
    """Runs long-lived tasks, watches those of other parts, and hears what the loop itself reports."""

    name = "tasks"

    def __init__(self, bus: Bus, clock: Clock, modes: Modes, lamps: Lamps, settings: OperationsSettings) -> None:
        self._bell, self._modes, self._lamps = Bell(bus, clock), modes, lamps
        self._restarts = settings.task_restarts
        self._owned: dict[str, _Owned] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watched: dict[asyncio.Task[Any], Mode] = {}
        self._failures: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    # --- life

    def start(self) -> None:
        """Hear of exceptions in the loop's callbacks (timers), which nobody else would ever see."""
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._on_loop_error)

    def look(self) -> None:
        return

    def stop(self) -> None:
        """Cancel what is owned. :meth:`wait` waits for it."""
        self._stopping = True
        for task in self._tasks.values():
            task.cancel()
        if self._loop is not None:
            self._loop.set_exception_handler(None)
            self._loop = None

    async def wait(self) -> None:
        """Until every owned task is at its end."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    # --- use

    def own(self, name: str, work: Work, down_to: Mode = Mode.MANUAL) -> None:
        """Run ``work()`` for as long as the engine runs; when it ends by itself, that is a failure too.

        ``down_to``: what trading is lowered to when starting it again did not help. ``HALTED`` for what money needs.
        """
        if name in self._tasks and not self._tasks[name].done():
            raise ValueError(f"a task called {name} runs already")
        self._owned[name] = _Owned(work, down_to)
        self._begin(name)

    def watch(self, task: asyncio.Task[Any], down_to: Mode = Mode.MANUAL) -> None:
        """Watch a task that another part owns: an exception in it lowers trading. Its end is that part's business."""
        if task not in self._watched:
            self._watched[task] = down_to
            task.add_done_callback(self._on_watched_done)

    def _begin(self, name: str) -> None:
        task = asyncio.get_running_loop().create_task(self._owned[name].work(), name=name)
        self._tasks[name] = task
        task.add_done_callback(self._on_owned_done)

    # --- ends

    def _on_owned_done(self, task: asyncio.Task[None]) -> None:
        name = task.get_name()
        if self._stopping or self._tasks.get(name) is not task:
            if not task.cancelled():
                task.exception()
            return
        error: BaseException = asyncio.CancelledError("it was cancelled")
        if not task.cancelled():
            error = task.exception() or RuntimeError("it ended by itself")
        self._failures[name] = self._failures.get(name, 0) + 1
        again = self._failures[name] <= self._restarts
        self._tell(name, error, None if again else self._owned[name].down_to)
        if again:
            self._begin(name)

    def _on_watched_done(self, task: asyncio.Task[Any]) -> None:
        down_to = self._watched.pop(task)
        if self._stopping or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._tell(task.get_name(), error, down_to)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A timer or callback raised, or a task nobody waited for: we do not know what it was for, so trading stops."""
        error = context.get("exception")
        if error is None or self._stopping:
            loop.default_exception_handler(context)
            return
        task = context.get("task") or context.get("future")
        name = task.get_name() if isinstance(task, asyncio.Task) else "a timer"
        self._tell(name, error, Mode.HALTED)

    def on_timer_error(self, error: Exception) -> None:
        """A timer of market time raised: nobody knows what it was for, so trading stops."""
        self._tell("a timer", error, Mode.HALTED)

    def _tell(self, name: str, error: BaseException, down_to: Mode | None) -> None:
        _log.error("task failed", task=name, error="".join(traceback.format_exception(error)))
        said = f"{type(error).__name__}: {error}"
        if down_to is None:
            did = "It was started again."
        else:
            self._modes.lower(down_to, self.name, f"the task {name} failed: {said}")
            did = f"Trading is lowered to {self._modes.mode.value}; stops at the broker remain."
        self._bell.failed(name, error, f"The task {name} failed. {did}", halted=down_to is Mode.HALTED)
        self._lamps.light(
            f"TASK-{name}",
            "amber" if down_to is None else "red",
            f"The engine's task {name} failed: {said}.",
            did,
            "Look at the log." if down_to is None else "Look at the log, and start the engine again.",
        )
