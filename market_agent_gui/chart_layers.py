"""What the window knows, as layers of the chart. Pure functions."""

import math
from collections.abc import Iterable
from decimal import Decimal

from engine.api.rows import FillRow, OrderRow, PositionRow, StateRow, SuggestionRow
from market_agent_gui.alerts import PREFIX, Alert, Rung
from market_agent_gui.keys.staging import StagedOrder
from market_agent_gui.translate import say
from widgets.candle_chart.layers import AgentZone, AverageLine, FillMark, OrderLine, OrderState, Pin, SessionSpan
from widgets.formats import quantity, signed

HOUR_NS = 3_600 * 10**9
PENDING = ("PENDING_MODIFY", "PENDING_CANCEL")
OPEN_SUGGESTIONS = ("PENDING", "CONDITIONAL", "SNOOZED", "GATED", "EDITED", "REGATED", "DRAFT")


def order_lines(
    orders: Iterable[OrderRow], position: PositionRow | None, multiplier: Decimal = Decimal(1)
) -> list[OrderLine]:
    """Return the lines of working orders; an unknown one says so in words. ``multiplier``: of the instrument."""
    lines = []
    for row in orders:
        price = row.limit_price if row.limit_price is not None else row.stop_price
        if price is None:
            continue
        unknown = row.state == "UNKNOWN"
        leg = row.leg or "entry"
        lines.append(
            OrderLine(
                ref=row.key,
                leg=leg,
                price=float(price),
                text=_order_text(row, price, position, unknown, multiplier),
                state=OrderState.UNKNOWN if unknown else OrderState.WORKING,
                role="warn" if unknown else _role(row.side, leg),
                draggable=not unknown and not row.external and row.state not in PENDING,
                filled=float(row.filled / row.quantity) if row.quantity else 0.0,
                pending_price=None if row.wanted_price is None else float(row.wanted_price),
            )
        )
    return lines


def _role(side: str, leg: str) -> str:
    if leg == "entry":
        return "up" if side == "BUY" else "down"
    return "down" if leg == "stop" else "up"


def _order_text(row: OrderRow, price: Decimal, position: PositionRow | None, unknown: bool, multiplier: Decimal) -> str:
    size = quantity(row.quantity)
    if unknown:
        return say("UNKNOWN {side} {size} · not confirmed", side=say(row.side), size=size)
    if row.leg in ("stop", "target"):
        text = f"{say(row.side)} {size} {say(row.leg)}"
        if position is not None:
            sign = 1 if position.quantity > 0 else -1
            text += f" · {signed((price - position.average_price) * row.quantity * sign * multiplier)}"
        return f"{text} · {say('change asked')}" if row.state in PENDING else text
    kind = say("limit") if row.limit_price is not None else say("stop")
    state = say("change asked") if row.state in PENDING else say("working")
    return f"{say(row.side)} {size} {kind} · {state}"


def staged_lines(
    order: StagedOrder | None, send_key: str = "Enter", *, sending: bool = False, waiting: bool = False
) -> list[OrderLine]:
    """Return the ghost of a staged order: dashed, not sent; or of a change, which ``send_key`` makes.

    ``sending``: it has left, and nobody has said yet what became of it. ``waiting``: for a second press of the key.
    """
    if order is None:
        return []
    size = quantity(order.quantity)
    what = (
        say("SENDING {side} {size} · not confirmed", side=say(order.side.value), size=size)
        if sending
        else say("{key} AGAIN sends {side} {size} · not sent", key=send_key, side=say(order.side.value), size=size)
        if waiting
        else say("{key} changes {side} {size} · not changed yet", key=send_key, side=say(order.side.value), size=size)
        if order.ref
        else say("STAGED {side} {size} · not sent", side=say(order.side.value), size=size)
    )
    legs: list[tuple[str, Decimal | None, str]] = [
        ("entry", order.limit, what),
        ("stop", order.stop, say("staged stop")),
        ("target", order.target, say("staged target")),
    ]
    return [
        OrderLine(ref="staged", leg=leg, price=float(price), text=text, state=OrderState.STAGED, role="focus")
        for leg, price, text in legs
        if price is not None
    ]


