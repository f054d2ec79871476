"""The supervisor: what fails is seen, said in plain words, and trading stops before anybody reads about it."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import structlog

from engine.api.commands import Receipt
from engine.api.halt_flag import HALT_FLAG, read_halt_flag
from engine.bus.bell import Bell
from engine.bus.bus import Bus, Role
from engine.bus.clock import Clock
from engine.model.events.base import Event

LOOK_EVERY_S = 1.0
AGAIN_AFTER_S = 30.0
"""A halt that cannot be recorded is tried again so often."""
_log = structlog.get_logger("supervisor")


class Halter(Protocol):
    @property
    def halted(self) -> bool: ...
    def halt(self, by: str, reason: str, flatten: bool = False) -> object: ...


class Supervisor:
    """Hears of every failed handler and task; halts for deciders; watches the halt flag in the profile."""

    def __init__(self, clock: Clock, profile: Path) -> None:
        self._clock = clock
        self._profile = profile
        self._bus: Bus | None = None
        self._halter: Halter | None = None
        self._stop: Callable[[bool], Awaitable[Receipt]] | None = None
        self._failing = False
        self.failures = 0

    def connect(self, bus: Bus, halter: Halter, stop: Callable[[bool], Awaitable[Receipt]]) -> None:
        """``stop(flatten)`` is the full STOP; ``halter`` only sets the mode, and must work when all else fails."""
        self._bus, self._halter, self._stop = bus, halter, stop

    def on_failure(self, owner: str, role: Role, event: Event, error: Exception) -> None:
        """A handler raised. Never raises itself: it is the last line."""
        self.failures += 1
        _log.error(
            "handler failed", owner=owner, on=type(event).__name__, error="".join(traceback.format_exception(error))
        )
        if self._failing:
            return
        self._failing = True
        try:
            halted = False
            if role is Role.DECIDER and self._halter is not None:
                self._halter.halt("supervisor", f"{owner} failed: {error}")
                halted = True
            self._tell(owner, error, halted)
        except Exception:  # noqa: BLE001  the last line: a failure here is logged, never raised into the bus
            _log.critical("the supervisor itself failed", trace=traceback.format_exc())
        finally:
            self._failing = False

    def on_task_failed(self, owner: str, error: Exception) -> None:
        """An owned task ended with an error: what it did is not done any more, and everybody hears of it."""
        self.failures += 1
        _log.error("task failed", owner=owner, trace="".join(traceback.format_exception(error)))
        self._tell(owner, error, halted=False)

    def _tell(self, owner: str, error: Exception, halted: bool) -> None:
        if self._bus is None:
            return
        bell = Bell(self._bus, self._clock)
        did = "Trading is halted; stops at the broker remain." if halted else "Everything else goes on."
        bell.failed(owner, error, f"{owner} failed. {did}", halted)
        bell(
            f"FAILED-{owner}",
            "red" if halted else "amber",
            f"{owner} failed: {error}",
            did,
            "Look at the log; re-arm when it is clear why." if halted else "Look at the log.",
        )

    async def watch_flag(self) -> None:
        """Look for the halt flag until cancelled; the engine's task keeper runs it."""
        flag = self._profile / HALT_FLAG
        waits = False
        while True:
            flatten = read_halt_flag(self._profile)
            if self._stop is not None and flatten is not None:
                resumed = waits and self._halter is not None and not self._halter.halted
                if resumed or (await self._stop(flatten)).data.get("recorded") is not False:
                    flag.replace(flag.with_name(f"{HALT_FLAG}.done"))
                    waits = False
                else:
                    # It holds in memory, and over a restart by the flag; the journal takes it when there is room.
                    waits = True
                    await asyncio.sleep(AGAIN_AFTER_S)
            await asyncio.sleep(LOOK_EVERY_S)
