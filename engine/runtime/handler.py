"""Commands to their one receiver. Refusals are receipts with codes; only a broken engine raises."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from engine.api import commands as c
from engine.api.commands import AnyCommand, Receipt
from engine.approval.mandate import sign
from engine.bus.clock import Clock
from engine.model.decision import PEOPLE
from engine.model.ids import SuggestionId, Symbol
from engine.risk.limits import HELD
from engine.runtime.enquiry import Enquiry
from engine.runtime.outbox import bar_columns_data
from engine.runtime.pace import Pace
from engine.runtime.programs import READS, Programs, plain
from engine.runtime.queries import Queries
from engine.runtime.rebasing import rearm
from engine.runtime.showing import Showing
from engine.runtime.stopping import StopSwitch
from engine.runtime.strategies import StrategyDesk
from engine.runtime.trading import Trading
from engine.suggestion.board import Board
from engine.suggestion.proposals import Proposals


class History(Protocol):
    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> Any: ...


class CommandHandler:
    """One per engine; called by the door and by tests."""

    def __init__(
        self,
        clock: Clock,
        trading: Trading,
        showing: Showing,
        board: Board,
        history: History,
        queries: Queries,
        strategies: StrategyDesk,
        stop: StopSwitch,
        status: Callable[[], dict[str, object]],
        watch: Callable[[tuple[Symbol, ...], bool, bool], None],
        shutdown: Callable[[bool], Receipt],
        reconcile: Callable[[], Awaitable[Receipt]],
        proposals: Proposals,
        programs_trade: bool = False,
        native_algos: tuple[str, ...] = (),
    ) -> None:
        """``watch(symbols, depth, on)`` subscribes data; ``shutdown(force)`` ends the engine in order.

        ``native_algos`` are the broker's own: they travel with the order.
        """
        self._trading, self._showing, self._board = trading, showing, board
        self._clock, self._pace = clock, Pace(clock)
        self._history, self._queries, self._strategies = history, queries, strategies
        self._stop, self._status, self._watch = stop, status, watch
        self._shutdown, self._reconcile = shutdown, reconcile
        self._native = frozenset(native_algos)
        self._proposals = proposals
        self._programs = Programs(trading.by_program, trading.desk, programs_trade)
        self._enquiry = Enquiry(trading.what_ifs, trading.approval, trading.desk)

    async def handle(self, command: AnyCommand) -> Receipt:
        """Carry out one command."""
        if not isinstance(command, READS):
            # A question proves nobody's presence (G34): a chart or a live scan asks by itself, for days.
            self._trading.modes.present(command.by)
        if (refusal := self._programs.refusal(command)) is not None:
            return refusal
        command = plain(command)
        if (overtaken := await self._enquiry.before(command)) is not None:
            return overtaken
        match command:
            case c.Halt():
                return await self._stop.stop(command.by, command.reason, command.flatten, command.protective)
            case c.Flatten():
                return await self._stop.flatten(command.symbol, command.fraction, command.intent_id, command.by)
            case c.Reconcile():
                return await self._reconcile()
            case c.GetIndicator():
                return await self._queries.indicator(command)
            case c.Scan():
                return await self._queries.scan(command)
            case (
                c.GetStrategies()
                | c.GetStrategy()
                | c.CheckStrategy()
                | c.TryStrategy()
                | c.SaveStrategy()
                | c.ResetStrategy()
                | c.SwitchStrategy()
            ):
                return await self._strategies.answer(command)
            case _:
                return self._now(command)

    def _now(self, command: AnyCommand) -> Receipt:
        trading, approval = self._trading, self._trading.approval
        match command:
            case c.Approve():
                return approval.approve(command)
            case c.Edit():
                return approval.edit(command)
            case c.Refuse():
                return approval.refuse(command)
            case c.Snooze():
                return approval.snooze(command)
            case c.ApproveIf():
                return approval.approve_if(command)
            case c.Requote():
                return approval.requote(command)
            case c.PlaceOrder():
                return self._place(command)
            case c.Propose():
                return self._propose(command)
            case c.PreviewOrder():
                by_person = command.by in PEOPLE
                return trading.by_hand.preview(command) if by_person else self._programs.preview(command)
            case c.ModifyOrder():
                return trading.desk.modify(
                    command.ref,
                    quantity=command.quantity,
                    limit_price=command.limit_price,
                    stop_price=command.stop_price,
                    tif=command.tif,
                    by=command.by,
                )
            case c.CancelOrder():
                return self._cancel(command)
            case c.CancelAll():
                trading.algos.cancel_all(command.symbol, command.by)
                asked = trading.desk.cancel_all(command.symbol, command.protective, command.by)
                text = f"Cancel asked for {len(asked)} orders." if asked else "Nothing is working that this cancels."
                return Receipt(ok=True, text=text, data={"refs": list(asked)})
            case c.ResolveUnknown():
                return trading.desk.resolve(command.ref, command.state, command.note, command.by)
            case _:
                return self._about(command)

    def _about(self, command: AnyCommand) -> Receipt:
        trading = self._trading
        match command:
            case c.Resume():
                return trading.modes.resume(command.typed, command.reason, command.by, command.pin)
            case c.Rearm() if command.code == HELD:
                return trading.limits.confirm(command.scope, command.by, command.reason, command.pin)
            case c.Rearm():
                return rearm(command, trading.modes, trading.pin)
            case c.SetPin():
                return trading.modes.set_pin(command.new, command.old, command.by)
            case c.AdoptExternal() | c.AdoptPosition():
                return self._adopt(command)
            case c.SignMandate():
                return sign(trading.mandates, command, self._clock.now())
            case c.RevokeMandate():
                return trading.mandates.revoke(command.by)
            case c.SetMode():
                if command.mode.level <= trading.modes.mode.level:
                    trading.modes.lower(command.mode, command.by, command.reason or "asked")
                    return Receipt(ok=True, text=f"Mode is {trading.modes.mode}.")
                return trading.modes.raise_to(command.mode, command.by, command.reason, command.pin)
            case c.SetAutonomy():
                return trading.modes.set_autonomy(command.autonomy, command.by, command.reason, command.pin)
            case c.ChangeLimits():
                return trading.limits.change(command.changes, command.by, command.pin)
            case c.Watch() | c.Unwatch():
                self._watch(command.symbols, command.depth, isinstance(command, c.Watch))
                return Receipt(ok=True)
            case c.Acknowledge():
                known = self._showing.alarms.acknowledge(command.code)
                return Receipt(ok=known, text="" if known else "No such line.")
            case c.GetBars():
                columns = self._history.columns(command.symbol, command.seconds, command.count, command.end_ns)
                if columns is None:
                    return Receipt(ok=False, code="NO_BARS", text=f"No bars of {command.symbol} are known yet.")
                return Receipt(ok=True, data=bar_columns_data(columns))
            case c.GetIndicators():
                return self._queries.indicators()
            case c.GetCapabilities():
                return self._queries.capabilities()
            case c.GetSuggestion():
                return self._suggestion(command)
            case c.GetStatus():
                return Receipt(ok=True, data=self._status())
            case c.SetSpeed():
                return self._pace.set(command.speed)
            case c.StepTime():
                return self._pace.step(command.seconds)
            case c.Shutdown():
                return self._shutdown(command.force)
        return Receipt(ok=False, code="UNKNOWN", text=f"{type(command).__name__} is not carried out here.")

    def _place(self, command: c.PlaceOrder) -> Receipt:
        """An order is sent as it is, unless it names one of our own algorithms; a broker's own travel with it."""
        if command.by not in PEOPLE:
            return self._programs.place(command)
        algo = command.request.algo
        if algo and algo not in self._native:
            return self._trading.algos.start_parent(command.request, command.by)
        return self._trading.by_hand.place(command)

    def _propose(self, command: c.Propose) -> Receipt:
        """Make a suggestion of it, and say what has become of that by now."""
        made = self._proposals.propose(command)
        if not made.ok:
            return made
        name = SuggestionId(str(made.data["suggestion_id"]))
        shown = self._trading.approval.show(c.GetSuggestion(suggestion_id=name, by=command.by))
        state, reason = shown.data.get("state", ""), str(shown.data.get("reason", "") or shown.text)
        data: dict[str, object] = {"suggestion_id": str(name), "state": state}
        return Receipt(ok=True, code=made.code or shown.code, text=reason, denials=shown.denials, data=data)

    def _adopt(self, command: c.AdoptExternal | c.AdoptPosition) -> Receipt:
        trading = self._trading
        if isinstance(command, c.AdoptExternal):
            if command.by not in PEOPLE:
                return Receipt(ok=False, code="PERSON", text="Only a person adopts an order.")
            return trading.desk.adoption.take_order(command.ref, command.by)
        refusal = trading.modes.vouched(command.by, command.reason, command.pin)
        if refusal is not None:
            return refusal
        receipt = trading.desk.adoption.take_position(command.symbol, command.theirs)
        if receipt.ok:
            trading.desk.check_now()
        return receipt

    def _cancel(self, command: c.CancelOrder) -> Receipt:
        if self._trading.algos.parent(command.ref) is not None:
            return self._trading.algos.cancel(command.ref, command.by)
        return self._trading.desk.cancel(command.ref, command.by)

    def _suggestion(self, command: c.GetSuggestion) -> Receipt:
        suggestion = self._board.suggestion(command.suggestion_id)
        state = self._board.state(command.suggestion_id)
        if suggestion is None or state is None:
            return Receipt(ok=False, code="NO_SUCH", text=f"There is no suggestion {command.suggestion_id}.")
        row = self._showing.tables["suggestions"].get(command.suggestion_id)
        return Receipt(
            ok=True,
            data={
                "suggestion": msgspec.to_builtins(suggestion, str_keys=True),
                "state": state.value,
                "approval_hash": getattr(row, "approval_hash", ""),
                "drift": getattr(row, "drift", None),
            },
        )
