"""console: a Python prompt on the running engine, in a process of its own. What fails here harms nobody else."""

import argparse
import ast
import asyncio
import code
import contextlib
import inspect
import os
import pprint
import pydoc
import signal
import sys
import threading
import time
import types
from pathlib import Path
from types import CodeType
from typing import Any

from cli.talk import DONE
from engine.api.client import EngineUnavailable
from engine.api.order_language import OrderTextError
from market_agent_gui.console_marks import READY, answer, asked

HISTORY = "console_history"
HISTORY_LINES = 2_000
ROWS = 60
MOST_NAMES = 200


class LiveConsole(code.InteractiveConsole):
    """The interpreter of the standard library, with ``await`` at the prompt; that runs on the session's loop."""

    def __init__(self, names: dict[str, Any], session: Any) -> None:
        super().__init__(names)
        self._session = session
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def runcode(self, code: CodeType) -> None:
        """Run one statement. An engine that does not answer, and an order that cannot be read, are a line."""
        from cli.live import Refusal

        # A code object becomes a function over the prompt's own names, as the asyncio prompt of the library does it.
        function = types.FunctionType(code, self.locals)  # type: ignore[arg-type]
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                self._session.wait(_entered(function))
            else:
                function()
        except SystemExit:
            raise
        except KeyboardInterrupt:
            self.write("\nKeyboardInterrupt\n")
        except (EngineUnavailable, OrderTextError, Refusal) as error:
            self.write(f"{error}\n")
        except asyncio.CancelledError:
            self.write("cancelled\n")
        except BaseException:  # noqa: BLE001  whatever the person's own code raises is shown, and the prompt comes back
            self.showtraceback()


class PaneConsole(LiveConsole):
    """The same, typed to by the pane of the window: between two lines it says what a beginning can become."""

    def raw_input(self, prompt: str = "") -> str:
        """Wait for a line of Python. Raises ``EOFError`` at the end of the input."""
        sys.stdout.write(f"{prompt}{READY}")
        sys.stdout.flush()
        while line := sys.stdin.readline():
            line = line.removesuffix("\n")
            if (word := asked(line)) is None:
                return line
            sys.stdout.write(answer(word, self._completions(word)))
            sys.stdout.flush()
        raise EOFError

    def _completions(self, word: str) -> list[str]:
        import rlcompleter

        completer, found = rlcompleter.Completer(dict(self.locals)), []
        try:
            while len(found) < MOST_NAMES and (name := completer.complete(word, len(found))) is not None:
                found.append(name)
        except Exception:  # noqa: BLE001  whatever an object does when it is looked at, then nothing is offered
            return []
        return found


def _end_with(window: int) -> None:
    """End when the window is gone: what runs here would never hear that its input has ended."""
    while os.getppid() == window:
        time.sleep(1.0)
    os._exit(1)


async def _entered(function: types.FunctionType) -> Any:
    return await function()


def console(profile: Path, args: argparse.Namespace) -> int:
    """Talk with a person until they leave."""
    # Whoever started us may have wanted interrupts ignored; here they end what runs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("Loading…", flush=True)
    from cli.live import HELP, Live, Session, commands

    session = Session(profile)
    try:
        live = Live(session)
        names: dict[str, Any] = {
            "__name__": "__console__",
            "asyncio": asyncio,
            "commands": commands,
            "help": _help(HELP),
            **live.names(),
        }
        sys.displayhook = _show
        sys.ps1, sys.ps2 = ">>> ", "... "
        with _readline(names, profile / HISTORY):
            kind = PaneConsole if args.pane else LiveConsole
            if args.pane and os.name == "posix":
                threading.Thread(target=_end_with, args=(os.getppid(),), name="window", daemon=True).start()
            kind(names, session).interact(banner=_banner(profile, live), exitmsg="The engine goes on.")
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else DONE
    finally:
        session.close()
    return DONE


def _banner(profile: Path, live: Any) -> str:
    from cli.live import Refusal

    try:
        told = live.status()
        parts = (str(told.get("book", "")).upper(), told.get("account"), told.get("mode"), told.get("autonomy"))
        where = " · ".join(str(part) for part in parts if part)
    except (EngineUnavailable, Refusal, OSError) as error:
        where = f"{error}; ask again when it runs"
    return f"Market Agent · {profile}\n{where}\nhelp() lists what there is."


def _help(text: str) -> Any:
    def helper(about: object = None) -> None:
        print(text) if about is None else print(pydoc.plain(pydoc.render_doc(about, "%s")))

    helper.__doc__ = "What there is at this prompt; help(order) says more of one."
    return helper


def _show(value: object) -> None:
    """Print a result as a person reads it: frames whole, dicts in lines."""
    if value is None:
        return
    import builtins

    import pandas as pd

    builtins._ = value  # type: ignore[attr-defined]
    if isinstance(value, pd.DataFrame | pd.Series):
        print(value.to_string(max_rows=ROWS) if len(value) else "nothing")
    elif isinstance(value, dict | list | tuple):
        pprint.pp(value, width=110)
    else:
        print(repr(value))


@contextlib.contextmanager
def _readline(names: dict[str, Any], history: Path) -> Any:
    """History and completion where a person types at a terminal."""
    if not sys.stdin.isatty():
        yield
        return
    try:
        import readline
        import rlcompleter
    except ImportError:  # Windows has none
        yield
        return
    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(HISTORY_LINES)
    if history.exists():
        with contextlib.suppress(OSError):
            readline.read_history_file(history)
    try:
        yield
    finally:
        try:
            # What was typed may name accounts and sizes: it is the owner's alone.
            os.close(os.open(history, os.O_CREAT | os.O_WRONLY, 0o600))
            readline.write_history_file(history)
        except OSError as error:
            print(f"the history was not kept: {error}", file=sys.stderr)
