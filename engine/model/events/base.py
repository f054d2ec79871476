"""Base of all events."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=lambda name: name):
    """A fact. ``ts_event`` is when it happened at its source, ``ts_init`` when we made this object; both UTC ns."""

    ts_event: int
    ts_init: int
