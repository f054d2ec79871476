"""From settings and arguments to the spec of an engine."""

import argparse
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from config.errors import ConfigError
from config.load import load
from config.settings import Settings
from engine.market.instruments import described
from engine.model.decision import Autonomy, Book
from engine.model.ids import Symbol
from engine.risk.limits import fingerprint
from engine.runtime.spec import DemoSpec, EngineSpec, ReplaySpec
from engine.security.secret import Secret
from engine.security.secrets import KeyringStore, resolve
from engine.simulation.market.world import WORLD_NAMES

VERSION = "0.1.0"
MOST_SYMBOLS = 5_000
ROOT = Path(__file__).resolve().parent.parent
STRATEGIES = ROOT / "config" / "strategies"


class Unready(Exception):
    """What the settings ask for is not in this version, or is missing; the message says what to change."""

    def __init__(self, key: str, text: str) -> None:
        """``key``: of the settings, or an option of the command line."""
        super().__init__(f"{key}: {text}")
        self.key, self.text = key, text


def build_hash() -> str:
    """Names the code that decides: version and a hash over the engine's source."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "engine").rglob("*.py")):
        digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"


def limits_on_disk(file: Path) -> Callable[[], str | None]:
    """Watch the limits of a settings file: their hash as the file has them now.

    It is the content that is compared: an edit that keeps size and times is one as well.
    """
    seen: tuple[bytes, str] = (b"", "")

    def look() -> str | None:
        nonlocal seen
        try:
            digest = hashlib.sha256(file.read_bytes()).digest()
        except FileNotFoundError:
            # No file means what is built in, and so does an empty one that is written now.
            return fingerprint(Settings().risk)
        except OSError:
            return "unreadable"
        if digest != seen[0]:
            try:
                seen = (digest, fingerprint(load(file).settings.risk))
            except ConfigError:
                seen = (digest, "unreadable")
        return seen[1]

    return look


def alpaca_keys(settings: Settings, profile: Path) -> tuple[Secret, Secret]:
    """Key and secret from where the settings say they are. Raises ``SettingsError`` naming what is missing."""
    found = []
    for name in ("api_key", "api_secret"):
        reference = getattr(settings.providers.alpaca, name)
        if reference is None:
            raise Unready(f"providers.alpaca.{name}", "say where it is kept: keyring:NAME or env:NAME")
        store = KeyringStore(profile.name) if str(reference).startswith("keyring:") else None
        found.append(resolve(str(reference), store, os.environ))
    return found[0], found[1]


def make_spec(settings: Settings, args: argparse.Namespace, profile: Path, file: Path | None = None) -> EngineSpec:
    """Decide what runs; ``file`` is where the settings came from. Raises :class:`Unready` naming the key."""
    replay = getattr(args, "replay", None)
    demo = bool(getattr(args, "demo", False))
    simulated = settings.providers.simulated.enabled and settings.broker.kind == "paper" and not replay
    gateway = settings.broker.kind != "paper" and not (demo or replay)
    if gateway and settings.broker.kind == "ibkr" and not settings.ibkr.account:
        raise Unready("ibkr.account", "name the account to trade, such as DU1234567")
    for name, provider in settings.providers:
        if name not in ("simulated", "plugins", "alpaca") and getattr(provider, "enabled", False):
            raise Unready(f"providers.{name}.enabled", "this provider is not in this version; set it to false")
    for name, provider in settings.providers.plugins.items():
        if provider.enabled:
            key = f"providers.plugins.{name}.enabled"
            raise Unready(key, "providers of plug-ins are not in this version; set it to false")
    if settings.providers.alpaca.enabled and settings.broker.kind != "alpaca":
        raise Unready("providers.alpaca.enabled", "its data comes with broker.kind: alpaca; set that, or this to false")
    if settings.llm.provider != "none":
        raise Unready("llm.provider", f"{settings.llm.provider} is not in this version; set it to none")
    for key, value, off, what in (
        ("cache.url", settings.cache.url, "memory", "another cache"),
        ("relay.url", settings.relay.url, "none", "a relay"),
        ("metrics.port", settings.metrics.port, 0, "the export of metrics"),
    ):
        if value != off:
            raise Unready(key, f"must be {off}: {what} is not in this version")
    if not (demo or replay or simulated or gateway):
        raise Unready("providers", "none is enabled; enable providers.simulated, or start with --demo or --replay")
    seed = args.seed if getattr(args, "seed", None) is not None else settings.providers.simulated.seed
    universe = () if demo else tuple(described(Symbol(symbol)) for symbol in settings.universe)
    market = settings.providers.simulated
    world = getattr(args, "world", None) or market.world
    if world not in WORLD_NAMES:
        raise Unready("--world", f"{world!r} is not one of {', '.join(WORLD_NAMES)}")
    symbols = getattr(args, "symbols", None)
    if symbols is not None and not 1 <= symbols <= MOST_SYMBOLS:
        raise Unready("--symbols", f"{symbols} is not from 1 to {MOST_SYMBOLS}")
    auto = bool(getattr(args, "auto", False))
    return EngineSpec(
        profile=profile,
        book=Book.REPLAY if replay else Book.LIVE if gateway and settings.mode == "live" else Book.PAPER,
        broker=settings.broker.kind if gateway else "paper",
        alpaca=settings.alpaca,
        alpaca_data=settings.alpaca_data,
        alpaca_keys=alpaca_keys(settings, profile) if gateway and settings.broker.kind == "alpaca" else None,
        ibkr=settings.ibkr,
        ibkr_data=settings.ibkr_data,
        autonomy=Autonomy.ASK if auto else Autonomy(settings.autonomy),
        universe=universe,
        strategies=STRATEGIES,
        build=build_hash(),
        demo=None if replay or gateway else DemoSpec(seed=seed, world=world, symbols=symbols),
        replay=_replay(replay) if replay else None,
        speed=getattr(args, "speed", 1.0),
        seed=seed,
        limits_on_disk=limits_on_disk(file) if file is not None else None,
        risk=settings.risk,
        approval=settings.approval,
        collection=settings.collection,
        simulated=market,
        files=settings.replay,
        market=settings.market,
        memory=settings.database,
        execution=settings.execution,
        paper=settings.paper,
        algos=settings.algos,
        operations=settings.operations,
        programs_trade=settings.serve.trade,
    )


def _replay(text: str) -> ReplaySpec:
    if text == "all":
        return ReplaySpec()
    if len(text) == 10 and text[4] == "-" and text[7] == "-":
        return ReplaySpec(day=text)
    return ReplaySpec(symbols=tuple(Symbol(part) for part in text.split(",")))
