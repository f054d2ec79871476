"""What the window logs before its first paint stands at the head of its file."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from market_agent_gui.window_log import HeldLog


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger its handlers and level back."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    for handler in set(logger.handlers) - set(handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(level)


def test_what_was_logged_before_the_file_is_there_comes_first_and_once(tmp_path: Path, root: logging.Logger) -> None:
    held = HeldLog()
    logging.getLogger("early").warning("the theme %s is no more", "solar")
    handler = held.write_to(tmp_path)
    logging.getLogger("late").info("up")
    assert held not in root.handlers
    assert handler in root.handlers
    lines = (tmp_path / "logs" / "window.log").read_text(encoding="utf-8").splitlines()
    assert [line.partition(" WARNING ")[2] or line.partition(" INFO ")[2] for line in lines] == [
        "early: the theme solar is no more",
        "late: up",
    ]
