"""A split overnight: the symbol is locked, what rests there is shown on the new terms, and a person frees it."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from engine.api.commands import PlaceOrder, Rearm
from engine.api.order_language import parse_order_text
from engine.bus.clock import SECOND
from engine.market.corporate_actions import ActionKind, CorporateAction, CorporateActions
from engine.memory.bar_archive import BarArchive
from engine.model.events.market import QuoteTick
from engine.model.events.system import Alarm
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType, TimeInForce
from engine.runtime.engine import Engine
from engine.runtime.rebasing import Rebasing, know_splits

AAPL = Symbol("AAPL")
D = Decimal


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


def rebasing(engine: Engine) -> Rebasing:
    return engine.parts.place.cache._actions._on_split.__self__


def split_known(engine: Engine, ratio: float = 10.0) -> str:
    """A split that is a fact, effective at the next session."""
    cache = engine.parts.place.cache
    session = cache.session(AAPL, engine.clock.now())
    date = cache.session(AAPL, session.next_open_ns).date
    rebasing(engine)._traded_today = lambda symbol: False  # the night is over, though the clock stands still
    cache._actions.add(CorporateAction(symbol=AAPL, kind=ActionKind.SPLIT, date=date, ratio=ratio, source="import"))
    return date


async def test_t_m1_a_known_split_puts_position_cost_and_stop_of_the_paper_books_on_the_new_terms(engine):
    ref = await hold(engine)
    desk, ledger, paper = engine.parts.trading.desk, engine.parts.trading.ledger, engine.parts.broker
    before, stop = ledger.positions()[AAPL], desk.order(ref).request.stop_price
    cash, worth = paper._account.cash["USD"], before.quantity * before.average_price
    alarms: list[Alarm] = []
    engine.parts.bus.subscribe(Alarm, alarms.append, owner="test")
    date = split_known(engine)
    price = engine.parts.place.cache.quote(AAPL).last
    engine.parts.place.cache._actions.session_opened(AAPL, date, price, price / 10)
    held = paper._account.holdings["AAPL"]
    assert (held.quantity, held.quantity * held.average) == (D(100), worth)
    after = ledger.positions()[AAPL]
    assert (after.quantity, after.quantity * after.average_price) == (D(100), worth)
    assert (after.opened_ns, after.realised, after.commission) == (before.opened_ns, before.realised, before.commission)
    resting = paper._find(ref).request
    assert (resting.quantity, resting.stop_price) == (D(100), (stop / 10).quantize(D("0.01"), ROUND_HALF_UP))
    assert paper._account.cash["USD"] == cash
    said = next(alarm for alarm in alarms if alarm.code == "G27:AAPL")
    assert "10 at" in said.did
    assert "are 100 at" in said.did
    assert engine.parts.trading.modes.locks[AAPL].code == "G27"
    desk.reconcile(paper.snapshot_now(), exact=True)
    assert not desk.drifting(AAPL)
    shown = desk.order(ref).request
    assert (shown.quantity, shown.stop_price) == (resting.quantity, resting.stop_price)
    # Again, as after a restart on the same day: nothing happens twice.
    engine.parts.place.cache._actions.session_opened(AAPL, date, price, price / 10)
    assert paper._account.holdings["AAPL"].quantity == D(100)
    ledger.rebuild()
    assert ledger.positions()[AAPL] == after


async def test_t_m1_a_stop_at_the_old_price_does_not_sell_at_the_first_price_of_the_new_terms(engine):
    ref = await hold(engine)
    split_known(engine)
    engine.parts.trading.ledger.rebuild()
    opens_at(engine, 0.1)
    assert engine.parts.broker._account.holdings["AAPL"].quantity == D(100)
    assert engine.parts.broker._find(ref).open


@pytest.mark.parametrize(("ratio", "units"), [(0.1, D(1)), (1.5, D(15))])
async def test_t_m1_reverse_and_odd_splits_keep_the_money(engine, ratio, units):
    ref = await hold(engine)
    ledger, paper = engine.parts.trading.ledger, engine.parts.broker
    worth = ledger.positions()[AAPL].quantity * ledger.positions()[AAPL].average_price
    date = split_known(engine, ratio)
    price = engine.parts.place.cache.quote(AAPL).last
    engine.parts.place.cache._actions.session_opened(AAPL, date, price, price / ratio)
    after = ledger.positions()[AAPL]
    assert after.quantity == units == paper._account.holdings["AAPL"].quantity
    assert abs(after.quantity * after.average_price - worth) < D("1e-9")
    assert paper._find(ref).request.quantity == units


async def test_t_m1_a_price_that_speaks_against_the_split_changes_no_book(engine):
    ref = await hold(engine)
    date = split_known(engine)
    price = engine.parts.place.cache.quote(AAPL).last
    engine.parts.place.cache._actions.session_opened(AAPL, date, price, price)
    assert engine.parts.broker._account.holdings["AAPL"].quantity == D(10)
    assert engine.parts.trading.ledger.positions()[AAPL].quantity == D(10)
    assert engine.parts.broker._find(ref).request.quantity == D(10)
    assert AAPL in engine.parts.trading.modes.locks


async def test_t_m1_what_was_traded_on_the_new_terms_already_is_left_alone(engine):
    await hold(engine)
    date, price = split_known(engine), engine.parts.place.cache.quote(AAPL).last
    del rebasing(engine)._traded_today
    engine.parts.place.cache._actions.session_opened(AAPL, date, price, price / 10)
    assert engine.parts.trading.ledger.positions()[AAPL].quantity == D(10)
    assert engine.parts.broker._account.holdings["AAPL"].quantity == D(10)


async def test_t_m1_an_entry_made_on_the_old_terms_ends_with_the_split(engine):
    bid = D(str(round(engine.parts.place.cache.quote(AAPL).bid, 2)))
    request = OrderRequest(
        intent_id="i-2", symbol=AAPL, side=Side.BUY, quantity=D(10), limit_price=bid - 10, tif=TimeInForce.GTC,
        stop_loss=bid - 15,
    )  # fmt: skip
    receipt = await engine.parts.handler.handle(PlaceOrder(request=request))
    assert receipt.ok, receipt.text
    await engine.run(5)
    date, price = split_known(engine), engine.parts.place.cache.quote(AAPL).last
    engine.parts.place.cache._actions.session_opened(AAPL, date, price, price / 10)
    engine.parts.broker.split(AAPL, date, D(10))
    assert not any(engine.parts.broker._find(ref).open for ref in receipt.data["refs"])


async def test_t_m1_at_a_broker_its_word_is_shown_beside_ours_and_taking_it_over_moves_no_money(engine):
    await hold(engine)
    parts, desk, ledger = engine.parts, engine.parts.trading.desk, engine.parts.trading.ledger
    before = ledger.positions()[AAPL]
    rebasing(engine)._paper = None  # as if the broker were elsewhere
    alarms: list[Alarm] = []
    parts.bus.subscribe(Alarm, alarms.append, owner="test")
    date, price = split_known(engine), parts.place.cache.quote(AAPL).last
    parts.broker.split(AAPL, date, D(10))  # its own books
    parts.place.cache._actions.session_opened(AAPL, date, price, price / 10)
    assert ledger.positions()[AAPL].quantity == D(10)
    await engine.run(2)
    said = [alarm for alarm in alarms if alarm.code == "G27:AAPL"][-1]
    assert "We hold 10; the broker says 100" in said.did
    receipt = desk.adoption.take_position(AAPL, D(100))
    assert receipt.ok, receipt.text
    after = ledger.positions()[AAPL]
    assert after.quantity == D(100)
    assert abs(after.quantity * after.average_price - before.quantity * before.average_price) < D("1e-9")
    assert after.realised == before.realised


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
