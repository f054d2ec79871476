"""Corporate actions: facts from files and providers, and the jump that betrays one nobody told us of (G27)."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from engine.model.ids import Symbol


class ActionKind(StrEnum):
    SPLIT = "split"
    SYMBOL_CHANGE = "symbol_change"
    SPECIAL_DIVIDEND = "special_dividend"
    DIVIDEND = "dividend"


class CorporateAction(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about one symbol, effective at the open of ``date``."""

    symbol: Symbol
    kind: ActionKind
    date: str
    """Exchange date, ISO, of the first session on the new terms."""
    ratio: float = 1.0
    """New units for one old: 10 for a 10:1 split, 0.1 for a reverse split."""
    amount: float = 0.0
    """Money a unit, of a dividend."""
    new_symbol: Symbol = Symbol("")
    source: str = ""


LockHook = Callable[[Symbol, str, str, float], None]
"""(symbol, code, reason in plain words, new prices for old ones or 1 where that is not known): the symbol must not be
entered until a person has rebased it."""

SplitHook = Callable[[Symbol, str, float, float, float], None]
"""(symbol, exchange date, new units for one old, previous close, first price): a split that is a fact is effective.
Called before the lock, and before anybody hears the first price; a price is NaN when it is not known."""


class CorporateActions:
    """Keeps the facts and says which symbols are not to be trusted today."""

    def __init__(self, jump_up: float, jump_down: float, on_lock: LockHook, on_split: SplitHook | None = None) -> None:
        self._jump_up = jump_up
        self._jump_down = jump_down
        self._on_lock = on_lock
        self._on_split = on_split
        self._facts: dict[tuple[Symbol, str], tuple[CorporateAction, ...]] = {}

    def add(self, action: CorporateAction) -> None:
        """Remember a fact; the same fact twice is one. Raises ``ValueError`` for an impossible ratio."""
        if action.kind is ActionKind.SPLIT and not 0.0 < action.ratio < 1e6:
            raise ValueError(f"{action.symbol} {action.date}: split ratio must be positive, not {action.ratio}")
        key = (action.symbol, action.date)
        known = self._facts.get(key, ())
        if action not in known:
            self._facts[key] = (*known, action)

    def on_date(self, symbol: Symbol, date: str) -> tuple[CorporateAction, ...]:
        """Return the facts effective on an exchange date."""
        return self._facts.get((symbol, date), ())

    def session_opened(self, symbol: Symbol, date: str, previous_close: float, price: float) -> None:
        """Look at the first price of a session; ask for a lock where quantity or price were rebased overnight."""
        for action in self.on_date(symbol, date):
            if action.kind is ActionKind.SPLIT and action.ratio != 1.0:
                if self._on_split is not None:
                    self._on_split(symbol, date, action.ratio, previous_close, price)
                self._on_lock(
                    symbol,
                    "G27",
                    f"{symbol} splits {action.ratio:g} for 1 today ({action.source or 'fact'})",
                    1.0 / action.ratio,
                )
                return
            if action.kind is ActionKind.SYMBOL_CHANGE:
                self._on_lock(symbol, "G27", f"{symbol} changes its symbol to {action.new_symbol or '?'} today", 1.0)
                return
            if action.kind is ActionKind.SPECIAL_DIVIDEND:
                self._on_lock(symbol, "G27", f"{symbol} pays a special dividend of {action.amount:g} today", 1.0)
                return
        if self.is_jump(previous_close, price):
            self._on_lock(
                symbol,
                "G27",
                f"{symbol} opened at {price:g} after {previous_close:g} (×{price / previous_close:.2f}): "
                "a split or symbol change is suspected",
                price / previous_close,
            )

    def is_jump(self, before: float, after: float) -> bool:
        """Say whether the ratio of two prices is beyond what a night does; unknown prices are no jump."""
        if not (before > 0.0 and after > 0.0):
            return False
        ratio = after / before
        return ratio >= self._jump_up or ratio <= self._jump_down
