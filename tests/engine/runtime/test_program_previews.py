"""A program with no more than the right to read cannot use up the messages to the broker."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from engine.api.commands import PreviewOrder
from engine.model.ids import IntentId, Symbol
from engine.model.market import Side
from engine.model.order import OrderRequest
from engine.runtime.enquiry import ENOUGH, PROGRAMS_ASK, Enquiry

REQUEST = OrderRequest(intent_id=IntentId("p"), symbol=Symbol("AAPL"), side=Side.BUY, quantity=Decimal(1))


class WhatIfs:
    def __init__(self, required: bool) -> None:
        self.required = required
        self.asked = 0

    async def ask(self, request: OrderRequest, *, exact: bool = False) -> None:
        self.asked += 1


def enquiry(required: bool) -> tuple[Enquiry, WhatIfs]:
    nobody: Any = SimpleNamespace()
    what_ifs: Any = WhatIfs(required)
    return Enquiry(what_ifs, nobody, nobody), what_ifs


@pytest.mark.parametrize("required", [True, False])
async def test_the_seventh_preview_of_programs_in_a_minute_asks_the_broker_nothing(required: bool) -> None:
    gate, what_ifs = enquiry(required)
    preview = PreviewOrder(request=REQUEST, by="api")
    for _ in range(PROGRAMS_ASK):
        assert await gate.before(preview) is None
    # Where the answer is required the gate would ask for it itself: it is not reached.
    assert await gate.before(preview) is (ENOUGH if required else None)
    assert what_ifs.asked == PROGRAMS_ASK


async def test_a_person_is_answered_however_much_programs_ask_and_so_is_what_only_closes() -> None:
    gate, what_ifs = enquiry(True)
    for _ in range(PROGRAMS_ASK + 1):
        await gate.before(PreviewOrder(request=REQUEST, by="mcp"))
    assert await gate.before(PreviewOrder(request=REQUEST, by="window")) is None
    assert what_ifs.asked == PROGRAMS_ASK + 1
    closing = msgspec.structs.replace(REQUEST, reduce_only=True)
    assert await gate.before(PreviewOrder(request=closing, by="mcp")) is None
