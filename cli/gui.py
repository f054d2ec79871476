"""The window: Qt first, everything heavy later and elsewhere."""

import argparse
import os
import sys
from pathlib import Path


def gui(args: argparse.Namespace, main_file: Path) -> int:
    """Open the window; it starts the engine in a process of its own. Say what keeps it from opening."""
    if not _has_display():
        print("there is no display here; the same agent runs without a window: main.py run --demo", file=sys.stderr)
        return 1
    from config.errors import ConfigError
    from config.paths import open_profile

    try:
        profile = open_profile(args.profile)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    from market_agent_gui.app import run_gui

    return run_gui(
        profile=profile.root,
        engine_command=engine_command(args, main_file),
        screenshot=args.screenshot,
        after_s=args.after,
        settings_argv=() if args.settings is None else ("--settings", str(args.settings)),
        allowed_panes=lambda names: allowed_panes(names, args.settings or profile.settings_file),
    )


def allowed_panes(names: tuple[str, ...], file: Path) -> tuple[str, ...]:
    """Of the panes that packages offer, those the settings allow; none where the settings cannot be read."""
    from config.errors import ConfigError
    from config.load import load

    try:
        window = load(file, environment=os.environ).settings.gui
    except ConfigError as error:
        print(error, file=sys.stderr)
        return ()
    return tuple(name for name in names if window.foreign_panes and name not in window.foreign_panes_off)


def engine_command(args: argparse.Namespace, main_file: Path) -> list[str]:
    """How the engine process of this window is started; a frozen program starts itself."""
    own = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, str(main_file)]
    command = [*own, "run", "--quiet"]
    for name in ("profile", "seed", "speed", "replay"):
        value = getattr(args, name, None)
        if value is not None:
            command += [f"--{name}", str(value)]
    if args.demo:
        command.append("--demo")
    return command


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    return bool(chosen or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
