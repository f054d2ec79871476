"""News, the log, banners."""

import msgspec

from engine.api.rows import AlarmRow, LogRow, NewsRow
from engine.bus.bus import Bus
from engine.model.events.base import Event
from engine.model.events.book import DriftFound, SymbolLocked, SymbolUnlocked
from engine.model.events.decision import (
    AutonomyChanged,
    LimitsChanged,
    ModeChanged,
    TradingHalted,
    TradingResumed,
)
from engine.model.events.market import HaltChanged, NewsArrived, ProviderConnected, ProviderLost
from engine.model.events.order import OrderAlarm, OrderFilled, OrderRejected, OrderUnknown
from engine.model.events.system import Alarm, ComponentFailed, ComponentStateChanged, LagExceeded
from engine.views.table import Table


class NewsView:
    """Newest news first is the widget's business; here they are rows in order of arrival."""

    def __init__(self, bus: Bus, table: Table) -> None:
        self._table = table
        bus.subscribe(NewsArrived, self._on_news, owner="views.news")

    def _on_news(self, event: NewsArrived) -> None:
        self._table.put(
            NewsRow(
                key=event.id,
                symbols=event.symbols,
                headline=event.headline,
                kind=event.kind,
                source=event.source,
                url=event.url,
                ts_event=event.ts_event,
                ts_seen=event.ts_init,
            )
        )


class LogView:
    """One plain line for everything a person may want to find again."""

    def __init__(self, bus: Bus, table: Table) -> None:
        self._table = table
        self._count = 0
        for kind in (
            ComponentStateChanged,
            ComponentFailed,
            LagExceeded,
            ModeChanged,
            AutonomyChanged,
            TradingHalted,
            TradingResumed,
            LimitsChanged,
            ProviderConnected,
            ProviderLost,
            HaltChanged,
            SymbolLocked,
            SymbolUnlocked,
            DriftFound,
            OrderAlarm,
            OrderRejected,
            OrderUnknown,
            OrderFilled,
        ):
            bus.subscribe(kind, self._on_event, owner="views.log")

    def _on_event(self, event: Event) -> None:
        level, part, text = _line(event)
        self._count += 1
        self._table.put(LogRow(key=str(self._count), ts=event.ts_event, level=level, part=part, text=text))


class AlarmView:
    """Banners, in order of arrival. A cleared amber or yellow line goes; a red one stays until it is read."""

    def __init__(self, bus: Bus, table: Table) -> None:
        self._table = table
        bus.subscribe(Alarm, self._on_alarm, owner="views.alarms")

    def acknowledge(self, code: str) -> bool:
        """Mark a line as read; say whether there was one."""
        row = self._table.get(code)
        if not isinstance(row, AlarmRow):
            return False
        self._table.remove(code)
        return True

    def _on_alarm(self, event: Alarm) -> None:
        row = self._table.get(event.code)
        if event.cleared:
            if isinstance(row, AlarmRow) and row.severity != "red":
                self._table.remove(event.code)
            elif isinstance(row, AlarmRow):
                self._table.put(
                    msgspec.structs.replace(row, did=event.did or row.did, you_can="over; read it to close")
                )
            return
        count = row.count + 1 if isinstance(row, AlarmRow) else 1
        self._table.put(
            AlarmRow(
                key=event.code,
                severity=event.severity,
                happened=event.happened,
                did=event.did,
                you_can=event.you_can,
                since_ns=row.since_ns if isinstance(row, AlarmRow) else event.ts_event,
                count=count,
            )
        )


def _line(event: Event) -> tuple[str, str, str]:
    match event:
        case ComponentStateChanged():
            reason = f": {event.reason}" if event.reason else ""
            return "info", event.component, f"{event.before} → {event.after}{reason}"
        case ComponentFailed():
            return "error", event.component, f"{event.text} ({event.error})"
        case LagExceeded():
            return "warning", event.loop, f"late by {event.lag_ms:.0f} ms"
        case ModeChanged():
            return "warning", "mode", f"{event.before} → {event.after} by {event.by}: {event.reason}"
        case AutonomyChanged():
            return "info", "mode", f"autonomy {event.before} → {event.after} by {event.by}"
        case TradingHalted():
            return "error", "mode", f"STOP by {event.by}: {event.reason}" + (" and flatten" if event.flatten else "")
        case TradingResumed():
            return "warning", "mode", f"re-armed by {event.by}: {event.reason}"
        case LimitsChanged():
            return "info", "limits", f"{', '.join(event.changes)} changed by {event.by}, effective {event.effective}"
        case ProviderConnected():
            return "info", event.source, event.text or "connected"
        case ProviderLost():
            return "warning", event.source, f"lost: {event.reason}"
        case HaltChanged():
            return "warning", event.symbol, "trading halted" if event.halted else "trading resumed"
        case SymbolLocked():
            return "warning", event.symbol, f"locked ({event.code}): {event.reason}"
        case SymbolUnlocked():
            return "info", event.symbol, f"unlocked ({event.code})"
        case DriftFound():
            return "error", event.symbol, f"position differs: ours {event.ours:f}, broker {event.theirs:f}"
        case OrderAlarm():
            return "error", event.symbol, f"{event.ref}: {event.text}"
        case OrderRejected():
            return "warning", event.symbol, f"{event.ref} rejected: {event.reason}"
        case OrderUnknown():
            return "error", event.symbol, f"{event.ref} not confirmed: do not re-enter ({event.reason})"
        case OrderFilled():
            fill = event.fill
            return "info", event.symbol, f"{fill.side} {fill.quantity:f} @ {fill.price:f} filled, {event.ref}"
    return "info", "engine", type(event).__name__
