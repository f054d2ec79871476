"""One typed decorator for compiled kernels."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a pure function: no interpreter lock held, machine code kept between starts."""
    return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy")(function))
