"""The service's one connection to the engine: found again when it was lost, fed into the mirror."""

import asyncio
import hashlib
from pathlib import Path

import msgspec

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import AnyCommand, Receipt
from engine.api.door import read_door
from engine.api.rows import TABLES
from engine.api.wire import Follow
from service.mirror import Mirror

RATE_HZ = 10.0
FIRST_RETRY_S, LAST_RETRY_S = 0.2, 3.0
PATIENCE_S = 30.0


class EngineLink:
    """Talks to the engine as one program; the engine knows it by that name and no other."""

    def __init__(self, profile: Path, program: str, *, follow: bool = True) -> None:
        """``follow`` false only sends commands."""
        self.mirror = Mirror()
        self.why = "the engine has not been asked yet"
        """Why there is no engine now, in plain words."""
        self._profile, self._program, self._follow = profile, program, follow
        self._client: EngineClient | None = None
        self._seen = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether an engine answers and has told everything once."""
        return self._client is not None and (self.mirror.complete or not self._follow)

    async def ready(self, timeout_s: float) -> bool:
        """Wait until an engine is there; False when none came."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.up:
                    self._seen.clear()
                    await self._seen.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        delay = FIRST_RETRY_S
        try:
            while True:
                try:
                    client, epoch = await self._connect()
                except (EngineUnavailable, msgspec.MsgspecError) as error:
                    self.why = str(error)
                    await asyncio.sleep(delay)
                    delay = min(LAST_RETRY_S, delay * 1.5)
                    continue
                delay = FIRST_RETRY_S
                await self._listen(client, epoch)
        finally:
            await self._leave()

    async def send(self, command: AnyCommand) -> Receipt:
        """Deliver a command and wait for its receipt. Raises :class:`EngineUnavailable` with a plain sentence."""
        client = self._client
        if client is None:
            raise EngineUnavailable(self.why)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await client.send(msgspec.structs.replace(command, by=self._program))
        except TimeoutError as error:
            raise EngineUnavailable(
                f"the engine did not answer within {PATIENCE_S:.0f} s; whether it acted is not known"
            ) from error
        except OSError as error:
            raise EngineUnavailable(f"{error}; whether the engine acted is not known") from error

    async def _connect(self) -> tuple[EngineClient, str]:
        door = read_door(self._profile)
        if door is None:
            raise EngineUnavailable(f"no engine is running for the profile {self._profile}")
        # The token is made anew at every start, so it names the engine's life; what goes out is its hash.
        epoch = hashlib.sha256(f"{door.token} {door.pid}".encode()).hexdigest()[:16]
        last = self.mirror.last_seq if epoch == self.mirror.epoch else 0
        client = await EngineClient.connect(self._profile, client=self._program, last_notice=last)
        if client.welcome.engine_pid != door.pid:
            await client.close()
            raise EngineUnavailable("the engine is being started again")
        return client, epoch

    async def _listen(self, client: EngineClient, epoch: str) -> None:
        self.mirror.begin(epoch)
        self._client = client
        try:
            if self._follow:
                await client.follow(Follow(tables=TABLES, quotes=True, rate_hz=RATE_HZ))
            self._seen.set()
            async for message in client.messages():
                told = self.mirror.complete
                self.mirror.apply(message)
                if not told and self.mirror.complete:
                    self._seen.set()
        except OSError as error:
            self.why = f"the engine is gone ({error})"
        finally:
            await self._leave()
        self.why = "the engine is gone; it is looked for again"

    async def _leave(self) -> None:
        client, self._client = self._client, None
        self.mirror.forget()
        if client is not None:
            await client.close()
