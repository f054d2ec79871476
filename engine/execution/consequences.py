"""What follows when an order changes: waits, locks, a lower mode, alarms, questions to the broker."""

from collections.abc import Callable

from engine.bus.clock import Clock
from engine.bus.errors import JournalError
from engine.execution.agreement import Agreement
from engine.execution.deadlines import Deadlines
from engine.execution.fold import Outcome, Wish
from engine.execution.pacing import Pacing
from engine.execution.ports import Clearing, Modes
from engine.execution.record import OrderRecord
from engine.execution.records import Records
from engine.execution.voice import Voice
from engine.model.decision import Mode
from engine.model.ids import OrderRef
from engine.model.order import OrderState

UNKNOWN_LOCK = "UNKNOWN"
_NAME = "order desk"
_COMPLAINT_S = 10.0
"""How long nothing is sent after the broker complained about the rate."""


class Consequences:
    """Draws them. The desk owns it."""

    def __init__(
        self,
        clock: Clock,
        *,
        records: Records,
        agreement: Agreement,
        deadlines: Deadlines,
        pacing: Pacing,
        gate: Clearing,
        modes: Modes,
        voice: Voice,
        on_halt: Callable[[], None],
        on_frozen: Callable[[OrderRef], None],
    ) -> None:
        """``on_halt`` stops sending at once; ``on_frozen(ref)`` cancels an order that must not live."""
        self._clock = clock
        self._records = records
        self._agreement = agreement
        self._deadlines = deadlines
        self._pacing = pacing
        self._gate = gate
        self._modes = modes
        self._voice = voice
        self._on_halt = on_halt
        self._on_frozen = on_frozen

    def of_change(self, before: OrderRecord, after: OrderRecord, outcome: Outcome) -> None:
        """Draw those of a change that has been booked and told."""
        if after.state is not before.state:
            self._deadlines.watch(after.ref, after.state)
            self._judge_unknown(before, after)
            if after.state.closed:
                self._gate.release(after.ref)
        for alarm in outcome.alarms:
            self._voice.alarm(f"{alarm.kind}:{after.ref}", "red", f"{after.symbol} order {after.ref}: {alarm.text}.")
        wishes = outcome.wishes
        if Wish.HALT in wishes:
            self._on_halt()
            kinds = ", ".join(alarm.kind for alarm in outcome.alarms)
            self._modes.lower(Mode.HALTED, _NAME, f"{kinds} on {after.ref}")
            self._modes.lock(after.symbol, kinds.upper() or "FROZEN", f"{kinds} on {after.ref}")
        if Wish.DEMOTE in wishes:
            self._modes.lower(Mode.MANUAL, _NAME, f"the broker contradicts itself on {after.ref}")
        if Wish.PACE in wishes:
            self._pacing.close(_COMPLAINT_S, self._clock.now())
        if Wish.CANCEL in wishes and not after.state.closed:
            self._clock.call_later(0.0, lambda: self._on_frozen(after.ref))
        if Wish.QUERY in wishes:
            self._agreement.request()

    def _judge_unknown(self, before: OrderRecord, after: OrderRecord) -> None:
        symbol = after.symbol
        if after.state is OrderState.UNKNOWN:
            self._modes.lock(symbol, UNKNOWN_LOCK, f"order {after.ref} is not confirmed: do not re-enter")
            if self._records.unknown_symbols() > 1:
                self._modes.lower(Mode.MANUAL, _NAME, "orders of several symbols are not confirmed")
        elif before.state is OrderState.UNKNOWN and not self._records.unknown(symbol):
            self._modes.unlock(symbol, UNKNOWN_LOCK)

    def of_journal_trouble(self, error: JournalError) -> None:
        """Draw those of a journal that cannot be written."""
        self._voice.alarm(
            "JOURNAL",
            "red",
            f"The order journal cannot be written: {error}.",
            "No new order is sent. Stops at the broker remain.",
            "Free disk space.",
        )
        self._modes.lower(Mode.REDUCE_ONLY, _NAME, "the order journal cannot be written")
