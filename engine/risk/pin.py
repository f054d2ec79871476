"""The PIN: scrypt, five wrong ones cost fifteen minutes. STOP never asks for it."""

import hashlib
import hmac
from typing import Protocol

import msgspec

from engine.bus.clock import SECOND, Clock
from engine.bus.errors import JournalError

N, R, P, LENGTH = 2**14, 8, 1, 32


class PinStore(Protocol):
    """Where the PIN's hash lies: the journal of the profile, which only its owner may read."""

    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...


class SaltSource(Protocol):
    def token(self, size: int) -> bytes:
        """Return unpredictable bytes of the operating system."""


class _State(msgspec.Struct, kw_only=True):
    salt: bytes = b""
    key: bytes = b""
    wrong: int = 0
    until_ns: int = 0


class Pin:
    """Checks a PIN. Wrong tries are counted durably, so a restart does not forgive them."""

    def __init__(
        self,
        store: PinStore,
        clock: Clock,
        salt: SaltSource,
        *,
        tries: int = 5,
        delay_s: float = 900.0,
        required: bool = False,
    ) -> None:
        """``required``: what needs a PIN is refused while none is set (real money)."""
        self._store = store
        self._clock = clock
        self._salt = salt
        self._tries = tries
        self._delay_ns = round(delay_s * SECOND)
        self._required = required
        self._known: _State | None = None

    @property
    def is_set(self) -> bool:
        """Say whether a PIN is needed at all. Unreadable counts as set."""
        state = self._load()
        return state is None or bool(state.key)

    def set(self, new: str, old: str = "") -> str:
        """Set or change the PIN; return why not, empty when done."""
        if not 4 <= len(new) <= 64:
            return "A PIN has 4 to 64 characters."
        if self.is_set and (why := self.check(old)):
            return why
        salt = self._salt.token(16)
        self._save(_State(salt=salt, key=_hash(new, salt)))
        return ""

    def check(self, pin: str) -> str:
        """Return why ``pin`` is not accepted, empty when it is right, or none is set and none required."""
        try:
            return self._judge(pin)
        except JournalError as error:
            return f"The PIN was not looked at, because its tries cannot be counted: {error}"

    def _judge(self, pin: str) -> str:
        state = self._load()
        if state is None:
            return "The stored PIN cannot be read, so nothing that needs it is allowed."
        if not state.key:
            return "Real money needs a PIN for this; set one first." if self._required else ""
        now = self._clock.now()
        if now < state.until_ns:
            minutes = (state.until_ns - now) / (60 * SECOND)
            return f"Too many wrong PINs: wait {minutes:.0f} more minutes. STOP works without a PIN."
        if pin and hmac.compare_digest(_hash(pin, state.salt), state.key):
            if state.wrong:
                state.wrong = 0
                self._save(state)
            return ""
        if not pin:
            return "This needs the PIN."
        state.wrong += 1
        if state.wrong >= self._tries:
            state.wrong, state.until_ns = 0, now + self._delay_ns
        self._save(state)
        return "The PIN is wrong."

    def _load(self) -> _State | None:
        if self._known is None:  # read once: the mode strip asks with every beat, and the disk may be gone by then
            try:
                text = self._store.get("pin")
                self._known = _State() if text is None else msgspec.json.decode(text, type=_State)
            except (msgspec.MsgspecError, JournalError):
                return None
        return self._known

    def _save(self, state: _State) -> None:
        self._store.set("pin", msgspec.json.encode(state).decode())
        self._known = state


def _hash(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=N, r=R, p=P, dklen=LENGTH)
