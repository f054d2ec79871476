"""What is worth proposing beside what it costs."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from engine.execution.brokers.ibkr.broker import SHARES
from engine.model.broker import Fees
from engine.model.ids import Symbol
from engine.model.instrument import Instrument, InstrumentKind
from engine.runtime.trading import Sizer

D = Decimal
KO = Symbol("KO")


def sizer(fees: Fees, multiplier: int = 1, kind: InstrumentKind = InstrumentKind.STOCK) -> Sizer:
    instrument = Instrument(symbol=KO, multiplier=D(multiplier), kind=kind)
    market: Any = SimpleNamespace(instrument=lambda symbol: instrument if symbol == KO else None)
    nobody: Any = None
    return Sizer(nobody, nobody, market, fees)


@pytest.mark.parametrize(
    ("units", "entry", "target", "worth"),
    [
        (1, "60.00", "61.00", False),  # gains 1.00, costs 0.60 + 0.61
        (1, "60.00", "63.72", True),  # gains 3.72, costs 0.60 + 0.6372
        (6, "60.00", "60.99", False),  # gains 5.94, costs 1.00 + 1.00
        (6, "60.00", "61.00", True),
        (6, "60.00", "59.00", True),
        (1000, "60.00", "60.02", False),  # gains 20, costs 5 + 5
        (1000, "60.00", "60.03", True),
    ],
)
def test_a_target_pays_three_times_the_commissions_of_its_trade(
    units: int, entry: str, target: str, worth: bool
) -> None:
    assert sizer(SHARES).worth(KO, D(units), D(entry), D(target)) is worth


def test_where_nothing_is_charged_one_share_is_worth_it() -> None:
    assert sizer(Fees()).worth(KO, D(1), D("60.00"), D("60.01"))


def test_a_contract_for_a_hundred_gains_a_hundred_times() -> None:
    fees = Fees(per_unit=D("0.65"), minimum=D(1), most_percent=D(1))
    assert not sizer(fees, 1).worth(KO, D(5), D("60.00"), D("60.10"))
    assert sizer(fees, 100).worth(KO, D(5), D("60.00"), D("60.10"))


@pytest.mark.parametrize(
    ("kind", "worth"),
    [(InstrumentKind.STOCK, False), (InstrumentKind.ETF, False), (InstrumentKind.FOREX, True)],
)
def test_a_list_of_prices_for_shares_says_nothing_of_twenty_thousand_euros(kind: InstrumentKind, worth: bool) -> None:
    assert sizer(SHARES, kind=kind).worth(KO, D(20_000), D("1.1000"), D("1.1100")) is worth


def test_an_instrument_that_is_not_known_is_worth_nothing() -> None:
    assert not sizer(Fees()).worth(Symbol("NOBODY"), D(1), D("60.00"), D("70.00"))


def test_the_minimum_is_paid_with_the_first_execution_alone() -> None:
    assert SHARES.of(D(10), D(60)) == D("1.00")
    assert SHARES.of(D(10), D(60), first=False) == D("0.05")
    assert SHARES.of(D(10), D("0.01")) == D("0.01")
