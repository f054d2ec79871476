"""What the rules look at: one order and the world around it at one instant, read once."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.model.broker import WhatIf
from engine.model.decision import Autonomy, Book, Mode
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Session
from engine.model.order import OrderRequest, OrderStatus, Origin
from engine.model.position import Account
from engine.risk.counters import Sent
from engine.risk.exposure import Exposure, Line
from engine.risk.latches import Latch
from engine.risk.ports import ShortFacts, Vitals
from engine.risk.settings import AutoProfile, CommonLimits, ManualProfile, Profile, RiskSettings


@dataclass(slots=True, kw_only=True)
class Situation:
    """Everything a rule may use. Prices and money are floats; rules are pure."""

    now: int
    asked: OrderRequest
    """As it came in."""
    request: OrderRequest
    """As it would be sent: converted and rounded."""
    auto: bool
    """The agent sends it by itself."""
    reducing: bool
    """It can only shrink the position."""
    quantity: float
    price: float
    """What a unit may cost at worst."""
    notional: float
    mid: float
    """NaN when there is no usable price."""
    spread: float
    """NaN when the quote is not two-sided."""
    quote: Quote | None
    instrument: Instrument
    session: Session | None
    spread_median: float | None
    mean_price: float | None
    resumed_ns: int
    account: Account | None
    equity: float
    """The smaller of now and the start of the session; NaN when unknown."""
    line: Line
    available: float
    """How much of the position the order may still close; 0 when it does not close."""
    exposure: Exposure
    cluster: frozenset[Symbol]
    open_orders: int
    """Opening orders at work, all symbols, reservations included."""
    orders_today: int
    entries_today: int
    sent: Iterable[Sent]
    usual_notional: float | None
    messages: int
    """What sending it takes: one, and one for each exit where the broker takes no bracket as one; none for an order
    that is worked here in children."""
    last_second: int
    last_minute: int
    mode: Mode
    autonomy: Autonomy
    book: Book
    lease_ok: bool
    lock: tuple[str, str] | None
    latch: Latch | None
    """The strategy's own latch."""
    vitals: Vitals
    what_if: WhatIf | None
    shorts: ShortFacts | None
    last_loss_ns: int
    """When a position in the symbol was last closed at a loss, 0 never."""
    tick: float
    ramp: float
    """1, or the share of the limits that holds in the first AUTO sessions."""
    settings: RiskSettings
    limits: Profile
    no_good_till: str = ""
    """Why the broker takes no order with a good-till time; empty when it does."""

    @property
    def agent(self) -> AutoProfile:
        """Limits only the agent has."""
        return self.settings.auto

    @property
    def person(self) -> ManualProfile:
        """Limits only a person has."""
        return self.settings.manual

    @property
    def common(self) -> CommonLimits:
        return self.settings.common

    @property
    def live(self) -> bool:
        return self.book is Book.LIVE

    @property
    def emergency(self) -> bool:
        """Flatten: nothing but arithmetic may stop it."""
        return self.request.origin is Origin.FLATTEN

    def orders(self) -> list[OrderStatus]:
        """Open orders of the symbol."""
        return self.line.orders

    def of_equity(self, value: float) -> float:
        """Express money in percent of equity; NaN when equity is unknown."""
        return value / self.equity * 100.0

    @property
    def symbol(self) -> Symbol:
        return self.request.symbol

    @property
    def stop(self) -> Decimal | None:
        return self.request.stop_loss
