"""When an instrument trades, from the contract details: the zone, the sessions told for these days, the usual day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ib_async import ContractDetails

from engine.bus.clock import SECOND

DAY_S = 86_400
_ZONES = {
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
    "EDT": "America/New_York",
    "CST": "America/Chicago",
    "CST6CDT": "America/Chicago",
    "PST": "America/Los_Angeles",
    "MET": "Europe/Berlin",
    "CET": "Europe/Berlin",
    "BST": "Europe/London",
    "JST": "Asia/Tokyo",
    "HKT": "Asia/Hong_Kong",
}
"""Short names that brokers use -> the zone they mean; some of them are in no database, some without summer time."""
_NEW_YORK, _US_DAY = "America/New_York", (34_200, 57_600)


def zone_of(details: ContractDetails) -> ZoneInfo:
    """The zone of the exchange: as it is named, else New York for dollars, else UTC."""
    named = details.timeZoneId.partition("(")[0].strip()
    contract = details.contract
    dollars = contract is not None and contract.currency == "USD" and contract.secType in ("STK", "IND", "OPT")
    for name in (_ZONES.get(named, named), _NEW_YORK if dollars else "UTC"):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def _segments(liquid: str) -> Iterator[tuple[date, int, int] | date]:
    """Day, and seconds from its midnight to open and close; a day alone is closed.

    ``20260102:0930-20260102:1600;20260103:CLOSED``, and as older servers say it ``20260102:0930-1600,1700-1800``.
    """
    for part in liquid.split(";"):
        day_text, _, rest = part.strip().partition(":")
        try:
            day = datetime.strptime(day_text, "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if rest == "CLOSED":
            yield day
            continue
        for span in rest.split(","):
            first, _, last = span.partition("-")
            last_day_text, _, last_time = last.rpartition(":")
            try:
                last_day = datetime.strptime(last_day_text or day_text, "%Y%m%d").replace(tzinfo=UTC).date()
                opened, closed = _seconds(first.rpartition(":")[2]), _seconds(last_time)
            except ValueError:
                continue
            if closed == 0 and last_day > day:
                # To midnight: the day is the one it began on.
                last_day, closed = last_day - timedelta(days=1), DAY_S
            yield last_day, opened - (last_day - day).days * DAY_S, closed


def _seconds(text: str) -> int:
    if len(text) != 4 or not text.isdigit() or int(text[2:]) > 59 or int(text[:2]) > 24:
        raise ValueError(text)
    return int(text[:2]) * 3600 + int(text[2:]) * 60


def told_sessions(details: ContractDetails) -> tuple[tuple[str, int, int], ...]:
    """Sessions of the days that are named: (date, open, close) in UTC ns, 0 and 0 where closed. Breaks are left out."""
    zone = zone_of(details)
    found: dict[date, tuple[int, int]] = {}
    for segment in _segments(details.liquidHours):
        if isinstance(segment, date):
            found.setdefault(segment, (0, 0))
            continue
        day, opened, closed = segment
        begin, end = _instant(day, opened, zone), _instant(day, closed, zone)
        if not 0 < end - begin <= DAY_S * SECOND:
            continue
        known = found.get(day, (0, 0))
        found[day] = (min(known[0] or begin, begin), max(known[1], end))
    return tuple((day.isoformat(), *found[day]) for day in sorted(found))


def _instant(day: date, seconds: int, zone: ZoneInfo) -> int:
    days, left = divmod(seconds, DAY_S)
    on = day + timedelta(days=days)
    moment = datetime(on.year, on.month, on.day, left // 3600, left // 60 % 60, tzinfo=zone)
    return round(moment.timestamp()) * SECOND


class Hours:
    """When the instrument trades within a day."""

    def __init__(self, details: ContractDetails, regular_wanted: bool) -> None:
        self._zone = zone_of(details)
        kind = details.contract.secType if details.contract is not None else "STK"
        self.regular = regular_wanted and kind not in ("CASH", "FUT")
        self._open_s, self._close_s = _usual_day(details, self._zone)

    @property
    def seconds(self) -> int:
        """Length of a trading day."""
        return max(self._close_s - self._open_s, 60) if self.regular else DAY_S

    def start_ns(self, when: date | datetime) -> int:
        """Start of a bar; of a day's bar, the open."""
        return self._moment(when) if isinstance(when, datetime) else _instant(when, self._open_s, self._zone)

    def end_ns(self, when: date | datetime, seconds: int) -> int:
        """End of a bar; of a day's bar, the close."""
        if isinstance(when, datetime):
            return self._moment(when) + seconds * SECOND
        return _instant(when, self._close_s, self._zone)

    def _moment(self, when: datetime) -> int:
        # A time without a zone is the exchange's, whatever the zone of this machine.
        return round((when if when.tzinfo is not None else when.replace(tzinfo=self._zone)).timestamp()) * SECOND


def _usual_day(details: ContractDetails, zone: ZoneInfo) -> tuple[int, int]:
    """Seconds after midnight of open and close; of the first day that lies within one date."""
    for segment in _segments(details.liquidHours):
        if not isinstance(segment, date) and 0 <= segment[1] < segment[2]:
            return segment[1], segment[2]
    return _US_DAY if zone.key == _NEW_YORK else (0, DAY_S)
