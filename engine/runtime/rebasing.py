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
from engine.model.ids import Symbol
from engine.model.money import to_tick
from engine.model.order import Origin
from engine.risk.modes import ModeKeeper
from engine.risk.pin import Pin
from engine.runtime.storage import BARS_FOLDER

BY_HAND = ("G4b", "G20", "G27")
"""Locks that a person lifts after looking. The others end when what they stand for is over."""


class Locks(Protocol):
    def lock(self, symbol: Symbol, code: str, reason: str) -> bool: ...


class Rebasing:
    """What follows when quantity or price of a symbol are no longer what they were."""

    def __init__(self, bus: Bus, clock: Clock, modes: Locks, desk: OrderDesk, instruments: Instruments) -> None:
        self._alarm = Bell(bus, clock)
        self._modes, self._desk, self._instruments = modes, desk, instruments

    def lock(self, symbol: Symbol, code: str, reason: str, factor: float) -> None:
        """Lock the symbol. ``factor``: new prices for old ones, 0.1 after a 10:1 split; 1 where it is not known."""
        if not self._modes.lock(symbol, code, reason):
            return
        self._alarm(
            f"{code}:{symbol}",
            "amber",
            f"{reason}.",
            " ".join(("The symbol is locked.", *self._resting(symbol, factor))),
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
