"""An engine that stands still: nothing passes for fresh, nothing that adds risk is sent, and it is said."""

import asyncio

import pytest

from engine.api.commands import Approve, CancelAll, PlaceOrder
from market_agent_gui.bridge import LinkState
from tests.support_gui.harness import Desk, until


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr("market_agent_gui.bridge.SILENT_S", 0.4)
    monkeypatch.setattr("market_agent_gui.bridge.LOOK_S", 0.1)
    monkeypatch.setattr("engine.runtime.server.QUIET_S", 0.1)
    return monkeypatch


def test_while_the_engine_stands_still_nothing_is_sent_and_the_strip_says_why(
    desk: Desk, run, quick: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        chart = shell.window.docks["chart"].pane
        shell.commander.run("arm", "key")
        desk.key("Ctrl+B", chart)
        assert shell.entry.staged is not None
        await asyncio.sleep(0.8)
        assert not shell.bridge.silent, "a quiet engine lives"
        # The engine's process stands still: its end of the socket writes nothing.
        quick.setattr("engine.runtime.server.ClientOutbox.cut_rows", lambda _self: [])
        quick.setattr("engine.runtime.server.ClientOutbox.cut_frame", lambda _self: None)
        quick.setattr("engine.runtime.server.QUIET_S", 1e9)
        await until(lambda: shell.bridge.silent, "the silence")
        assert shell.bridge.link is LinkState.UP
        assert not shell.arming.armed
        assert "does not answer" in shell.arming.reason
        assert "what is shown is old" in shell.entry.blocked("AAPL")
        assert "what is shown is old" in shell.head.strip._away
        shell.commander.run("arm", "key")
        desk.key("Return", chart)
        assert not desk.sent(PlaceOrder)
        desk.key("Ctrl+Shift+Backspace")
        await until(lambda: desk.sent(CancelAll), "what lowers risk goes out all the same")
        quick.setattr("engine.runtime.server.QUIET_S", 0.1)
        await until(lambda: not shell.bridge.silent, "the engine again")
        assert shell.head.strip._away == ""
        assert not shell.entry.blocked("AAPL")

    run(story())


def test_an_order_on_its_way_stays_what_was_sent_whatever_the_quotes_do(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        desk.key("Ctrl+B", shell.window.docks["chart"].pane)
        staged = shell.entry.staged
        assert staged is not None
        assert staged.joins
        assert shell.guard.take_off(staged.intent)
        place = desk.engine._symbols["AAPL"]
        desk.engine.quotes.values[place][0] -= 0.05
        desk.engine.quotes.version += 1
        moved = []
        shell.bridge.quotes.connect(moved.append)
        await until(lambda: moved, "the quote")
        await asyncio.sleep(0.05)
        assert shell.entry.staged == staged
        shell.guard.land(staged.intent)
        desk.engine.quotes.values[place][0] -= 0.05
        desk.engine.quotes.version += 1
        await until(
            lambda: shell.entry.staged is not None and shell.entry.staged.limit < staged.limit, "the join again"
        )

    run(story())


def test_a_bid_that_jumps_under_the_finger_is_not_what_is_sent(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open()
        shell, now = desk.shell, [1000.0]
        shell.entry._monotonic = lambda: now[0]
        shell.links.choose("chart", "AAPL")
        await until(lambda: not shell.entry.blocked("AAPL"), "a fresh quote")
        chart = shell.window.docks["chart"].pane
        shell.commander.run("arm", "key")
        desk.key("Ctrl+B", chart)
        read = shell.entry.staged
        assert read is not None
        now[0] += 2.0
        row = desk.engine.quotes.values[desk.engine._symbols["AAPL"]]
        row[0] += 0.01
        row[1] += 0.01
        desk.engine.quotes.version += 1
        await until(lambda: shell.entry.staged.limit != read.limit, "the jump")
        now[0] += 0.1
        desk.key("Return", chart)
        await until(lambda: desk.sent(PlaceOrder), "the order")
        assert desk.sent(PlaceOrder)[0].request.limit_price == read.limit

    run(story())


def test_a_joining_order_can_be_sent_from_the_ticket_however_fast_the_quotes_run(desk: Desk, run) -> None:
    async def story() -> None:
        await desk.open_on("AAPL")
        shell = desk.shell
        ticket = shell.window.docks["ticket"].pane
        desk.key("Ctrl+B", shell.window.docks["chart"].pane)
        row = desk.engine.quotes.values[desk.engine._symbols["AAPL"]]
        seen: list[bool] = []
        for number in range(60):  # a quote each twentieth of a second
            row[0] += 0.01 if number % 2 else -0.01
            desk.engine.quotes.version += 1
            await asyncio.sleep(0.05)
            seen.append(ticket._standing() == ("", ""))
        assert sum(seen) > 10, f"it could be sent in {sum(seen)} of {len(seen)} moments"
        row[0] = 190.00
        desk.engine.quotes.version += 1
        await until(lambda: shell.entry.staged.limit == 190, "the last quote, which is not forgotten")

    run(story())


def test_no_suggestion_is_approved_while_the_engine_stands_still(desk: Desk, run, quick: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        await desk.open()
        shell = desk.shell
        desk.engine.suggest(1050, "AMZN", "BUY", "220.10")
        await until(lambda: "S-1050" in shell.bridge.mirror.rows("suggestions"), "the suggestion")
        queue = shell.window.show_dock("suggestions").pane
        queue.select("S-1050")
        await asyncio.sleep(0.6)  # one that has just come is not approved yet
        quick.setattr("engine.runtime.server.ClientOutbox.cut_rows", lambda _self: [])
        quick.setattr("engine.runtime.server.ClientOutbox.cut_frame", lambda _self: None)
        quick.setattr("engine.runtime.server.QUIET_S", 1e9)
        await until(lambda: shell.bridge.silent, "the silence")
        desk.key("A", queue)
        await asyncio.sleep(0.2)
        assert not desk.sent(Approve)
        quick.setattr("engine.runtime.server.QUIET_S", 0.1)
        await until(lambda: not shell.bridge.silent, "the engine again")
        desk.key("A", queue)
        await until(lambda: desk.sent(Approve), "the approval")

    run(story())
