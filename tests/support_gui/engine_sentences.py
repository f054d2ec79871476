"""The sentences of the engine that can reach the window, collected from its source.

Taken is every string literal and f-string of ``engine/`` that holds a space and a word: receipts, denials, alarms,
reasons, lamps. The values of an f-string become ``{1}``, ``{2}`` in their order, and what a value can be by a condition
inside the f-string is taken too, single words included. What is handed from part to part, and errors, are taken like
the rest: they are shown in the end. Left out is only what the tables below name, with the reason.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT_FILES = {
    "engine/collection/files/": "files are imported on the command line, which speaks English",
    "engine/simulation/market/": "headlines of the simulated market are foreign text, as those of a true agency are",
    "engine/features/": "faults of a programmer, and names of indicators, which have a test of their own",
    "engine/operations/page.py": "the page of steps is a file for a person without the window",
    "engine/operations/notify.py": "names of the desktop's own programs",
    "engine/operations/watchdog.py": "a process of its own, on the terminal",
    "engine/memory/database.py": "statements for the database; a damaged one is told by its consequence",
    "engine/memory/migrations/": "statements for the database",
    "engine/memory/bar_archive_export.py": "the command line",
    "engine/security/secrets.py": "secrets are kept on the command line",
    "engine/security/redaction.py": "patterns",
    "engine/execution/algos/_template.py": "an example for writers of plug-ins",
    "engine/scoring/technical/_template.py": "an example for writers of plug-ins",
    "engine/risk/rules/_template.py": "an example for writers of plug-ins",
    "engine/api/wire.py": "the wire is broken: nothing more can be told over it",
}
KEPT_FILES = (
    "engine/features/indicators/spec.py",
    "engine/features/indicators/registry.py",
)
"""Files of a folder that is left out whose faults are shown all the same."""

WINDOW_FILES = (
    "market_agent_gui/alerts.py",
    "market_agent_gui/bridge.py",
    "market_agent_gui/drawing_store.py",
    "market_agent_gui/engine_host.py",
    "market_agent_gui/keys/blocking.py",
    "market_agent_gui/keys/guard.py",
    "market_agent_gui/keys/key_map.py",
    "market_agent_gui/keys/staging.py",
    "market_agent_gui/preferences.py",
    "market_agent_gui/presenters/halt.py",
    "market_agent_gui/presenters/modes.py",
    "market_agent_gui/presenters/order_entry.py",
    "market_agent_gui/symbol_file.py",
    "market_agent_gui/workspace.py",
)
"""Files of the window that speak English like the engine, and are said in the user's language where they are shown."""

PROGRAMMER = {
    "AssertionError",
    "AttributeError",
    "IndexError",
    "KeyError",
    "LookupError",
    "NotImplementedError",
    "OSError",
    "RuntimeError",
    "SettingsError",
    "TypeError",
    "ValueError",
}
"""Errors of a programmer, and of settings, which are told where the engine is started."""

LEFT_OUT_CALLS = re.compile(
    r"(^|\.)_?log\.|get_logger$|execute$|executescript$|strptime$|strftime$|re\.compile$|reach$|subscribe$|create_task$"
    r"|(^|\.)Field$|(^|\.)Param$|NativeParam$|NativeAlgo$|^late$|\.own$|stop_all$|view\.put$|^say$|^told$|start$|write_text$|\._own$|^_overlay$|^_pane$"
    r"|call_exception_handler$|datetime\.|subprocess\.|^limit_uses$"
)
"""Log lines, statements, names of tasks and of handlers, declarations of settings and of parameters."""

_SQL = re.compile(r"\s*(SELECT|INSERT|CREATE|PRAGMA|UPDATE|DELETE|BEGIN|REPLACE)\b|\w+ = \S+$")
_WORD = re.compile(r"[A-Za-z]{2,}")
_CODES = re.compile(r"\d+ (secs|mins?|hours?|day)|7 the broker does not show it|disk I/O|must be unique")
"""Codes of the broker's language, a key of the fold, and what is looked for in foreign text."""


def template(node: ast.Constant | ast.JoinedStr) -> str:
    """Return the text of a literal, its values numbered."""
    if isinstance(node, ast.Constant):
        return str(node.value).strip()
    parts, count = [], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        else:
            count += 1
            parts.append(f"{{{count}}}")
    return "".join(parts).strip()


def sentences(repo_dir: Path) -> dict[str, str]:
    """Return the sentences, each with a place where it is said."""
    found: dict[str, str] = {}
    for path in sorted((*(repo_dir / "engine").rglob("*.py"), *(repo_dir / name for name in WINDOW_FILES))):
        name = path.relative_to(repo_dir).as_posix()
        kept = name in KEPT_FILES or name in WINDOW_FILES
        if not kept and (name.endswith("settings.py") or any(name.startswith(start) for start in LEFT_OUT_FILES)):
            continue
        for line, text in within(ast.parse(path.read_text(encoding="utf-8")), kept):
            found.setdefault(text, f"{name}:{line}")
    return found


def within(node: ast.AST, programmer: bool = False, alone: bool = False) -> Iterator[tuple[int, str]]:
    """Return (line, sentence) of everything below a node; ``programmer`` takes the errors of programmers as well."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        if child is getattr(node, "returns", None):
            continue
        if isinstance(child, ast.Raise) and not programmer and _name_of(child) in PROGRAMMER:
            continue
        if isinstance(child, ast.Call) and LEFT_OUT_CALLS.search(ast.unparse(child.func)):
            continue
        if isinstance(child, ast.arg | ast.AnnAssign) and child.annotation is not None:
            if isinstance(child, ast.AnnAssign) and child.value is not None:
                yield from within(ast.Tuple(elts=[child.value]), programmer)
            continue
        if isinstance(child, ast.FormattedValue):
            yield from within(child, programmer, alone=isinstance(child.value, ast.IfExp | ast.BoolOp))
            continue
        if isinstance(child, ast.JoinedStr):
            if _counts(text := template(child), False):
                yield child.lineno, text
            for part in child.values:
                if isinstance(part, ast.FormattedValue):
                    inside = ast.Tuple(elts=[part.value])
                    yield from within(inside, programmer, alone=isinstance(part.value, ast.IfExp | ast.BoolOp))
            continue
        if isinstance(child, ast.Constant):
            if isinstance(child.value, str) and _counts(text := template(child), alone):
                yield child.lineno, text
            continue
        yield from within(child, programmer, alone and isinstance(child, ast.IfExp | ast.BoolOp))


def _name_of(node: ast.Raise) -> str:
    made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return ast.unparse(made) if made is not None else ""


def _counts(text: str, alone: bool) -> bool:
    bare = re.sub(r"\{\d+\}", "", text)
    return bool(_WORD.search(bare)) and (alone or " " in text) and not _SQL.match(text) and not _CODES.fullmatch(text)
