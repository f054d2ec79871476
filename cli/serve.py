"""serve: the local service for other programs, a process of its own beside the engine."""

import argparse
import asyncio
import contextlib
import signal
import socket
from collections.abc import Mapping

from cli.commands import read_settings
from cli.compose import VERSION
from cli.talk import BAD_ARGUMENTS, DONE, FAILED, complain
from config.errors import ConfigError
from config.paths import Profile
from config.sections import ServeSettings
from engine.bus.errors import MarketAgentError
from engine.runtime.journal_of_program import configure_log
from engine.security.secrets import KeyringStore, resolve
from service.server import listen, refusal
from service.server import serve as run
from service.spec import ServiceSpec
from service.tokens import Scope, Tokens, open_tokens, token_file

LEAST_KEY = 16
"""Characters of a hook's key; a shorter one is guessed."""


def serve(profile: Profile, args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Serve until it is stopped; return the exit code."""
    try:
        settings = read_settings(profile, args, environment).serve
        spec = _spec(profile, settings, args.port, environment)
    except (ConfigError, MarketAgentError) as error:
        complain(str(error))
        return BAD_ARGUMENTS
    if why := refusal(spec, settings.allow_network):
        complain(why)
        return BAD_ARGUMENTS
    try:
        opened = listen(spec)
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        complain(f"{spec.address} port {spec.port} cannot be opened: {why}. Choose another --port")
        return FAILED
    try:
        # Not before: while another service has the address, its tokens stay as they are.
        tokens = open_tokens(profile.root, anew=args.new_tokens)
    except (OSError, ValueError) as error:
        opened.close()
        complain(f"the tokens cannot be used: {error}")
        return FAILED
    configure_log(profile.root / "logs", to_terminal=False, name="service.jsonl")
    asyncio.run(_run(spec, tokens, opened, settings))
    return DONE


async def _run(spec: ServiceSpec, tokens: Tokens, opened: socket.socket, settings: ServeSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows' event loop takes no signal handlers; there Ctrl+C ends it as KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)

    def begun() -> None:
        port = opened.getsockname()[1]
        name = f"[{spec.address}]" if ":" in spec.address else spec.address
        print(f"http://{name}:{port}  ({'serve.trade is on' if settings.trade else 'read-only: serve.trade is off'})")
        for scope in Scope:
            print(f"  token {scope.name.lower():<6} {token_file(spec.profile, scope)}")
        for hook in sorted(spec.hooks):
            print(f"  hook         /hooks/{hook}")
        print("  described in /openapi.json; Ctrl+C ends it", flush=True)

    await run(spec, tokens, opened, stop, begun)


def _spec(profile: Profile, settings: ServeSettings, port: int | None, environment: Mapping[str, str]) -> ServiceSpec:
    """Raises ``SettingsError`` or ``UserError`` naming what is missing."""
    wanted = any(reference.startswith("keyring:") for reference in settings.hooks.values())
    store = KeyringStore(profile.root.name) if wanted else None
    keys = {}
    for name, reference in settings.hooks.items():
        key = resolve(reference, store, environment).reveal()
        if len(key) < LEAST_KEY:
            raise ConfigError(f"serve.hooks.{name}: its key has {len(key)} characters; {LEAST_KEY} are the least")
        keys[name] = key.encode()
    return ServiceSpec(
        profile=profile.root,
        version=VERSION,
        address=settings.address,
        port=settings.port if port is None else port,
        names=settings.names,
        origins=settings.origins,
        requests_per_second=settings.requests_per_second,
        hooks=keys,
        hook_requests_per_minute=settings.hook_requests_per_minute,
    )
