"""Paper or live: profile, address and account must agree. The venue's adapter judges; here follows what it means."""

from collections.abc import Callable

from engine.model.decision import Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes

CODE = "IDENTITY"


class IdentityWatch:
    """Whatever the venue says at connect: when it is not what the profile means, the engine only observes."""

    name = "identity"

    def __init__(self, fault: Callable[[], str], modes: Modes, lamps: Lamps) -> None:
        """``fault``: the disagreement as a sentence, empty while there is none; the broker's link knows it."""
        self._fault, self._modes, self._lamps = fault, modes, lamps

    def start(self) -> None:
        self.look()

    def stop(self) -> None:
        return

    def look(self) -> None:
        fault = self._fault()
        if not fault:
            self._lamps.over(CODE, "Profile, address and account agree.")
            return
        self._modes.lower(Mode.OBSERVE, self.name, fault)
        self._lamps.light(
            CODE,
            "red",
            fault,
            "It was disconnected; the engine only observes.",
            "Correct the settings or log in to the account that is meant, then start again.",
        )
