"""Mutation: change one thing in a module, run its tests, and see that some test notices. The tree is never touched.

``python -m tests.support.mutate gate mutants.jsonl`` tries every mutant that the file does not have yet and prints the
score and the survivors. Each mutant lives in a forked process whose import of the module gives the changed source, so
that what all share is imported once. A first run without a change notes which tests come past which line; a mutant
meets those that come past its statement, the quickest first, and all where none does (what an import executes).
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
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import pytest

KILLED, SURVIVED, SLOW = "killed", "survived", "slow"
"""A mutant that hangs is slow: noticed, and said separately."""
HANGS_S = 240
WORKERS = 2


@dataclass(frozen=True)
class Target:
    """Files and the tests that must notice a change in them."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    shared: tuple[str, ...]
    """Modules to import once: those that none of the files is imported by."""


class Mutant(NamedTuple):
    """One thing changed in one file."""

    path: Path
    what: str
    """Line, column and the change."""
    source: str
    lines: range
    """The statement it is in; of a compound one its head."""


_SHARED = (
    *("pytestqt.plugin", "pytest_asyncio.plugin", "xdist.plugin", "_hypothesis_pytestplugin"),
    *("PySide6.QtWidgets", "PySide6.QtTest", "hypothesis"),
    "msgspec",
    "numpy",
    "pydantic",
    "engine.bus.bus",
    "engine.model.report",
    "engine.memory.journal",
)


