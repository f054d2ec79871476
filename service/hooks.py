"""Signed deliveries from outside. Each becomes a suggestion in the queue at most; none is ever an order.

The sender signs the moment and the body with a key that both know: ``X-Signature: t=SECONDS,v1=HEX``, where HEX is
HMAC-SHA256 of ``SECONDS.BODY``. A delivery older than five minutes is refused, and one that was heard is heard once.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

from starlette.responses import Response

from service import answers, bodies, shapes
from service.answers import Refusal
from service.ask import Ask
from service.rate import Bucket

WINDOW_S = 300.0
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_NOBODY = b"no hook of that name has a key"


class Hooks:
    """Checks deliveries. ``keys`` by the hook's name; ``now`` is UTC seconds."""

    def __init__(self, keys: Mapping[str, bytes], now: Callable[[], float], pace: Bucket, strangers: Bucket) -> None:
        """``pace`` is that of the senders, ``strangers`` of those who prove nothing: they never use up the other."""
        self._keys, self._now = dict(keys), now
        self._pace, self._strangers = pace, strangers

    async def hear(self, ask: Ask) -> Response:
        """Take a delivery."""
        name = ask.request.path_params["name"]
        raw = await ask.request.body()
        try:
            delivery = self.check(name, ask.request.headers.get("x-signature", ""), raw)
        except Refusal:
            if not self._strangers.take():
                raise Refusal(*answers.BUSY) from None
            raise
        if not self._pace.take():
            raise Refusal(*answers.BUSY)
        command = bodies.signal(bodies.read(raw, bodies.SignalBody), name, delivery)
        receipt = await ask.link.send(command)
        told = shapes.Heard(
            ok=receipt.ok,
            repeat=receipt.code == "REPEAT",
            suggestion_id=str(receipt.data.get("suggestion_id", "")),
            state=str(receipt.data.get("state", "")),
        )
        return answers.json(told, 200 if receipt.ok else 429 if receipt.code == "RATE" else 422)

    def check(self, name: str, header: str, raw: bytes) -> str:
        """Return the delivery's own name, made of its signature. Raises :class:`Refusal`, the same for every fault."""
        signed = _SIGNATURE.fullmatch(header)
        key = self._keys.get(name)
        at, told = signed.groups() if signed is not None else ("0", "")
        true = signature(key or _NOBODY, at, raw)
        if not hmac.compare_digest(true, told) or key is None:
            raise Refusal(401, "SIGNATURE", "The signature is missing or wrong: X-Signature: t=SECONDS,v1=HEX.")
        if abs(self._now() - int(at)) > WINDOW_S:
            raise Refusal(401, "TIME", "The delivery is too old, or a clock is wrong.")
        return told


def signature(key: bytes, at: str, raw: bytes) -> str:
    """What the sender writes as HEX."""
    return hmac.new(key, f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
