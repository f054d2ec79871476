"""One client connection: handshake, requests in, callbacks out, and the faults of the wire."""

from __future__ import annotations

import asyncio
import re
import struct
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.support.tws_gateway.accents import spoken
from tests.support.tws_gateway.frames import WHAT_IF, FrameBuffer, FrameError, WireFrame, encode, split, text
from tests.support.tws_gateway.handlers import HANDLERS
from tests.support.tws_gateway.orders import read_place_order
from tests.support.tws_gateway.protocol import Cursor, Msg, Req, RequestError
from tests.support.tws_gateway.subscriptions import Subscriptions

if TYPE_CHECKING:
    from tests.support.tws_gateway.server import TwsGateway

UNVERSIONED = frozenset({3, 20, 22, *range(78, 105)})
"""Requests whose first field after the message number is the request id, not a version."""
REF_AT = 26
"""Where orderRef stands in a placeOrder frame."""
ENDS = {
    Msg.OPEN_ORDER_END: "no_open_orders_end",
    Msg.EXEC_DETAILS_END: "no_executions_end",
    Msg.POSITION_END: "no_positions_end",
    Msg.COMPLETED_ORDERS_END: "no_completed_orders_end",
    Msg.ACCOUNT_DOWNLOAD_END: "no_account_end",
    Msg.ACCOUNT_UPDATE_MULTI_END: "no_account_end",
}


