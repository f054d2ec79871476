"""A service before an engine: read-only, and one that may trade."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.house import Begun, running


@pytest.fixture
async def begun(tmp_path: Path) -> AsyncIterator[Begun]:
    """Read-only: the setting is off."""
    async with running(tmp_path / "profile") as found:
        yield found


@pytest.fixture
async def trading(tmp_path: Path) -> AsyncIterator[Begun]:
    """serve.trade is on, and a person has armed AUTO."""
    async with running(tmp_path / "profile", programs_trade=True) as found:
        receipt = await found.engine.arm_auto("cli", "test")
        assert receipt.ok, receipt.text
        yield found
