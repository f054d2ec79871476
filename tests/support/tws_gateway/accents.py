"""Other ways to speak the same protocol: what gateways do differently, each by name, all of it legal.

An accent sees every outgoing frame (its fields, the message number first) and answers the frames that go out instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.support.tws_gateway.protocol import Msg

if TYPE_CHECKING:
    from tests.support.tws_gateway.session import Session

Fields = list[str]
Accent = Callable[["Session", Fields], Iterable[Fields]]
EASTERN = ZoneInfo("US/Eastern")
_EXEC_TIME, _EXEC_REF = 15, 26
_VENUES, _ZONE, _LIQUID, _RULES = 17, 25, 27, 33
"""Where contract details of server version 164 and later have them."""


def ids_first(session: Session, fields: Fields) -> Iterable[Fields]:
    """nextValidId before managedAccounts, and a comma after the last account."""
    if fields[0] == str(int(Msg.MANAGED_ACCOUNTS)):
        session.held_back = [*fields[:2], fields[2] + ","]
        return []
    if fields[0] == str(int(Msg.NEXT_VALID_ID)) and session.held_back:
        return [fields, session.held_back]
    return [fields]


def _without(message: Msg, at: int, *values: str) -> Accent:
    def accent(session: Session, fields: Fields) -> Iterable[Fields]:
        return [] if fields[0] == str(int(message)) and (not values or fields[at] in values) else [fields]

    return accent


def _with(message: Msg, change: Callable[[Session, Fields], None]) -> Accent:
    def accent(session: Session, fields: Fields) -> Iterable[Fields]:
        if fields[0] == str(int(message)):
            fields = list(fields)
            change(session, fields)
        return [fields]

    return accent


def _size_apart(session: Session, fields: Fields) -> None:
    fields[5] = "0"


def _dashed(session: Session, fields: Fields) -> None:
    words = fields[_EXEC_TIME].split(" ")
    moment = datetime.strptime(" ".join(words[:2]), "%Y%m%d %H:%M:%S").replace(tzinfo=EASTERN)
    fields[_EXEC_TIME] = moment.astimezone(ZoneInfo("UTC")).strftime("%Y%m%d-%H:%M:%S")


def _nameless(session: Session, fields: Fields) -> None:
    fields[_EXEC_REF] = ""


def _no_rules(session: Session, fields: Fields) -> None:
    fields[_VENUES] = fields[_RULES] = ""


def several_listings(session: Session, fields: Fields) -> Iterable[Fields]:
    """A stock also in Mexico and in Swiss francs; and the one that is meant twice."""
    if fields[0] != str(int(Msg.CONTRACT_DETAILS)) or fields[3] != "STK":
        return [fields]
    found = []
    for number, (exchange, currency) in enumerate((("MEXI", "MXN"), ("EBS", "CHF")), 1):
        other = list(fields)
        other[7], other[8], other[12] = exchange, currency, str(int(fields[12]) + number)
        found.append(other)
    return [found[0], fields, fields, found[1]]


def _hours(say: Callable[[datetime], str], zone: str = "US/Eastern") -> Accent:
    def change(session: Session, fields: Fields) -> None:
        local = session.gateway.clock.now().astimezone(ZoneInfo("America/New_York"))
        fields[_ZONE], fields[_LIQUID] = zone, say(local)

    return _with(Msg.CONTRACT_DETAILS, change)


def _all_day(local: datetime) -> str:
    days = [local.date() + timedelta(days=n) for n in range(-1, 3)]
    return ";".join(f"{d:%Y%m%d}:0000-{d + timedelta(days=1):%Y%m%d}:0000" for d in days)


def _closed(local: datetime) -> str:
    return ";".join(f"{local.date() + timedelta(days=n):%Y%m%d}:CLOSED" for n in range(3))


def _old_form(local: datetime) -> str:
    return ";".join(f"{local.date() + timedelta(days=n):%Y%m%d}:0930-1600" for n in range(3))


def plain_history(session: Session, fields: Fields) -> Iterable[Fields]:
    """Bars within the day carry the exchange's own time, whatever form was asked for."""
    if fields[0] == str(int(Msg.HISTORICAL_DATA)):
        fields = [
            datetime.fromtimestamp(int(f), EASTERN).strftime("%Y%m%d  %H:%M:%S") if len(f) == 10 and f.isdigit() else f
            for f in fields
        ]
    return [fields]


def exits_wait(session: Session, fields: Fields) -> Iterable[Fields]:
    """The exits of an entry sleep until all of it is filled, and do not say why."""
    if fields[0] == str(int(Msg.ORDER_STATUS)) and fields[7] != "0" and fields[2] in ("PreSubmitted", "Submitted"):
        entry = session.gateway.ledger.find(session.client_id, int(fields[7]))
        if entry is not None and entry.live:
            fields = [*fields[:2], "PreSubmitted", *fields[3:10], "", *fields[11:]]
    return [fields]


ACCENTS: dict[str, Accent] = {
    "exits wait": exits_wait,
    "ids first": ids_first,
    "no bundled trades": _without(Msg.TICK_STRING, 3, "48"),
    "single trades never come": _without(Msg.TICK_BY_TICK, 1),
    "sizes apart": _with(Msg.TICK_PRICE, _size_apart),
    "no data type": _without(Msg.MARKET_DATA_TYPE, 0),
    "no cash by currency": _without(Msg.ACCOUNT_VALUE, 2, "CashBalance", "ExchangeRate"),
    "executions in UTC": _with(Msg.EXEC_DETAILS, _dashed),
    "executions without reference": _with(Msg.EXEC_DETAILS, _nameless),
    "no time": _without(Msg.CURRENT_TIME, 0),
    "several listings": several_listings,
    "no market rules": _with(Msg.CONTRACT_DETAILS, _no_rules),
    "open all day": _hours(_all_day),
    "closed": _hours(_closed),
    "no hours": _hours(lambda local: "", ""),
    "hours in the old form": _hours(_old_form, "EST (Eastern Standard Time)"),
    "plain history": plain_history,
}


def spoken(session: Session, names: tuple[str, ...], fields: Fields) -> list[Fields]:
    """A frame as a gateway with these accents says it."""
    frames = [fields]
    for name in names:
        frames = [out for frame in frames for out in ACCENTS[name](session, frame)]
    return frames
