"""T-X2 and T-S1 on a full disk: no fault put into the program, the system itself refuses to let files grow."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from engine.simulation.market.instruments import default_universe
from tests.engine.operations.processes import ROOT, EngineProcess

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs limits of another process (Linux)")
FULL = 4096
"""Bytes beyond which no file of the engine may grow: the journal's log is longer than that already."""


def call(profile: Path, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments, "--profile", str(profile), "--json", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout)


def test_t_x2_a_full_disk_lets_no_order_out_stop_works_and_room_brings_it_back(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    profile.mkdir(mode=0o700)
    engine = EngineProcess(profile, "--speed", "5", "--symbols", "5")
    try:
        engine.wait_for_the_door()
        symbol = default_universe()[0].symbol
        first = {"ok": False}
        for quantity in range(10, 40):
            first = call(profile, "order", f"buy {symbol} {quantity}")
            if first["ok"]:
                break
        assert first["ok"], first
        held = engine.status()["orders"]
        before = resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (FULL, before[1]))
        refused = call(profile, "order", f"buy {symbol} 51")
        assert not refused["ok"]
        refs = {order["ref"] for order in engine.status()["orders"] if order.get("working")}
        assert refs <= {order["ref"] for order in held} | {first.get("ref", "")}
        stopped = call(profile, "halt")
        assert stopped["ok"], stopped
        assert engine.status()["mode"] == "HALTED"
        assert engine.process.poll() is None, "a full disk ends nothing"
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, before)
        assert not call(profile, "order", f"buy {symbol} 52")["ok"], "halted it stays"
    finally:
        engine.end()
    last = EngineProcess(profile, "--speed", "5", "--symbols", "5")
    try:
        last.wait_for_the_door()
        assert last.status()["mode"] == "HALTED", "also after a restart"
    finally:
        last.end()
