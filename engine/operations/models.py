"""Models are known by their hash: one that changed is off until a person accepts it."""

from collections.abc import Callable

import msgspec

from engine.api.commands import Receipt
from engine.bus.bus import Bus, Role
from engine.bus.errors import JournalError
from engine.model.decision import PEOPLE, Mode
from engine.model.events.system import ModelLoaded
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes, Store

KEY = "models.accepted"


class ModelWatch:
    """Remembers the accepted hash of each model. The first of a name is accepted as it comes."""

    name = "models"

    def __init__(self, bus: Bus, store: Store, modes: Modes, lamps: Lamps) -> None:
        self._bus, self._store, self._modes, self._lamps = bus, store, modes, lamps
        self._accepted: dict[str, str] = {}
        self._waiting: dict[str, str] = {}
        self._unreadable = False
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        text = self._store.get(KEY)
        try:
            self._accepted = msgspec.json.decode(text, type=dict[str, str]) if text else {}
        except msgspec.MsgspecError:
            self._unreadable = True
        self._leave = self._bus.subscribe(ModelLoaded, self._on_loaded, owner=self.name, role=Role.DECIDER)

    def stop(self) -> None:
        if self._leave is not None:
            self._leave()
            self._leave = None

    def look(self) -> None:
        return

    def allows(self, model_id: str, sha256: str) -> bool:
        """Whether this very model may speak; what loads models asks before it does."""
        return not self._unreadable and self._accepted.get(model_id, sha256) == sha256

    def accept(self, model_id: str, by: str) -> Receipt:
        """A person accepts the model as it is now."""
        sha256 = self._waiting.get(model_id)
        if by not in PEOPLE:
            return Receipt(ok=False, code="PERSON", text="Only a person accepts a changed model.")
        if sha256 is None:
            return Receipt(ok=False, code="NO_SUCH", text=f"No changed model {model_id} is waiting.")
        try:
            self._keep({**({} if self._unreadable else self._accepted), model_id: sha256})
        except JournalError as error:
            return Receipt(ok=False, code="JOURNAL", text=f"That could not be recorded: {error}")
        self._unreadable = False
        del self._waiting[model_id]
        self._lamps.over(f"MODEL:{model_id}", f"{model_id} was accepted.")
        return Receipt(ok=True, text=f"{model_id} is accepted as it is.")

    def _on_loaded(self, event: ModelLoaded) -> None:
        known = self._accepted.get(event.model_id)
        if known is None and not self._unreadable:
            self._keep({**self._accepted, event.model_id: event.sha256})
            return
        if known == event.sha256 and not self._unreadable:
            return
        self._waiting[event.model_id] = event.sha256
        self._modes.lower(Mode.MANUAL, self.name, f"the model {event.model_id} changed")
        self._lamps.light(
            f"MODEL:{event.model_id}",
            "amber",
            f"The model {event.model_id} is not the one that was accepted ({event.sha256[:12]}).",
            "It is off, and AUTO is off.",
            "Accept it when you know why it changed.",
        )

    def _keep(self, accepted: dict[str, str]) -> None:
        self._store.set(KEY, msgspec.json.encode(accepted).decode())
        self._accepted = accepted
