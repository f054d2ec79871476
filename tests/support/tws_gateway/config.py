"""Settings of one gateway, and what it says about its data farms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

FARMS = {
    2103: "Market data farm connection is broken:usfarm",
    2104: "Market data farm connection is OK:usfarm",
    2105: "HMDS data farm connection is broken:ushmds",
    2106: "HMDS data farm connection is OK:ushmds",
    2107: "HMDS data farm connection is inactive but should be available upon demand.ushmds",
    2108: "Market data farm connection is inactive but should be available upon demand.usfarm",
    2110: "Connectivity between TWS and server is broken. It will be restored automatically.",
    2157: "Sec-def data farm connection is broken:secdefil",
    2158: "Sec-def data farm connection is OK:secdefil",
}


@dataclass(frozen=True, kw_only=True)
class GatewayConfig:
    """Settings of one gateway; the limits are IB's."""

    version: int = 178
    accounts: tuple[str, ...] = ("DU1234567",)
    cash: dict[str, float] = field(default_factory=lambda: {"USD": 1_000_000.0})
    start: datetime | None = None
    seed: int = 1
    first_order_id: int = 1
    messages_per_second: int = 50
    market_data_lines: int = 100
    tick_by_tick_lines: int = 5
    depth_lines: int = 3
    history_pacing: bool = True
    max_working_per_side: int | None = 20
    collar_percent: Decimal | None = None
    oca_cancels_siblings: bool = True
    negative_auto_bind: bool = True
    master_client_id: int | None = None
    read_only: bool = False
    accents: tuple[str, ...] = ()
    """How it speaks differently: names of `accents.ACCENTS`."""
    literal_data_type: bool = False
    """Whoever asks for delayed prices gets delayed ones, also where there are live ones."""
    generic_ticks: frozenset[int] | None = None
    """Generic ticks it knows; a request with another one is refused with 321. None: all."""
    heartbeat: float = 0.1
    lifetime: float = 300.0
    """Seconds of loop time after which the gateway stops by itself."""
