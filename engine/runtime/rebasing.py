"""A split overnight: the symbol is locked, its resting orders are shown, and a person frees it (G27)."""

from decimal import Decimal
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.api.commands import Rearm, Receipt
from engine.bus.bell import Bell
from engine.bus.bus import Bus
from engine.bus.clock import Clock
from engine.execution.desk import OrderDesk
from engine.market.calendars import Calendars
from engine.market.corporate_actions import ActionKind, CorporateAction, CorporateActions
from engine.market.instruments import Instruments
from engine.memory.bar_archive import BarArchive
from engine.model.decision import PEOPLE
from engine.model.events.book import Reconciled
from engine.model.ids import Symbol
from engine.model.money import to_tick
from engine.model.order import Origin
from engine.model.position import Position
from engine.portfolio.holding import SPLIT
from engine.portfolio.ledger import Ledger
from engine.risk.modes import ModeKeeper
from engine.risk.pin import Pin
from engine.runtime.storage import BARS_FOLDER
from engine.simulation.paper.exchange import PaperExchange

BY_HAND = ("G4b", "G20", "G27")
"""Locks that a person lifts after looking. The others end when what they stand for is over."""


UNBELIEVABLE = (0.55, 1.8)
"""A first price outside of these, as a part of what the split makes of the last close, speaks against the split."""


class Locks(Protocol):
    def lock(self, symbol: Symbol, code: str, reason: str) -> bool: ...


class Rebasing:
    """What follows when quantity or price of a symbol are no longer what they were.

    Paper: the embedded exchange and our book go on the new terms before anybody hears the first price. At a broker
    its word is the truth: it is asked, and what it shows is put beside ours; nothing is changed there or here.
    """

    def __init__(
        self, bus: Bus, clock: Clock, modes: Locks, desk: OrderDesk, instruments: Instruments, calendars: Calendars
    ) -> None:
        self._tell = Bell(bus, clock)
        self._bus, self._clock, self._modes, self._desk = bus, clock, modes, desk
        self._instruments, self._calendars = instruments, calendars
        self._ledger: Ledger | None = None
        self._paper: PaperExchange | None = None
        self._done: dict[Symbol, str] = {}
        self._asked: dict[Symbol, tuple[str, float]] = {}

    def connect(self, ledger: Ledger, paper: PaperExchange | None) -> None:
        """Name the books; ``paper`` is the embedded exchange where there is one."""
        self._ledger, self._paper = ledger, paper
        self._bus.subscribe(Reconciled, self._on_compared, owner="rebasing")

    def split(self, symbol: Symbol, date: str, ratio: float, previous_close: float, price: float) -> None:
        """A split that is a fact is effective: ``ratio`` new units for one old."""
        exact_ratio = Decimal(str(round(ratio, 6)))
        self._desk.adoption.expect_split(symbol, date, exact_ratio)
        if self._ledger is None or self._paper is None:
            self._asked[symbol] = date, 1.0 / ratio
            self._desk.check_now()
            return
        if previous_close > 0.0 and not UNBELIEVABLE[0] < price * ratio / previous_close < UNBELIEVABLE[1]:
            self._done[symbol] = f"The first price, {price:g} after {previous_close:g}, speaks against the split."
        elif self._traded_today(symbol):
            self._done[symbol] = "It was traded today already, so the paper books were left as they are."
        else:
            before = self._ledger.positions().get(symbol)
            # The exchange first: should the program die in between, the comparison finds the difference and we go on.
            self._paper.split(symbol, date, exact_ratio)
            self._ledger.split(symbol, date, exact_ratio)
            after = self._ledger.positions().get(symbol)
            if before is not None and after is not None and before != after:
                self._done[symbol] = (
                    f"The paper books are on the new terms: {_held(before)} are {_held(after)}. Stops and targets were "
                    "moved there, entries on the old terms were cancelled."
                )

    def _traded_today(self, symbol: Symbol) -> bool:
        instrument = self._instruments.get(symbol)
        session = self._calendars.session(instrument.calendar, self._clock.now()) if instrument is not None else None
        if session is None or self._ledger is None:
            return True
        fills = self._ledger.fills(symbol)
        return any(fill.ts_event >= session.open_ns and fill.ref != SPLIT for fill in fills)

    def lock(self, symbol: Symbol, code: str, reason: str, factor: float) -> None:
        """Lock the symbol. ``factor``: new prices for old ones, 0.1 after a 10:1 split; 1 where it is not known."""
        done = self._done.pop(symbol, "")
        if not self._modes.lock(symbol, code, reason):
            return
        lines = ["The symbol is locked.", *self._resting(symbol, factor), done]
        if symbol in self._asked:
            lines.append("The broker is asked what it holds.")
        self._alarm(symbol, code, f"{reason}.", lines)

    def _on_compared(self, event: Reconciled) -> None:
        """The broker has said what it holds after a split: show it beside ours."""
        if not event.complete or not self._asked or self._ledger is None:
            return
        asked, self._asked = self._asked, {}
        differences = {d.symbol: d for d in self._desk.adoption.differences}
        for symbol, (date, factor) in sorted(asked.items()):
            position, found = self._ledger.positions().get(symbol), differences.get(symbol)
            ours = position.quantity if position is not None else Decimal(0)
            theirs = found.theirs if found is not None else ours
            average = f" at {found.average_price:f}" if found is not None and found.average_price is not None else ""
            lines = [
                f"We hold {ours:f}; the broker says {theirs:f}{average}.",
                *self._resting(symbol, factor),
                "Nothing was changed at the broker.",
            ]
            if found is not None:
                lines.append("Differences: taking the broker's position over books the split, and no money moves.")
            self._alarm(symbol, "G27", f"{symbol} was split on {date}: what the broker shows.", lines)

    def _alarm(self, symbol: Symbol, code: str, happened: str, did: list[str]) -> None:
        self._tell(
            f"{code}:{symbol}",
            "amber",
            happened,
            " ".join(filter(None, did)),
            f'Compare with the broker, then: main.py order "unlock {symbol} and why".',
        )

    def _resting(self, symbol: Symbol, factor: float) -> list[str]:
        instrument = self._instruments.get(symbol)
        said = []
        for status in self._desk.open_orders():
            request = status.request
            price = request.stop_price if request.stop_price is not None else request.limit_price
            if request.symbol != symbol or price is None or instrument is None:
                continue
            what = "stop or target" if request.origin is Origin.PROTECTIVE else "order"
            line = f"The {what} {status.ref} stands at {price}, {request.quantity} units"
            if factor != 1.0:
                new = to_tick(price * Decimal(str(round(factor, 6))), instrument.tick)
                units = request.quantity / Decimal(str(round(factor, 6)))
                line += f"; on the new terms {new}, {units:.0f} units"
            said.append(f"{line}.")
        return said


