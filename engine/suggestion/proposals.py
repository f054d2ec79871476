"""Ideas of other programs become suggestions: priced, sized and put before the approval desk like the agent's own.

Nothing here sends. What is missing in a proposal comes from the market and the limits, or the proposal is refused.
"""

import re
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

import msgspec

from engine.api.commands import Propose, Receipt
from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import Autonomy
from engine.model.events.thought import Suggested, SuggestionSuperseded
from engine.model.ids import DecisionId, SuggestionId, Symbol
from engine.model.instrument import Instrument
from engine.model.market import Quote, Side
from engine.model.money import ZERO, exact, finite, to_tick
from engine.model.score import Evidence
from engine.model.suggestion import Suggestion
from engine.suggestion.board import Board
from engine.suggestion.ports import Ledger, Market, Sizer, Store

KEY = "suggestions.proposals"
REMEMBERED = 500
"""So many proposals are known again when they are sent once more, also after a restart."""
MOST_OPEN = 4
"""Of other programs' ideas as many wait at one time: a queue that nobody can read is approved blind."""
MOST_A_MINUTE = 20
LIFE_S, LONGEST_S = 900.0, 86_400.0
STOP_ATR, REWARD = 1.0, 2
"""Without a stop: a day's usual range away. Without a target: twice as far as the stop."""
RISK_PERCENT = 0.25
_HOOK = re.compile(r"hook:[a-z0-9][a-z0-9_.-]{0,31}")
_INTENT = re.compile(r"[\x21-\x7e]{1,96}")


class Modes(Protocol):
    @property
    def autonomy(self) -> Autonomy: ...


class Prices(msgspec.Struct, frozen=True):
    """What a proposal asks for, complete."""

    entry: Decimal
    stop: Decimal
    target: Decimal
    quantity: Decimal
    reduces: bool


