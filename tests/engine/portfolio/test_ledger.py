"""The ledger: right to the cent, whatever the order of news, and after every restart."""

import random
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.bus.bus import Bus
from engine.bus.clock import StepClock
from engine.model.events.base import Event
from engine.model.events.book import AccountChanged, PositionChanged, PositionClosed, PositionOpened
from engine.model.fill import Fill
from engine.model.ids import AccountId, ExecId, OrderRef, Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.market import Side
from engine.model.position import Account
from engine.model.report import BrokerPosition
from engine.portfolio.holding import Holding, Tally, add
from engine.portfolio.ledger import Ledger
from tests.engine.memory.rig import open_journal
from tests.support.desk_rig import DAY, START, FakeMarket

ME = AccountId("DU1")


def fill(
    n: int,
    side: Side,
    quantity: str,
    price: str,
    commission: str = "0",
    symbol: str = "AAPL",
    at: int | None = None,
    revision: int = 1,
    currency: str = "USD",
) -> Fill:
    ts = START + (n if at is None else at)
    return Fill(
        exec_id=ExecId(f"e{n}"),
        revision=revision,
        ref=OrderRef(f"r{n}"),
        account=ME,
        symbol=Symbol(symbol),
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        commission=Decimal(commission),
        currency=currency,
        ts_event=ts,
        ts_seen=ts,
    )


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = StepClock(START)
        self.events: list[Event] = []
        self.bus = Bus(self._fail)
        for kind in (PositionOpened, PositionChanged, PositionClosed, AccountChanged):
            self.bus.subscribe(kind, self.events.append, owner="test")
        self.market = FakeMarket(self.clock)
        self.journal = open_journal(folder)
        self.ledger = self.build()

    def _fail(self, owner: str, role: object, event: Event, error: Exception) -> None:
        raise error

    def build(self) -> Ledger:
        return Ledger(self.bus, self.clock, account=ME, journal=self.journal, store=self.journal.kv, market=self.market)

    def book(self, *fills: Fill) -> None:
        for each in fills:
            self.journal.commit(fills=(each,))
            self.ledger.on_fill(each)

    def account(self, cash: str, equity: str | None = None) -> None:
        value = None if equity is None else Decimal(equity)
        self.ledger.on_account(Account(account=ME, cash={"USD": Decimal(cash)}, equity=value))


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    built = World(tmp_path)
    await built.ledger.start()
    yield built
    built.journal.close()


def test_average_cost_realises_only_what_is_closed() -> None:
    tally = Tally()
    for each in (
        fill(1, Side.BUY, "100", "10", "1"),
        fill(2, Side.BUY, "100", "12", "1"),
        fill(3, Side.SELL, "50", "13"),
    ):
        tally = add(tally, each, Decimal(1))
    assert (tally.quantity, tally.average) == (150, 11)
    assert tally.realised == 50 * 2 - 2
    assert tally.flow == -1000 - 1 - 1200 - 1 + 650


def test_a_trade_through_zero_closes_and_opens_at_its_price() -> None:
    tally = add(add(Tally(), fill(1, Side.BUY, "100", "10"), Decimal(1)), fill(2, Side.SELL, "150", "11"), Decimal(1))
    assert (tally.quantity, tally.average, tally.realised) == (-50, 11, 100)
    tally = add(tally, fill(3, Side.BUY, "50", "9"), Decimal(1))
    assert (tally.quantity, tally.average, tally.realised) == (0, 0, 200)


FILLS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(list(Side)),
        st.sampled_from(["1", "3", "7", "100", "0.5"]),
        st.decimals(min_value=1, max_value=500, places=4),
        st.decimals(min_value=0, max_value=3, places=2),
        st.integers(1, 3),
    ),
    max_size=25,
)


