"""What the gate counts and remembers: orders of the day, duplicates, usual values, messages, decisions, sessions."""

import msgspec
import pytest

from engine.bus.clock import SECOND
from engine.bus.errors import JournalError
from engine.model.decision import Book, Mode
from engine.model.events.order import OrderPending
from engine.model.events.system import Alarm
from engine.model.market import Side
from engine.model.order import OrderState, OrderType, Origin
from engine.risk.counters import DayCounts, Decisions, Messages, Sent, SentLog
from engine.risk.rules.rule import Rule
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, HOUR, MSFT, XOM, MemoryCounters, World, d

TODAY = "2026-03-02"


# --- counters of the day


class CountingCounters(MemoryCounters):
    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def get(self, key: str, date: str) -> int:
        self.reads += 1
        return super().get(key, date)


def test_a_count_is_read_from_the_store_once_and_kept_in_step_with_it() -> None:
    store = CountingCounters()
    store.values[("a", TODAY)] = 3
    counts = DayCounts(store)
    assert [(counts.get("a", TODAY), counts.get("b", TODAY)) for _ in range(3)] == [(3, 0)] * 3
    assert store.reads == 2
    counts.add("a", TODAY, 2)
    assert (counts.get("a", TODAY), store.values[("a", TODAY)]) == (5, 5)
    assert counts.get("a", "2026-03-03") == 0


def test_a_count_that_could_not_be_stored_did_not_happen() -> None:
    store = MemoryCounters()
    counts = DayCounts(store)
    counts.add("a", TODAY)
    store.broken = True
    with pytest.raises(JournalError):
        counts.add("a", TODAY)
    assert counts.get("a", TODAY) == 1


def test_counts_in_memory_do_not_grow_without_end() -> None:
    counts = DayCounts(MemoryCounters())
    for n in range(25_000):
        counts.get(f"modifies.{n}", "all")
    assert len(counts._cache) <= 10_001


def test_only_openings_count_as_orders_and_only_the_agent_s_as_entries() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    world.send(world.manual())
    world.clock.advance(11)
    world.send(world.close(10, limit_price=101))
    world.clock.advance(1)
    assert world.counters.values == {("orders.manual", TODAY): 1}
    world.send(world.request(symbol=XOM, limit_price=60, stop_loss=55, take_profit=70))
    assert world.counters.values == {
        ("orders.manual", TODAY): 1,
        ("orders.auto", TODAY): 1,
        ("entries.XOM", TODAY): 1,
    }


def test_the_agent_enters_a_symbol_twice_a_day_and_not_three_times() -> None:
    world = wide({"working_entries": 9, "duplicate_seconds": 1, "identical_decisions": 9})
    for _ in range(2):
        world.send(world.request())
        world.clock.advance(2)
    assert world.codes(world.request()) == ["G10"]
    assert world.codes(world.request(symbol=XOM, limit_price=60, stop_loss=55, take_profit=70)) == []


@pytest.mark.parametrize("most", [1, 2])
def test_working_and_reserved_entries_of_a_strategy_count_one_each(most: int) -> None:
    for reserved in (False, True):
        world = wide({"working_entries": most, "entries_per_day": 9})
        for n in range(most):
            assert "G10" not in world.codes(world.request())
            entry = world.request(limit_price=95, quantity=3 + n, stop_loss=90)
            if reserved:
                world.gate.hold(f"parent-{n}", entry)
            else:
                world.desk.put(entry)
        assert "G10" in world.codes(world.request())
        assert "G10" not in world.codes(world.request(strategy="other"))


def test_openings_on_their_way_count_among_those_at_work() -> None:
    world = wide(manual={"open_orders": 2, "open_orders_per_symbol": 2})
    for _ in range(2):
        assert world.clear(world.manual()) is not None
        world.clock.advance(11)
    found = {one.code: one.text for one in world.gate.check(world.manual()).denials}
    assert found == {"G11": "2 orders are at work; the limit is 2."}


# --- what was sent


def sent(at_s: float, notional: float = 100.0, symbol: str = AAPL, price: float = 10.0) -> Sent:
    return Sent(round(at_s * SECOND), symbol, Side.BUY, 1.0, price, notional, "")


