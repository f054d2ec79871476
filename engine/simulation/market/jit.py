"""One typed decorator for compiled kernels."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


@cache
def sources_stamp() -> str:
    """Hash of every source of this package; empty where the sources are not on disk."""
    digest = hashlib.blake2b(digest_size=16)
    sources = sorted(Path(__file__).parent.glob("*.py"))
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest() if sources else ""


def kernel(function: F) -> F:
    """Compile a pure function: no interpreter lock held, machine code kept between starts.

    Kernels are compiled into their callers, and the compiler's cache looks only at the file of the caller. So the stamp
    of the kept code covers the whole package; where it cannot be set, nothing is kept.
    """
    kept = numba.njit(nogil=True, cache=True, error_model="numpy")(function) if sources_stamp() else None
    index = getattr(getattr(kept, "_cache", None), "_cache_file", None)
    if index is None or not hasattr(index, "_source_stamp"):
        return cast(F, numba.njit(nogil=True, error_model="numpy")(function))
    index._source_stamp = (index._source_stamp, sources_stamp())
    return cast(F, kept)
