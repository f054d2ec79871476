"""How long one check of the gate takes: 100 positions, 50 working orders, every rule. Target: 150 µs.

Run: ``python -m tests.benchmarks.bench_gate`` from the root of the tree.
"""

import sys
from pathlib import Path
from statistics import quantiles
from time import perf_counter_ns

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import gates

from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from tests.engine.risk.world import World, d, limits

SETTINGS = limits(auto={"gross_percent": 400, "net_percent": 400, "positions": 1000, "orders_per_day": 10_000})


def crowded(positions: int = 100, orders: int = 50) -> World:
    """Return a world with that many positions and working orders."""
    world = World(settings=SETTINGS)
    for n in range(positions):
        symbol = Symbol(f"S{n}")
        world.market.instruments[symbol] = Instrument(symbol=symbol, sector=f"sector {n % 11}", adv20=1e7)
        world.market.set(symbol, 50.0 + n)
        world.ledger.hold(symbol, 10, 50)
    world.market.fresh = False  # the fake's convenience would cost more than the gate
    for n in range(orders):
        symbol = Symbol(f"S{n}")
        world.desk.put(world.close(10, symbol, limit_price=d(90 + n)))
    return world


def main() -> None:
    gates.no_other(__doc__, "no product checks these rules; beside ours: the target of 150 µs")
    world = crowded()
    request = world.request()
    assert world.gate.check(request).cleared, world.codes(request)
    for name, run in (("check", lambda: world.gate.check(request)), ("uses", world.gate.uses)):
        times = []
        for _ in range(3000):
            start = perf_counter_ns()
            run()
            times.append((perf_counter_ns() - start) / 1000)
        cuts = quantiles(times, n=100)
        print(f"gate.{name:<6} p50 {cuts[49]:7.1f} µs   p99 {cuts[98]:7.1f} µs")


if __name__ == "__main__":
    main()