def _risk(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/engine/risk/test_{name}.py" for name in names)


def _execution(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/engine/execution/test_{name}.py" for name in names)


_FOLD_TESTS = _execution("fold", "fold_evidence", "sight", "plan")
_DESK_TESTS = _execution("desk", "agreement", "reconcile", "exactly_once", "flatten", "campaign")

TARGETS = {
    "gate": Target(
        (
            *("engine/risk/gate.py", "engine/risk/exposure.py", "engine/risk/conversion.py", "engine/risk/reading.py"),
            *("engine/risk/latches.py", "engine/risk/counters.py", "engine/risk/rules/mode.py"),
            *("engine/risk/rules/lock.py", "engine/risk/rules/shape.py", "engine/risk/rules/g*.py"),
            "engine/risk/observer.py",
        ),
        (
            *_risk("market_events", "gate_limits", "gate", "gate_numbers", "governor", "sizing", "modes", "limit_book"),
            *_risk("gate_sentences", "gate_counts", "gate_rules", "exposure", "latches", "conversion"),
            *_risk("collar", "funds", "shape"),
            *("tests/engine/execution/algos/test_algo_gate.py", "tests/contracts/test_risk_rule_contract.py"),
        ),
        (*_SHARED, "engine.memory.counters", "engine.risk.limits", "engine.risk.pin", "engine.risk.sessions"),
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


def mutants(source: str) -> Iterator[tuple[str, str, range]]:
    """Yield (what is changed, changed source, lines of its statement) for every place where one thing can change."""
    tree = ast.parse(source)
    cached = [range(f.lineno, f.end_lineno + 1) for f, _ in _nodes(tree) if _is_cached(f)]
    named: Counter[str] = Counter()
    for index, (node, statement) in enumerate(_nodes(tree)):
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            twin = next(n for i, (n, _) in enumerate(_nodes(changed)) if i == index)
            change(twin)
            text = ast.unparse(ast.fix_missing_locations(changed))
            # What one test computed another may find: all tests come past.
            lines = range(0) if any(node.lineno in one for one in cached) else _lines(statement)
            name = f"{node.lineno}:{node.col_offset} {what}"
            named[name] += 1  # in a * b * c both products begin at a
            yield name if named[name] == 1 else f"{name} ({named[name]})", text, lines


def _is_cached(node: Any) -> bool:
    return isinstance(node, ast.FunctionDef) and any("cache" in ast.unparse(d) for d in node.decorator_list)


def _nodes(tree: ast.AST, within: Any = None) -> Iterator[tuple[Any, Any]]:
    """Walk what is executed, with the statement it is in: no annotations, no docstrings."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list") or (
            name == "keywords" and isinstance(tree, ast.ClassDef)
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                statement = child if isinstance(child, ast.stmt) else within
                if hasattr(child, "lineno"):
                    yield child, statement
                yield from _nodes(child, statement)


def _lines(statement: Any) -> range:
    inner = getattr(statement, "body", None)
    end = max(statement.lineno + 1, inner[0].lineno) if inner else statement.end_lineno + 1
    return range(statement.lineno, end)


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


class _Chosen:
    """Runs some tests in the order given; all if one of them is no longer there."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        by_id = {item.nodeid: item for item in items}
        if all(name in by_id for name in self._ids):
            items[:] = [by_id[name] for name in self._ids]


class _Recorder:
    """Notes the lines of some files that each test comes past."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = frozenset(str(path) for path in files)
        self._here: set[tuple[str, int]] = set()
        self.seen: list[tuple[str, float, list[tuple[str, int]]]] = []
        """(test, seconds, lines)."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        started = time.process_time()
        sys.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.seen.append((item.nodeid, time.process_time() - started, sorted(self._here)))
            self._here.clear()

    def _call(self, frame: FrameType, event: str, arg: object) -> Any:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line":
            self._here.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def _test(tests: Sequence[str], plugin: object) -> int:
    """Run tests in a forked process of its own: nothing is shrunk, nothing is said, nothing is left behind."""
    import hypothesis

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    hypothesis.settings.register_profile(
        "mutation",
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"  # the one that tests/conftest.py loads
    return int(pytest.main(["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", *tests], plugins=[plugin]))


def _fork(work: Callable[[], int]) -> int:
    """Do ``work`` in a child that ends with what it returns; give the child's process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        end = 99
        try:
            end = work()
        finally:
            os._exit(end)
    return child


class Trials:
    """The tests of a target, and which of them come past which line."""

    def __init__(self, target: Target, root: Path) -> None:
        """Run the tests without any change; they must pass."""
        self._target, self._root = target, root
        for name in target.shared:
            importlib.import_module(name)
        with tempfile.TemporaryDirectory() as folder:
            notes = Path(folder) / "lines.json"
            child = _fork(lambda: self._record(notes))
            _, status, used = os.wait4(child, 0)
            assert status == 0, "the tests fail without any change"
            seen = json.loads(notes.read_text())
        self._most_s = 10 + 2 * round(used.ru_utime + used.ru_stime)
        self._past: dict[tuple[str, int], list[str]] = {}
        self._order = {name: at for at, (name, _, _) in enumerate(sorted(seen, key=lambda one: one[1]))}
        for name, _, lines in seen:
            for path, line in lines:
                self._past.setdefault((path, line), []).append(name)

    def _record(self, notes: Path) -> int:
        recorder = _Recorder([path for pattern in self._target.files for path in self._root.glob(pattern)])
        end = _test(self._target.tests, recorder)
        notes.write_text(json.dumps(recorder.seen))
        return end

    def chosen(self, mutant: Mutant) -> list[str]:
        """Return the tests that come past a mutant's statement, the quickest first; none: all must run."""
        names = {name for line in mutant.lines for name in self._past.get((str(mutant.path), line), ())}
        return sorted(names, key=self._order.__getitem__)

    def start(self, mutant: Mutant, whole: bool = False) -> int:
        """Try a mutant in a process of its own and give its id; ``whole``: with all tests."""
        return _fork(lambda: self._try(mutant, [] if whole else self.chosen(mutant)))

    def _try(self, mutant: Mutant, ids: list[str]) -> int:
        signal.alarm(HANGS_S)
        resource.setrlimit(resource.RLIMIT_CPU, (self._most_s, self._most_s + 5))
        name = ".".join(mutant.path.relative_to(self._root).with_suffix("").parts)
        sys.meta_path.insert(0, _Finder(name, mutant.path, mutant.source))
        files = sorted({name.split("::")[0] for name in ids})
        return _test(files or self._target.tests, _Chosen(ids) if ids else object())


def _end(status: int) -> str:
    if os.WIFSIGNALED(status):
        return SLOW
    return SURVIVED if os.WEXITSTATUS(status) == 0 else KILLED


def every(target: Target, root: Path) -> list[Mutant]:
    """Return the mutants of a target, in an order that is mixed and always the same."""
    paths = [path for pattern in target.files for path in sorted(root.glob(pattern))]
    found = [Mutant(path, *one) for path in paths for one in mutants(path.read_text())]
    random.Random(1).shuffle(found)
    return found


def run(target: Target, root: Path, most: int, log: Path, whole: bool = False) -> dict[str, str]:
    """Try up to ``most`` mutants, going on where ``log`` ended; return by name how each ended."""
    ends: dict[str, str] = {}
    if log.exists():
        ends = dict(json.loads(line) for line in log.read_text().splitlines())
    named = {f"{mutant.path.relative_to(root)}:{mutant.what}": mutant for mutant in every(target, root)[:most]}
    waiting = [name for name in named if name not in ends]
    trials = Trials(target, root)
    running: dict[int, str] = {}
    while waiting or running:
        while waiting and len(running) < WORKERS:
            name = waiting.pop(0)
            running[trials.start(named[name], whole)] = name
        child, status = os.wait()
        name = running.pop(child)
        ends[name] = _end(status)
        with log.open("a") as file:
            file.write(json.dumps([name, ends[name]]) + "\n")
    return {name: ends[name] for name in named}


def report(ends: dict[str, str]) -> tuple[float, str]:
    """The score, and it and the survivors in words."""
    survivors = sorted(name for name, end in ends.items() if end == SURVIVED)
    slow = sum(end == SLOW for end in ends.values())
    score = 1 - len(survivors) / len(ends)
    head = f"{len(ends)} mutants, {len(survivors)} survived, {slow} hung, score {score:.3f}"
    return score, "\n".join([head, *survivors])


if __name__ == "__main__":
    wanted = int(os.environ.get("MUTANTS", "100000"))
    outcome = run(TARGETS[sys.argv[1]], Path.cwd(), wanted, Path(sys.argv[2]), whole="--whole" in sys.argv)
    print(report(outcome)[1])
