"""The program as its guide says it is used, against gateways that it has not seen: another process, another accent.

A suggestion is approved in the shell, its bracket goes out, the line breaks, and at the end the books of both agree.
"""

import json
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.tws_gateway.process import ROOT, GatewayProcess

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process there")]

SYMBOLS = ("AAPL", "MSFT", "NVDA")
STRATEGY = """
id: minute
title: Every minute
horizon: day
bar_seconds: 60
long: {enter: [close > 0]}
base_score: 0.7
min_score: 0.5
stop_atr: 4.0
target_atr: 8.0
risk_percent: 0.1
expires_bars: 5
cooldown_bars: 2
entry: touch
"""
WALK = {"symbols": list(SYMBOLS), "sigma": 0.00003}
OPEN = "open all day"
"""The exchange of these tests never closes, so that they hold on every day and at every hour."""

GATEWAYS: dict[str, dict[str, Any]] = {
    "plain": {"config": {"accents": [OPEN]}},
    "sparse": {
        "config": {
            "version": 166,
            "accents": ["ids first", "no bundled trades", "no time", "no cash by currency"],
            "generic_ticks": [],
        },
        "faults": [
            {"name": "swallow", "messages": ["COMPLETED_ORDERS", "MARKET_RULE"]},
            {"name": "refuse", "messages": ["TICK_BY_TICK"], "code": 10189, "text": "not subscribed"},
        ],
    },
    "strange": {
        "config": {
            "accents": [
                OPEN,
                "several listings",
                "no market rules",
                "single trades never come",
                "sizes apart",
                "no data type",
                "executions in UTC",
                "executions without reference",
                "plain history",
            ],
            "literal_data_type": True,
        },
        "faults": [
            {"name": "execution_first", "times": None},
            {"name": "late_commission", "seconds": 10.0},
            {"name": "refuse", "messages": ["TICK_BY_TICK", "MKT_DEPTH"], "code": 354, "text": "not subscribed"},
        ],
    },
    "no history of days": {
        "config": {"accents": [OPEN]},
        "faults": [
            {"name": "refuse", "messages": ["HISTORICAL_DATA"], "code": 162, "text": "no permissions", "times": 2}
        ],
    },
}


class Program:
    """``main.py run`` in a profile, and ``main.py`` beside it."""

    def __init__(self, profile: Path, port: int, *args: str) -> None:
        self.profile = profile
        (profile / "strategies").mkdir(parents=True)
        profile.chmod(0o700)
        (profile / "strategies" / "minute.yaml").write_text(STRATEGY)
        (profile / "settings.yaml").write_text(
            "broker: {kind: ibkr}\n"
            f"ibkr: {{port: {port}, account: DU1234567, client_id: 31, retry_first_s: 0.5}}\n"
            f"universe: [{', '.join(SYMBOLS)}]\n"
        )
        self.out = (profile / "out").open("w+")
        command = [sys.executable, "main.py", "run", "--profile", str(profile), *args]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=self.out, stderr=subprocess.STDOUT)

    def call(self, *args: str) -> Any:
        done = subprocess.run(
            [sys.executable, "main.py", *args, "--profile", str(self.profile), "--json", "-"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def wait(self, seconds: float, ready: Any) -> Any:
        until = time.monotonic() + seconds
        while True:
            found = ready()
            if found:
                return found
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.5)

    def said(self) -> str:
        log = self.profile / "logs" / "engine.jsonl"
        return (self.profile / "out").read_text()[-2000:] + (log.read_text()[-4000:] if log.exists() else "")

    def approved(self) -> str:
        """Approve whatever is proposed; what the market has left is priced anew first."""
        for row in self.call("suggestions", "list") or []:
            answer = self.call("suggestions", "approve", row["id"])
            if not answer.get("ok"):
                self.call("suggestions", "requote", row["id"])
                answer = self.call("suggestions", "approve", row["id"])
            if answer.get("ok"):
                return str(row["symbol"])
        return ""

    def end(self) -> str:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self.out.close()
        return (self.profile / "out").read_text()


@pytest.mark.parametrize("name", GATEWAYS)
def test_an_approved_suggestion_is_a_bracket_that_survives_a_drop_and_the_books_end_equal(
    tmp_path: Path, name: str
) -> None:
    script = {"prices": {"AAPL": 190, "MSFT": 410, "NVDA": 120}, "walk": WALK, **GATEWAYS[name]}
    if OPEN not in script["config"]["accents"]:
        script["config"]["accents"].append(OPEN)
    with GatewayProcess(script) as gateway:
        program = Program(tmp_path / "profile", gateway.port)
        try:
            symbol = program.wait(150, program.approved)
            program.wait(
                30, lambda: [o for o in gateway.snapshot()["orders"] if o["symbol"] == symbol and o["filled"] != "0"]
            )
            gateway.do("drop")
            program.wait(30, lambda: program.call("status").get("link") == "up")
            family = [o for o in gateway.snapshot()["orders"] if o["symbol"] == symbol]
            assert len(family) == 3
            assert all(count == 1 for count in gateway.counts()["place_frames"].values())
            time.sleep(25)
        finally:
            said = program.end()
        snapshot = gateway.snapshot()
    assert "our books and the broker's agree" in said, program.said()
    cash = Decimal(snapshot["cash"]["DU1234567:USD"])
    line = next(row for row in said.splitlines() if row.startswith("cash "))
    assert abs(Decimal(line.split("'USD': '")[1].split("'")[0]) - cash) < Decimal("0.01")
    for row in snapshot["positions"]:
        assert f"'{row['symbol']}': '{Decimal(row['quantity']).normalize():f}" in line


def test_an_exchange_that_is_told_closed_is_not_traded(tmp_path: Path) -> None:
    script = {
        "prices": {"AAPL": 190, "MSFT": 410, "NVDA": 120},
        "walk": WALK,
        "config": {"accents": ["closed"]},
    }
    with GatewayProcess(script) as gateway:
        program = Program(tmp_path / "profile", gateway.port, "--auto")
        try:
            program.wait(30, lambda: program.call("status").get("link") == "up")
            time.sleep(70)
            answer = program.call("order", "buy AAPL 10 @ 190 stop 185")
            assert not answer["ok"]
            assert "G25" in [denial["code"] for denial in answer["denials"]]
        finally:
            program.end()
        assert gateway.snapshot()["orders"] == []
