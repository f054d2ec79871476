"""What the console offers: questions to the running engine, and orders through its gate.

Each function blocks and returns its answer; inside ``async def``, and after ``await``, it returns what to wait for.
"""

import asyncio
import concurrent.futures
import contextlib
import os
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from engine.api import commands
from engine.api.client import EngineClient, EngineUnavailable
from engine.api.commands import AnyCommand, GetBars, GetStatus, Halt, PlaceOrder, PreviewOrder, Receipt
from engine.api.frames import Frame, RowsChanged
from engine.api.halt_flag import leave_halt_flag
from engine.api.order_language import parse_order_text
from engine.api.rows import FillRow, OrderRow, PositionRow, QuoteRow, Row, SuggestionRow
from engine.api.wire import Follow
from engine.model.ids import IntentId, Symbol

ANSWER_S = 30.0
SNAPSHOT_S = 5.0
PREVIEW_S = 60.0
"""After this long a preview says nothing any more: it is asked for again before anything is sent."""
READER = "console"
"""What only looks proves nobody's presence; what trades is done by a person, as on the command line."""
PERSON = "cli"
BARS = {"1m": 60, "5m": 300, "15m": 900, "30m": 1_800, "1h": 3_600, "1d": 86_400, "1w": 604_800}
ROWS: dict[str, type[Row]] = {
    "positions": PositionRow,
    "orders": OrderRow,
    "fills": FillRow,
    "suggestions": SuggestionRow,
}
_COLUMNS = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "previous_close")
_FLAGS = {1: "stale", 2: "halted", 4: "delayed"}


Snapshot = tuple[dict[str, list[Any]], Frame | None]
"""Rows by table, and the newest prices."""


class Refusal(Exception):
    """The engine said no; the message says why. Nothing was done."""


class Session:
    """A loop of its own, in a thread of its own, and the connection to the engine of a profile."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        self.loop = asyncio.new_event_loop()
        self._client: EngineClient | None = None
        self._opening = asyncio.Lock()
        self._thread = threading.Thread(target=self.loop.run_forever, name="console", daemon=True)
        self._thread.start()

    @property
    def inside(self) -> bool:
        """Whether this is the loop's own thread: there one awaits and never blocks."""
        return threading.get_ident() == self._thread.ident

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run ``work`` on the loop and wait; Ctrl+C cancels it. In the loop's own thread return it to be awaited."""
        if self.inside:
            return work
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            # In short steps: where a lock cannot be interrupted, Ctrl+C is heard between two of them.
            while not future.done():
                concurrent.futures.wait((future,), timeout=0.2)
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    async def send(self, command: AnyCommand) -> Receipt:
        """Deliver a command and return its receipt, a refusal too. Raises ``EngineUnavailable``."""
        client = await self._connected()
        try:
            async with asyncio.timeout(ANSWER_S):
                return await client.send(command)
        except TimeoutError as error:
            raise EngineUnavailable(
                f"the engine did not answer within {ANSWER_S:.0f} s; look before you repeat"
            ) from error
        except OSError as error:
            # Never sent again by itself: whether the first one arrived is not known.
            await self._drop(client)
            raise EngineUnavailable(f"{error}; look before you repeat") from error

    async def snapshot(self, tables: tuple[str, ...], quotes: bool = False) -> Snapshot:
        """Read tables, and the newest prices, as they are now; over a connection of its own."""
        client = await EngineClient.connect(self.profile, client=READER)
        rows: dict[str, list[Any]] = {}
        frame: Frame | None = None
        try:
            with contextlib.suppress(OSError):  # what has not come then is looked for below
                await client.follow(Follow(tables=tables, quotes=quotes, notices=False, rate_hz=30.0))
                async with asyncio.timeout(SNAPSHOT_S):
                    async for message in client.messages():
                        if isinstance(message, RowsChanged) and message.reset:
                            rows[message.table] = list(message.rows)
                        elif isinstance(message, Frame) and message.quotes is not None:
                            frame = frame or message
                        if len(rows) == len(tables) and (frame is not None or not quotes):
                            break
        finally:
            await client.close()
        if len(rows) < len(tables):
            raise EngineUnavailable("the engine did not send its tables")
        return rows, frame

    def close(self) -> None:
        """Leave; the engine goes on."""

        async def leave() -> None:
            if self._client is not None:
                await self._client.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        try:
            asyncio.run_coroutine_threadsafe(leave(), self.loop).result(timeout=2.0)
        except (TimeoutError, concurrent.futures.TimeoutError, OSError):
            return  # a task of the person's that does not end; the thread dies with the process
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=2.0)
        if not self._thread.is_alive():
            self.loop.close()

    async def _connected(self) -> EngineClient:
        async with self._opening:
            if self._client is None or self._client.gone:
                client = await EngineClient.connect(self.profile, client=READER, listens=False)
                await client.follow(Follow(notices=False))
                self._client = client
            return self._client

    async def _drop(self, client: EngineClient) -> None:
        if self._client is client:
            self._client = None
        await client.close()


