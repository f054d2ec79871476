"""watchdog: a second process that looks whether the engine lives."""

import argparse
import asyncio
import sys
from pathlib import Path

from cli.talk import BAD_ARGUMENTS, DONE, complain
from engine.bus.clock import LiveClock
from engine.operations.watchdog import watch

MAIN = Path(__file__).resolve().parent.parent / "main.py"


def guard(profile: Path, args: argparse.Namespace) -> int:
    """Watch until stopped. The engine is started again without ``--auto``: a person arms it anew."""
    if args.start and args.start[0] != "run":
        complain(f"watchdog -- {args.start[0]}: only run can be started again")
        return BAD_ARGUMENTS
    restart = [sys.executable, str(MAIN), *args.start] if args.start else []
    asyncio.run(watch(profile, LiveClock(), restart, complain))
    return DONE
