"""A gateway from a JSON script: settings, prices, faults, and steps in time or after events."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.tws_gateway.config import GatewayConfig
from tests.support.tws_gateway.market import decimal
from tests.support.tws_gateway.server import ACTIONS, TwsGateway

KEYS = frozenset({"config", "prices", "positions", "walk", "faults", "steps"})


def read_config(values: dict[str, Any]) -> GatewayConfig:
    """Read the `config` object; an unknown key is an error that names it."""
    known = {f.name for f in fields(GatewayConfig)}
    unknown = set(values) - known
    if unknown:
        raise ValueError(f"config: unknown keys {sorted(unknown)}; known: {sorted(known)}")
    ready = dict(values)
    if "accounts" in ready:
        ready["accounts"] = tuple(ready["accounts"])
    for name, kind in (("accents", tuple), ("generic_ticks", frozenset)):
        if name in ready:
            ready[name] = kind(ready[name])
    if "start" in ready:
        ready["start"] = datetime.fromisoformat(ready["start"])
    if ready.get("collar_percent") is not None:
        ready["collar_percent"] = decimal(ready["collar_percent"])
    return GatewayConfig(**ready)


def load(path: Path) -> dict[str, Any]:
    """Read and check a script file."""
    script = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(script, dict) or set(script) - KEYS:
        raise ValueError(f"{path.name}: the script is an object with keys {sorted(KEYS)}")
    for number, step in enumerate(script.get("steps", [])):
        check_step(step, f"{path.name}: step {number}")
    return script


def check_step(step: dict[str, Any], where: str) -> None:
    if ("do" in step) == ("fault" in step):
        raise ValueError(f"{where}: needs exactly one of 'do' and 'fault'")
    if "do" in step and step["do"] not in ACTIONS:
        raise ValueError(f"{where}: unknown action {step['do']!r}")
    if set(step) - {"at", "do", "fault", "with"}:
        raise ValueError(f"{where}: unknown keys {sorted(set(step) - {'at', 'do', 'fault', 'with'})}")


def perform(gateway: TwsGateway, step: dict[str, Any]) -> object:
    """Do one step now."""
    if "fault" in step:
        return gateway.faults.add(step["fault"], **step.get("with", {}))
    return gateway.do(step["do"], step.get("with", {}))


def apply(gateway: TwsGateway, script: dict[str, Any]) -> None:
    """Set prices, positions and faults, and schedule the steps; the gateway must be running."""
    for symbol, price in script.get("prices", {}).items():
        gateway.set_price(symbol, price)
    for row in script.get("positions", []):
        gateway.transfer(**row)
    if "walk" in script:
        gateway.walk(**script["walk"])
    for fault in script.get("faults", []):
        gateway.faults.add(fault["name"], **{k: v for k, v in fault.items() if k != "name"})
    for step in script.get("steps", []):
        gateway.later(float(step.get("at", 0.0)), partial(perform, gateway, step))
