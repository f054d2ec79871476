"""Checked kinds of setting that several sections share: secret references, symbols, addresses."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

_REFERENCE = re.compile(r"keyring:[\w.\-]{1,64}|env:[A-Za-z_][A-Za-z0-9_]{0,127}")
LITERAL_SECRET = (
    "holds the secret itself. Secrets never stand in the settings: store it with "
    "`python main.py secrets set NAME` and write keyring:NAME here (or env:NAME)"
)
ELSEWHERE = "names a place this version does not read; write keyring:NAME or env:NAME"


def is_loopback(host: str) -> bool:
    """Say whether the host can only be this machine: localhost or a literal loopback address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_reference(text: str) -> str:
    if text.startswith(("vault:", "aws:")):
        raise ValueError(ELSEWHERE)
    if not _REFERENCE.fullmatch(text):
        raise ValueError(LITERAL_SECRET)
    return text


def _check_web(text: str, secure: str, plain: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in (secure, plain) or not parts.hostname:
        raise ValueError(f"must be an address such as {secure}://host/path")
    if parts.username or parts.password:
        raise ValueError("must not carry a user name or password; use api_key")
    if parts.scheme == plain and not is_loopback(parts.hostname):
        raise ValueError(f"must begin with {secure}:// ({plain}:// only to this machine)")
    return text


def _check_https(text: str) -> str:
    return _check_web(text, "https", "http")


def _check_wss(text: str) -> str:
    return _check_web(text, "wss", "ws")


def check_service_url(text: str, words: tuple[str, ...], schemes: tuple[str, ...]) -> str:
    """Accept one of `words`, or a URL of one of `schemes` that carries no password to another machine."""
    if text in words:
        return text
    parts = urlsplit(text)
    if parts.scheme not in schemes:
        raise ValueError(f"must be {', '.join(words)} or begin with {' or '.join(f'{s}://' for s in schemes)}")
    if not parts.hostname:
        raise ValueError("names no host")
    if parts.password and not is_loopback(parts.hostname):
        raise ValueError("holds a password. Leave it out of the address and write password: keyring:NAME beside it")
    return text


SecretRef = Annotated[str, AfterValidator(_check_reference)]
"""Where a secret is kept: keyring:NAME or env:NAME. Never the secret."""

HttpsUrl = Annotated[str, AfterValidator(_check_https)]
"""https://..., or http:// to this machine."""

WssUrl = Annotated[str, AfterValidator(_check_wss)]
"""wss://..., or ws:// to this machine."""


def _check_symbol(text: str) -> str:
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9.\-/=^]{0,19}", text):
        raise ValueError("must be a ticker in capitals, such as AAPL, BRK.B or EUR.USD")
    return text


Symbol = Annotated[str, AfterValidator(_check_symbol)]
"""A ticker in capitals: AAPL, BRK.B, EUR/USD."""

Port = Annotated[int, Field(ge=1, le=65535)]
