"""The strategies at work: listed, checked, tried, saved, switched. Each change is used from the next bar on.

A text is read, rehearsed on a worker thread and written to the disk before it decides anything; when one of these
fails, what worked goes on working.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from engine.api import commands as c
from engine.api.commands import Receipt
from engine.bus.bell import Bell
from engine.bus.bus import Bus
from engine.bus.clock import SECOND, Clock
from engine.bus.errors import JournalError
from engine.memory.files import atomic_write, make_private
from engine.model.decision import PEOPLE
from engine.model.events.system import StrategyChanged
from engine.model.ids import Symbol
from engine.model.market import BarColumns
from engine.model.position import Position
from engine.runtime.past_features import PastFeatures
from engine.scoring.technical.faults import Fault, StrategyError
from engine.scoring.technical.library import SUFFIX, Entry, Offered, Origin, Reader, content_hash, switched, usable
from engine.scoring.technical.load import CompiledStrategy
from engine.scoring.technical.scorer import KNOWN_BARS, rehearse
from engine.scoring.technical.trial import Trial
from engine.suggestion.plan import Recipe

CHUNK: Final = 8
"""Symbols judged between two turns of the loop."""
ALARM: Final = "STRATEGY"
_KEPT = "strategy.{}"
_log = structlog.get_logger("strategies")

AnyOf = (
    c.GetStrategies
    | c.GetStrategy
    | c.CheckStrategy
    | c.TryStrategy
    | c.SaveStrategy
    | c.ResetStrategy
    | c.SwitchStrategy
)


class Scorer(Protocol):
    @property
    def signals(self) -> Mapping[str, int]: ...
    def replace(self, strategies: Mapping[str, CompiledStrategy]) -> None: ...


class Proposer(Protocol):
    def use(self, recipes: Mapping[str, Recipe]) -> None: ...


class Features(Protocol):
    @property
    def intervals(self) -> tuple[int, ...]: ...
    def follow(self, seconds: int, history: Mapping[Symbol, Mapping[str, NDArray[np.float64]]]) -> None: ...


class History(Protocol):
    def columns(self, symbol: Symbol, seconds: int, count: int, end_ns: int | None = None) -> BarColumns | None: ...


class Store(Protocol):
    def get(self, name: str) -> str | None: ...
    def set(self, name: str, value: str) -> None: ...


class Shelf:
    """The library as it is on the disk."""

    def __init__(self, reader: Reader, shipped: Path, own: Path, offered: Iterable[Offered] = ()) -> None:
        self.reader, self._shipped, self.own = reader, shipped, own
        self._offered = tuple(offered)
        self.entries = self.read()

    def read(self) -> dict[str, Entry]:
        """Read everything anew."""
        return self.reader.library(self._shipped, self.own, self._offered)

    def file(self, name: str) -> Path:
        """Where the person's own text of a name is kept."""
        return self.own / f"{name}{SUFFIX}"

    def write(self, name: str, text: str) -> None:
        """Keep a text, durably. Raises ``OSError``; the old file is untouched then."""
        make_private(self.own)
        atomic_write(self.file(name), text.encode("utf-8"))

    def put_aside(self, name: str) -> None:
        """Take the person's own text out of use; it stays beside, under another name. Raises ``OSError``."""
        self.file(name).replace(self.file(name).with_suffix(f"{SUFFIX}.before"))


def recipe_of(compiled: CompiledStrategy) -> Recipe:
    """How a strategy's forecasts become prices."""
    s = compiled.strategy
    return Recipe(
        bar_seconds=s.bar_seconds,
        atr_period=s.atr_period,
        stop_atr=s.stop_atr,
        target_atr=s.target_atr,
        risk_percent=s.risk_percent,
        expires_bars=s.expires_bars,
        cooldown_bars=s.cooldown_bars,
        entry=s.entry,
    )


def recipes_of(strategies: Mapping[str, CompiledStrategy]) -> dict[str, Recipe]:
    """The recipes of those that are on: what is off proposes nothing, what waited from before neither."""
    return {name: recipe_of(compiled) for name, compiled in strategies.items() if compiled.strategy.enabled}


