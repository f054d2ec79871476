"""Alpaca's words in ours: states, times, numbers. Pure."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from engine.bus.errors import BrokerError
from engine.model.report import BrokerStatus

STATUS: dict[str, BrokerStatus] = {
    "new": BrokerStatus.WORKING,
    "partially_filled": BrokerStatus.WORKING,
    "pending_replace": BrokerStatus.WORKING,
    "stopped": BrokerStatus.WORKING,
    "accepted": BrokerStatus.HELD,
    "pending_new": BrokerStatus.HELD,
    "accepted_for_bidding": BrokerStatus.HELD,
    "pending_review": BrokerStatus.HELD,
    "held": BrokerStatus.HELD,
    "suspended": BrokerStatus.HELD,
    "done_for_day": BrokerStatus.HELD,
    "calculated": BrokerStatus.HELD,
    "pending_cancel": BrokerStatus.PENDING_CANCEL,
    "filled": BrokerStatus.FILLED,
    "canceled": BrokerStatus.CANCELLED,
    "expired": BrokerStatus.EXPIRED,
    "rejected": BrokerStatus.REJECTED,
}
REPLACED = "replaced"
"""Not an end: the order goes on under another id."""
ENDS = (BrokerStatus.FILLED, BrokerStatus.CANCELLED, BrokerStatus.EXPIRED, BrokerStatus.REJECTED)


def status(word: object) -> BrokerStatus:
    """The state that a word means; one we do not know is OTHER."""
    return STATUS.get(str(word), BrokerStatus.OTHER)


def nanoseconds(text: object) -> int:
    """Read an RFC 3339 time with up to nine digits of a second, as UTC ns. Raises ``BrokerError``."""
    try:
        whole, _, rest = str(text).replace("Z", "+00:00").partition(".")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        zone = rest[len(digits) :]
        moment = datetime.fromisoformat(whole + zone)
    except ValueError as error:
        raise BrokerError(f"{text!r} is no time") from error
    if moment.tzinfo is None:
        raise BrokerError(f"{text!r} has no time zone")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + int(digits.ljust(9, "0")[:9] or "0")


def rfc3339(ns: int) -> str:
    """Write UTC ns to the millisecond, as Alpaca reads it."""
    whole, rest = divmod(ns, 1_000_000_000)
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest // 1_000_000:03d}Z"


def decimal(value: object, name: str) -> Decimal:
    """Read a number that must be there. Raises ``BrokerError`` naming it."""
    found = maybe(value, name)
    if found is None:
        raise BrokerError(f"the broker did not say the {name}")
    return found


def maybe(value: object, name: str) -> Decimal | None:
    """Read a number that may be missing. Raises ``BrokerError`` naming one that is none."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise BrokerError(f"the broker said {value!r} as the {name}") from error
    if not number.is_finite():
        raise BrokerError(f"the broker said {value!r} as the {name}")
    return number
