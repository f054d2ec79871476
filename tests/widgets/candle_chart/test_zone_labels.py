"""The agent's words on the chart never lie under the tag of an order or under each other."""

from dataclasses import replace
from itertools import combinations

import pytest

from tests.widgets.candle_chart.sample import START, STEP, random_bars
from widgets.candle_chart.layers import AgentZone, OrderLine, OrderState


def zones(close: float) -> tuple[AgentZone, ...]:
    start = START + 290 * STEP
    return (
        AgentZone(kind="entry", low=close - 0.02, high=close + 0.02, start_ns=start, label="entry"),
        AgentZone(kind="stop", low=close - 0.4, high=close - 0.35, start_ns=start, label="agent stop 99.60 · S-0001"),
        AgentZone(
            kind="target", low=close + 0.3, high=close + 0.4, start_ns=start, label="agent target 100.4 · S-0001"
        ),
    )


def orders(*prices: float) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(ref=f"o{n}", leg="entry", price=price, text="BUY 100 limit · working", state=OrderState.WORKING)
        for n, price in enumerate(prices)
    )


@pytest.mark.parametrize("moved", [-0.42, -0.36, -0.3, -0.1, 0.0, 0.05, 0.3, 0.38])
def test_the_words_of_a_zone_keep_clear_of_the_tags_of_orders(make_chart, moved: float) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    close = float(bars.close[-1])
    chart.set_zones(zones(close))
    chart.set_orders(orders(close + moved, close + moved + 0.02))
    chart.frame()
    labels, tags = chart._scene.zone_labels, chart._scene.tags
    assert {item.text for item in labels} == {zone.label for zone in zones(close)}
    for label in labels:
        for tag in tags:
            assert not label.box.intersects(tag.tag), (label.text, tag.text)
            assert not label.box.intersects(tag.grip)
    for first, second in combinations(labels, 2):
        assert not first.box.intersects(second.box)


def test_the_words_of_three_zones_at_one_price_do_not_cover_each_other(make_chart) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    close = float(bars.close[-1])
    chart.set_zones(
        tuple(
            AgentZone(kind=kind, low=close, high=close + 0.01, start_ns=START + 290 * STEP, label=f"agent {kind}")
            for kind in ("entry", "stop", "target")
        )
    )
    chart.frame()
    labels = chart._scene.zone_labels
    assert len(labels) == 3
    for first, second in combinations(labels, 2):
        assert not first.box.intersects(second.box)


def test_a_tag_that_comes_finds_room_right_of_the_bars_and_its_changing_words_move_nothing(make_chart) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    close = float(bars.close[-1])
    chart.set_orders(orders(close))
    (tag,) = chart.scene.tags
    assert tag.tag.left() > chart.frame().last_x
    view = chart.frame().view
    chart.set_average(None)
    chart.set_orders((replace(orders(close)[0], text="BUY 100 limit · working · 40 of 100 filled"),))
    assert chart.frame().view == view
    chart.set_view(view.moved(-60))  # the person looks at something else
    looked = chart.frame().view
    chart.set_orders(orders(close, close + 1))
    assert chart.frame().view == looked


def test_the_words_of_zones_stand_right_of_the_bars_where_nothing_else_does(make_chart) -> None:
    bars = random_bars(300)
    chart = make_chart(bars)
    chart.frame()
    chart.set_zones(zones(float(bars.close[-1])))
    assert all(label.box.left() >= chart.frame().last_x for label in chart.scene.zone_labels)
