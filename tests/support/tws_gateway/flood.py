"""A storm of price messages: ready-made frames in bulk, so that the gateway's own pace is not what is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.tws_gateway.frames import encode
from tests.support.tws_gateway.protocol import Msg

if TYPE_CHECKING:
    from tests.support.tws_gateway.server import TwsGateway
    from tests.support.tws_gateway.session import Session

BEAT_S = 0.01


class Flood:
    """Writes ``per_second`` tick messages to every session, over all its lines, until the gateway ends."""

    def __init__(self, gateway: TwsGateway, per_second: int) -> None:
        self._gateway = gateway
        self._per_second = per_second
        self._began = gateway.loop.time()
        self._due = self._count = 0
        self._frames: dict[int, list[bytes]] = {}
        self._at = 0
        self.sent = 0
        self._beat()

    def _beat(self) -> None:
        """What is due by now, however late this beat comes; after a long sleep no more than a second's worth."""
        due = round((self._gateway.loop.time() - self._began) * self._per_second)
        self._count, self._due = min(due - self._due, self._per_second), due
        for session in self._gateway.sessions:
            if session.ready and not session.closed and session.subs.market_data:
                self._write(session)
        self._gateway.later(BEAT_S, self._beat)

    def _write(self, session: Session) -> None:
        frames = self._frames.get(session.number)
        if frames is None or len(frames) != 32 * len(session.subs.market_data):
            frames = self._frames[session.number] = self._made(session)
        wanted = [frames[(self._at + n) % len(frames)] for n in range(self._count)]
        self._at += self._count
        self.sent += self._count
        session.write_raw(b"".join(wanted))

    def _made(self, session: Session) -> list[bytes]:
        """Bid and ask in turn, symbol after symbol; sizes change so that none repeats the one before."""
        found = []
        for step in range(16):
            for req_id, data in session.subs.market_data.items():
                book = self._gateway.market.book(data.contract.con_id)
                for kind, price in ((1, book.bid), (2, book.ask)):
                    fields = (int(Msg.TICK_PRICE), 6, req_id, kind, price, 100 + step, 1)
                    found.append(encode([str(field) for field in fields]))
        return found
