"""The local service over real sockets, before a real engine on the simulated market."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx

from engine.model.decision import Autonomy, Book
from engine.model.ids import Symbol
from engine.model.instrument import Instrument
from engine.runtime.engine import Engine
from engine.runtime.spec import DemoSpec, EngineSpec
from service.server import listen, serve
from service.spec import ServiceSpec
from service.tokens import Scope, open_tokens, token_file

STRATEGIES = Path(__file__).resolve().parents[2] / "config" / "strategies"
SYMBOLS = ("AAPL", "KO", "MSFT")
KEY = b"a key that the sender knows too"


class Begun:
    """An engine and a service, and a client that holds the token of trading."""

    def __init__(self, engine: Engine, spec: ServiceSpec, port: int) -> None:
        self.engine, self.spec, self.port = engine, spec, port
        self.tokens = {scope: token_file(spec.profile, scope).read_text().strip() for scope in Scope}
        self.url = f"http://127.0.0.1:{port}"
        self.http = self.client(Scope.TRADE)

    def headers(self, scope: Scope) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[scope]}"}

    def client(self, scope: Scope | None, **headers: str) -> httpx.AsyncClient:
        told = self.headers(scope) if scope is not None else {}
        return httpx.AsyncClient(base_url=self.url, headers={**told, **headers}, timeout=20.0)

    @property
    def orders(self) -> dict[Any, Any]:
        return dict(self.engine.parts.trading.desk.orders())

    async def told(self, path: str, done: Callable[[Any], Any]) -> Any:
        """Ask again until the answer is as wanted; the service hears of a change within a tenth of a second."""
        for _ in range(400):
            found = (await self.http.get(path)).json()
            if done(found):
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} still answers {found}")


def make_engine(profile: Path, **changes: Any) -> Engine:
    profile.mkdir(mode=0o700, exist_ok=True)
    fields: dict[str, Any] = {
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
    return Engine(EngineSpec(**{**fields, **changes}))


@contextlib.asynccontextmanager
async def served(spec: ServiceSpec) -> AsyncIterator[int]:
    """Run a service; yields its port."""
    tokens, opened, stop, begun = open_tokens(spec.profile), listen(spec), asyncio.Event(), asyncio.Event()
    port = opened.getsockname()[1]
    task = asyncio.create_task(serve(spec, tokens, opened, stop, begun.set))
    try:
        async with asyncio.timeout(20):
            await begun.wait()
        yield port
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


@contextlib.asynccontextmanager
async def running(profile: Path, *, service: dict[str, Any] | None = None, **changes: Any) -> AsyncIterator[Begun]:
    """An engine past the first minutes of its session, and a service before it that has heard of it."""
    engine = make_engine(profile, **changes)
    await engine.start()
    await engine.listen()
    await engine.run(400.0)
    fields: dict[str, Any] = {
        "profile": profile,
        "version": "test",
        "port": 0,
        "hooks": {"tv": KEY},
        "requests_per_second": 500.0,
        "hook_requests_per_minute": 6000.0,
    }
    spec = ServiceSpec(**{**fields, **(service or {})})
    try:
        async with served(spec) as port:
            begun = Begun(engine, spec, port)
            async with begun.http:
                await begun.told("/health", lambda health: health["engine"])
                yield begun
    finally:
        await engine.stop()
