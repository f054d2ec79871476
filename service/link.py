"""The service's one connection to the engine: found again when it was lost, fed into the mirror."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import AnyCommand, Halt, Receipt
from engine.api.door import read_door
from engine.api.halt_flag import leave_halt_flag
from engine.api.rows import TABLES
from engine.api.wire import Follow
from service.mirror import Mirror

RATE_HZ = 10.0
FIRST_RETRY_S, LAST_RETRY_S = 0.2, 3.0
PATIENCE_S = 30.0
SILENT_S = 5.0
"""The engine says each second that it lives: what it told is old when it has said nothing for so long."""


class EngineLink:
    """Talks to the engine as one program; the engine knows it by that name and no other."""

    def __init__(self, profile: Path, program: str, *, now: Callable[[], float] = time.monotonic) -> None:
        """``now`` is a clock that is never set."""
        self.mirror = Mirror()
        self._why = "the engine has not been asked yet"
        self._profile, self._program, self._now = profile, program, now
        self._client: EngineClient | None = None
        self._heard = 0.0
        self._seen = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether an engine answers, has told everything once, and still speaks."""
        return self._client is not None and self.mirror.complete and not self._silent

    @property
    def why(self) -> str:
        """Why there is no engine now, in plain words."""
        if self._client is None:
            return self._why
        if self._silent:
            return f"the engine has said nothing for {self._now() - self._heard:.0f} s: what it told is old"
        return "the engine was found and has not told everything yet"

    @property
    def _silent(self) -> bool:
        return self._now() - self._heard > SILENT_S

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
                    self._why = str(error)
                    await asyncio.sleep(delay)
                    delay = min(LAST_RETRY_S, delay * 1.5)
                    continue
                delay = FIRST_RETRY_S
                await self._listen(client, epoch)
                await asyncio.sleep(delay)
        finally:
            await self._leave()

    async def send(self, command: AnyCommand) -> Receipt:
        """Deliver a command and wait for its receipt. Raises :class:`EngineUnavailable` with a plain sentence."""
        client = self._client
        if client is None:
            raise EngineUnavailable(self._why)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await client.send(msgspec.structs.replace(command, by=self._program))
        except TimeoutError as error:
            raise EngineUnavailable(
                f"the engine did not answer within {PATIENCE_S:.0f} s; whether it acted is not known"
            ) from error
        except OSError as error:
            raise EngineUnavailable(f"{error}; whether the engine acted is not known") from error

    async def halt(self, reason: str) -> Receipt:
        """STOP. Where no engine hears it the flag that stops the next one is left; ``EngineUnavailable`` says so."""
        try:
            return await self.send(Halt(reason=reason))
        except EngineUnavailable as error:
            try:
                flag = leave_halt_flag(self._profile)
            except OSError as fault:
                raise EngineUnavailable(f"{error}; nor can the flag be left: {fault}") from error
            text = f"{error}; the file {flag.name} is left in the profile: an engine stops at once and stays stopped"
            raise EngineUnavailable(text) from error

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
        self._client, self._heard = client, self._now()
        self._why = "the engine is gone; it is looked for again"
        try:
            await client.follow(Follow(tables=TABLES, quotes=True, rate_hz=RATE_HZ))
            async for message in client.messages():
                self._heard = self._now()
                self.mirror.apply(message)
                if self.mirror.complete:
                    self._seen.set()
        except OSError as error:
            self._why = f"the engine is gone ({error}); it is looked for again"
        finally:
            await self._leave()

    async def _leave(self) -> None:
        client, self._client = self._client, None
        self.mirror.forget()
        if client is not None:
            await client.close()
