"""How an engine begins: below what it could do, where somebody must look first."""

from engine.model.decision import Book, Mode
from engine.operations.lamps import Lamps
from engine.operations.ports import Modes


class Beginning:
    """Lowers at the start: real money waits for its PIN, a restored journal for a person's look."""

    name = "start"

    def __init__(self, book: Book, modes: Modes, lamps: Lamps, *, restored: str = "") -> None:
        """``restored``: what happened to the damaged journal, empty when it was whole."""
        self._book, self._modes, self._lamps, self._restored = book, modes, lamps, restored

    def start(self) -> None:
        if self._book is Book.LIVE:
            self._modes.lower(Mode.REDUCE_ONLY, self.name, "real money: the PIN opens trading after each start")
            self._lamps.light(
                "LIVE",
                "amber",
                "This is real money.",
                "Only closing is allowed until the PIN was given.",
                "Open trading with your PIN: the button in the strip on top, or main.py mode manual.",
            )
        if self._restored:
            self._modes.lower(Mode.OBSERVE, self.name, f"the journal was restored: {self._restored}")
            self._lamps.light(
                "DATABASE",
                "red",
                f"The order journal was damaged: {self._restored}.",
                "The damaged file was kept, a backup took its place, and the engine only observes.",
                "Compare orders and positions with the broker, then resume.",
            )

    def look(self) -> None:
        if self._book is Book.LIVE and self._modes.mode.level >= Mode.MANUAL.level:
            self._lamps.over("LIVE", "Trading with real money was opened with the PIN.")

    def stop(self) -> None:
        return
