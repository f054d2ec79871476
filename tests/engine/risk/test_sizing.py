"""Sizes: from the risk to the stop, from the edge where there is one, inside every cap."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.decision import Book
from engine.model.market import Side
from engine.risk.settings import RiskSettings
from engine.risk.sizing import Sizing, SizingInputs, kelly, size
from tests.engine.risk.edges import wide
from tests.engine.risk.world import AAPL, XOM, World, d, limits

BASE = SizingInputs(
    side=Side.BUY,
    entry=100.0,
    stop=98.0,
    equity=1_000_000.0,
    lot=Decimal(1),
    multiplier=1.0,
    adv=1e7,
    horizon="swing",
    live=False,
    evidence_state="NO EVIDENCE",
    edge=None,
    edge_low=None,
    volatility=None,
    drawdown_percent=0.0,
    day_loss_percent=0.0,
    in_symbol=0.0,
    gross=0.0,
    in_sector=0.0,
    sector_known=True,
    in_cluster=0.0,
    clustered=False,
    ramp=1.0,
)
ROOMY = limits({"order_notional_percent": 100, "order_notional_soft_percent": 100})


def sized(settings: RiskSettings = ROOMY, **changes: Any) -> Sizing:
    return size(replace(BASE, **changes), settings)


def test_without_evidence_the_risk_to_the_stop_decides_with_room_for_a_gap() -> None:
    # 0.5 % of a million, over 20 a unit times one and a half.
    assert sized(stop=80.0) == (Decimal(166), "stop", "166 units, bound by stop.")


@pytest.mark.parametrize(
    ("changes", "quantity", "bound"),
    [
        ({}, 500, "name"),
        ({"in_symbol": 30_000.0}, 200, "name"),
        ({"gross": 790_000.0}, 100, "gross"),
        ({"in_sector": 240_000.0}, 100, "sector"),
        ({"sector_known": False, "in_sector": 90_000.0}, 100, "sector"),
        ({"clustered": True, "in_cluster": 290_000.0}, 100, "cluster"),
        ({"adv": 10_000.0}, 100, "volume"),
        ({"adv": float("nan")}, 500, "name"),
        ({"adv": 0.0}, 500, "name"),
        ({"edge": 0.01, "volatility": 0.5}, 100, "kelly"),
        ({"edge": 0.01, "edge_low": -0.001, "volatility": 0.5}, 0, "kelly"),
        ({"lot": Decimal(300)}, 300, "name"),
        ({"lot": Decimal(1000)}, 0, "lot"),
        ({"multiplier": 50.0}, 10, "name"),
        ({"drawdown_percent": 5.0}, 250, "name"),
        ({"drawdown_percent": 10.0}, 0, "GOVERNOR"),
        ({"day_loss_percent": 2.0}, 0, "GOVERNOR"),
        ({"live": True}, 0, "EVIDENCE"),
        ({"live": True, "evidence_state": "CANDIDATE"}, 0, "EVIDENCE"),
        ({"live": True, "evidence_state": "TRADEABLE"}, 12, "order"),
        ({"live": True, "evidence_state": "CERTIFIED LIVE"}, 50, "order"),
        ({"live": True, "evidence_state": "CERTIFIED LIVE", "ramp": 0.1}, 5, "order"),
        ({"stop": 100.0}, 0, "VALUES"),
        ({"side": Side.SELL}, 0, "VALUES"),
        ({"side": Side.SELL, "stop": 102.0}, 500, "name"),
        ({"equity": float("nan")}, 0, "VALUES"),
        ({"entry": float("inf")}, 0, "VALUES"),
    ],
)
def test_every_cap_bounds_the_size(changes: dict[str, Any], quantity: int, bound: str) -> None:
    assert sized(**changes)[:2] == (quantity, bound)


def test_kelly_is_a_quarter_of_the_shrunk_edge_over_the_variance_and_never_negative() -> None:
    assert kelly(0.02, 0.01, 0.2) == pytest.approx(0.125)
    assert kelly(-0.02, None, 0.2) == 0
    assert kelly(0.02, 0.0, 0.2) == 0
    assert kelly(float("nan"), None, 0.2) == 0
    assert kelly(0.02, None, 0.0) == 0
    assert kelly(None, None, 0.2) is None


finite = st.floats(0.01, 1e6)


@given(
    entry=finite,
    stop=finite,
    equity=finite,
    gross=st.floats(0, 1e7),
    held=st.floats(0, 1e7),
    adv=st.floats(0, 1e9) | st.just(float("nan")),
    edge=st.none() | st.floats(-1, 1),
    volatility=st.none() | st.floats(0, 2),
)
def test_no_size_is_negative_or_breaks_a_cap(
    entry: float,
    stop: float,
    equity: float,
    gross: float,
    held: float,
    adv: float,
    edge: float | None,
    volatility: float | None,
) -> None:
    found = sized(
        entry=entry, stop=stop, equity=equity, gross=gross, in_symbol=held, adv=adv, edge=edge, volatility=volatility
    )
    assert found.quantity >= 0
    assert found.quantity == found.quantity.to_integral_value()
    if found.quantity:
        value = float(found.quantity) * entry
        assert held + value <= equity * 0.05 * (1 + 1e-6)
        assert gross + value <= equity * 0.8 * (1 + 1e-6)
        assert float(found.quantity) * (entry - stop) * 1.5 <= equity * 0.005 * (1 + 1e-6)


def test_what_the_gate_sizes_the_gate_clears() -> None:
    world = World()
    found = world.gate.size(AAPL, Side.BUY, d(100), d(98))
    assert found.quantity == 500
    assert world.codes(world.request(quantity=found.quantity)) == []


def test_what_is_held_already_leaves_less_room() -> None:
    world = wide()
    world.ledger.hold(AAPL, 300)
    assert world.gate.size(AAPL, Side.BUY, d(100), d(98)).quantity == 200


def test_nothing_is_sized_without_equity_or_with_a_broken_limit() -> None:
    world = World()
    world.ledger.values = None
    assert world.gate.size(AAPL, Side.BUY, d(100), d(98)).quantity == 0
    world = World(book=Book.LIVE)
    assert world.gate.size(AAPL, Side.BUY, d(100), d(98)).bound_by == "EVIDENCE"


def test_a_cluster_bounds_a_symbol_that_moves_with_another_and_none_that_moves_alone() -> None:
    world = wide({"cluster_percent": 1})
    assert world.gate.size(AAPL, Side.BUY, d(100), d(98)).bound_by == "name"
    world.clusters.sets.append(frozenset({AAPL, XOM}))
    found = world.gate.size(AAPL, Side.BUY, d(100), d(98))
    assert (found.quantity, found.bound_by) == (100, "cluster")
    world.ledger.hold(XOM, 100, 60)
    assert world.gate.size(AAPL, Side.BUY, d(100), d(98)).quantity == 40
