"""What the desk asks of a broker. Implementations live in ``execution/brokers`` and ``simulation/paper``.

``place`` is called exactly once per cleared order and must not block: the outcome arrives as reports. A broker never
retries an order by itself and never invents a state: it says what it saw.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from engine.model.broker import BrokerCapabilities, WhatIf
from engine.model.ids import AccountId, OrderRef
from engine.model.order import ClearedOrder, OrderRequest
from engine.model.report import AnyReport, BrokerSnapshot, LinkState

ReportSink = Callable[[AnyReport], None]


class Broker(Protocol):
    """A place where orders go."""

    @property
    def name(self) -> str: ...
    @property
    def account_id(self) -> AccountId: ...
    @property
    def link(self) -> LinkState: ...
    @property
    def capabilities(self) -> BrokerCapabilities: ...

    def place(self, order: ClearedOrder) -> None:
        """Send the order and its legs, once. Raises ``BrokerError``; the order may then have left or not."""

    def modify(self, ref: OrderRef, request: OrderRequest) -> None:
        """Ask for new fields of a working order. Raises ``BrokerError``."""

    def cancel(self, ref: OrderRef) -> None:
        """Ask to cancel, by every id known for ``ref``. Raises ``BrokerError``."""

    def manages(self, ref: OrderRef) -> bool:
        """Say whether this connection may change and cancel an order that another program placed."""

    def snapshot(self) -> Awaitable[BrokerSnapshot]:
        """Read everything: orders of all clients, completed orders, executions, positions, account."""

    def snapshot_now(self) -> BrokerSnapshot | None:
        """The same at once where the broker is embedded, else None."""

    def what_if(self, request: OrderRequest) -> Awaitable[WhatIf | None]:
        """Margin and commission of a request; None when the broker does not say."""

    def attach(self, sink: ReportSink) -> None:
        """Deliver all reports to ``sink`` from now on, in the order in which they are seen."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
