"""Every setting is declared once with title and description, gathered, documented and frozen."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest
from pydantic import BaseModel

from config.generate_docs import render
from config.settings import Settings


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for info in model.model_fields.values():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from models(info.annotation)


ALL = sorted(set(models(Settings)), key=lambda model: model.__name__)


@pytest.mark.parametrize("model", ALL)
def test_a_section_is_frozen_and_refuses_unknown_keys(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen") is True
    assert model.model_config.get("extra") == "forbid"


@pytest.mark.parametrize("model", ALL)
def test_every_setting_says_what_it_is(model: type[BaseModel]) -> None:
    assert [name for name, info in model.model_fields.items() if not (info.title and info.description)] == []


def test_every_part_that_has_settings_is_gathered(repo_dir: Path) -> None:
    gathered = {model.__module__ for model in models(Settings)}
    parts = {
        f"{file.parent.relative_to(repo_dir).as_posix().replace('/', '.')}.settings"
        for file in [*repo_dir.glob("engine/*/settings.py"), *repo_dir.glob("market_agent_gui/settings.py")]
    }
    declaring = {
        name
        for name in parts
        for member in vars(importlib.import_module(name)).values()
        if inspect.isclass(member) and issubclass(member, BaseModel) and member.__module__ == name
    }
    assert declaring - gathered == set()


def test_the_settings_page_is_current(repo_dir: Path) -> None:
    assert (repo_dir / "docs" / "settings.md").read_text(encoding="utf-8") == render(), "run `make docs`"


def test_the_settings_page_names_every_key() -> None:
    page = render()
    for model in ALL:
        for name in model.model_fields:
            assert name in page, f"{model.__name__}.{name}"


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(pydantic.ValidationError):
        Settings().mode = "live"  # type: ignore[misc]
