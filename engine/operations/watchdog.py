"""The watchdog: a small process of its own that notices when the engine is gone, says so and starts it again.

Nothing heavy is imported here and nothing of the engine runs here: it reads two files, knocks at the door, and tells a
person what still works at the broker without us.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.door import read_door
from engine.bus.clock import SECOND, Clock
from engine.operations.notify import Notifier
from engine.operations.page import PAGE, steps, working_orders

LOCK_FILE = "engine.lock"
LOOK_EVERY_S = 1.0
KNOCK_EVERY_S = 5.0
DEAF_AFTER_S = 10.0
"""A door that lets nobody in for this long: the engine hangs, or its process number belongs to somebody else now."""
STARTS, MINUTES = 3, 15.0
NEVER_AGAIN = frozenset({"--auto"})
"""Arguments that a restart leaves out: what arms the agent is a person's, each time."""


class Health(StrEnum):
    """What the watchdog sees."""

    ABSENT = "absent"
    """No engine, and none was lost: never started, or stopped in order."""
    STARTING = "starting"
    ALIVE = "alive"
    DEAF = "deaf"
    """The process is there and does not answer."""
    DEAD = "dead"
    """The process is gone and did not say goodbye."""


class Sight(NamedTuple):
    health: Health
    pid: int | None


class Watchdog:
    """Watches the engine of one profile until it is told to stop."""

    def __init__(
        self,
        profile: Path,
        clock: Clock,
        notifier: Notifier,
        restart: Sequence[str] = (),
        *,
        say: Callable[[str], None],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """``restart``: the command line that starts the engine again; empty only tells. ``say`` gets plain lines."""
        self._profile, self._clock, self._notifier = profile, clock, notifier
        self._restart = tuple(part for part in restart if part not in NEVER_AGAIN)
        self._say, self._every_s = say, look_every_s
        self._children: list[subprocess.Popen[bytes]] = []
        self._ends: deque[int] = deque()
        self._told: int | None = None
        self._deaf_since: int | None = None
        self._knocked_ns = 0
        self._stopping = asyncio.Event()
        self.restarts = 0

    def stop(self) -> None:
        """End the watch soon; an engine that was started goes on."""
        self._stopping.set()

    async def run(self) -> None:
        """Look once a second."""
        self._say(f"watching {self._profile}")
        while not self._stopping.is_set():
            await self.look()
            try:
                async with asyncio.timeout(self._every_s):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def look(self) -> Health:
        """Look once and do what follows from it."""
        if any(child.poll() for child in self._children):
            # It ended with an error, perhaps before it could even take the profile: that end is told too.
            self._told = None
        self._children = [child for child in self._children if child.returncode is None]
        seen = await self.see()
        if seen.health in (Health.DEAD, Health.DEAF) and self._told != seen.pid:
            self._told = seen.pid
            self._mourn(seen)
        elif seen.health is Health.ALIVE:
            self._told = None
        return seen.health

    # --- seeing

    async def see(self) -> Sight:
        """Read the lock file and the door, and knock now and then."""
        pid = lock_holder(self._profile)
        if pid is None:
            self._deaf_since = None
            return Sight(Health.ABSENT, None)
        if not is_running(pid):
            self._deaf_since = None
            return Sight(Health.DEAD, pid)
        door = read_door(self._profile)
        if door is None or door.pid != pid:
            self._deaf_since = None
            return Sight(Health.STARTING, pid)
        now = self._clock.monotonic()
        if now - self._knocked_ns >= KNOCK_EVERY_S * SECOND or self._deaf_since is not None:
            self._knocked_ns = now
            if await self._answers():
                self._deaf_since = None
            elif self._deaf_since is None:
                self._deaf_since = now
        deaf = self._deaf_since is not None and self._clock.monotonic() - self._deaf_since >= DEAF_AFTER_S * SECOND
        return Sight(Health.DEAF if deaf else Health.ALIVE, pid)

    async def _answers(self) -> bool:
        try:
            client = await EngineClient.connect(self._profile, client="watchdog")
        except (EngineUnavailable, ConnectionError):
            return False
        await client.close()
        return True

    # --- acting

    def _mourn(self, seen: Sight) -> None:
        now = self._clock.now()
        orders = working_orders(self._profile)
        hangs = seen.health is Health.DEAF
        what = f"The engine (process {seen.pid}) {'does not answer' if hangs else 'ended without a goodbye'}."
        again = not hangs and self._may_restart(now)
        plan = (
            "It was not ended: it may still be at work. End it yourself if it stays so."
            if hangs
            else "It is started again; the agent does not trade by itself until a person arms it."
            if again
            else "It is NOT started again."
            + ("" if not self._restart else f" It ended {STARTS} times in {MINUTES:g} min.")
        )
        page = self._profile / PAGE
        try:
            write_private(page, steps(now, what, plan, orders))
        except OSError as error:
            self._say(f"the page with the steps could not be written: {error}")
        self._say(f"{what} {plan} What to do: {page}")
        self._notifier.notify(
            "Market Agent: the engine is gone" if not hangs else "Market Agent hangs", f"{what} {plan}"
        )
        if again:
            self._start()

    def _may_restart(self, now: int) -> bool:
        self._ends.append(now)
        while self._ends and now - self._ends[0] > MINUTES * 60 * SECOND:
            self._ends.popleft()
        return bool(self._restart) and len(self._ends) < STARTS

    def _start(self) -> None:
        try:
            child = subprocess.Popen(
                self._restart, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            self._say(f"it could not be started: {error}")
            self._notifier.notify("Market Agent could not be started again", str(error))
            return
        self._children.append(child)
        self.restarts += 1


def lock_holder(profile: Path) -> int | None:
    """The process that holds the profile by its lock file; None after a stop in order, and when it is unreadable."""
    try:
        return int((profile / LOCK_FILE).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def is_running(pid: int) -> bool:
    """Whether a process of that number runs; a dead one that nobody has waited for does not."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return _is_running_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def _is_running_on_windows(pid: int) -> bool:
    # os.kill would end it there.
    found = subprocess.run(
        ["tasklist", "/FI", f"PID eq {pid}", "/NH"], capture_output=True, text=True, timeout=10, check=False
    )
    return str(pid) in found.stdout


def write_private(path: Path, text: str) -> None:
    """Write a file for the owner alone, whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


async def watch(profile: Path, clock: Clock, restart: Sequence[str], say: Callable[[str], None]) -> None:
    """Run a watchdog until SIGINT or SIGTERM: the whole of ``main.py watchdog``."""
    dog = Watchdog(profile, clock, Notifier(), restart, say=say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, dog.stop)
        except NotImplementedError:  # Windows: Ctrl+C ends it as it ends any program
            break
    await dog.run()
