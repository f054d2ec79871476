"""Routes that read: from the mirror what is shown, from the engine what is asked."""

import struct
from typing import TypeVar

from starlette.responses import Response

from engine.api.commands import GetBars, GetStatus, GetSuggestion
from engine.api.rows import AlarmRow, FillRow, LimitRow, OrderRow, PositionRow, SourceRow, StateRow, SuggestionRow
from engine.model.ids import SuggestionId
from engine.model.suggestion import SuggestionState
from service import answers, shapes
from service.answers import Refusal
from service.ask import Ask
from service.bodies import symbols, whole

T = TypeVar("T")
STEPS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400}
MOST_BARS, MOST_ROWS = 5_000, 10_000


async def status(ask: Ask) -> Response:
    receipt = await ask.link.send(GetStatus())
    return answers.json(receipt.data)


async def health(ask: Ask) -> Response:
    """Answers without an engine too: it says so."""
    state = _state(ask)
    if not ask.link.up or state is None:
        return answers.json(shapes.Health(engine=False, why=ask.link.why))
    sources = [row for row in ask.link.mirror.tables["sources"].rows.values() if isinstance(row, SourceRow)]
    return answers.json(
        shapes.Health(
            engine=True,
            mode=state.mode,
            link=state.link,
            session=state.session,
            halted=state.halted,
            unknown=state.unknown,
            lag_ms=state.engine_lag_ms,
            sources={row.key: row.state for row in sources},
            clients=list(state.clients),
            as_of=state.now_ns,
        )
    )


async def positions(ask: Ask) -> Response:
    return answers.json(shapes.Positions(rows=ask.rows("positions", PositionRow), as_of=as_of(ask)))


async def orders(ask: Ask) -> Response:
    """Those at work, or all of them with ``all=true``; the newest last."""
    rows = ask.rows("orders", OrderRow)
    if not ask.flag("all"):
        rows = [row for row in rows if row.working]
    return answers.json(shapes.Orders(rows=_newest(ask, rows), as_of=as_of(ask)))


async def order(ask: Ask) -> Response:
    ref = ask.request.path_params["ref"]
    found = next((row for row in ask.rows("orders", OrderRow) if row.key == ref), None)
    if found is None:
        raise Refusal(404, "NO_SUCH", "There is no such order.")
    return answers.json(found)


async def fills(ask: Ask) -> Response:
    return answers.json(shapes.Fills(rows=_newest(ask, ask.rows("fills", FillRow)), as_of=as_of(ask)))


async def suggestions(ask: Ask) -> Response:
    rows = ask.rows("suggestions", SuggestionRow)
    if not ask.flag("all"):
        rows = [row for row in rows if SuggestionState(row.state).open]
    return answers.json(shapes.Suggestions(rows=_newest(ask, rows), as_of=as_of(ask)))


async def suggestion(ask: Ask) -> Response:
    name = SuggestionId(ask.request.path_params["id"])
    receipt = await ask.link.send(GetSuggestion(suggestion_id=name))
    return answers.json(receipt.data) if receipt.ok else answers.outcome(receipt)


async def limits(ask: Ask) -> Response:
    return answers.json(shapes.Limits(rows=ask.rows("limits", LimitRow), as_of=as_of(ask)))


async def alarms(ask: Ask) -> Response:
    return answers.json(shapes.Alarms(rows=ask.rows("alarms", AlarmRow), as_of=as_of(ask)))


async def quotes(ask: Ask) -> Response:
    """Last prices of the symbols named, or of all that are watched."""
    ask.need_engine()
    wanted, known = symbols(ask.query("symbols")), ask.link.mirror.prices
    names: tuple[str, ...] = wanted or tuple(sorted(known))
    return answers.json(
        shapes.Quotes(
            rows=[known[name] for name in names if name in known],
            unknown=[name for name in names if name not in known],
            as_of=as_of(ask),
        )
    )


async def bars(ask: Ask) -> Response:
    named = symbols(ask.query("symbol"))
    if len(named) != 1:
        raise Refusal(422, "QUERY", "symbol names one symbol")
    step = ask.query("step") or "1m"
    if step not in STEPS:
        raise Refusal(422, "QUERY", f"step is one of {', '.join(STEPS)}")
    count = whole(ask.query("count") or "500", "count", 1, MOST_BARS)
    end = ask.query("end")
    command = GetBars(
        symbol=named[0],
        seconds=STEPS[step],
        count=count,
        end_ns=whole(end, "end", 0, 2**63 - 1) if end else None,
    )
    receipt = await ask.link.send(command)
    if not receipt.ok:
        return answers.outcome(receipt)
    return answers.json(shapes.Bars(symbol=named[0], seconds=STEPS[step], bars=unpacked(receipt.data)))


def unpacked(data: dict[str, object]) -> list[shapes.Bar]:
    """Read the packed columns of a chart's history."""

    def column(name: str, kind: str) -> tuple[float, ...]:
        raw = data[name]
        if not isinstance(raw, bytes):
            raise TypeError(f"{name} is not packed")
        return struct.unpack(f"<{len(raw) // 8}{kind}", raw)

    columns = (column(name, "d") for name in ("open", "high", "low", "close", "volume"))
    return [
        shapes.Bar(ts_open=int(ts), open=o, high=h, low=low, close=c, volume=v)
        for ts, o, h, low, c, v in zip(column("ts_open", "q"), *columns, strict=True)
    ]


def as_of(ask: Ask) -> int:
    state = _state(ask)
    return 0 if state is None else state.now_ns


def _state(ask: Ask) -> StateRow | None:
    rows = ask.link.mirror.tables["state"].rows.values()
    return next((row for row in rows if isinstance(row, StateRow)), None)


def _newest(ask: Ask, rows: list[T]) -> list[T]:
    count = whole(ask.query("limit") or "500", "limit", 1, MOST_ROWS)
    return rows[-count:]
