"""Parents at work on the order desk: schedules, money at risk, everything that ends them, restarts."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from engine.bus.clock import SECOND
from engine.bus.errors import JournalError
from engine.execution.algos.algorithm import Plan, Reprice, Send, View, Withdraw
from engine.execution.algos.events import ParentEnded
from engine.execution.algos.params import Param, Values
from engine.execution.algos.plugins import own_algorithms
from engine.execution.algos.settings import AlgoSettings
from engine.model.events.system import Alarm
from engine.model.ids import OrderRef, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, Origin, TimeInForce
from engine.model.report import BrokerStatus, LinkState
from tests.engine.execution.algos.algo_rig import AlgoRig


@pytest_asyncio.fixture
async def algo(tmp_path: Path) -> AsyncIterator[AlgoRig]:
    built = await AlgoRig(tmp_path).start()
    yield built
    await built.close()


TEN = {"minutes": "10", "slices": "10"}


async def test_twap_sends_a_tenth_each_minute_and_ends_when_all_is_filled(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(595, fill=True)
    assert algo.state(ref) == "DONE"
    assert algo.bought() == 100
    parent = algo.desk.parent(ref)
    assert parent is not None
    assert [algo.rig.broker.truth(child).quantity for child in parent.children] == ["10"] * 10
    assert all(algo.rig.broker.wire[child] == 1 for child in parent.children)
    assert not algo.rig.gate.reserved
    assert parent.slippage is not None


async def test_the_whole_order_counts_as_exposure_from_the_first_to_the_last_slice(algo: AlgoRig) -> None:
    algo.begin("twap", 100, params=TEN)
    for _ in range(55):
        algo.advance(10, fill=True)
        assert algo.at_risk() == 100


async def test_a_child_names_its_parent_and_keeps_its_decision(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN, strategy="s")
    algo.advance(1)
    (status,) = algo.rig.desk.open_orders()
    assert status.request.parent_ref == status.parent_ref == ref
    assert status.request.algo == ""
    assert status.request.strategy == "s"
    assert status.request.quantity == 10


async def test_what_does_not_fill_reaches_across_and_rolls_into_the_next_slice(algo: AlgoRig) -> None:
    algo.begin("twap", 100, params=TEN)
    algo.advance(5)
    (first,) = algo.open_truths()
    assert first.limit_price == "99.99"
    algo.advance(30)
    assert algo.rig.broker.truth(first.ref).limit_price == "100.03"
    algo.advance(30)
    (second,) = algo.open_truths()
    assert algo.rig.broker.truth(first.ref).status == "cancelled"
    assert second.quantity == "20"


async def test_the_persons_limit_is_never_crossed(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, "100.00", params={**TEN, "style": "take"})
    algo.rig.market.prices["AAPL"] = 101.0
    algo.advance(650)
    assert {truth.limit_price for truth in algo.rig.broker.orders} == {"100.00"}
    assert algo.state(ref) == "DONE"
    assert algo.desk.parent(ref).code == "TIME"


async def test_the_same_intent_again_is_answered_with_the_first_one_also_after_its_end(algo: AlgoRig) -> None:
    request = algo.request("twap", 100, None, TEN)
    first = algo.desk.start_parent(request, "window")
    assert algo.desk.start_parent(request, "window").data["ref"] == first.data["ref"]
    algo.advance(700, fill=True)
    assert algo.desk.start_parent(request, "window").data["ref"] == first.data["ref"]
    await algo.restart()
    assert algo.desk.start_parent(request, "window").data["ref"] == first.data["ref"]
    assert algo.bought() == 100


async def test_a_cancelled_parent_cancels_its_children_and_sends_no_more(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(61, fill=True)
    algo.advance(60)
    assert len(algo.open_truths()) == 1
    assert algo.desk.cancel(ref, "window").ok
    assert algo.state(ref) == "STOPPING"
    algo.advance(5)
    assert algo.state(ref) == "CANCELLED"
    placed = sum(algo.rig.broker.wire.values())
    algo.advance(600)
    assert sum(algo.rig.broker.wire.values()) == placed
    assert not algo.open_truths()
    assert not algo.rig.gate.reserved
    assert algo.desk.cancel(ref, "window").code == "CLOSED"
    assert algo.desk.cancel(OrderRef("nothing"), "window").code == "NO_SUCH_ORDER"


async def test_a_fill_on_the_way_of_the_cancel_is_counted(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(1)
    algo.rig.broker.faults.silent_cancel = True
    algo.desk.cancel(ref, "window")
    algo.fill_open()
    algo.advance(2)
    assert algo.state(ref) == "CANCELLED"
    assert algo.desk.parent(ref).filled == 10


async def test_t_s1_stop_ends_every_parent_at_once_and_resuming_starts_none(algo: AlgoRig) -> None:
    refs = [algo.begin("twap", 100, params=TEN), algo.begin("chase", 50)]
    algo.advance(2)
    algo.rig.stop_switch.stop("test", "stop pressed")
    assert all(algo.rig.broker.cancel_frames[t.ref] >= 1 for t in algo.rig.broker.orders)
    placed = sum(algo.rig.broker.wire.values())
    algo.advance(5)
    assert [algo.state(ref) for ref in refs] == ["STOPPED", "STOPPED"]
    assert {algo.desk.parent(ref).code for ref in refs} == {"HALTED"}
    assert algo.ask("twap", params=TEN).code == "HALTED"
    algo.rig.modes.resume()
    algo.advance(600)
    assert sum(algo.rig.broker.wire.values()) == placed


async def test_stop_ends_parents_also_when_the_journal_cannot_be_written(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(2)
    algo.rig.journal.database.connection.execute("PRAGMA query_only = ON")
    algo.rig.stop_switch.stop("test", "stop pressed")
    algo.advance(5)
    assert algo.state(ref) == "STOPPED"
    assert not algo.open_truths()
    algo.rig.journal.database.connection.execute("PRAGMA query_only = OFF")


async def test_flatten_of_the_symbol_ends_its_parents(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    other = algo.begin("twap", 100, params=TEN, symbol="MSFT")
    algo.advance(3, fill=True)
    algo.rig.stop_switch.flatten(Symbol("AAPL"), by="window")
    algo.advance(20, fill=True)
    algo.advance(20, fill=True)
    assert algo.desk.parent(ref).code == "FLATTEN"
    assert algo.state(other) == "WORKING"
    assert algo.bought() == 0


@pytest.mark.parametrize("trouble", ["stale", "halted"])
async def test_without_usable_prices_children_are_withdrawn_and_the_parent_waits_then_goes_on(
    algo: AlgoRig, trouble: str
) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(5)
    getattr(algo.rig.market, trouble).add("AAPL")
    algo.advance(3)
    assert algo.state(ref) == "PAUSED"
    assert not algo.open_truths()
    placed = sum(algo.rig.broker.wire.values())
    algo.advance(60)
    assert sum(algo.rig.broker.wire.values()) == placed
    getattr(algo.rig.market, trouble).clear()
    algo.advance(600, fill=True)
    assert algo.bought() == 100


async def test_a_pause_that_lasts_stops_the_parent(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params={"minutes": "60"})
    algo.rig.market.stale.add("AAPL")
    algo.advance(320)
    assert algo.state(ref) == "STOPPED"
    assert algo.desk.parent(ref).code == "PAUSED"
    assert any(isinstance(e, Alarm) and e.code == f"ALGO:{ref}" for e in algo.rig.events)


async def test_the_end_of_the_session_ends_the_parent(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(5)
    algo.rig.market.closed = True
    algo.advance(3)
    assert algo.desk.parent(ref).code == "SESSION"
    assert not algo.open_truths()
    assert algo.ask("twap", params=TEN).code == "SESSION"


async def test_a_denied_child_stops_the_parent_with_the_code_of_the_gate(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(5, fill=True)
    algo.rig.gate.deny = "G17"
    algo.advance(60, fill=True)
    assert (algo.state(ref), algo.desk.parent(ref).code) == ("STOPPED", "G17")
    assert algo.bought() == 10
    assert not algo.rig.gate.reserved
    algo.rig.gate.deny = ""
    algo.advance(600, fill=True)
    assert algo.bought() == 10


async def test_a_denied_parent_sends_nothing_and_says_why(algo: AlgoRig) -> None:
    algo.rig.gate.deny = "G1"
    receipt = algo.ask("twap", params=TEN)
    assert (receipt.ok, receipt.code) == (False, "G1")
    assert algo.desk.parents() == ()


@pytest.mark.parametrize(
    ("status", "code"), [(BrokerStatus.REJECTED, "REJECTED"), (BrokerStatus.CANCELLED, "CHILD_ENDED")]
)
async def test_a_child_that_the_broker_or_somebody_ends_stops_the_parent(
    algo: AlgoRig, status: BrokerStatus, code: str
) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(2)
    algo.rig.broker.finish(algo.open_truths()[0], status)
    algo.advance(30)
    assert (algo.state(ref), algo.desk.parent(ref).code) == ("STOPPED", code)
    assert sum(algo.rig.broker.wire.values()) == 1


async def test_t_x4_a_child_without_an_answer_is_waited_for_and_one_that_never_arrived_is_not_sent_again(
    algo: AlgoRig,
) -> None:
    algo.rig.broker.faults.swallow = True
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(12)
    assert algo.state(ref) == "PAUSED"
    assert [s.state.value for s in algo.rig.desk.open_orders()] == ["UNKNOWN"]
    algo.advance(60)
    assert algo.state(ref) == "STOPPED"
    assert algo.desk.parent(ref).code == "NOT_AT_BROKER"
    assert sum(algo.rig.broker.wire.values()) == 1


async def test_a_lost_link_pauses_and_an_agreement_lets_it_go_on(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(5)
    algo.rig.broker.say_link(LinkState.DOWN)
    algo.advance(60)
    assert algo.state(ref) == "PAUSED"
    assert sum(algo.rig.broker.wire.values()) == 1
    algo.rig.broker.say_link(LinkState.UP)
    algo.advance(560, fill=True)
    assert algo.bought() == 100


async def test_a_slice_that_is_due_while_the_link_is_down_waits_for_the_agreement(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(55, fill=True)
    algo.rig.broker.say_link(LinkState.DOWN)
    algo.advance(30)
    assert algo.state(ref) == "PAUSED"
    algo.rig.broker.say_link(LinkState.UP)
    algo.advance(515, fill=True)
    assert algo.state(ref) == "DONE"
    assert algo.bought() == 100


async def test_what_was_missed_is_made_up_in_steps(algo: AlgoRig) -> None:
    algo.begin("twap", 1000, params=TEN)
    algo.advance(2, fill=True)
    algo.rig.market.stale.add("AAPL")
    algo.advance(290)
    algo.rig.market.stale.clear()
    algo.advance(300, fill=True)
    assert max(int(truth.quantity) for truth in algo.rig.broker.orders) == 301
    assert algo.bought() == 1000


async def test_while_it_stops_only_what_can_still_fill_is_reserved(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(2)
    algo.rig.broker.faults.silent_cancel = True
    algo.desk.cancel(ref, "window")
    assert algo.state(ref) == "STOPPING"
    assert algo.at_risk() == 10


async def test_a_restart_goes_on_where_the_orders_stand(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(130, fill=True)
    algo.advance(60)
    await algo.restart(away_s=20)
    assert algo.state(ref) in ("WORKING", "PAUSED")
    assert algo.at_risk() == 100
    algo.advance(500, fill=True)
    assert algo.bought() == 100
    assert algo.state(ref) == "DONE"
    assert max(algo.rig.broker.wire.values()) == 1
    assert algo.desk.parent(ref).slippage.tape_gaps == 1


async def test_after_a_long_absence_a_parent_is_stopped_and_its_child_cancelled(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params={"minutes": "60", "slices": "6"})
    algo.advance(5)
    await algo.restart(away_s=900)
    algo.advance(30)
    assert (algo.state(ref), algo.desk.parent(ref).code) == ("STOPPED", "RESTART")
    assert not algo.open_truths()


async def test_a_parent_whose_algorithm_is_gone_is_stopped(algo: AlgoRig) -> None:
    ref = algo.begin("chase", 100)
    algo.advance(5)
    del algo.algorithms["chase"]
    await algo.restart()
    algo.advance(30)
    assert (algo.state(ref), algo.desk.parent(ref).code) == ("STOPPED", "ALGO")
    assert not algo.open_truths()


class Crash(BaseException):
    """The program ends here."""


@pytest.mark.parametrize("where", ["noted", "cleared", "placed"])
async def test_t_x1_a_crash_around_a_slice_never_sends_it_twice(
    algo: AlgoRig, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(65, fill=True)
    rig = algo.rig
    if where == "noted":
        crash_at(monkeypatch, rig.desk, "submit", before=True)
    elif where == "placed":
        crash_at(monkeypatch, rig.desk, "submit", before=False)
    else:
        crash_at(monkeypatch, rig.gate, "clear", before=False)
    with pytest.raises(Crash):
        algo.advance(120, fill=True)
    await algo.restart()
    algo.advance(600, fill=True)
    assert algo.state(ref) in ("DONE", "STOPPED")
    assert algo.bought() == 100
    assert max(rig.broker.wire.values()) == 1


def crash_at(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, before: bool) -> None:
    real: Callable[..., object] = getattr(owner, name)

    def crash(*args: object, **fields: object) -> object:
        if not before:
            real(*args, **fields)
        raise Crash

    monkeypatch.setattr(owner, name, crash)


async def test_a_child_that_cannot_be_noted_is_not_sent(algo: AlgoRig, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = algo.begin("twap", 100, params=TEN)
    algo.advance(5, fill=True)

    def full(name: str, value: str) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(algo.rig.journal.kv, "set", full)
    algo.advance(60, fill=True)
    assert (algo.state(ref), algo.desk.parent(ref).code) == ("STOPPED", "JOURNAL")
    assert sum(algo.rig.broker.wire.values()) == 1
    assert not algo.rig.gate.reserved
    assert algo.ask("twap", params=TEN).code == "JOURNAL"
    assert not algo.rig.gate.reserved


async def test_the_participation_cap_holds_the_schedule_back(algo: AlgoRig) -> None:
    algo.begin("twap", 1000, params={**TEN, "cap": "0.1"})
    algo.tape = 10.0
    heard = 0.0
    for _ in range(60):
        algo.advance(10, fill=True)
        heard += 100
        assert float(algo.bought()) <= 0.1 * heard
    assert algo.bought() > 50


async def test_pov_stays_behind_the_tape(algo: AlgoRig) -> None:
    ref = algo.begin("pov", 5000, params={"rate": "0.1", "minutes": "5"})
    algo.advance(30, fill=True)
    assert algo.bought() == 0, "nothing trades, so we do not"
    algo.tape = 20.0
    algo.advance(280, fill=True)
    heard = 20 * 280
    assert 0.06 * heard < float(algo.bought()) <= 0.1 * heard
    algo.advance(10)
    assert (algo.state(ref), algo.desk.parent(ref).code) == ("DONE", "TIME")


async def test_vwap_does_most_where_most_usually_trades_and_is_refused_without_history(algo: AlgoRig) -> None:
    algo.begin("vwap", 100, params={"minutes": "60", "slices": "4"})
    algo.advance(1799, fill=True, step=1)
    assert algo.bought() == 75
    algo.curve.known = False
    assert algo.ask("vwap").code == "NO_CURVE"


async def test_an_iceberg_shows_one_part_at_a_time_at_its_limit(algo: AlgoRig) -> None:
    ref = algo.begin("iceberg", 100, "99.50", params={"show": "20"})
    shown = []
    while algo.state(ref) != "DONE":
        algo.advance(2)
        open_now = algo.open_truths()
        assert len(open_now) <= 1
        shown += [(truth.quantity, truth.limit_price) for truth in open_now]
        algo.fill_open()
    assert sum(int(quantity) for quantity, _ in shown) == 100
    assert {price for _, price in shown} == {"99.50"}
    assert all(16 <= int(quantity) <= 24 for quantity, _ in shown[:-1])
    assert len({quantity for quantity, _ in shown}) > 1


async def test_chase_follows_the_market_away_and_never_goes_back_or_too_far(algo: AlgoRig) -> None:
    algo.begin("chase", 100, params={"most": "0.1"})
    prices = []
    for price in (100.0, 100.03, 100.01, 100.06, 100.5, 101.0):
        algo.rig.market.prices["AAPL"] = price
        algo.advance(5)
        prices.append(algo.open_truths()[0].limit_price)
    assert prices == ["99.99", "100.02", "100.02", "100.05", "100.10", "100.10"]
    assert len(algo.rig.broker.orders) == 1, "moved, not sent anew"


async def test_chase_crosses_when_its_patience_is_over(algo: AlgoRig) -> None:
    algo.begin("chase", 100, params={"cross": "20"}, side=Side.SELL)
    algo.advance(10)
    assert algo.open_truths()[0].limit_price == "100.01"
    algo.advance(15)
    assert algo.open_truths()[0].limit_price == "99.97"


class Greedy:
    """Somebody's algorithm that is wrong."""

    name = "greedy"
    title = "Greedy"
    params: tuple[Param, ...] = ()
    needs_curve = False

    def __init__(self, wish: object) -> None:
        self.wish = wish

    def seconds(self, params: Values) -> float | None:
        return None

    def refusal(self, order: OrderRequest, params: Values) -> str:
        return ""

    def plan(self, view: View) -> Plan:
        if isinstance(self.wish, Exception):
            raise self.wish
        return Plan(wishes=(self.wish,))  # type: ignore[arg-type]


