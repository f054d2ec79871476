"""What a person wants to confirm before it is sent: by act, by book, by the money it is about. Pure decisions."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from market_agent_gui.keys.guard import SEND_GAP_S

HOLD_S = 10.0
"""How long the first press of a key waits for the second."""
MOST = Decimal(10**12)


class Act(StrEnum):
    """What is confirmed, or not."""

    KEY = "key"
    TICKET = "ticket"
    CHART = "chart"
    REVERSE = "reverse"
    FLATTEN = "flatten"
    """Closes a symbol, whole or in part."""
    FLATTEN_ALL = "flatten_all"
    CANCEL_ALL = "cancel_all"


class When(StrEnum):
    NEVER = "never"
    ABOVE = "above"
    ALWAYS = "always"


BOOKS = ("paper", "live")
"""A replay is paper; what is neither is taken for live."""
AMOUNT = Decimal(25_000)


@dataclass(frozen=True, slots=True)
class Choice:
    when: When
    amount: Decimal = AMOUNT
    """In the account's currency; counts with ``ABOVE`` alone."""

    def asks(self, notional: Decimal | None) -> bool:
        """Whether an act about so much money is confirmed; an amount that is not known is."""
        if self.when is not When.ABOVE:
            return self.when is When.ALWAYS
        return notional is None or not notional.is_finite() or abs(notional) > self.amount

    def looser(self, than: "Choice") -> bool:
        """Whether there is an amount that this lets through unasked and the other does not."""
        if self.when is When.NEVER or than.when is When.NEVER:
            return than.when is not When.NEVER
        if self.when is When.ALWAYS:
            return False
        return than.when is When.ALWAYS or self.amount > than.amount


_LIVE = {
    Act.KEY: When.ABOVE,
    Act.TICKET: When.ABOVE,
    Act.CHART: When.ABOVE,
    Act.REVERSE: When.ALWAYS,
    Act.FLATTEN_ALL: When.ALWAYS,
}


def book_of(book: str) -> str:
    """Return whose choices hold in a book."""
    return "paper" if book in ("paper", "replay") else "live"


class Policy:
    """A choice for every act in every book; values alone."""

    def __init__(self, choices: Mapping[tuple[str, Act], Choice] | None = None) -> None:
        """What is not given is as it comes with the program."""
        usual = {(book, act): Choice(_LIVE.get(act, When.NEVER) if book == "live" else When.NEVER)
                 for book in BOOKS for act in Act}  # fmt: skip
        self._choices = usual | dict(choices or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self._choices == other._choices

    __hash__ = None  # type: ignore[assignment]

    def choice(self, book: str, act: Act) -> Choice:
        return self._choices[book_of(book), act]

    def asks(self, book: str, act: Act, notional: Decimal | None) -> bool:
        """Whether the act is confirmed; ``book`` as the engine names it, ``notional`` in the account's currency."""
        return self.choice(book, act).asks(notional)

    def looser(self, than: "Policy") -> bool:
        """Whether anything is confirmed no more that was."""
        return any(choice.looser(than._choices[place]) for place, choice in self._choices.items())

    def stored(self) -> dict[str, str]:
        """Return it for window.json: ``{"live.key": "above 25000"}``."""
        return {
            f"{book}.{act}": f"{choice.when} {choice.amount:f}" if choice.when is When.ABOVE else str(choice.when)
            for (book, act), choice in self._choices.items()
        }


def read_policy(stored: Mapping[str, str]) -> tuple[Policy, tuple[str, ...]]:
    """Return the policy of window.json and the entries that cannot be used: for those the default holds."""
    choices: dict[tuple[str, Act], Choice] = {}
    wrong: list[str] = []
    for place, text in stored.items():
        book, _, name = place.partition(".")
        try:
            if book not in BOOKS:
                raise ValueError(book)
            choices[book, Act(name)] = _read_choice(text)
        except ValueError:
            wrong.append(f"{place}: {text}")
    return Policy(choices), tuple(wrong)


def _read_choice(text: str) -> Choice:
    when, _, amount = text.partition(" ")
    if When(when) is not When.ABOVE:
        if amount:
            raise ValueError(text)
        return Choice(When(when))
    return Choice(When.ABOVE, read_money(amount))


def read_money(text: str) -> Decimal:
    """Return an amount of zero or more. Raises ``ValueError``."""
    try:
        value = Decimal(text.replace(" ", "").replace("\u2009", ""))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value <= MOST:
        raise ValueError(f"{text!r} is not an amount of money")
    return value


def worth(quantity: Decimal, *prices: Decimal | float | None) -> Decimal | None:
    """Return the money an order is about, at the dearest of the prices that are known; ``None`` without one."""
    known = [Decimal(str(price)) for price in prices if price is not None]
    known = [price for price in known if price.is_finite() and price > 0]
    return abs(quantity) * max(known) if known and quantity.is_finite() else None


class Press(StrEnum):
    FIRST = "first"
    """It waits now."""
    EARLY = "early"
    """The same again, too soon to have read what it would do."""
    SECOND = "second"


class SecondPress:
    """Waits for the same press about the same thing: neither in haste nor long after."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._what: object = None
        self._since = 0.0

    @property
    def what(self) -> object:
        """What waits; ``None`` when nothing does, or no longer."""
        if self._what is not None and self._monotonic() - self._since > HOLD_S:
            self._what = None
        return self._what

    def press(self, what: object) -> Press:
        now = self._monotonic()
        if self.what != what:
            self._what, self._since = what, now
            return Press.FIRST
        if now - self._since < SEND_GAP_S:
            return Press.EARLY
        self._what = None
        return Press.SECOND

    def drop(self) -> None:
        self._what = None