def _held(position: Position) -> str:
    return f"{position.quantity.normalize():f} at {position.average_price.normalize():f}"


def know_splits(actions: CorporateActions, profile: Path, instruments: Instruments, calendars: Calendars) -> int:
    """Take the splits that were imported as facts; return how many."""
    archive, count = BarArchive(profile / BARS_FOLDER), 0
    for info in archive.list():
        instrument = instruments.get(Symbol(info.symbol)) if str(info.kind) == "action" else None
        columns = archive.read(info.symbol, info.seconds, kind=info.kind) if instrument is not None else None
        if instrument is None or columns is None:
            continue
        for ts, ratio in zip(columns["ts"].tolist(), np.asarray(columns["split"], np.float64).tolist(), strict=True):
            session = calendars.session(instrument.calendar, ts)
            if session is not None and ratio > 0 and ratio != 1.0:
                action = CorporateAction(
                    symbol=instrument.symbol,
                    kind=ActionKind.SPLIT,
                    date=session.date,
                    ratio=ratio,
                    source=info.source or "import",
                )
                actions.add(action)
                count += 1
    return count


def rearm(command: Rearm, modes: ModeKeeper, pin: Pin) -> Receipt:
    """Lift a latch, or the locks of a symbol that a person may lift. The scope of a lock is its symbol."""
    symbol = Symbol(command.scope)
    if symbol not in modes.locks or command.code not in ("", *BY_HAND):
        return modes.rearm(command.code, command.scope, command.by, command.reason, command.pin)
    if command.by not in PEOPLE:
        return Receipt(ok=False, code="PERSON", text="Only a person may do this.")
    if not command.reason.strip():
        return Receipt(ok=False, code="REASON", text="Say why.")
    if why := pin.check(command.pin):
        return Receipt(ok=False, code="PIN", text=why)
    lifted = [code for code in ((command.code,) if command.code else BY_HAND) if modes.unlock(symbol, code)]
    left = modes.locks.get(symbol)
    if not lifted and left is not None:
        text = f"{symbol} stays locked ({left.reason}): that ends by itself when it is over."
        return Receipt(ok=False, code=left.code, text=text)
    text = f"{symbol} is free." if left is None else f"{symbol} stays locked: {left.reason}."
    return Receipt(ok=True, text=text, data={"lifted": lifted})
