"""The static row of a quote follows what is known of the instrument."""

from decimal import Decimal

import msgspec

from engine.api.rows import QuoteRow
from engine.bus.bus import Bus
from engine.model.ids import Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.market import Quote
from engine.views.quotes import QuoteView
from engine.views.table import Table

SPY = Symbol("SPY")


class Source:
    def __init__(self) -> None:
        self.known: Instrument | None = Instrument(symbol=SPY)

    def quote(self, symbol: Symbol) -> Quote | None:
        return None

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self.known


def fail(*arguments: object) -> None:
    raise AssertionError(arguments)


def test_a_description_that_comes_after_the_first_price_reaches_the_row_with_its_marks_kept() -> None:
    source, table = Source(), Table("quotes")
    view = QuoteView(Bus(fail), source, table)
    view.add(SPY)
    view.badge(SPY, held=True, badges=("N1",))
    row = table.get(SPY)
    assert isinstance(row, QuoteRow)
    assert (row.kind, row.tick, row.held) == ("STK", 0.01, True)
    source.known = Instrument(
        symbol=SPY, name="S&P 500 fund", kind=InstrumentKind.ETF, tick=Decimal("0.005"), multiplier=Decimal(50)
    )
    view._touch(SPY)
    view.since(0)
    described = table.get(SPY)
    assert described == msgspec.structs.replace(row, name="S&P 500 fund", kind="ETF", tick=0.005, multiplier=50.0)
    before = table.version
    view._touch(SPY)
    view.since(1)
    assert table.version == before, "what is known already is not told again"


def test_a_symbol_nobody_has_described_has_a_row_all_the_same() -> None:
    source, table = Source(), Table("quotes")
    source.known = None
    QuoteView(Bus(fail), source, table).add(SPY)
    assert table.get(SPY) == QuoteRow(key=SPY, index=0)
