"""YAML text to plain values with the line of every key.

Only the plain core of YAML is read: `NO`, `ON`, `Y` and `TRUE` are ticker symbols and not booleans, `12:30` is text,
and aliases, tags and doubled keys are refused.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from config.errors import Problem, SettingsError

Path = tuple[str, ...]
MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 20


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader that resolves only null, true/false and decimal numbers; everything else is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_CoreLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(~|null|)$"), ["~", "n", ""])
_CoreLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(true|false)$"), ["t", "f"])
_CoreLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$"), list("-+0123456789"))
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"),
    list("-+.0123456789"),
)


@dataclass(slots=True)
class Tree:
    """Plain values of one document and where each key stands."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)

    def meet(self, node: yaml.Node) -> bool:
        """Say whether the node is met for the first time; an alias leads to one a second time."""
        new = id(node) not in self._seen
        self._seen.add(id(node))
        return new

    def line_of(self, path: Path) -> int | None:
        """Return the line of the key, or of the nearest group around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


def parse(text: str, source: str) -> Tree:
    """Parse one YAML mapping. Raise SettingsError naming source, line and key; the text itself is never quoted."""
    tree = Tree()
    node = _compose(text, source)
    if node is None:
        return tree
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError([Problem(source, "", "must be keys and values, one `key: value` a line", _line(node))])
    tree.values = _mapping(node, (), tree, source)
    return tree


def parse_value(text: str, source: str) -> Any:
    """Parse one value as it would stand behind a colon: a number, true, [AAPL, MSFT], {kind: paper}, or text."""
    tree = Tree()
    node = _compose(text, source)
    return None if node is None else _value(node, (), tree, source)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _compose(text: str, source: str) -> yaml.Node | None:
    if len(text) > MAX_CHARACTERS:
        raise SettingsError([Problem(source, "", f"is longer than {MAX_CHARACTERS:,} characters")])
    try:
        return yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # What the parser quotes may be part of a secret; only its own <words> and single signs are kept.
        what = re.sub(r"'[^'<]{2,}'", "...", " ".join(part for part in (error.context, error.problem) if part))
        line = None if mark is None else mark.line + 1
        raise SettingsError([Problem(source, "", f"is not valid YAML ({what})", line)]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SettingsError([Problem(source, "", "holds a character that YAML does not allow", line)]) from None
    except RecursionError:
        raise SettingsError([Problem(source, "", "is nested too deeply")]) from None


def _value(node: yaml.Node, path: Path, tree: Tree, source: str) -> Any:
    if not tree.meet(node):
        raise SettingsError([Problem(source, ".".join(path), "repeats another value by *alias; write it out")])
    if len(path) > MAX_DEPTH:
        raise SettingsError([Problem(source, ".".join(path[:4]), "is nested too deeply", _line(node))])
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, tree, source)
    if isinstance(node, yaml.SequenceNode):
        values = []
        for i, item in enumerate(node.value):
            place = (*path, str(i))
            tree.lines[place] = _line(item)
            values.append(_value(item, place, tree, source))
        return values
    return _scalar(node, path, source)


def _mapping(node: yaml.MappingNode, path: Path, tree: Tree, source: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise SettingsError([Problem(source, ".".join(path), "a key must be a plain word", _line(key_node))])
        key = str(key_node.value)
        place = (*path, key)
        if key in values:
            first = tree.lines[place]
            raise SettingsError(
                [Problem(source, ".".join(place), f"stands twice (first in line {first})", _line(key_node))]
            )
        tree.lines[place] = _line(key_node)
        values[key] = _value(value_node, place, tree, source)
    return values


def _scalar(node: yaml.Node, path: Path, source: str) -> Any:
    text = str(node.value)
    kind = str(node.tag).rpartition(":")[2]
    dotted = ".".join(path)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and len(text) <= 30:
        return int(text)
    if kind == "float":
        try:
            number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        raise SettingsError([Problem(source, dotted, "must be a finite number", _line(node))])
    raise SettingsError([Problem(source, dotted, "is not a kind of value settings know", _line(node))])
