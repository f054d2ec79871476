"""Notices of the engine as sentences: toasts for fills and rejects, the desktop for grave news, a bell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.api.frames import Notice
from market_agent_gui.translate import say
from widgets.words import told


class Sound(IntEnum):
    """How often the bell rings: what happened is told apart without looking."""

    NONE = 0
    FILL = 1
    """A fill, a question of the agent, or a price alert."""
    REFUSED = 2
    """Refused, not confirmed, in trouble."""
    HALTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing to tell. ``severity``: info, warn, bad."""

    severity: str
    text: str
    outside: bool = False
    """Also as a notification of the desktop."""
    sound: Sound = Sound.NONE
    toast: bool = True
    """False where strip, banner or queue show it already: it is logged, and told outside when that is asked."""


def read(notice: Notice) -> News | None:
    """Say a notice in words; ``None`` for what tables and banner tell well enough."""
    event = notice.event
    make = _READERS.get(notice.kind)
    return make(event) if make is not None else None


def _told(event: Mapping[str, Any], field: str) -> str:
    return told(str(event.get(field, "")))


def _order(event: Mapping[str, Any]) -> str:
    # A sentence of its own, so that it can be said again in another language with the one it stands in.
    return say("{side} {symbol}", side=say(str(event.get("side", ""))), symbol=event.get("symbol", "")).strip()


def _fill(event: Mapping[str, Any]) -> News:
    fill = event.get("fill") or {}
    text = say(
        "{order}: {quantity} filled at {price}",
        order=_order(event),
        quantity=fill.get("quantity", "?"),
        price=fill.get("price", "?"),
    )
    return News(severity="info", text=text, sound=Sound.FILL)


def _rejected(event: Mapping[str, Any]) -> News:
    text = say("{order}: the broker refused it: {reason}", order=_order(event), reason=_told(event, "reason"))
    return News(severity="bad", text=text, outside=True, sound=Sound.REFUSED)


def _unknown(event: Mapping[str, Any]) -> News:
    text = say("{order}: not confirmed, do not re-enter", order=_order(event))
    return News(severity="bad", text=text, outside=True, sound=Sound.REFUSED)


def _alarm(event: Mapping[str, Any]) -> News:
    text = f"{_order(event)}: {told(str(event.get('text') or event.get('kind', '')))}"
    return News(severity="bad", text=text, outside=True, sound=Sound.REFUSED)


def _cancel_refused(event: Mapping[str, Any]) -> News:
    text = say("{order}: it could not be cancelled: {reason}", order=_order(event), reason=_told(event, "reason"))
    return News(severity="warn", text=text, sound=Sound.REFUSED)


def _halted(event: Mapping[str, Any]) -> News:
    text = say("Trading halted by {who}: {reason}", who=_told(event, "by"), reason=_told(event, "reason"))
    return News(toast=False, severity="bad", text=text, outside=True, sound=Sound.HALTED)


def _resumed(event: Mapping[str, Any]) -> News:
    return News(toast=False, severity="info", text=say("Trading resumed by {who}", who=_told(event, "by")))


def _mode(event: Mapping[str, Any]) -> News:
    text = say("Mode {before} → {after}: {reason}", before=_told(event, "before"), after=_told(event, "after"),
               reason=_told(event, "reason"))  # fmt: skip
    return News(toast=False, severity="warn", text=text)


def _asked(event: Mapping[str, Any]) -> News:
    text = say("{symbol}: the agent asks for your answer", symbol=event.get("symbol", ""))
    return News(toast=False, severity="info", text=text, outside=True, sound=Sound.FILL)


def _failed(event: Mapping[str, Any]) -> News:
    text = told(str(event.get("text") or event.get("error") or event.get("component", "")))
    halted = bool(event.get("halted"))
    return News(toast=False, severity="bad", text=text, outside=halted, sound=Sound.HALTED if halted else Sound.NONE)


_READERS = {
    "OrderFilled": _fill,
    "OrderPartlyFilled": _fill,
    "OrderRejected": _rejected,
    "OrderUnknown": _unknown,
    "OrderAlarm": _alarm,
    "CancelRejected": _cancel_refused,
    "TradingHalted": _halted,
    "TradingResumed": _resumed,
    "ModeChanged": _mode,
    "AutonomyChanged": _mode,
    "ApprovalAsked": _asked,
    "ComponentFailed": _failed,
}


BEAT_MS = 220


class Bell(QObject):
    """Rings once for a fill, twice for a refusal, three times for a halt; many at once ring as the gravest."""

    def __init__(self, beep: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._beep = beep
        self._left = 0
        self._sounding = Sound.NONE
        self._timer = QTimer(self, interval=BEAT_MS)
        self._timer.timeout.connect(self._on_beat)

    def ring(self, sound: Sound) -> None:
        """Ring; while it rings, only something graver is heard."""
        if sound <= self._sounding:
            return
        self._sounding, self._left = sound, int(sound)
        if not self._timer.isActive():
            self._on_beat()
            self._timer.start()

    def _on_beat(self) -> None:
        if self._left > 0:
            self._left -= 1
            self._beep()
        else:
            self._sounding = Sound.NONE
            self._timer.stop()


class Notifications(QObject):
    """Turns notices into news, for whoever shows them."""

    news = Signal(object)

    def on_notice(self, notice: Notice) -> None:
        found = read(notice)
        if found is not None:
            self.news.emit(found)
