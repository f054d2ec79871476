"""The port: the one way to talk to an engine, in this process or in another."""

from collections.abc import AsyncIterator
from typing import Protocol

from engine.api.commands import AnyCommand, Receipt
from engine.api.frames import AnyUp


class EnginePort(Protocol):
    """Commands down, frames and notices up."""

    async def send(self, command: AnyCommand) -> Receipt:
        """Deliver a command and wait for its receipt. Raises ``ConnectionError`` when the engine is gone."""

    def messages(self) -> AsyncIterator[AnyUp]:
        """Everything the engine sends, in order, until the connection ends."""

    async def close(self) -> None:
        """Leave. The engine goes on."""
