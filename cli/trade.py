"""status, order, suggestions, halt: what a person does from a shell."""

import argparse
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from cli.talk import BAD_ARGUMENTS, DONE, FAILED, answer, ask, complain, print_json
from engine.api.client import EngineUnavailable
from engine.api.commands import (
    REASON_CODES,
    AnyCommand,
    Approve,
    GetStatus,
    GetSuggestion,
    Halt,
    PlaceOrder,
    PreviewOrder,
    Receipt,
    Refuse,
    Requote,
)
from engine.api.halt_flag import leave_halt_flag
from engine.api.order_language import OrderTextError, parse_order_text
from engine.model.decision import OURS
from engine.model.ids import IntentId, SuggestionId


def status(profile: Path, args: argparse.Namespace) -> int:
    """Print where the engine stands."""
    return answer(profile, GetStatus(by="cli"), args.json, _show_status, lambda receipt: receipt.data)


def order(profile: Path, args: argparse.Namespace) -> int:
    """Place, change or cancel by text; goes through the same gate and desk as a click."""
    intent = IntentId(f"cli-{os.getpid()}-{time.time_ns():x}")
    try:
        command: AnyCommand = parse_order_text(" ".join(args.text), intent)
    except OrderTextError as error:
        complain(f"cannot read the order: {error}")
        return BAD_ARGUMENTS
    if args.confirm:
        if not isinstance(command, PlaceOrder):
            complain("--confirm goes with buy and sell")
            return BAD_ARGUMENTS
        codes = tuple(code.strip().upper() for code in args.confirm.split(",") if code.strip())
        command = PlaceOrder(request=msgspec.structs.replace(command.request, confirmed=codes), by="cli")
    if args.preview:
        if not isinstance(command, PlaceOrder):
            complain("--preview goes with buy and sell")
            return BAD_ARGUMENTS
        command = PreviewOrder(request=command.request, by="cli")
    return answer(profile, command, args.json, _show_order, _order_json)


def suggestions(profile: Path, args: argparse.Namespace) -> int:
    """List, show, approve, price anew or reject."""
    if args.action == "list":
        return answer(
            profile, GetStatus(by="cli"), args.json, _show_suggestions, lambda r: r.data.get("suggestions", [])
        )
    name = SuggestionId(args.id)
    if args.action == "show":
        return answer(
            profile, GetSuggestion(suggestion_id=name, by="cli"), args.json, _show_suggestion, lambda r: r.data
        )
    if args.action == "reject":
        if args.reason not in REASON_CODES:
            complain(f"--reason {args.reason}: not one of {', '.join(REASON_CODES)}")
            return BAD_ARGUMENTS
        command: AnyCommand = Refuse(suggestion_id=name, code=args.reason, text=args.text, by="cli")
    elif args.action == "requote":
        command = Requote(suggestion_id=name, by="cli")
    else:
        try:
            shown = ask(profile, GetSuggestion(suggestion_id=name, by="cli"))
        except EngineUnavailable as error:
            complain(str(error))
            return FAILED
        if not shown.ok:
            print_json(args.json, _order_json(shown)) if args.json else complain(f"{shown.code} {shown.text}")
            return FAILED
        _show_suggestion(shown) if not args.json else None
        command = Approve(suggestion_id=name, approval_hash=str(shown.data.get("approval_hash", "")), by="cli")
    return answer(profile, command, args.json, lambda r: print(r.text or "done"), _order_json)


def halt(profile: Path, args: argparse.Namespace) -> int:
    """STOP. With no engine to hear it, leave the flag that keeps the next one from trading."""
    command = Halt(flatten=args.flatten, reason="main.py halt", by="cli")
    try:
        receipt = ask(profile, command, timeout_s=15.0)
    except EngineUnavailable as error:
        flag = leave_halt_flag(profile, flatten=args.flatten)
        complain(f"{error}; left {flag}: an engine of this profile stops at once and stays stopped")
        if args.json:
            print_json(args.json, {"ok": False, "text": str(error), "flag": str(flag)})
        return FAILED
    if args.json:
        print_json(args.json, {"ok": receipt.ok, "text": receipt.text, **receipt.data})
    else:
        print(receipt.text)
    return DONE if receipt.ok else FAILED


def _order_json(receipt: Receipt) -> dict[str, Any]:
    denials = [msgspec.to_builtins(denial) for denial in receipt.denials]
    return {"ok": receipt.ok, "code": receipt.code, "text": receipt.text, **receipt.data, "denials": denials}


def _show_order(receipt: Receipt) -> None:
    print(receipt.text or "done")
    for key, value in receipt.data.items():
        if isinstance(value, str | int | float):
            print(f"  {key}: {value}")


def _show_status(receipt: Receipt) -> None:
    data = receipt.data
    print(f"{str(data.get('book', '')).upper()} · {data.get('mode')} · autonomy {data.get('autonomy')}", end="")
    print(f" · link {data.get('link')} · account {data.get('account')}")
    equity = data.get("equity")
    print(f"equity {'not known' if equity is None else equity}  cash {data.get('cash')}")
    for position in _rows(data, "positions"):
        average = round(Decimal(str(position["average_price"])), 4)
        print(f"  {position['symbol']:<8} {position['quantity']:>12} @ {average}")
    for item in _rows(data, "orders"):
        if item.get("working", True):
            print(f"  {item['ref']}  {item['side']} {item['quantity']} {item['symbol']}  {item['state']}")
    if data.get("unknown"):
        print(f"  not confirmed, do not re-enter: {data['unknown']}")
    for lock in _rows(data, "locks"):
        print(f"  locked {lock['symbol']}: {lock['reason']}")
    for off in _rows(data, "latches"):
        print(f"  {' '.join(filter(None, (off['code'], off['scope'])))}: {off['text']}")
    told = data.get("clients")
    programs = [str(name) for name in told if name not in (*OURS, "watchdog")] if isinstance(told, list) else []
    if programs:
        may = "trade while AUTO is armed" if data.get("programs_trade") else "propose, not trade"
        print(f"  connected: {', '.join(programs)}; programs may {may}")


def _show_suggestions(receipt: Receipt) -> None:
    found = _rows(receipt.data, "suggestions")
    if not found:
        print("no open suggestions")
    for row in found:
        print(f"{row['id']:<8} {row['side']:<4} {row['quantity']:>8} {row['symbol']:<8}", end="")
        print(f" entry {row['entry']} stop {row['stop']} target {row['target']}  {row['state']}  {row['strategy']}")


def _show_suggestion(receipt: Receipt) -> None:
    suggestion = receipt.data.get("suggestion")
    if isinstance(suggestion, dict):
        print(f"{suggestion['id']}  {suggestion['side']} {suggestion['quantity']} {suggestion['symbol']}", end="")
        print(f" at {suggestion['entry']}, stop {suggestion['stop']}, target {suggestion['target']}")
        for evidence in suggestion.get("evidence", []):
            print(f"  {evidence['id']}  {evidence['text']}")


def _rows(data: dict[str, object], key: str) -> list[dict[str, Any]]:
    rows = data.get(key)
    return rows if isinstance(rows, list) else []
