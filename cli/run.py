"""The headless agent: the same engine process that the window starts."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from cli.banner import Banner, market
from cli.compose import Unready, make_spec
from cli.talk import BAD_ARGUMENTS, DONE, FAILED, complain, print_json
from config.load import place_of
from config.lock import ProfileLock
from config.settings import Settings
from engine.bus.clock import ReplayClock
from engine.bus.errors import IntegrityError, JournalError, SettingsError
from engine.model.events.system import RunSummary
from engine.runtime.ending import UncleanStop
from engine.runtime.engine import Engine
from engine.runtime.journal_of_program import configure_log
from engine.runtime.spec import EngineSpec
from engine.runtime.starting import Starting

PROGRESS_EVERY_S = 0.5
_FOLLOWED = 10.0
"""Up to so many times the market's own pace what it trades is told line by line."""


def run(profile: Path, settings: Settings, file: Path, args: argparse.Namespace, lock: ProfileLock) -> int:
    """Run an engine until its time is up or somebody stops it; return the exit code."""
    try:
        spec = make_spec(settings, args, profile, file)
    except Unready as error:
        complain(f"{place_of(file, error.key)}: {error.text}")
        return BAD_ARGUMENTS
    configure_log(profile / "logs", to_terminal=False)
    try:
        with lock, _sink(args.jsonl) as sink:
            summary, unclean = asyncio.run(_run(spec, args, sink))
    except SettingsError as error:
        complain(str(error))
        return BAD_ARGUMENTS
    except (IntegrityError, JournalError, OSError) as error:
        complain(str(error))
        return FAILED
    if getattr(args, "json", None):
        print_json(args.json, summary)
    elif not getattr(args, "quiet", False) and args.jsonl != "-":
        _say_summary(summary, spec)
    if unclean and summary.notes:
        complain(summary.notes[-1])
    return DONE if summary.reconciled and not unclean else FAILED


async def _run(spec: EngineSpec, args: argparse.Namespace, sink: IO[str] | None) -> tuple[RunSummary, bool]:
    """Return what the run did, and whether a part failed while it was stopped."""
    unclean, quiet, banner = False, getattr(args, "quiet", False), Banner()
    with Starting(spec.profile, None if quiet else banner.on_start) as starting:
        engine = Engine(spec, sink, starting.tell)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Windows' event loop takes no signal handlers; there Ctrl+C ends the run as KeyboardInterrupt.
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, engine.ask_to_stop)
        if not quiet:
            banner.listen(engine.parts.bus, trades=spec.speed is not None and spec.speed <= _FOLLOWED)
        await engine.start()
        await engine.listen()
    if args.auto:
        receipt = await engine.arm_auto("cli", "started with --auto")
        if not receipt.ok:
            complain(f"not in AUTO: {receipt.text}")
    progress = asyncio.create_task(_progress(engine, args, banner), name="progress")
    try:
        with _settled():
            await engine.run(args.for_seconds)
    finally:
        banner.ending = True
        progress.cancel()
        await asyncio.gather(progress, return_exceptions=True)
        try:
            summary = await engine.stop()
        except UncleanStop as error:
            summary = error.summary
            unclean = True
    return summary, unclean or engine.parts.ledger_of_run.cut_short


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Let the collection of garbage pass over what stands after the start.

    With the bars of five hundred symbols a full one held the loop for 0.4 s, to find nothing.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _sink(target: str | None) -> Iterator[IO[str] | None]:
    if target is None:
        yield None
    elif target == "-":
        yield sys.stdout
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has gone (run … | head): the interpreter must not complain about it once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        # A line at a time: who follows the file sees each event as it happens.
        try:
            file = Path(target).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115  its end may fail, and is told
        except OSError as error:
            raise SettingsError(f"--jsonl {target} cannot be written: {error.strerror or error}") from error
        try:
            yield file
        finally:
            try:
                file.close()
            except OSError as error:
                complain(f"{target} is not complete: {error.strerror or error}")


