"""The arguments. Stable: scripts depend on them."""

import argparse
import math
from decimal import Decimal, InvalidOperation
from pathlib import Path


def build_parser() -> argparse.ArgumentParser:
    """Build the whole command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="main.py",
        description="Market Agent: a trading terminal with an agent of its own. Alone it opens the window.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--profile", type=Path, metavar="DIR", help="folder that holds all state of this run")
    common.add_argument("--settings", type=Path, metavar="FILE", help="settings file instead of the profile's")
    answer = argparse.ArgumentParser(add_help=False)
    answer.add_argument("--json", metavar="FILE|-", help="answer as JSON, to a file or to standard output")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    gui = commands.add_parser("gui", parents=[common], help="open the window (the default)")
    gui.add_argument("--demo", action="store_true", help="the simulated market and the paper exchange")
    gui.add_argument("--replay", metavar="DAY|SYMBOLS", help="play imported data instead of a live market")
    gui.add_argument("--speed", type=_speed, metavar="X|max", help="market seconds per second of a demo or replay")
    gui.add_argument("--seed", type=int, metavar="N", help="seed of the simulated market")
    gui.add_argument("--screenshot", type=Path, metavar="FILE.png", help="save a picture of the window and quit")
    gui.add_argument("--after", type=float, default=5.0, metavar="SECONDS", help="when to take the picture")

    run = commands.add_parser("run", parents=[common], help="the agent without a window")
    _run_arguments(run)

    commands.add_parser("status", parents=[common, answer], help="where the running engine stands")

    order = commands.add_parser("order", parents=[common, answer], help="place, change or cancel an order by text")
    order.add_argument("text", nargs="+", help='such as "buy AAPL 100 @ 190.10 stop 185 target 200 day"')
    order.add_argument("--confirm", metavar="CODE,...", default="", help="soft limits you accept for this one order")
    order.add_argument("--preview", action="store_true", help="say what would happen; send nothing")

    suggestions = commands.add_parser("suggestions", parents=[common], help="what the agent proposes")
    _suggestion_arguments(suggestions, common, answer)

    halt = commands.add_parser("halt", parents=[common, answer], help="STOP from outside the window")
    halt.add_argument("--flatten", action="store_true", help="also close every position")

    _arm_arguments(commands, common, answer)

    replay = commands.add_parser("replay", parents=[common, answer], help="play imported data through the whole agent")
    replay.add_argument("what", metavar="DAY|RECORDING", help="a day (2019-11-05), a symbol, or all")
    _replay_arguments(replay)

    data = commands.add_parser("data", help="import and list market data")
    _data_arguments(data, common, answer)

    strategies = commands.add_parser("strategies", help="what decides: list, check and install strategies")
    _strategy_arguments(strategies, common, answer)

    console = commands.add_parser("console", parents=[common], help="a Python prompt on the running engine")
    console.add_argument("--pane", action="store_true", help=argparse.SUPPRESS)  # typed to by the window's pane

    commands.add_parser("doctor", parents=[common, answer], help="look for what would keep it from working")

    secrets = commands.add_parser("secrets", parents=[common], help="keys of providers and brokers")
    secrets.add_argument("action", choices=["set", "delete", "list"])
    secrets.add_argument("name", nargs="?")

    watchdog = commands.add_parser(
        "watchdog", parents=[common], help="a second process that tells you when the engine is gone, and restarts it"
    )
    watchdog.add_argument("start", nargs="*", metavar="-- run …", help="the command that starts the engine again")

    serve = commands.add_parser(
        "serve", parents=[common], help="the local service: REST, a stream and signed hooks for other programs"
    )
    serve.add_argument("--port", type=_port, metavar="N", help="instead of serve.port; 0 takes a free one")
    serve.add_argument("--new-tokens", action="store_true", help="make both tokens anew; the old ones hold no more")

    commands.add_parser("mcp", parents=[common], help="tools for an assistant, on standard input and output (MCP)")

    audit = commands.add_parser("audit", parents=[common, answer], help="check the record of what was done")
    audit.add_argument("action", choices=["verify"])
    return parser


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor max") from None
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} must be above 0 and at most 100000")
    return value


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not above zero")
    return value


def _money(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount") from None
    if not value.is_finite() or value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above zero")
    return value


def _run_arguments(run: argparse.ArgumentParser) -> None:
    run.add_argument("--demo", action="store_true", help="the simulated market and the paper exchange")
    run.add_argument(
        "--for", dest="for_seconds", type=_seconds, metavar="SECONDS", help="stop after this much market time"
    )
    run.add_argument(
        "--speed", type=_speed, default=1.0, metavar="X|max", help="market seconds per second (demo, replay)"
    )
    run.add_argument("--seed", type=int, metavar="N", help="seed of the simulated market")
    run.add_argument("--world", metavar="NAME", help="null, lottery, planted, news-drift, mixed or crash (demo)")
    run.add_argument("--symbols", type=int, metavar="N", help="how many symbols the simulated market has (demo)")
    run.add_argument("--auto", action="store_true", help="let the agent trade within its limits")
    run.add_argument("--jsonl", metavar="FILE|-", help="write one JSON object per event")
    run.add_argument("--replay", metavar="DAY|SYMBOLS", help="play imported data instead of a live market")
    run.add_argument("--quiet", action="store_true", help="no progress line")


def _arm_arguments(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    common: argparse.ArgumentParser,
    answer: argparse.ArgumentParser,
) -> None:
    """What lets the agent do more. Each asks for the PIN where one is set: typed, or piped in, never an argument."""
    commands.add_parser("pin", parents=[common, answer], help="set the PIN that going up asks for, or change it")
    mode = commands.add_parser("mode", parents=[common, answer], help="how far trading is open")
    mode.add_argument("mode", type=str.upper, choices=["OBSERVE", "HALTED", "REDUCE_ONLY", "MANUAL", "AUTO"])
    autonomy = commands.add_parser("autonomy", parents=[common, answer], help="what the agent may do by itself")
    autonomy.add_argument("level", type=str.lower, choices=["observe", "suggest", "ask", "ask_above_limits", "auto"])
    resume = commands.add_parser("resume", parents=[common, answer], help="trade again after a halt")
    resume.add_argument("--confirm", metavar="RESUME", default="", help="the word, where nobody can be asked for it")
    rearm = commands.add_parser("rearm", parents=[common, answer], help="what tripped and is off; arm one of it again")
    rearm.add_argument("code", nargs="?", default="", metavar="CODE", help="such as G10")
    rearm.add_argument("strategy", nargs="?", default="", metavar="STRATEGY", help="the strategy it is off for")
    mandate = commands.add_parser("mandate", parents=[common, answer], help="sign what the agent may do alone")
    mandate.add_argument("--order", type=_money, metavar="MONEY", help="most for one order")
    mandate.add_argument("--day", type=_money, metavar="MONEY", help="most for a day")
    mandate.add_argument("--orders", type=int, metavar="N", help="most orders a day")
    mandate.add_argument("--symbols", default="", metavar="LIST", help="only these; without it every symbol")
    mandate.add_argument(
        "--sources",
        default="",
        metavar="LIST",
        help="programs it speaks for too, such as hook:NAME",
    )
    mandate.add_argument("--days", type=float, default=30.0, metavar="N", help="how long it holds")
    mandate.add_argument("--end", action="store_true", help="end it now")
    adopt = commands.add_parser(
        "adopt", parents=[common, answer], help="where ours and the broker's differ; take it over"
    )
    adopt.add_argument("what", nargs="?", default="", metavar="SYMBOL|REFERENCE")
    for command in (mode, autonomy, resume, rearm, adopt):
        command.add_argument("--reason", default="", metavar="TEXT", help="why; it is recorded")


def _replay_arguments(replay: argparse.ArgumentParser) -> None:
    replay.add_argument("--speed", type=_speed, default=None, metavar="X|max", help="market seconds per second")
    replay.add_argument(
        "--for", dest="for_seconds", type=_seconds, metavar="SECONDS", help="stop after this much market time"
    )
    replay.add_argument("--auto", action="store_true", help="let the agent trade on paper within its limits")
    replay.add_argument("--jsonl", metavar="FILE|-", help="write one JSON object per event")


def _suggestion_arguments(
    parser: argparse.ArgumentParser, common: argparse.ArgumentParser, answer: argparse.ArgumentParser
) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", parents=[common, answer], help="open suggestions")
    for name, text in (
        ("show", "one suggestion with its evidence"),
        ("approve", "send it, if the gate still agrees"),
        ("requote", "price one anew that the market has left; it is judged again"),
    ):
        action = actions.add_parser(name, parents=[common, answer], help=text)
        action.add_argument("id")
    reject = actions.add_parser("reject", parents=[common, answer], help="refuse it with a reason")
    reject.add_argument("id")
    reject.add_argument(
        "--reason", required=True, metavar="CODE", help="PRICE SIZE NEWS DISAGREE EXPOSED EVENT SOURCE OTHER"
    )
    reject.add_argument("--text", default="", help="your own words")


def _strategy_arguments(
    parser: argparse.ArgumentParser, common: argparse.ArgumentParser, answer: argparse.ArgumentParser
) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", parents=[common, answer], help="which there are, on or off, and where they stand")
    for name, text in (
        ("check", "read a file and say what is wrong with it, line by line"),
        ("install", "make it the profile's own; a running engine uses it from the next bar"),
    ):
        action = actions.add_parser(name, parents=[common, answer], help=text)
        action.add_argument("file", type=Path, metavar="FILE")


def _data_arguments(
    parser: argparse.ArgumentParser, common: argparse.ArgumentParser, answer: argparse.ArgumentParser
) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    load = actions.add_parser("import", parents=[common, answer], help="read CSV or Parquet into the archive")
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    load.add_argument(
        "--map", metavar="FIELD=COLUMN,...", help='such as "timestamp=Date,tz=America/New_York,stamp=end"'
    )
    load.add_argument(
        "--on-bad", choices=["refuse", "skip"], default="refuse", help="a bad row: import nothing, or the rest"
    )
    load.add_argument("--dry-run", action="store_true", help="show the plan, import nothing")
    actions.add_parser("list", parents=[common, answer], help="what the archive holds")