D = Decimal


@pytest.mark.parametrize(
    "wish",
    [
        Send(D(101), D("99.99")),
        Send(D("0.5"), D("99.99")),
        Send(D(-1), D("99.99")),
        Send(D("NaN"), D("99.99")),
        Send(D(10), D("100.01")),
        Send(D(10), D("99.995")),
        Send(D(10), D("NaN")),
        Send(D(10), D(0)),
        Reprice(OrderRef("somebody"), D("99.99")),
        Withdraw(OrderRef("somebody")),
        "everything",
        ZeroDivisionError("oops"),
    ],
    ids=str,
)
async def test_a_wish_that_is_not_allowed_stops_the_parent_and_nothing_is_sent(tmp_path: Path, wish: object) -> None:
    algo = await AlgoRig(tmp_path, {"greedy": Greedy(wish)}).start()
    ref = algo.begin("greedy", 100, "100.00")
    algo.advance(3)
    assert (algo.state(ref), algo.desk.parent(ref).code) == ("STOPPED", "ALGO_FAULT")
    assert not algo.rig.broker.wire
    await algo.close()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"algo": "nonsense"}, "ALGO"),
        ({"params": {"minutes": "nan"}}, "ALGO_PARAM"),
        ({"params": {"hours": "2"}}, "ALGO_PARAM"),
        ({"params": {"minutes": "0.1", "slices": "100"}}, "ALGO_PARAM"),
        ({"tif": TimeInForce.GTC}, "ALGO_ORDER"),
        ({"parent_ref": OrderRef("p")}, "ALGO_ORDER"),
        ({"symbol": "NOBODY"}, "INSTRUMENT"),
        ({"algo": "iceberg", "params": {"show": "10"}}, "ALGO_PARAM"),
        ({"algo": "iceberg", "price": "99.00"}, "ALGO_PARAM"),
    ],
)
async def test_a_parent_that_cannot_be_worked_is_refused_with_a_code(
    algo: AlgoRig, fields: dict[str, object], code: str
) -> None:
    fields = dict(fields)
    receipt = algo.ask(str(fields.pop("algo", "twap")), 100, fields.pop("price", None), **fields)  # type: ignore[arg-type]
    assert (receipt.ok, receipt.code) == (False, code)
    assert receipt.text.endswith(".")
    assert not algo.rig.gate.reserved


