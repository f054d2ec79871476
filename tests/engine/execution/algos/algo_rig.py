"""The desk of algorithms on the rig of the order desk; and planners alone, against a market that fills by chance."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np

from engine.bus.clock import SECOND
from engine.execution.algos.algorithm import Algorithm, Child, Curve, Facts, Reprice, Send, View, Withdraw
from engine.execution.algos.desk import AlgoDesk
from engine.execution.algos.events import ParentChanged, ParentEnded, ParentStarted
from engine.execution.algos.params import read
from engine.execution.algos.plugins import own_algorithms
from engine.execution.algos.settings import AlgoSettings
from engine.model.decision import Mode
from engine.model.events.base import Event
from engine.model.events.market import TradeTick
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.money import ZERO
from engine.model.order import OrderRequest
from tests.support.desk_rig import START, Rig
from tests.support.fake_broker import Truth


class FixedCurve:
    """A day that trades three quarters of its volume in the first half of the next hour."""

    def __init__(self) -> None:
        self.known = True

    def curve(self, symbol: Symbol, at_ns: int) -> Curve | None:
        if not self.known:
            return None
        return Curve(open_ns=START, bucket_ns=1800 * SECOND, cumulative=(0.75, 1.0))


class AlgoRig:
    """Build it with ``await AlgoRig(folder).start()``."""

    def __init__(
        self, folder: Path, algorithms: Mapping[str, Algorithm] | None = None, settings: AlgoSettings | None = None
    ) -> None:
        self.rig = Rig(folder, settings=None)
        self.algorithms = own_algorithms() if algorithms is None else dict(algorithms)
        self.settings = settings or AlgoSettings()
        self.curve = FixedCurve()
        self.events: list[Event] = []
        self.tape = 0.0
        self.intents = 0
        """Units that trade each second."""

    async def start(self) -> "AlgoRig":
        await self.rig.start()
        await self._build()
        return self

    async def _build(self) -> None:
        rig = self.rig
        rig.gate.hold = lambda ref, request: rig.gate.reserved.__setitem__(ref, request.quantity)
        self.desk = AlgoDesk(
            rig.bus,
            rig.clock,
            orders=rig.desk,
            gate=rig.gate,
            market=rig.market,
            curves=self.curve,
            store=rig.journal.kv,
            settings=self.settings,
            algorithms=self.algorithms,
            seed=7,
        )
        for kind in (ParentStarted, ParentChanged, ParentEnded):
            rig.bus.subscribe(kind, self.events.append, owner="test")
        await self.desk.start()

    async def restart(self, away_s: float = 0.0, mode: Mode = Mode.AUTO) -> None:
        """Kill the program and begin again on the same disk and broker."""
        await self.desk.stop()
        await self.rig.restart(mode)
        self.rig.clock._now += round(away_s * SECOND)
        await self._build()
        self.rig.clock.advance(2)

    async def close(self) -> None:
        await self.desk.stop()
        await self.rig.close()

    def begin(self, algo: str = "twap", quantity: int = 100, price: str | None = None, **fields: object) -> OrderRef:
        receipt = self.ask(algo, quantity, price, **fields)
        assert receipt.ok, receipt
        return OrderRef(str(receipt.data["ref"]))

    def ask(self, algo: str, quantity: int = 100, price: str | None = None, **fields: object):  # type: ignore[no-untyped-def]
        params = fields.pop("params", {})
        return self.desk.start_parent(self.request(algo, quantity, price, params, **fields), "test")

    def request(self, algo: str, quantity: int, price: str | None, params: object, **fields: object) -> OrderRequest:
        from engine.model.order import OrderType

        symbol = str(fields.pop("symbol", "AAPL"))
        self.intents += 1
        fields.setdefault("order_type", OrderType.MARKET if price is None else OrderType.LIMIT)
        made = self.rig.request(symbol, quantity=quantity, price=price, algo=algo, algo_params=params, **fields)
        return msgspec.structs.replace(made, intent_id=f"i{self.intents}")

    def advance(self, seconds: float, fill: bool = False, step: float = 1.0) -> None:
        """Let time pass; the tape runs, and with ``fill`` every child fills at its limit within a step."""
        passed = 0.0
        while passed < seconds:
            self.rig.clock.advance(step)
            passed += step
            now = self.rig.clock.now()
            if self.tape:
                price = self.rig.market.prices["AAPL"]
                self.rig.bus.publish(
                    TradeTick(ts_event=now, ts_init=now, symbol=Symbol("AAPL"), price=price, size=self.tape * step)
                )
            if fill:
                self.fill_open()

    def fill_open(self) -> None:
        for truth in self.open_truths():
            self.rig.broker.fill(truth, truth.remaining, truth.limit_price or "100")

    def open_truths(self) -> list[Truth]:
        return [truth for truth in self.rig.broker.orders if truth.open]

    def state(self, ref: OrderRef) -> str:
        status = self.desk.parent(ref)
        assert status is not None
        return status.state.value

    def bought(self) -> Decimal:
        return self.rig.broker.positions().get("AAPL", ZERO)

    def at_risk(self) -> Decimal:
        """Filled, at work and reserved: what the gate counts."""
        working = sum((truth.remaining for truth in self.open_truths()), ZERO)
        known = {truth.ref for truth in self.rig.broker.orders}
        reserved = sum((q for ref, q in self.rig.gate.reserved.items() if ref not in known), ZERO)
        return self.bought() + working + reserved


class Play:
    """A planner alone against a random market; checks every wish as the desk would."""

    def __init__(
        self,
        algorithm: Algorithm,
        *,
        seed: int,
        quantity: Decimal = Decimal(1000),
        limit: Decimal | None = None,
        params: Mapping[str, str] | None = None,
        side: Side = Side.BUY,
        seconds: int = 600,
        lot: Decimal = Decimal(1),
        fills: float = 0.3,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.algorithm = algorithm
        self.params = read(params or {}, algorithm.params)
        self.quantity, self.limit, self.side, self.lot, self.fills = quantity, limit, side, lot, fills
        self.start, self.end = START, START + seconds * SECOND
        self.now = START
        self.mid = Decimal("100.00")
        self.volume = 0.0
        self.children: dict[str, Child] = {}
        self.limits: dict[str, Decimal] = {}
        self.filled = ZERO
        self.sent = 0
        self.sends: list[tuple[int, Decimal, Decimal]] = []
        self.moves = 0

    def view(self) -> View:
        tick = Decimal("0.01")
        return View(
            now_ns=self.now,
            start_ns=self.start,
            end_ns=self.end,
            side=self.side,
            quantity=self.quantity,
            limit_price=self.limit,
            arrival_price=Decimal("100.00"),
            params=self.params,
            filled=self.filled,
            children=tuple(self.children.values()),
            sent=self.sent,
            facts=Facts(bid=self.mid - tick, ask=self.mid + tick, tick=tick, lot=self.lot, volume=self.volume),
            curve=FixedCurve().curve(Symbol("AAPL"), self.now),
            draw=float(np.random.default_rng([3, self.sent]).random()),
        )

    def run(self, volume_per_s: float = 50.0) -> "Play":
        from engine.execution.algos.wishing import fault

        while self.now < self.end and self.filled < self.quantity:
            view = self.view()
            plan = self.algorithm.plan(view)
            assert self.algorithm.plan(view) == plan, "the same view gives the same plan"
            assert fault(view, plan.wishes) == ""
            for wish in plan.wishes:
                self._do(wish)
            assert self.filled + sum((c.remaining for c in self.children.values()), ZERO) <= self.quantity
            self._market(volume_per_s)
            self.now += SECOND
        return self

    def _do(self, wish: Send | Reprice | Withdraw) -> None:

        match wish:
            case Send(quantity, price):
                self.sent += 1
                ref = f"c{self.sent}"
                self.sends.append((self.now, quantity, price))
                self.children[ref] = Child(
                    ref=OrderRef(ref),
                    quantity=quantity,
                    filled=ZERO,
                    limit_price=price,
                    sent_ns=self.now,
                    changed_ns=self.now,
                    busy=False,
                )
            case Reprice(ref, price):
                self.moves += 1
                child = self.children[ref]
                self.children[ref] = msgspec.structs.replace(child, limit_price=price, changed_ns=self.now)
            case Withdraw(ref):
                self.children.pop(ref)

    def _market(self, volume_per_s: float) -> None:

        self.volume += volume_per_s * float(self.rng.random()) * 2
        self.mid += Decimal(int(self.rng.integers(-2, 3))) * Decimal("0.01")
        for ref, child in tuple(self.children.items()):
            crossing = (child.limit_price - self.mid) * self.side.sign >= Decimal("0.01")
            if not crossing and self.rng.random() > self.fills:
                continue
            lots = int(child.remaining / self.lot)
            part = self.lot * (lots if crossing else int(self.rng.integers(0, lots + 1)))
            self.filled += part
            left = msgspec.structs.replace(child, filled=child.filled + part)
            if left.remaining:
                self.children[ref] = left
            else:
                del self.children[ref]
