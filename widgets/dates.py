"""Days and months by their names in the user's language; the names never come from the system's locale."""

from datetime import date, datetime

from widgets import formats
from widgets.words import tr

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def weekday(moment: date) -> str:
    """Return the short name of the day."""
    return tr(DAYS[moment.weekday()])


def month(moment: date) -> str:
    """Return the short name of the month, standing alone."""
    return tr(MONTHS[moment.month - 1])


def day_of_month(moment: date) -> str:
    """Return day and month: `22 Nov`."""
    return f"{moment.day} {tr(MONTHS[moment.month - 1], 'after a day')}"


def long_day(ts_ns: int | None, zone: str) -> str:
    """Return a date in a zone: `Mon 23 Nov 2026`."""
    if ts_ns is None:
        return formats.MISSING
    moment: datetime = formats.local_time(ts_ns, zone)
    return f"{weekday(moment)} {day_of_month(moment)} {moment.year}"
