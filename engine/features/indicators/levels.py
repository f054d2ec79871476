"""Price levels of the session before: pivot points."""

from typing import Final

import numpy as np

from engine.features.jit import Array, Ints, kernel

KINDS: Final = ("classic", "fibonacci", "camarilla")


@kernel
def previous_sessions(h: Array, l: Array, c: Array, session: Ints) -> tuple[Array, Array, Array]:
    """High, low and close of the whole session before each bar's own; a session is a run of equal numbers."""
    size = c.size
    top = np.full(size, np.nan)
    bottom = np.full(size, np.nan)
    last = np.full(size, np.nan)
    ph = pl = pc = np.nan
    th = tl = np.nan
    for i in range(size):
        if i == 0 or session[i] != session[i - 1]:
            if i > 0:
                ph, pl, pc = th, tl, c[i - 1]
            th, tl = h[i], l[i]
        else:
            th = max(th, h[i])
            tl = min(tl, l[i])
        top[i] = ph
        bottom[i] = pl
        last[i] = pc
    return top, bottom, last


def pivots(h: Array, l: Array, c: Array, session: Ints, kind: str) -> tuple[Array, ...]:
    """Pivot, three resistances and three supports from the session before, in the order P R1 R2 R3 S1 S2 S3."""
    top, bottom, last = previous_sessions(h, l, c, session)
    span = top - bottom
    p = (top + bottom + last) / 3.0
    if kind == "fibonacci":
        return (p, *(p + k * span for k in (0.382, 0.618, 1.0)), *(p - k * span for k in (0.382, 0.618, 1.0)))
    if kind == "camarilla":
        steps = (1.1 / 12.0, 1.1 / 6.0, 1.1 / 4.0)
        return (p, *(last + k * span for k in steps), *(last - k * span for k in steps))
    if kind != "classic":
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    return p, 2 * p - bottom, p + span, top + 2 * (p - bottom), 2 * p - top, p - span, bottom - 2 * (top - p)
