"""doctor: what would keep the program from working, said before it matters."""

import argparse
import os
import platform
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cli.commands import read_settings
from cli.compose import STRATEGIES, Unready, make_spec
from cli.talk import DONE, FAILED, print_json
from config.errors import ConfigError
from config.lock import holder
from config.paths import Profile
from engine.api.door import read_door
from engine.bus.errors import MarketAgentError
from engine.memory.bar_archive import BarArchive
from engine.memory.database import damage_text
from engine.runtime.storage import BARS_FOLDER, JOURNAL_FILE
from engine.runtime.thought import read_strategies

Check = tuple[str, str, str]
"""(name, ok | warn | fail, sentence)."""


def doctor(profile: Profile, args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run every check; fail when one failed."""
    args.demo, args.auto, args.speed, args.seed = False, False, 1.0, None
    checks: list[Callable[[], Check]] = [
        _python,
        lambda: _settings(profile, args, environment),
        lambda: _strategies(profile.root),
        lambda: _disk(profile.root),
        lambda: _database(profile.root),
        lambda: _archive(profile.root),
        lambda: _engine(profile),
        _keyring,
        lambda: _display(environment),
        _clock,
    ]
    found = [check() for check in checks]
    if args.json:
        print_json(args.json, [{"name": n, "state": s, "text": t} for n, s, t in found])
    else:
        for name, state, text in found:
            print(f"{state:<5} {name:<12} {text}")
    return FAILED if any(state == "fail" for _, state, _ in found) else DONE


def _python() -> Check:
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return "python", "ok" if good else "fail", f"{version}, SQLite {sqlite3.sqlite_version}"


def _settings(profile: Profile, args: argparse.Namespace, environment: Mapping[str, str]) -> Check:
    try:
        settings = read_settings(profile, args, environment)
        spec = make_spec(settings, args, profile.root)
    except (ConfigError, Unready) as error:
        return "settings", "fail", str(error)
    return "settings", "ok", f"{settings.mode}, autonomy {spec.autonomy}, broker {settings.broker.kind}"


def _strategies(profile: Path) -> Check:
    found = read_strategies(STRATEGIES, profile)
    broken = [f"{entry.place}, line {fault.line}: {fault}" for entry in found.values() for fault in entry.faults]
    if broken:
        return "strategies", "fail", "; ".join(broken)
    return "strategies", "ok", ", ".join(found) or "none"


def _disk(profile: Path) -> Check:
    free = shutil.disk_usage(profile).free / 2**30
    writable = os.access(profile, os.W_OK)
    state = "fail" if not writable or free < 0.2 else "warn" if free < 1 else "ok"
    return "profile", state, f"{profile}, {'writable' if writable else 'NOT writable'}, {free:.1f} GB free"


def _database(profile: Path) -> Check:
    path = profile / JOURNAL_FILE
    if not path.exists():
        return "database", "ok", "not made yet; the first run makes it"
    try:
        connection = sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True)
        try:
            answers = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        answers = [str(error)]
    if answers == ["ok"]:
        return "database", "ok", f"{path.name} is whole"
    what = damage_text(answers)
    then = "The next start sets it aside, restores the newest good backup and only observes"
    return "database", "fail", f"{path.name} is damaged ({what}). {then}; compare with the broker before trading"


def _archive(profile: Path) -> Check:
    archive = BarArchive(profile / BARS_FOLDER)
    damaged = archive.damaged()
    if damaged:
        return "archive", "warn", f"{len(damaged)} damaged files were set aside, the first is {damaged[0].name}"
    return "archive", "ok", f"{len(archive.list())} imported series"


def _engine(profile: Profile) -> Check:
    door, pid = read_door(profile.root), holder(profile.lock_file)
    if pid is None:
        return "engine", "ok", "none is running in this profile"
    if door is None:
        return "engine", "warn", f"process {pid} holds the profile and has not opened its door"
    return "engine", "ok", f"process {pid} is running"


def _keyring() -> Check:
    from engine.security.secrets import KeyringStore

    try:
        KeyringStore("doctor").get("doctor-check")
    except MarketAgentError as error:
        return "keyring", "warn", str(error)
    return "keyring", "ok", "the system's keyring answers"


def _display(environment: Mapping[str, str]) -> Check:
    if sys.platform in ("win32", "darwin") or environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return "display", "ok", "there is one"
    return "display", "warn", "no DISPLAY: the window cannot open here, main.py run works"


def _clock() -> Check:
    year = time.gmtime().tm_year
    return "clock", "ok" if year >= 2026 else "fail", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
