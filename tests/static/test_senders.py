"""Who a command says it is from: what is not a person the engine takes for a program, which may hardly do anything."""

import ast
from pathlib import Path

from engine.model.decision import PEOPLE

READERS = {"console"}
"""Reads alone, which programs may as well."""


def test_the_window_and_the_shell_send_as_a_person(repo_dir: Path) -> None:
    strangers = []
    for folder in ("market_agent_gui", "widgets", "cli"):
        for path in sorted((repo_dir / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                for keyword in node.keywords:
                    value = keyword.value
                    if keyword.arg == "by" and isinstance(value, ast.Constant) and value.value not in PEOPLE | READERS:
                        strangers.append(f"{path.relative_to(repo_dir)}:{value.lineno} {value.value!r}")
    assert strangers == []
