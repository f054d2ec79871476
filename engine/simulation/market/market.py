"""The simulated market: what a data provider can ask of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.simulation.market.book import BookFrame, SimBook
from engine.simulation.market.columns import BarBlock, Floats, Ints, QuoteBlock, SimTruth, TradeColumns
from engine.simulation.market.daily import DailyTable
from engine.simulation.market.impact import UNIT, Propagator
from engine.simulation.market.instruments import SimInstrument
from engine.simulation.market.news import SimNews, SimNewsTruth, news_of
from engine.simulation.market.sessions import SLOT_SECONDS, SessionDay, SessionTable
from engine.simulation.market.share_kernel import edge_gain
from engine.simulation.market.slot_kernel import BID_OPEN, HALTED, SPREAD
from engine.simulation.market.slots import SlotTable
from engine.simulation.market.tape_kernel import fill_prints, fill_quotes, fold_bars
from engine.simulation.market.world import World

SECOND = 1_000_000_000


class SimulatedMarket:
    """Prices, trades, news and books as a pure function of (world, instruments, time).

    Own trades are the one thing remembered: they shift later prices of their symbol until the close of the session.
    `days` are the sessions the caller knows; weekdays continue them on both sides. The path is anchored so that
    `SimInstrument.start_price` is the close before session `anchor` (default: the first of `days`).
    """

    def __init__(
        self,
        world: World,
        instruments: Sequence[SimInstrument],
        days: Sequence[SessionDay],
        *,
        anchor: int | None = None,
    ) -> None:
        if not instruments:
            raise ValueError("instruments: at least one is needed")
        self.world = world
        self.instruments = tuple(instruments)
        self.symbols = tuple(instrument.symbol for instrument in self.instruments)
        self._row_of = {symbol: row for row, symbol in enumerate(self.symbols)}
        if len(self._row_of) != len(self.symbols):
            doubled = sorted({symbol for symbol in self.symbols if self.symbols.count(symbol) > 1})
            raise ValueError(f"instruments: {', '.join(doubled)} given more than once")
        self.sessions = SessionTable(days)
        self.anchor = self.sessions.first.index if anchor is None else anchor
        self._table = DailyTable(world, self.instruments, self.anchor)
        self._slots = SlotTable(self._table, self.instruments, self.sessions, self.anchor)
        adv = self._slots.adv
        self._per_second = np.clip(0.25 * np.sqrt(adv / 1e6), 0.08, 0.85)
        # Depth such that walking the book costs at least what the walk then moves the price: no free round trip.
        sigma = self._table.own_vol + 0.009
        start = np.array([instrument.start_price for instrument in self.instruments])
        self._level_size = np.maximum(0.45 * adv * self._slots.tick / (UNIT * sigma * start), 20.0)
        self._sigma = sigma
        self._own: dict[tuple[int, int], Propagator] = {}

    # ---- history -------------------------------------------------------------------------------------------------

    @property
    def first_day(self) -> int:
        """The oldest session that exists."""
        return self._table.origin

    def session(self, day: int) -> SessionDay:
        """Times of a session, also before and after the caller's days."""
        return self.sessions.at(day)

    def daily_bars(self, end_day: int, n: int) -> BarBlock:
        """The `n` sessions before `end_day`, oldest first."""
        if n < 1:
            raise ValueError(f"n: {n} is not a number of sessions")
        first = end_day - n
        fold = self._slots.daily(first, end_day)
        for row, day in self._own:
            if first <= day < end_day:
                fold[row, day - first] = _fold_of(self._short_bars(day, SLOT_SECONDS)[:, row])
        opens = np.array([self.sessions.at(day).open_ns for day in range(first, end_day)], dtype=np.int64)
        return self._block(opens, fold.transpose(2, 0, 1))

    def intraday_bars(self, day: int, seconds: int = 60) -> BarBlock:
        """All bars of a session; `seconds` divides 300 or is a multiple of it that divides the session."""
        session = self.sessions.at(day)
        if seconds < 1 or (300 % seconds if seconds < 300 else seconds % 300 or session.seconds % seconds):
            raise ValueError(f"seconds: {seconds} neither divides 300 nor is a multiple of 300 dividing the session")
        has_own = any(own_day == day for _, own_day in self._own)
        if seconds < SLOT_SECONDS or has_own:
            columns = self._short_bars(day, min(seconds, SLOT_SECONDS))
        else:
            columns = np.ascontiguousarray(self._slots.day(day).rows[:, :, :5].transpose(2, 0, 1))
        if seconds > SLOT_SECONDS:
            columns = _fold_by(columns, seconds // SLOT_SECONDS)
        opens = session.open_ns + np.arange(columns.shape[2], dtype=np.int64) * seconds * SECOND
        return self._block(opens, columns)

    # ---- live ----------------------------------------------------------------------------------------------------

    def quotes(self, day: int, second_from: int, second_to: int) -> QuoteBlock:
        """The state at the end of each of the seconds [second_from, second_to) after the open."""
        first, end = self._seconds(day, second_from, second_to)
        slots = self._slots.day(day)
        shift_of, shifts = self._shifts(day)
        out = np.empty((7, len(self.symbols), end - first))
        fill_quotes(
            self._table.share_keys, day, slots.rows, slots.variance, slots.usual_volume, self._per_second,
            self._level_size, self._slots.tick, first, end, shift_of, shifts, out,
        )  # fmt: skip
        for field in (0, 1, 4):
            np.round(out[field], 6, out=out[field])
        ts = self.sessions.at(day).open_ns + (np.arange(first, end, dtype=np.int64) + 1) * SECOND
        return QuoteBlock(self.symbols, ts, *out)

    def trades(self, symbol: str, day: int, second_from: int, second_to: int) -> TradeColumns:
        """Prints of one symbol in the seconds [second_from, second_to) after the open."""
        first, end = self._seconds(day, second_from, second_to)
        row = self._row(symbol)
        _, _, price, size, side, offset = self._prints(row, day, first, end)
        at = np.flatnonzero(price)
        ts = self.sessions.at(day).open_ns + (first + at) * SECOND + offset[at]
        return TradeColumns(ts, np.round(price[at] * self._slots.tick[row], 6), size[at], side[at])

    def book(self, symbol: str, day: int) -> SimBook:
        """A fresh order book of one symbol at the open of a session; it replays the same events every time."""
        row = self._row(symbol)
        session = self.sessions.at(day)
        columns = self._prints(row, day, 0, session.seconds, own=False)
        rows = self._slots.day(day).rows[row]
        level = float(self._table.columns(day).open_level[row, self._table.row(day)] * self._slots.scale_ticks[row])
        frame = BookFrame(
            symbol,
            self._table.share_key(row),
            session,
            float(self._slots.tick[row]),
            float(self._level_size[row]),
            level,
        )
        return SimBook(frame, int(rows[0, BID_OPEN]), int(rows[0, SPREAD]), columns, self._propagator(row, day))

    def halts(self, day: int) -> tuple[tuple[str, int, int], ...]:
        """(symbol, from, to) of every halt of a session, UTC ns."""
        session = self.sessions.at(day)
        halted = self._slots.day(day).rows[:, :, HALTED] != 0
        found: list[tuple[str, int, int]] = []
        for row in np.flatnonzero(halted.any(axis=1)):
            edges = np.flatnonzero(np.diff(np.concatenate(([0], halted[row].astype(np.int8), [0]))))
            for start, end in zip(edges[::2], edges[1::2], strict=True):
                slot_ns = SLOT_SECONDS * SECOND
                found.append(
                    (self.symbols[row], session.open_ns + int(start) * slot_ns, session.open_ns + int(end) * slot_ns)
                )
        return tuple(sorted(found, key=lambda halt: (halt[1], halt[0])))

    def news(self, day: int) -> tuple[SimNews, ...]:
        """News of a session by time of publication; some of it before the open."""
        return tuple(item for item, _ in self._news(day))

    # ---- own trades ----------------------------------------------------------------------------------------------

    def own_trade(self, symbol: str, ts_ns: int, signed_qty: float) -> None:
        """Let an own aggressive trade (buys positive, shares) push the prices after `ts_ns` in its session."""
        day = self._day_at(ts_ns)
        self._propagator(self._row(symbol), day).add(ts_ns, signed_qty)

    def impact_of(self, symbol: str, signed_qty: float) -> float:
        """Relative price move a trade of this size would cause at once."""
        row = self._row(symbol)
        return Propagator(float(self._sigma[row]), float(self._slots.adv[row])).jump_of(signed_qty)

    def level_size(self, symbol: str) -> float:
        """Average shares displayed at one price."""
        return float(self._level_size[self._row(symbol)])

    # ---- truth, never shown to the agent -------------------------------------------------------------------------

    def truth(self, symbol: str, day: int) -> SimTruth:
        """The true edge in one symbol and session."""
        row, table = self._row(symbol), self._table
        columns, at = table.columns(day), table.row(day)
        signal, sigma = float(columns.signal[row, at]), float(columns.sigma[row, at])
        drift = self.world.drift / 252.0 * float(table.beta[row])
        own = float(columns.night[row, at] + columns.session[row, at] + columns.jump[row, at])
        edge = self.world.ic * signal * sigma * float(edge_gain(self.world.news_rate))
        return SimTruth(symbol, day, signal, edge + drift, sigma, own, int(columns.regime[at]))

    def signals(self, first_day: int, end_day: int) -> tuple[Floats, Floats]:
        """Hidden signal and realised own return over its sigma, both [symbols, sessions]."""
        table = self._table
        columns = table.columns(end_day - 1)
        part = slice(table.row(first_day), table.row(end_day))
        own = columns.night[:, part] + columns.session[:, part] + columns.jump[:, part]
        return columns.signal[:, part].copy(), own / columns.sigma[:, part]

    def regimes(self, first_day: int, end_day: int) -> NDArray[np.int8]:
        """Regime of each session: 0 calm, 1 normal, 2 stress."""
        return self._table.columns(end_day - 1).regime[self._table.row(first_day) : self._table.row(end_day)].copy()

    def news_truth(self, day: int) -> tuple[SimNewsTruth, ...]:
        """Label and impact of each item of `news(day)`, in the same order."""
        return tuple(truth for _, truth in self._news(day))

    # ---- inside --------------------------------------------------------------------------------------------------

    def _row(self, symbol: str) -> int:
        row = self._row_of.get(symbol)
        if row is None:
            raise KeyError(f"{symbol!r} is not in the simulated universe")
        return row

    def _seconds(self, day: int, first: int, end: int) -> tuple[int, int]:
        length = self.sessions.at(day).seconds
        if not 0 <= first < end <= length:
            raise ValueError(f"seconds {first}…{end} are not inside session {day} of {length} s")
        return first, end

    def _day_at(self, ts_ns: int) -> int:
        low, high = self.sessions.first.index, self.sessions.last.index
        while self.sessions.at(high).close_ns < ts_ns:
            high += 1
        while low < high:
            middle = (low + high) // 2
            if self.sessions.at(middle).close_ns < ts_ns:
                low = middle + 1
            else:
                high = middle
        if not self.sessions.at(low).open_ns <= ts_ns <= self.sessions.at(low).close_ns:
            raise ValueError(f"ts_ns: {ts_ns} lies in no session")
        return low

    def _propagator(self, row: int, day: int) -> Propagator:
        key = (row, day)
        if key not in self._own:
            self._own[key] = Propagator(float(self._sigma[row]), float(self._slots.adv[row]))
        return self._own[key]

    def _shift_ticks(self, row: int, day: int) -> Ints:
        """Own impact in ticks at the start of each second and at the close."""
        session = self.sessions.at(day)
        own = self._own.get((row, day))
        if own is None or own.count == 0:
            return np.zeros(session.seconds + 1, dtype=np.int64)
        level = float(self._table.columns(day).open_level[row, self._table.row(day)] * self._slots.scale_ticks[row])
        return np.rint(own.shift(session.open_ns, session.seconds + 1) * level).astype(np.int64)

    def _shifts(self, day: int) -> tuple[Ints, Ints]:
        shift_of = np.full(len(self.symbols), -1, dtype=np.int64)
        shifts: list[Ints] = []
        for (row, own_day), own in self._own.items():
            if own_day == day and own.count:
                shift_of[row] = len(shifts)
                shifts.append(self._shift_ticks(row, day))
        return shift_of, np.array(shifts, dtype=np.int64).reshape(len(shifts), -1) if shifts else np.zeros(
            (1, 1), np.int64
        )

    def _prints(self, row: int, day: int, first: int, end: int, own: bool = True) -> tuple[Any, ...]:
        slots = self._slots.day(day)
        n = end - first
        columns: list[Any] = [np.zeros(n, dtype=np.int64) for _ in range(4)]
        side, offset = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int64)
        shift = self._shift_ticks(row, day) if own else np.zeros(self.sessions.at(day).seconds + 1, dtype=np.int64)
        fill_prints(
            self._table.share_key(row), day, slots.rows[row], slots.variance[row], slots.usual_volume[row],
            float(self._per_second[row]), first, end, shift,
            columns[0], columns[1], columns[2], columns[3], side, offset,
        )  # fmt: skip
        return (*columns, side, offset)

    def _short_bars(self, day: int, seconds: int) -> Ints:
        slots = self._slots.day(day)
        shift_of, shifts = self._shifts(day)
        bars = self.sessions.at(day).seconds // seconds
        out = np.empty((5, len(self.symbols), bars), dtype=np.int64)
        fold_bars(
            self._table.share_keys, day, slots.rows, slots.variance, slots.usual_volume, self._per_second, seconds,
            shift_of, shifts, out,
        )  # fmt: skip
        return out

    def _news(self, day: int) -> tuple[tuple[SimNews, SimNewsTruth], ...]:
        return news_of(self._table, self._table.columns(day), self.instruments, self.sessions.at(day))

    def _block(self, opens: Ints, columns: NDArray[np.int64]) -> BarBlock:
        shape = (len(self.symbols), opens.shape[0])
        prices: list[Any] = [np.round(columns[i] * self._slots.tick[:, None], 6) for i in range(4)]
        return BarBlock(
            self.symbols,
            np.broadcast_to(opens, shape),
            prices[0],
            prices[1],
            prices[2],
            prices[3],
            columns[4].astype(np.float64),
        )


def _fold_of(bars: Ints) -> Ints:
    """[5, bars] folded into one bar."""
    return np.array([bars[0, 0], bars[1].max(), bars[2].min(), bars[3, -1], bars[4].sum()], dtype=np.int64)


def _fold_by(columns: Ints, count: int) -> Ints:
    """[5, symbols, bars] folded `count` at a time."""
    parts = columns.reshape(5, columns.shape[1], -1, count)
    return np.stack((parts[0, :, :, 0], parts[1].max(-1), parts[2].min(-1), parts[3, :, :, -1], parts[4].sum(-1)))
