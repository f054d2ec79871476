"""Other programs at the approval desk: asked whatever the autonomy, the agent's limits, no confirmations."""

from typing import Any

import pytest

from engine.api.commands import PlaceOrder, PreviewOrder
from engine.approval.mandate import Mandate
from engine.approval.programs import ProgramOrders
from engine.model.decision import Autonomy, Book, Mode
from engine.model.events.decision import ApprovalAsked, RiskDenied
from engine.model.order import Origin
from tests.engine.approval.office import Office
from tests.engine.risk.world import AAPL, World, d, limits


def armed(autonomy: Autonomy = Autonomy.AUTO, **world: Any) -> Office:
    return Office(World(mode=Mode.AUTO, **world), autonomy=autonomy)


def sign(office: Office, *sources: str, **caps):
    fields = {"max_order": d(5000), "max_day": d(5000), "max_orders": 5, **caps}
    receipt = office.mandates.sign(Mandate(sources=sources, **fields), "window")
    assert receipt.ok, receipt.text


def programs(office: Office) -> ProgramOrders:
    w = office.world
    return ProgramOrders(hand=office.hand, gate=w.gate, mandates=office.mandates, market=w.market, clock=w.clock)


# --- suggestions of programs


@pytest.mark.parametrize("autonomy", [Autonomy.ASK, Autonomy.ASK_ABOVE_LIMITS, Autonomy.AUTO])
async def test_a_programs_suggestion_is_asked_at_every_level_of_autonomy(autonomy: Autonomy) -> None:
    office = await armed(autonomy).open()
    name = office.suggest(source="hook:tv", strategy="hook:tv")
    assert office.sent == []
    assert office.world.of(ApprovalAsked)[-1].suggestion_id == name
    assert office.approve(name).ok
    assert office.sent[0].request.origin is Origin.MANUAL


async def test_auto_says_that_no_mandate_names_the_source() -> None:
    office = await armed().open()
    sign(office)
    office.suggest(source="hook:tv")
    assert office.world.of(ApprovalAsked)[-1].reason == "It comes from hook:tv, which no mandate names."


async def test_a_mandate_that_names_the_source_lets_the_agent_carry_it_out() -> None:
    office = await armed().open()
    sign(office, "hook:tv")
    office.suggest(source="hook:other")
    assert office.sent == []
    office.suggest(source="hook:tv")
    assert [cleared.request.origin for cleared in office.sent] == [Origin.AUTO]


async def test_the_caps_of_the_mandate_hold_for_a_named_source() -> None:
    office = await armed().open()
    sign(office, "hook:tv", max_order=d(10))
    office.suggest(source="hook:tv")
    assert office.sent == []
    assert "the mandate allows 10" in office.world.of(ApprovalAsked)[-1].reason


async def test_a_programs_suggestion_that_a_hard_limit_forbids_is_denied_and_not_asked() -> None:
    office = await armed().open()
    office.suggest(source="hook:tv", quantity=d(100_000))
    assert office.world.of(ApprovalAsked) == []
    assert office.world.of(RiskDenied)


async def test_a_mandate_signed_before_programs_could_be_named_stays_whole() -> None:
    old = (
        '{"max_order":"1000","max_day":"1500","max_orders":5,"universe":[],"expires_ns":1900000000000000000,'
        '"signed_ns":1,"signed_by":"window",'
        '"consent":"0d9705acaa3228fad684439b5a07c386c4d5217c76f0799f8323e44cb2f8bdab"}'
    )
    office = await armed().open()
    office.world.store.values["approval.mandate"] = old
    mandate = office.mandates.current
    assert mandate is not None
    assert mandate.sources == ()
    assert mandate.intact


# --- their yes


async def test_a_programs_yes_sends_nothing_while_auto_is_not_armed() -> None:
    office = await Office().open()
    name = office.suggest()
    receipt = office.approve(name, by="api")
    assert receipt.code == "MODE"
    assert "A program may not send" in receipt.text
    assert office.sent == []
    assert office.approve(name).ok


async def test_a_programs_yes_in_auto_is_recorded_as_its_own_and_confirms_nothing() -> None:
    office = await armed(Autonomy.ASK).open()
    name = office.suggest()
    assert office.approve(name, by="api", confirmed=("G4",)).ok
    request = office.sent[0].request
    assert (request.origin, request.confirmed) == (Origin.PROGRAM, ())


async def test_with_real_money_a_programs_yes_needs_a_mandate_that_names_it() -> None:
    office = await armed(Autonomy.ASK, book=Book.LIVE, settings=limits(what_if="full_value")).open()
    office.world.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    office.world.pin.set("4711")
    name = office.suggest(quantity=d(5))
    assert office.approve(name, by="api").text == "It comes from api, which no mandate names."
    mandate = Mandate(max_order=d(5000), max_day=d(5000), max_orders=5, sources=("api",))
    assert office.mandates.sign(mandate, "window", "4711").ok
    assert office.approve(name, by="api").ok


# --- their orders


