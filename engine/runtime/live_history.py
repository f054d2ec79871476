"""What a live market was before we came: its instruments as the broker lists them, and their past."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import ProviderError
from engine.collection.collector import Collector
from engine.collection.provider import BarColumnsByName
from engine.features.engine import FeatureEngine
from engine.market.bar_history import folded
from engine.market.bars import BarStore
from engine.market.cache import MarketCache
from engine.market.calendars import Calendars
from engine.market.instruments import Authority, Instruments
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.model.market import SessionState
from engine.operations.lamps import Lamps
from engine.runtime.first_look import FirstLook
from engine.runtime.marketplace import NAMES
from engine.runtime.volume import note_volume

HISTORY = {86_400: 480, 300: 600, 60: 600}
"""Seconds of a bar -> how many of them. After so many, Wilder's averages over fourteen bars, two upon each other as in
the ADX, have forgotten to a part in 10^12 where the bars began: a new start draws and scores what the one before did.
For the brokers it is one question, as fewer are."""
_DAY_S, _FIVE_S, _MINUTE_S = 86_400, 300, 60
_LOOK_S = 30
_REFILLED = 10
"""Symbols asked for again at once; the broker allows sixty questions in ten minutes."""
_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 300.0
_AT_ONCE = 3
_CODE = "HISTORY"
_NAMED = 5
"""Symbols named in the banner."""
_log = structlog.get_logger("history")

Describe = Callable[[tuple[Symbol, ...]], Awaitable[tuple[Instrument, ...]]]


class LiveHistory:
    """Asks until everything has come. What is refused holds nobody else up: it is asked for again, ever less often."""

    def __init__(
        self,
        name: str,
        describe: Describe | None,
        clock: Clock,
        collector: Collector,
        cache: MarketCache,
        bars: BarStore,
        instruments: Instruments,
        calendars: Calendars,
        features: FeatureEngine,
        first_look: FirstLook,
        lamps: Lamps,
    ) -> None:
        """``describe`` asks the broker for its contract lists; None where it has none worth asking."""
        self._name, self._describe, self._clock, self._collector = name, describe, clock, collector
        self._cache, self._bars, self._instruments = cache, bars, instruments
        self._calendars, self._features = calendars, features
        self._first_look, self._lamps = first_look, lamps
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._missing: dict[tuple[int, Symbol], str] = {}
        """(seconds, symbol) -> why there is none."""
        self._news: set[tuple[Symbol, int]] = set()
        """Whose newest bar has come as history just now; one that closed here has been judged."""
        self._refilled: dict[Symbol, int] = {}
        """When bars that had not come were asked for again."""

    async def fetch(self) -> None:
        """Learn what the instruments are and load their past."""
        symbols = tuple(self._cache.symbols())
        strange = symbols if self._describe is not None else ()
        waiting = [(seconds, symbol) for seconds in HISTORY for symbol in symbols]
        pause_s = _PAUSE_S
        while waiting or strange:
            strange = await self._learn(strange)
            before, waiting = len(waiting), await self._load(waiting)
            if not waiting and not strange:
                break
            await self._clock.sleep(pause_s)
            pause_s = _PAUSE_S if len(waiting) < before else min(2 * pause_s, _LONGEST_PAUSE_S)
        _log.info("history is loaded", source=self._name, symbols=len(symbols))

    async def keep(self) -> None:
        """Ask again for bars that should have closed and did not: after a drop, or where no trades are told."""
        while True:
            await self._clock.sleep(_LOOK_S)
            now = self._clock.now()
            behind = [symbol for symbol in self._cache.symbols() if self._behind(symbol, now)][:_REFILLED]
            self._refilled.update(dict.fromkeys(behind, now))
            await self._load([(seconds, symbol) for seconds in (_FIVE_S, _MINUTE_S) for symbol in behind], told=False)

    def _behind(self, symbol: Symbol, now: int) -> bool:
        """Whether a bar of five minutes is missing that the broker must have by now."""
        newest, session = self._bars.newest(symbol, _FIVE_S), self._cache.session(symbol, now)
        if not newest or session is None or session.state is not SessionState.OPEN:
            return False
        since = max(newest, session.open_ns)
        late, asked = (_FIVE_S + _LOOK_S) * SECOND, self._refilled.get(symbol, 0)
        return now - since >= late and now - asked >= _FIVE_S * SECOND

    async def _learn(self, symbols: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
        """Ask what ``symbols`` are; return those that nobody has described yet."""
        if not symbols or self._describe is None:
            return ()
        try:
            found = await self._describe(symbols)
        except ProviderError as error:
            _log.warning("the instruments are not described yet", reason=str(error))
            return symbols
        for instrument in found:
            self.describe(instrument)
        known = {instrument.symbol for instrument in found}
        return tuple(symbol for symbol in symbols if symbol not in known)

    def describe(self, instrument: Instrument) -> None:
        """Take what the broker says of an instrument, its hours of these days included."""
        calendar = self._calendars.amended(instrument.calendar, instrument.hours, self._clock.now())
        if self._instruments.add(msgspec.structs.replace(instrument, calendar=calendar), Authority.BROKER):
            self._bars.described(instrument.symbol)
            self._cache.described(instrument.symbol)

    async def _load(self, wanted: list[tuple[int, Symbol]], *, told: bool = True) -> list[tuple[int, Symbol]]:
        """Ask for each, a few at a time; return what is to be asked for again."""
        refused: list[tuple[int, Symbol]] = []
        for seconds in (_DAY_S, _MINUTE_S, _FIVE_S):
            loaded: dict[Symbol, dict[str, NDArray[np.float64]]] = {}
            async with asyncio.TaskGroup() as group:
                for symbol in [symbol for length, symbol in wanted if length == seconds]:
                    group.create_task(self._ask(symbol, seconds, loaded, refused, told), name=f"history {symbol}")
            if seconds == _FIVE_S:
                self._fold_minutes(loaded, [symbol for length, symbol in wanted if length == seconds])
            if loaded and seconds in self._features.intervals:
                self._features.seed(seconds, loaded)
                self._features.compute(seconds)
                for symbol in loaded:
                    if (symbol, seconds) in self._news:
                        self._first_look.note(symbol, seconds)
                self._news.clear()
            if told:
                # After each length: a silent broker takes long over every one.
                self._tell()
        return refused

    async def _ask(
        self,
        symbol: Symbol,
        seconds: int,
        loaded: dict[Symbol, dict[str, NDArray[np.float64]]],
        refused: list[tuple[int, Symbol]],
        told: bool,
    ) -> None:
        key = (seconds, symbol)
        try:
            async with self._room:
                found = await self._collector.history(symbol, seconds, HISTORY[seconds], self._clock.now())
            if found is not None:
                loaded[symbol] = self._seed(symbol, seconds, found[1])
        except (ProviderError, ValueError) as error:
            # A ValueError is bars with a price that cannot be: they are as good as none.
            _log.warning("history is late", symbol=symbol, seconds=seconds, reason=str(error))
            refused.append(key)
            if told:
                self._missing[key] = str(error).partition(" s): ")[2] or str(error)
        else:
            self._missing.pop(key, None)
            if told and found is None and seconds in self._features.intervals:
                self._missing[key] = f"{self._name}: it has none of {symbol}"

    def _fold_minutes(self, loaded: dict[Symbol, dict[str, NDArray[np.float64]]], wanted: list[Symbol]) -> None:
        """Make the five minutes that the broker does not give of the minutes that it gave."""
        for symbol in wanted:
            minutes, instrument = (
                self._bars.arrays(symbol, _MINUTE_S, HISTORY[_MINUTE_S]),
                self._instruments.get(symbol),
            )
            if symbol in loaded or minutes is None or instrument is None:
                continue
            found = folded(minutes, _FIVE_S, instrument.calendar, self._calendars, self._clock.now())
            if found is not None and found.size > 1:
                # The first may have begun before the first minute that is known.
                loaded[symbol] = self._seed(symbol, _FIVE_S, found.slice(1, None)._asdict())
                self._missing.pop((_FIVE_S, symbol), None)

    def _tell(self) -> None:
        """Say in the banner what is missing and why, and when it has come."""
        if not self._missing:
            self._lamps.over(_CODE, "The history has come.")
            return
        symbols = tuple(dict.fromkeys(symbol for _, symbol in self._missing))
        more = f" and {len(symbols) - _NAMED} more" if len(symbols) > _NAMED else ""
        reason = next(iter(self._missing.values()))
        self._lamps.light(
            _CODE,
            "amber",
            f"History is missing of {', '.join(symbols[:_NAMED])}{more}: {reason}.",
            "Strategies wait until enough bars have closed.",
            "Look at the market data permissions at the broker.",
        )

    def _seed(self, symbol: Symbol, seconds: int, columns: BarColumnsByName) -> dict[str, NDArray[np.float64]]:
        before = self._bars.newest(symbol, seconds)
        self._bars.seed(symbol, seconds, columns)
        if self._bars.newest(symbol, seconds) > before:
            self._news.add((symbol, seconds))
        note_volume(self._bars, self._instruments, symbol)
        if seconds == _DAY_S:
            self._cache.seed_close(symbol, float(np.asarray(columns["close"])[-1]))
        ends = columns.get("ts_close", np.asarray(columns["ts_open"], np.int64) + seconds * SECOND)
        return {
            "ts_event": np.asarray(ends),
            **{name: np.asarray(columns[name], np.float64) for name in NAMES},
        }
