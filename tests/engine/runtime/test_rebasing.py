"""A split overnight: the symbol is locked, what rests there is shown on the new terms, and a person frees it."""

from decimal import Decimal

import numpy as np
import pytest

from engine.api.commands import PlaceOrder, Rearm
from engine.api.order_language import parse_order_text
from engine.bus.clock import SECOND
from engine.market.corporate_actions import CorporateActions
from engine.memory.bar_archive import BarArchive
from engine.model.events.market import QuoteTick
from engine.model.events.system import Alarm
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType
from engine.runtime.engine import Engine
from engine.runtime.rebasing import know_splits

AAPL = Symbol("AAPL")


@pytest.fixture
async def engine(make_spec):
    engine = Engine(make_spec(symbols=("AAPL", "KO")))
    await engine.start()
    await engine.run(400)
    yield engine
    await engine.stop()


def opens_at(engine: Engine, factor: float) -> None:
    """The first quote of the next session."""
    cache = engine.parts.place.cache
    quote, session = cache.quote(AAPL), cache.session(AAPL, engine.clock.now())
    at, price = session.next_open_ns + SECOND, quote.last * factor
    fields = {"bid": price - 0.01, "ask": price + 0.01, "bid_size": 100.0, "ask_size": 100.0, "source": "test"}
    cache.accept(QuoteTick(ts_event=at, ts_init=at, symbol=AAPL, **fields))


async def hold(engine: Engine) -> str:
    """Buy with a stop; return the stop's reference."""
    ask = Decimal(str(round(engine.parts.place.cache.quote(AAPL).ask, 2)))
    request = OrderRequest(
        intent_id="i-1",
        symbol=AAPL,
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.LIMIT,
        limit_price=ask,
        stop_loss=ask - 5,
    )
    receipt = await engine.parts.handler.handle(PlaceOrder(request=request))
    assert receipt.ok, receipt.text
    await engine.run(5)
    return receipt.data["refs"][1]


async def test_t_m1_a_split_locks_the_symbol_and_shows_what_rests_there_on_the_new_terms(engine):
    ref = await hold(engine)
    stop = engine.parts.trading.desk.order(ref).request.stop_price
    alarms: list[Alarm] = []
    engine.parts.bus.subscribe(Alarm, alarms.append, owner="test")
    opens_at(engine, 0.1)
    lock = engine.parts.trading.modes.locks[AAPL]
    assert (lock.code, "split" in lock.reason) == ("G27", True)
    said = next(alarm for alarm in alarms if alarm.code == "G27:AAPL")
    assert f"{ref} stands at {stop}, 10 units; on the new terms {stop / 10:.2f}, 100 units" in said.did
    assert "unlock AAPL" in said.you_can


async def test_an_ordinary_night_locks_nothing(engine):
    opens_at(engine, 0.9)
    assert AAPL not in engine.parts.trading.modes.locks


async def test_a_person_frees_the_symbol_with_a_reason(engine):
    opens_at(engine, 0.1)
    modes, handle = engine.parts.trading.modes, engine.parts.handler.handle
    for command, code in (
        (Rearm(code="", scope="AAPL", reason="", by="cli"), "REASON"),
        (Rearm(code="", scope="AAPL", reason="why not", by="agent"), "PERSON"),
    ):
        assert (await handle(command)).code == code
        assert AAPL in modes.locks
    receipt = await handle(parse_order_text("unlock aapl 10 for 1, compared with the broker", "i-9"))
    assert receipt.ok, receipt.text
    assert AAPL not in modes.locks


async def test_a_lock_that_stands_for_a_difference_with_the_broker_is_not_lifted_by_hand(engine):
    engine.parts.trading.modes.lock(AAPL, "DRIFT", "our position is 5, the broker's is 6")
    receipt = await engine.parts.handler.handle(Rearm(code="", scope="AAPL", reason="I think it is fine", by="cli"))
    assert not receipt.ok
    assert AAPL in engine.parts.trading.modes.locks


async def test_imported_splits_are_facts_on_their_exchange_date(engine, tmp_path):
    place = engine.parts.place
    session = place.cache.session(AAPL, engine.clock.now())
    columns = {"ts": np.array([session.open_ns], np.int64), "dividend": np.zeros(1), "split": np.array([4.0])}
    BarArchive(tmp_path / "bars").append("AAPL", 0, columns, kind="action")
    actions = CorporateActions(1.8, 0.55, lambda *lock: None)
    assert know_splits(actions, tmp_path, engine._instruments, place.calendars) == 1
    assert [action.ratio for action in actions.on_date(AAPL, session.date)] == [4.0]
