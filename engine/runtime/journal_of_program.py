"""The program's own log: JSON lines in the profile, in ECS field names, secrets cut out."""

import logging
import logging.handlers
from pathlib import Path
from typing import Any

import structlog

MAX_BYTES = 10 * 1024 * 1024
KEPT = 5


def configure_log(folder: Path, *, to_terminal: bool, name: str = "engine.jsonl") -> None:
    """Write structured lines to ``folder``; also to standard error when asked. Each process has a file of its own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(folder / name, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
    handlers: list[logging.Handler] = [file]
    if to_terminal:
        handlers.append(logging.StreamHandler())
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(message)s"))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="@timestamp"),
            structlog.processors.format_exc_info,
            _ecs,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _ecs(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["log.level"] = event.pop("level", "info")
    event["message"] = event.pop("event", "")
    return event