def test_what_is_usual_needs_five_orders_and_looks_at_the_last_twenty() -> None:
    log = SentLog()
    for n in range(4):
        log.add(sent(n))
    log.add(sent(4, 0.0))
    assert log.usual_notional() is None
    log.add(sent(5))
    assert log.usual_notional() == 100.0
    log = SentLog()
    for n in range(1, 21):
        log.add(sent(n, float(n)))
    assert log.usual_notional() == 10.5
    log.add(sent(21, 21.0))  # the first leaves
    assert log.usual_notional() == 11.5


def test_the_smallest_order_is_an_order_too() -> None:
    log = SentLog()
    for n in range(5):
        log.add(sent(n, 0.5))
    assert log.usual_notional() == 0.5


def test_an_order_is_remembered_for_an_hour_and_at_its_end() -> None:
    log = SentLog()
    log.add(sent(0))
    log.add(sent(3600))
    assert [one.at_ns for one in log.of(AAPL)] == [0, 3600 * SECOND]
    log.add(sent(3600.5))
    assert [one.at_ns for one in log.of(AAPL)] == [3600 * SECOND, round(3600.5 * SECOND)]
    assert tuple(log.of(MSFT)) == ()


def test_of_one_symbol_the_last_two_hundred_orders_are_remembered() -> None:
    log = SentLog()
    for n in range(230):
        log.add(sent(n))
    assert len(log.of(AAPL)) == 200


def test_what_an_earlier_run_sent_counts_with_its_stop_price_its_date_and_its_multiplier() -> None:
    world = World()
    contract = msgspec.structs.replace(world.market.instruments[MSFT], multiplier=d(50))
    world.market.instruments[MSFT] = contract
    world.desk.put(world.manual(symbol=MSFT, order_type=OrderType.STOP, limit_price=None, stop_price=d(400)))
    for _ in range(4):
        world.desk.put(world.manual(symbol=MSFT, limit_price=400))
    world.gate.restore()
    log = world.gate._sent
    assert log.usual_notional() == 10 * 400 * 50
    assert {one.at_ns for one in log.of(MSFT)} == {world.clock.now()}
    assert len(log.of(MSFT)) == 5


