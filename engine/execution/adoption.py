"""What a person takes over from the broker: an order made elsewhere, or a position that differs from ours."""

from decimal import Decimal
from typing import NamedTuple

import msgspec

from engine.api.commands import Receipt
from engine.bus.clock import Clock
from engine.bus.errors import JournalError
from engine.execution.broker import Broker
from engine.execution.fold import Outcome
from engine.execution.ports import Booking, Market, OrderJournal
from engine.execution.reconcile import Drift
from engine.execution.records import Records, encode
from engine.model.ids import OrderRef, Symbol
from engine.model.money import ZERO, exact
from engine.model.report import BrokerSnapshot


class Difference(NamedTuple):
    """Our position beside the broker's."""

    symbol: Symbol
    ours: Decimal
    theirs: Decimal
    average_price: Decimal | None
    """The broker's, None where it holds nothing."""
    since_ns: int


class Adoption:
    """Keeps the differences of the last comparison and carries out what a person decides about them."""

    def __init__(
        self,
        clock: Clock,
        *,
        broker: Broker,
        journal: OrderJournal,
        records: Records,
        booking: Booking,
        market: Market,
    ) -> None:
        self._clock = clock
        self._broker = broker
        self._journal = journal
        self._records = records
        self._booking = booking
        self._market = market
        self._differences: dict[Symbol, Difference] = {}
        self._splits: dict[Symbol, tuple[str, Decimal]] = {}

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Return where ours and the broker's positions differ, by symbol."""
        return tuple(self._differences[symbol] for symbol in sorted(self._differences))

    def compared(self, drifts: tuple[Drift, ...], snapshot: BrokerSnapshot) -> None:
        """Take the outcome of a comparison."""
        prices = {held.symbol: held.average_price for held in snapshot.positions or () if held.quantity}
        before = self._differences
        self._differences = {
            drift.symbol: Difference(
                drift.symbol,
                drift.ours,
                drift.theirs,
                prices.get(drift.symbol),
                before[drift.symbol].since_ns if drift.symbol in before else self._clock.now(),
            )
            for drift in drifts
        }

    def expect_split(self, symbol: Symbol, date: str, ratio: Decimal) -> None:
        """A split is effective on an exchange date: a difference of just that ratio is booked as what it is."""
        self._splits[symbol] = date, ratio

    def take_position(self, symbol: Symbol, theirs: Decimal) -> Receipt:
        """Book the difference, so that ours is the broker's. ``theirs`` is what the person saw.

        Priced at the broker's average where we hold nothing, else at the market: no profit is made or lost by it.
        """
        found = self._differences.get(symbol)
        if found is None:
            return Receipt(ok=False, code="AGREED", text=f"Our position in {symbol} and the broker's agree.")
        if found.theirs != theirs:
            text = f"The broker's position has changed to {found.theirs}; look again."
            return Receipt(ok=False, code="CHANGED", text=text)
        held = self._booking.positions().get(symbol)
        ours = held.quantity if held is not None else ZERO
        if ours != found.ours:
            # A fill booked since is no part of the difference: booking it away would lose it.
            return Receipt(ok=False, code="CHANGED", text=f"Our position has changed to {ours}; look again.")
        date, ratio = self._splits.get(symbol, ("", ZERO))
        if ratio and found.ours and found.theirs == found.ours * ratio:
            return self._take_split(symbol, date, ratio, theirs)
        delta = found.theirs - ours
        quote = self._market.quote(symbol)
        mid = quote.mid if quote is not None else float("nan")
        price = found.average_price if found.ours == ZERO else None
        if price is None:
            price = exact(mid) if mid == mid and mid > 0 else found.average_price
        if price is None:
            return Receipt(ok=False, code="NO_PRICE", text=f"There is no price of {symbol} to book it at.")
        try:
            self._booking.adopt(symbol, delta, price)
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"It could not be recorded, so nothing changed: {error}")
        del self._differences[symbol]
        text = f"{symbol}: the broker's {found.theirs} is ours now, {delta:+} booked at {price}."
        return Receipt(ok=True, text=text, data={"symbol": symbol, "quantity": str(found.theirs), "price": str(price)})

    def _take_split(self, symbol: Symbol, date: str, ratio: Decimal, theirs: Decimal) -> Receipt:
        try:
            done = self._booking.split(symbol, date, ratio)
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"It could not be recorded, so nothing changed: {error}")
        if not done:
            text = f"The split of {date} is booked already, and {symbol} still differs; take it over at the broker."
            return Receipt(ok=False, code="BOOKED", text=text)
        del self._differences[symbol]
        text = f"{symbol}: the split, {ratio.normalize():f} for 1, is booked; {theirs} are ours, no money moved."
        return Receipt(ok=True, text=text, data={"symbol": symbol, "quantity": str(theirs)})

    def take_order(self, ref: OrderRef, by: str) -> Receipt:
        """Make an order of another program ours: STOP cancels it, limits count it, it can be changed here."""
        record = self._records.get(ref)
        if record is None or record.state.closed:
            return Receipt(ok=False, code="NO_SUCH_ORDER", text=f"There is no open order {ref}.")
        if not record.external:
            return Receipt(ok=False, code="OURS", text=f"{ref} is ours already.")
        if not self._broker.manages(ref):
            text = "Only the program that placed this order can change or cancel it; the broker lets no other do it."
            return Receipt(ok=False, code="UNABLE", text=text)
        ours = msgspec.structs.replace(record, external=False, adopted=True)
        entry = (ref, "ADOPTING", self._clock.now(), encode(by))
        try:
            self._journal.commit([entry], [(ours.status(), encode(ours))])
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"It could not be recorded, so nothing changed: {error}")
        self._records.apply(Outcome(ours), "adopted by a person", by)
        return Receipt(ok=True, text=f"{ref} is ours now.", data={"ref": str(ref)})
