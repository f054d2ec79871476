"""The window's log: held in memory until the first paint, then a file. Rotating files are dear to import."""

import logging
from pathlib import Path

FILE = "window.log"
MOST_BYTES, BACKUPS = 2_000_000, 3


class HeldLog(logging.Handler):
    """Keeps what is logged before there is a file."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[logging.LogRecord] = []
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._records.append(record)

    def write_to(self, profile: Path) -> logging.Handler:
        """Give way to the file in the profile, which begins with what was kept; return its handler."""
        from logging.handlers import RotatingFileHandler

        folder = profile / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(
            folder / FILE, maxBytes=MOST_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True
        )
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        root.removeHandler(self)
        root.addHandler(file)
        for record in self._records:
            file.handle(record)
        self._records.clear()
        return file
