"""Who may ask: two tokens in the profile, for reading and for trading, each a file that its owner alone can read."""

import hmac
import os
import secrets
from enum import IntEnum
from pathlib import Path

FOLDER = "service"


class Scope(IntEnum):
    """What a token allows; the higher one allows the lower."""

    READ = 1
    TRADE = 2


class Tokens:
    """The tokens of a profile."""

    def __init__(self, read: str, trade: str) -> None:
        self._held = ((Scope.TRADE, trade.encode()), (Scope.READ, read.encode()))

    def scope(self, header: str) -> Scope | None:
        """Return what an ``Authorization`` header allows; every token is compared, in constant time."""
        kind, _, given = header.partition(" ")
        told = given.strip().encode(errors="replace")
        found = None
        for scope, token in self._held:
            if hmac.compare_digest(told, token) and kind.lower() == "bearer":
                found = max(found or scope, scope)
        return found


def token_file(profile: Path, scope: Scope) -> Path:
    """Where a token lies."""
    return profile / FOLDER / f"{scope.name.lower()}.token"


def open_tokens(profile: Path, *, anew: bool = False) -> Tokens:
    """Read the tokens, making those that are missing (or all, ``anew``). Raises ``OSError`` or ``ValueError``."""
    (profile / FOLDER).mkdir(mode=0o700, exist_ok=True)
    read, trade = (_open(token_file(profile, scope), anew) for scope in (Scope.READ, Scope.TRADE))
    if read == trade:
        raise ValueError("both tokens are the same; make them anew with --new-tokens")
    return Tokens(read, trade)


def _open(path: Path, anew: bool) -> str:
    if anew:
        path.unlink(missing_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return token


def _read(path: Path) -> str:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ValueError(f"others can read {path}: make the tokens anew with --new-tokens")
    token = path.read_text(encoding="ascii").strip()
    if len(token) < 32:
        raise ValueError(f"{path} holds no token: make the tokens anew with --new-tokens")
    return token
