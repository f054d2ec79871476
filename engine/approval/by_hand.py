"""Orders made by hand: the same gate, the same desk; a repeated press is answered with the outcome of the first."""

import base64

import msgspec

from engine.api.commands import PlaceOrder, PreviewOrder, Receipt
from engine.approval.ports import Gate, Modes, Orders, Store
from engine.bus.clock import Clock
from engine.bus.errors import IntegrityError, JournalError
from engine.model.ids import IntentId, OrderRef
from engine.model.order import OrderState, Origin

KEY = "approval.intent."
REMEMBERED = 10_000
BY_HAND = frozenset({Origin.MANUAL, Origin.PROTECTIVE})


class _Pressed(msgspec.Struct, frozen=True, kw_only=True):
    ref: OrderRef
    refs: tuple[OrderRef, ...]


class HandOrders:
    """Takes ``PlaceOrder`` and ``PreviewOrder``."""

    def __init__(self, *, gate: Gate, orders: Orders, modes: Modes, store: Store, clock: Clock) -> None:
        self._gate = gate
        self._orders = orders
        self._modes = modes
        self._store = store
        self._clock = clock
        self._pressed: dict[IntentId, _Pressed] = {}

    def preview(self, command: PreviewOrder) -> Receipt:
        """Answer what the gate would say; nothing is reserved or counted."""
        verdict = self._gate.check(command.request)
        first = verdict.denials[0] if verdict.denials else None
        return Receipt(
            ok=first is None,
            code=first.code if first is not None else "",
            text=first.text if first is not None else "Nothing speaks against it.",
            denials=verdict.denials,
            data={"verdict": msgspec.to_builtins(verdict)},
        )

    def place(self, command: PlaceOrder) -> Receipt:
        """Clear and send. The intent is durable before the order leaves, so a repeat finds it, also after a restart."""
        self._modes.present(command.by)
        request = command.request
        if request.origin not in BY_HAND:
            return Receipt(ok=False, code="ORIGIN", text="An order made by hand says so.")
        if request.origin is Origin.PROTECTIVE and not request.reduce_only:
            return Receipt(ok=False, code="ORIGIN", text="A protective order only reduces.")
        if request.intent_id:
            first = self._first(request.intent_id)
            if first is not None:
                return self._outcome(first)
        verdict, cleared = self._gate.clear(request)
        if cleared is None:
            soft = bool(verdict.denials) and all(not denial.hard for denial in verdict.denials)
            code = "CONFIRM" if soft else (verdict.denials[0].code if verdict.denials else "GATE")
            text = verdict.denials[0].text if verdict.denials else "The gate did not clear the order."
            return Receipt(ok=False, code=code, text=text, denials=verdict.denials, data={"ref": "", "state": "DENIED"})
        pressed = _Pressed(ref=cleared.ref, refs=(cleared.ref, *(leg.ref for leg in cleared.legs)))
        try:
            text = base64.b64encode(msgspec.msgpack.encode(pressed)).decode()
            self._store.set(f"{KEY}{request.intent_id}", text)
        except JournalError as error:
            self._gate.release(cleared.ref)
            return Receipt(
                ok=False, code="JOURNAL", text=f"The order could not be recorded, so it is not sent: {error}"
            )
        self._remember(request.intent_id, pressed)
        self._orders.submit(cleared)
        return self._outcome(pressed)

    def _first(self, intent: IntentId) -> _Pressed | None:
        found = self._pressed.get(intent)
        if found is not None:
            return found
        text = self._store.get(f"{KEY}{intent}")
        if text is None:
            return None
        try:
            found = msgspec.msgpack.decode(base64.b64decode(text), type=_Pressed)
        except (msgspec.MsgspecError, ValueError) as error:
            raise IntegrityError(f"the stored intent {intent} cannot be read: {error}") from error
        self._remember(intent, found)
        return found

    def _remember(self, intent: IntentId, pressed: _Pressed) -> None:
        self._pressed[intent] = pressed
        while len(self._pressed) > REMEMBERED:
            self._pressed.pop(next(iter(self._pressed)))

    def _outcome(self, pressed: _Pressed) -> Receipt:
        status = self._orders.order(pressed.ref)
        if status is None:
            text = "The order was recorded but never sent."
            data: dict[str, object] = {"ref": str(pressed.ref), "state": OrderState.NEVER_SENT.value}
            return Receipt(ok=False, code="NEVER_SENT", text=text, data=data)
        ok = status.state not in (OrderState.NEVER_SENT, OrderState.DENIED, OrderState.REJECTED)
        return Receipt(
            ok=ok,
            code="" if ok else status.state.value,
            text=status.reason or f"The order is {status.state.value.lower()}.",
            data={"ref": str(pressed.ref), "state": status.state.value, "refs": [str(ref) for ref in pressed.refs]},
        )