class Draft:
    """An order that was read and previewed; ``send()`` sends it. A repeat is answered with the first's outcome."""

    def __init__(self, text: str, command: AnyCommand, verdict: Receipt | None) -> None:
        self.text, self.command, self.verdict = text, command, verdict
        self.made_s = time.monotonic()

    @property
    def old(self) -> bool:
        return time.monotonic() - self.made_s > PREVIEW_S

    def __repr__(self) -> str:
        lines = [f"{self.text}"]
        if self.verdict is None:
            lines.append("  not sent yet; send() does it")
            return "\n".join(lines)
        told = self.verdict.data.get("verdict")
        if isinstance(told, Mapping):
            for name in ("notional", "risk", "margin", "commission", "position_after"):
                if told.get(name) is not None:
                    lines.append(f"  {name.replace('_', ' ')}: {told[name]}")
        for denial in self.verdict.denials:
            kind = "" if denial.hard else f" (send(confirm={denial.code!r}) accepts it)"
            lines.append(f"  {denial.code}  {denial.text}{kind}")
        good = self.verdict.ok
        lines.append("  nothing speaks against it; send() sends it" if good else "  the gate would refuse it")
        return "\n".join(lines)


class Outcome:
    """What the engine said to a command."""

    def __init__(self, receipt: Receipt) -> None:
        self.receipt, self.ok, self.data = receipt, receipt.ok, receipt.data

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        receipt = self.receipt
        lines = [receipt.text or ("done" if receipt.ok else f"refused: {receipt.code}")]
        lines += [f"  {denial.code}  {denial.text}" for denial in receipt.denials]
        lines += [
            f"  {key}: {value}"
            for key, value in receipt.data.items()
            if isinstance(value, str | int | float) and value != ""
        ]
        return "\n".join(lines)