async def test_a_programs_order_carries_its_name_and_the_agents_limits() -> None:
    office = await armed().open()
    request = office.world.manual(confirmed=("G1", "G4"))
    receipt = programs(office).place(PlaceOrder(request=request, by="api"))
    assert receipt.ok, receipt.text
    sent = office.sent[0]
    assert sent.ref.endswith("-R")
    assert (sent.request.origin, sent.request.strategy, sent.request.confirmed) == (Origin.PROGRAM, "api", ())
    assert office.world.counters.get("orders.auto", "2026-03-02") == 1
    assert office.world.counters.get("orders.manual", "2026-03-02") == 0


async def test_a_program_cannot_confirm_what_only_a_person_may() -> None:
    office = await armed().open()
    soft = office.world.manual(limit_price=d(79), stop_loss=d(70), confirmed=("G4", "G5"))
    receipt = programs(office).place(PlaceOrder(request=soft, by="api"))
    assert not receipt.ok
    assert receipt.code != "CONFIRM"
    assert all(denial.hard for denial in receipt.denials)


async def test_a_programs_order_needs_auto_and_its_preview_says_so() -> None:
    office = await Office().open()
    request = office.world.manual()
    assert programs(office).place(PlaceOrder(request=request, by="mcp")).code == "MODE"
    assert programs(office).preview(PreviewOrder(request=request, by="mcp"), may_send=True).code == "MODE"
    assert programs(office).preview(PreviewOrder(request=request, by="mcp"), may_send=False).ok
    assert office.sent == []


async def test_with_real_money_a_program_that_no_mandate_names_does_not_close_either() -> None:
    office = await armed(book=Book.LIVE, settings=limits(what_if="full_value")).open()
    office.world.store.set("risk.auto_sessions", '["a","b","c","d","e"]')
    office.world.pin.set("4711")
    office.world.ledger.hold(AAPL, 10)
    command = PlaceOrder(request=office.world.close(10), by="api")
    receipt = programs(office).place(command)
    assert (receipt.code, receipt.text) == ("MANDATE", "It comes from api, which no mandate names.")
    mandate = Mandate(max_order=d(5000), max_day=d(5000), max_orders=5, sources=("api",))
    assert office.mandates.sign(mandate, "window", "4711").ok
    office.world.clock.advance(31 * 86_400)
    assert "over" in office.mandates.unnamed("api").text
    assert office.mandates.sign(mandate, "window", "4711").ok
    assert office.mandates.unnamed("api") is None
    assert office.mandates.unnamed("mcp") is not None
    assert office.sent == []


async def test_the_same_id_twice_is_one_order_also_after_a_restart() -> None:
    office = await armed().open()
    sign(office)
    command = PlaceOrder(request=office.world.manual(), by="api")
    first = programs(office).place(command)
    assert programs(office).place(command) == first
    after = await office.restarted()
    assert programs(after).place(command) == first
    assert len(office.sent) == 1
    assert after.world.counters.get("mandate.orders", "2026-03-02") == 1


async def test_another_order_under_a_used_id_is_refused() -> None:
    office = await armed().open()
    request = office.world.manual()
    assert programs(office).place(PlaceOrder(request=request, by="api")).ok
    other = office.world.manual(intent_id=request.intent_id, quantity=d(11))
    assert programs(office).place(PlaceOrder(request=other, by="api")).code == "REUSED"
    assert len(office.sent) == 1


async def test_a_person_and_a_program_with_the_same_id_are_two() -> None:
    office = await armed().open()
    request = office.world.manual(stop_loss=d(97))
    assert office.hand.place(PlaceOrder(request=request)).ok
    assert office.hand.placed(request.intent_id)
    assert not office.hand.placed(f"api:{request.intent_id}")


async def test_nobody_borrows_the_origin_of_another() -> None:
    office = await armed().open()
    as_person = office.world.manual()
    as_program = office.world.manual(origin=Origin.PROGRAM)
    assert office.hand.place(PlaceOrder(request=as_program, by="window")).code == "ORIGIN"
    assert office.hand.place(PlaceOrder(request=as_person, by="api")).code == "ORIGIN"
    assert office.sent == []
    assert office.hand.place(PlaceOrder(request=as_program, by="api")).ok


async def test_an_order_beyond_the_mandate_is_not_sent() -> None:
    office = await armed().open()
    sign(office, max_order=d(10))
    receipt = programs(office).place(PlaceOrder(request=office.world.manual(), by="api"))
    assert receipt.code == "MANDATE"
    assert office.sent == []


@pytest.mark.parametrize(("changes", "code"), [({"intent_id": ""}, "INTENT"), ({"algo": "twap"}, "PERSON")])
async def test_what_a_programs_order_lacks_or_may_not_ask_is_named(changes: dict[str, str], code: str) -> None:
    office = await armed().open()
    receipt = programs(office).place(PlaceOrder(request=office.world.manual(**changes), by="api"))
    assert receipt.code == code
    assert office.sent == []
