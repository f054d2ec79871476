"""Lifecycle of a component: READY, RUNNING, DEGRADED, FAULTED, STOPPED. Starting is the recovery path."""

from enum import StrEnum
from typing import Protocol


class ComponentState(StrEnum):
    READY = "READY"
    RUNNING = "RUNNING"
    DEGRADED = "DEGRADED"
    FAULTED = "FAULTED"
    STOPPED = "STOPPED"


class Component(Protocol):
    """A part with a life. ``start`` after a crash does what ``start`` always does."""

    name: str

    async def start(self) -> None:
        """Take up work; owned tasks begin here."""

    async def stop(self) -> None:
        """Finish or cancel owned tasks, leave everything durable. Safe to call twice."""
