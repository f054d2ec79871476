"""A small real engine with its operations, and what it said: banner lines, modes, the audit chain."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import msgspec

from engine.bus.clock import SECOND, ReplayClock
from engine.memory.files import atomic_write
from engine.model.decision import Autonomy, Book, Mode
from engine.model.events.system import Alarm
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.operations.assemble import Assembled, Needs, assemble_operations
from engine.operations.clock_watch import ClockGauge
from engine.operations.restart_window import RestartWatch
from engine.runtime.engine import Engine
from engine.runtime.spec import DemoSpec, EngineSpec
from engine.runtime.storage import AUDIT_ANCHOR
from engine.security.audit import FileAnchor, digest_of

SYMBOLS = ("AAPL", "MSFT", "KO", "JPM", "XOM", "T")
STRATEGIES = Path(__file__).resolve().parents[3] / "config" / "strategies"
PEOPLE = {"window", "cli", "phone", "hotkey", "tray"}


def spec_in(profile: Path, **changes) -> EngineSpec:
    """A demo of six symbols as fast as it goes."""
    profile.mkdir(mode=0o700, exist_ok=True)
    fields = {
        "profile": profile,
        "book": Book.PAPER,
        "autonomy": Autonomy.ASK,
        "universe": tuple(Instrument(symbol=Symbol(symbol)) for symbol in SYMBOLS),
        "strategies": STRATEGIES,
        "build": "test",
        "demo": DemoSpec(seed=7),
        "speed": None,
        "seed": 7,
    }
    return EngineSpec(**{**fields, **changes})


class ShiftedClock:
    """The wall clock of a machine whose time somebody sets: market time plus a shift, steady time beside it."""

    def __init__(self, clock: ReplayClock) -> None:
        self._clock, self.shift_s = clock, 0.0

    def now(self) -> int:
        return self._clock.now() + round(self.shift_s * SECOND)

    def monotonic(self) -> int:
        return self._clock.now()


class Steady:
    """A gauge's clock for the window's beats: market time is steady time here."""

    def __init__(self, clock: ReplayClock) -> None:
        self._clock = clock

    def __getattr__(self, name: str):
        return getattr(self._clock, "now" if name == "monotonic" else name)


class Rig:
    """``await Rig.open(spec)``; break something; ``await rig.run(seconds)``; look."""

    def __init__(self, spec: EngineSpec, **needs) -> None:
        self.engine = Engine(spec)
        self.alarms: list[Alarm] = []
        self.engine.parts.bus.subscribe(Alarm, self.alarms.append, owner="test")
        self.wall = ShiftedClock(self.engine.clock)
        self.skew_s: float | None = 0.0
        self.identity = ""
        self.mend: Callable[[], object] = lambda: None
        """What must be repaired before the engine can stop in order."""
        parts = self.engine.parts
        own = next((v for f in fields(parts) if isinstance(v := getattr(parts, f.name), Assembled)), None)
        self._owned_by_the_engine = own is not None
        if own is None:
            self.gauge = ClockGauge(self.wall, lambda: True, lambda: self.skew_s, 1.0)
            self.made = self._assemble(**needs)
        else:
            self.made = own
            self._bend(**needs)
        self._show_clock_to_the_gate()

    @classmethod
    async def open(cls, spec: EngineSpec, auto: bool = True, **needs) -> "Rig":
        rig = cls(spec, **needs)
        await rig.start()
        if auto:
            await rig.run(120)
            receipt = await rig.engine.arm_auto("cli", "test")
            assert receipt.ok, receipt.text
        return rig

    async def start(self) -> None:
        await self.engine.start()
        if not self._owned_by_the_engine:
            await self.made.operations.start()

    async def close(self) -> None:
        if not self._owned_by_the_engine:
            await self.made.operations.stop()
        await self.engine.stop()

    def _bend(self, windows=None) -> None:
        """Put the clocks and the answers of this rig into the watches that the engine made itself."""
        watches = {watch.name: watch for watch in self.made.operations.watches}
        self.gauge = watches["clock"]._gauge
        self.gauge._clock, self.gauge._real_time = self.wall, lambda: True
        self.gauge._skew = lambda: self.skew_s
        watches["identity"]._fault = lambda: self.identity
        watches["window"]._clock = Steady(self.engine.clock)
        if windows is not None:
            one = watches["prices"]
            restart = RestartWatch(self.engine.clock, windows, one._modes, one._lamps, one._settings)
            self.made.operations.watches += (restart,)

    def _assemble(self, **needs) -> Assembled:
        parts = self.engine.parts
        trading, journal = parts.trading, parts.storage.journal
        anchor = FileAnchor(self.engine.spec.profile / AUDIT_ANCHOR, atomic_write)

        def head() -> tuple[int, str] | None:
            found = anchor.read()
            return None if found is None else (found.seq, found.digest)

        recovery = parts.storage.database.recovery
        fields = {
            "bus": parts.bus,
            "clock": Steady(self.engine.clock),
            "book": self.engine.spec.book,
            "market": parts.place.cache,
            "orders": trading.desk,
            "modes": trading.modes,
            "vitals": trading.governor._vitals,
            "times": journal.times,
            "store": journal.kv,
            "gauge": self.gauge,
            "storage_limits": lambda: trading.limits.active.common,
            "clock_limits": lambda: trading.limits.active.common,
            "audit_rows": lambda: iter(journal.audit_rows()),
            "audit_digest": digest_of,
            "audit_anchor": head,
            "identity_fault": lambda: self.identity,
            "restored": recovery.reason if recovery is not None else "",
        }
        return assemble_operations(Needs(**{**fields, **needs}))

    def _show_clock_to_the_gate(self) -> None:
        signs = self.engine.parts.trading.governor._vitals
        plain = signs.vitals

        def vitals():
            return msgspec.structs.replace(
                plain(), clock_skew_s=self.gauge.skew_s, clock_step_ns=self._market_time(self.gauge.step_ns)
            )

        signs.vitals = vitals

    def _market_time(self, wall_ns: int) -> int:
        return wall_ns - round(self.wall.shift_s * SECOND) if wall_ns else 0

    # --- looking

    @property
    def mode(self) -> Mode:
        return self.engine.parts.trading.modes.mode

    @property
    def locks(self) -> dict[str, str]:
        return {str(symbol): lock.code for symbol, lock in self.engine.parts.trading.modes.locks.items()}

    async def run(self, seconds: float) -> None:
        """Let the market go on for so long."""
        await self.engine.run(seconds)

    async def until(self, holds: Callable[[], bool], seconds: float, step: float = 1.0) -> float:
        """Run until something holds; return after how many seconds of market time."""
        passed = 0.0
        while not holds():
            assert passed < seconds, f"not within {seconds} s; said: {[(a.code, a.happened) for a in self.alarms]}"
            await self.run(step)
            passed += step
        return passed

    def said(self, code: str) -> Alarm | None:
        """The newest line of that code, None when there is none."""
        return next((alarm for alarm in reversed(self.alarms) if alarm.code.startswith(code)), None)

    def rises(self) -> list[tuple[str, str, str]]:
        """(before, after, by) of every change of mode upwards that no person made, by the audit chain."""
        self.engine.parts.audit.anchor()
        assert self.engine.parts.audit.verify() == []
        found = []
        for _, _, kind, payload, _, _ in self.engine.parts.storage.journal.audit_rows():
            if kind == "ModeChanged":
                change = msgspec.json.decode(payload)
                before, after = Mode(change["before"]), Mode(change["after"])
                if after.level > before.level and change["by"] not in PEOPLE:
                    found.append((before.value, after.value, change["by"]))
        return found
