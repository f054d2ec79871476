"""mcp: tools for an assistant, on standard input and output; a client of the engine like any other."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping

from cli.commands import read_settings
from cli.compose import VERSION
from cli.talk import BAD_ARGUMENTS, DONE, complain
from config.errors import ConfigError
from config.paths import Profile
from config.sections import ServeSettings
from engine.runtime.journal_of_program import configure_log
from service.mcp.stdio import converse


def mcp(profile: Profile, args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Talk until the input ends; return the exit code. Nothing but the protocol goes to standard output."""
    try:
        settings = read_settings(profile, args, environment).serve
    except ConfigError as error:
        complain(str(error))
        return BAD_ARGUMENTS
    configure_log(profile.root / "logs", to_terminal=False, name="mcp.jsonl")
    asyncio.run(_run(profile, settings))
    return DONE


async def _run(profile: Profile, settings: ServeSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows' event loop takes no signal handlers; there Ctrl+C ends it as KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    rate = settings.requests_per_second
    await converse(profile.root, VERSION, settings.trade, rate, sys.stdin.fileno(), sys.stdout.fileno(), stop)
