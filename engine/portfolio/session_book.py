"""Where the session began: quantities, marks and results to measure the day from. It survives restarts."""

from decimal import Decimal

import msgspec

from engine.model.ids import Symbol


class SymbolStart(msgspec.Struct, frozen=True):
    """One symbol when the session began. Money in the instrument's currency."""

    worth: Decimal
    """Quantity times mark times multiplier."""
    flow: Decimal
    realised: Decimal
    commission: Decimal


class SessionStart(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    date: str
    symbols: dict[Symbol, SymbolStart] = {}
    equity: Decimal | None = None
    """The broker's net liquidation value, the last one known when it began."""
    cash: dict[str, Decimal] | None = None
    """Cash by currency before the fills of the journal: reported cash less their flows."""


_DECODER = msgspec.json.Decoder(SessionStart)


def write(start: SessionStart) -> str:
    """As stored."""
    return msgspec.json.encode(start).decode()


def read(text: str) -> SessionStart:
    """From the store. Raises ``msgspec.ValidationError`` when it is not one."""
    return _DECODER.decode(text)
