"""A real engine process on a profile: started, found, killed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from cli.talk import ask
from engine.api.client import EngineUnavailable
from engine.api.commands import GetStatus
from engine.api.door import read_door

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120.0


def command_line(profile: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "main.py"), "run", "--demo", "--quiet", "--profile", str(profile), *arguments]


class EngineProcess:
    """``main.py run --demo`` in a process of its own."""

    def __init__(self, profile: Path, *arguments: str) -> None:
        self.profile = profile
        self.process = subprocess.Popen(command_line(profile, *arguments), stderr=subprocess.PIPE, text=True)

    def wait_for_the_door(self) -> None:
        """Until this very process listens."""
        deadline = time.monotonic() + PATIENCE_S
        while (door := read_door(self.profile)) is None or door.pid != self.process.pid:
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline, "the engine did not open its door"
            time.sleep(0.02)

    def status(self) -> dict:
        return status(self.profile)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def end(self) -> None:
        """Ask it to stop, and wait for its exit in order."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, errors


def status(profile: Path) -> dict:
    """What ``main.py status --json`` says; asks again while the engine is busy with its start."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return json.loads(json.dumps(ask(profile, GetStatus(by="cli")).data, default=str))
        except EngineUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.1)
