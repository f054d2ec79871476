"""Presets: what an order begins with. Pure values; the nearest preset wins, field by field."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from engine.model.money import to_tick
from engine.model.order import OrderType, TimeInForce
from widgets.ticket_draft import Around, Away, AwayIn, Draft, SizeIn, TrailIn, reference
from widgets.words import tr

MOST = Decimal(10**9)
ALL = "all"
KIND, SYMBOL, NAME = "kind ", "symbol ", "name "
"""How the place of a preset begins: a kind of instrument, one symbol, a name; ``all`` is for every order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What an order begins with; None leaves a field to the next preset, and in the end to the program."""

    order_type: OrderType | None = None
    tif: TimeInForce | None = None
    outside_rth: bool | None = None
    size: tuple[Decimal, SizeIn] | None = None
    stop: Away | None = None
    target: Away | None = None
    trail: tuple[Decimal, TrailIn] | None = None

    @property
    def empty(self) -> bool:
        return all(getattr(self, field.name) is None for field in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A preset put together from the nearest ones, and where each of its fields came from."""

    preset: Preset = Preset()
    sources: tuple[str, ...] = ()
    """Places of the presets that gave a field, nearest first."""
    left: tuple[str, ...] = ()
    """Values of fields that the broker in use does not take: they were not applied."""


def join(presets: Iterable[tuple[str, Preset]], types: Sequence[str] = (), tifs: Sequence[str] = ()) -> Filling:
    """Put (place, preset) together, nearest first. ``types``, ``tifs``: what the broker takes; empty is not known."""
    found: dict[str, object] = {}
    sources, left = [], []
    for place, preset in presets:
        gave = False
        for field in fields(preset):
            value = getattr(preset, field.name)
            if value is None or field.name in found:
                continue
            refused = {"order_type": types, "tif": tifs}.get(field.name, ())
            if refused and value not in refused:
                left.append(str(value))
                continue
            found[field.name] = value
            gave = True
        if gave:
            sources.append(place)
    return Filling(preset=Preset(**found), sources=tuple(sources), left=tuple(dict.fromkeys(left)))


def begin(draft: Draft, filling: Filling, *, sized: bool = True) -> Draft:
    """Return the draft with what the presets say. ``sized`` false leaves the size to the person."""
    preset = filling.preset
    changes: dict[str, object] = {"preset": filling.sources, "preset_left": filling.left}
    for name in ("order_type", "tif", "outside_rth"):
        if getattr(preset, name) is not None:
            changes[name] = getattr(preset, name)
    if preset.size is not None and sized:
        changes["size"], changes["size_in"] = preset.size
    if preset.trail is not None:
        changes["trail"], changes["trail_in"] = preset.trail
    if preset.stop is not None:
        changes["stop_away"], changes["stop"] = preset.stop, None
    if preset.target is not None:
        changes["target_away"], changes["target"] = preset.target, None
    return replace(draft, **changes)


def waits(draft: Draft) -> bool:
    """Whether a stop or target of a preset has no price yet."""
    legs = ((draft.stop_away, draft.stop), (draft.target_away, draft.target))
    return any(away is not None and price is None for away, price in legs)


def place_legs(draft: Draft, around: Around) -> Draft:
    """Put stop and target at the distance that the presets want; empty where that cannot be reckoned."""
    if draft.stop_away is None and draft.target_away is None:
        return draft
    price = reference(draft, around)
    stop, target = draft.stop, draft.target
    if draft.stop_away is not None:
        stop = _at(price, draft.stop_away, -draft.side.sign, around)
    if draft.target_away is not None:
        target = _at(price, draft.target_away, draft.side.sign, around)
    return draft if (stop, target) == (draft.stop, draft.target) else replace(draft, stop=stop, target=target)


def _at(price: Decimal | None, away: Away, sign: int, around: Around) -> Decimal | None:
    distance = away.money(price, around) if price is not None else None
    if price is None or distance is None or around.tick <= 0:
        return None
    # Never nearer than a tick: a leg at the price itself would be none.
    steps = max(Decimal(1), (to_tick(distance, around.tick) / around.tick))
    at = to_tick(price, around.tick) + sign * steps * around.tick
    return at if at > 0 else None


def after_edit(before: Draft, draft: Draft, around: Around) -> Draft:
    """Follow an edit: a leg that a hand has set stays there, the others keep their distance."""
    if draft.stop != before.stop:
        draft = replace(draft, stop_away=None)
    if draft.target != before.target:
        draft = replace(draft, target_away=None)
    return place_legs(draft, around)


