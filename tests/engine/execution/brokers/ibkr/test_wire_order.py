"""Requests as they go over the wire, and what is refused before a byte leaves."""

import asyncio
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ib_async import Contract, ContractDetails
from ib_async.util import UNSET_DOUBLE

from engine.execution.brokers.ibkr import reading
from engine.execution.brokers.ibkr.contracts import Contracts, Listing, contract_of
from engine.execution.brokers.ibkr.names import Name, Names
from engine.execution.brokers.ibkr.native_algos import NATIVE, STRATEGIES
from engine.execution.brokers.ibkr.wire_order import build, misfit
from engine.model.events.system import Alarm
from engine.model.ids import AccountId, IntentId, OrderRef, Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderState, OrderType, TimeInForce
from engine.model.report import BrokerStatus
from tests.engine.execution.brokers.ibkr.rig import IbRig, in_memory
from tests.support.tws_gateway.protocol import Req

D = Decimal


def request(**fields: Any) -> OrderRequest:
    values = {"side": Side.BUY, "quantity": D(100), "limit_price": D("90.10"), **fields}
    return OrderRequest(intent_id=IntentId("i"), symbol=Symbol("AAPL"), **values)


def wired(req: OrderRequest, **more: Any) -> Any:
    return build(req, ref=OrderRef("MA-1"), account=AccountId("DU1234567"), order_id=5, **more)


def test_every_order_says_account_reference_time_in_force_and_hours() -> None:
    order = wired(request(outside_rth=True, tif=TimeInForce.GTC))
    assert (order.account, order.orderRef, order.tif, order.outsideRth, order.transmit) == (
        "DU1234567",
        "MA-1",
        "GTC",
        True,
        True,
    )
    assert (order.action, order.orderType, str(order.totalQuantity), str(order.lmtPrice)) == (
        "BUY",
        "LMT",
        "100",
        "90.10",
    )
    assert order.auxPrice == UNSET_DOUBLE


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+2", "100"), ("0.0000001", "0.0000001"), ("123456789.123", "123456789.123"), ("90.10", "90.10")],
)
def test_numbers_print_without_an_exponent_and_exactly(value: str, text: str) -> None:
    assert str(wired(request(limit_price=D(value))).lmtPrice) == text


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (OrderType.MARKET, {"limit_price": None}, {"orderType": "MKT"}),
        (OrderType.STOP, {"limit_price": None, "stop_price": D(95)}, {"orderType": "STP", "auxPrice": "95"}),
        (
            OrderType.STOP_LIMIT,
            {"stop_price": D(95), "limit_price": D(94)},
            {"orderType": "STP LMT", "auxPrice": "95", "lmtPrice": "94"},
        ),
        (
            OrderType.TRAIL,
            {"limit_price": None, "trail_percent": D(2), "stop_price": D(95)},
            {"orderType": "TRAIL", "trailingPercent": "2", "trailStopPrice": "95"},
        ),
        (
            OrderType.TRAIL_LIMIT,
            {"trail_amount": D(2), "stop_price": D(95), "limit_price": D("94.50")},
            {"auxPrice": "2", "trailStopPrice": "95", "lmtPriceOffset": "0.50"},
        ),
        (OrderType.MARKET_ON_CLOSE, {"limit_price": None, "tif": TimeInForce.OPG}, {"orderType": "MOC", "tif": "DAY"}),
        (OrderType.LIMIT_ON_CLOSE, {}, {"orderType": "LOC", "lmtPrice": "90.10", "tif": "DAY"}),
        (OrderType.MARKET_ON_OPEN, {"limit_price": None}, {"orderType": "MKT", "tif": "OPG"}),
        (OrderType.LIMIT_ON_OPEN, {}, {"orderType": "LMT", "tif": "OPG", "lmtPrice": "90.10"}),
        (
            OrderType.RELATIVE,
            {"trail_amount": D("0.05")},
            {"orderType": "REL", "auxPrice": "0.05", "lmtPrice": "90.10"},
        ),
        (OrderType.MIDPRICE, {}, {"orderType": "MIDPRICE", "lmtPrice": "90.10"}),
        (
            OrderType.LIMIT,
            {"tif": TimeInForce.GTD, "good_till_ns": 1_767_366_000_000_000_000},
            {"goodTillDate": "20260102-15:00:00", "tif": "GTD"},
        ),
        (OrderType.LIMIT, {"display_quantity": D(10)}, {"displaySize": "10"}),
        (OrderType.LIMIT, {"oca_group": "g"}, {"ocaGroup": "g", "ocaType": "2"}),
        (
            OrderType.LIMIT,
            {"algo": "ib.adaptive", "algo_params": {"adaptivePriority": "Urgent"}},
            {"algoStrategy": "Adaptive"},
        ),
    ],
)
def test_each_kind_of_order_has_its_fields(kind: OrderType, fields: dict[str, Any], expected: dict[str, str]) -> None:
    order = wired(request(order_type=kind, **fields))
    assert {name: str(getattr(order, name)) for name in expected} == expected


