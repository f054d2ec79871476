"""Market Agent: parse, settings, engine or client, run."""

import argparse
import os
import sys
from pathlib import Path

from cli.parser import build_parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 the work failed, 2 bad arguments or settings."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments.insert(0, "gui")
    args = build_parser().parse_args(arguments)
    if args.command == "gui":
        from cli.gui import gui

        return gui(args, Path(__file__).resolve())
    return _with_profile(args)


def _with_profile(args: argparse.Namespace) -> int:
    from cli import commands
    from config.errors import ConfigError
    from config.paths import open_profile

    try:
        opened = open_profile(args.profile)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return commands.dispatch(opened, args, dict(os.environ))


if __name__ == "__main__":
    sys.exit(main())
