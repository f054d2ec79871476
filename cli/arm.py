"""pin, mode, autonomy, resume, rearm, mandate, adopt: a person letting the agent do more, or less, from a shell."""

import argparse
import getpass
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from cli.talk import BAD_ARGUMENTS, DONE, FAILED, ask, complain, print_json
from engine.api.client import EngineUnavailable
from engine.api.commands import (
    AdoptExternal,
    AdoptPosition,
    AnyCommand,
    GetStatus,
    Rearm,
    Resume,
    RevokeMandate,
    SetAutonomy,
    SetMode,
    SetPin,
    SignMandate,
)
from engine.model.decision import Autonomy, Mode
from engine.model.ids import OrderRef, Symbol

WORD = "RESUME"
LEVELS = tuple(Autonomy)
BY_ITSELF = (Autonomy.AUTO, Autonomy.ASK_ABOVE_LIMITS)


class Ungiven(Exception):
    """A person did not give what the command needs; the message says what."""


def arm(profile: Path, args: argparse.Namespace) -> int:
    """Carry out one of them. A PIN is typed or piped in, a line each; it is never an argument."""
    try:
        status = ask(profile, GetStatus(by="cli")).data
        if args.command == "rearm" and not args.code:
            return _list(status.get("latches") or [], args.json)
        if args.command == "adopt" and not args.what:
            return _differences(status, args.json)
        receipt = ask(profile, _command(args, status))
    except EngineUnavailable as error:
        complain(str(error))
        return FAILED
    except Ungiven as error:
        complain(str(error))
        return BAD_ARGUMENTS
    if args.json:
        print_json(args.json, {"ok": receipt.ok, "code": receipt.code, "text": receipt.text, **receipt.data})
    elif receipt.ok:
        print(receipt.text)
    else:
        complain(f"{receipt.code} {receipt.text}".strip())
    return DONE if receipt.ok else FAILED


def _command(args: argparse.Namespace, status: dict[str, Any]) -> AnyCommand:
    """Make the command, asking for what only a person can give. Raises :class:`Ungiven`."""
    guarded = bool(status.get("pin_set"))
    match args.command:
        case "pin":
            return _new_pin(guarded)
        case "mode":
            mode = Mode(args.mode)
            up = mode.level > Mode(str(status["mode"])).level
            reason = _reason(args, up)
            return SetMode(mode=mode, reason=reason, pin=_pin(guarded and up), by="cli")
        case "autonomy":
            level = Autonomy(args.level)
            up = LEVELS.index(level) > LEVELS.index(Autonomy(str(status["autonomy"])))
            up = up or (level in BY_ITSELF and status["mode"] != Mode.AUTO.value)
            reason = _reason(args, up)
            return SetAutonomy(autonomy=level, reason=reason, pin=_pin(guarded and up), by="cli")
        case "mandate":
            return RevokeMandate(by="cli") if args.end else _mandate(args, guarded)
        case "adopt":
            return _adoption(args, status, guarded)
        case "rearm":
            reason = _reason(args, True)
            return Rearm(code=args.code.upper(), scope=args.strategy, reason=reason, pin=_pin(guarded), by="cli")
    typed, reason = _word(args, status), _reason(args, True)
    return Resume(typed=typed, reason=reason, pin=_pin(guarded), by="cli")


def _list(off: list[dict[str, str]], json_target: str | None) -> int:
    if json_target:
        print_json(json_target, off)
        return DONE
    for latch in off:
        print(f"{latch['code']:<6} {latch['scope']:<16} {latch['text']}")
    print("main.py rearm CODE [STRATEGY] --reason TEXT arms one of them again" if off else "nothing is off")
    return DONE


def _mandate(args: argparse.Namespace, guarded: bool) -> AnyCommand:
    if args.order is None or args.day is None or args.orders is None:
        raise Ungiven("mandate needs --order, --day and --orders (or --end)")
    symbols = tuple(Symbol(symbol) for symbol in args.symbols.upper().replace(",", " ").split())
    return SignMandate(
        max_order=args.order,
        max_day=args.day,
        max_orders=args.orders,
        symbols=symbols,
        sources=tuple(args.sources.lower().replace(",", " ").split()),
        days=args.days,
        pin=_pin(guarded),
        by="cli",
    )


def _differences(status: dict[str, Any], json_target: str | None) -> int:
    found = status.get("differences") or []
    if json_target:
        print_json(json_target, found)
        return DONE
    for row in found:
        print(f"{row['symbol']:<8} ours {row['ours']:>12}   the broker's {row['theirs']:>12}")
    for order in status.get("orders") or []:
        if order.get("external"):
            print(f"{order['ref']}  {order['side']} {order['quantity']} {order['symbol']}  made elsewhere")
            found = [order]
    print("main.py adopt SYMBOL|REFERENCE --reason TEXT takes it over" if found else "ours and the broker's agree")
    return DONE


def _adoption(args: argparse.Namespace, status: dict[str, Any], guarded: bool) -> AnyCommand:
    if any(order["ref"] == args.what for order in status.get("orders") or []):
        return AdoptExternal(ref=OrderRef(args.what), by="cli")
    symbol = args.what.upper()
    theirs = next((row["theirs"] for row in status.get("differences") or [] if row["symbol"] == symbol), None)
    if theirs is None:
        raise Ungiven(f"{args.what} is neither a symbol where ours and the broker's differ nor an open order")
    reason = _reason(args, True)
    return AdoptPosition(symbol=Symbol(symbol), theirs=Decimal(str(theirs)), reason=reason, pin=_pin(guarded), by="cli")


def _word(args: argparse.Namespace, status: dict[str, Any]) -> str:
    if args.confirm:
        return str(args.confirm)
    if not sys.stdin.isatty():
        raise Ungiven(f"resume needs --confirm {WORD}")
    print(f"{status.get('mode')}: {status.get('reason')}")
    return input(f"Type {WORD} to trade again: ")


def _reason(args: argparse.Namespace, up: bool) -> str:
    reason = str(args.reason).strip()
    if up and not reason:
        raise Ungiven("--reason: say why; it goes into the audit record")
    return reason


def _new_pin(guarded: bool) -> AnyCommand:
    old = _secret("the PIN that holds now") if guarded else ""
    new = _secret("the new PIN")
    if sys.stdin.isatty() and _secret("the new PIN again") != new:
        raise Ungiven("these were two different PINs; nothing is changed")
    return SetPin(new=new, old=old, by="cli")


def _pin(needed: bool) -> str:
    return _secret("PIN") if needed else ""


def _secret(what: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ")
    return sys.stdin.readline().rstrip("\n")