def preset_of(draft: Draft, around: Around) -> Preset:
    """Return what of a draft could be what others begin with: prices become distances, in ticks."""
    return Preset(
        order_type=draft.order_type,
        tif=None if draft.tif is TimeInForce.GTD else draft.tif,
        outside_rth=draft.outside_rth,
        size=None if draft.size is None or draft.size <= 0 else (draft.size, draft.size_in),
        stop=draft.stop_away or _away(draft, around, draft.stop),
        target=draft.target_away or _away(draft, around, draft.target),
        trail=None if draft.trail is None or draft.trail <= 0 else (draft.trail, draft.trail_in),
    )


def _away(draft: Draft, around: Around, leg: Decimal | None) -> Away | None:
    price = reference(draft, around)
    if leg is None or price is None or around.tick <= 0 or leg == price:
        return None
    return Away((to_tick(abs(price - leg), around.tick) / around.tick).normalize(), AwayIn.TICKS)


# --- words

KIND_WORDS = {
    "STK": "stocks",
    "ETF": "ETFs",
    "FUT": "futures",
    "FX": "currencies",
    "OPT": "options",
    "IND": "indices",
    "CRYPTO": "crypto",
}


def place_words(place: str) -> str:
    """Say whose preset it is: ``AAPL``, ``stocks``, ``all``, ``“Scalp”``."""
    if place.startswith(NAME):
        return f"“{place.removeprefix(NAME)}”"
    if place.startswith(SYMBOL):
        return place.removeprefix(SYMBOL)
    if place.startswith(KIND):
        kind = place.removeprefix(KIND)
        return tr(KIND_WORDS.get(kind, kind))
    return tr("all orders")


def preset_words(draft: Draft) -> list[str]:
    """Say which presets filled a draft, and what of them was not applied."""
    words = []
    if draft.preset:
        words.append(tr("preset: {names}", names=", ".join(place_words(place) for place in draft.preset)))
    if draft.preset_left:
        words.append(tr("not taken by the broker: {fields}", fields=", ".join(draft.preset_left)))
    return words


# --- as text, for the file

_NUMBER_OF = {"size": SizeIn, "stop": AwayIn, "target": AwayIn, "trail": TrailIn}


def to_texts(preset: Preset) -> dict[str, str]:
    """Return the fields that are set as text: ``{"type": "LMT", "stop": "20 ticks"}``."""
    found: dict[str, str] = {}
    if preset.order_type is not None:
        found["type"] = preset.order_type.value
    if preset.tif is not None:
        found["tif"] = preset.tif.value
    if preset.outside_rth is not None:
        found["outside"] = "yes" if preset.outside_rth else "no"
    for name in ("size", "trail"):
        if (pair := getattr(preset, name)) is not None:
            found[name] = f"{pair[0]:f} {pair[1].value}"
    for name in ("stop", "target"):
        if (away := getattr(preset, name)) is not None:
            found[name] = f"{away.amount:f} {away.unit.value}"
    return found


def read_texts(raw: object) -> Preset:
    """Read what :func:`to_texts` made. Raises ``ValueError`` naming the field and what is wrong with it."""
    if not isinstance(raw, dict):
        raise ValueError(tr("a preset is a table of fields"))
    found: dict[str, object] = {}
    for name, text in raw.items():
        if not isinstance(text, str):
            raise ValueError(tr("{field}: wanted a text", field=name))
        if name == "type":
            found["order_type"] = _one_of(name, text, OrderType)
        elif name == "tif":
            found["tif"] = _one_of(name, text, TimeInForce)
            if found["tif"] is TimeInForce.GTD:
                raise ValueError(tr("{field}: a date cannot be a preset", field=name))
        elif name == "outside":
            if text not in ("yes", "no"):
                raise ValueError(tr("{field}: wanted yes or no, not {text}", field=name, text=repr(text)))
            found["outside_rth"] = text == "yes"
        elif name in _NUMBER_OF:
            found[name] = _amount(name, text)
        else:
            raise ValueError(tr("there is no field {field}", field=repr(name)))
    return Preset(**found)


def _one_of(name: str, text: str, kind: type[StrEnum]) -> StrEnum:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(tr("{field}: {text} is not known", field=name, text=repr(text))) from None


def _amount(name: str, text: str) -> tuple[Decimal, StrEnum] | Away:
    number, _, unit = text.strip().partition(" ")
    return read_amount(name, number, unit)


def read_amount(name: str, number: str, unit: str) -> tuple[Decimal, StrEnum] | Away:
    """Read a number and its unit for ``name``. Raises ``ValueError`` naming the field."""
    kind = _NUMBER_OF[name]
    known = _one_of(name, unit, kind)
    try:
        amount = Decimal(number.strip().replace(",", "."))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 < amount <= MOST:
        raise ValueError(tr("{field}: {text} is not a number above zero", field=name, text=repr(number)))
    if known.value == "%" and amount >= 100:
        raise ValueError(tr("{field}: the percentage must be below 100", field=name))
    return Away(amount, AwayIn(known)) if kind is AwayIn else (amount, known)
