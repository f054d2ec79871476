"""Tells what a start is doing while the engine cannot answer yet: compiling on a first start, loading, comparing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from numba.core import event

from engine.api.starting import StartStep, remove_start, write_start

_COMPILE = "numba:compile"


class Starting(event.Listener):
    """From before an engine is built until its door is open, as a context.

    Each step is written to the profile and told to `also`, once each time it begins. That kernels compile is heard from
    the compiler itself, so nothing is said when they come from its cache; it stays said until the next step.
    """

    def __init__(self, profile: Path, also: Callable[[StartStep], None] | None = None) -> None:
        self._profile, self._also = profile, also
        self._step: StartStep | None = None

    def __enter__(self) -> Self:
        event.register(_COMPILE, self)  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *_: object) -> None:
        """The engine answers for itself now, or has failed to start."""
        event.unregister(_COMPILE, self)  # type: ignore[no-untyped-call]
        remove_start(self._profile)

    def tell(self, step: StartStep) -> None:
        """Say that a step begins."""
        if step is not self._step:
            self._step = step
            write_start(self._profile, step)
            if self._also is not None:
                self._also(step)

    def on_start(self, event: Any) -> None:
        """Hear the compiler begin."""
        self.tell(StartStep.COMPILING)

    def on_end(self, event: Any) -> None:
        """More may follow: it stays said."""
