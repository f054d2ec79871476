"""What every execution algorithm must do, ours and foreign ones. Add yours to ``ALGORITHMS`` to try it."""

from decimal import Decimal
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.errors import UserError
from engine.execution.algos._template import Halves
from engine.execution.algos.algorithm import Algorithm
from engine.execution.algos.params import read
from engine.execution.algos.plugins import GROUP, all_algorithms, own_algorithms
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest
from tests.engine.execution.algos.algo_rig import Play

ALGORITHMS: dict[str, tuple[Algorithm, dict[str, str]]] = {
    **{name: (algorithm, {}) for name, algorithm in own_algorithms().items()},
    "iceberg": (own_algorithms()["iceberg"], {"show": "90"}),
    "halves": (Halves(), {}),
}
each = pytest.mark.parametrize("name", ALGORITHMS)


@each
def test_it_is_named_and_declares_each_parameter_with_words_and_bounds(name: str) -> None:
    algorithm, _ = ALGORITHMS[name]
    assert algorithm.name == algorithm.name.lower() == name
    assert algorithm.title
    for param in algorithm.params:
        assert param.title
        assert param.description.endswith(".")
        if isinstance(param.default, Decimal):
            assert param.least <= param.default <= param.most
        elif param.default is not None:
            assert param.default in param.choices


@each
@pytest.mark.parametrize("text", ["nan", "inf", "-1", "lots", "1e400"])
def test_a_parameter_that_is_no_usable_number_is_refused_by_name(name: str, text: str) -> None:
    algorithm, _ = ALGORITHMS[name]
    for param in algorithm.params:
        with pytest.raises(UserError, match=param.name):
            read({param.name: text}, algorithm.params)
    with pytest.raises(UserError, match="nonsense"):
        read({"nonsense": "1"}, algorithm.params)


@each
def test_it_has_nothing_against_a_plain_order(name: str) -> None:
    algorithm, params = ALGORITHMS[name]
    request = OrderRequest(
        intent_id=IntentId("i"),
        symbol=Symbol("AAPL"),
        side=Side.BUY,
        quantity=Decimal(1000),
        limit_price=Decimal("100.00"),
    )
    values = read(params, algorithm.params)
    assert algorithm.refusal(request, values) == ""
    seconds = algorithm.seconds(values)
    assert seconds is None or seconds > 0


@pytest.mark.parametrize("limit", [None, "100.00"])
@given(
    name=st.sampled_from(sorted(ALGORITHMS)),
    seed=st.integers(0, 10_000),
    side=st.sampled_from(Side),
    lot=st.sampled_from(["1", "10"]),
    quantity=st.integers(3, 300),
)
def test_it_is_pure_and_never_wishes_for_more_than_is_left_or_beyond_the_limit(
    name: str, seed: int, side: Side, lot: str, quantity: int, limit: str | None
) -> None:
    algorithm, params = ALGORITHMS[name]
    play = Play(
        algorithm,
        seed=seed,
        quantity=quantity * Decimal(10),
        limit=Decimal(limit or "100.00") if limit or name == "iceberg" else None,
        params=params,
        side=side,
        seconds=120,
        lot=Decimal(lot),
    ).run()  # it checks every wish
    assert play.filled <= play.quantity


@each
def test_in_a_market_that_fills_it_gets_done(name: str) -> None:
    algorithm, params = ALGORITHMS[name]
    play = Play(algorithm, seed=1, params=params, limit=Decimal(103) if name == "iceberg" else None, fills=0.9)
    play.run(volume_per_s=1_000)
    assert play.filled == play.quantity


def test_a_plug_in_is_loaded_and_one_that_cannot_be_is_named_and_left_out() -> None:
    points = [
        EntryPoint("halves", "engine.execution.algos._template:Halves", GROUP),
        EntryPoint("gone", "engine.nowhere:Nothing", GROUP),
        EntryPoint("twice", "engine.execution.algos.twap:Twap", GROUP),
        EntryPoint("strange", "builtins:object", GROUP),
    ]
    algorithms, failures = all_algorithms(points)
    assert set(algorithms) == {*own_algorithms(), "halves"}
    assert [text.split()[2] for text in failures] == ["gone", "strange", "twice"]
