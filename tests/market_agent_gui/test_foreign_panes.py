"""Panes of packages: beside ours, marked, loaded when they are opened, and harmless when they fail."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import SIGNAL, QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from cli.gui import allowed_panes
from engine.api import commands as c
from engine.model.ids import Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest, OrderType
from market_agent_gui.foreign.find import find_panes
from market_agent_gui.foreign.pane import GROUP
from market_agent_gui.main_window import MainWindow
from market_agent_gui.palette_source import PaletteSource
from tests.support_gui.foreign_package import installed
from tests.support_gui.harness import Desk, until

GOOD = """
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget
from market_agent_gui.foreign.pane import PaneSpec

class Pane(QWidget):
    def __init__(self, host):
        super().__init__()
        self.host, self.heard, self.receipts = host, [], []
        self.field = QLineEdit(self)
        host.on_change(self.heard.append)

made = []
def factory(host):
    made.append(Pane(host))
    return made[-1]

PANE = PaneSpec(id="good", title="Good", factory=factory)
"""
BAD = """
from market_agent_gui.foreign.pane import PaneSpec
def factory(host):
    host.on_change(print)
    raise RuntimeError("no licence")
PANE = PaneSpec(id="bad", title="Bad", factory=factory)
"""
RUDE = """
from PySide6.QtWidgets import QLabel
from market_agent_gui.foreign.pane import PaneSpec
calls = []
def factory(host):
    def rude(what):
        calls.append(what)
        raise ValueError("not today")
    host.on_change(rude)
    return QLabel("rude")
PANE = PaneSpec(id="rude", title="Rude", factory=factory)
"""
HASTY = """
from market_agent_gui.foreign.pane import PaneSpec
calls = []
def factory(host):
    host.on_change(calls.append)
    raise RuntimeError("too early")
PANE = PaneSpec(id="hasty", title="Hasty", factory=factory)
"""
EMPTY = """
from PySide6.QtWidgets import QLabel
from market_agent_gui.foreign.pane import PaneSpec
class Empty(QLabel):
    def __len__(self):
        return 0
