"""What has to be done once a second and once a day, for as long as the engine runs."""

import asyncio
from collections.abc import Callable

import structlog

from engine.bus.clock import Clock, ReplayClock
from engine.collection.collector import Collector
from engine.execution.desk import OrderDesk
from engine.memory.recorder import Recorder
from engine.model.market import Session, SessionState
from engine.runtime.storage import Storage
from engine.views.table import Table

CLOCK_KEY = "run.clock"
EVERY_S = 1.0
_log = structlog.get_logger("housekeeping")


class Housekeeping:
    """Shows the sources, keeps the market's time, and ends the day."""

    def __init__(
        self,
        clock: Clock,
        collector: Collector,
        storage: Storage,
        desk: OrderDesk,
        recorder: Recorder,
        sources: Table,
        session_at: Callable[[int], Session | None],
        news_days: int,
    ) -> None:
        """``session_at`` is the main calendar; ``news_days``: how long news are kept."""
        self._clock, self._collector, self._storage, self._desk = clock, collector, storage, desk
        self._recorder, self._sources, self._session_at, self._news_days = recorder, sources, session_at, news_days
        self._settled = ""
        self._opened = False

    async def run(self) -> None:
        """Once a second of the wall's time, until it is cancelled."""
        while True:
            for row in self._collector.rows():
                self._sources.put(row)
            self.save_clock()
            self._end_of_day()
            await asyncio.sleep(EVERY_S)

    def save_clock(self) -> None:
        """Keep the market's time: a demo goes on where it ended, and never goes back. Raises ``JournalError``.

        Without waiting for the disk: once a second, a busy one would hold up the quotes.
        """
        if isinstance(self._clock, ReplayClock):
            self._storage.journal.kv.note(CLOCK_KEY, str(self._clock.now()))

    def _end_of_day(self) -> None:
        """Once after each session: closed orders become final, a verified copy is kept, old news goes."""
        session = self._session_at(self._clock.now())
        date = session.date if session is not None else ""
        if session is None or session.state is SessionState.OPEN or date == self._settled or not self._opened:
            self._opened = self._opened or (session is not None and session.state is SessionState.OPEN)
            return
        self._settled, self._opened = date, False
        settled = self._desk.settle()
        if self._storage.backups.due():
            self._storage.backups.make(self._storage.database.connection)
        self._recorder.forget(self._news_days)
        _log.info("end of day", settled=settled, date=date)
