"""Where the orders of a run go: a gateway, Alpaca, or the embedded paper exchange."""

from engine.bus.bus import Bus
from engine.collection.providers.simulated import SimulatedProvider
from engine.execution.broker import Broker
from engine.execution.desk import OrderDesk
from engine.model.ids import Symbol
from engine.runtime.alpaca import alpaca_broker
from engine.runtime.marketplace import Marketplace
from engine.runtime.spec import EngineSpec
from engine.runtime.storage import PAPER_FILE
from engine.simulation.paper.exchange import PaperExchange
from engine.simulation.paper.store import PaperStore


def make_broker(spec: EngineSpec, bus: Bus, place: Marketplace, desk: OrderDesk) -> Broker:
    """Build the broker of ``spec``; our own trades are felt by the simulated market."""
    simulation = place.simulation
    if place.gateway is not None:
        return place.gateway.broker
    if spec.broker == "alpaca":
        return alpaca_broker(spec, place.clock, desk)

    def feel(symbol: Symbol, ts_ns: int, signed: float) -> None:
        if simulation is not None and isinstance(place.provider, SimulatedProvider) and place.provider.is_open():
            simulation.own_trade(symbol, ts_ns, signed)
            place.provider.refresh()

    return PaperExchange(
        bus,
        place.clock,
        place.cache,
        spec.paper,
        PaperStore(spec.home / PAPER_FILE),
        seed=spec.seed,
        on_own_trade=feel if simulation is not None else None,
    )
