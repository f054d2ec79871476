"""Mutation campaign: change the rules, the exposure book and the conversion, and see that some test fails.

Runs with ``-m long`` only. Each mutant lives in a copy of the tree in a temporary folder, never in the tree itself.
"""

import ast
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FILES = ("rules", "exposure.py", "conversion.py", "reading.py", "latches.py", "counters.py")
TESTS = ("tests/engine/risk/test_gate_limits.py", "tests/engine/risk/test_gate.py")
SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
MOST = int(os.environ.get("MUTANTS", "60"))


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield (what changed, changed source): comparisons swapped, conditions negated, objections dropped."""
    count = sum(1 for _ in ast.walk(ast.parse(source)))
    for index in range(count):
        tree = ast.parse(source)
        node = next(n for i, n in enumerate(ast.walk(tree)) if i == index)
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
            node.ops[0] = SWAPS[type(node.ops[0])]()
        elif isinstance(node, ast.If):
            node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Call) and _is_objection(node.value):
            node.value = ast.Tuple(elts=[], ctx=ast.Load())
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        else:
            continue
        line = getattr(node, "lineno", 0)
        yield f"line {line}: {type(node).__name__}", ast.unparse(ast.fix_missing_locations(tree))


def _is_objection(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("hard", "soft", "warn")


@pytest.mark.long
def test_at_least_nine_of_ten_mutants_are_noticed(tmp_path: Path, repo_dir: Path) -> None:
    for folder in ("engine", "tests/engine/risk"):
        shutil.copytree(repo_dir / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repo_dir / "pyproject.toml", tmp_path)
    shutil.copy(repo_dir / "tests/conftest.py", tmp_path / "tests")
    paths: list[Path] = []
    for name in FILES:
        path = tmp_path / "engine/risk" / name
        paths += [*sorted(path.glob("g*.py")), path / "mode.py", path / "lock.py"] if path.is_dir() else [path]
    found = [(path, what, text) for path in paths for what, text in mutants(path.read_text())]
    random.Random(1).shuffle(found)  # a fixed sample; MUTANTS=10000 takes all
    survivors = []
    tried = found[:MOST]
    for path, what, text in tried:
        kept = path.read_text()
        path.write_text(text)
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        path.write_text(kept)
        if run.returncode == 0:
            survivors.append(f"{path.relative_to(tmp_path)} {what}")
    score = 1 - len(survivors) / len(tried)
    assert score >= 0.9, "\n".join([f"score {score:.2f}", *survivors])