PANE = PaneSpec(id="empty", title="Empty", factory=lambda host: Empty("here"))
"""
POINTS = f"[{GROUP}]\ngood = other_panes.good:PANE\nbad = other_panes.bad:PANE\nrude = other_panes.rude:PANE\n" + (
    "gone = other_panes.nowhere:PANE\nhasty = other_panes.hasty:PANE\nempty = other_panes.empty:PANE\n"
)


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    panes = {"good": GOOD, "bad": BAD, "rude": RUDE, "hasty": HASTY, "empty": EMPTY}
    with installed(tmp_path / "site", "other_panes", POINTS, **panes) as folder:
        yield folder


@pytest.fixture
def desk(package: Path, tmp_path: Path, qapp: QApplication, loop) -> Desk:
    return Desk(tmp_path, qapp, foreign=find_panes(lambda names: names))


async def opened(desk: Desk, name: str):
    desk.shell.window.show_dock(f"foreign_{name}")
    presenter = desk.shell.presenters[f"foreign_{name}"]
    await until(lambda: presenter._tried, "the attempt")
    return presenter


def request(**changes) -> OrderRequest:
    fields = {"intent_id": "x", "symbol": Symbol("AAPL"), "side": Side.BUY, "quantity": Decimal(10)}
    return OrderRequest(**{**fields, "limit_price": Decimal("190.00"), **changes})


def test_it_is_loaded_only_when_it_is_opened_and_stands_in_menu_and_palette_with_its_package(
    desk: Desk, run: Callable
) -> None:
    async def story() -> None:
        await desk.open()
        assert "other_panes.good" not in sys.modules
        menu = desk.shell.program.menu
        menu.fill()
        panes = next(found for found in menu.findChildren(QMenu) if found.title() == "Panes")
        assert "Good ◇\tother-panes" in [action.text() for action in panes.actions()]
        entries = PaletteSource(desk.shell, desk.shell.program).entries("good")
        assert ("Good ◇", "other-panes") in [(entry.title, entry.group) for entry in entries]
        presenter = await opened(desk, "good")
        assert sys.modules["other_panes.good"].made
        assert "other-panes" in presenter._frame.whose.text()
        assert not presenter._frame.problem.isVisible()

    run(story())


@pytest.mark.parametrize(("name", "said"), [("bad", "no licence"), ("gone", "nowhere")])
def test_one_that_cannot_be_made_says_why_in_its_pane_and_the_others_go_on(
    desk: Desk, run: Callable, name: str, said: str
) -> None:
    async def story() -> None:
        await desk.open()
        presenter = await opened(desk, name)
        assert said in presenter._frame.problem.text()
        assert presenter._frame.again.isVisible()
        good = await opened(desk, "good")
        assert not good._error
        assert desk.shell.presenters["chart"].pane is not None

    run(story())


def test_one_that_could_not_be_made_hears_nothing_more_however_often_it_is_tried(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        presenter = await opened(desk, "bad")
        bridge = desk.shell.bridge
        before = bridge.receivers(SIGNAL("quotes(PyObject)"))
        for _ in range(3):
            presenter._frame.again.click()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert bridge.receivers(SIGNAL("quotes(PyObject)")) <= before
        desk.engine.quote("AAPL", 201.0, 201.02)
        await until(lambda: bridge.mirror.price("AAPL").bid == 201.0, "a quote that it would have heard")

    run(story())


def test_one_that_raises_when_something_changes_is_told_and_not_called_again(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        presenter = await opened(desk, "rude")
        desk.engine.quote("AAPL", 191.0, 191.1)
        await until(lambda: "not today" in presenter._frame.problem.text(), "the mistake")
        calls = sys.modules["other_panes.rude"].calls
        before = len(calls)
        for n in range(5):
            desk.engine.quote("AAPL", 192.0 + n, 192.1 + n)
            await until(lambda n=n: desk.shell.bridge.mirror.price("AAPL").bid == 192.0 + n, "the price")
        assert len(calls) == before
        assert presenter._frame.findChildren(QLabel)

    run(story())


def test_it_sees_prices_positions_orders_and_the_symbol_of_its_group(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        await opened(desk, "good")
        pane = sys.modules["other_panes.good"].made[0]
        desk.engine.quote("AAPL", 195.0, 195.1)
        await until(lambda: "quotes" in pane.heard, "a change")
        quote = pane.host.quote("AAPL")
        assert (quote.bid, quote.ask, quote.live) == (195.0, 195.1, True)
        assert pane.host.quote("NOPE") is None
        assert {row.key for row in pane.host.orders()} == set(desk.shell.bridge.mirror.rows("orders"))
        pane.host.choose("MSFT")
        assert desk.shell.links.symbol("chart") == pane.host.symbol == "MSFT"
        await until(lambda: "symbol" in pane.heard, "the symbol")

    run(story())


def test_it_asks_and_stops_under_its_own_name_and_opens_nothing(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        await opened(desk, "good")
        pane = sys.modules["other_panes.good"].made[0]
        send = pane.host.send
        refused = (
            c.PlaceOrder(request=request()),
            c.ModifyOrder(ref="x", intent_id="y"),
            c.Approve(suggestion_id="S-1"),
            c.Resume(typed="RESUME", reason="x"),
            c.SaveStrategy(text="x"),
            c.CancelAll(protective=True),
            c.Halt(protective=True),
            c.CancelOrder(ref="unknown"),
            c.Watch(symbols=(Symbol("RKLB"),)),
            c.Unwatch(symbols=(Symbol("AAPL"),)),
        )
        for command in refused:
            send(command, pane.receipts.append)
        assert [receipt.code for receipt in pane.receipts] == ["PANE"] * len(refused)
        del pane.receipts[:]
        send(c.GetBars(symbol=Symbol("AAPL"), seconds=60), pane.receipts.append)
        send(c.Halt(reason="too wild"))
        await until(lambda: pane.receipts and desk.sent(c.Halt), "the answers")
        assert pane.receipts[0].ok
        assert [x.by for x in desk.sent(c.Halt)] == ["pane:good"]
        by_it = {type(x) for x in desk.engine.commands if x.by.startswith("pane:")}
        assert by_it == {c.GetBars, c.Halt}, "nothing that was refused has reached the engine"

    run(story())


def test_a_stop_at_the_broker_is_not_cancelled_by_it_and_an_entry_is(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        await opened(desk, "good")
        pane = sys.modules["other_panes.good"].made[0]
        stop = desk.engine.order(request(side=Side.SELL), leg="stop").key
        entry = desk.engine.order(request()).key
        await until(lambda: {stop, entry} <= {row.key for row in pane.host.orders()}, "both")
        pane.host.send(c.CancelOrder(ref=stop), pane.receipts.append)
        pane.host.send(c.CancelOrder(ref=entry), pane.receipts.append)
        await until(lambda: len(pane.receipts) == 2, "both answers")
        assert [command.ref for command in desk.sent(c.CancelOrder)] == [entry]

    run(story())


def test_it_stages_only_while_the_person_is_in_it_and_never_over_another_order(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        await opened(desk, "good")
        pane = sys.modules["other_panes.good"].made[0]
        entry = desk.shell.entry
        desk.shell.window.show_dock("watchlist")
        assert not pane.host.stage(request())
        assert entry.staged is None
        desk.shell.window.show_dock("foreign_good")
        pane.field.setFocus()
        await until(lambda: QApplication.focusWidget() is pane.field, "the focus")
        assert not pane.host.stage(request(limit_price=None))
        assert not pane.host.stage(request(order_type=OrderType.STOP_LIMIT, stop_price=Decimal(191)))
        assert not pane.host.stage(request(quantity="many"))
        hidden = {"oca_group": "g-1", "parent_ref": "r-1", "algo": "twap", "outside_rth": True, "strategy": "x"}
        assert pane.host.stage(request(confirmed=("G1",), **hidden))
        bare = entry.staged.base
        assert (bare.oca_group, bare.parent_ref, bare.algo, bare.outside_rth, bare.strategy) == (
            "",
            None,
            "",
            False,
            "",
        )
        staged = entry.staged
        assert (staged.symbol, staged.limit) == ("AAPL", Decimal("190.00"))
        assert staged.intent != "x"
        assert staged.base.confirmed == ()
        assert not pane.host.stage(request(quantity=Decimal(9999)))
        assert entry.staged is staged
        assert not desk.sent(c.PlaceOrder)

    run(story())


def test_the_look_of_the_window_comes_back_with_it_and_without_it(
    desk: Desk, run: Callable, tmp_path: Path, qapp: QApplication, loop
) -> None:
    async def story() -> None:
        await desk.open()
        dock = desk.shell.window.show_dock("foreign_good")
        dock.setFloating(True)
        state = desk.shell.window.layout_state()
        dock.setFloating(False)
        dock.hide()
        assert desk.shell.window.restore_layout(state)
        assert dock.isFloating()
        assert dock.isVisible()
        window = MainWindow()
        assert window.restore_layout(state)
        late = window.add_dock(dock.spec)
        assert late.isFloating()
        window.deleteLater()
        without = MainWindow()
        assert without.restore_layout(state)
        without.use_template("Terminal")
        without.deleteLater()

    run(story())


def test_the_settings_leave_panes_out(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    assert allowed_panes(("a", "b"), file) == ("a", "b")
    file.write_text("gui: {foreign_panes_off: [a]}\n")
    assert allowed_panes(("a", "b"), file) == ("b",)
    file.write_text("gui: {foreign_panes: false}\n")
    assert allowed_panes(("a", "b"), file) == ()
    file.write_text("gui: {foreign_pane: false}\n")
    assert allowed_panes(("a", "b"), file) == ()


def test_one_that_failed_while_it_was_made_is_not_called_afterwards(desk: Desk, run: Callable) -> None:
    import sys

    async def story() -> None:
        await desk.open()
        presenter = await opened(desk, "hasty")
        presenter._frame.again.click()
        presenter._frame.again.click()
        assert "too early" in presenter._frame.problem.text()
        for n in range(5):
            desk.engine.quote("AAPL", 192.0 + n, 192.1 + n)
            await until(lambda n=n: desk.shell.bridge.mirror.price("AAPL").bid == 192.0 + n, "the price")
        await asyncio.sleep(0.3)
        assert sys.modules["other_panes.hasty"].calls == []

    run(story())


def test_one_that_counts_as_empty_is_shown_all_the_same(desk: Desk, run: Callable) -> None:
    async def story() -> None:
        await desk.open()
        presenter = await opened(desk, "empty")
        assert "here" in [label.text() for label in presenter._frame.findChildren(QLabel)]

    run(story())
