"""Every press that meant something, with its intent: shown in the ticket and appended to a file of the profile."""

import json
import logging
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

log = logging.getLogger(__name__)
KEPT = 200


class Press(NamedTuple):
    ts: int
    """UTC ns, wall clock."""
    key: str
    action: str
    intent: str
    outcome: str


class KeyLog(QObject):
    """Newest last. A full disk never stops a key: the file is given up and that is logged once."""

    added = Signal(object)

    def __init__(self, path: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.presses: deque[Press] = deque(maxlen=KEPT)
        self._path = path

    @property
    def last(self) -> tuple[str, str]:
        """Action and outcome of the newest press."""
        return (self.presses[-1].action, self.presses[-1].outcome) if self.presses else ("", "")

    def add(self, key: str, action: str, intent: str, outcome: str) -> Press:
        """Record one press."""
        press = Press(time.time_ns(), key, action, intent, outcome)
        self.presses.append(press)
        self._write(press)
        self.added.emit(press)
        return press

    def _write(self, press: Press) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(press._asdict(), ensure_ascii=False) + "\n")
        except OSError as error:
            log.error("key presses are no longer written to %s: %s", self._path, error)
            self._path = None
