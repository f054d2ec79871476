"""A whole bracket moves by key: all of it by the same amount, or nothing."""

from decimal import Decimal

import msgspec
import pytest

from engine.api.commands import ModifyOrder
from engine.api.rows import OrderRow
from engine.model.market import Side
from market_agent_gui.commander import Refusal
from market_agent_gui.keys.bracket import Move, moves
from tests.support_gui.harness import Desk, until

D = Decimal


def row(key: str, **fields: object) -> OrderRow:
    return OrderRow(
        key=key, symbol="AAPL", side="SELL", quantity=D(100), filled=D(0), state="WORKING", order_type="LMT",
        working=True, **fields,
    )  # fmt: skip


TARGET, STOP = row("t", limit_price=D("191.00"), leg="target"), row("s", stop_price=D("184.00"), leg="stop")


def test_every_own_order_moves_by_the_same_amount_and_a_foreign_one_stays() -> None:
    foreign = row("f", limit_price=D(1), external=True)
    market = row("m")
    assert moves([TARGET, STOP, foreign, market], D("0.10")) == [
        Move(ref="t", limit_price=D("191.10")),
        Move(ref="s", stop_price=D("184.10")),
    ]


@pytest.mark.parametrize(
    ("orders", "by", "says"),
    [
        ([], "1", "no working order"),
        ([TARGET, msgspec.structs.replace(STOP, state="PENDING_MODIFY")], "1", "s waits for the broker"),
        ([TARGET, msgspec.structs.replace(STOP, state="UNKNOWN")], "1", "s waits for the broker"),
        ([TARGET, STOP], "-184", "fall to zero"),
    ],
)
def test_where_one_cannot_move_nothing_does(orders: list[OrderRow], by: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        moves(orders, D(by))


def test_the_key_needs_arming_and_moves_what_works(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        working = [order for order in shell.bridge.mirror.working() if not order.external and order.state == "WORKING"]
        symbol = next(
            order.symbol
            for order in working
            if all(other.state == "WORKING" for other in shell.bridge.mirror.working(order.symbol))
            and shell.bridge.mirror.price(order.symbol) is not None
        )
        own = [order for order in shell.bridge.mirror.working(symbol) if not order.external]
        shell.links.choose("ticket", symbol)
        shell.window.show_dock("orders")
        shell.arming.disarm("test")
        desk.key("Alt+Up")
        assert not desk.sent(ModifyOrder)
        assert "not armed" in desk.toasts[-1][1]
        shell.arming.arm("")
        desk.key("Alt+PgUp")
        await until(lambda: len(desk.sent(ModifyOrder)) == len(own), "a change for each")
        tick = D(str(shell.bridge.mirror.price(symbol).tick))
        for order, sent in zip(own, desk.sent(ModifyOrder), strict=True):
            if order.limit_price is not None:
                assert sent.limit_price == order.limit_price + 10 * tick
            if order.stop_price is not None:
                assert sent.stop_price == order.stop_price + 10 * tick

    run(story())


def test_a_staged_bracket_moves_as_one_and_nothing_is_sent(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        entry = desk.shell.entry
        entry.stage_at(Side.BUY, D("190.00"))
        entry.move_leg("stop", D("187.00"))
        entry.move_leg("target", D("196.00"))
        desk.shell.bracket.move(-10)
        staged = entry.staged
        assert (staged.limit, staged.stop, staged.target) == (D("189.90"), D("186.90"), D("195.90"))
        with pytest.raises(Refusal, match="fall to zero"):
            desk.shell.bracket.move(-19_000)
        assert entry.staged == staged, "all of it or nothing"
        assert not desk.sent(ModifyOrder)

    run(story())


def test_a_staged_bracket_moves_disarmed_and_tick_by_tick_as_fast_as_one_presses(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        shell.entry.stage_at(Side.BUY, D("190.00"))
        assert not shell.arming.armed
        chart = shell.window.docks["chart"].pane
        for _ in range(3):
            desk.key("Alt+Up", chart)
        assert shell.entry.staged.limit == D("190.03")
        assert not desk.sent(ModifyOrder)

    run(story())


def test_working_orders_are_moved_on_a_fresh_quote_alone_and_after_a_change_of_keys_by_a_second_press(
    desk: Desk, run
) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "MSFT")
        await until(lambda: not shell.entry.blocked("MSFT"), "a fresh quote")
        chart = shell.window.docks["chart"].pane
        shell.arming.arm("")
        shell.fresh_keys.sizes_changed()
        desk.key("Alt+Up", chart)
        assert not desk.sent(ModifyOrder)
        assert "press Alt+↑ again" in desk.toasts[-1][1]
        shell.guard._last.clear()
        desk.key("Alt+Up", chart)
        await until(lambda: len(desk.sent(ModifyOrder)) == 2, "stop and target")
        assert shell.fresh_keys.left == 2
        desk.engine.quote("MSFT", 423.0, 423.02, flags=1)
        await until(lambda: shell.entry.blocked("MSFT"), "a stale quote")
        shell.fresh_keys._count(0)
        shell.guard._last.clear()
        desk.key("Alt+Up", chart)
        assert "stale" in desk.toasts[-1][1]
        assert len(desk.sent(ModifyOrder)) == 2

    run(story())
