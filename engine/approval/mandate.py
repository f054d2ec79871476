"""The mandate: what the agent may do alone, signed by a person, with an end. The agent has no way to write it."""

import hashlib
import math
from decimal import Decimal

import msgspec

from engine.api.commands import Receipt, SignMandate
from engine.approval.ports import Counters, PinCheck, Store
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import PEOPLE, Book, Denial
from engine.model.ids import Symbol
from engine.model.money import finite

KEY = "approval.mandate"
SIGNERS = PEOPLE - {"hotkey", "tray"}
"""Doors at which a person can read what is signed, and type the PIN."""
CODE = "MANDATE"


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """Caps in the account's currency; an empty universe allows every symbol the gate allows."""

    max_order: Decimal
    max_day: Decimal
    max_orders: int
    universe: tuple[Symbol, ...] = ()
    sources: tuple[str, ...] = ()
    """Programs it speaks for besides the agent."""
    expires_ns: int = 0
    signed_ns: int = 0
    signed_by: str = ""
    consent: str = ""
    """Hash of all other fields, made when it was signed."""

    def sealed(self) -> "Mandate":
        """Return the mandate with its consent hash."""
        bare = msgspec.to_builtins(msgspec.structs.replace(self, consent=""))
        if not self.sources:
            # A mandate signed before programs could be named stays whole.
            del bare["sources"]
        digest = hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()
        return msgspec.structs.replace(self, consent=digest)

    @property
    def intact(self) -> bool:
        return bool(self.consent) and self.sealed().consent == self.consent


class Mandates:
    """Holds the one mandate. Without one the agent asks when money is real; on paper the autonomy level is enough."""

    def __init__(
        self, *, store: Store, counters: Counters, clock: Clock, pin: PinCheck, book: Book, days: float = 30.0
    ) -> None:
        self._store = store
        self._counters = counters
        self._clock = clock
        self._pin = pin
        self._book = book
        self._days = days
        self._mandate: Mandate | None = None
        self._loaded = False

    @property
    def current(self) -> Mandate | None:
        """Return the signed mandate, expired or not."""
        if not self._loaded:
            text = self._store.get(KEY)
            if text is not None:
                try:
                    self._mandate = msgspec.json.decode(text, type=Mandate)
                except msgspec.MsgspecError as error:
                    raise IntegrityError(f"the stored mandate cannot be read: {error}") from error
            self._loaded = True
        return self._mandate

    def sign(self, mandate: Mandate, by: str, pin: str = "") -> Receipt:
        """Put a mandate in force; people only, with the PIN where one is set."""
        if by not in SIGNERS:
            return Receipt(ok=False, code="PERSON", text="Only a person signs a mandate.")
        for name in ("max_order", "max_day", "max_orders"):
            value = getattr(mandate, name)
            if not finite(Decimal(value)) or value <= 0:
                return Receipt(ok=False, code=CODE, text=f"{name.replace('_', ' ')} must be above zero.")
        why = self._pin.check(pin)
        if why:
            return Receipt(ok=False, code="PIN", text=why)
        now = self._clock.now()
        latest = now + round(self._days * 86_400 * SECOND)
        until = min(mandate.expires_ns or latest, latest)
        if until <= now:
            return Receipt(ok=False, code=CODE, text="The mandate would be over already.")
        signed = msgspec.structs.replace(mandate, expires_ns=until, signed_ns=now, signed_by=by).sealed()
        try:
            self._store.set(KEY, msgspec.json.encode(signed).decode())
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"The mandate could not be recorded: {error}")
        self._mandate, self._loaded = signed, True
        return Receipt(ok=True, text="The mandate is signed.", data={"consent": signed.consent, "expires_ns": until})

    def revoke(self, by: str) -> Receipt:
        """End the mandate now; anyone may."""
        if self.current is None:
            return Receipt(ok=True, text="No mandate is signed.")
        self._mandate, self._loaded = None, True
        try:
            self._store.delete(KEY)
        except JournalError as error:
            return Receipt(ok=True, text=f"The mandate is over for now, but that could not be recorded: {error}")
        return Receipt(ok=True, text=f"The mandate was ended by {by}.")

    def names(self, source: str) -> Denial | None:
        """Return why a program's word is not enough, None where the mandate names it. On paper too: fail closed."""
        mandate = self.current
        if mandate is None or source not in mandate.sources:
            return _no(f"It comes from {source}, which no mandate names.")
        return None

    def beyond(self, symbol: Symbol, notional: Decimal, date: str) -> Denial | None:
        """Return what the mandate has against an order of the agent, None when it is inside."""
        mandate = self.current
        if mandate is None:
            return _no("No mandate is signed.") if self._book is Book.LIVE else None
        if (over := self._over(mandate)) is not None:
            return over
        if mandate.universe and symbol not in mandate.universe:
            return _no(f"{symbol} is not in the mandate.")
        if not notional <= mandate.max_order:
            return _no(f"The order is worth {notional:,.0f}; the mandate allows {mandate.max_order:,.0f}.")
        if self._counters.get("mandate.orders", date) >= mandate.max_orders:
            return _no(f"The mandate allows {mandate.max_orders} orders a day.")
        used = Decimal(self._counters.get("mandate.cents", date)) / 100
        if not used + notional <= mandate.max_day:
            return _no(f"{used:,.0f} of the {mandate.max_day:,.0f} a day are used.")
        return None

    def _over(self, mandate: Mandate) -> Denial | None:
        if not mandate.intact:
            return _no("The mandate was changed after it was signed.")
        return _no("The mandate is over; sign a new one.") if self._clock.now() >= mandate.expires_ns else None

    def beyond_program(self, program: str, symbol: Symbol, notional: Decimal, date: str) -> Denial | None:
        """Return what speaks against an order that a program sends, or says yes to; None when nothing does.

        On paper the setting that lets programs trade is enough; real money needs a mandate that names the program.
        """
        return self.unnamed(program) or self.beyond(symbol, notional, date)

    def unnamed(self, program: str) -> Denial | None:
        """Return why a program may not even close with real money: no mandate that is in force names it."""
        if self._book is not Book.LIVE:
            return None
        mandate = self.current
        return self.names(program) or (self._over(mandate) if mandate is not None else None)

    def use(self, notional: Decimal, date: str) -> None:
        """Count an order of the agent before it is sent. Raises ``JournalError``."""
        if self.current is not None:
            self._counters.add("mandate.orders", date, 1)
            self._counters.add("mandate.cents", date, int(notional * 100) + 1)


def sign(mandates: Mandates, command: SignMandate, now_ns: int) -> Receipt:
    """Carry out :class:`SignMandate`."""
    if not (math.isfinite(command.days) and command.days > 0):
        return Receipt(ok=False, code=CODE, text="The days of a mandate must be above zero.")
    mandate = Mandate(
        max_order=command.max_order,
        max_day=command.max_day,
        max_orders=command.max_orders,
        universe=tuple(sorted(set(command.symbols))),
        sources=tuple(sorted(set(command.sources))),
        expires_ns=now_ns + round(command.days * 86_400 * SECOND),
    )
    return mandates.sign(mandate, command.by, command.pin)


def _no(text: str) -> Denial:
    return Denial(code=CODE, text=text)
