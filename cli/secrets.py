"""secrets set, delete, list: keys go to the system's keyring, never to a file or the command line."""

import argparse
import getpass
import sys
from pathlib import Path

from cli.talk import BAD_ARGUMENTS, DONE, FAILED, complain
from engine.bus.errors import MarketAgentError
from engine.security.secret import Secret
from engine.security.secrets import KeyringStore


def secrets(profile: Path, args: argparse.Namespace) -> int:
    """Carry out one action. The secret itself is typed or piped in, so no shell history has it."""
    if args.action != "list" and not args.name:
        complain(f"secrets {args.action} needs a NAME")
        return BAD_ARGUMENTS
    try:
        store = KeyringStore(profile.name)
        if args.action == "list":
            for name in store.names():
                print(name)
        elif args.action == "delete":
            store.delete(args.name)
            print(f"{args.name} is gone from the keyring")
        else:
            typed = getpass.getpass(f"{args.name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
            if not typed:
                complain("nothing was typed; the keyring is as it was")
                return FAILED
            store.set(args.name, Secret(typed))
            print(f"{args.name} is in the keyring; write keyring:{args.name} in the settings")
    except MarketAgentError as error:
        complain(str(error))
        return FAILED
    return DONE
