"""The static row of a symbol says what its instrument says, as soon as that is known."""

from decimal import Decimal

import pytest

from engine.api.rows import QuoteRow
from engine.bus.bus import Bus
from engine.model.events.market import QuoteTick
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote
from engine.views.quotes import QuoteView
from engine.views.table import Table

ES = Symbol("ES")


def _raise(owner: str, _role: object, _event: object, error: Exception) -> None:
    raise RuntimeError(owner) from error


class Source:
    def __init__(self) -> None:
        self.known: dict[Symbol, Instrument] = {}

    def quote(self, symbol: Symbol) -> Quote | None:
        return None

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self.known.get(symbol)


@pytest.mark.parametrize("late", [True, False])
def test_tick_currency_and_multiplier_are_told_also_when_the_instrument_comes_late(late: bool) -> None:
    bus, source, table = Bus(_raise), Source(), Table("quotes")
    view = QuoteView(bus, source, table)
    future = Instrument(symbol=ES, name="E-mini", tick=Decimal("0.25"), multiplier=Decimal(50), currency="USD")
    if late:
        view.badge(ES, held=True)
        assert table.get(ES) == QuoteRow(key=ES, index=0, held=True), "nothing is made up"
        source.known[ES] = future
        bus.publish(QuoteTick(symbol=ES, bid=1.0, ask=2.0, bid_size=1.0, ask_size=1.0, ts_event=1, ts_init=1))
        view.since(0)
    else:
        source.known[ES] = future
        view.badge(ES, held=True)
    assert table.get(ES) == QuoteRow(
        key=ES, index=0, name="E-mini", kind="STK", tick=0.25, multiplier=50.0, currency="USD", held=True
    )
    view.badge(ES, badges=("HALT",))
    row = table.get(ES)
    assert isinstance(row, QuoteRow)
    assert (row.multiplier, row.held, row.badges) == (50.0, True, ("HALT",))
