"""What the engine tells of strategies, as rows of the tables. Pure functions."""

from collections.abc import Mapping
from typing import Any

from engine.api.commands import Receipt
from widgets import formats
from widgets.cells import NEW_YORK
from widgets.strategy_tables import RuleRow, SignalRow, StrategyRow
from widgets.words import tr

DAY_S = 86_400


def strategy_rows(rows: Mapping[str, Mapping[str, Any]], drafts: Mapping[str, str]) -> list[StrategyRow]:
    """Return the rows of GetStrategies, and one for each draft that has never been saved."""
    found = [
        StrategyRow(
            key=name,
            title=str(row["title"]),
            state="broken" if not row["usable"] else "on" if row["enabled"] else "off",
            horizon=str(row["horizon"]),
            origin=str(row["origin"]),
            signals=int(row["signals"]),
            edited=name in drafts,
            about=" ".join(str(row["about"]).split()),
            place=str(row["place"]),
        )
        for name, row in rows.items()
    ]
    fresh = [
        StrategyRow(key=name, title="", state="new", horizon="", origin="", signals=None, edited=True)
        for name in drafts
        if name not in rows
    ]
    return [*found, *fresh]


def signal_rows(receipt: Receipt) -> list[SignalRow]:
    """Read the symbols of a try; times in New York."""
    seconds, found = receipt.data.get("seconds"), receipt.data.get("rows")
    return [
        SignalRow(
            key=str(row["symbol"]),
            bars=int(row["bars"]),
            long=int(row["long"]),
            short=int(row["short"]),
            entries=int(row["entries"]),
            last=tuple(_signal(int(at), str(side), seconds == DAY_S) for at, side in row["last"]),
        )
        for row in (found if isinstance(found, list) else ())
    ]


def rule_rows(receipt: Receipt) -> list[RuleRow]:
    """Read the rules of a try."""
    found = receipt.data.get("rules")
    return [
        RuleRow(
            key=str(number),
            side=str(row["side"]),
            part=str(row["part"]),
            text=str(row["text"]),
            held=int(row["held"]),
            known=int(row["known"]),
        )
        for number, row in enumerate(found if isinstance(found, list) else ())
    ]


def _signal(at_ns: int, side: str, daily: bool) -> str:
    moment = formats.local_time(at_ns, NEW_YORK)
    word = tr("long") if side == "long" else tr("short")
    return f"{moment:%Y-%m-%d} {word}" if daily else f"{moment:%m-%d %H:%M} {word}"
