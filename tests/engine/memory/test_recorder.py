"""The recorder: batched, readable again, off the order's way."""

from pathlib import Path

import pytest

from engine.bus.bus import Bus
from engine.bus.clock import StepClock
from engine.bus.errors import JournalError
from engine.memory.database import MARKET_APPLICATION_ID, open_database
from engine.memory.migrations.first import MARKET_MIGRATIONS
from engine.memory.recorder import Recorder
from engine.memory.settings import Durability
from engine.model.events.decision import Refused
from engine.model.events.market import NewsArrived, PostSeen
from engine.model.events.thought import Scored
from engine.model.ids import SourceId, SuggestionId, Symbol
from engine.model.score import Forecast
from tests.engine.memory.rig import NOW


def build(folder: Path) -> tuple[Bus, StepClock, Recorder]:
    def fail(owner: str, role: object, event: object, error: Exception) -> None:
        raise error

    bus, clock = Bus(fail), StepClock(NOW)
    database = open_database(
        folder / "market.db",
        application_id=MARKET_APPLICATION_ID,
        migrations=MARKET_MIGRATIONS,
        now_ns=NOW,
        durability=Durability.NORMAL,
    )
    return bus, clock, Recorder(bus, clock, database)


def scored(n: int) -> Scored:
    forecast = Forecast(
        source=SourceId("booster"), symbol=Symbol("AAPL"), horizon="day", score=n / 10, available_at=NOW + n
    )
    return Scored(ts_event=NOW, ts_init=NOW, forecast=forecast)


async def test_what_is_published_is_read_back(tmp_path: Path) -> None:
    bus, clock, recorder = build(tmp_path)
    await recorder.start()
    for n in range(5):
        bus.publish(scored(n))
    refused = Refused(
        ts_event=NOW, ts_init=NOW, suggestion_id=SuggestionId("s1"), symbol=Symbol("AAPL"), by="window", code="PRICE"
    )
    bus.publish(refused)
    news = NewsArrived(ts_event=NOW, ts_init=NOW, id="n1", symbols=(Symbol("AAPL"),), headline="up", source="wire")
    bus.publish(news)
    bus.publish(news)
    bus.publish(PostSeen(ts_event=NOW + 1, ts_init=NOW, id="p", symbols=(), text="hm", source="forum"))
    clock.advance(1)
    assert [f.score for f in recorder.forecasts(SourceId("booster"), NOW + 1, NOW + 4)] == [0.1, 0.2, 0.3]
    assert [(kind, fields["code"]) for _, kind, fields in recorder.decisions(SuggestionId("s1"))] == [
        ("Refused", "PRICE")
    ]
    assert [type(item).__name__ for item in recorder.news(NOW)] == ["NewsArrived", "PostSeen"]
    clock.advance(100 * 86_400)
    recorder.forget(90)
    assert list(recorder.news(0)) == []
    await recorder.stop()


async def test_a_batch_that_fails_is_kept_and_written_later(tmp_path: Path) -> None:
    bus, clock, recorder = build(tmp_path)
    await recorder.start()
    recorder._database.connection.execute("PRAGMA query_only = ON")
    bus.publish(scored(1))
    clock.advance(1)
    assert recorder.failed == 1
    with pytest.raises(JournalError):
        recorder.flush()
    recorder._database.connection.execute("PRAGMA query_only = OFF")
    clock.advance(5)
    assert len(list(recorder.forecasts(SourceId("booster"), 0, NOW * 2))) == 1
    await recorder.stop()
