"""What a person lives through: the window, its keys and its panes before a small engine over the real wire."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from engine.api.commands import Approve, CancelAll, Flatten, Halt, ModifyOrder, PlaceOrder
from engine.api.halt_flag import HALT_FLAG, read_halt_flag
from engine.model.decision import Denial
from tests.support_gui.harness import Desk, until

D = Decimal
Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_a_suggestion_is_approved_by_key_fills_and_stop_cancels_the_rest(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        shell, engine = desk.shell, desk.engine
        mirror = shell.bridge.mirror
        engine.suggest(1050, "AMZN", "BUY", "220.10")
        await until(lambda: "S-1050" in mirror.rows("suggestions"), "the suggestion")
        queue = shell.presenters["suggestions"].pane
        queue.setFocus()
        await until(lambda: queue.shown_keys()[0] == "S-1050", "its card")
        queue.select("S-1050")
        # A card that has just come does not take the press that was meant for another.
        await asyncio.sleep(0.6)
        desk.key("A", queue)
        await until(lambda: desk.sent(Approve), "the approval")
        assert desk.sent(Approve)[0].approval_hash == "hash-1050"
        await until(lambda: any(row.symbol == "AMZN" for row in mirror.working()), "the order")
        ref = next(row.key for row in mirror.working() if row.symbol == "AMZN")
        engine.fill(ref, "220.10")
        engine.state(day_pnl=D("1300.00"))
        await until(lambda: mirror.position("AMZN"), "the position")
        shell.links.choose("chart", "AMZN")
        await until(lambda: mirror.rows("fills"), "the fill")
        chart = shell.presenters["chart"].pane.chart
        await until(lambda: any(mark.text.startswith("BUY 100") for mark in chart.frame().layers.fills), "its mark")
        await until(lambda: mirror.state().day_pnl == D("1300.00"), "the day's result")
        assert any("filled" in text for _, text in desk.toasts)
        working = len(mirror.working())
        desk.key("Ctrl+.")
        await until(lambda: desk.sent(Halt), "STOP")
        await until(lambda: mirror.state().halted, "the halt")
        assert len([row for row in mirror.working() if row.leg != "entry"]) == working

    run(day())


def test_an_order_is_staged_moved_and_sent_once_by_keys(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        shell = desk.shell
        shell.links.choose("chart", "MSFT")
        chart = shell.presenters["chart"].pane.chart
        chart.setFocus()
        await until(lambda: shell.bridge.mirror.price("MSFT"), "a quote")
        desk.key("Ctrl+B", chart)
        assert shell.entry.staged is not None
        assert shell.entry.staged.limit == D("423.07")
        desk.key("Down", chart)
        desk.key("Shift+Down", chart)
        desk.key("2", chart)
        assert (shell.entry.staged.limit, shell.entry.staged.quantity) == (D("422.96"), D(50))
        assert any(line.text.startswith("STAGED BUY 50") for line in chart.frame().layers.orders)
        desk.key("Return", chart)
        assert not desk.sent(PlaceOrder)
        assert "not armed" in desk.toasts[-1][1]
        desk.key("Ctrl+Shift+L", chart)
        assert shell.arming.armed
        shell.guard._last.clear()
        desk.key("Return", chart)
        desk.key("Return", chart)
        await until(lambda: any(row.symbol == "MSFT" and row.leg == "entry" for row in shell.bridge.mirror.working()))
        assert len(desk.sent(PlaceOrder)) == 1
        request = desk.sent(PlaceOrder)[0].request
        assert (request.quantity, request.limit_price) == (D(50), D("422.96"))
        assert shell.entry.staged is None
        assert [press.action for press in shell.key_log.presses][:2] == ["stage_buy", "price_down"]
        assert all(press.intent for press in shell.key_log.presses if press.action == "price_down")

    run(day())


def test_what_the_gate_refuses_stays_staged_under_a_new_intent(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        shell, chart = desk.shell, desk.shell.presenters["chart"].pane.chart
        shell.links.choose("chart", "MSFT")
        await until(lambda: shell.bridge.mirror.price("MSFT"), "a quote")
        desk.key("Ctrl+B", chart)
        intent = shell.entry.staged.intent
        desk.engine.denials = (Denial(code="G12", text="position above its limit"),)
        shell.arming.arm()
        desk.key("Return", chart)
        await until(lambda: any("G12" in text for _, text in desk.toasts), "the refusal")
        assert shell.entry.staged is not None
        assert shell.entry.staged.intent != intent

    run(day())


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"halted": True, "halt_reason": "by hand"}, "halted"), ({"link": "down"}, "broker")],
)
def test_nothing_that_adds_risk_is_armed_while_the_engine_cannot_trade(
    desk: Desk, run: Run, changes: dict[str, Any], says: str
) -> None:
    async def day() -> None:
        await desk.open()
        desk.shell.links.choose("chart", "MSFT")
        desk.engine.state(**changes)
        await until(lambda: says in desk.shell.entry.blocked("MSFT"), "the block")
        desk.key("Ctrl+Shift+L")
        assert not desk.shell.arming.armed

    run(day())


def test_a_stale_quote_blocks_sending_but_not_leaving(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        shell, chart = desk.shell, desk.shell.presenters["chart"].pane.chart
        shell.links.choose("chart", "MSFT")
        await until(lambda: shell.bridge.mirror.price("MSFT"), "a quote")
        desk.key("Ctrl+B", chart)
        shell.arming.arm()
        desk.engine.quote("MSFT", 423.07, 423.09, flags=1)
        await until(lambda: not shell.bridge.mirror.price("MSFT").live, "a stale quote")
        desk.key("Return", chart)
        desk.key("Ctrl+5", chart)
        await until(lambda: desk.sent(Flatten), "the exit")
        assert desk.sent(Flatten)[0].fraction == D("0.5")
        assert not desk.sent(PlaceOrder)

    run(day())


def test_reducing_keys_work_disarmed(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        shell, chart = desk.shell, desk.shell.presenters["chart"].pane.chart
        shell.links.choose("chart", "AAPL")
        await until(lambda: shell.bridge.mirror.position("AAPL"), "a position")
        assert not shell.arming.armed
        desk.key("Ctrl+Shift+Backspace", chart)
        desk.key("Ctrl+E", chart)
        await until(lambda: desk.sent(CancelAll) and desk.sent(ModifyOrder), "both")
        assert desk.sent(ModifyOrder)[0].stop_price == D("189.19")

    run(day())


def test_rehearsal_sends_nothing(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        shell, chart = desk.shell, desk.shell.presenters["chart"].pane.chart
        shell.links.choose("chart", "AAPL")
        await until(lambda: shell.bridge.mirror.price("AAPL"), "a quote")
        desk.key("F2", chart)
        assert shell.program.rehearsal.overlay.isVisible()
        desk.key("Ctrl+B", chart)
        shell.arming.arm()
        desk.key("Return", chart)
        desk.key("Ctrl+0", chart)
        shown = {line.action: line for line in shell.program.rehearsal.overlay._lines}
        shell.program.rehearsal.refresh()
        assert shown["exit_all"].effect.startswith("SELL 200 AAPL")
        assert not desk.sent(PlaceOrder)
        assert not desk.sent(Flatten)
        desk.key("F2", chart)
        assert not shell.program.rehearsal.overlay.isVisible()

    run(day())


def test_stop_without_an_engine_says_so_and_leaves_the_flag(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        await desk.engine.stop()
        await until(lambda: desk.shell.bridge.link.value == "lost", "the loss")
        desk.key("Ctrl+.")
        flag = desk.profile / HALT_FLAG
        await until(flag.exists, "the flag")
        assert read_halt_flag(desk.profile) is False
        await until(lambda: any(s == "bad" and "STOP" in text for s, text in desk.toasts), "the word")
        await desk.engine.start()

    run(day())


def test_a_stop_that_closes_everything_says_so_in_the_flag(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        await desk.engine.stop()
        await until(lambda: desk.shell.bridge.link.value == "lost", "the loss")
        desk.shell.halting.stop("button", flatten=True)
        await until((desk.profile / "HALT").exists, "the flag")
        assert read_halt_flag(desk.profile) is True
        await desk.engine.start()

    run(day())


def test_stop_that_is_not_answered_leaves_the_flag(desk: Desk, run: Run) -> None:
    async def day() -> None:
        await desk.open()
        desk.engine.silent = True
        desk.key("Ctrl+.")
        await until((desk.profile / HALT_FLAG).exists, "the flag")

    run(day())


def test_stop_that_closes_everything_and_is_not_answered_leaves_a_flag_that_does_and_says_so(
    desk: Desk, run: Run
) -> None:
    async def day() -> None:
        await desk.open()
        desk.engine.silent = True
        desk.shell.halting.stop("test", flatten=True)
        await until(lambda: read_halt_flag(desk.profile) is True, "the flag")
        await until(lambda: any("close every position" in text for _, text in desk.toasts), "the word")

    run(day())
