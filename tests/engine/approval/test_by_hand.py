"""Orders made by hand."""

from engine.api.commands import PlaceOrder, PreviewOrder
from engine.model.order import Origin
from tests.engine.approval.office import Office
from tests.engine.risk.world import d


async def test_an_order_by_hand_goes_through_the_gate_to_the_desk() -> None:
    office = await Office().open()
    receipt = office.hand.place(PlaceOrder(request=office.world.manual()))
    assert receipt.ok
    assert receipt.data["state"] == "WORKING"
    assert receipt.data["ref"] == office.sent[0].ref


async def test_t_x5_the_same_press_twice_or_after_a_restart_is_one_order() -> None:
    office = await Office().open()
    request = office.world.manual()
    first = office.hand.place(PlaceOrder(request=request))
    assert office.hand.place(PlaceOrder(request=request)) == first
    after = await office.restarted()
    assert after.hand.place(PlaceOrder(request=request)) == first
    assert len(office.sent) == 1


async def test_a_press_whose_order_was_never_sent_is_not_sent_by_a_repeat() -> None:
    office = await Office().open()
    request = office.world.manual()
    office.hand.place(PlaceOrder(request=request))
    office.world.desk.all.clear()
    receipt = (await office.restarted()).hand.place(PlaceOrder(request=request))
    assert receipt.code == "NEVER_SENT"
    assert len(office.sent) == 1


async def test_a_denial_lists_its_reasons_and_a_soft_one_asks() -> None:
    office = await Office().open()
    hard = office.hand.place(PlaceOrder(request=office.world.manual(quantity=100_000)))
    assert not hard.ok
    assert hard.denials[0].hard
    assert hard.data["state"] == "DENIED"
    soft = office.world.manual(limit_price=d(79), stop_loss=d(70))
    assert office.hand.place(PlaceOrder(request=soft)).code == "CONFIRM"
    assert office.sent == []


async def test_only_a_persons_order_is_taken_by_hand() -> None:
    office = await Office().open()
    for origin in (Origin.AUTO, Origin.FLATTEN, Origin.EXTERNAL):
        assert office.hand.place(PlaceOrder(request=office.world.manual(origin=origin))).code == "ORIGIN"
    assert office.hand.place(PlaceOrder(request=office.world.manual(origin=Origin.PROTECTIVE))).code == "ORIGIN"


async def test_a_preview_reserves_and_counts_nothing() -> None:
    office = await Office().open()
    for _ in range(30):
        receipt = office.hand.preview(PreviewOrder(request=office.world.manual()))
    assert receipt.ok
    assert office.world.gate._exposure.exposure().gross == 0
    assert office.world.counters.values == {}


async def test_an_order_that_cannot_be_recorded_is_not_sent() -> None:
    office = await Office().open()
    office.world.store.broken = True
    assert office.hand.place(PlaceOrder(request=office.world.manual())).code == "JOURNAL"
    assert office.sent == []
    assert office.world.gate._exposure.exposure().gross == 0
