"""Price alerts: set on the chart and the ladder, kept, told once, and never silent about what nobody saw."""

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt

from engine.api.commands import Watch
from market_agent_gui.alerts import MOST, Alert, AlertStore, crossed
from market_agent_gui.commander import Refusal
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.mirror import DELAYED
from market_agent_gui.notifications import Sound
from tests.market_agent_gui.test_chart_menu import at_price, chart_of, entries
from tests.support_gui.harness import Desk, until
from widgets.candle_chart.layers import OrderState

D = Decimal
PRICES = st.floats(min_value=0.01, max_value=1e6, allow_nan=False)


# --- crossing


@pytest.mark.parametrize(
    ("previous", "last", "hit"),
    [(99.0, 100.0, True), (99.0, 101.0, True), (101.0, 100.0, True), (101.0, 99.0, True), (99.0, 99.9, False),
     (101.0, 100.1, False), (100.0, 100.0, False), (math.nan, 101.0, False), (99.0, math.nan, False),
     (99.0, math.inf, False)],
)  # fmt: skip
def test_a_level_is_crossed_when_the_price_is_at_it_or_on_the_other_side(
    previous: float, last: float, hit: bool
) -> None:
    assert crossed(previous, last, 100.0) is hit


@given(PRICES, PRICES, PRICES)
def test_crossing_up_is_crossing_down_in_the_mirror(previous: float, last: float, level: float) -> None:
    assert crossed(previous, last, level) == crossed(-previous, -last, -level)


# --- kept


def test_alerts_are_kept_by_symbol_and_a_bad_file_is_named_and_left_alone(tmp_path: Path) -> None:
    store = AlertStore(tmp_path)
    store.put("AAPL", (Alert(id=store.new_id(), price=D("187.35"), seen=190.0),))
    again = AlertStore(tmp_path)
    assert again.get("AAPL") == (Alert(id="a1", price=D("187.35"), seen=190.0),)
    assert again.new_id() == "a2"
    again.put("AAPL", ())
    assert AlertStore(tmp_path).symbols() == ()
    file = tmp_path / "alerts.json"
    for bad in (
        '{"AAPL": [{"id": "a1", "price": "-3"}]}',
        '{"AAPL": 1}',
        "x",
        '{"AAPL": [{"id": "a", "price": "NaN"}]}',
    ):
        file.write_text(bad)
        broken = AlertStore(tmp_path)
        assert "alerts.json cannot be used" in broken.problem
        assert broken.symbols() == ()
        with pytest.raises(OSError, match="cannot be used"):
            broken.put("MSFT", (Alert(id="a1", price=D(1)),))
        assert broken.get("MSFT"), "it holds until the end"
        assert file.read_text() == bad


# --- at work


def rings(desk: Desk) -> list[Sound]:
    heard: list[Sound] = []
    desk.shell.program.bell.ring = heard.append  # type: ignore[method-assign]
    return heard


def told(desk: Desk) -> list[str]:
    return [text for _, text in desk.toasts if "alert at" in text]


