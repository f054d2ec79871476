"""The end of a run: every part is stopped, whatever the one before it did; then what went wrong is told."""

import asyncio
import inspect
import traceback
from collections.abc import Callable, Sequence

import structlog

from engine.bus.errors import MarketAgentError
from engine.model.events.system import RunSummary

Step = tuple[str, Callable[[], object]]
"""(part, how it is stopped: a function or a coroutine function)."""
_log = structlog.get_logger("ending")


class UncleanStop(MarketAgentError):
    """Parts failed while they were stopped. All the others were stopped, and the summary is whole."""

    def __init__(self, summary: RunSummary, failures: Sequence[str]) -> None:
        super().__init__("the engine stopped, but not cleanly: " + "; ".join(failures))
        self.summary = summary


async def stop_all(steps: Sequence[Step]) -> list[str]:
    """Take every step in order; return what failed, as sentences."""
    failures: list[str] = []
    for name, step in steps:
        try:
            waiting = step()
            if inspect.isawaitable(waiting):
                await waiting
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  the last boundary: the rest still stops
            _log.error("stopping failed", part=name, error="".join(traceback.format_exception(error)))
            failures.append(f"{name}: {str(error) or type(error).__name__}")
    return failures
