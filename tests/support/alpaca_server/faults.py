"""What the fake broker can do wrong, by name, and how often it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CATALOGUE: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "drop_before": ("the connection ends before the request is carried out", {}, 1),
    "drop_after": ("the request is carried out, then the connection ends without an answer", {}, 1),
    "error_before": (
        "an error answer, nothing is carried out",
        {"status": 500, "code": 50010000, "message": "boom"},
        1,
    ),
    "error_after": ("an error answer although the request is carried out", {"status": 504, "message": "timeout"}, 1),
    "slow": ("the answer comes late", {"seconds": 0.2}, 1),
    "bad_json": ("the answer is not JSON", {}, 1),
    "rate_limit": ("429 with headers", {}, 1),
    "missing": ("404 although the thing exists", {}, 1),
    "rejected": ("an accepted order is rejected in the stream", {"reason": "test"}, 1),
    "cancel_rejected": ("a cancel is accepted, then order_cancel_rejected", {}, 1),
    "cancel_pending": ("a cancel stays pending_cancel until released", {}, 1),
    "replace_rejected": ("a change is accepted, then order_replace_rejected", {}, 1),
    "late_fill": ("a fill arrives after canceled", {"qty": 1}, 1),
    "duplicate_event": ("a stream event comes twice", {}, 1),
    "lost_event": ("a stream event never comes", {}, 1),
    "stream_silent": ("the streams stay open and say nothing", {}, None),
    "auth_refused": ("the key is refused (REST 401, streams 402 / unauthorized)", {}, None),
    "slow_client": ("the data stream says 407", {}, 1),
}
FILTERS = frozenset({"method", "path", "symbol", "client_order_id", "event"})


@dataclass
class Fault:
    name: str
    params: dict[str, Any]
    where: dict[str, Any]
    times: int | None
    fired: int = 0

    def __getitem__(self, key: str) -> Any:
        return self.params[key]


@dataclass
class AlpacaFaults:
    """The armed faults of one server."""

    armed: list[Fault] = field(default_factory=list)
    history: list[Fault] = field(default_factory=list)

    def add(self, name: str, *, times: int | str | None = "default", **settings: Any) -> Fault:
        """Arm a fault; filters: method, path (prefix), symbol, client_order_id, event; the rest are its parameters."""
        if name not in CATALOGUE:
            raise ValueError(f"unknown fault {name!r}; known: {', '.join(sorted(CATALOGUE))}")
        _, defaults, often = CATALOGUE[name]
        where = {k: settings.pop(k) for k in set(settings) & FILTERS}
        if set(settings) - set(defaults):
            raise ValueError(f"fault {name!r} has no parameter {sorted(set(settings) - set(defaults))}")
        fault = Fault(name, {**defaults, **settings}, where, often if isinstance(times, str) else times)
        self.armed.append(fault)
        self.history.append(fault)
        return fault

    def remove(self, name: str) -> None:
        self.armed = [f for f in self.armed if f.name != name]

    def hit(self, name: str, **context: Any) -> Fault | None:
        """The fault that happens here and now, counted."""
        for fault in self.armed:
            if fault.name != name or (fault.times is not None and fault.fired >= fault.times):
                continue
            if all(self._same(key, value, context.get(key)) for key, value in fault.where.items()):
                fault.fired += 1
                return fault
        return None

    def _same(self, key: str, wanted: Any, found: Any) -> bool:
        return str(found or "").startswith(wanted) if key == "path" else bool(found == wanted)

    def never_fired(self) -> list[str]:
        return [f.name for f in self.history if not f.fired]
