"""The registry of instruments: what the settings, imported files and providers say a symbol is."""

import math
from collections.abc import Iterable
from decimal import Decimal
from enum import IntEnum

import msgspec

from engine.model.ids import Symbol
from engine.model.instrument import Instrument, InstrumentKind

# fmt: off
_CURRENCIES = frozenset({
    "AUD", "CAD", "CHF", "CNH", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS",
    "JPY", "MXN", "NOK", "NZD", "PLN", "SEK", "SGD", "TRY", "USD", "ZAR",
})
_INDICES = {
    "GSPC": "XNYS", "SP500": "XNYS", "SPX": "XNYS", "NDX": "XNYS", "IXIC": "XNYS", "DJI": "XNYS", "RUT": "XNYS",
    "VIX": "XNYS", "ESTX50": "XETR", "SX5E": "XETR", "STOXX50E": "XETR", "DAX": "XETR", "GDAXI": "XETR", "DE40": "XETR",
    "FTSE": "XLON", "UK100": "XLON", "FCHI": "XPAR", "CAC40": "XPAR", "N225": "XTKS", "NI225": "XTKS", "HSI": "XHKG",
}
"""Indices whose name says where they are made -> calendar."""
# fmt: on


class Authority(IntEnum):
    """Who described an instrument; a higher one replaces a lower one."""

    GUESS = 0
    FILE = 1
    PROVIDER = 2
    BROKER = 3
    SETTINGS = 4


class Instruments:
    """Symbols known to the engine, in order of arrival."""

    def __init__(self, universe: Iterable[Instrument] = (), authority: Authority = Authority.SETTINGS) -> None:
        """``authority``: who described the universe; of bare symbols it is a guess."""
        self._known: dict[Symbol, tuple[Authority, Instrument]] = {}
        for instrument in universe:
            self.add(instrument, authority)

    def add(self, instrument: Instrument, authority: Authority) -> bool:
        """Take ``instrument`` unless a higher authority has spoken; return whether it was taken.

        An average volume that is known stays when the new description has none. Raises ``ValueError`` when it cannot
        be traded on: empty symbol, tick, lot or multiplier not positive.
        """
        if not instrument.symbol:
            raise ValueError("an instrument needs a symbol")
        for field in ("tick", "lot", "multiplier"):
            value = getattr(instrument, field)
            if not value.is_finite() or value <= 0:
                raise ValueError(f"{instrument.symbol}: {field} must be positive, not {value}")
        present = self._known.get(instrument.symbol)
        if present is not None and present[0] > authority:
            return False
        if present is not None and math.isnan(instrument.adv20):
            instrument = msgspec.structs.replace(instrument, adv20=present[1].adv20)
        self._known[instrument.symbol] = (authority, instrument)
        return True

    def traded(self, symbol: Symbol, adv20: float) -> None:
        """Note the average daily volume of ``symbol``, whoever described it; nothing happens when it is unknown."""
        present = self._known.get(symbol)
        if present is not None:
            self._known[symbol] = (present[0], msgspec.structs.replace(present[1], adv20=adv20))

    def get(self, symbol: Symbol) -> Instrument | None:
        known = self._known.get(symbol)
        return None if known is None else known[1]

    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(self._known)

    def remove(self, symbol: Symbol) -> None:
        """Forget ``symbol``; nothing happens when it is unknown."""
        self._known.pop(symbol, None)


def looks_like_forex(symbol: str) -> bool:
    """Say whether ``symbol`` is two ISO currency codes (EURUSD, EUR.USD, EUR/USD)."""
    pair = symbol.upper().replace("/", "").replace(".", "")
    return len(pair) == 6 and pair[:3] in _CURRENCIES and pair[3:] in _CURRENCIES


def described(symbol: Symbol) -> Instrument:
    """Say what a bare symbol most likely is: a currency pair (24/5), an index by ``^`` or name, else a US stock."""
    if looks_like_forex(symbol):
        quote = symbol.upper()[-3:]
        tick = Decimal("0.001") if quote in ("JPY", "HUF") else Decimal("0.00001")
        return Instrument(
            symbol=symbol, kind=InstrumentKind.FOREX, exchange="IDEALPRO", calendar="24/5", currency=quote, tick=tick
        )
    if (calendar := _INDICES.get(symbol.upper().lstrip("^"))) or symbol.startswith("^"):
        return Instrument(symbol=symbol, kind=InstrumentKind.INDEX, calendar=calendar or "XNYS")
    return Instrument(symbol=symbol)