async def test_without_usable_prices_no_parent_begins(algo: AlgoRig) -> None:
    algo.rig.market.stale.add("AAPL")
    assert algo.ask("twap").code == "QUOTE"


async def test_slippage_is_told_against_decision_arrival_and_the_interval(algo: AlgoRig) -> None:
    algo.tape = 10.0
    request = algo.request("twap", 100, None, TEN)
    ref = OrderRef(str(algo.desk.start_parent(request, "window", Decimal("99.90")).data["ref"]))
    algo.rig.market.prices["AAPL"] = 100.50
    algo.advance(600, fill=True)
    (ended,) = [e for e in algo.events if isinstance(e, ParentEnded)]
    cost = ended.parent.slippage
    assert cost is not None
    assert cost.average_price == Decimal("100.49")
    assert cost.arrival_bps == pytest.approx(49.0)
    assert cost.decision_bps == pytest.approx(59.06, abs=0.01)
    assert cost.vwap_bps == pytest.approx(-1.0, abs=0.01)
    assert cost.shortfall == pytest.approx(100 * 0.59 + 10.0)
    assert cost.participation is not None
    await algo.restart()
    assert algo.desk.parent(ref).slippage == cost, "it is remembered"


async def test_what_was_not_filled_counts_in_the_shortfall(algo: AlgoRig) -> None:
    request = algo.request("twap", 100, "100.00", {**TEN, "style": "wait"})
    ref = OrderRef(str(algo.desk.start_parent(request, "window", Decimal("100.00")).data["ref"]))
    algo.rig.market.prices["AAPL"] = 103.0
    algo.advance(650)
    assert algo.desk.parent(ref).slippage.shortfall == pytest.approx(300.0)