class Live:
    """The functions, bound to one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._draft: Draft | None = None
        self._count = 0

    def names(self) -> dict[str, Callable[..., Any]]:
        """The functions by the name they have at the prompt."""
        return {
            each.__name__: each
            for each in (
                *(self.status, self.positions, self.orders, self.fills, self.suggestions, self.quotes, self.bars),
                *(self.order, self.send, self.halt, self.ask),
            )
        }

    def status(self) -> Any:
        """Where the engine stands: the keys of ``main.py status --json``, as a dict."""

        async def work() -> dict[str, object]:
            return _checked(await self._session.send(GetStatus(by=READER))).data

        return self._session.wait(work())

    def positions(self) -> Any:
        """What is held, a pandas frame by symbol."""
        return self._session.wait(self._table("positions"))

    def orders(self, working: bool = True) -> Any:
        """Orders that work, a pandas frame by reference; ``working=False`` all of today."""

        async def work() -> pd.DataFrame:
            frame = await self._table("orders")
            return frame[frame["working"].astype(bool)] if working else frame

        return self._session.wait(work())

    def fills(self) -> Any:
        """What was bought and sold, a pandas frame."""
        return self._session.wait(self._table("fills"))

    def suggestions(self) -> Any:
        """What the agent proposed, a pandas frame by name."""
        return self._session.wait(self._table("suggestions"))

    def quotes(self, *symbols: str) -> Any:
        """The newest prices: ``quotes()`` of everything, ``quotes("AAPL", "MSFT")`` of some; a pandas frame."""

        async def work() -> pd.DataFrame:
            rows, frame = await self._session.snapshot(("quotes",), quotes=True)
            return quote_frame(rows["quotes"], frame, tuple(symbol.upper() for symbol in symbols))

        return self._session.wait(work())

    def bars(self, symbol: str, interval: str = "1m", count: int = 1000) -> Any:
        """Closed bars, oldest first: a pandas frame over UTC times. ``interval``: 1m 5m 15m 30m 1h 1d 1w."""
        if interval not in BARS:
            raise ValueError(f"interval {interval!r} is not one of {', '.join(BARS)}")

        async def work() -> pd.DataFrame:
            command = GetBars(symbol=Symbol(symbol.upper()), seconds=BARS[interval], count=count, by=READER)
            return bar_frame(_checked(await self._session.send(command)).data)

        return self._session.wait(work())

    def order(self, text: str) -> Any:
        """Read an order and ask the gate; nothing is sent before ``send()``.

        ``order("buy AAPL 100 @ 190 stop 185")``, ``order("cancel all")``, ``order("flatten AAPL 1/2")``.
        """
        self._count += 1
        intent = IntentId(f"console-{os.getpid()}-{time.time_ns():x}-{self._count}")
        self._draft = None  # whatever comes of this text, the order before it is not what is sent next
        command = parse_order_text(text, intent, by=PERSON)

        async def work() -> Draft:
            verdict = None
            if isinstance(command, PlaceOrder):
                verdict = await self._session.send(PreviewOrder(request=command.request, by=PERSON))
            self._draft = Draft(text, command, verdict)
            return self._draft

        return self._session.wait(work())

    def send(self, confirm: str = "") -> Any:
        """Send the order that was previewed last. ``confirm="G5"`` accepts its soft limits of those codes."""
        draft = self._draft
        if draft is None:
            raise Refusal('There is no order to send: order("buy AAPL 100 @ 190") first.')
        if draft.old:
            self._draft = None
            raise Refusal(f"The preview is older than {PREVIEW_S:.0f} s, so nothing was sent; preview it again.")
        command = draft.command
        if isinstance(command, PlaceOrder) and confirm:
            codes = tuple(code.strip().upper() for code in confirm.split(",") if code.strip())
            command = PlaceOrder(request=msgspec.structs.replace(command.request, confirmed=codes), by=PERSON)

        async def work() -> Outcome:
            return Outcome(await self._session.send(command))

        return self._session.wait(work())

    def halt(self, flatten: bool = False) -> Any:
        """STOP: cancel entries, keep stops; ``flatten=True`` also closes every position. At once, never asked twice."""

        async def work() -> Outcome:
            try:
                return Outcome(await self._session.send(Halt(flatten=flatten, reason="console", by=PERSON)))
            except (EngineUnavailable, OSError) as error:
                flag = leave_halt_flag(self._session.profile, flatten=flatten)
                text = f"{error}; left {flag}: an engine of this profile stops at once and stays stopped"
                return Outcome(Receipt(ok=False, code="FLAG", text=text))

        return self._session.wait(work())

    def ask(self, command: AnyCommand) -> Any:
        """Send any command of ``commands`` and return its receipt: ``ask(commands.GetCapabilities(by="console"))``."""
        return self._session.wait(self._session.send(command))

    async def _table(self, name: str) -> pd.DataFrame:
        rows, _ = await self._session.snapshot((name,))
        return table_frame(rows[name], ROWS[name])


def _checked(receipt: Receipt) -> Receipt:
    if not receipt.ok:
        raise Refusal(f"{receipt.code} {receipt.text}".strip())
    return receipt


def table_frame(rows: list[Any], kind: type[Row]) -> pd.DataFrame:
    """Rows of one table as a frame by key; columns that end in ``_ns`` become UTC times."""
    fields = [field.name for field in msgspec.structs.fields(kind)]
    frame = pd.DataFrame([msgspec.structs.asdict(row) for row in rows], columns=fields).set_index("key")
    for name in [name for name in frame.columns if name.endswith("_ns") or name == "ts_event"]:
        # Told apart afterwards: beside a gap whole nanoseconds would become floats, and lose their last digits.
        frame[name] = pd.to_datetime(frame[name], unit="ns", utc=True).where(frame[name] > 0)
    return frame.rename(columns={name: name.removesuffix("_ns") for name in frame.columns})


def quote_frame(rows: list[Any], frame: Frame | None, symbols: tuple[str, ...]) -> pd.DataFrame:
    """Prices by symbol, NaN where unknown; ``state`` says stale, halted or delayed."""
    known = {row.index: row.key for row in rows if isinstance(row, QuoteRow)}
    if missing := [symbol for symbol in symbols if symbol not in known.values()]:
        raise Refusal(f"{', '.join(missing)}: not followed by the engine")
    block = frame.quotes if frame is not None else None
    if block is None:
        return pd.DataFrame(columns=[*_COLUMNS, "time", "state"])
    places = np.frombuffer(block.index, np.int32)
    columns: dict[str, Any] = {name: np.frombuffer(getattr(block, name), np.float64) for name in _COLUMNS}
    columns["time"] = pd.to_datetime(np.frombuffer(block.ts, np.int64), unit="ns", utc=True)
    columns["state"] = [
        " ".join(word for bit, word in _FLAGS.items() if flag & bit) for flag in np.frombuffer(block.flags, np.uint8)
    ]
    made = pd.DataFrame(columns, index=pd.Index([known.get(int(place), "") for place in places], name="symbol"))
    return made.reindex(list(symbols)) if symbols else made


def bar_frame(data: Mapping[str, Any]) -> pd.DataFrame:
    """Bars over the UTC times at which they began."""
    index = pd.DatetimeIndex(pd.to_datetime(np.frombuffer(data["ts_open"], np.int64), unit="ns", utc=True), name="time")
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({name: np.frombuffer(data[name], np.float64).copy() for name in names}, index=index)


HELP = """The engine of this profile, as it runs now:

  status()                       mode, link, account, money        (a dict)
  positions() orders() fills() suggestions()                       (pandas frames)
  quotes("AAPL")  quotes()       newest prices
  bars("AAPL", "1m", 1000)       closed bars: 1m 5m 15m 30m 1h 1d 1w
  order("buy AAPL 100 @ 190")    read and previewed by the gate; send() sends it
  send()  send(confirm="G5")     what was previewed last
  halt()  halt(flatten=True)     STOP
  ask(commands.GetCapabilities(by="console"))    any command

Whatever Python can, also await. help(order) says more of one; exit() or Ctrl+D leaves, and the engine goes on."""

__all__ = ["HELP", "Live", "Refusal", "Session", "commands"]
