"""A gateway and a plain client for the tests of the fakes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from ib_async import IB

from tests.support.tws_gateway.client import connected
from tests.support.tws_gateway.server import TwsGateway

START = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)
"""A Friday, half an hour after the open."""


@pytest.fixture
async def gateway() -> AsyncIterator[TwsGateway]:
    """A gateway without a rate limit; every fault that a test arms must have happened at its end."""
    async with TwsGateway(start=START, messages_per_second=0) as running:
        yield running
        assert running.faults.never_fired() == []


@pytest.fixture
async def ib(gateway: TwsGateway) -> AsyncIterator[IB]:
    """The real ib_async, connected to the gateway as client 7."""
    async with connected(gateway) as client:
        yield client


@pytest.fixture
def codes(ib: IB) -> list[int]:
    """The error codes that the client has been told so far."""
    seen: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: seen.append(code)
    return seen
