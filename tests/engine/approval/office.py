"""An approval desk on the small world of the gate."""

from dataclasses import dataclass, field
from typing import Any

from engine.api.commands import Approve, Receipt
from engine.approval.by_hand import HandOrders
from engine.approval.desk import ApprovalDesk
from engine.approval.mandate import Mandates
from engine.approval.settings import ApprovalSettings
from engine.bus.clock import SECOND
from engine.model.decision import Autonomy, Mode
from engine.model.events.market import QuoteTick
from engine.model.events.thought import Suggested
from engine.model.ids import DecisionId, SuggestionId, Symbol
from engine.model.market import Side
from engine.model.order import ClearedOrder
from engine.model.suggestion import Suggestion
from tests.engine.risk.world import AAPL, World, d


@dataclass
class Office:
    """Gate, modes and desk, wired; suggestions are published as the board would."""

    world: World = field(default_factory=lambda: World(mode=Mode.MANUAL))
    settings: ApprovalSettings = field(default_factory=ApprovalSettings)
    autonomy: Autonomy = Autonomy.ASK
    requoter: Any = None
    number: int = 0

    def __post_init__(self) -> None:
        w = self.world
        w.modes._autonomy = self.autonomy
        self.mandates = Mandates(
            store=w.store, counters=w.counters, clock=w.clock, pin=w.pin, book=w.book, days=self.settings.mandate_days
        )
        self.desk = ApprovalDesk(
            bus=w.bus,
            clock=w.clock,
            gate=w.gate,
            modes=w.modes,
            orders=w.desk,
            market=w.market,
            ledger=w.ledger,
            mandates=self.mandates,
            store=w.store,
            settings=self.settings,
            requoter=self.requoter,
        )
        self.hand = HandOrders(gate=w.gate, orders=w.desk, modes=w.modes, store=w.store, clock=w.clock)

    async def open(self) -> "Office":
        await self.desk.start()
        return self

    async def restarted(self) -> "Office":
        """The program was killed; only what was durable is there."""
        world = self.world.restarted()
        world.desk.submitted = self.world.desk.submitted
        after = Office(world, settings=self.settings, number=self.number, autonomy=self.world.modes.autonomy)
        return await after.open()

    def suggestion(self, **changes: Any) -> Suggestion:
        self.number += 1
        now = self.world.clock.now()
        fields: dict[str, Any] = {
            "id": SuggestionId(f"s{self.number}"),
            "decision_id": DecisionId(f"d{self.number}"),
            "symbol": AAPL,
            "side": Side.BUY,
            "quantity": d(10),
            "entry": d("100.00"),
            "stop": d("98.00"),
            "target": d("104.00"),
            "horizon": "day",
            "strategy": "momentum",
            "reference_price": 100.0,
            "atr": 2.0,
            "made_ns": now,
            "expires_ns": now + 600 * SECOND,
        }
        return Suggestion(**{**fields, **changes})

    def suggest(self, **changes: Any) -> SuggestionId:
        suggestion = self.suggestion(**changes)
        now = self.world.clock.now()
        self.world.bus.publish(Suggested(ts_event=now, ts_init=now, suggestion=suggestion))
        assert not self.world.failures, self.world.failures
        return suggestion.id

    def approve(self, name: SuggestionId, by: str = "window", **changes: Any) -> Receipt:
        shown = changes.pop("approval_hash", self.desk.hash_of(name))
        return self.desk.approve(Approve(suggestion_id=name, by=by, approval_hash=shown, **changes))

    def tick(self, bid: float, ask: float, symbol: Symbol = AAPL) -> None:
        now = self.world.clock.now()
        self.world.market.set(symbol, (bid + ask) / 2, ask - bid)
        self.world.bus.publish(
            QuoteTick(ts_event=now, ts_init=now, symbol=symbol, bid=bid, ask=ask, bid_size=100, ask_size=100)
        )

    @property
    def sent(self) -> list[ClearedOrder]:
        return self.world.desk.submitted
