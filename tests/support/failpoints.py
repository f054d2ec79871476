"""Runs a piece of work in a child process and kills it with SIGKILL at a named point."""

import os
import signal
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from engine.execution import failpoints

KILLED, FINISHED, FAILED = "killed", "finished", "failed"


class Killer:
    """Kills this process the ``n``-th time a point is passed (0 is the first)."""

    def __init__(self, point: str, n: int = 0) -> None:
        self.point, self.left = point, n

    def __call__(self, name: str) -> None:
        if name == self.point:
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left -= 1


def run_child(work: Callable[[], None], log: Path, hook: Callable[[str], None] | None = None) -> str:
    """Fork, run ``work`` with the fail-point hook set, and say how the child ended; its traceback goes to ``log``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 3
        try:
            failpoints.hook = hook
            work()
            code = 0
        except BaseException:  # noqa: BLE001  the parent reads the log
            log.write_text(traceback.format_exc())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return KILLED
    return FINISHED if os.WEXITSTATUS(status) == 0 else FAILED
