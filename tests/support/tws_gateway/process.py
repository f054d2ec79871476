"""The gateway in a process of its own, driven from blocking code (journeys, kill tests, widgets)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


class GatewayProcess:
    """Use `with GatewayProcess(script) as gateway`; connect to `gateway.port`, steer with `do` and `fault`."""

    def __init__(self, script: dict[str, Any] | None = None, seconds: float = 300.0) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "script.json"
        path.write_text(json.dumps(script or {}), encoding="utf-8")
        self._command = [sys.executable, "-m", "tests.support.tws_gateway", "--control"]
        self._command += ["--script", str(path), "--seconds", str(seconds)]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> GatewayProcess:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        self.port = int(self._read()["port"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._folder.cleanup()

    def _read(self) -> dict[str, Any]:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError("the gateway process has not been started")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the gateway process ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, step: dict[str, Any]) -> dict[str, Any]:
        """Send one control line and return the answer; an error of the gateway is raised as ValueError."""
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the gateway process has not been started")
        self._process.stdin.write(json.dumps(step) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        if not answer.get("ok"):
            raise ValueError(str(answer.get("error")))
        return answer

    def do(self, action: str, **params: Any) -> None:
        """Perform one of the gateway's actions."""
        self.ask({"do": action, "with": params})

    def fault(self, name: str, **settings: Any) -> None:
        """Arm a fault."""
        self.ask({"fault": name, "with": settings})

    def snapshot(self) -> dict[str, Any]:
        """The ledger: orders, executions, positions, cash, refusals."""
        found: dict[str, Any] = self.ask({"do": "snapshot"})["snapshot"]
        return found

    def counts(self) -> dict[str, Any]:
        """`place_frames` per orderRef, `clients`, `last_place_ns`, `last_cancel_ns`."""
        return self.ask({"do": "counts"})

    def never_fired(self) -> list[str]:
        return list(self.ask({"do": "fired"})["never_fired"])
