"""How this package compiles: without the GIL, and without fast-math or parallel loops, so that bits repeat.

The disk cache looks only at the file of the function itself. So a cached `kernel` calls nothing compiled in another
file, unless its closure carries a tag of all the sources (see `engine.features.kernel`); a `part` is not cached and
may be shared.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile an entry point and keep the result on disk; the types stay those of the Python source."""
    return cast(F, njit(cache=True, nogil=True)(function))


def part(function: F) -> F:
    """Compile a building block of kernels; it is compiled into its caller and not kept by itself."""
    return cast(F, njit(nogil=True)(function))


def plain(values: Any) -> Array:
    """Return a contiguous, writable float64 array: one memory layout means one compiled version of every kernel."""
    return np.require(values, dtype=np.float64, requirements=["C", "W"])