class Session(asyncio.Protocol):
    """Speaks with one client; owned by the gateway."""

    def __init__(self, gateway: TwsGateway, number: int) -> None:
        self.gateway = gateway
        self.number = number
        self.client_id = -1
        self.version = 0
        self.ready = False
        self.closed = False
        self.half_open = False
        self.market_data_type = 1
        self.auto_bind = False
        self.subs = Subscriptions(self)
        self._transport: asyncio.Transport | None = None
        self._buffer = FrameBuffer()
        self._greeted = False
        self._times: deque[int] = deque()
        self._violations = 0
        self._kept: list[list[str]] = []
        self.held_back: list[str] = []
        """A frame that an accent says later."""
        self._timers: set[asyncio.TimerHandle] = set()

    # -- asyncio.Protocol ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()

    def data_received(self, data: bytes) -> None:
        if self.closed or self.half_open:
            return
        self._buffer.data += data
        try:
            while not self.closed and not self.half_open and self._take_one():
                pass
        except FrameError as error:
            self.error(-1, 507, f"Bad message length {error}")
            self.abort()

    def _take_one(self) -> bool:
        if not self._greeted:
            head = self._buffer.take_exact(4)
            if head is None:
                return False
            if head != b"API\0":
                self.abort()
                return False
            self._greeted = True
        body = self._buffer.take_frame()
        if body is None:
            return False
        if self.version == 0:
            self._handshake(body.decode(errors="replace"))
        else:
            self._request(split(body))
        return True

    # -- in --------------------------------------------------------------------------------

    def _handshake(self, offer: str) -> None:
        match = re.match(r"v(\d+)(?:\.\.(\d+))?", offer)
        if match is None:
            self.abort()
            return
        self.version = min(self.gateway.config.version, int(match[2] or match[1]))
        stamp = self.gateway.clock.local().strftime("%Y%m%d %H:%M:%S EST")
        self._emit(int(Msg.HANDSHAKE), [str(self.version), stamp])

    def _request(self, fields: list[str]) -> None:
        gateway = self.gateway
        message = int(fields[0]) if fields and fields[0].lstrip("-").isdigit() else -1
        ref, note = self._ref_of(message, fields)
        self._log("in", message, fields, ref=ref, note=note)
        if not self._keeps_pace():
            return
        where = {"message": message, "client_id": self.client_id}
        gateway.faults.event("request", **where)
        if self.closed or self.half_open or gateway.faults.hit("swallow", **where):
            return
        handler = HANDLERS.get(message)
        if handler is None:
            self.error(-1, 505, f"Fatal Error: Unknown message id. {message}")
            return
        if not self.ready and message != Req.START_API:
            self.error(-1, 504, "Not connected")
            return
        cursor = Cursor(fields[1:])
        try:
            refuse = gateway.faults.hit("refuse", **where)
            if refuse:
                at = 1 if message in UNVERSIONED else 2
                raise RequestError(int(fields[at]) if len(fields) > at else -1, refuse["code"], refuse["text"])
            handler(self, cursor)
        except RequestError as error:
            self.error(error.req_id, error.code, error.message)

    def _ref_of(self, message: int, fields: list[str]) -> tuple[str, str]:
        """The orderRef a frame is about, and the note that a placeOrder is only a question."""
        if message == Req.PLACE_ORDER:
            try:
                _, _, terms = read_place_order(Cursor(fields[1:]), self.version)
            except RequestError:
                return (fields[REF_AT] if len(fields) > REF_AT else ""), ""
            return terms.ref, WHAT_IF if terms.flag("whatIf") else ""
        if message == Req.CANCEL_ORDER and len(fields) > 2 and fields[2].lstrip("-").isdigit():
            order = self.gateway.ledger.find(self.client_id, int(fields[2]))
            return (order.ref if order else ""), ""
        return "", ""

    def _keeps_pace(self) -> bool:
        now, limit = self.gateway.clock.now_ns(), self.gateway.config.messages_per_second
        fault = self.gateway.faults.hit("pacing", client_id=self.client_id)
        self._times.append(now)
        while self._times and now - self._times[0] > 1_000_000_000:
            self._times.popleft()
        if fault is None and (not limit or len(self._times) <= limit):
            return True
        self._violations += 1
        self.error(-1, 100, f"Max rate of messages per second has been exceeded:max={limit} rec={len(self._times)}")
        if (fault and fault["disconnect"]) or self._violations >= 3:
            self.abort()
            return False
        return True

    # -- out -------------------------------------------------------------------------------

    def send(self, message: Msg, *values: object) -> None:
        """Send one callback; the faults of the wire may drop, delay, repeat or shuffle it."""
        if self.closed:
            return
        first = [str(int(message)), *(text(v) for v in values)]
        for fields in spoken(self, self.gateway.config.accents, first):
            self._send(message, fields)

    def _send(self, message: Msg, fields: list[str]) -> None:
        where = {"message": int(message), "client_id": self.client_id}
        faults = self.gateway.faults
        end = ENDS.get(message)
        if faults.hit("mute", **where) or (end and faults.hit(end, **where)):
            self._log("out", int(message), fields, note="muted")
            return
        copies = 1
        repeat = faults.hit("duplicate", **where)
        if repeat:
            copies += int(repeat["copies"])
        late = faults.hit("delay", **where)
        if late:
            self.later(float(late["seconds"]), lambda: self._emit_times(copies, int(message), fields))
            return
        shuffle = faults.hit("reorder", **where)
        if shuffle:
            self._kept.append(fields)
            if len(self._kept) >= int(shuffle["window"]):
                self._release()
            else:
                self.later(0.05, self._release)
            return
        self._emit_times(copies, int(message), fields)

    def _emit_times(self, copies: int, message: int, fields: list[str]) -> None:
        for _ in range(copies):
            self._emit(message, fields)

    def push(self, message: Msg, *values: object) -> None:
        """Send a callback nobody asked for: it is lost while the link to IB is down."""
        if self.ready and self.gateway.link_up:
            self.send(message, *values)

    def error(self, req_id: int, code: int, message: str, advanced: str = "") -> None:
        """Send an error, warning or note; req_id -1 when it belongs to no request."""
        more = [advanced] if self.version >= 166 else []
        self.send(Msg.ERROR, 2, req_id, code, message, *more)

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Run an action after a while unless the session ends before."""

        def run() -> None:
            self._timers.discard(handle)
            if not self.closed:
                action()

        handle = self.gateway.loop.call_later(seconds, run)
        self._timers.add(handle)

    def _release(self) -> None:
        kept, self._kept = self._kept, []
        self.gateway.faults.rng.shuffle(kept)
        for fields in kept:
            self._emit(int(fields[0]), fields, note="reordered")

    def _emit(self, message: int, fields: list[str], note: str = "") -> None:
        if self.closed or self._transport is None:
            return
        if self.half_open:
            self._log("out", message, fields, note="half-open")
            return
        where = {"message": message, "client_id": self.client_id}
        faults, frame = self.gateway.faults, encode(fields)
        if faults.hit("truncate_frame", **where):
            self._log("out", message, fields, note="truncated")
            self._transport.write(frame[: 4 + (len(frame) - 4) // 2])
            self._flush_and_abort()
            return
        bad = faults.hit("bad_length", **where)
        if bad:
            frame = struct.pack(">I", int(bad["length"])) + frame[4:]
            note = "bad length"
        self._log("out", message, fields, note=note)
        self._transport.write(frame)
        if faults.hit("reset_after_frame", **where):
            self._flush_and_abort()

    def write_raw(self, frames: bytes) -> None:
        """Write ready-made frames past log and faults (a storm of ticks)."""
        if not self.closed and not self.half_open and self._transport is not None:
            self._transport.write(frames)

    def _log(self, direction: str, message: int, fields: list[str], note: str = "", ref: str = "") -> None:
        self.gateway.wire.add(
            WireFrame(
                ts_ns=self.gateway.clock.now_ns(),
                session=self.number,
                client_id=self.client_id,
                direction=direction,  # type: ignore[arg-type]
                message=message,
                fields=tuple(fields),
                note=note,
                ref=ref,
            )
        )

    # -- end -------------------------------------------------------------------------------

    def _flush_and_abort(self) -> None:
        """The bytes written so far reach the peer, then the socket ends."""
        self.closed = True
        self._forget(abrupt=True)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reset the socket."""
        if not self.closed:
            self.closed = True
            self._forget(abrupt=True)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Say goodbye (or notice that the client did)."""
        if not self.closed:
            self.closed = True
            self._forget(abrupt=False)
        if self._transport is not None:
            self._transport.close()

    def _forget(self, abrupt: bool) -> None:
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        self.subs.clear()
        self.gateway.session_ended(self, abrupt)
