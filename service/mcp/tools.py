"""The tools of an assistant: they read, preview, propose and halt; what sends is offered where the settings allow it.

A tool decides nothing: the engine refuses what a program may not do, whatever is called here.
"""

import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from engine.api.client import EngineUnavailable
from engine.api.commands import (
    AnyCommand,
    Approve,
    CancelOrder,
    GetBars,
    GetStatus,
    PlaceOrder,
    PreviewOrder,
    Receipt,
)
from engine.api.rows import OrderRow, PositionRow, Row, SuggestionRow
from engine.model.ids import OrderRef, SuggestionId
from engine.model.market import Side
from engine.model.suggestion import SuggestionState
from service import bodies
from service.answers import Refusal
from service.link import EngineLink
from service.reading import STEPS, unpacked

MOST_ROWS = 200
MOST_BARS = 500
T = TypeVar("T", bound=Row)


class _Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base."""


class Nothing(_Arguments, frozen=True, kw_only=True):
    """No arguments."""


class Listed(_Arguments, frozen=True, kw_only=True):
    all: bool = False
    """Closed or answered ones too."""


class Named(_Arguments, frozen=True, kw_only=True):
    symbols: list[bodies.Ticker] = []
    """Which; all that are watched without it."""


class Chart(_Arguments, frozen=True, kw_only=True):
    symbol: bodies.Ticker
    step: Annotated[str, Meta(pattern="^(1m|5m|15m|1h|1d)$")] = "5m"
    count: Annotated[int, Meta(ge=1, le=MOST_BARS)] = 100


class Text(_Arguments, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=300)]
    """Such as: buy KO 10 @ 55 stop 53 target 59 day."""


class Placed(_Arguments, frozen=True, kw_only=True):
    id: bodies.Name
    """Your own name for this order; the same name twice is one order."""
    text: Annotated[str, Meta(min_length=1, max_length=300)]
    """Such as: buy KO 10 @ 55 stop 53 target 59 day."""


class Idea(_Arguments, frozen=True, kw_only=True):
    symbol: bodies.Ticker
    side: Side
    quantity: Decimal | None = None
    """Sized by the limits and the stop without it."""
    entry: Decimal | None = None
    """The price at which it would trade now without it."""
    stop: Decimal | None = None
    target: Decimal | None = None
    comment: bodies.Said = ""
    """Why; the person who answers reads it."""
    id: bodies.Name | None = None
    """Your own name for this idea; the same name twice is one idea."""


class Reason(_Arguments, frozen=True, kw_only=True):
    reason: Annotated[str, Meta(max_length=200)] = ""


class Reference(_Arguments, frozen=True, kw_only=True):
    ref: Annotated[str, Meta(min_length=1, max_length=64)]


class Answered(_Arguments, frozen=True, kw_only=True):
    suggestion_id: Annotated[str, Meta(min_length=1, max_length=32)]
    hash: Annotated[str, Meta(min_length=1, max_length=64)]
    """approval_hash of the suggestion as it was read."""


@dataclass(frozen=True)
class Tool:
    """One tool: what it is for, what it takes, and whether it only looks."""

    name: str
    text: str
    takes: type[_Arguments]
    run: Callable[[Any], Awaitable[dict[str, Any]]]
    looks: bool = True
    sends: bool = False

    def described(self) -> dict[str, Any]:
        """The tool as ``tools/list`` tells it."""
        _, parts = msgspec.json.schema_components([self.takes], ref_template="#/$defs/{name}")
        schema = dict(parts.pop(self.takes.__name__))
        schema.pop("title", None)
        return {
            "name": self.name,
            "description": self.text,
            "inputSchema": {**schema, **({"$defs": parts} if parts else {})},
            "annotations": {
                "readOnlyHint": self.looks,
                "destructiveHint": self.sends,
                "idempotentHint": self.looks or self.sends,
                "openWorldHint": self.sends,
            },
        }


class Toolbox:
    """The tools before one engine. ``trade``: those that send are offered too; the engine has the last word."""

    def __init__(self, link: EngineLink, trade: bool) -> None:
        self._link = link
        self._numbers, self._session = itertools.count(1), secrets.token_hex(6)
        tools = [
            Tool("status", "Where the engine stands: mode, account, money, positions.", Nothing, self._status),
            Tool("positions", "What is held.", Nothing, self._positions),
            Tool("orders", "Orders at work, or all of them.", Listed, self._orders),
            Tool("suggestions", "The queue of suggestions, or all of them.", Listed, self._suggestions),
            Tool("quotes", "Last prices.", Named, self._quotes),
            Tool("bars", "Bars of a symbol, oldest first.", Chart, self._bars),
            Tool("preview_order", "What would become of an order; nothing is sent.", Text, self._preview),
            Tool(
                "propose_order",
                "Put an idea in the queue of suggestions. A person answers it; nothing is sent by this.",
                Idea,
                self._propose,
                looks=False,
            ),
            Tool("halt", "STOP: cancel what opens, and send nothing more.", Reason, self._halt, looks=False),
        ]
        if trade:
            tools += [
                Tool("place_order", "Send an order.", Placed, self._place, looks=False, sends=True),
                Tool("cancel_order", "Cancel an order.", Reference, self._cancel, looks=False, sends=True),
                Tool("approve_suggestion", "Say yes to it.", Answered, self._approve, looks=False, sends=True),
            ]
        self.tools = {tool.name: tool for tool in tools}

    async def call(self, name: str, arguments: object) -> tuple[dict[str, Any], bool]:
        """Use a tool; return what it says and whether it did what it is for. Raises ``KeyError`` for an unknown one."""
        tool = self.tools[name]
        try:
            told = await tool.run(msgspec.convert(arguments, tool.takes, strict=True))
        except msgspec.ValidationError as error:
            return {"code": "ARGUMENTS", "text": str(error)}, False
        except Refusal as refusal:
            return {"code": refusal.code, "text": refusal.text}, False
        except EngineUnavailable as error:
            return {"code": "NO_ENGINE", "text": str(error)}, False
        return told, told.get("ok", True) is not False

    # --- looking

    async def _status(self, _: Nothing) -> dict[str, Any]:
        receipt = await self._link.send(GetStatus())
        data = dict(receipt.data)
        data.pop("suggestions", None)
        return dict(_plain(data))

    async def _positions(self, _: Nothing) -> dict[str, Any]:
        return {"rows": _plain(self._rows("positions", PositionRow))}

    async def _orders(self, asked: Listed) -> dict[str, Any]:
        rows = [row for row in self._rows("orders", OrderRow) if asked.all or row.working]
        return {"rows": _plain(rows[-MOST_ROWS:])}

    async def _suggestions(self, asked: Listed) -> dict[str, Any]:
        rows = self._rows("suggestions", SuggestionRow)
        open_ones = [row for row in rows if asked.all or SuggestionState(row.state).open]
        return {"rows": _plain(open_ones[-MOST_ROWS:])}

    async def _quotes(self, asked: Named) -> dict[str, Any]:
        self._need()
        prices = self._link.mirror.prices
        names = [name.upper() for name in asked.symbols] or sorted(prices)[:MOST_ROWS]
        return {
            "rows": _plain([prices[name] for name in names if name in prices]),
            "unknown": [name for name in names if name not in prices],
        }

    async def _bars(self, asked: Chart) -> dict[str, Any]:
        seconds, symbol = STEPS[asked.step], bodies.symbols(asked.symbol)[0]
        receipt = await self._link.send(GetBars(symbol=symbol, seconds=seconds, count=asked.count))
        if not receipt.ok:
            return _told(receipt)
        return {"symbol": symbol, "seconds": seconds, "bars": _plain(unpacked(receipt.data))}

    async def _preview(self, asked: Text) -> dict[str, Any]:
        request = bodies.order(bodies.OrderBody(text=asked.text, preview=True))
        return await self._ask(PreviewOrder(request=request))

    # --- doing

    async def _propose(self, asked: Idea) -> dict[str, Any]:
        body = bodies.ProposalBody(
            id=asked.id or f"{self._session}-{next(self._numbers)}",
            symbol=asked.symbol,
            side=asked.side,
            quantity=asked.quantity,
            entry=asked.entry,
            stop=asked.stop,
            target=asked.target,
            comment=asked.comment,
        )
        return await self._ask(bodies.proposal(body))

    async def _halt(self, asked: Reason) -> dict[str, Any]:
        return _told(await self._link.halt(asked.reason or "asked by an assistant"))

    async def _place(self, asked: Placed) -> dict[str, Any]:
        request = bodies.order(bodies.OrderBody(id=asked.id, text=asked.text))
        return await self._ask(PlaceOrder(request=request))

    async def _cancel(self, asked: Reference) -> dict[str, Any]:
        return await self._ask(CancelOrder(ref=OrderRef(asked.ref)))

    async def _approve(self, asked: Answered) -> dict[str, Any]:
        name = SuggestionId(asked.suggestion_id)
        return await self._ask(Approve(suggestion_id=name, approval_hash=asked.hash))

    async def _ask(self, command: AnyCommand) -> dict[str, Any]:
        return _told(await self._link.send(command))

    def _need(self) -> None:
        if not self._link.up:
            raise EngineUnavailable(self._link.why)

    def _rows(self, table: str, kind: type[T]) -> list[T]:
        self._need()
        return [row for row in self._link.mirror.tables[table].rows.values() if isinstance(row, kind)]


def _told(receipt: Receipt) -> dict[str, Any]:
    """A receipt as a tool tells it."""
    return {
        "ok": receipt.ok,
        "code": receipt.code,
        "text": receipt.text,
        "denials": _plain(receipt.denials),
        **_plain(dict(receipt.data)),
    }


def _plain(value: object) -> Any:
    """Plain JSON: no number that is none, which its readers do not know."""
    return msgspec.json.decode(msgspec.json.encode(value))
