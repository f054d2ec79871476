"""The product's source as the static gates see it: files, syntax trees, and names resolved through their imports."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("cli", "market_agent_gui", "widgets", "service", "engine", "config", "resources")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach: where and what."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Source:
    """One module: its path below the root, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> "Source":
        return cls(path, text, ast.parse(text, path))

    def finding(self, node: ast.AST, text: str) -> Finding:
        return Finding(self.path, getattr(node, "lineno", 1), text)


def product() -> list[Source]:
    """Return every module of the product (tests, scripts and installers are not)."""
    files = [ROOT / "main.py", *(file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))]
    return [
        Source.of(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
        for file in files
        if file.exists()
    ]


def aliases(tree: ast.Module) -> dict[str, str]:
    """Map each imported local name to what it stands for: {"np": "numpy", "now": "time.time"}."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                names[item.asname or item.name.partition(".")[0]] = (
                    item.name if item.asname else item.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for item in node.names:
                names[item.asname or item.name] = f"{node.module}.{item.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    """Return the full name an expression stands for (`np.load` -> "numpy.load"), None for what is no plain name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def base(node: ast.expr) -> str:
    """Return the first name of a dotted expression."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def imported(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield every imported module, `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, item.name) for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node, f"{node.module}.{item.name}") for item in node.names)
