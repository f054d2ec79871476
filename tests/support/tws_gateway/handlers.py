"""Request number to handler: the one table of what this gateway understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.support.tws_gateway import account_requests, data_requests, order_requests, reference_requests
from tests.support.tws_gateway.protocol import Cursor, Req

if TYPE_CHECKING:
    from tests.support.tws_gateway.session import Session

Handler = Callable[["Session", Cursor], None]

HANDLERS: dict[int, Handler] = {
    **order_requests.TABLE,
    **account_requests.TABLE,
    **data_requests.TABLE,
    **reference_requests.TABLE,
}
UNDERSTOOD = frozenset(Req(number) for number in HANDLERS)
