"""The engine's process: start it, watch it, restart it with patience, stop it, or leave it running."""

import contextlib
import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from engine.api.door import read_door
from engine.api.starting import StartStep, read_start, remove_start
from market_agent_gui.translate import say

log = logging.getLogger(__name__)

WATCH_MS = 200
BACK_OFF_S = (1.0, 3.0, 10.0)
CRASHES = 3
CRASH_WINDOW_S = 15 * 60.0
BAD_SETTINGS = 2
TAIL_LINES = 12
ERRORS_FILE = "engine-errors.log"
STEPS = {
    StartStep.HISTORY: "starting the engine: loading history",
    StartStep.COMPILING: "starting the engine: compiling the numeric kernels, first start only, up to a minute or two",
    StartStep.BOOKS: "starting the engine: taking up orders and positions",
}
"""What a start is doing, in words."""


class Phase(StrEnum):
    """Where the engine's process stands, as far as this window knows."""

    ABSENT = "absent"
    STARTING = "starting"
    RUNNING = "running"
    ATTACHED = "attached"
    """Running, started by somebody else."""
    STOPPED = "stopped"
    WAITING = "waiting"
    """Died; will be started again in a moment."""
    BAD_SETTINGS = "bad settings"
    DOWN = "down"
    """Died too often (G38): stays down until a person starts it."""


class HostState(msgspec.Struct, frozen=True, kw_only=True):
    phase: Phase
    text: str = ""
    exit_code: int | None = None
    last_lines: tuple[str, ...] = ()


class EngineHost(QObject):
    """Owns at most one engine process."""

    changed = Signal(object)
    """A :class:`HostState`."""

    def __init__(
        self,
        profile: Path,
        command: Sequence[str],
        parent: QObject | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        back_off_s: Sequence[float] = BACK_OFF_S,
    ) -> None:
        super().__init__(parent)
        self.state = HostState(phase=Phase.ABSENT)
        self._profile = profile
        self._command = list(command)
        self._monotonic = monotonic
        self._back_off_s = back_off_s
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._crashes: deque[float] = deque(maxlen=CRASHES)
        self._watch = QTimer(self, interval=WATCH_MS)
        self._watch.timeout.connect(self._look)
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self.start)

    @property
    def owns(self) -> bool:
        """Whether this window started the engine that runs now."""
        return self._process is not None

    @property
    def errors_file(self) -> Path:
        return self._profile / "logs" / ERRORS_FILE

    def start(self) -> None:
        """Start the engine, unless one runs for this profile already."""
        if self._process is not None:
            return
        self._stopping = False
        self._again.stop()
        if engine_runs(self._profile):
            self._set(Phase.ATTACHED, "attached to the engine that runs for this profile")
            return
        try:
            self.errors_file.parent.mkdir(parents=True, exist_ok=True)
            # What a start that was cut off said is not what this one does.
            remove_start(self._profile)
            with self.errors_file.open("wb") as errors:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=errors, stderr=subprocess.STDOUT, **_apart()
                )
        except OSError as error:
            self._set(Phase.DOWN, f"the engine cannot be started: {error}")
            return
        self._watch.start()
        self._set(Phase.STARTING, say("starting the engine"))

    def retry(self) -> None:
        """A person asks for another start: earlier crashes no longer count."""
        self._crashes.clear()
        self.start()

    def on_link(self, up: bool) -> None:
        """The bridge tells whether it speaks with the engine."""
        if up:
            self._set(Phase.RUNNING if self.owns else Phase.ATTACHED, "")
        elif not self.owns and self.state.phase is Phase.ATTACHED and not self._stopping:
            self._set(Phase.ABSENT, "the engine that was running has ended")
            self._again.start(int(self._back_off_s[0] * 1000))

    def expect_exit(self) -> None:
        """The engine was asked to stop: its end is no crash."""
        self._stopping = True
        self._again.stop()

    def leave(self) -> None:
        """Let the engine run on after this window."""
        self._stopping = True
        self._watch.stop()
        self._again.stop()
        if self._process is not None:
            # It is not ours any more; without this the interpreter would warn about a child still running.
            self._process.returncode = 0
            self._process = None

    def stop_now(self) -> None:
        """End the process we started: asks first, kills after five seconds (it was asked to shut down before)."""
        self.expect_exit()
        process, self._process = self._process, None
        self._watch.stop()
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5.0)
        self._set(Phase.STOPPED, "the engine was stopped", process.returncode)

    def gone(self) -> bool:
        """Whether the process we own has ended."""
        self._look()
        return self._process is None

    def _look(self) -> None:
        process = self._process
        if process is None:
            return
        if (code := process.poll()) is None:
            step = read_start(self._profile) if self.state.phase is Phase.STARTING else None
            if step is not None:
                self._set(Phase.STARTING, say(STEPS[step]))
            return
        self._process = None
        self._watch.stop()
        lines = last_lines(self.errors_file)
        if self._stopping or code == 0:
            self._set(Phase.STOPPED, "the engine has stopped", code, lines)
        elif code == BAD_SETTINGS:
            text = next((line for line in reversed(lines) if line.strip()), "the settings are not right")
            self._set(Phase.BAD_SETTINGS, text, code, lines)
        else:
            self._on_crash(code, lines)

    def _on_crash(self, code: int, lines: tuple[str, ...]) -> None:
        now = self._monotonic()
        self._crashes.append(now)
        recent = [at for at in self._crashes if now - at <= CRASH_WINDOW_S]
        ended = describe_exit(code)
        log.error("engine ended: %s; %s", ended, " | ".join(lines))
        if len(recent) >= CRASHES:
            text = f"the engine ended {CRASHES} times within 15 minutes ({ended}) and stays down (G38)"
            self._set(Phase.DOWN, text, code, lines)
            return
        wait = self._back_off_s[min(len(recent) - 1, len(self._back_off_s) - 1)]
        self._set(Phase.WAITING, f"the engine ended ({ended}); starting it again in {wait:g} s", code, lines)
        self._again.start(int(wait * 1000))

    def _set(self, phase: Phase, text: str, code: int | None = None, lines: tuple[str, ...] = ()) -> None:
        state = HostState(phase=phase, text=text, exit_code=code, last_lines=lines)
        if state != self.state:
            self.state = state
            self.changed.emit(state)


def describe_exit(code: int) -> str:
    """Say an exit code in words: a signal by its name."""
    if code < 0:
        import signal

        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def last_lines(path: Path, count: int = TAIL_LINES) -> tuple[str, ...]:
    """Return the last lines of a text file, nothing when it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]


def engine_runs(profile: Path) -> bool:
    """Whether somebody listens behind the profile's door."""
    import socket

    door = read_door(profile)
    if door is None:
        return False
    family, address = (socket.AF_UNIX, door.path) if door.kind == "unix" else (socket.AF_INET, ("127.0.0.1", door.port))
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def _apart() -> dict[str, object]:
    """Keep a Ctrl+C in the terminal of the window away from the engine: the window stops it in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
