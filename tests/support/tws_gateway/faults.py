"""Faults by name: what can go wrong, when it should, and how often it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support.tws_gateway.protocol import Msg, Req


@dataclass(frozen=True)
class FaultSpec:
    """What a fault does; `params` are its settings with their defaults; `times` how often it fires (None: always)."""

    what: str
    params: dict[str, Any] = field(default_factory=dict)
    times: int | None = 1
    action: str = ""
    """Name of the gateway action that this fault performs (at once, or on the event given by `on`)."""


_MSG: dict[str, Any] = {"messages": None}

CATALOGUE: dict[str, FaultSpec] = {
    # wire
    "swallow": FaultSpec("requests with these numbers are read and ignored", _MSG, None),
    "mute": FaultSpec("callbacks with these numbers are not sent", _MSG, None),
    "no_open_orders_end": FaultSpec("openOrderEnd is missing", {}, None),
    "no_executions_end": FaultSpec("execDetailsEnd is missing", {}, None),
    "no_positions_end": FaultSpec("positionEnd is missing", {}, None),
    "no_completed_orders_end": FaultSpec("completedOrdersEnd is missing", {}, None),
    "no_account_end": FaultSpec("accountDownloadEnd and accountUpdateMultiEnd are missing", {}, None),
    "delay": FaultSpec("these callbacks come late", {**_MSG, "seconds": 0.1}, None),
    "duplicate": FaultSpec("these callbacks come several times", {**_MSG, "copies": 1}, None),
    "reorder": FaultSpec("these callbacks come in shuffled order, `window` at a time", {**_MSG, "window": 3}, None),
    "truncate_frame": FaultSpec("half of the frame is sent, then the socket is reset", _MSG),
    "bad_length": FaultSpec("the frame carries a wrong length prefix", {**_MSG, "length": 5_000_000}),
    "reset_after_frame": FaultSpec("the socket is reset right after this frame", _MSG),
    "half_open": FaultSpec("no byte in or out any more, no RST", {}, 1, "half_open"),
    # connection
    "client_id_in_use": FaultSpec("326 and close for this long after an abrupt drop", {"seconds": 2.0}, None),
    "account_mismatch": FaultSpec("managedAccounts names another account", {"account": "U7654321"}, None),
    "pacing": FaultSpec("a request draws error 100", {"disconnect": False}),
    "drop": FaultSpec("the socket is reset", {}, 1, "drop"),
    "restart": FaultSpec("the gateway restarts; nextValidId goes back", {"rollback_to": 1}, 1, "restart"),
    # link
    "1100": FaultSpec("link to IB lost", {"orders": "lost"}, 1, "link_lost"),
    "1101": FaultSpec("link restored, data lost", {"data_lost": True}, 1, "link_restored"),
    "1102": FaultSpec("link restored, data maintained", {"data_lost": False}, 1, "link_restored"),
    "2103": FaultSpec("market data farm broken", {"code": 2103}, 1, "farm"),
    "2104": FaultSpec("market data farm OK", {"code": 2104}, 1, "farm"),
    "2105": FaultSpec("history farm broken", {"code": 2105}, 1, "farm"),
    "2106": FaultSpec("history farm OK", {"code": 2106}, 1, "farm"),
    "2110": FaultSpec("gateway lost its server", {"code": 2110}, 1, "farm"),
    "10197": FaultSpec("a competing session takes the data", {}, 1, "competing_session"),
    "say": FaultSpec("any error code, for no request", {"code": 2199, "text": "note", "req_id": -1}, 1, "say"),
    # orders
    "drop_before_accept": FaultSpec("socket reset before the order is recorded"),
    "drop_after_accept": FaultSpec("the order is recorded, then the socket is reset without a callback"),
    "lost_order": FaultSpec("the order is read and forgotten; link stays up"),
    "silent_accept": FaultSpec(
        "the order works but is not acknowledged until `seconds` later; hidden also from queries",
        {"seconds": 60.0, "hidden": False},
    ),
    "reject": FaultSpec(
        "a new order is refused; style error_first, status_first or error_only",
        {"code": 201, "text": "Order rejected - reason: test", "style": "error_first", "status": "Inactive"},
    ),
    "reject_modify": FaultSpec(
        "a change is refused, the old order stays", {"code": 201, "text": "Order rejected - reason: change refused"}
    ),
    "notice": FaultSpec(
        "an error code about a live order; `when` is new, modify, fill or cancel",
        {"code": 10349, "text": "Order TIF was set to DAY based on order preset.", "when": "new"},
    ),
    "held_399": FaultSpec("accepted, but held until released, with 399"),
    "ignored_2109": FaultSpec("2109: outside regular hours attribute ignored"),
    "locate_404": FaultSpec("held for a locate (404, whyHeld locate), then Submitted", {"seconds": None}),
    "inactive": FaultSpec("status Inactive; comes back to life when released", {"why_held": ""}),
    "cancel_fails": FaultSpec("a cancel draws 161, 10147 or 10148; the order is untouched", {"code": 161}),
    "cancel_silent": FaultSpec("a cancel is read and forgotten"),
    "cancel_slow": FaultSpec("PendingCancel for a while; the order can still fill", {"seconds": 1.0}),
    "cancel_without_status": FaultSpec("202 comes, the status does not"),
    "cancel_unfinished": FaultSpec("202 comes, but the order lives on"),
    "late_fill": FaultSpec("an execution arrives after Cancelled", {"quantity": None, "seconds": 0.0}),
    "overfill": FaultSpec("the last fill is larger than the order", {"extra": 50}),
    "two_perm_ids": FaultSpec("one placeOrder (when new or modify) becomes two live orders", {"when": "new"}),
    "execution_first": FaultSpec("executions and status arrive before openOrder"),
    "correct_execution": FaultSpec(
        "an execution `.01` is followed by its correction `.02`", {"offset": 0.01, "seconds": 0.0}
    ),
    "late_commission": FaultSpec("the commission report comes late", {"seconds": 1.0}, None),
    "no_commission": FaultSpec("no commission report", {}, None),
    "repeat_status": FaultSpec("each status comes again", {"copies": 1}, None),
    "stale_status": FaultSpec("after Filled an old Submitted status arrives"),
    "read_only": FaultSpec("read-only API: orders draw 321", {}, None),
    "what_if_refused": FaultSpec("what-if draws an error", {"code": 201, "text": "Order rejected - reason: margin"}),
    "what_if_works": FaultSpec("the flag of a what-if is ignored: it is worked as an order", {}, None),
    "what_if_unset": FaultSpec("what-if answers with unset margins"),
    # data
    "max_lines": FaultSpec("101 beyond this many market data lines", {"lines": 0}, None),
    "history_pacing": FaultSpec("history draws 162 pacing violation", {}, None),
    "history_silent": FaultSpec("history never answers"),
    "depth_reset": FaultSpec("317 market depth reset", {}, 1, "depth_reset"),
    "refuse": FaultSpec("a request with these numbers draws this code", {**_MSG, "code": 321, "text": "refused"}, None),
}

REQUEST_FAULTS = frozenset({"swallow", "refuse"})
"""Faults whose `messages` are requests; those of all others are callbacks."""
WHERE = frozenset({"ref", "symbol", "client_id", "order_id"})
EVENTS = frozenset({"connect", "place", "accept", "modify", "cancel", "fill", "request"})


def message_number(name: int | str, table: type[Msg] | type[Req]) -> int:
    """A message by number or by its name in `Req` or `Msg` (`place_order`, `OPEN_ORDER_END`)."""
    if isinstance(name, int):
        return name
    if name.upper() in table.__members__:
        return int(table[name.upper()])
    raise ValueError(f"no message is called {name!r}")


@dataclass
class Fault:
    """One armed fault; `fired` says how often it happened, so a test can prove that it did."""

    name: str
    params: dict[str, Any]
    where: dict[str, Any]
    times: int | None
    after: int = 0
    chance: float = 1.0
    on: str = ""
    seen: int = 0
    fired: int = 0

    def __getitem__(self, key: str) -> Any:
        return self.params[key]

    def matches(self, context: dict[str, Any]) -> bool:
        messages = self.params.get("messages")
        if messages is not None and context.get("message") not in messages:
            return False
        if "when" in self.params and context.get("when") != self.params["when"]:
            return False
        return all(context.get(key) == value for key, value in self.where.items())


class Faults:
    """The armed faults of one gateway."""

    def __init__(self, seed: int, act: Callable[[str, dict[str, Any]], object]) -> None:
        self._armed: list[Fault] = []
        self._history: list[Fault] = []
        self.rng = Random(seed)
        self._act = act

    def add(
        self,
        name: str,
        *,
        times: int | str | None = "default",
        after: int = 0,
        chance: float = 1.0,
        on: str = "",
        **settings: Any,
    ) -> Fault:
        """Arm a fault.

        `times`: how often it fires, None for always.  `after`: let so many chances pass first.  `on`: for a fault that
        is an action, the event that sets it off (connect, place, accept, modify, cancel, fill, request); without it the
        action happens now.  Filters: ref, symbol, client_id, order_id.  Everything else must be a parameter of the
        fault in `CATALOGUE`.
        """
        spec = CATALOGUE.get(name)
        if spec is None:
            raise ValueError(f"unknown fault {name!r}; known: {', '.join(sorted(CATALOGUE))}")
        if on and (on not in EVENTS or not spec.action):
            raise ValueError(f"fault {name!r}: 'on' is for actions and must be one of {sorted(EVENTS)}, not {on!r}")
        extra = set(settings) - set(spec.params)
        where = {key: settings.pop(key) for key in extra & WHERE}
        if spec.action and not on and "client_id" in where:
            settings["client_id"] = where.pop("client_id")
            extra.discard("client_id")
        if extra - WHERE:
            raise ValueError(f"fault {name!r} has no parameter {sorted(extra - WHERE)}; it has {sorted(spec.params)}")
        params = {**spec.params, **settings}
        if params.get("messages") is not None:
            table = Req if name in REQUEST_FAULTS else Msg
            params["messages"] = [message_number(m, table) for m in params["messages"]]
        limit = spec.times if isinstance(times, str) else times
        fault = Fault(name, params, where, limit, after, chance, on)
        self._history.append(fault)
        if spec.action and not on:
            fault.fired = 1
            self._act(spec.action, params)
        else:
            self._armed.append(fault)
        return fault

    def remove(self, name: str) -> None:
        """Disarm every fault of this name."""
        self._armed = [f for f in self._armed if f.name != name]

    def clear(self) -> None:
        self._armed.clear()

    def fired(self, name: str) -> int:
        """How often faults of this name have happened."""
        return sum(f.fired for f in self._history if f.name == name)

    def never_fired(self) -> list[str]:
        """Armed at some time, never happened: a green test with one of these proves nothing."""
        return [f.name for f in self._history if not f.fired]

    def hit(self, name: str, **context: Any) -> Fault | None:
        """The fault of this name that happens here and now, counted; None otherwise."""
        for fault in self._armed:
            if fault.name == name and self._fires(fault, context):
                return fault
        return None

    def _fires(self, fault: Fault, context: dict[str, Any]) -> bool:
        if not fault.matches(context) or (fault.times is not None and fault.fired >= fault.times):
            return False
        fault.seen += 1
        if fault.seen <= fault.after or (fault.chance < 1 and self.rng.random() >= fault.chance):
            return False
        fault.fired += 1
        return True

    def event(self, event: str, **context: Any) -> None:
        """Something happened: set off the actions that wait for it."""
        for fault in self._due(event, context):
            self._act(CATALOGUE[fault.name].action, fault.params)

    def _due(self, event: str, context: dict[str, Any]) -> Iterator[Fault]:
        for fault in list(self._armed):
            if fault.on == event and self._fires(fault, context):
                yield fault
