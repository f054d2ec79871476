"""From a parsed command to the function that carries it out."""

import argparse
from collections.abc import Mapping

from cli.talk import BAD_ARGUMENTS, FAILED, complain
from config.errors import ConfigError, Problem, ProfileInUseError, SettingsError
from config.load import load
from config.lock import ProfileLock
from config.paths import Profile
from config.settings import Settings


def dispatch(profile: Profile, args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Carry out every command but the window."""
    match args.command:
        case "run" | "replay":
            return _engine(profile, args, environment)
        case "status" | "order" | "suggestions" | "halt":
            from cli import trade

            return int(getattr(trade, args.command)(profile.root, args))
        case "pin" | "mode" | "autonomy" | "resume" | "rearm" | "mandate" | "adopt":
            from cli.arm import arm

            return arm(profile.root, args)
        case "data":
            from cli.data import data

            return data(profile.root, args)
        case "strategies":
            from cli.strategies import strategies

            return strategies(profile, args)
        case "console":
            from cli.console import console

            return console(profile.root, args)
        case "doctor":
            from cli.doctor import doctor

            return doctor(profile, args, environment)
        case "secrets":
            from cli.secrets import secrets

            return secrets(profile.root, args)
        case "watchdog":
            from cli.guard import guard

            return guard(profile.root, args)
        case "serve":
            from cli.serve import serve

            return serve(profile, args, environment)
        case "mcp":
            from cli.mcp import mcp

            return mcp(profile, args, environment)
        case "audit":
            from cli.audit import audit

            return audit(profile.root, args)
    complain(f"{args.command} is not a command")
    return BAD_ARGUMENTS


def read_settings(profile: Profile, args: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Read the settings of a run. A broken file is never guessed around: raises :class:`ConfigError`."""
    if args.settings is not None and not args.settings.exists():
        # The profile's own file may be missing; one that was named must not give way to the defaults.
        raise SettingsError([Problem(str(args.settings), "", "does not exist")])
    loaded = load(args.settings or profile.settings_file, environment=environment)
    for note in loaded.notes:
        complain(str(note))
    return loaded.settings


def _engine(profile: Profile, args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    try:
        settings = read_settings(profile, args, environment)
    except ConfigError as error:
        complain(str(error))
        return BAD_ARGUMENTS
    from cli.run import run

    if args.command == "replay":
        args.replay, args.demo, args.seed = args.what, False, None
    try:
        file = args.settings or profile.settings_file
        return run(profile.root, settings, file, args, ProfileLock(profile.lock_file))
    except ProfileInUseError as error:
        complain(str(error))
        return FAILED
