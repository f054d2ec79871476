"""What the local service is started with: every choice that main has already taken, as one value."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """One service of one profile."""

    profile: Path
    version: str
    address: str = "127.0.0.1"
    port: int = 8642
    """0 takes a free one."""
    names: tuple[str, ...] = ()
    """Further names under which it may be asked (the Host header)."""
    origins: tuple[str, ...] = ()
    """Pages of a browser that may ask; none."""
    requests_per_second: float = 20.0
    hooks: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Key of each hook by its name; never told."""
    hook_requests_per_minute: float = 30.0
    body_limit: int = 64 * 1024
    patience_s: float = 10.0
    """Who has not said what he wants by then is shown out."""


def local(address: str) -> bool:
    """Say whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
