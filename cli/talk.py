"""Talking to the running engine: connect, send one command, print the answer."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import AnyCommand, Receipt

DONE, FAILED, BAD_ARGUMENTS = 0, 1, 2


def ask(profile: Path, command: AnyCommand, timeout_s: float = 30.0) -> Receipt:
    """Send ``command`` to the engine of ``profile``. Raises :class:`EngineUnavailable` with a plain sentence."""

    async def talk() -> Receipt:
        client = await EngineClient.connect(profile, client="cli")
        try:
            async with asyncio.timeout(timeout_s):
                return await client.send(command)
        except TimeoutError as error:
            raise EngineUnavailable(f"the engine did not answer within {timeout_s:.0f} s") from error
        finally:
            await client.close()

    return asyncio.run(talk())


def print_json(target: str, value: Any) -> None:
    """Write ``value`` as JSON to a file, or to standard output for ``-``."""
    text = json.dumps(msgspec.to_builtins(value, str_keys=True), indent=2, ensure_ascii=False, default=str)
    if target == "-":
        print(text)
    else:
        Path(target).write_text(text + "\n", encoding="utf-8")


def complain(text: str) -> None:
    """One plain line on standard error."""
    print(text, file=sys.stderr)


def answer(
    profile: Path,
    command: AnyCommand,
    json_target: str | None,
    show: Callable[[Receipt], None],
    as_json: Callable[[Receipt], Any],
) -> int:
    """Send a command and print its receipt as text or JSON; return the exit code."""
    try:
        receipt = ask(profile, command)
    except EngineUnavailable as error:
        complain(str(error))
        return FAILED
    if json_target:
        print_json(json_target, as_json(receipt))
    elif receipt.ok:
        show(receipt)
    if not receipt.ok and not json_target:
        complain(f"{receipt.code} {receipt.text}".strip())
        for denial in receipt.denials:
            complain(f"  {denial.code}  {denial.text}")
    return DONE if receipt.ok else FAILED
