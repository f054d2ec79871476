"""Parameters of an algorithm: declared once with title, description and bounds; read from text by name."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import msgspec

from engine.bus.errors import UserError
from engine.model.money import ZERO

Value = Decimal | str | None
Values = Mapping[str, Value]


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter: a number with bounds, or a word out of ``choices``. Without a ``default`` it may be left out."""

    name: str
    title: str
    description: str
    default: Value = None
    least: Decimal = ZERO
    most: Decimal = Decimal("1e9")
    choices: tuple[str, ...] = ()


def read(given: Mapping[str, str], params: tuple[Param, ...]) -> Values:
    """Return all parameters by name. Raises ``UserError`` naming the one that is unknown or unusable."""
    known = {param.name: param for param in params}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise UserError(f"there is no parameter {name}; there are {names}")
    return MappingProxyType({name: _value(param, given.get(name)) for name, param in known.items()})


def _value(param: Param, text: str | None) -> Value:
    if text is None:
        return param.default
    if param.choices:
        if text.lower() not in param.choices:
            raise UserError(f"{param.name} is one of {', '.join(param.choices)}, not {text}")
        return text.lower()
    if text.lower() == "none" and param.default is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UserError(f"{param.name} must be a number, not {text}") from None
    if not number.is_finite() or not param.least <= number <= param.most:
        raise UserError(f"{param.name} must be from {param.least} to {param.most}, not {text}")
    return number


def number(values: Values, name: str) -> Decimal:
    """A parameter that is always a number."""
    value = values[name]
    if not isinstance(value, Decimal):
        raise UserError(f"{name} must be a number")
    return value


def maybe(values: Values, name: str) -> Decimal | None:
    """A number that may be left out."""
    value = values[name]
    return value if isinstance(value, Decimal) else None
