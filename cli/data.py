"""data import, data list: files into the archive of the profile."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from cli.talk import BAD_ARGUMENTS, DONE, FAILED, complain, print_json
from engine.bus.errors import MarketAgentError, UserError
from engine.collection.files.context import ImportContext
from engine.collection.files.mapping import parse_mapping
from engine.collection.files.plan import plan_import
from engine.collection.files.report import interval_name
from engine.collection.files.run import run_import
from engine.market.calendars import Calendars
from engine.market.instruments import described
from engine.memory.bar_archive import BarArchive
from engine.runtime.storage import BARS_FOLDER


def data(profile: Path, args: argparse.Namespace) -> int:
    """Carry out one action on the archive."""
    archive = BarArchive(profile / BARS_FOLDER)
    return _list(archive, args) if args.action == "list" else _import(profile, archive, args)


def _import(profile: Path, archive: BarArchive, args: argparse.Namespace) -> int:
    try:
        mapping = parse_mapping(args.map or "")
    except UserError as error:
        complain(str(error))
        return BAD_ARGUMENTS
    context = ImportContext(calendars=Calendars(profile / "calendars"), describe=described)
    answers: list[Any] = []
    failed = False
    for path in args.files:
        try:
            plan = plan_import(path, mapping, context)
            if not args.json:
                print(plan)
            if args.dry_run:
                continue
            report = run_import(plan, archive, args.on_bad)
        except (MarketAgentError, ValueError, OSError) as error:
            complain(f"{path}: {error}")
            failed = True
            continue
        failed = failed or report.refused
        answers.append(msgspec.to_builtins(report, enc_hook=str))
        if not args.json:
            print(report.text())
    if args.json:
        print_json(args.json, answers)
    return FAILED if failed else DONE


def _list(archive: BarArchive, args: argparse.Namespace) -> int:
    found = archive.list()
    if args.json:
        print_json(args.json, [msgspec.to_builtins(info, enc_hook=str) for info in found])
        return DONE
    if not found:
        print("the archive is empty; main.py data import FILE reads CSV and Parquet")
    for info in found:
        span = f"{_day(info.first_ns)} to {_day(info.last_ns)}"
        print(
            f"{info.symbol:<12} {info.kind:<6} {interval_name(info.seconds):<8} {info.count:>9}  {span}  {info.source}"
        )
    for path in archive.damaged():
        complain(f"set aside because it is damaged: {path}")
    return DONE


def _day(ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
