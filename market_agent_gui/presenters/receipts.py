"""Receipts of commands sent in passing, as sentences."""

import logging

import msgspec

from engine.api.commands import (
    AdoptExternal,
    AdoptPosition,
    AnyCommand,
    CancelAll,
    CancelOrder,
    Flatten,
    Halt,
    ModifyOrder,
    Rearm,
    Receipt,
    Resume,
    RevokeMandate,
    SetAutonomy,
    SetMode,
    SetPin,
    SignMandate,
)
from engine.model.decision import Verdict
from market_agent_gui.translate import say
from widgets.words import told

log = logging.getLogger(__name__)

ELSEWHERE = (Halt, Resume, SetAutonomy, SetMode, SetPin)
"""Their presenters tell these themselves."""


def tell(command: AnyCommand, receipt: Receipt) -> tuple[str, str] | None:
    """Return severity and sentence; ``None`` where the tables tell enough."""
    if isinstance(command, ELSEWHERE):
        return None
    what = describe(command)
    if receipt.ok:
        return ("info", f"{what}: {told(receipt.text) or say('done')}") if what else None
    reasons = " · ".join(f"{denial.code} {told(denial.text)}" for denial in receipt.denials)
    return "bad", f"{what or say('refused')}: {reasons or told(receipt.text) or receipt.code}"


def describe(command: AnyCommand) -> str:
    """Name what was asked for, empty for what need not be told when it went well."""
    if isinstance(command, CancelAll):
        return say("Cancel {symbol}", symbol=command.symbol) if command.symbol else say("Cancel all")
    if isinstance(command, CancelOrder):
        return say("Cancel {ref}", ref=command.ref)
    if isinstance(command, Flatten):
        share = f"{command.fraction:.0%}" if command.fraction != 1 else ""
        return say("Close {share} {symbol}", share=share, symbol=command.symbol or say("everything")).replace("  ", " ")
    if isinstance(command, ModifyOrder):
        price = command.limit_price if command.limit_price is not None else command.stop_price
        return say("Change {ref} to {price}", ref=command.ref, price=price if price is not None else command.quantity)
    if isinstance(command, AdoptExternal):
        return say("Adopt {ref}", ref=command.ref)
    if isinstance(command, AdoptPosition):
        return say("Take the broker's {symbol}", symbol=command.symbol)
    if isinstance(command, SignMandate | RevokeMandate):
        return say("Mandate")
    if isinstance(command, Rearm):
        return say("Arm {code} again", code=" ".join(part for part in (command.code, command.scope) if part))
    return ""


def read_verdict(receipt: Receipt) -> Verdict | None:
    """Read the verdict out of a preview's receipt; ``None`` when there is none."""
    raw = receipt.data.get("verdict")
    if raw is None:
        return None
    try:
        return msgspec.convert(raw, Verdict, strict=False)
    except msgspec.ValidationError as error:
        log.warning("a preview could not be read: %s", error)
        return None
