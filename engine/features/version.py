"""The name of one exact feature kernel: a model trained on another one is refused."""

import importlib.metadata
import importlib.util
from functools import cache
from hashlib import sha256
from typing import Final

from engine.features.names import FEATURE_NAMES

SOURCES: Final = (
    "engine.features.jit",
    "engine.features.kernel",
    "engine.features.kernels.classic",
    "engine.features.kernels.factor",
    "engine.features.kernels.price",
    "engine.features.kernels.ranges",
    "engine.features.kernels.shape",
    "engine.features.kernels.stats",
    "engine.features.kernels.volatility",
    "engine.features.kernels.volume",
)


class KernelSourceMissing(RuntimeError):
    """The program was packed without the kernel's source: no model can be trusted to fit it."""


@cache
def feature_version() -> str:
    """Return sha256(kernel source + feature names + numba version) in hex; line ends do not count.

    Raises KernelSourceMissing when the source is not shipped.
    """
    digest = sha256()
    for module in SOURCES:
        digest.update(_source(module).replace("\r\n", "\n").encode())
        digest.update(b"\0")
    digest.update("\n".join(FEATURE_NAMES).encode())
    digest.update(b"\0" + importlib.metadata.version("numba").encode())
    return digest.hexdigest()


def cache_tag() -> int:
    """Return a number that changes with the kernel's source, to keep the compiler's disk cache honest; 1 if unknown.

    Where no source is shipped the sources cannot change either.
    """
    try:
        return int(feature_version()[:15], 16) or 1
    except KernelSourceMissing:
        return 1


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    loader = None if spec is None else spec.loader
    text = loader.get_source(module) if loader is not None and hasattr(loader, "get_source") else None
    if text is None:
        raise KernelSourceMissing(f"the source of {module} is not part of this installation")
    return str(text)