def test_a_native_algorithm_travels_with_every_parameter_it_has() -> None:
    order = wired(request(algo="ib.vwap", algo_params={"maxPctVol": "0.2", "endTime": "15:30:00 US/Eastern"}))
    sent = {tag.tag: tag.value for tag in order.algoParams}
    assert sent == {
        "startTime": "",
        "endTime": "15:30:00 US/Eastern",
        "maxPctVol": "0.2",
        "noTakeLiq": "0",
        "allowPastEndTime": "0",
    }


def test_the_ticket_is_told_every_native_algorithm_with_its_parameters() -> None:
    assert {algo.name for algo in NATIVE} == set(STRATEGIES)
    for algo in NATIVE:
        fields = {param.name: param.default for param in algo.params}
        assert misfit(request(algo=algo.name, algo_params=fields), None) == ""
        assert all(param.title and param.description for param in algo.params)


def listing(kind: str = "STK") -> Listing:
    details = ContractDetails(minTick=0.0001)
    contract = Contract(secType=kind, symbol="AAPL", conId=1)
    bands = ((D(0), D("0.0001")), (D(1), D("0.01")))
    return Listing(symbol=Symbol("AAPL"), contract=contract, details=details, increments=bands)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"limit_price": None}, "needs a limit"),
        ({"order_type": OrderType.STOP}, "needs a stop"),
        ({"order_type": OrderType.TRAIL}, "trailing amount"),
        ({"order_type": OrderType.TRAIL, "trail_amount": D(1), "trail_percent": D(1)}, "not both"),
        ({"order_type": OrderType.TRAIL_LIMIT, "trail_amount": D(1)}, "first stop"),
        ({"tif": TimeInForce.GTD}, "without a date"),
        ({"algo": "twap"}, "no algorithm twap"),
        ({"algo": "ib.vwap", "algo_params": {"speed": "1"}}, "no parameter speed"),
        ({"algo": "ib.vwap", "algo_params": {"maxPctVol": "0.9"}}, "not from 0.01 to 0.5"),
        ({"algo": "ib.vwap", "algo_params": {"maxPctVol": "NaN"}}, "not from"),
        ({"algo": "ib.vwap", "algo_params": {"maxPctVol": "much"}}, "not a number"),
        ({"algo": "ib.adaptive", "algo_params": {"adaptivePriority": "Fast"}}, "not one of Patient"),
        ({"algo": "ib.adaptive", "algo_params": {"startTime": "09:45:00 US/Eastern"}}, "no parameter startTime"),
        ({"algo": "ib.twap", "order_type": OrderType.STOP, "stop_price": D(91)}, "market and limit"),
        ({"order_type": OrderType.MARKET_ON_CLOSE, "limit_price": None, "tif": TimeInForce.GTC}, "one auction"),
        ({"display_quantity": D(100)}, "smaller"),
        ({"algo": "ib.magic"}, "no algorithm"),
        ({"algo": "ib.twap", "algo_params": {"speed": "1"}}, "no parameter speed"),
        ({"algo": "ib.vwap", "order_type": OrderType.STOP, "stop_price": D(1)}, "market and limit"),
        ({"quantity": D("0.5")}, "whole units"),
        ({"limit_price": D("90.105")}, "grid of 0.01"),
        ({"limit_price": D("0.50005")}, "grid of 0.0001"),
    ],
)
def test_what_the_broker_cannot_take_is_said_in_words(fields: dict[str, Any], word: str) -> None:
    assert word in misfit(request(**fields), listing())


def test_what_it_can_take_is_not_refused_and_the_step_follows_the_price() -> None:
    assert misfit(request(limit_price=D("90.10")), listing()) == ""
    assert misfit(request(limit_price=D("0.5001")), listing()) == ""
    assert misfit(request(limit_price=D("90.105")), None) == "", "an unknown contract is left to the broker"
    assert "read only" in misfit(request(), listing("OPT"))


def test_what_is_sent_is_read_back_as_it_was_asked_for() -> None:
    for req in (
        request(),
        request(order_type=OrderType.STOP, limit_price=None, stop_price=D(95)),
        request(order_type=OrderType.LIMIT_ON_OPEN),
        request(order_type=OrderType.MARKET_ON_OPEN, limit_price=None),
        request(order_type=OrderType.TRAIL, limit_price=None, stop_price=D(95), trail_amount=D(2)),
    ):
        back = reading.request_of(wired(req), Symbol("AAPL"), req, lambda symbol, price: price)
        for name in ("side", "quantity", "order_type", "limit_price", "stop_price", "symbol"):
            assert getattr(back, name) == getattr(req, name), (req.order_type, name)


