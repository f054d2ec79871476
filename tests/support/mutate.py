"""Mutation: change one thing in a module, run its tests, and see that some test notices. The tree is never touched.

``python -m tests.support.mutate fold mutants.jsonl`` tries every mutant that the file does not have yet and prints the
score and the survivors. Each mutant lives in a forked process whose import of the module gives the changed source, so
that what all share is imported once.
"""

import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType
from typing import Any

KILLED, SURVIVED, SLOW = "killed", "survived", "slow"
LIMIT_S = 240
"""A mutant that runs longer is counted as noticed: it hangs."""


@dataclass(frozen=True)
class Target:
    """Files and the tests that must notice a change in them, the quickest first."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    shared: tuple[str, ...]
    """Modules to import once: those that none of the files is imported by."""


_SHARED = (
    "hypothesis",
    "msgspec",
    "numpy",
    "pydantic",
    "engine.bus.bus",
    "engine.model.report",
    "engine.memory.journal",
)


def _execution(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/engine/execution/test_{name}.py" for name in names)


_FOLD_TESTS = _execution("fold", "fold_evidence", "sight", "plan")
_DESK_TESTS = _execution("desk", "agreement", "reconcile", "exactly_once", "flatten", "campaign")

TARGETS = {
    "gate": Target(
        (
            *("engine/risk/gate.py", "engine/risk/exposure.py", "engine/risk/conversion.py", "engine/risk/reading.py"),
            *("engine/risk/latches.py", "engine/risk/counters.py", "engine/risk/rules/mode.py"),
            *("engine/risk/rules/lock.py", "engine/risk/rules/g*.py"),
        ),
        (
            *("tests/engine/risk/test_market_events.py", "tests/engine/risk/test_gate_limits.py"),
            *(
                "tests/engine/risk/test_gate.py",
                "tests/engine/risk/test_governor.py",
                "tests/engine/risk/test_sizing.py",
                "tests/engine/risk/test_gate_numbers.py",
            ),
        ),
        (*_SHARED, "engine.memory.counters"),
    ),
    "fold": Target(
        ("engine/execution/fold.py", "engine/execution/record.py"),
        (*_FOLD_TESTS, *_DESK_TESTS),
        (*_SHARED, "engine.portfolio.ledger"),
    ),
    "reconcile": Target(
        tuple(f"engine/execution/{name}.py" for name in ("sight", "reconcile", "agreement", "opening")),
        (*_FOLD_TESTS, *_DESK_TESTS),
        (*_SHARED, "engine.portfolio.ledger"),
    ),
}

_SWAPS: dict[type, type] = {
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
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_NAMES = {"max": "min", "min": "max", "any": "all", "all": "any"}
_OBJECTIONS = ("hard", "soft", "warn")


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield (what is changed, changed source) for every place where one thing can be changed."""
    tree = ast.parse(source)
    for index, node in enumerate(_nodes(tree)):
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            twin = next(n for i, n in enumerate(_nodes(changed)) if i == index)
            change(twin)
            yield f"{node.lineno}:{node.col_offset} {what}", ast.unparse(ast.fix_missing_locations(changed))


def _nodes(tree: ast.AST) -> Iterator[Any]:
    """Walk what is executed: no annotations, no docstrings."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list") or (
            name == "keywords" and isinstance(tree, ast.ClassDef)
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                if hasattr(child, "lineno"):
                    yield child
                yield from _nodes(child)


def _changes(node: Any) -> Iterator[tuple[str, Any]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _SWAPS:
            new = _SWAPS[type(op)]
            yield f"{type(op).__name__} to {new.__name__}", lambda n: setattr(n, "ops", [new()])
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in _SWAPS:
            new = _SWAPS[type(op)]
            yield f"{type(op).__name__} to {new.__name__}", lambda n: setattr(n, "op", new())
        case ast.If() | ast.IfExp():
            yield "condition negated", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
        case ast.Return(value=ast.Call(func=ast.Name(id=name))) if name in _OBJECTIONS:
            yield "objection dropped", lambda n: setattr(n, "value", ast.Tuple([], ast.Load()))
        case ast.Expr(value=ast.Call()):
            yield "call dropped", lambda n: setattr(n, "value", ast.Constant(None))
        case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
            yield f"{name} to {_NAMES[name]}", lambda n: setattr(n.func, "id", _NAMES[name])
        case ast.Call(func=ast.Name(id="replace") | ast.Attribute(attr="replace"), keywords=keywords):
            for at, keyword in enumerate(keywords):
                yield f"{keyword.arg} not replaced", lambda n, at=at: n.keywords.pop(at)
        case ast.Constant(value=bool() as value):
            yield f"{value} to {not value}", lambda n: setattr(n, "value", not value)
        case ast.Constant(value=int() as value) if abs(value) < 1000:
            yield f"{value} to {value + 1}", lambda n: setattr(n, "value", value + 1)


class _Source(importlib.machinery.SourceFileLoader):
    """A module from changed source, never from a cache."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._source.encode(), self.path)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module, changed."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._loader = name, _Source(name, str(path), source)

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._loader.path, loader=self._loader)


def _in_child(path: Path, root: Path, source: str, tests: Sequence[str]) -> None:
    import hypothesis
    import pytest

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    signal.alarm(LIMIT_S)
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutation", phases=phases, database=None, derandomize=True)
    hypothesis.settings.load_profile("mutation")
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    sys.meta_path.insert(0, _Finder(name, path, source))
    os._exit(int(pytest.main(["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", *tests])))


def trial(path: Path, root: Path, source: str, tests: Sequence[str]) -> str:
    """Run the tests on changed source in a process of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            _in_child(path, root, source, tests)
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return SLOW
    return SURVIVED if os.WEXITSTATUS(status) == 0 else KILLED


def every(target: Target, root: Path) -> list[tuple[Path, str, str]]:
    """(file, what, changed source) of a target, in an order that is mixed and always the same."""
    paths = [path for pattern in target.files for path in sorted(root.glob(pattern))]
    found = [(path, what, text) for path in paths for what, text in mutants(path.read_text())]
    random.Random(1).shuffle(found)
    return found


def run(target: Target, root: Path, most: int, log: Path | None = None) -> dict[str, str]:
    """Try up to ``most`` mutants; return by name how each ended. With ``log``, go on where it ended."""
    for name in target.shared:
        importlib.import_module(name)
    ends: dict[str, str] = {}
    if log is not None and log.exists():
        ends = dict(json.loads(line) for line in log.read_text().splitlines())
    wanted = every(target, root)[:most]
    path = wanted[0][0]
    assert trial(path, root, path.read_text(), target.tests) == SURVIVED, "the tests fail without any change"
    for path, what, text in wanted:
        name = f"{path.relative_to(root)}:{what}"
        if name not in ends:
            ends[name] = trial(path, root, text, target.tests)
            if log is not None:
                with log.open("a") as file:
                    file.write(json.dumps([name, ends[name]]) + "\n")
    return ends


def report(ends: dict[str, str]) -> tuple[float, str]:
    """The score, and it and the survivors in words."""
    survivors = sorted(name for name, end in ends.items() if end == SURVIVED)
    score = 1 - len(survivors) / len(ends)
    return score, "\n".join([f"{len(ends)} mutants, {len(survivors)} survived, score {score:.3f}", *survivors])


if __name__ == "__main__":
    outcome = run(TARGETS[sys.argv[1]], Path.cwd(), int(os.environ.get("MUTANTS", "100000")), Path(sys.argv[2]))
    print(report(outcome)[1])
