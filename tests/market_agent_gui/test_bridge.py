"""The bridge: rows, reconnection, wishes, and the fate of commands."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from engine.api.client import EngineUnavailable
from engine.api.commands import CancelAll, GetStatus
from engine.api.wire import Follow
from market_agent_gui.bridge import EngineBridge, LinkState
from tests.support_gui.fake_engine import FakeEngine
from tests.support_gui.harness import until

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_it_waits_for_an_engine_takes_its_tables_and_comes_back_after_a_loss(tmp_path: Path, run: Run) -> None:
    async def work() -> None:
        bridge = EngineBridge(tmp_path)
        states: list[str] = []
        bridge.link_changed.connect(lambda state, _text: states.append(state))
        bridge.start()
        await until(lambda: "connecting" in states, "a first try")
        engine = FakeEngine(tmp_path)
        engine.furnish()
        await engine.start()
        await until(lambda: len(bridge.mirror.rows("positions")) == 7, "the positions")
        await engine.stop()
        await until(lambda: bridge.link is LinkState.LOST, "the loss")
        with pytest.raises(EngineUnavailable):
            await bridge.send(GetStatus())
        await engine.start()
        engine.tables["positions"].remove("KO")
        await until(lambda: bridge.link is LinkState.UP, "the return")
        await until(lambda: len(bridge.mirror.rows("positions")) == 6, "the present positions")
        await bridge.close()
        await engine.stop()

    run(work())


def test_notices_of_a_gap_arrive_once_and_in_order(tmp_path: Path, run: Run) -> None:
    async def work() -> None:
        bridge, engine = EngineBridge(tmp_path), FakeEngine(tmp_path)
        kinds: list[str] = []
        bridge.notice.connect(lambda notice: kinds.append(notice.kind))
        await engine.start()
        bridge.start()
        await until(lambda: bridge.link is LinkState.UP, "the link")
        engine.notice("First")
        await until(lambda: kinds == ["First"], "the first")
        await engine.stop()
        engine.notice("Second")
        engine.notice("Third")
        await engine.start()
        await until(lambda: len(kinds) >= 3, "the missed ones")
        assert kinds == ["First", "Second", "Third"]
        await bridge.close()
        await engine.stop()

    run(work())


def test_a_window_says_that_it_lives_and_says_goodbye_when_it_is_closed(tmp_path: Path, run: Run) -> None:
    async def work() -> None:
        bridge, engine = EngineBridge(tmp_path), FakeEngine(tmp_path)
        await engine.start()
        bridge.start()
        await until(lambda: len(engine.beats) >= 3, "three signs of life")
        await bridge.close()
        await until(lambda: engine.goodbyes == [True], "the goodbye")
        await engine.stop()

    run(work())


def test_a_window_that_is_torn_off_says_no_goodbye(tmp_path: Path, run: Run) -> None:
    async def work() -> None:
        bridge, engine = EngineBridge(tmp_path), FakeEngine(tmp_path)
        await engine.start()
        bridge.start()
        await until(lambda: len(engine.beats) >= 1, "a sign of life")
        client = bridge._client
        assert client is not None
        await client.close()
        await until(lambda: engine.goodbyes[:1] == [False], "the torn connection")
        await bridge.close()
        await engine.stop()

    run(work())


def test_wishes_of_panes_are_joined_and_end_with_them(tmp_path: Path, run: Run) -> None:
    async def work() -> None:
        bridge = EngineBridge(tmp_path)
        bridge.want("chart", Follow(bars=(("AAPL", 300),), quotes=True))
        bridge.want("depth", Follow(depth=("AAPL",)))
        assert bridge.followed.bars == (("AAPL", 300),)
        assert bridge.followed.depth == ("AAPL",)
        bridge.want("chart", None)
        assert bridge.followed.bars == ()
        assert not bridge.followed.quotes
        assert "state" in bridge.followed.tables
        await bridge.close()

    run(work())


def test_a_command_that_could_not_be_delivered_is_told(tmp_path: Path, run: Run) -> None:
    async def work() -> None:
        bridge = EngineBridge(tmp_path)
        told: list[str] = []
        bridge.failed.connect(lambda _command, text: told.append(text))
        bridge.fire(CancelAll())
        await until(lambda: told, "the word")
        await bridge.close()

    run(work())


def test_quotes_reach_the_mirror_by_symbol(tmp_path: Path, run: Run) -> None:
    async def work() -> None:
        bridge, engine = EngineBridge(tmp_path), FakeEngine(tmp_path)
        engine.quote("AAPL", 190.33, 190.35)
        engine.quote("MSFT", 423.0, 423.2, flags=1)
        await engine.start()
        bridge.want("watchlist", Follow(quotes=True))
        bridge.start()
        await until(lambda: bridge.mirror.price("MSFT"), "the quotes")
        apple, microsoft = bridge.mirror.price("AAPL"), bridge.mirror.price("MSFT")
        assert apple is not None
        assert (apple.bid, apple.ask, apple.live) == (190.33, 190.35, True)
        assert microsoft is not None
        assert not microsoft.live
        assert bridge.mirror.price("NVDA") is None
        await bridge.close()
        await engine.stop()

    run(work())
