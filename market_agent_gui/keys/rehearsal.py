"""What each key would do right now. Pure: from the staged order, the book and the quote to lines of text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.model.market import Side
from engine.model.money import exact, to_tick
from market_agent_gui.actions import ORDER_GROUPS, PRESET_BUY, ActionSpec, words
from market_agent_gui.keys.beginning import Begun, Offer
from market_agent_gui.keys.bracket import STEPS, moves
from market_agent_gui.keys.key_map import KeyMap
from market_agent_gui.keys.outside import Owner, owner_text, wants_consent
from market_agent_gui.keys.staging import (
    StagedOrder,
    closed,
    even_stop,
    marketable,
    movable,
    nudge,
    resize,
    size_from_risk,
)
from market_agent_gui.mirror import Mirror
from market_agent_gui.translate import say
from widgets.formats import quantity, signed
from widgets.words import told

TITLES = {
    "Order": "This order",
    "Size": "Size",
    "Position": "Position",
    "Safety": "Safety: works disarmed, too",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    action: str
    group: str
    key: str
    title: str
    effect: str
    able: bool
    """False: the key would do nothing, and ``effect`` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the keys would act on."""

    mirror: Mirror
    symbol: str
    staged: StagedOrder | None
    size: Decimal
    sizes: tuple[Decimal, ...]
    risk_money: Decimal
    armed: bool
    blocked: str
    """Why nothing that adds risk may go out for the staged order, or where none is for the symbol."""
    begin: Callable[[Side, str], Begun] | None = None
    """Makes what staging would make, with presets; raises ``ValueError`` in words."""
    asks: Callable[[str], bool] = lambda _action: False
    """Whether the key of an action would want a second press."""
    taken: Mapping[str, Owner] = field(default_factory=dict)
    """Keys that somebody outside has, and nobody said to use all the same."""


def rehearse(scene: Scene, keys: KeyMap) -> list[Line]:
    """Return a line for every key of order entry, in the table's order."""
    lines = []
    for spec in keys.actions:
        key = keys.key(spec.id)
        if spec.group not in ORDER_GROUPS or not key:
            continue
        effect, able = _effect(scene, spec)
        owner = scene.taken.get(key) if wants_consent(spec) else None
        if owner is not None:
            effect, able = f"{say('does not act')}: {owner_text(owner)}", False
        elif able and scene.asks(spec.id):
            effect = say("{effect} · press twice", effect=effect)
        lines.append(Line(action=spec.id, group=spec.group, key=key, title=words(spec), effect=effect, able=able))
    return lines


def _effect(scene: Scene, spec: ActionSpec) -> tuple[str, bool]:
    if spec.id == "arm" and scene.blocked:
        return told(scene.blocked), False
    if spec.id in _FIXED:
        return say(_FIXED[spec.id]), True
    if spec.group in ("Order", "Size"):
        return _order_effect(scene, spec)
    return _book_effect(scene, spec)


_FIXED = {
    "drop": "nothing sent, nothing kept",
    "stop": "cancels every entry, keeps protective stops",
    "stop_hold": "the same, from any window",
    "arm": "risk-adding keys on",
    "disarm": "risk-adding keys off",
}


def _order_effect(scene: Scene, spec: ActionSpec) -> tuple[str, bool]:
    if spec.id in ("stage_buy", "stage_sell") or spec.named:
        buys = spec.id == "stage_buy" or spec.id.startswith(PRESET_BUY)
        return _stage_effect(scene, Side.BUY if buys else Side.SELL, spec.named)
    if spec.id in STEPS and (scene.staged is None or scene.staged.ref):
        return _working_effect(scene, STEPS[spec.id])
    if spec.id in ("next_order", "previous_order", "edit_order"):
        count = sum(movable(row) for row in scene.mirror.working(scene.symbol))
        return (say("{count} working", count=count), True) if count else (say("no working order"), False)
    order = scene.staged
    if order is None:
        return say("nothing is staged"), False
    try:
        return _staged_effect(scene, spec, order)
    except ValueError as error:
        return told(str(error)), False


def _working_effect(scene: Scene, ticks: int) -> tuple[str, bool]:
    price = scene.mirror.price(scene.symbol)
    try:
        found = moves(scene.mirror.working(scene.symbol), exact(price.tick if price is not None else 0.01) * ticks)
    except ValueError as error:
        return str(error), False
    if scene.blocked:
        return told(scene.blocked), False
    return (say("moves {n} orders", n=len(found)), True) if scene.armed else (say("not armed: nothing is sent"), False)


