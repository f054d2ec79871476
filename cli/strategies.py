"""strategies list, check, install: what decides, from a shell. A running engine is asked; else the files are read."""

import argparse
from pathlib import Path
from typing import Any

from cli.compose import STRATEGIES
from cli.talk import BAD_ARGUMENTS, DONE, FAILED, ask, complain, print_json
from config.errors import ProfileInUseError
from config.lock import ProfileLock
from config.paths import Profile
from engine.api.client import EngineUnavailable
from engine.api.commands import GetStrategies, Receipt, SaveStrategy
from engine.runtime.thought import read_strategies, strategy_reader, strategy_shelf
from engine.scoring.technical.faults import StrategyError
from engine.scoring.technical.library import Entry
from engine.scoring.technical.load import CompiledStrategy, read_text


def strategies(profile: Profile, args: argparse.Namespace) -> int:
    """Carry out one action."""
    if args.action == "list":
        return _list(profile.root, args)
    try:
        text = read_text(args.file)
        compiled = strategy_reader().compile(str(args.file), text)
    except StrategyError as error:
        if args.json:
            print_json(args.json, {"ok": False, "faults": [fault._asdict() for fault in error.faults]})
        else:
            complain(str(error))
        return BAD_ARGUMENTS
    if args.action == "check":
        return _answer(args, True, f"{args.file}: {compiled.strategy.id} can be used", compiled)
    return _install(profile, args, text, compiled)


def _install(profile: Profile, args: argparse.Namespace, text: str, compiled: CompiledStrategy) -> int:
    name = compiled.strategy.id
    try:
        receipt: Receipt = ask(profile.root, SaveStrategy(text=text, id=name, by="cli"))
    except EngineUnavailable as error:
        try:
            # An engine that was killed leaves its address behind; who runs has the lock.
            with ProfileLock(profile.lock_file):
                return _write(profile.root, args, text, compiled)
        except ProfileInUseError:
            complain(f"{error}; nothing is installed. Is an engine just starting or ending? Try again.")
            return FAILED
    return _answer(args, receipt.ok, f"{name}: {receipt.text}", compiled)


def _write(profile: Path, args: argparse.Namespace, text: str, compiled: CompiledStrategy) -> int:
    name, shelf = compiled.strategy.id, strategy_shelf(STRATEGIES, profile)
    try:
        shelf.write(name, text)
    except OSError as error:
        return _answer(args, False, f"{shelf.file(name)} cannot be written: {error.strerror or error}", compiled)
    return _answer(args, True, f"{name} is in {shelf.file(name)}; the next start uses it", compiled)


def _answer(args: argparse.Namespace, ok: bool, text: str, compiled: CompiledStrategy) -> int:
    if args.json:
        print_json(args.json, {"ok": ok, "text": text, "id": compiled.strategy.id, "faults": []})
    elif ok:
        print(text)
    else:
        complain(text)
    return DONE if ok else FAILED


def _list(profile: Path, args: argparse.Namespace) -> int:
    rows: list[dict[str, Any]]
    try:
        receipt = ask(profile, GetStrategies(by="cli"))
        told = receipt.data.get("strategies")
        rows = told if isinstance(told, list) else []
    except EngineUnavailable:
        rows = [_row(entry) for entry in read_strategies(STRATEGIES, profile).values()]
    if args.json:
        print_json(args.json, rows)
        return DONE
    for row in rows:
        state = "broken" if not row["usable"] else "on" if row["enabled"] else "off"
        signals = f"  {row['signals']} signals" if row.get("signals") is not None else ""
        print(f"{row['id']:<20} {state:<7} {row['horizon']:<6} {row['origin']:<8} {row['place']}{signals}")
        for fault in row["faults"]:
            key = f"{fault['key']}: " if fault["key"] else ""
            print(f"    line {fault['line']}: {key}{fault['text']}")
    return DONE


def _row(entry: Entry) -> dict[str, Any]:
    strategy = entry.compiled.strategy if entry.compiled is not None else None
    return {
        "id": entry.id,
        "title": strategy.title if strategy is not None else entry.id,
        "enabled": strategy is not None and strategy.enabled,
        "horizon": strategy.horizon if strategy is not None else "",
        "origin": entry.origin.value,
        "place": entry.place,
        "hash": entry.hash,
        "usable": strategy is not None,
        "signals": None,
        "faults": [fault._asdict() for fault in entry.faults],
    }