def alert_lines(alerts: Iterable[Alert], rung: Iterable[Rung]) -> list[OrderLine]:
    """Return the lines of alerts that wait, and of those that have rung."""
    waiting = [(alert, say("alert"), "t1") for alert in alerts]
    done = [(item.alert, say("alert: has rung"), "t3") for item in rung]
    return [
        OrderLine(
            ref=PREFIX + alert.id, leg="alert", price=float(alert.price), text=text, state=OrderState.ALERT, role=role
        )
        for alert, text, role in (*waiting, *done)
    ]


def average_line(position: PositionRow | None) -> AverageLine | None:
    """Return the line of the average price."""
    if position is None or not position.quantity:
        return None
    pnl = f" · {signed(position.open_pnl)}" if position.open_pnl is not None else ""
    text = say("{size} average", size=signed(position.quantity, 0)) + pnl
    return AverageLine(price=float(position.average_price), text=text)


def fill_marks(fills: Iterable[FillRow], seconds: int = 0) -> tuple[FillMark, ...]:
    """Return the marks of executions; those of one side within a bar of ``seconds`` are one, at their mean price."""
    groups: dict[tuple[str, int], list[FillRow]] = {}
    for row in fills:
        bar = row.ts_event // (seconds * 10**9) if seconds else row.ts_event
        groups.setdefault((row.side, bar), []).append(row)
    return tuple(_fill_mark(rows) for rows in groups.values())


def _fill_mark(rows: list[FillRow]) -> FillMark:
    side, size = rows[0].side, sum((row.quantity for row in rows), Decimal(0))
    price = sum((row.price * row.quantity for row in rows), Decimal(0)) / size if size else rows[0].price
    if len(rows) > 1:
        places = max(2, *(-int(row.price.as_tuple().exponent) for row in rows))
        price = price.quantize(Decimal(1).scaleb(-places))
    text = f"{say(side)} {quantity(size)} @ {price}"
    if len(rows) > 1:
        text += " · " + say("{n} fills", n=len(rows))
    return FillMark(ts_ns=max(row.ts_event for row in rows), price=float(price), text=text, buy=side == "BUY")


def agent_zones(suggestions: Iterable[SuggestionRow]) -> tuple[AgentZone, ...]:
    """Return the zones of the newest open suggestion."""
    rows = [row for row in suggestions if row.state in OPEN_SUGGESTIONS]
    if not rows:
        return ()
    row = max(rows, key=lambda found: found.made_ns)
    reach = float(abs(row.entry - row.stop)) * 0.12
    start = row.made_ns
    sign = 1 if row.side == "BUY" else -1
    entry, stop, target = float(row.entry), float(row.stop), float(row.target)
    return (
        AgentZone(kind="entry", low=entry - reach / 2, high=entry + reach / 2, start_ns=start, label=say("entry")),
        AgentZone(
            kind="stop",
            low=min(stop, stop - sign * reach),
            high=max(stop, stop - sign * reach),
            start_ns=start,
            label=say("agent stop {price} · {key}", price=row.stop, key=row.key),
        ),
        AgentZone(
            kind="target",
            low=target - reach,
            high=target + reach,
            start_ns=start,
            label=say("agent target {price} · {key}", price=row.target, key=row.key),
        ),
    )


def evidence_pins(suggestions: Iterable[SuggestionRow]) -> tuple[Pin, ...]:
    """Return the pins of the newest open suggestion's evidence."""
    rows = [row for row in suggestions if row.state in OPEN_SUGGESTIONS]
    if not rows:
        return ()
    row = max(rows, key=lambda found: found.made_ns)
    return tuple(
        Pin(id=piece.id, ts_ns=piece.available_at, label=piece.id, direction=piece.direction)
        for piece in row.evidence
        if piece.available_at
    )


def sessions(state: StateRow | None) -> tuple[SessionSpan, ...]:
    """Return today's hours outside the regular session."""
    if state is None or not state.session_open_ns or not state.session_close_ns:
        return ()
    before = SessionSpan(
        start_ns=state.session_open_ns - int(5.5 * HOUR_NS), end_ns=state.session_open_ns, label=say("Pre-market")
    )
    after = SessionSpan(
        start_ns=state.session_close_ns, end_ns=state.session_close_ns + 4 * HOUR_NS, label=say("After close")
    )
    return before, after


def finite_bar(*values: float) -> bool:
    """Whether a bar may be drawn."""
    return all(math.isfinite(value) for value in values)
