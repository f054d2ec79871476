"""Questions of a window that change nothing: indicators, scans, what the broker offers.

Kernels run on a worker thread: the first use of one compiles it, and orders do not wait for that.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.api.commands import GetIndicator, Receipt, Scan
from engine.api.frames import BarUpdate
from engine.execution.algos.algorithm import Algorithm
from engine.features.indicators.registry import INDICATORS
from engine.features.indicators.spec import IndicatorSpec, Style
from engine.model.broker import BrokerCapabilities, NativeAlgo
from engine.model.ids import Symbol
from engine.model.market import BarColumns
from engine.runtime.catalogue import FEATURES, IndicatorCatalogue
from engine.scoring.technical.expression import Bars, Rule, RuleError
from engine.scoring.technical.scorer import KNOWN_BARS, unpack

MOST_RULES: Final = 20
MOST_LETTERS: Final = 500
CHUNK: Final = 20
"""Symbols read between two turns of the loop."""


class History(Protocol):
    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None: ...


class Forming(Protocol):
    def forming(self, symbol: str, seconds: int) -> BarUpdate | None: ...


class Features(Protocol):
    def latest(self, symbol: Symbol, seconds: int) -> Mapping[str, float]: ...


class Broker(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def capabilities(self) -> BrokerCapabilities: ...


class Algorithms(Protocol):
    def names(self) -> tuple[str, ...]: ...
    def algorithm(self, name: str) -> Algorithm | None: ...


class Queries:
    """Reads; owns nothing."""

    def __init__(
        self,
        history: History,
        forming: Forming,
        features: Features,
        symbols: Callable[[], Iterable[Symbol]],
        broker: Broker,
        algorithms: Algorithms,
    ) -> None:
        """``algorithms`` are our own; those of the broker come with what it can do."""
        self._history, self._forming, self._features = history, forming, features
        self._symbols, self._broker, self._algorithms = symbols, broker, algorithms
        self._catalogue = IndicatorCatalogue()

    # --- indicators

    def indicators(self) -> Receipt:
        """Tell the table of indicators."""
        return Receipt(ok=True, data={"indicators": [_told(spec) for spec in INDICATORS.values()]})

    async def indicator(self, command: GetIndicator) -> Receipt:
        """Compute one indicator over the bars that are known, as the rules of a strategy do."""
        spec = INDICATORS.get(command.id)
        if spec is None:
            return Receipt(ok=False, code="INDICATOR", text=f"There is no indicator {command.id}.")
        if command.count < 1:
            return Receipt(ok=False, code="ARGUMENT", text=f"count must be at least 1, not {command.count}.")
        try:
            params = spec.resolve(command.params)
        except ValueError as error:
            return Receipt(ok=False, code="PARAMETER", text=f"{error}.")
        columns = self._history.columns(command.symbol, command.seconds, KNOWN_BARS)
        bar = self._forming.forming(command.symbol, command.seconds)
        bars = _with_forming(columns, bar)
        if bars is None:
            return Receipt(ok=False, code="NO_BARS", text=f"No bars of {command.symbol} are known yet.")
        stamps, arrays, forms = bars
        loop = asyncio.get_running_loop()
        values = await loop.run_in_executor(None, lambda: spec.compute(arrays, **params))
        keep = slice(-command.count, None)
        return Receipt(
            ok=True,
            data={
                "symbol": command.symbol,
                "seconds": command.seconds,
                "id": spec.id,
                "params": params,
                "title": spec.title,
                "kind": spec.kind.value,
                "ts_open": stamps[keep].tobytes(),
                "outputs": {name: column[keep].tobytes() for name, column in values.items()},
                "shifts": {
                    output.name: int(params[output.shift_by]) * output.shift_sign if output.shift_by else 0
                    for output in spec.outputs
                },
                "forming": forms,
            },
        )

    # --- scan

    async def scan(self, command: Scan) -> Receipt:
        """Find the symbols for which every rule holds."""
        refusal = _scan_refusal(command)
        if refusal:
            return Receipt(ok=False, code="ARGUMENT", text=refusal)
        try:
            rules = [Rule(text, self._catalogue, FEATURES) for text in command.rules]
            columns = [Rule(text, self._catalogue, FEATURES) for text in command.columns]
        except RuleError as error:
            return Receipt(ok=False, code="RULE", text=f"{error}.")
        needed = max(2, *(rule.warmup for rule in (*rules, *columns)))
        universe = list(command.symbols or self._symbols())
        rows: list[dict[str, object]] = []
        short = as_of = 0
        loop = asyncio.get_running_loop()
        for first in range(0, len(universe), CHUNK):
            seen: list[tuple[Symbol, BarColumns, Mapping[str, float]]] = []
            for symbol in universe[first : first + CHUNK]:
                found = self._history.columns(symbol, command.seconds, KNOWN_BARS)
                if found is None or found.count < needed:
                    short += 1
                    continue
                seen.append((symbol, found, dict(self._features.latest(symbol, command.seconds))))
                as_of = max(as_of, int(np.frombuffer(found.ts_open, np.int64)[-1]))
            rows += await loop.run_in_executor(None, _judge, seen, rules, columns)
        return Receipt(ok=True, data={"rows": rows, "as_of": as_of, "scanned": len(universe) - short, "short": short})

    # --- broker

    def capabilities(self) -> Receipt:
        """Tell what an order may ask for at the broker in use."""
        can = self._broker.capabilities
        own = [self._algorithms.algorithm(name) for name in self._algorithms.names()]
        return Receipt(
            ok=True,
            data={
                "broker": self._broker.name,
                "order_types": [kind.value for kind in can.order_types],
                "tifs": [tif.value for tif in can.tifs],
                "brackets": can.brackets,
                "modify": can.modify,
                "short": can.short,
                "fractional": can.fractional,
                "algos": [
                    *(_told_algorithm(algorithm) for algorithm in own if algorithm is not None),
                    *(_told_algorithm(algorithm) for algorithm in can.native_algos),
                ],
            },
        )


def _told(spec: IndicatorSpec) -> dict[str, object]:
    return {
        "id": spec.id,
        "title": spec.title,
        "kind": spec.kind.value,
        "params": [
            {
                "name": param.name,
                "type": param.type.__name__,
                "default": param.default,
                "minimum": param.minimum,
                "maximum": param.maximum,
                "choices": list(param.choices),
            }
            for param in spec.params
        ],
        "outputs": [
            {"name": output.name, "style": output.style.value}
            for output in spec.outputs
            if output.style is not Style.HIDDEN
        ],
    }


def _told_algorithm(algorithm: Algorithm | NativeAlgo) -> dict[str, object]:
    return {
        "name": algorithm.name,
        "title": algorithm.title,
        "params": [
            {
                "name": param.name,
                "title": param.title,
                "description": param.description,
                "default": "" if param.default is None else str(param.default),
                "least": str(param.least),
                "most": str(param.most),
                "choices": list(param.choices),
            }
            for param in algorithm.params
        ],
    }


def _with_forming(
    columns: BarColumns | None, bar: BarUpdate | None
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]], bool] | None:
    """Return (bar starts, columns, whether the last bar still forms); None without any bar."""
    if columns is None and bar is None:
        return None
    names = ("open", "high", "low", "close", "volume")
    packed = {name: b"" if columns is None else getattr(columns, name) for name in ("ts_open", *names)}
    stamps = np.frombuffer(packed["ts_open"], np.int64)
    forms = bar is not None and (not stamps.size or bar.ts_open > int(stamps[-1]))
    if bar is not None and forms:
        packed["ts_open"] += np.int64(bar.ts_open).tobytes()
        for name in names:
            packed[name] += np.float64(getattr(bar, name)).tobytes()
    symbol, seconds = (columns.symbol, columns.seconds) if columns is not None else (Symbol(""), 0)
    if columns is None and bar is not None:
        symbol, seconds = Symbol(bar.symbol), bar.seconds
    whole = BarColumns(symbol=symbol, seconds=seconds, **packed)
    return np.frombuffer(whole.ts_open, np.int64), unpack(whole), forms


def _scan_refusal(command: Scan) -> str:
    texts = (*command.rules, *command.columns)
    if not command.rules:
        return "A scan needs at least one rule."
    if len(texts) > MOST_RULES:
        return f"A scan has at most {MOST_RULES} rules and columns, not {len(texts)}."
    if any(len(text) > MOST_LETTERS for text in texts):
        return f"A rule has at most {MOST_LETTERS} letters."
    if command.seconds < 60:
        return f"Bars of {command.seconds} s are not kept; the shortest are 60 s."
    return ""


def _judge(
    seen: list[tuple[Symbol, BarColumns, Mapping[str, float]]], rules: list[Rule], columns: list[Rule]
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for symbol, packed, features in seen:
        bars = Bars(columns=unpack(packed), features=features)
        outcomes = []
        for rule in rules:
            outcome = rule.check(bars)
            if not outcome.holds:
                break
            outcomes.append(outcome)
        else:
            close = bars.columns["close"]
            last, before = float(close[-1]), float(close[-2])
            rows.append(
                {
                    "symbol": symbol,
                    "last": last,
                    "change": (last / before - 1.0) * 100.0 if before > 0 else None,
                    "values": [_known(rule.value(bars)) for rule in columns],
                    "texts": [outcome.text for outcome in outcomes],
                }
            )
    return rows


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
