"""Keys of older settings files: renamed ones are carried over with a note, removed ones are refused with the reason."""

from collections.abc import Mapping
from typing import Any

RENAMED: Mapping[str, str] = {
    "providers.massive": "providers.polygon",
    "providers.quandl": "providers.nasdaq_data_link",
    "providers.edgar": "providers.sec_edgar",
}
"""Old dotted key -> new dotted key."""

REMOVED: Mapping[str, str] = {
    "providers.iex_cloud": "IEX Cloud closed on 31 August 2024; polygon, alpaca or twelvedata offer the same data",
    "providers.edgar_online": "EDGAR Online is sold to companies only; sec_edgar is free and needs no key",
    "providers.tdameritrade": "the TD Ameritrade API closed on 13 May 2024",
    "tdameritrade": "the TD Ameritrade API closed on 13 May 2024",
    "ibkr_data.enabled": "market data comes with broker.kind: ibkr; nothing needs to be switched on",
    "alpaca_data.enabled": "market data comes with broker.kind: alpaca; nothing needs to be switched on",
    "replay.enabled": "main.py replay and --replay play what was imported; nothing needs to be switched on",
}
"""Dotted key -> why it is gone and what to use."""


def find(tree: Mapping[str, Any], dotted: str) -> bool:
    """Say whether the nested mapping has the dotted key."""
    node: Any = tree
    for name in dotted.split("."):
        if not isinstance(node, Mapping) or name not in node:
            return False
        node = node[name]
    return True


def rename(tree: dict[str, Any], renamed: Mapping[str, str] = RENAMED) -> list[tuple[str, str]]:
    """Move renamed keys inside `tree` (changed in place); return what moved as (old, new).

    A key whose new name is present as well stays where it is: the caller refuses it, for only one can be meant.
    """
    moved = []
    for old, new in renamed.items():
        if not find(tree, old) or find(tree, new):
            continue
        *path, last = old.split(".")
        source = tree
        for name in path:
            source = source[name]
        value = source.pop(last)
        *path, last = new.split(".")
        target = tree
        for name in path:
            target = target.setdefault(name, {})
            if not isinstance(target, dict):
                break
        if isinstance(target, dict):
            target[last] = value
            moved.append((old, new))
        else:
            source[old.split(".")[-1]] = value
    return moved
