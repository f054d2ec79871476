"""Tags pushed apart, as a pure function: the line keeps the true price, only its tag moves."""

from collections.abc import Sequence


def push_apart(wanted: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Return places near `wanted`, in the same order, at least `gap` apart and within [top, bottom].

    If they cannot all fit, they share the height evenly. Neighbours that collide move as one block around the mean
    of what they wanted (the pool-adjacent-violators algorithm), so no tag strays further than it must.
    """
    n = len(wanted)
    if not n:
        return []
    order = sorted(range(n), key=lambda i: wanted[i])
    if n > 1 and (n - 1) * gap > bottom - top:
        gap = (bottom - top) / (n - 1)
    # Without the gaps, "at least gap apart" becomes "not falling": merge blocks until it holds.
    blocks: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        mean, count = wanted[i] - rank * gap, 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean = (mean * count + other * others) / (count + others)
            count += others
        blocks.append((mean, count))
    flat = [mean for mean, count in blocks for _ in range(count)]
    lowest, highest = top, bottom - (n - 1) * gap
    places = [0.0] * n
    for rank, i in enumerate(order):
        places[i] = min(max(flat[rank], lowest), highest) + rank * gap
    return places