@pytest.mark.parametrize(
    ("wire", "tick", "text"),
    [
        (250.0, "0.01", "250.00"),
        (250.5, "0.05", "250.50"),
        (250.0, "0.25", "250.00"),
        (250.0, "1", "250"),
        (250.005, "0.01", "250.005"),
        (0.0, "0.01", "0.00"),
    ],
)
def test_a_price_read_back_has_the_digits_of_its_increment(wire: float, tick: str, text: str) -> None:
    instrument = Instrument(symbol=Symbol("AAPL"), tick=D(tick))
    contracts = Contracts(SimpleNamespace(instrument=lambda symbol: instrument))  # type: ignore[arg-type]
    order = wired(request())
    order.lmtPrice = wire
    assert str(reading.request_of(order, Symbol("AAPL"), None, contracts.written).limit_price) == text


def test_a_price_of_what_is_not_listed_is_as_short_as_it_is() -> None:
    contracts = Contracts(SimpleNamespace(instrument=lambda symbol: None))  # type: ignore[arg-type]
    assert [str(contracts.written(Symbol("X"), D(price))) for price in ("250.0", "250.50")] == ["250", "250.5"]


def test_an_order_that_is_read_back_shows_its_price_as_it_was_sent(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00", quantity=7))
        await rig.becomes(ref, "WORKING")
        rig.desk.reconcile(await rig.ib_broker.snapshot(), exact=True)
        status = rig.desk.order(ref)
        assert status is not None
        assert str(status.request.limit_price) == "90.00"

    in_memory(tmp_path, story)


@pytest.mark.parametrize("value", ["", None, "nan", "inf", 1.7976931348623157e308, "1.7976931348623157E308", "text"])
def test_unset_numbers_are_none_never_a_number(value: Any) -> None:
    assert reading.amount(value) is None


def test_words_we_do_not_know_are_other_and_the_librarys_inventions_are_not_words() -> None:
    assert reading.status_of("Submitted") is BrokerStatus.WORKING
    for word in ("ValidationError", "ApiUpdate", "Hyper", ""):
        assert reading.status_of(word) is BrokerStatus.OTHER


def test_texts_are_one_clipped_printable_line() -> None:
    assert reading.plain("a\x00b\n<b>\u202ec" + "x" * 9_000).startswith("a b <b> c")
    assert len(reading.plain("x" * 10_000)) == 500


def test_a_permanent_id_decides_and_a_reused_order_id_does_not() -> None:
    names = Names()
    names.sent(Name(ref=OrderRef("old"), order_ids=[5], perm_ids=[]))
    assert names.find(5, 100) == "old"
    names.sent(Name(ref=OrderRef("new"), order_ids=[5], perm_ids=[]))
    assert names.find(5, 100) == "old"
    assert names.find(5, 101) == "new"
    assert names.find(5, 102) == "", "a third order under the same id is nobody's until it is shown with its reference"
    assert names.find(0, 999) == ""
    assert names.of_order(5) == "new"


def test_symbols_and_contracts_name_each_other() -> None:
    class Catalogue:
        def instrument(self, symbol: Symbol) -> Instrument | None:
            return Instrument(symbol=symbol)

    contracts = Contracts(Catalogue())
    assert contracts.symbol_of(Contract(secType="STK", symbol="BRK B", currency="USD")) == "BRK.B"
    assert contract_of(Instrument(symbol=Symbol("BRK.B"))).symbol == "BRK B"
    assert contracts.symbol_of(Contract(secType="STK", symbol="RY", currency="CAD")) == "RY:CAD"
    assert contracts.symbol_of(Contract(secType="CASH", symbol="EUR", currency="USD")) == "EUR.USD"
    assert contracts.symbol_of(Contract(secType="FUT", symbol="ES", localSymbol="ESH6")) == "ESH6"
    pair = contract_of(Instrument(symbol=Symbol("EUR.USD"), kind=InstrumentKind.FOREX))
    assert (pair.symbol, pair.currency, pair.exchange) == ("EUR", "USD", "IDEALPRO")
    with pytest.raises(LookupError, match="crypto"):
        contract_of(Instrument(symbol=Symbol("BTC"), kind=InstrumentKind.CRYPTO))


@pytest.mark.parametrize("algo", ["ib.adaptive", "ib.twap", "ib.vwap", "iceberg"])
def test_the_brokers_algorithms_are_taken_by_the_gateway(tmp_path: Path, algo: str) -> None:
    async def story(rig: IbRig) -> None:
        fields: dict[str, Any] = {"display_quantity": D(10)} if algo == "iceberg" else {"algo": algo}
        ref = rig.submit(rig.request(price="90.00", **fields))
        await rig.becomes(ref, "WORKING")
        terms = rig.gateway.ledger.order(ref).terms
        assert terms["displaySize"] == "10" if algo == "iceberg" else terms["algoStrategy"]

    in_memory(tmp_path, story)


@pytest.mark.parametrize("fault", ["what_if_refused", "what_if_unset", "none"])
def test_a_question_of_cost_is_answered_refused_or_left_open_and_never_an_order(tmp_path: Path, fault: str) -> None:
    async def story(rig: IbRig) -> None:
        if fault != "none":
            rig.gateway.faults.add(fault)
        answer = await rig.ib_broker.what_if(rig.request(price="90.00"))
        if fault == "what_if_refused":
            assert answer is not None
            assert "margin" in answer.refused
        elif fault == "what_if_unset":
            assert answer is None
        else:
            assert answer is not None
            assert answer.refused == ""
        assert rig.gateway.place_counts() == {}
        assert rig.gateway.ledger.orders == []

    in_memory(tmp_path, story)


def what_if_alarms(rig: IbRig) -> list[Alarm]:
    return [e for e in rig.events if isinstance(e, Alarm) and e.code.startswith("WHAT_IF")]


def test_a_gateway_that_works_a_question_as_an_order_has_it_cancelled_is_told_and_never_asked_again(
    tmp_path: Path,
) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("what_if_works")
        assert await rig.ib_broker.what_if(rig.request(price="90.00")) is None
        await rig.holds(lambda: [o.status for o in rig.gateway.ledger.orders] == ["Cancelled"])
        (told,) = what_if_alarms(rig)
        assert told.severity == "red"
        assert "worked by the gateway as an order" in told.happened
        assert "is cancelled" in told.did
        before = len(list(rig.gateway.wire.select(Req.PLACE_ORDER, "in")))
        assert await rig.ib_broker.what_if(rig.request(price="90.00")) is None
        assert len(list(rig.gateway.wire.select(Req.PLACE_ORDER, "in"))) == before
        ref = rig.submit(rig.request(price="91.00"))
        await rig.becomes(ref, "WORKING")

    in_memory(tmp_path, story)


def test_a_question_that_filled_is_booked_as_an_order_made_elsewhere_and_told(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("what_if_works")
        await rig.ib_broker.what_if(rig.request(price="250.00", quantity=7))
        await rig.holds(lambda: rig.gateway.ledger.held("AAPL") == 7)
        await rig.holds(lambda: any("filled" in alarm.happened for alarm in what_if_alarms(rig)))
        await rig.holds(lambda: rig.ledger.positions().get("AAPL") is not None, 90, "the position")
        assert rig.ledger.positions()["AAPL"].quantity == 7
        (order,) = rig.desk.orders().values()
        assert (order.external, order.state, order.filled) == (True, OrderState.FILLED, D(7))
        assert await rig.ib_broker.what_if(rig.request()) is None

    in_memory(tmp_path, story)


def test_the_id_of_a_question_that_is_handed_out_again_to_an_order_of_ours_is_left_alone(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        assert await rig.ib_broker.what_if(rig.request(price="90.00")) is not None
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "WORKING")
        order_id = rig.gateway.ledger.order(ref).order_id
        rig.ib_broker._hearing.questions._asked.add(order_id)
        rig.desk.check_now()
        await asyncio.sleep(30)
        assert rig.state(ref) == "WORKING"
        assert what_if_alarms(rig) == []

    in_memory(tmp_path, story)


def test_quantities_from_the_wire_read_as_they_were_sent(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.set_price("AAPL", 100.0)
        ref = rig.submit(rig.request(price="101.00", quantity=263))
        await rig.becomes(ref, "FILLED")
        rig.desk.check_now()
        await asyncio.sleep(20)
        status = rig.desk.orders()[ref]
        position = rig.ledger.positions()["AAPL"]
        fills = rig.ledger.fills(Symbol("AAPL"))
        shown = [status.request.quantity, status.filled, position.quantity, *(fill.quantity for fill in fills)]
        assert {str(number) for number in shown} == {"263"}
        resting = rig.submit(rig.request(price="90.00", quantity=12))
        await rig.becomes(resting, "WORKING")
        rig.desk.check_now()
        await asyncio.sleep(20)
        assert str(rig.desk.orders()[resting].request.quantity) == "12"
        told = " ".join(str(event) for event in rig.events)
        assert "263.0" not in told
        assert "12.0'" not in told

    in_memory(tmp_path, story)


def test_read_only_access_refuses_orders_and_they_are_rejected(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        ref = rig.submit(rig.request(price="90.00"))
        await rig.becomes(ref, "REJECTED", seconds=30)
        assert "Read-Only" in rig.desk.orders()[ref].reason

    in_memory(tmp_path, story, config={"read_only": True})
