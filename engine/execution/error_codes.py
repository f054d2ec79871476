"""Broker error codes and what they mean, as data. The starting set is Interactive Brokers' (reliability.md §6.4).

A code on an order is a claim about it, in context: the same number rejects a new order and refuses a modification of
a living one. :mod:`engine.execution.fold` knows the context; this table knows the numbers.
"""

from engine.model.report import ErrorClass

_BY_CLASS: dict[ErrorClass, tuple[int, ...]] = {
    ErrorClass.REJECT: (
        *(109, 110, 113, 200, 201, 203, 321, 383, 387, 434, 435, 439, 443, 460),
        *(10006, 10020, 10243, 10268, 10289, 10293),
    ),
    ErrorClass.CANCEL_ACK: (202,),
    ErrorClass.CANCEL_FAILED: (135, 161, 10147, 10148),
    ErrorClass.MODIFY_FAILED: (103, 104, 105, 329),
    ErrorClass.LINK: (326, 502, 504, 1100, 1101, 1102, 1300, 2110, 10182, 10197),
    ErrorClass.INFO: (399, 404, 492, 10167, 10233, 10311, 10349),
    ErrorClass.PACING: (100,),
}

CLASS_OF: dict[int, ErrorClass] = {code: kind for kind, codes in _BY_CLASS.items() for code in codes}

HELD_CODES = frozenset({399, 404})
"""Information that the order is held: outside its hours, or waiting for shares to borrow."""


def classify(code: int) -> ErrorClass:
    """Return the class of a code; anything not known is ``UNKNOWN``: no change of state, an alarm and a query."""
    if code in CLASS_OF:
        return CLASS_OF[code]
    if 2100 <= code <= 2169:
        return ErrorClass.INFO
    return ErrorClass.UNKNOWN