@given(rows=FILLS, seed=st.integers(0, 2**31))
def test_t_p1_profit_depends_on_the_fills_and_not_on_the_order_in_which_they_are_learnt(
    rows: list[tuple[int, Side, str, Decimal, Decimal, int]], seed: int
) -> None:
    newest: dict[tuple[int, int], Fill] = {}
    for n, side, quantity, price, commission, revision in rows:
        made = fill(n, side, quantity, str(price), str(commission), at=n // 3, revision=revision)
        newest.setdefault((n, revision), made)
    learnt = list(newest.values())
    straight, shuffled = Holding(), Holding()
    for each in sorted(learnt, key=lambda f: (f.ts_event, f.exec_id, f.revision)):
        straight.book(each)
    learnt += learnt[:5]
    random.Random(seed).shuffle(learnt)
    for each in learnt:
        shuffled.book(each)
    assert straight.tally == shuffled.tally
    last = {f.exec_id: f for f in sorted(newest.values(), key=lambda f: f.revision)}
    net = sum((f.quantity * f.side.sign for f in last.values()), Decimal(0))
    assert straight.tally.quantity == net
    worth = net * straight.tally.average
    drift = straight.tally.realised - (straight.tally.flow + worth)
    assert abs(drift) < Decimal("1e-15"), "profit is cash plus cost of what is held"


@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])
@given(rows=FILLS)
async def test_a_rebuilt_ledger_is_the_same_to_the_cent(
    rows: list[tuple[int, Side, str, Decimal, Decimal, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(tmp_path_factory.mktemp("ledger"))
    await world.ledger.start()
    world.account("100000", "100000")
    for n, side, quantity, price, commission, revision in rows:
        symbol = ("AAPL", "MSFT", "NVDA")[n % 3]
        at = n * 7 % 11
        world.book(fill(n, side, quantity, str(price), str(commission), symbol, at, revision))
        if n % 9 == 0:
            world.clock.advance(86_400)
    again = world.build()
    again.rebuild()
    assert dict(again.positions()) == dict(world.ledger.positions())
    assert again.cash() == world.ledger.cash()
    assert again.day_pnl() == world.ledger.day_pnl()
    assert again.equity() == world.ledger.equity()
    world.journal.close()


async def test_t_r6_a_correction_and_a_commission_are_booked_exactly(world: World) -> None:
    world.account("10000")
    world.book(fill(1, Side.BUY, "100", "10.00"))
    world.book(fill(1, Side.BUY, "100", "9.50", revision=2))
    world.book(fill(1, Side.BUY, "100", "9.50", "1.25", revision=2))
    position = world.ledger.positions()["AAPL"]
    assert (position.quantity, position.average_price, position.commission) == (100, Decimal("9.50"), Decimal("1.25"))
    assert world.ledger.cash() == {"USD": Decimal("10000") - 950 - Decimal("1.25")}
    world.book(fill(1, Side.BUY, "100", "10.00"))
    assert world.ledger.positions()["AAPL"].average_price == Decimal("9.50"), "an older revision changes nothing"


async def test_a_commission_in_another_currency_is_taken_from_that_cash(world: World) -> None:
    world.account("10000")
    world.book(fill(1, Side.BUY, "10", "10.00"))
    world.book(fill(1, Side.BUY, "10", "10.00", "1.25", currency="EUR"))
    world.book(fill(2, Side.BUY, "10", "10.00", "1.00"))
    assert world.ledger.cash() == {"USD": Decimal("9799"), "EUR": Decimal("-1.25")}
    world.book(fill(1, Side.BUY, "10", "10.00", "1.50", currency="EUR", revision=2))
    assert world.ledger.cash() == {"USD": Decimal("9799"), "EUR": Decimal("-1.50")}


async def test_positions_tell_their_story(world: World) -> None:
    world.book(
        fill(1, Side.BUY, "100", "10"),
        fill(2, Side.BUY, "50", "11"),
        fill(3, Side.SELL, "200", "12", "2"),
        fill(4, Side.BUY, "50", "12"),
    )
    kinds = [type(e).__name__ for e in world.events]
    assert kinds == ["PositionOpened", "PositionChanged", "PositionClosed", "PositionOpened", "PositionClosed"]
    closed = world.events[2]
    assert isinstance(closed, PositionClosed)
    assert closed.realised == 100 * 2 + 50 * 1 - 2
    assert world.ledger.positions() == {}


async def test_day_pnl_counts_from_the_start_of_the_session_and_survives_a_restart(world: World) -> None:
    world.account("10000", "10000")
    world.book(fill(1, Side.BUY, "100", "90", "1"))
    assert world.ledger.day_pnl() == 100 * 10 - 1
    world.clock.advance_to(START + DAY)
    assert world.ledger.day_pnl() == 0, "a new session begins at the marks"
    world.market.prices["AAPL"] = 105.0
    assert world.ledger.day_pnl() == 500
    late = fill(2, Side.SELL, "100", "107", "1", at=DAY)
    world.book(late)
    assert world.ledger.day_pnl() == 699
    again = world.build()
    again.rebuild()
    assert again.day_pnl() == 699
    assert again.symbol_day_pnl(Symbol("AAPL")) == 699


async def test_what_was_taken_today_counts_symbols_that_are_flat_by_now_and_begins_anew_with_the_session(
    world: World,
) -> None:
    world.account("10000", "10000")
    world.book(fill(1, Side.BUY, "100", "90", "1"), fill(2, Side.SELL, "100", "93", "1"))
    world.book(fill(3, Side.BUY, "10", "50", "1", symbol="MSFT"))
    assert "AAPL" not in world.ledger.positions()
    assert world.ledger.day_realised() == 300 - 2 - 1
    world.clock.advance_to(START + DAY)
    assert world.ledger.day_realised() == 0
    again = world.build()
    again.rebuild()
    assert again.day_realised() == 0


async def test_values_that_hang_on_an_unknown_price_are_none(world: World) -> None:
    world.account("10000")
    assert world.ledger.equity() == 10000
    world.book(fill(1, Side.BUY, "10", "10", symbol="AAPL"))
    del world.market.prices["AAPL"]
    assert world.ledger.equity() is None
    assert world.ledger.day_pnl() is None
    assert world.ledger.open_pnl(Symbol("AAPL")) is None


async def test_equity_is_none_before_the_broker_has_told_of_cash(world: World) -> None:
    assert world.ledger.equity() is None


async def test_multipliers_and_margined_instruments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    future = Instrument(symbol=Symbol("ES"), kind=InstrumentKind.FUTURE, multiplier=Decimal(50))
    monkeypatch.setattr(world.market, "instrument", lambda symbol: future)
    world.market.prices["ES"] = 5010.0
    world.account("100000")
    world.book(fill(1, Side.BUY, "2", "5000", "4", symbol="ES"))
    assert world.ledger.open_pnl(Symbol("ES")) == 2 * 10 * 50
    assert world.ledger.cash() == {"USD": 100000 - 4}, "only margin is bound, no cash is paid"
    assert world.ledger.equity() == 100000 - 4 + 1000


async def test_the_difference_to_the_brokers_cash_is_shown(world: World) -> None:
    world.account("10000")
    world.book(fill(1, Side.BUY, "10", "10"))
    world.account("9903.50")
    assert world.ledger.cash_difference() == {"USD": Decimal("3.50")}


async def test_what_was_held_before_moves_no_cash_and_is_adopted_once(world: World) -> None:
    held = [BrokerPosition(account=ME, symbol=Symbol("AAPL"), quantity=Decimal(-30), average_price=Decimal(95))]
    assert world.ledger.adopt_opening(held, START)
    assert not world.ledger.adopt_opening(held, START)
    world.account("10000")
    position = world.ledger.positions()["AAPL"]
    assert (position.quantity, position.average_price) == (-30, 95)
    assert position.opened_by == "before the first start"
    assert world.ledger.cash() == {"USD": 10000}


async def test_adopting_after_the_account_is_known_moves_no_cash(world: World) -> None:
    world.account("10000")
    world.ledger.adopt(Symbol("AAPL"), Decimal(50), Decimal(100))
    assert world.ledger.cash() == {"USD": 10000}
    assert world.ledger.day_pnl() == 0


@pytest.mark.parametrize(("close", "day"), [(97.0, 30 * -3), (float("nan"), 0)])
async def test_the_day_of_what_was_held_before_the_first_start_begins_at_the_close_before(
    world: World, close: float, day: int
) -> None:
    world.market.closes["AAPL"] = close
    held = [BrokerPosition(account=ME, symbol=Symbol("AAPL"), quantity=Decimal(-30), average_price=Decimal(150))]
    world.ledger.adopt_opening(held, START)
    assert world.ledger.day_pnl() == day, "what was won before is not of today"
    world.market.prices["AAPL"] = 101.0
    assert world.ledger.day_pnl() == day - 30
    world.book(fill(1, Side.BUY, "30", "102", "1"))
    assert world.ledger.day_pnl() == day - 60 - 1
    again = world.build()
    again.rebuild()
    if close == close:
        assert again.day_pnl() == day - 60 - 1
    world.clock.advance_to(START + DAY)
    assert world.ledger.day_pnl() == 0


@pytest.mark.parametrize(("side", "paid"), [(Side.BUY, "10.02"), (Side.SELL, "9.98")])
async def test_break_even_pays_the_way_in_and_as_much_for_the_way_out(world: World, side: Side, paid: str) -> None:
    assert world.ledger.break_even(Symbol("AAPL")) is None
    world.book(fill(1, side, "100", "10", "1"))
    assert world.ledger.break_even(Symbol("AAPL")) == Decimal(paid)
    world.book(fill(2, side.opposite, "63", "12", "1"))
    assert world.ledger.break_even(Symbol("AAPL")) == Decimal(paid), "a partial exit takes its part of the fee along"
    world.book(fill(3, side.opposite, "74", "12", "2"))
    held = world.ledger.positions()[Symbol("AAPL")]
    assert abs(held.quantity) == 37
    assert world.ledger.break_even(Symbol("AAPL")) == 12 - 2 * side.sign * Decimal(1) / 37, "through zero: half the fee"
    world.book(fill(4, side, "37", "12", "1"))
    assert world.ledger.break_even(Symbol("AAPL")) is None


async def test_the_session_equity_is_what_the_broker_said_first(world: World) -> None:
    world.account("10000", "20000")
    world.account("10000", "21000")
    account = world.ledger.account()
    assert account is not None
    assert (account.equity, account.session_equity) == (21000, 20000)
    world.clock.advance(86_400)
    world.account("10000", "22000")
    account = world.ledger.account()
    assert account is not None
    assert account.session_equity == 21000, "the last value before the session began"


async def test_an_account_that_did_not_change_is_not_told_again(world: World) -> None:
    account = Account(account=ME, cash={"USD": Decimal(1)}, equity=Decimal(1), ts_event=1)
    world.ledger.on_account(account)
    world.ledger.on_account(msgspec.structs.replace(account, ts_event=2))
    assert [type(e).__name__ for e in world.events] == ["AccountChanged"]


async def test_a_fill_missed_over_night_moves_cash_once_although_the_account_tells_of_it_first(world: World) -> None:
    world.account("10000")
    world.clock.advance_to(START + DAY)
    # The stop filled while no engine ran: the account is told at the connect, the fill by the comparison after it.
    world.ledger.on_account(Account(account=ME, cash={"USD": Decimal("9050")}), compared=False)
    world.book(fill(1, Side.BUY, "10", "95"))
    world.account("9050")
    assert world.ledger.cash() == {"USD": Decimal("9050")}
    assert world.ledger.cash_difference() == {}


async def test_before_the_first_comparison_the_cash_of_the_account_is_not_taken_for_the_opening(world: World) -> None:
    world.ledger.on_account(Account(account=ME, cash={"USD": Decimal("9050")}), compared=False)
    assert world.ledger.equity() is None
    world.book(fill(1, Side.BUY, "10", "95"))
    world.account("9050")
    assert world.ledger.cash() == {"USD": Decimal("9050")}