async def _progress(engine: Engine, args: argparse.Namespace, banner: Banner) -> None:
    """A live line on a terminal; a plain line every ten seconds elsewhere; nothing when quiet."""
    if getattr(args, "quiet", False) or getattr(args, "json", None) or args.jsonl == "-":
        return
    live = sys.stderr.isatty()
    begin, began = engine.clock.now(), time.monotonic()
    every = PROGRESS_EVERY_S if live else 10.0
    try:
        while True:
            await asyncio.sleep(every)
            banner.sources(engine.parts.place.collector.rows())
            line = _line(engine, begin, began, args.for_seconds)
            print(f"\r\x1b[2K{line}" if live else line, end="" if live else "\n", file=sys.stderr, flush=True)
    finally:
        if live:
            print(file=sys.stderr)


def _line(engine: Engine, begin: int, began: float, for_seconds: float | None) -> str:
    row = engine.parts.status.row()
    moved = (engine.clock.now() - begin) / 1e9
    wall = max(time.monotonic() - began, 1e-9)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row.now_ns / 1e9))
    parts = [f"{row.book.upper()} {stamp} UTC"]
    if for_seconds:
        done = min(moved / for_seconds, 1.0)
        parts.append(f"[{'█' * round(20 * done):·<20}] {done:4.0%}")
    if isinstance(engine.clock, ReplayClock):
        parts.append(pace(engine.market_seconds, moved, wall))
    counts = engine.parts.ledger_of_run.counts
    parts.append(f"{row.mode} {row.autonomy}")
    parts.append(f"equity {row.equity if row.equity is not None else '?':,}" if row.equity else "equity ?")
    parts.append(
        f"{counts['Suggested']} suggested, {counts['RiskDenied']} denied, {counts['OrderFilled']} filled, "
        f"{row.working} working"
    )
    now, cache = engine.clock.now(), engine.parts.place.cache
    if shut := market(cache.session(symbol, now) for symbol in cache.symbols()):
        parts.append(shut)
    return " · ".join(parts)


def pace(lived_s: float, moved_s: float, wall_s: float) -> str:
    """How fast market time passes. Nights and weekends that are skipped are no speed: by the day they count as days."""
    days = moved_s / 86_400 / wall_s
    return f"{days:,.1f} days/s" if days >= 1 else f"{lived_s / wall_s:,.0f}×"


def _say_summary(summary: RunSummary, spec: EngineSpec) -> None:
    if spec.simulated_time:
        speed = pace(summary.market_seconds, summary.market_seconds, summary.wall_seconds or 1.0)
        print(f"{summary.market_seconds:,.0f} s of market time in {summary.wall_seconds:,.1f} s ({speed}), ", end="")
    else:
        print(f"{summary.wall_seconds:,.0f} s, ", end="")
    print(f"{summary.symbols} symbols")
    counts = summary.counts
    told = (("Suggested", "suggested"), ("RiskDenied", "denied"), ("OrderFilled", "filled"))
    print(", ".join(f"{counts.get(kind, 0)} {word}" for kind, word in told))
    if summary.silent:
        often = sorted(summary.silent.items(), key=lambda found: -found[1])
        print("forecasts not suggested: " + ", ".join(f"{reason} {count:,}" for reason, count in often))
    print(f"decision hash {summary.decision_hash}")
    print(f"cash {msgspec.to_builtins(summary.cash)}  positions {msgspec.to_builtins(summary.positions)}")
    for note in summary.notes:
        print(f"note: {note}")
    print(agreement(summary))


def agreement(summary: RunSummary) -> str:
    """Whether our books are the broker's, said so that nobody takes silence for agreement."""
    if not summary.compared:
        return "our books were not compared with the broker's: the broker never answered"
    return f"our books and the broker's {'agree' if summary.reconciled else 'DO NOT AGREE'}"