class StrategyDesk:
    """The one writer of strategies while the engine runs."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        shelf: Shelf,
        scorer: Scorer,
        proposer: Proposer,
        features: Features,
        history: History,
        symbols: Callable[[], Iterable[Symbol]],
        positions: Callable[[], Mapping[Symbol, Position]],
        store: Store,
    ) -> None:
        self._bus, self._clock, self._shelf = bus, clock, shelf
        self._scorer, self._proposer, self._features = scorer, proposer, features
        self._history, self._symbols, self._positions = history, symbols, positions
        self._store = store
        self._bell = Bell(bus, clock)
        self._alarmed = False
        self._one = asyncio.Lock()

    def start(self) -> None:
        """Record what was changed while no engine ran, and say what cannot be used."""
        for name, entry in self._shelf.entries.items():
            kept = self._store.get(_KEPT.format(name))
            before = content_hash(entry.text) if kept is None and entry.origin is Origin.SHIPPED else kept or ""
            if before != entry.hash:
                self._publish(name, "file", before, entry, "file")
            if kept != entry.hash:
                self._store.set(_KEPT.format(name), entry.hash)
        self._alarm()

    async def answer(self, command: AnyOf) -> Receipt:
        """Carry out one command."""
        match command:
            case c.GetStrategies():
                return Receipt(ok=True, data={"strategies": [self._told(e) for e in self._shelf.entries.values()]})
            case c.GetStrategy():
                return self._one_of(command.id)
            case c.CheckStrategy():
                return await self._check(command.text)
            case c.TryStrategy():
                return await self._try(command)
        if command.by not in PEOPLE:
            return Receipt(ok=False, code="PERSON", text="Only a person changes a strategy.")
        async with self._one:
            match command:
                case c.SaveStrategy():
                    return await self._save(command)
                case c.ResetStrategy():
                    return await self._reset(command)
                case c.SwitchStrategy():
                    return await self._switch(command)

    # --- reading

    def _told(self, entry: Entry) -> dict[str, object]:
        strategy = entry.compiled.strategy if entry.compiled is not None else None
        return {
            "id": entry.id,
            "title": strategy.title if strategy is not None else entry.id,
            "about": strategy.about if strategy is not None else "",
            "enabled": strategy is not None and strategy.enabled,
            "horizon": strategy.horizon if strategy is not None else "",
            "bar_seconds": strategy.bar_seconds if strategy is not None else 0,
            "origin": entry.origin.value,
            "place": entry.place,
            "hash": entry.hash,
            "signals": self._scorer.signals.get(entry.id, 0),
            "usable": strategy is not None,
            "has_original": entry.original is not None,
            "faults": _told_faults(entry.faults),
        }

    def _one_of(self, name: str) -> Receipt:
        entry = self._shelf.entries.get(name)
        if entry is None:
            return _unknown(name)
        return Receipt(ok=True, data={**self._told(entry), "text": entry.text, "original": entry.original})

    async def _check(self, text: str) -> Receipt:
        compiled = await self._compiled(text)
        if isinstance(compiled, Receipt):
            return compiled
        strategy = compiled.strategy
        return Receipt(ok=True, text="It can be used.", data={"faults": [], "id": strategy.id, "title": strategy.title})

    async def _compiled(self, text: str, name: str = "") -> CompiledStrategy | Receipt:
        """Read and rehearse on a worker thread: a kernel's first use compiles it, and orders do not wait for that."""

        def work() -> CompiledStrategy:
            compiled = self._shelf.reader.compile(name or "text", text)
            rehearse(compiled)
            return compiled

        try:
            compiled = await asyncio.get_running_loop().run_in_executor(None, work)
        except StrategyError as error:
            return _refused(error.faults)
        except (ArithmeticError, ValueError, TypeError, IndexError, RecursionError) as error:
            return _refused((Fault(0, "", f"A rule cannot be computed: {error}"),))
        if name and compiled.strategy.id != name:
            return _refused((Fault(1, "id", f"is {compiled.strategy.id}, but this strategy is {name}"),))
        return compiled

    async def _try(self, command: c.TryStrategy) -> Receipt:
        compiled = await self._compiled(command.text)
        if isinstance(compiled, Receipt):
            return compiled
        strategy = compiled.strategy
        universe = list(command.symbols or self._symbols())
        wanted = [symbol for symbol in universe if not strategy.symbols or symbol in strategy.symbols]
        # Some features look at the market, and that is every symbol, whichever are tried.
        others = self._symbols() if compiled.features else ()
        market: dict[Symbol, BarColumns] = {}
        for symbol in dict.fromkeys((*wanted, *others)):
            columns = self._history.columns(symbol, strategy.bar_seconds, KNOWN_BARS)
            if columns is not None:
                market[symbol] = columns
            await asyncio.sleep(0)
        known = [market[s] for s in wanted if s in market and market[s].count >= compiled.warmup]
        loop = asyncio.get_running_loop()
        past = await loop.run_in_executor(None, PastFeatures, market.values())
        trial = Trial(compiled, past)
        rows = []
        for first in range(0, len(known), CHUNK):
            rows += await loop.run_in_executor(None, trial.judge_all, known[first : first + CHUNK])
        stamps = [np.frombuffer(columns.ts_open, np.int64) for columns in known]
        return Receipt(
            ok=True,
            data={
                "id": strategy.id,
                "seconds": strategy.bar_seconds,
                "rows": [vars(row) for row in rows],
                "rules": [vars(rule) for rule in trial.rules],
                "short": len(wanted) - len(known),
                "first": min((int(s[compiled.warmup - 1]) for s in stamps), default=0),
                "last": max((int(s[-1]) for s in stamps), default=0),
            },
        )

    # --- changing

    async def _save(self, command: c.SaveStrategy) -> Receipt:
        compiled = await self._compiled(command.text, command.id)
        if isinstance(compiled, Receipt):
            return compiled
        name = compiled.strategy.id
        before = self._shelf.entries.get(name)
        if command.was is not None and command.was != (before.hash if before is not None else ""):
            text = f"{name} was changed elsewhere meanwhile, so nothing is saved; open it again."
            return Receipt(ok=False, code="CHANGED", text=text)
        return self._keep(name, command.text, "saved", command.by, "Saved; the next bar is judged by it.")

    async def _switch(self, command: c.SwitchStrategy) -> Receipt:
        entry = self._shelf.entries.get(command.id)
        if entry is None:
            return _unknown(command.id)
        if entry.compiled is None:
            return _refused(entry.faults)
        if entry.compiled.strategy.enabled is command.on:
            return Receipt(ok=True, text=f"{entry.id} is as you want it already.")
        text = switched(entry.text, command.on)
        compiled = await self._compiled(text, entry.id)
        wanted = entry.compiled.strategy.model_copy(update={"enabled": command.on})
        if isinstance(compiled, Receipt) or compiled.strategy != wanted:
            told = f"The text of {entry.id} is written in another way; change enabled in it yourself."
            return Receipt(ok=False, code="TEXT", text=told)
        if command.on:
            return self._keep(entry.id, text, "on", command.by, f"{entry.id} is on from the next bar.")
        told = f"{entry.id} is off: it proposes nothing more."
        if held := [symbol for symbol, p in self._positions().items() if p.quantity and p.opened_by == entry.id]:
            told += f" It proposes no exit from {', '.join(held)} any more; the stops there stay."
        return self._keep(entry.id, text, "off", command.by, told)

    async def _reset(self, command: c.ResetStrategy) -> Receipt:
        entry = self._shelf.entries.get(command.id)
        if entry is None:
            return _unknown(command.id)
        if entry.origin is not Origin.OWN:
            return Receipt(ok=False, code="ORIGINAL", text=f"{entry.id} is as it came; there is nothing to reset.")
        try:
            self._shelf.put_aside(entry.id)
        except OSError as error:
            return _not_written(error)
        now = self._shelf.read().get(entry.id)
        told = "The one that came with the program is used from the next bar." if now is not None else "It is gone."
        self._adopt(entry.id, now, "reset", command.by)
        return Receipt(ok=True, text=told, data={"id": entry.id, "hash": now.hash if now is not None else ""})

    def _keep(self, name: str, text: str, action: str, by: str, told: str) -> Receipt:
        before = self._shelf.entries.get(name)
        original = (
            before.original if before is not None and before.origin is Origin.OWN else getattr(before, "text", None)
        )
        entry = self._shelf.reader.entry(name, Origin.OWN, str(self._shelf.file(name)), text, original)
        try:
            self._shelf.write(name, text)
        except OSError as error:
            return _not_written(error)
        self._adopt(name, entry, action, by)
        return Receipt(ok=True, text=told, data={"id": name, "hash": entry.hash})

    def _adopt(self, name: str, entry: Entry | None, action: str, by: str) -> None:
        """What is on the disk decides from here on: in one go, between two bars."""
        entries = self._shelf.entries
        before = entries[name].hash if name in entries else ""
        changed = {key: value for key, value in entries.items() if key != name}
        if entry is not None:
            changed[name] = entry
        self._shelf.entries = dict(sorted(changed.items()))
        strategies = usable(self._shelf.entries)
        if entry is not None and entry.compiled is not None:
            self._follow(entry.compiled.strategy.bar_seconds)
        self._scorer.replace(strategies)
        self._proposer.use(recipes_of(strategies))
        self._publish(name, action, before, entry, by)
        try:
            self._store.set(_KEPT.format(name), entry.hash if entry is not None else "")
        except JournalError as error:
            # The next start finds another hash and records the change as one of the file.
            _log.warning("the hash of a strategy is not kept", strategy=name, reason=str(error))
        self._alarm()

    def _follow(self, seconds: int) -> None:
        if seconds in self._features.intervals:
            return
        history: dict[Symbol, dict[str, NDArray[Any]]] = {}
        for symbol in self._symbols():
            columns = self._history.columns(symbol, seconds, KNOWN_BARS)
            if columns is not None:
                stamps = np.frombuffer(columns.ts_open, np.int64) + SECOND
                names = ("open", "high", "low", "close", "volume")
                parts: dict[str, NDArray[Any]] = {n: np.frombuffer(getattr(columns, n), np.float64) for n in names}
                history[symbol] = {"ts_event": stamps, **parts}
        self._features.follow(seconds, history)

    def _publish(self, name: str, action: str, before: str, entry: Entry | None, by: str) -> None:
        now = self._clock.now()
        self._bus.publish(
            StrategyChanged(
                ts_event=now,
                ts_init=now,
                strategy=name,
                action=action,
                before=before,
                after=entry.hash if entry is not None else "",
                by=by,
                origin=entry.origin.value if entry is not None else "",
            )
        )

    def _alarm(self) -> None:
        broken = [entry for entry in self._shelf.entries.values() if entry.faults]
        if broken:
            first, fault = broken[0], broken[0].faults[0]
            where = f"{Path(first.place).name}, line {fault.line}" if fault.line else Path(first.place).name
            more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
            self._bell(
                ALARM,
                "amber",
                f"The strategy {first.id}{more} cannot be read. {where}: {fault}",
                "It is off; nothing takes its place.",
                "Open the pane Strategies and mend it, or reset it.",
            )
        elif self._alarmed:
            self._bell(ALARM, "amber", "Every strategy can be read.", cleared=True)
        self._alarmed = bool(broken)


def _told_faults(faults: Iterable[Fault]) -> list[dict[str, object]]:
    return [fault._asdict() for fault in faults]


def _refused(faults: tuple[Fault, ...]) -> Receipt:
    first = faults[0]
    text = f"Line {first.line}: {first}" if first.line else str(first)
    return Receipt(ok=False, code="STRATEGY", text=text, data={"faults": _told_faults(faults)})


def _unknown(name: str) -> Receipt:
    return Receipt(ok=False, code="NO_SUCH", text=f"There is no strategy {name}.")


def _not_written(error: OSError) -> Receipt:
    return Receipt(ok=False, code="DISK", text=f"It cannot be written, so nothing changes: {error.strerror or error}.")
