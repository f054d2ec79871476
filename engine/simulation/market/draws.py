"""Random numbers by address: every draw is a hash of (key, counter), so no query order can change another draw.

The generator is SplitMix64 (Steele, Lea, Flood 2014) used as a counter: `bits(key, i)` is its i-th output from `key`.
"""

import hashlib
import math

import numpy as np

from engine.simulation.market.jit import kernel

_U53 = 1.0 / 9007199254740992.0


@kernel
def mix(x: np.uint64) -> np.uint64:
    """Finalise 64 bits (SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def subkey(key: np.uint64, number: int) -> np.uint64:
    """The key of a child stream; `number` may be negative."""
    return mix(key ^ mix(np.uint64(number) * np.uint64(0xD1342543DE82EF95) + np.uint64(0x632BE59BD9B4E019)))


@kernel
def bits(key: np.uint64, counter: int) -> np.uint64:
    """64 random bits at `counter` of the stream `key`."""
    return mix(key + (np.uint64(counter) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))


@kernel
def uniform(key: np.uint64, counter: int) -> float:
    """A draw in the open interval (0, 1)."""
    return (float(bits(key, counter) >> np.uint64(11)) + 0.5) * _U53


@kernel
def normal(key: np.uint64, counter: int) -> float:
    """A standard normal draw (Box and Muller); uses the counters 2c and 2c + 1."""
    radius = math.sqrt(-2.0 * math.log(uniform(key, 2 * counter)))
    return radius * math.cos(6.283185307179586 * uniform(key, 2 * counter + 1))


@kernel
def ones(x: np.uint64) -> int:
    """How many of the 64 bits are set."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def quick_normal(key: np.uint64, counter: int) -> float:
    """A near-normal draw for path interiors: a 64-coin binomial, smeared and scaled to unit variance."""
    x = bits(key, counter)
    smear = float(mix(x) >> np.uint64(11)) * _U53 - 0.5
    return (ones(x) - 32.0 + smear) * 0.24935149047701484


@kernel
def exponential(key: np.uint64, counter: int) -> float:
    """A unit-mean exponential draw."""
    return -math.log(uniform(key, counter))


@kernel
def tail_scale(key: np.uint64, counter: int) -> float:
    """The random scale that turns a normal into a unit-variance Student t with 6 degrees of freedom.

    Uses the counters 3c … 3c + 2.
    """
    product = uniform(key, 3 * counter) * uniform(key, 3 * counter + 1) * uniform(key, 3 * counter + 2)
    return math.sqrt(4.0 / max(-2.0 * math.log(product), 0.12))


def name_key(seed: int, *parts: str) -> np.uint64:
    """The stream key of a named thing (a layer, a symbol) under `seed`; the same on every machine."""
    text = "\x1f".join((str(seed), *parts)).encode()
    return np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))


def child_key(key: np.uint64, number: int) -> np.uint64:
    """`subkey` for callers outside compiled code, who get plain integers back from it."""
    return np.uint64(subkey(key, number))
