"""The gateway as a process of its own, and the scripts that drive it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ib_async import IB, LimitOrder

from tests.support.tws_gateway import script
from tests.support.tws_gateway.client import place, qualified, until
from tests.support.tws_gateway.process import GatewayProcess

# -- process and script -------------------------------------------------------------------------


async def test_the_gateway_runs_as_its_own_process_from_a_script(tmp_path: Path, repo_dir: Path) -> None:
    plan = {
        "config": {"accounts": ["DU9"], "start": "2024-01-05T15:00:00+00:00"},
        "prices": {"AAPL": 100},
        "positions": [{"symbol": "MSFT", "quantity": 5, "cost": 400}],
        "faults": [{"name": "lost_order", "ref": "lost"}],
        "steps": [{"at": 0.0, "do": "set_price", "with": {"symbol": "NVDA", "price": 99}}],
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    command = [sys.executable, "-m", "tests.support.tws_gateway", "--script", str(tmp_path / "plan.json"), "--control"]
    command += [
        "--ledger",
        str(tmp_path / "ledger.json"),
        "--wire-log",
        str(tmp_path / "wire.jsonl"),
        "--seconds",
        "60",
    ]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=repo_dir, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    port = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["port"]

    async def ask(**step: Any) -> Any:
        process.stdin.write(json.dumps(step).encode() + b"\n")
        return json.loads(await asyncio.wait_for(process.stdout.readline(), 10))

    ib = IB()
    await ib.connectAsync("127.0.0.1", port, 3, raiseSyncErrors=True)
    assert [(p.account, p.position) for p in ib.positions()] == [("DU9", 5)]
    aapl = await qualified(ib, "AAPL")
    await place(ib, aapl, LimitOrder("BUY", 10, 100.5, orderRef="lost"))
    await place(ib, aapl, LimitOrder("BUY", 10, 100.5, orderRef="kept"))
    counts = await ask(do="counts")
    assert counts["place_frames"] == {"lost": 1, "kept": 1}
    assert (await ask(do="snapshot"))["snapshot"]["orders"][0]["ref"] == "kept"
    assert (await ask(do="fly"))["ok"] is False
    assert (await ask(do="fired")) == {"ok": True, "never_fired": []}
    assert (await ask(do="stop"))["ok"] is True
    assert await asyncio.wait_for(process.wait(), 10) == 0
    ib.disconnect()
    ledger = json.loads((tmp_path / "ledger.json").read_text())
    assert [e["ref"] for e in ledger["executions"]] == ["kept"]
    assert len((tmp_path / "wire.jsonl").read_text().splitlines()) > 20


async def test_blocking_code_steers_a_gateway_process() -> None:
    with GatewayProcess({"prices": {"AAPL": 100}}) as process:
        process.fault("reject", ref="no")
        ib = IB()
        await ib.connectAsync("127.0.0.1", process.port, 3, raiseSyncErrors=True)
        aapl = await qualified(ib, "AAPL")
        await place(ib, aapl, LimitOrder("BUY", 10, 99, orderRef="no"))
        trade = await place(ib, aapl, LimitOrder("BUY", 10, 99, orderRef="yes"))
        process.do("set_price", symbol="AAPL", price=98)
        await until(lambda: trade.orderStatus.status == "Filled", "the fill")
        assert [e["ref"] for e in process.snapshot()["executions"]] == ["yes"]
        assert process.counts()["place_frames"] == {"no": 1, "yes": 1}
        assert process.never_fired() == []
        with pytest.raises(ValueError, match="unknown action"):
            process.do("fly")
        ib.disconnect()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"stepz": []}, "the script is an object"),
        ({"steps": [{"at": 1}]}, "exactly one of"),
        ({"steps": [{"do": "fly"}]}, "unknown action"),
        ({"steps": [{"do": "drop", "when": 1}]}, "unknown keys"),
    ],
)
def test_a_script_with_a_mistake_is_refused_by_step(tmp_path: Path, plan: dict[str, Any], message: str) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(ValueError, match=message):
        script.load(tmp_path / "plan.json")


def test_an_unknown_setting_in_a_script_is_named() -> None:
    with pytest.raises(ValueError, match="colour"):
        script.read_config({"colour": "red"})