def test_orders_of_an_earlier_run_are_taken_over_in_the_order_in_which_they_were_made() -> None:
    world = World()
    for age in (10, 4000, 20):
        ref = world.desk.put(world.manual())
        status = world.desk.all[ref]
        world.desk.all[ref] = msgspec.structs.replace(status, created_ns=world.clock.now() - age * SECOND)
    world.gate.restore()
    ages = [(world.clock.now() - one.at_ns) // SECOND for one in world.gate._sent.of(AAPL)]
    assert ages == [20, 10]


def test_a_closing_order_by_hand_is_guarded_against_its_repeat_and_is_nothing_usual() -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    assert world.clear(world.close(10)) is not None
    assert world.codes(world.close(10)) == ["G9"]
    assert world.codes(world.close(10, confirmed=("G9",))) == []
    assert world.codes(world.close(11)) == []
    assert not world.gate._sent._notionals
    world.clock.advance(10)
    assert world.codes(world.close(10)) == []


@pytest.mark.parametrize("origin", [Origin.FLATTEN, Origin.PROTECTIVE, Origin.AUTO])
def test_what_closes_by_itself_is_no_repeat_for_a_person(origin: Origin) -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    assert world.clear(world.close(10, origin=origin)) is not None
    assert world.codes(world.close(10)) == []


# --- messages


def note_of(world: World) -> int:
    return world.gate._messages.within(world.clock.now(), 1.0)


def test_every_change_is_a_message() -> None:
    world = wide()
    ref = world.desk.put(world.manual())
    before = note_of(world)
    assert world.gate.check_change(ref, world.manual(quantity=11)).cleared
    assert note_of(world) == before
    assert world.gate.clear_change(ref, world.manual(quantity=11)).cleared
    assert note_of(world) == before + 1


def test_a_cancel_counts_once_however_often_the_gate_was_restored() -> None:
    world = World()
    world.gate.restore()
    world.gate.restore()
    cleared = world.send(world.request())
    status, now, before = world.desk.all[cleared.ref], world.clock.now(), note_of(world)
    world.bus.publish(
        OrderPending(
            ts_event=now, ts_init=now, ref=cleared.ref, symbol=AAPL, side=Side.BUY, status=status, what="cancel"
        )
    )
    assert note_of(world) == before + 1


def test_messages_of_the_last_second_and_minute_are_told_apart() -> None:
    messages = Messages()
    for at in (0, 30, 59):
        messages.note(at * SECOND)
    assert messages.within(59 * SECOND, 1.0) == 1
    assert messages.within(59 * SECOND, 60.0) == 3
    assert messages.within(60 * SECOND, 60.0) == 2


# --- changes


def test_a_change_is_no_duplicate_and_no_new_order_of_the_day() -> None:
    world = wide(manual={"orders_per_day": 1, "open_orders": 1})
    cleared = world.send(world.manual())
    again = world.desk.all[cleared.ref].request
    assert {"G9", "G11"} <= set(world.codes(msgspec.structs.replace(again, intent_id="another")))
    assert world.gate.check_change(cleared.ref, again).cleared


def test_a_refresh_moves_the_end_and_nothing_else_and_is_not_counted() -> None:
    world = wide({"modifies_per_order": 1})
    cleared = world.send(world.request())
    request = world.desk.all[cleared.ref].request
    later = msgspec.structs.replace(request, good_till_ns=request.good_till_ns - SECOND)
    for _ in range(3):
        world.clock.advance(1)
        assert world.gate.clear_change(cleared.ref, later, refresh=True).cleared
    assert world.counters.values.get((f"modifies.{cleared.ref}", "all"), 0) == 0
    larger = msgspec.structs.replace(later, quantity=d(11))
    verdict = world.gate.clear_change(cleared.ref, larger, refresh=True)
    assert [found.text for found in verdict.denials] == ["A refresh changes the end alone."]


def test_a_change_too_many_says_how_many_there_were() -> None:
    world = wide(manual={"modifies_per_order": 2, "messages_per_second": 20})
    ref = world.desk.put(world.manual(quantity=100))
    request = world.desk.all[ref].request
    for _ in range(2):
        assert world.gate.clear_change(ref, request).cleared
    (found,) = world.gate.check_change(ref, request).denials
    assert (found.code, found.text, found.limit, found.value) == (
        "G8b",
        "The order was changed 2 times; the limit is 2.",
        "2",
        "2",
    )
    flatten = world.desk.put(world.manual(quantity=100, origin=Origin.FLATTEN))
    for _ in range(3):
        world.counters.add(f"modifies.{flatten}", "all")
    assert "G8b" not in [one.code for one in world.gate.check_change(flatten, world.desk.all[flatten].request).denials]


def test_a_change_that_cannot_be_counted_is_refused() -> None:
    world = wide()
    ref = world.desk.put(world.manual(quantity=100))
    world.counters.broken = True
    verdict = world.gate.clear_change(ref, world.manual(quantity=300))
    assert [found.code for found in verdict.denials] == ["JOURNAL"]
    assert world.gate._exposure.exposure().gross == pytest.approx(10_000)


def test_a_closed_order_is_not_changed() -> None:
    world = wide()
    ref = world.desk.put(world.manual(), state=OrderState.FILLED)
    (found,) = world.gate.check_change(ref, world.manual()).denials
    assert found.text == "There is no such working order."


# --- repetition


def repeating(**auto: float) -> World:
    many = dict.fromkeys(("working_entries", "open_orders", "open_orders_per_symbol"), 20)
    return wide({**many, "entries_per_day": 100, "duplicate_seconds": 1, **auto})


def repeat(world: World, times: int, apart_s: float = 2) -> list[bool]:
    found = []
    for _ in range(times):
        found.append(world.clear(world.request()) is not None)
        world.clock.advance(apart_s)
    return found


def test_the_same_decision_passes_three_times_and_the_fourth_turns_the_strategy_off() -> None:
    world = repeating()
    assert repeat(world, 4) == [True, True, True, False]
    latch = world.latches.get("G10", "momentum")
    assert latch is not None
    assert (latch.text, latch.date) == ("it decided the same thing 4 times within 30 minutes", TODAY)
    (alarm,) = world.of(Alarm)
    assert (alarm.code, alarm.severity, alarm.happened) == ("G10", "amber", "Strategy momentum repeats itself.")
    assert world.modes.mode is Mode.AUTO


def test_the_fourth_is_refused_in_words_at_once() -> None:
    world = repeating()
    repeat(world, 3)
    verdict, _ = world.gate.clear(world.request())
    assert [(found.code, found.text, found.limit, found.value) for found in verdict.denials] == [
        (
            "G10",
            "Strategy momentum is off until a person re-arms it: it decided the same thing 4 times within 30 minutes.",
            "3",
            "4",
        )
    ]


def test_a_decision_no_longer_counts_half_an_hour_later() -> None:
    world = repeating()
    assert repeat(world, 6, 10 * 60) == [True] * 6
    world = repeating()
    assert repeat(world, 4, 10 * 60 - 1) == [True, True, True, False]


def test_another_size_side_or_symbol_is_another_decision() -> None:
    decisions, world = Decisions(), World()
    for request in (
        world.request(),
        world.request(quantity=11),
        world.request(side=Side.SELL),
        world.request(symbol=MSFT),
    ):
        assert decisions.note(request, 0, 10) == 1
    assert decisions.note(world.request(strategy="other"), 0, 10) == 1
    again = world.request()
    assert [decisions.note(again, 0, 10) for _ in range(3)] == [2, 2, 2]
    decisions.forget("other")
    assert decisions.note(world.request(), 0, 10) == 3
    decisions.forget("momentum")
    assert decisions.note(world.request(), 0, 10) == 1


def test_once_re_armed_the_count_begins_anew_and_turns_it_off_again() -> None:
    world = repeating()
    for _ in range(2):
        assert repeat(world, 4) == [True, True, True, False]
        assert world.modes.rearm("G10", "momentum", "window", "fixed the data").ok


def test_a_latch_that_cannot_be_recorded_halts() -> None:
    world = repeating()
    repeat(world, 3)
    world.store.broken = True
    assert world.clear(world.request()) is None
    assert world.modes.mode is Mode.HALTED


def test_what_another_rule_refuses_is_no_repetition() -> None:
    world = repeating()
    world.market.no_calendar.add(AAPL)
    assert repeat(world, 6) == [False] * 6
    world.market.no_calendar.clear()
    assert repeat(world, 1) == [True]


# --- first sessions


@pytest.mark.parametrize(
    ("book", "origin", "noted"),
    [
        (Book.LIVE, Origin.AUTO, ["2026-03-02"]),
        (Book.LIVE, Origin.MANUAL, []),
        (Book.PAPER, Origin.AUTO, []),
    ],
)
def test_only_live_orders_of_the_agent_begin_its_first_sessions(book: Book, origin: Origin, noted: list[str]) -> None:
    world = wide(world={"book": book}, what_if="full_value")
    assert world.clear(world.request(origin=origin, quantity=1)) is not None
    assert world.gate._sessions._load() == noted


@pytest.mark.parametrize(
    ("auto", "most", "code"),
    [
        ({"order_units_cap": 100}, 10, "G2"),
        ({"order_adv_percent": 0.001}, 10, "G2"),
        ({"position_percent": 1}, 10, "G12"),
        ({"gross_percent": 1}, 10, "G13"),
        ({"net_percent": 1}, 10, "G13"),
        ({"sector_percent": 1}, 10, "G14"),
        ({"cluster_percent": 1}, 10, "G14"),
    ],
)
def test_in_the_first_live_sessions_a_tenth_of_each_limit_holds(auto: dict[str, float], most: int, code: str) -> None:
    wider = {"order_notional_cap": 1e9, "adv_notional_floor": 1, **auto}
    for quantity, denied in ((most, False), (most + 1, True)):
        world = wide(wider, world={"book": Book.LIVE}, what_if="full_value")
        world.market.instruments[AAPL] = msgspec.structs.replace(world.market.instruments[AAPL], adv20=1e7)
        world.clusters.sets.append(frozenset({AAPL, XOM}))
        assert world.codes(world.request(quantity=quantity)) == ([code] if denied else [])


def test_in_the_first_live_sessions_a_tenth_of_the_positions_is_held_and_at_least_one() -> None:
    for positions, held, denied in ((30, 2, False), (30, 3, True), (5, 0, False), (5, 1, True)):
        world = wide({"positions": positions}, world={"book": Book.LIVE}, what_if="full_value")
        for symbol in (MSFT, XOM, "OTHER")[:held]:
            world.ledger.hold(symbol, 1)
        assert ("G13" in world.codes(world.request(quantity=1))) is denied, (positions, held)


# --- foreign rules and their time


@pytest.mark.parametrize(("took_s", "denied"), [(0.01, False), (0.05, False), (0.0501, True)])
def test_a_foreign_rule_has_fifty_milliseconds_however_long_the_engine_runs(took_s: float, denied: bool) -> None:
    box: list[World] = []

    def check(situation: object) -> tuple[()]:
        box[0].clock._now += round(took_s * SECOND)
        return ()

    world = World(foreign=(Rule("SLOW", "slow", check, foreign=True),))
    box.append(world)
    world.clock.advance_to(world.clock.now() + HOUR)
    assert ("SLOW" in world.codes(world.request())) is denied
    assert (world.modes.mode is Mode.HALTED) is denied


# --- what is made


def test_a_cleared_order_names_account_and_reference_price() -> None:
    world = wide()
    cleared = world.clear(world.request(limit_price=d("99.50")))
    assert cleared is not None
    assert cleared.request.account == cleared.account == "DU1234567"
    assert cleared.reference_price == d("100.0")
    world.ledger.hold(AAPL, 10)
    del world.market.quotes[AAPL]
    stop = {"order_type": OrderType.STOP, "limit_price": None, "stop_price": d(95)}
    closing = world.clear(world.close(10, origin=Origin.PROTECTIVE, **stop))
    assert closing is not None
    assert closing.reference_price == d("95.0")


@pytest.mark.parametrize(("side", "after"), [(Side.BUY, 110), (Side.SELL, 90)])
def test_a_verdict_says_the_position_afterwards(side: Side, after: int) -> None:
    world = wide()
    world.ledger.hold(AAPL, 100)
    order = world.manual() if side is Side.BUY else world.close(10)
    assert world.gate.check(order).position_after == after


def test_a_parent_s_hold_is_replaced_and_ends_with_its_last_unit() -> None:
    world = wide()
    book = world.gate._exposure
    parent = world.manual(quantity=100)
    world.gate.hold("parent", parent)
    assert book.line(AAPL).worst() == 100
    world.gate.hold("parent", msgspec.structs.replace(parent, quantity=d("0.5")))
    assert book.line(AAPL).worst() == 0.5
    world.gate.hold("parent", msgspec.structs.replace(parent, quantity=d(0)))
    assert book.line(AAPL).worst() == 0
    assert book.exposure().openings == 0


@pytest.mark.parametrize("held", [True, False])
def test_only_the_child_of_a_parent_at_work_is_no_new_order(held: bool) -> None:
    world = wide(manual={"orders_per_day": 1})
    world.counters.add("orders.manual", TODAY, 1)
    world.gate.hold("parent", world.manual(quantity=100))
    if not held:
        world.gate.release("parent")
    assert world.codes(world.manual(parent_ref="parent")) == ([] if held else ["G11"])


def test_a_broken_limit_leaves_size_and_risk_unknown_and_says_which_is_missing() -> None:
    world = wide()
    world.ledger.values = None
    assert world.gate.size(AAPL, Side.BUY, d(100), d(98)).bound_by == "EQUITY"
    world = World(rules=[])
    (found,) = world.gate.check(world.request()).denials
    assert found.text == "Rule G1 is not loaded, so nothing is sent."
    assert wide().gate.risk_at_stops() == 0.0