def _staged_effect(scene: Scene, spec: ActionSpec, order: StagedOrder) -> tuple[str, bool]:
    name = spec.id
    if name == "send":
        if scene.blocked:
            return told(scene.blocked), False
        return (_say(order), True) if scene.armed else (say("not armed: nothing is sent"), False)
    if name == "marketable":
        price = scene.mirror.price(order.symbol)
        if price is None:
            return say("no price yet"), False
        return str(marketable(order, price).limit), True
    if name == "next_leg":
        return say("arrows move the {leg} now", leg=say(order.leg.value)), True
    if name in STEPS:
        return say("moves entry, stop and target together"), True
    steps = {"price_up": 1, "price_down": -1, "price_up_ten": 10, "price_down_ten": -10}
    if name in steps:
        moved = nudge(order, steps[name])
        return f"{_leg_price(moved)} · {_risk(moved)}", True
    if name == "size_risk":
        sized = size_from_risk(order, scene.risk_money)
        return f"{quantity(sized.quantity)} · {_risk(sized)}", True
    sized = resize(order, scene.sizes[int(name.removeprefix("size_")) - 1])
    return f"{quantity(sized.quantity)} · {_risk(sized)}", True


def _leg_price(order: StagedOrder) -> Decimal | None:
    return {"entry": order.limit, "stop": order.stop, "target": order.target}[order.leg.value]


def _stage_effect(scene: Scene, side: Side, preset: str) -> tuple[str, bool]:
    price = scene.mirror.price(scene.symbol)
    if price is None or not price.live:
        return say("no fresh quote"), False
    if scene.begin is not None:
        try:
            return _begun(scene.begin(side, preset)), True
        except ValueError as error:
            return told(str(error)), False
    limit = to_tick(exact(price.bid if side is Side.BUY else price.ask), exact(price.tick))
    return f"{say(side.value)} {quantity(scene.size)} {scene.symbol} @ {limit}", True


def _begun(begun: Begun) -> str:
    if isinstance(begun, Offer):
        request = begun.request
        order = f"{say(request.side.value)} {quantity(request.quantity)} {request.symbol} {request.order_type.value}"
        return say("{order}: opens in the ticket", order=order)
    line = f"{say(begun.side.value)} {quantity(begun.quantity)} {begun.symbol} @ {begun.limit}"
    legs = [(say("stop"), begun.stop), (say("target"), begun.target)]
    return " · ".join([line, *(f"{name} {price}" for name, price in legs if price is not None)])


def _book_effect(scene: Scene, spec: ActionSpec) -> tuple[str, bool]:
    mirror, symbol, name = scene.mirror, scene.symbol, spec.id
    if name.startswith("cancel"):
        rows = [row for row in mirror.working() if row.leg in ("", "entry") and not row.external]
        if name == "cancel_symbol":
            rows = [row for row in rows if row.symbol == symbol]
        if not rows:
            return say("no working entry"), False
        if name == "cancel_last":
            row = rows[-1]
            return f"{say(row.side)} {quantity(row.quantity)} {row.symbol}", True
        return say("{count} entries; exits stay", count=len(rows)), True
    position = mirror.position(symbol)
    if position is None or not position.quantity:
        return say("no position in {symbol}", symbol=symbol or "–"), False
    if name == "stop_even":
        stops = [row for row in mirror.working(symbol) if row.leg == "stop"]
        if not stops:
            return say("no stop at the broker"), False
        try:
            even = even_stop(position, mirror.price(symbol), stops, symbol)
        except ValueError as error:
            return told(str(error)), False
        return f"{stops[0].stop_price} → {even}", True
    share = {"exit_half": Decimal("0.5"), "exit_quarter": Decimal("0.25")}.get(name, Decimal(1))
    side = Side.SELL if position.quantity > 0 else Side.BUY
    units = closed(position.quantity, share)
    won = position.open_pnl * units / abs(position.quantity) if position.open_pnl is not None else None
    pnl = f" · {signed(won)}" if won is not None else ""
    effect = f"{say(side.value)} {quantity(units)} {symbol}{pnl}"
    return say("{order}, and the same again staged", order=effect) if name == "reverse" else effect, True


def _say(order: StagedOrder) -> str:
    legs = [say("stop")] * (order.stop is not None) + [say("target")] * (order.target is not None)
    words = f"{say(order.side.value)} {quantity(order.quantity)} {order.symbol} @ {order.limit}"
    return " · ".join([say("{order} (a change)", order=words) if order.ref else words, *legs])


def _risk(order: StagedOrder) -> str:
    return say("risks {money}", money=f"{order.risk:f}") if order.risk is not None else say("no stop")
