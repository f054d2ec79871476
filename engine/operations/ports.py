"""What operations needs of other parts, as small Protocols; ``assemble`` knows who fulfils them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from engine.model.decision import Mode
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Quote, Session
from engine.model.order import OrderStatus


class Modes(Protocol):
    """Down only: operations cannot even ask for a higher mode."""

    @property
    def mode(self) -> Mode: ...

    def lower(self, mode: Mode, by: str, reason: str) -> bool: ...
    def lock(self, symbol: Symbol, code: str, reason: str) -> bool: ...
    def unlock(self, symbol: Symbol, code: str) -> bool: ...
    def unlock_all(self, code: str) -> None: ...


class Market(Protocol):
    def symbols(self) -> tuple[Symbol, ...]: ...
    def quote(self, symbol: Symbol) -> Quote | None: ...
    def session(self, symbol: Symbol, at_ns: int) -> Session | None: ...


class Orders(Protocol):
    def orders(self) -> Mapping[OrderRef, OrderStatus]: ...
    def open_orders(self) -> Iterable[OrderStatus]: ...


class Vitals(Protocol):
    @property
    def disk_free_mb(self) -> float | None: ...
    @property
    def slow_commits(self) -> int: ...


class VitalSigns(Protocol):
    def vitals(self) -> Vitals: ...


class CommitTimes(Protocol):
    """How the journal's commits went."""

    failed: int


class StorageLimits(Protocol):
    """G37, as it stands now."""

    @property
    def disk_stop_mb(self) -> float: ...
    @property
    def commit_slow_times(self) -> int: ...


class ClockLimits(Protocol):
    """G23, as it stands now."""

    @property
    def clock_warn_s(self) -> float: ...
    @property
    def clock_auto_s(self) -> float: ...
    @property
    def clock_step_pause_s(self) -> float: ...


class RestartWindow(Protocol):
    """A stretch of time in which the gateway restarts, UTC ns."""

    @property
    def name(self) -> str: ...
    @property
    def at_ns(self) -> int: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...


class RestartWindows(Protocol):
    def holding(self, now_ns: int) -> RestartWindow | None: ...
    def coming(self, now_ns: int, within_s: float) -> RestartWindow | None: ...
    def local(self, at_ns: int) -> str: ...


class Store(Protocol):
    """Durable small values by name. ``set`` raises ``JournalError`` when not durable."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...


class Watch(Protocol):
    """One thing that is watched. ``look`` runs about once a second of market time."""

    name: str

    def start(self) -> None: ...
    def look(self) -> None: ...
    def stop(self) -> None: ...
