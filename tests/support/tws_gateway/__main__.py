"""`python -m tests.support.tws_gateway --port N --script FILE`: the gateway as its own process."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.support.tws_gateway import script as scripts
from tests.support.tws_gateway.server import TwsGateway


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tws_gateway", description="A TWS gateway for tests, on 127.0.0.1 only.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the port is printed as JSON")
    parser.add_argument("--script", type=Path, help="JSON: config, prices, positions, walk, faults, steps")
    parser.add_argument("--seconds", type=float, default=600.0, help="stop by itself after this long")
    parser.add_argument("--wire-log", type=Path, help="write every frame to this file, one JSON line each")
    parser.add_argument("--ledger", type=Path, help="write the ledger to this file at the end")
    parser.add_argument("--control", action="store_true", help="read steps as JSON lines from stdin, answer on stdout")
    return parser.parse_args(argv)


def answer(gateway: TwsGateway, line: str) -> dict[str, Any]:
    """Perform one control line: a step, {"do": "snapshot"}, {"do": "counts"}, {"do": "fired"} or {"do": "stop"}."""
    try:
        step = json.loads(line)
        special = step.get("do") if isinstance(step, dict) else None
        if special == "snapshot":
            return {"ok": True, "snapshot": gateway.ledger.snapshot()}
        if special == "counts":
            last = {"last_place_ns": gateway.last_place_ns(), "last_cancel_ns": gateway.last_cancel_ns()}
            last["ticks"] = 0 if gateway.storm is None else gateway.storm.sent
            return {"ok": True, "place_frames": gateway.place_counts(), "clients": len(gateway.sessions), **last}
        if special == "fired":
            return {"ok": True, "never_fired": gateway.faults.never_fired()}
        if special == "stop":
            gateway.stopped.set()
            return {"ok": True}
        scripts.check_step(step, "control")
        scripts.perform(gateway, step)
    except (ValueError, LookupError, TypeError) as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}
    return {"ok": True}


async def control(gateway: TwsGateway) -> None:
    """Serve stdin until it ends; then stop."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(answer(gateway, line.decode())), flush=True)
        if gateway.stopped.is_set():
            return
    gateway.stopped.set()


async def run(args: argparse.Namespace) -> None:
    script: dict[str, Any] = scripts.load(args.script) if args.script else {}
    gateway = TwsGateway(scripts.read_config({"lifetime": args.seconds, **script.get("config", {})}))
    if args.wire_log:
        gateway.wire.open_file(args.wire_log)
    port = await gateway.start(args.port)
    scripts.apply(gateway, script)
    print(json.dumps({"port": port}), flush=True)
    reading = asyncio.create_task(control(gateway)) if args.control else None
    try:
        await gateway.stopped.wait()
    finally:
        if reading is not None:
            reading.cancel()
        await gateway.stop()
        if args.ledger:
            args.ledger.write_text(json.dumps(gateway.ledger.snapshot()), encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    try:
        asyncio.run(run(args))
    except (OSError, ValueError) as error:
        print(f"tws_gateway: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
