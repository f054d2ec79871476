"""import-linter's contracts cover every package there is, hold, and would catch a breach."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.static.source import PACKAGES, ROOT

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--config", "pyproject.toml", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_package_of_the_product_is_under_contract() -> None:
    present = {name for name in PACKAGES if (ROOT / name / "__init__.py").exists()}
    assert present == set(CONFIG["root_packages"])


def test_no_package_stands_outside_the_plan() -> None:
    outside = {
        path.parent.name
        for path in ROOT.glob("*/__init__.py")
        if path.parent.name not in {*PACKAGES, "tests"} and not path.parent.name.startswith(".")
    }
    assert outside == set()


def test_every_part_of_the_engine_has_its_layer() -> None:
    layers = next(contract for contract in CONFIG["contracts"] if contract["id"] == "engine-layers")["layers"]
    named = {part.strip("() ") for layer in layers for part in layer.split("|")}
    assert {path.parent.name for path in ROOT.glob("engine/*/__init__.py")} - named == set()


def test_the_contracts_hold() -> None:
    run = lint(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


BREACHES = [
    ("engine.risk", "engine.execution"),
    ("engine.api", "engine.bus"),
    ("engine.model", "engine.api"),
    ("engine.bus", "engine.risk"),
    ("engine.risk", "engine.runtime"),
    ("engine.risk", "PySide6"),
    ("config", "qasync"),
    ("engine.risk", "config"),
    ("engine.risk", "cli"),
    ("engine.risk", "widgets"),
    ("widgets", "market_agent_gui"),
    ("service", "engine.risk"),
    ("service", "engine.runtime"),
    ("service", "config"),
    ("service", "widgets"),
    ("engine.risk", "service"),
]
"""Importer and imported: each pair must be refused."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what the real contracts say about a tree in which every breach stands, and a part nobody planned."""
    folder = tmp_path_factory.mktemp("skeleton")
    shutil.copy(ROOT / "pyproject.toml", folder)
    parts = ["api", "model", "bus", "risk", "execution", "runtime", "novelty"]
    for package in [*CONFIG["root_packages"], *(f"engine/{part}" for part in parts)]:
        (folder / package).mkdir(parents=True, exist_ok=True)
        (folder / package / "__init__.py").touch()
    for i, (importer, imported) in enumerate(BREACHES):
        home = folder / importer.replace(".", "/")
        if home.is_dir():
            (home / f"bad{i}.py").write_text(f"import {imported}\n")
    run = lint(folder)
    assert run.returncode != 0, run.stdout
    return " ".join(run.stdout.split())


@pytest.mark.parametrize("number", range(len(BREACHES)), ids=[" -> ".join(breach) for breach in BREACHES])
def test_a_breach_of_the_import_rules_is_caught(report: str, number: int) -> None:
    importer, imported = BREACHES[number]
    unbuilt = {importer.split(".")[0], imported.split(".")[0]} & set(PACKAGES) - set(CONFIG["root_packages"])
    if unbuilt:
        pytest.skip(f"not in the tree yet: {', '.join(sorted(unbuilt))}")
    assert f"{importer}.bad{number} -> {imported}" in report


def test_a_part_of_the_engine_without_a_layer_is_caught(report: str) -> None:
    assert "novelty" in report
