"""What every foreign pane must do. Add the entry point of yours to ``PANES`` to try it."""

import math
from collections.abc import Callable
from importlib.metadata import EntryPoint
from inspect import signature
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from engine.api.commands import Halt, Receipt
from engine.runtime.programs import LESS, READS
from market_agent_gui.foreign.find import PaneError, find_panes, load_spec
from market_agent_gui.foreign.host import LESSENS, LOOKS, ForeignHost
from market_agent_gui.foreign.pane import GROUP, PaneHost, PaneSpec, Quote
from tests.support_gui.foreign_package import installed

TEMPLATE = EntryPoint("breadth", "market_agent_gui.foreign._template:PANE", GROUP)
PANES = [TEMPLATE]
each = pytest.mark.parametrize("point", PANES, ids=[point.name for point in PANES])
CHANGES = ("quotes", "positions", "orders", "symbol")


class FakeHost:
    """A window without a window."""

    def __init__(self) -> None:
        self.prices: dict[str, Quote] = {}
        self.calls: list[Callable[[str], object]] = []
        self.sent: list[object] = []
        self.answer = Receipt(ok=True)
        self.symbol = ""

    def symbols(self) -> tuple[str, ...]:
        return tuple(self.prices)

    def quote(self, symbol: str) -> Quote | None:
        return self.prices.get(symbol)

    def positions(self) -> tuple:
        return ()

    def orders(self) -> tuple:
        return ()

    def choose(self, symbol: str) -> None:
        self.symbol = symbol

    def on_change(self, call: Callable[[str], object]) -> None:
        self.calls.append(call)

    def send(self, command, then=None) -> None:
        self.sent.append(command)
        if then is not None:
            then(self.answer)

    def stage(self, request) -> bool:
        return False

    def say(self, text: str) -> None:
        pass


def quote(symbol: str, value: float) -> Quote:
    return Quote(symbol=symbol, bid=value, ask=value, last=value, previous_close=value, ts_ns=1, live=value == value)


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel)]


@pytest.mark.parametrize("kind", [FakeHost, ForeignHost])
def test_the_host_here_and_the_windows_own_offer_what_a_pane_is_promised(kind: type) -> None:
    for name in [name for name in vars(PaneHost) if not name.startswith("_")]:
        promised = getattr(PaneHost, name)
        if callable(promised):
            assert [*signature(getattr(kind, name)).parameters] == [*signature(promised).parameters]
        elif kind is ForeignHost:
            assert isinstance(getattr(kind, name), type(promised))


@each
def test_it_is_a_spec_of_the_entry_points_name_with_a_title(point: EntryPoint) -> None:
    spec = load_spec(point)
    assert isinstance(spec, PaneSpec)
    assert spec.title.strip() == spec.title != ""
    assert spec.id == point.name


@each
def test_it_makes_a_widget_before_anything_is_known(point: EntryPoint, qtbot) -> None:
    widget = load_spec(point).factory(FakeHost())
    assert isinstance(widget, QWidget)
    assert not widget.isVisible()
    qtbot.addWidget(widget)


@each
def test_it_takes_every_change_also_of_prices_that_are_not_known(point: EntryPoint, qtbot) -> None:
    made = FakeHost()
    widget = load_spec(point).factory(made)
    qtbot.addWidget(widget)
    for prices in ({}, {"A": quote("A", math.nan)}, {"A": quote("A", 1.0), "B": quote("B", math.inf)}):
        made.prices = prices
        made.symbol = "GONE"
        for call in made.calls:
            for what in CHANGES:
                call(what)


@each
def test_two_of_it_do_not_disturb_each_other(point: EntryPoint, qtbot) -> None:
    spec, here, there = load_spec(point), FakeHost(), FakeHost()
    first, second = spec.factory(here), spec.factory(there)
    qtbot.addWidget(first)
    qtbot.addWidget(second)
    before = texts(second)
    here.prices, here.symbol = {"A": quote("A", 2.0)}, "A"
    for call in here.calls:
        for what in CHANGES:
            call(what)
    assert first is not second
    assert texts(second) == before


def test_the_template_asks_the_engine_and_shows_what_it_says(qtbot) -> None:
    made = FakeHost()
    made.answer = Receipt(ok=False, text="the engine is not connected")
    widget = load_spec(TEMPLATE).factory(made)
    qtbot.addWidget(widget)
    widget.findChild(QPushButton).click()
    assert len(made.sent) == 1
    assert "the engine is not connected" in texts(widget)


def test_what_the_window_lets_a_pane_send_the_engine_takes_from_one() -> None:
    assert set(LOOKS) <= set(READS)
    assert set(LESSENS) == {*LESS, Halt}


# --- finding them


def test_an_installed_package_is_found_by_its_metadata_and_not_imported(tmp_path: Path) -> None:
    import sys

    points = f"[{GROUP}]\nadvance = my_panes.panes:PANE\n"
    with installed(tmp_path, "my_panes", points, panes="raise RuntimeError('imported too early')"):
        (found,) = find_panes(lambda names: names)
        assert (found.dock.id, found.dock.title, found.dock.package) == ("foreign_advance", "Advance", "my-panes")
        assert "my_panes" not in sys.modules
        assert find_panes(lambda names: ()) == ()
    assert find_panes(lambda names: names) == ()


def test_a_name_of_ours_a_name_twice_and_a_name_that_is_none_are_left_out() -> None:
    names = ("chart", "Bad Name", "mine", "mine", "../x", "")
    points = [EntryPoint(name, f"pack{n}.x:Y", GROUP) for n, name in enumerate(names)]
    assert [found.point.value for found in find_panes(lambda names: names, points)] == ["pack2.x:Y"]


@pytest.mark.parametrize(
    ("value", "said"),
    [("math:pi", "float"), ("builtins:dict", "dict"), ("market_agent_gui.foreign._template:PANE", "breadth")],
)
def test_what_is_no_pane_is_refused_with_what_it_is(value: str, said: str) -> None:
    with pytest.raises(PaneError, match=said):
        load_spec(EntryPoint("other", value, GROUP))
