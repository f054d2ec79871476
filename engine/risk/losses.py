"""What was lost: today, this week, from the high of 60 days, per symbol, in a row. Durable."""

import math
from decimal import Decimal

import msgspec

from engine.bus.errors import IntegrityError, JournalError
from engine.model.ids import Symbol
from engine.model.money import ZERO, finite
from engine.model.position import Account
from engine.risk.ports import Store

KEY = "risk.losses"
SESSIONS = 60
WEEK = 5


class _Stored(msgspec.Struct, kw_only=True):
    closes: list[tuple[str, str]] = []
    """(exchange date, equity at its highest look) of the last 60 sessions."""
    starts: list[tuple[str, str]] = []
    """(exchange date, equity at the start of the session)."""
    streak: int = 0
    date: str = ""
    by_symbol: dict[str, str] = {}
    """Realised today."""
    last_loss: dict[str, int] = {}


class LossBook:
    """Remembers equity and losses by exchange date."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._state = _Stored()
        self._highs: list[tuple[str, float]] = []
        self.unsaved = False
        """The last write failed; the figures hold in memory."""

    def load(self) -> None:
        """Read what an earlier run left."""
        text = self._store.get(KEY)
        if text is None:
            return
        try:
            self._state = msgspec.json.decode(text, type=_Stored)
            self._highs = [(date, float(value)) for date, value in self._state.closes]
        except (msgspec.MsgspecError, ValueError) as error:
            raise IntegrityError(f"the stored losses cannot be read: {error}") from error

    def roll(self, date: str, equity: Decimal | None) -> bool:
        """Begin a new exchange date; return False when it is the same one."""
        if date == self._state.date:
            return False
        self._state.date = date
        self._state.streak = 0
        self._state.by_symbol = {}
        if equity is not None and finite(equity):
            self._state.starts = [*self._state.starts, (date, str(equity))][-SESSIONS:]
        self.save()
        return True

    def see(self, date: str, equity: Decimal) -> None:
        """Take a look at equity: the high of the session counts."""
        value = float(equity)
        if self._highs and self._highs[-1][0] == date:
            if value <= self._highs[-1][1]:
                return
            self._highs[-1] = (date, value)
        else:
            self._highs = [*self._highs, (date, value)][-SESSIONS:]
            self.save()

    def closed(self, symbol: Symbol, realised: Decimal, now: int) -> None:
        """A position was closed with a profit or a loss."""
        before = Decimal(self._state.by_symbol.get(symbol, "0"))
        self._state.by_symbol[symbol] = str(before + realised)
        if realised < ZERO:
            self._state.streak += 1
            self._state.last_loss[symbol] = now
        elif realised > ZERO:
            self._state.streak = 0
        self.save()

    @property
    def streak(self) -> int:
        """Losers in a row today."""
        return self._state.streak

    def symbol_result(self, symbol: Symbol) -> Decimal:
        """Return what a symbol realised today."""
        return Decimal(self._state.by_symbol.get(symbol, "0"))

    def last_loss_ns(self, symbol: Symbol) -> int:
        """Return when a symbol was last closed at a loss, 0 never."""
        return self._state.last_loss.get(symbol, 0)

    def drawdown_percent(self, equity: float) -> float:
        """Return the fall from the 60-session high, percent; 0 while there is no history."""
        high = max((value for _, value in self._highs), default=0.0)
        return max(0.0, (high - equity) / high * 100.0) if high > 0 else 0.0

    def week_loss_percent(self, equity: float) -> float:
        """Return the loss since the start of the fifth session back, percent; 0 while there is none."""
        if not self._state.starts:
            return 0.0
        start = float(self._state.starts[-WEEK:][0][1])
        return max(0.0, (start - equity) / start * 100.0) if start > 0 else 0.0

    @staticmethod
    def day_loss_percent(account: Account | None) -> float:
        """Return the loss since the session's start, percent; NaN when unknown."""
        if account is None or account.equity is None or account.session_equity is None:
            return math.nan
        start, now = account.session_equity, account.equity
        if not finite(start) or not finite(now) or start <= ZERO:
            return math.nan
        return max(0.0, float((start - now) / start) * 100.0)

    def save(self) -> None:
        """Write; a failure is remembered in ``unsaved`` and tried again at the next change."""
        self._state.closes = [(date, str(value)) for date, value in self._highs]
        try:
            self._store.set(KEY, msgspec.json.encode(self._state).decode())
            self.unsaved = False
        except JournalError:
            self.unsaved = True