class Proposals:
    """Takes ``Propose``. ``clean`` makes foreign text harmless; ``atr`` is the 14-day range."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        market: Market,
        atr: Callable[[Symbol], float | None],
        ledger: Ledger,
        sizer: Sizer,
        board: Board,
        modes: Modes,
        store: Store,
        clean: Callable[[str], str],
    ) -> None:
        self._bus, self._clock, self._market, self._atr = bus, clock, market, atr
        self._ledger, self._sizer, self._board, self._modes = ledger, sizer, board, modes
        self._store, self._clean = store, clean
        self._known: dict[str, SuggestionId] | None = None
        self._lately: deque[int] = deque(maxlen=MOST_A_MINUTE)

    def propose(self, command: Propose) -> Receipt:
        """Make the suggestion and publish it; its state afterwards is the approval desk's word."""
        if _INTENT.fullmatch(command.intent_id) is None:
            return _no("INTENT", "An id of 1 to 96 visible characters is needed.")
        source = command.source or command.by
        if source != command.by and not (command.by == "api" and _HOOK.fullmatch(source)):
            return _no("SOURCE", "A proposal names who sends it, or hook: and a name of small letters and digits.")
        intent = f"{source} {command.intent_id}"
        if (made := self._proposals().get(intent)) is not None:
            return Receipt(ok=True, code="REPEAT", text="It was proposed already.", data={"suggestion_id": str(made)})
        if self._modes.autonomy is Autonomy.OBSERVE:
            return _no("OBSERVE", "The agent only observes.")
        if (busy := self._busy(source, command)) is not None:
            return busy
        quote, instrument = self._market.quote(command.symbol), self._market.instrument(command.symbol)
        if instrument is None:
            return _no("G3", f"{command.symbol[:24]} is not known.")
        if quote is None or not quote.two_sided:
            return _no("G21", f"There is no usable price of {command.symbol}.")
        found = self._prices(command, quote, instrument)
        return found if isinstance(found, Receipt) else self._publish(command, source, intent, found, quote)

    def _busy(self, source: str, command: Propose) -> Receipt | None:
        now = self._clock.now()
        if len(self._lately) == MOST_A_MINUTE and now - self._lately[0] < 60 * SECOND:
            return _no("RATE", f"More than {MOST_A_MINUTE} proposals in a minute are not taken.")
        waiting = [s for s in self._board.opened() if s.source and (s.source, s.symbol) != (source, command.symbol)]
        if len(waiting) >= MOST_OPEN:
            return _no("FULL", f"{len(waiting)} proposals of other programs wait for an answer already.")
        return None

    def _prices(self, command: Propose, quote: Quote, instrument: Instrument) -> Prices | Receipt:
        side, tick = command.side, instrument.tick
        for name in ("quantity", "entry", "stop", "target"):
            value: Decimal | None = getattr(command, name)
            if value is not None and not (finite(value) and ZERO < value <= 1_000_000_000):
                return _no("VALUES", f"The {name} must be above zero.")
        if command.seconds is not None and not 0 < command.seconds <= LONGEST_S:
            return _no("VALUES", "The time must be above zero and at most a day.")
        touch = to_tick(exact(quote.ask if side is Side.BUY else quote.bid), tick, up=side is Side.BUY)
        position = self._ledger.positions().get(command.symbol)
        held = position.quantity if position is not None else ZERO
        if held * side.sign < ZERO:
            # It goes against what is held: it closes, and never turns the position.
            quantity = abs(held) if command.quantity is None else min(command.quantity, abs(held))
            return Prices(touch, touch, touch, quantity, True)
        entry = touch if command.entry is None else to_tick(command.entry, tick, up=side is Side.SELL)
        stop = command.stop
        if stop is None:
            span = self._atr(command.symbol)
            if span is None or not finite(span) or span <= 0:
                return _no("STOP", f"It names no stop, and the usual range of {command.symbol} is not known yet.")
            stop = entry - exact(round(span * STOP_ATR, 8)) * side.sign
        stop = to_tick(stop, tick, up=side is Side.SELL)
        target = command.target if command.target is not None else entry + (entry - stop) * REWARD
        target = to_tick(target, tick, up=side is Side.SELL)
        if (entry - stop) * side.sign <= ZERO or (target - entry) * side.sign <= ZERO or min(stop, target) <= ZERO:
            return _no("VALUES", f"Stop {stop} and target {target} do not lie on either side of {entry} for a {side}.")
        quantity = command.quantity or self._sizer.size(command.symbol, side, entry, stop, RISK_PERCENT)
        if quantity <= ZERO:
            return _no("SIZE", "No size fits the limits.")
        return Prices(entry, stop, target, quantity, False)

    def _publish(self, command: Propose, source: str, intent: str, prices: Prices, quote: Quote) -> Receipt:
        now, symbol = self._clock.now(), command.symbol
        try:
            name, decision = self._board.next_ids()
            self._remember(intent, name)
        except JournalError as error:
            return _no("JOURNAL", f"It could not be recorded: {error}")
        self._lately.append(now)
        suggestion = self._suggestion(command, source, prices, quote, name, decision)
        for old in self._board.open_for(symbol):
            if old.source == source:
                self._bus.publish(SuggestionSuperseded(ts_event=now, ts_init=now, id=old.id, symbol=symbol, by=name))
        self._bus.publish(Suggested(ts_event=now, ts_init=now, suggestion=suggestion))
        state = self._board.state(name)
        return Receipt(ok=True, data={"suggestion_id": str(name), "state": state.value if state is not None else ""})

    def _suggestion(
        self, command: Propose, source: str, prices: Prices, quote: Quote, name: SuggestionId, decision: DecisionId
    ) -> Suggestion:
        now, beyond = self._clock.now(), "below" if command.side is Side.BUY else "above"
        comment, span = self._clean(command.comment), self._atr(command.symbol)
        said = Evidence(
            id="P1",
            source=source,
            kind="signal",
            text=comment or f"{source} proposes it and says no more.",
            direction=command.side.sign,
            available_at=now,
        )
        return Suggestion(
            id=name,
            decision_id=decision,
            symbol=command.symbol,
            side=command.side,
            quantity=prices.quantity,
            entry=prices.entry,
            stop=prices.stop,
            target=prices.target,
            horizon="day",
            strategy=source,
            evidence=(said,),
            invalidation="" if prices.reduces else f"price {beyond} {prices.stop:f}",
            reference_price=quote.mid,
            atr=float("nan") if span is None else span,
            made_ns=now,
            expires_ns=now + round((command.seconds or LIFE_S) * SECOND),
            reduces=prices.reduces,
            note=comment,
            source=source,
        )

    def _proposals(self) -> dict[str, SuggestionId]:
        if self._known is None:
            text = self._store.get(KEY)
            try:
                self._known = msgspec.json.decode(text, type=dict[str, SuggestionId]) if text else {}
            except msgspec.MsgspecError as error:
                raise IntegrityError(f"the stored proposals cannot be read: {error}") from error
        return self._known

    def _remember(self, intent: str, name: SuggestionId) -> None:
        """Durable before anything is published: sent again after a crash, it is not proposed twice."""
        kept = dict([*self._proposals().items(), (intent, name)][-REMEMBERED:])
        self._store.set(KEY, msgspec.json.encode(kept).decode())
        self._known = kept


def _no(code: str, text: str) -> Receipt:
    return Receipt(ok=False, code=code, text=text)