async def test_the_agents_parent_keeps_its_origin_and_brackets_ride_with_each_child(algo: AlgoRig) -> None:
    algo.begin("twap", 100, params=TEN, origin=Origin.AUTO, stop_loss=Decimal(95))
    algo.advance(2)
    (status,) = algo.rig.desk.open_orders()
    assert status.request.origin is Origin.AUTO
    assert status.request.stop_loss == 95


async def test_names_are_what_a_person_may_type(algo: AlgoRig) -> None:
    assert algo.desk.names() == ("chase", "iceberg", "pov", "twap", "vwap") == tuple(sorted(own_algorithms()))


async def test_too_many_parents_or_children_are_refused(tmp_path: Path) -> None:
    algo = await AlgoRig(tmp_path, settings=AlgoSettings(most_parents=1, most_children=2)).start()
    ref = algo.begin("twap", 100, params=TEN)
    assert algo.ask("twap", params=TEN, symbol="MSFT").code == "ALGO_MOST"
    algo.advance(300, fill=True)
    assert algo.desk.parent(ref).code == "CHILDREN"
    assert algo.bought() == 20
    await algo.close()


async def test_the_schedule_is_written_often_enough_to_know_how_long_the_program_was_away(algo: AlgoRig) -> None:
    ref = algo.begin("twap", 100, params={"minutes": "60", "slices": "3"})
    algo.advance(900, fill=True)
    await algo.restart(away_s=100)
    assert algo.state(ref) == "WORKING"
    assert algo.rig.clock.now() > SECOND
