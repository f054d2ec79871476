"""Orders by hand, or of a program: one gate, one desk; a repeated press is answered with the outcome of the first."""

import base64
import hashlib

import msgspec

from engine.api.commands import PlaceOrder, PreviewOrder, Receipt
from engine.approval.ports import Gate, Modes, Orders, Store
from engine.bus.clock import Clock
from engine.bus.errors import IntegrityError, JournalError
from engine.model.decision import PEOPLE
from engine.model.ids import IntentId, OrderRef
from engine.model.order import OrderRequest, OrderState, Origin

KEY = "approval.intent."
REMEMBERED = 10_000
BY_HAND = frozenset({Origin.MANUAL, Origin.PROTECTIVE, Origin.PROGRAM})


class _Pressed(msgspec.Struct, frozen=True, kw_only=True):
    ref: OrderRef
    refs: tuple[OrderRef, ...]
    digest: str = ""
    """Of a program's order: its ids are its own, and one used twice for two orders is its mistake."""


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
        if request.origin not in BY_HAND or (request.origin is Origin.PROGRAM) is (command.by in PEOPLE):
            return Receipt(ok=False, code="ORIGIN", text="An order made by hand says so.")
        if request.origin is Origin.PROTECTIVE and not request.reduce_only:
            return Receipt(ok=False, code="ORIGIN", text="A protective order only reduces.")
        if request.intent_id:
            first = self._first(request.intent_id)
            if first is not None:
                if first.digest != _digest(request):
                    return Receipt(ok=False, code="REUSED", text="This id was used for another order already.")
                return self._outcome(first)
        verdict, cleared = self._gate.clear(request)
        if cleared is None:
            soft = bool(verdict.denials) and all(not denial.hard for denial in verdict.denials)
            code = "CONFIRM" if soft else (verdict.denials[0].code if verdict.denials else "GATE")
            text = verdict.denials[0].text if verdict.denials else "The gate did not clear the order."
            return Receipt(ok=False, code=code, text=text, denials=verdict.denials, data={"ref": "", "state": "DENIED"})
        refs = (cleared.ref, *(leg.ref for leg in cleared.legs))
        pressed = _Pressed(ref=cleared.ref, refs=refs, digest=_digest(request))
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

    def placed(self, intent: IntentId) -> bool:
        """Say whether an order was sent under this id, in this run or an earlier one."""
        return self._first(intent) is not None

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


def _digest(request: OrderRequest) -> str:
    """What a program asked for, told apart; empty for a person's press, whose id belongs to one press alone."""
    if request.origin is not Origin.PROGRAM:
        return ""
    bare = msgspec.structs.replace(request, live_until_ns=None)
    return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()[:32]