def test_an_alert_rings_once_says_where_the_price_is_and_is_gone_from_the_file(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        heard = rings(desk)
        desk.engine.quote("AAPL", 189.99, 190.01)
        await until(lambda: desk.shell.bridge.mirror.price("AAPL").last == 190.0, "the quote")
        desk.shell.alerts.add("AAPL", D("191.00"))
        desk.shell.alerts.add("AAPL", D("189.00"))
        desk.engine.quote("AAPL", 190.97, 190.99)
        await until(lambda: desk.shell.bridge.mirror.price("AAPL").last == 190.98, "the quote")
        assert not told(desk)
        desk.engine.quote("AAPL", 191.19, 191.21)
        await until(lambda: told(desk), "the alert")
        assert told(desk) == ["AAPL rose to your alert at 191.00: 191.20 now"]
        assert heard == [Sound.FILL]
        assert [alert["price"] for alert in json.loads((desk.profile / "alerts.json").read_text())["AAPL"]] == [
            "189.00"
        ]
        desk.engine.quote("AAPL", 190.49, 190.51)
        await until(lambda: desk.shell.bridge.mirror.price("AAPL").last == 190.5, "the quote")
        desk.engine.quote("AAPL", 191.49, 191.51)
        await until(lambda: desk.shell.bridge.mirror.price("AAPL").last == 191.5, "the quote")
        assert len(told(desk)) == 1
        desk.engine.quote("AAPL", 188.89, 188.91, flags=DELAYED)
        await until(lambda: len(told(desk)) == 2, "the other alert")
        assert told(desk)[1] == "AAPL fell to your alert at 189.00: 188.90 now · the quote is delayed"
        assert not desk.shell.alerts.of("AAPL")

    run(story())


def test_what_crossed_while_the_window_was_closed_is_told_as_unseen(desk: Desk, run) -> None:
    (desk.profile / "alerts.json").write_text(
        json.dumps({"AAPL": [{"id": "a1", "price": "50.00", "seen": 40.0}], "ZZZ": [{"id": "a2", "price": "5"}]})
    )

    async def story() -> None:
        desk.shell.alerts._store = AlertStore(desk.profile)
        desk.shell.alerts._wish()
        await desk.open()
        await until(lambda: told(desk), "the alert")
        assert told(desk)[0].startswith("AAPL is past your alert at 50.00: ")
        assert told(desk)[0].endswith("Nobody watched when it crossed.")
        await until(lambda: desk.sent(Watch), "the other symbol is watched")
        assert any("ZZZ" in command.symbols for command in desk.sent(Watch))

    run(story())


def test_an_alert_at_the_price_itself_waits_until_the_price_has_left_it(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        desk.engine.quote("AAPL", 189.99, 190.01)
        await until(lambda: desk.shell.bridge.mirror.price("AAPL").last == 190.0, "the quote")
        desk.shell.alerts.add("AAPL", D("190.00"))
        desk.engine.quote("AAPL", 190.29, 190.31)
        await until(lambda: desk.shell.alerts.of("AAPL")[0].seen == 190.3, "it has left")
        assert not told(desk)
        desk.engine.quote("AAPL", 189.99, 190.01)
        await until(lambda: told(desk), "it came back")
        assert told(desk) == ["AAPL fell to your alert at 190.00: 190.00 now"]

    run(story())


def test_what_cannot_be_an_alert_is_refused_in_words(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        alerts = desk.shell.alerts
        alerts.add("AAPL", D("150.004"))
        assert alerts.of("AAPL")[0].price == D("150.00"), "on the tick"
        for symbol, price, why in (
            ("AAPL", "150", "already"), ("AAPL", "0.001", "above zero"), ("AAPL", "NaN", "above zero"),
            ("", "5", "symbol"),
        ):  # fmt: skip
            with pytest.raises(Refusal, match=why):
                alerts.add(symbol, D(price))
        for number in range(MOST - 1):
            alerts.add("AAPL", D(100) + number)
        with pytest.raises(Refusal, match="take one away"):
            alerts.add("AAPL", D(99))
        desk.shell.commander.run("price_alert", "palette")
        dialog = next(child for child in desk.shell.window.findChildren(PlainDialog) if child.isVisible())
        dialog.yes.click()
        assert "not a number above zero" in dialog.problem.text()
        dialog.reject()

    run(story())


# --- chart and ladder


def test_on_the_chart_an_alert_is_set_by_menu_or_click_dragged_and_deleted(desk: Desk, run) -> None:
    async def story() -> None:
        pane = await chart_of(desk)
        alerts, symbol = desk.shell.alerts, desk.shell.links.symbol("chart")
        frame = pane.chart.frame()
        low, high = frame.scale.low, frame.scale.high
        menu = desk.shell.presenters["chart"]._tools.menu
        found = entries(menu.make(at_price(pane, low + (high - low) * 0.25)))
        words = next(text for text in found if text.startswith("Alert at "))
        assert found[words].text().endswith("Ctrl+Shift+click")
        found[words].trigger()
        price = alerts.of(symbol)[0].price
        assert f"{price:f}" == words.split()[-1].replace("\u2009", "")
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        pane.chart.price_clicked.emit(D(str(round(low + (high - low) * 0.75, 2))), both)
        assert len(alerts.of(symbol)) == 2
        assert desk.shell.entry.staged is None, "an alert stages nothing"
        lines = [tag.order for tag in pane.chart.scene.tags if tag.order and tag.order.leg == "alert"]
        assert {line.state for line in lines} == {OrderState.ALERT}
        line = next(line for line in lines if line.price == float(price))
        pane.chart.order_dragged.emit(line.ref, line.leg, price + 1)
        assert {alert.price for alert in alerts.of(symbol)} >= {price + 1}
        tag = next(tag for tag in pane.chart.scene.tags if tag.order and tag.order.price == float(price + 1))
        found = entries(menu.make(tag.tag.center() if not tag.outside else tag.axis_tag.center()))
        next(action for text, action in found.items() if text.startswith("Delete the alert at ")).trigger()
        assert price + 1 not in {alert.price for alert in alerts.of(symbol)}
        assert not any(text.startswith("Cancel ") for text in found), "it is no order"

    run(story())


def test_an_alert_that_has_rung_is_shown_until_it_is_taken_away_and_waits_again_when_dragged(desk: Desk, run) -> None:
    async def story() -> None:
        pane = await chart_of(desk)
        alerts, symbol = desk.shell.alerts, desk.shell.links.symbol("chart")
        last = desk.shell.bridge.mirror.price(symbol).last
        level = D(str(round(last + 1, 2)))
        alerts.add(symbol, level)
        desk.engine.quote(symbol, last + 1.4, last + 1.6)
        await until(lambda: alerts.rung(symbol), "it has rung")

        def texts() -> list[str]:
            return [tag.order.text for tag in pane.chart.scene.tags if tag.order and tag.order.leg == "alert"]

        assert texts() == ["alert: has rung"]
        id = alerts.rung(symbol)[0].alert.id
        pane.chart.order_dragged.emit(f"alert:{id}", "alert", level + 5)
        assert texts() == ["alert"]
        assert not alerts.rung(symbol)
        assert alerts.of(symbol)[0].price == level + 5

    run(story())


def test_the_ladder_marks_alerts_and_its_menu_sets_and_deletes_them(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        presenter, symbol = desk.shell.presenters["depth"], desk.shell.links.symbol("depth")
        ladder = desk.shell.window.docks["depth"].pane
        price = D(str(round(desk.shell.bridge.mirror.price(symbol).last + 2, 2)))
        menu = presenter.price_menu(price)
        assert [action.text() for action in menu.actions()] == [f"Alert at {price}"]
        menu.actions()[0].trigger()
        assert ladder.rungs.alerts == frozenset({price})
        wanted: list[tuple[Decimal, QPoint]] = []
        ladder.price_menu_wanted.connect(lambda price, at: wanted.append((price, at)))
        menu = presenter.price_menu(price)
        assert [action.text() for action in menu.actions()] == [f"Delete the alert at {price}"]
        menu.actions()[0].trigger()
        assert ladder.rungs.alerts == frozenset()
        assert not desk.shell.alerts.of(symbol)

    run(story())
