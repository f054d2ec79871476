"""The bridge: the only module of the window that knows the engine's port."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import AnyCommand, Halt, Receipt
from engine.api.door import read_door
from engine.api.frames import AnyUp, Frame, Notice, RowsChanged
from engine.api.halt_flag import HALT_FLAG, leave_halt_flag
from engine.api.wire import Follow
from market_agent_gui.loop import TaskOwner
from market_agent_gui.mirror import Mirror

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.15
LAST_RETRY_S = 2.0
CONNECT_S = 2.0
HALT_ANSWER_S = 2.0
SILENT_S = 3.0
"""An engine that lives says something every second; after this long it stands still and what is shown is old."""
LOOK_S = 0.5
BEAT_S = 2.0
"""How often the window says that it lives."""
GOODBYE = Follow(notices=False)
"""The last wish of a window that is closed: without it the engine takes the window for frozen."""
ALWAYS = ("state", "quotes", "positions", "orders", "alarms", "sources", "suggestions")
"""Tables the window always needs: keys, banner and mode strip read them whatever is on screen."""


class LinkState(StrEnum):
    """How the window stands to its engine."""

    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"
    CLOSED = "closed"


class EngineBridge(QObject):
    """Commands down, frames and notices up, reconnecting for as long as the window lives."""

    rows_changed = Signal(str, object, object, bool)
    """table, rows, removed keys, reset."""
    quotes = Signal(object)
    bar = Signal(object)
    depth = Signal(object)
    tape = Signal(object)
    """A tuple of prints."""
    notice = Signal(object)
    link_changed = Signal(str, str)
    """LinkState and a plain sentence."""
    silence_changed = Signal(bool)
    """The engine is connected and has said nothing for a while (True), or speaks again."""
    answered = Signal(object, object)
    """Command and receipt of every fired command."""
    failed = Signal(object, str)
    """Command and a plain sentence: it could not be delivered, or its outcome is not known."""

    def __init__(self, profile: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mirror = Mirror()
        self.link = LinkState.CONNECTING
        self.engine_pid = 0
        self.silent = False
        self._heard = 0.0
        self._profile = profile
        self._client: EngineClient | None = None
        self._last_notice = -1
        self._follow = Follow(tables=ALWAYS)
        self._wishes: dict[str, Follow] = {}
        self._closing = False
        self._tasks = TaskOwner(self._on_task_error)
        self._wake = asyncio.Event()
        self._follow_due = False
        self._attending: asyncio.Task[None] | None = None

    # --- life

    def start(self) -> None:
        """Begin to look for the engine; needs a running loop."""
        self._attending = self._tasks.start(self._attend(), "bridge")

    async def close(self) -> None:
        """Leave the engine; it goes on."""
        self._closing = True
        self._wake.set()
        if self._client is not None:
            with contextlib.suppress(OSError):  # it may be gone already; the goodbye is then not needed
                await self._client.follow(GOODBYE)
            await self._client.close()
        if self._attending is not None:
            # An attempt to connect is let end: cancelled half-way it would leave its socket open.
            await asyncio.wait({self._attending}, timeout=CONNECT_S + 0.5)
        await self._tasks.close()
        self._client = None
        self._say(LinkState.CLOSED, "")

    def knock(self) -> None:
        """Try to connect now instead of at the next turn."""
        self._wake.set()

    # --- down

    async def send(self, command: AnyCommand) -> Receipt:
        """Deliver a command and wait for its receipt. Raises :class:`EngineUnavailable` when the engine is gone."""
        client = self._client
        if client is None:
            raise EngineUnavailable("the engine is not connected")
        return await client.send(command)

    def fire(self, command: AnyCommand) -> "asyncio.Task[None]":
        """Deliver a command in a task of the bridge; ``answered`` or ``failed`` tells the outcome."""
        return self._tasks.start(self._fire(command), f"send {type(command).__name__}")

    async def _fire(self, command: AnyCommand) -> None:
        try:
            receipt = await self.send(command)
        except (EngineUnavailable, OSError, msgspec.MsgspecError) as error:
            self.failed.emit(command, str(error))
        else:
            self.answered.emit(command, receipt)

    def halt(self, command: Halt) -> None:
        """STOP, by every road there is: the socket first, the flag file when no answer comes. Never waits."""
        self._tasks.start(self._halt(command), "halt")

    async def _halt(self, command: Halt) -> None:
        client = self._client
        if client is None:
            self.failed.emit(command, self._raise_flag(command))
            return
        sending = self._tasks.start(client.send(command), "halt-send")
        done, _ = await asyncio.wait({sending}, timeout=HALT_ANSWER_S)
        if done and not sending.cancelled() and sending.exception() is None:
            self.answered.emit(command, sending.result())
        else:
            self.failed.emit(command, self._raise_flag(command))

    def _raise_flag(self, command: Halt) -> str:
        try:
            leave_halt_flag(self._profile, flatten=command.flatten)
        except OSError as error:
            return f"STOP reached neither the engine nor the disk ({error.strerror}): cancel at the broker yourself"
        if command.flatten:
            return (
                f"the engine does not answer; the flag {HALT_FLAG} is set and it will halt and close every position "
                "when it reads it"
            )
        return f"the engine does not answer; the flag {HALT_FLAG} is set and it will halt when it reads it"

    # --- what is wanted

    def want(self, who: str, follow: Follow | None) -> None:
        """Say what the pane ``who`` shows now; ``None`` when it is hidden. Wishes of all panes are joined."""
        if follow is None:
            self._wishes.pop(who, None)
        else:
            self._wishes[who] = follow
        self._refollow()

    def _refollow(self) -> None:
        wishes = self._wishes.values()
        joined = Follow(
            tables=_union(ALWAYS, *(wish.tables for wish in wishes)),
            quotes=any(wish.quotes for wish in wishes),
            bars=_union(*(wish.bars for wish in wishes)),
            depth=_union(*(wish.depth for wish in wishes)),
            tape=_union(*(wish.tape for wish in wishes)),
            notices=True,
            rate_hz=max((wish.rate_hz for wish in wishes), default=30.0),
        )
        if joined != self._follow:
            self._follow = joined
            if self._client is not None and not self._follow_due:
                self._follow_due = True
                self._tasks.start(self._send_follow(), "follow")

    async def _send_follow(self) -> None:
        self._follow_due = False
        if self._client is not None:
            try:
                await self._client.follow(self._follow)
            except OSError as error:
                log.info("the wish did not reach the engine: %s", error)

    async def _beat(self, client: EngineClient) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await client.follow(self._follow)
            except OSError as error:
                log.info("a sign of life did not reach the engine: %s", error)
                return

    async def _look(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if now - before > 2 * LOOK_S:
                self._heard = now  # it was this window that stood still: what was said meanwhile waits to be read
            self._set_silent(now - self._heard > SILENT_S)

    def _set_silent(self, silent: bool) -> None:
        if silent != self.silent:
            self.silent = silent
            self.silence_changed.emit(silent)

    def refresh_quotes(self) -> None:
        """Ask for every quote again: a pane has come that missed the first ones."""
        if self._client is not None and self._follow.quotes:
            self._tasks.start(self._send_twice(), "refresh quotes")

    async def _send_twice(self) -> None:
        client = self._client
        if client is not None:
            await client.follow(msgspec.structs.replace(self._follow, quotes=False))
            await client.follow(self._follow)

    @property
    def followed(self) -> Follow:
        return self._follow

    # --- up

    async def _attend(self) -> None:
        delay = FIRST_RETRY_S
        while not self._closing:
            door = read_door(self._profile)
            same = door is not None and door.pid == self.engine_pid
            try:
                client = await EngineClient.connect(
                    self._profile, last_notice=self._last_notice if same else -1, timeout_s=CONNECT_S
                )
            except (EngineUnavailable, msgspec.MsgspecError) as error:
                self._say(LinkState.LOST if self.engine_pid else LinkState.CONNECTING, str(error))
                await self._pause(delay)
                delay = min(LAST_RETRY_S, delay * 1.5)
                continue
            delay = FIRST_RETRY_S
            if self._closing:
                await client.close()
                return
            await self._listen(client)

    async def _listen(self, client: EngineClient) -> None:
        welcome = client.welcome
        if welcome.engine_pid != self.engine_pid:
            self._last_notice = -1
            self.mirror.forget()
        self.engine_pid = welcome.engine_pid
        reason = "the engine is gone"
        try:
            await client.follow(self._follow)
            self._client = client
            text = "notices were missed; the tables show the present" if welcome.missed else ""
            self._say(LinkState.UP, text)
            self._heard = time.monotonic()
            beats = self._tasks.start(self._beat(client), "beats")
            looks = self._tasks.start(self._look(), "listen for silence")
            try:
                async for message in client.messages():
                    self._heard = time.monotonic()
                    self._take(message)
            finally:
                beats.cancel()
                looks.cancel()
                self._set_silent(False)
        except OSError as error:
            reason = f"the connection to the engine broke: {error}"
        finally:
            self._client = None
            await client.close()
        if not self._closing:
            self._say(LinkState.LOST, reason)

    def _take(self, message: AnyUp) -> None:
        if isinstance(message, Frame):
            self._take_frame(message)
        elif isinstance(message, RowsChanged):
            self.mirror.take_rows(message.table, message.rows, message.removed, message.reset)
            self.rows_changed.emit(message.table, message.rows, message.removed, message.reset)
        elif isinstance(message, Notice):
            self._last_notice = max(self._last_notice, message.seq)
            self.notice.emit(message)

    def _take_frame(self, frame: Frame) -> None:
        if frame.quotes is not None:
            self.mirror.take_quotes(frame.quotes)
            self.quotes.emit(frame.quotes)
        for bar in frame.bars:
            self.bar.emit(bar)
        for block in frame.depth:
            self.depth.emit(block)
        if frame.tape:
            self.tape.emit(frame.tape)

    # --- small

    async def _pause(self, seconds: float) -> None:
        """Sleep in short steps, so that a knock or the end is heard (a cancelled long timer would stay in Qt)."""
        left = seconds
        while left > 0 and not self._wake.is_set():
            step = min(left, 0.1)
            await asyncio.sleep(step)
            left -= step
        if not self._closing:
            self._wake.clear()

    def _say(self, state: LinkState, text: str) -> None:
        changed = state is not self.link
        self.link = state
        if changed or text:
            self.link_changed.emit(state.value, text)

    def _on_task_error(self, name: str, error: BaseException) -> None:
        log.error("task %s of the bridge failed", name, exc_info=error)
        self._say(self.link, f"the window's task '{name}' failed: {error}")


def _union(*parts: Iterable) -> tuple:
    return tuple(dict.fromkeys(item for part in parts for item in part))
