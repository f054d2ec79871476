"""A setting that nothing reads is a promise that nobody keeps: each is looked at somewhere in the program."""

import ast
from collections.abc import Iterator

from pydantic import BaseModel

from config.generate_docs import _model_of
from config.settings import Settings
from tests.static.source import product

NOT_IN_THIS_VERSION = {
    "llm.base_url": "goes with llm.provider, which is refused",
    "llm.model": "goes with llm.provider, which is refused",
    "llm.api_key": "goes with llm.provider, which is refused",
    "llm.daily_budget_usd": "goes with llm.provider, which is refused",
    "cache.password": "goes with cache.url, which is refused",
    "relay.password": "goes with relay.url, which is refused",
}


def leaves(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield every key as it is written in the file."""
    for name, field in model.model_fields.items():
        inner = _model_of(field)
        if inner is not None:
            yield from leaves(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def names_read() -> set[str]:
    """Return the name of every attribute that is looked at."""
    return {
        node.attr
        for source in product()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def test_every_setting_is_read_by_somebody() -> None:
    # Of the other providers those that are not in this version are refused by name.
    read = names_read()
    keys = [
        key for key in leaves(Settings) if not key.startswith("providers.") or key.startswith("providers.simulated.")
    ]
    assert set(NOT_IN_THIS_VERSION) < set(keys)
    assert [key for key in keys if key.rpartition(".")[2] not in read and key not in NOT_IN_THIS_VERSION] == []
