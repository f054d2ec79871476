"""How to write a provider. Copy this file, give it a name, fill in the five places marked with a number.

It is a working provider of a counter, so that the contract suite (``tests/contracts/test_provider_contract.py``) also
runs over the template. Register yours as an entry point of ``market_agent.providers``; its value is a function that
takes ``(emit, clock)`` and your settings and returns the provider.
"""

from collections.abc import Sequence

from engine.bus.clock import Clock, Timer
from engine.collection.provider import BarColumnsByName, DataKind, Emit
from engine.model.events.market import TradeTick
from engine.model.ids import Symbol


class TemplateProvider:
    """Counts from 100 upwards, a trade a second for each watched symbol."""

    # 1. A short name in lower case; it becomes the `source` of every event, and the key in the settings.
    name = "template"
    # 2. What you can give. Promise only what you keep: the collector asks no provider for a kind it does not list.
    kinds = frozenset({DataKind.TRADES})

    def __init__(self, emit: Emit, clock: Clock) -> None:
        """Take what you need as arguments; open no connection here."""
        self._emit = emit
        self._clock = clock
        self._watched: dict[Symbol, float] = {}
        self._timer: Timer | None = None

    async def start(self) -> None:
        """3. Connect. Raise ``ProviderError`` when the source is down (you are called again, with growing pauses), and
        ``ProviderRefused`` when it said no: a wrong key, a plan that does not include it."""
        self._timer = self._clock.call_later(1.0, self._on_message)

    async def stop(self) -> None:
        """Close the connection and end your tasks. This may be called twice, and before ``start``."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def watch(self, symbols: Sequence[Symbol], depth: bool = False) -> None:
        for symbol in symbols:
            self._watched.setdefault(symbol, 100.0)

    def unwatch(self, symbols: Sequence[Symbol]) -> None:
        for symbol in symbols:
            self._watched.pop(symbol, None)

    async def history(self, symbol: Symbol, seconds: int, count: int, end_ns: int) -> BarColumnsByName | None:
        """4. Bars that had ended by ``end_ns``, oldest first, times in UTC ns; None when you have none of that kind."""
        return None

    def _on_message(self) -> None:
        """5. Turn the source's words into ours. ``ts_event`` is the source's time, ``ts_init`` ours. Do not repair a
        bad value: pass it on, the market's cache refuses it, counts it and shows it under your name."""
        now = self._clock.now()
        for symbol, price in self._watched.items():
            self._watched[symbol] = price + 1.0
            self._emit(TradeTick(ts_event=now, ts_init=now, symbol=symbol, price=price, size=1.0, source=self.name))
        self._timer = self._clock.call_later(1.0, self._on_message)
