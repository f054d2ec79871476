"""Gateways that speak the protocol another way: whatever is legal on the wire, orders and books come out the same."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from ib_async import Contract, ContractDetails

from engine.bus.errors import BrokerError
from engine.execution.brokers.ibkr.contracts import Contracts, Listing, _fitting
from engine.execution.brokers.ibkr.reading import account_of, quantity
from engine.model.report import LinkState
from tests.engine.execution.brokers.ibkr.rig import IbRig, in_memory

ACCENTS = (
    "ids first",
    "executions in UTC",
    "executions without reference",
    "no time",
    "several listings",
    "no market rules",
    "no cash by currency",
)


async def a_bracket(rig: IbRig) -> None:
    """Enter, lose the line with the parent filled meanwhile, come back, take the profit."""
    rig.gateway.set_auto_fill(False)
    request = rig.request(price="100.00", quantity=10)
    ref = rig.submit(request, bracket=True)
    stop, target = (status.ref for status in rig.desk.orders().values() if status.parent_ref == ref)
    await rig.becomes(ref, "WORKING")
    await rig.becomes(stop, "HELD", "WORKING")
    rig.gateway.refuses = True
    rig.gateway.drop()
    rig.gateway.fill(ref)
    await rig.holds(lambda: not rig.desk.synced)
    rig.gateway.refuses = False
    await rig.becomes(ref, "FILLED", seconds=90)
    await rig.becomes(stop, "WORKING", "HELD", seconds=60)
    rig.gateway.fill(target)
    await rig.becomes(target, "FILLED", seconds=60)
    await rig.becomes(stop, "CANCELLED", seconds=60)
    assert rig.ledger.positions().get("AAPL") is None or rig.ledger.positions()["AAPL"].quantity == 0


@pytest.mark.parametrize("accent", ACCENTS)
def test_a_bracket_survives_a_drop_at_a_gateway_with_an_accent(tmp_path: Path, accent: str) -> None:
    in_memory(tmp_path, a_bracket, config={"accents": (accent,)})


@pytest.mark.parametrize("version", [157, 163, 164, 165, 166, 170, 176, 177, 178])
def test_a_bracket_survives_a_drop_at_every_server_version(tmp_path: Path, version: int) -> None:
    in_memory(tmp_path, a_bracket, config={"version": version})


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "execution_first", "times": None},
        {"name": "late_commission", "seconds": 10.0},
        {"name": "no_commission"},
        {"name": "repeat_status", "copies": 3},
        {"name": "duplicate", "messages": ["OPEN_ORDER", "ORDER_STATUS", "EXEC_DETAILS", "COMMISSION_REPORT"]},
        {"name": "reorder", "messages": ["OPEN_ORDER", "ORDER_STATUS", "EXEC_DETAILS", "COMMISSION_REPORT"]},
    ],
    ids=lambda fault: fault["name"],
)
def test_a_bracket_survives_a_drop_whatever_the_order_of_the_reports(tmp_path: Path, fault: dict[str, object]) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add(**fault)
        await a_bracket(rig)
        rig.gateway.faults.clear()

    in_memory(tmp_path, story)


def test_a_gateway_without_completed_orders_is_traded_with_and_an_order_lost_there_is_closed(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("swallow", messages=["COMPLETED_ORDERS"])
        rig.gateway.drop()
        await rig.holds(lambda: not rig.desk.synced)
        await rig.holds(lambda: rig.desk.synced, 60)
        working = rig.submit(rig.request(price="90.00"))
        await rig.becomes(working, "WORKING")
        rig.gateway.faults.add("mute", messages=["ORDER_STATUS", "OPEN_ORDER", "ERROR"])
        rig.gateway.cancel(working)
        rig.gateway.faults.remove("mute")
        # Neither told when it happened nor later: it is nowhere, in two rounds, with the position unchanged.
        await rig.holds(lambda: rig.desk.orders()[working].state.closed, 120)
        assert rig.desk.orders()[working].filled == 0
        assert rig.desk.synced

    in_memory(tmp_path, story)


def test_a_gateway_that_never_tells_the_time_is_not_taken_for_dead(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        await asyncio.sleep(120)
        assert rig.ib_link.sessions == 1
        assert rig.ib_link.state is LinkState.UP

    in_memory(tmp_path, story, config={"accents": ("no time",)})


def test_a_gateway_that_tells_the_account_as_a_summary_alone_is_traded_with(tmp_path: Path) -> None:
    async def story(rig: IbRig) -> None:
        rig.gateway.faults.add("swallow", messages=["ACCOUNT_UPDATES"])
        rig.gateway.drop()
        await rig.holds(lambda: not rig.desk.synced)
        await rig.holds(lambda: rig.desk.synced, 60)
        await a_bracket(rig)
        told = await rig.broker.snapshot()
        assert told.account is not None
        assert told.account.cash == rig.ledger.cash()

    in_memory(tmp_path, story)


@pytest.mark.parametrize(
    ("told", "read"), [(97.0, "97"), (0.5, "0.5"), ("1200.0", "1200"), (1.7976931348623157e308, "None")]
)
def test_whole_quantities_are_whole(told: float | str, read: str) -> None:
    assert str(quantity(told)) == read


def test_another_accounts_currency_and_a_whole_without_a_list_are_read() -> None:
    values = {
        ("NetLiquidation", "BASE"): "1000",
        ("NetLiquidation", "EUR"): "1000",
        ("TotalCashValue", "EUR"): "400.50",
        ("AvailableFunds", "EUR"): "900",
    }
    account = account_of("DU1", values, cash_account=False, now_ns=1)
    assert account.currency == "EUR"
    assert account.cash == {"EUR": Decimal("400.50")}
    assert account.available_funds == 900


def test_cash_by_currency_is_believed_before_a_whole() -> None:
    values = {("TotalCashValue", "USD"): "150", ("CashBalance", "USD"): "100", ("CashBalance", "BASE"): "150"}
    values[("CashBalance", "EUR")] = "45"
    account = account_of("DU1", values, cash_account=False, now_ns=1)
    assert account.cash == {"USD": Decimal(100), "EUR": Decimal(45)}


def details(number: int, currency: str = "USD", exchange: str = "SMART", **values: object) -> ContractDetails:
    contract = Contract(conId=number, secType="STK", symbol="AAPL", currency=currency, exchange=exchange)
    return ContractDetails(contract=contract, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("listed", "chosen"),
    [
        ([details(1)], [1]),
        ([details(1), details(1)], [1]),
        ([details(2, "MXN", "MEXI"), details(1), details(3, "CHF")], [1]),
        ([details(2, "MXN", "MEXI")], []),
        ([details(1, exchange="NASDAQ", validExchanges="SMART,NASDAQ"), details(2, exchange="AEQLIT")], [1]),
        ([details(1), details(2)], [1, 2]),
    ],
)
def test_of_many_listings_the_one_of_our_currency_and_route_is_meant(
    listed: list[ContractDetails], chosen: list[int]
) -> None:
    wanted = Contract(symbol="AAPL", secType="STK", currency="USD", exchange="SMART")
    assert [d.contract.conId for d in _fitting(listed, wanted) if d.contract] == chosen


@pytest.mark.parametrize(
    ("tick", "currency", "price", "step"),
    [
        (0.0001, "USD", "20", "0.01"),
        (0.0001, "USD", "0.5", "0.0001"),
        (0.0, "USD", "20", "0.01"),
        (0.5, "JPY", "20", "0.5"),
    ],
)
def test_without_market_rules_shares_still_have_a_step_that_is_taken(
    tick: float, currency: str, price: str, step: str
) -> None:
    class Silent:
        async def ask(self, make: object, timeout_s: float) -> object:
            raise BrokerError("no answer")

    found = details(1, currency, minTick=tick, marketRuleIds="26", validExchanges="SMART")
    contracts = Contracts(catalogue=None)  # type: ignore[arg-type]
    bands = asyncio.run(contracts._increments(Silent(), found, "SMART"))
    listing = Listing(symbol="AAPL", contract=found.contract, details=found, increments=bands)
    assert listing.increment(Decimal(price)) == Decimal(step)


def test_what_is_available_is_also_in_excess_where_only_that_is_told() -> None:
    values = {("NetLiquidation", "USD"): "1000", ("AvailableFunds", "USD"): "900"}
    assert account_of("U1", values, cash_account=False, now_ns=1).excess_liquidity == 900
    values[("ExcessLiquidity", "USD")] = "950"
    assert account_of("U1", values, cash_account=False, now_ns=1).excess_liquidity == 950


def test_a_paper_account_without_funds_has_its_cash_and_a_real_one_nothing() -> None:
    values = {("NetLiquidation", "USD"): "1000", ("TotalCashValue", "USD"): "400"}
    paper = account_of("DU1", values, cash_account=False, now_ns=1)
    assert (paper.available_funds, paper.excess_liquidity) == (400, 400)
    values[("TotalCashValue", "USD")] = "1600"
    assert account_of("DU1", values, cash_account=False, now_ns=1).available_funds == 1000, (
        "sold short: not its proceeds"
    )
    real = account_of("U1", values, cash_account=False, now_ns=1)
    assert (real.available_funds, real.excess_liquidity) == (None, None)
