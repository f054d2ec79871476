"""Money on the table of positions: one mark for the rows and for the day."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.api.rows import PositionRow
from engine.model.ids import Symbol
from engine.model.market import Quote, Side
from engine.views.positions import PositionView
from engine.views.table import Table
from tests.engine.portfolio.test_ledger import World, fill

D = Decimal
AAPL = Symbol("AAPL")


class Market:
    """The rig's market, whose last trade was at the ask."""

    def __init__(self, world: World) -> None:
        self._world = world

    def quote(self, symbol: Symbol) -> Quote | None:
        quote = self._world.market.quote(symbol)
        return None if quote is None else Quote(**{**_fields(quote), "last": quote.ask})


def _fields(quote: Quote) -> dict[str, object]:
    return {name: getattr(quote, name) for name in quote.__struct_fields__}


@pytest.mark.asyncio
async def test_what_is_open_and_what_was_taken_is_the_result_of_the_day(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.ledger.start()
    world.account("100000")
    world.book(
        fill(1, Side.BUY, "101", "99.63", "1"),
        fill(2, Side.SELL, "25", "99.01", "1"),
        fill(3, Side.BUY, "13", "98", "1"),
    )
    table, market = Table("positions"), Market(world)
    view = PositionView(world.bus, world.ledger, market.quote, Table("orders"), table, lambda *_: None)
    for price in (100.0, 98.37, 101.005):
        world.market.prices["AAPL"] = price
        view.refresh()
        row = table.get("AAPL")
        assert isinstance(row, PositionRow)
        assert row.last == market.quote(AAPL).ask
        assert row.open_pnl is not None
        day, taken = world.ledger.day_pnl(), world.ledger.day_realised()
        assert abs(row.open_pnl + taken - day) < D("0.01")
        assert row.mark is not None
        assert row.break_even is not None
        assert row.break_even > row.average_price
