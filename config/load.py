"""From a YAML file, the environment and the command line to one checked `Settings` value."""

import difflib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config import yaml_tree
from config.errors import Problem, SettingsError
from config.migrate import REMOVED, RENAMED, find, rename
from config.settings import Settings

PREFIX = "MARKET_AGENT__"
HEADER = "--- # Market Agent settings, written by the program. Complete only with the three dots at the end."
FOOTER = "..."


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and what the user should hear about them."""

    settings: Settings
    notes: tuple[str, ...] = ()
    """Sentences for the log and the first-run page: renamed keys."""
    problem: SettingsError | None = None
    """Set when the file is damaged and `settings` are the last good ones, with autonomy taken down to observe."""


def load(
    file: Path | None, *, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Loaded:
    """Read and check settings; later layers win: defaults, file, environment, overrides (dotted keys).

    A missing file means defaults. Raise SettingsError with every problem found.
    """
    text = "" if file is None else read_text(file)
    return load_text(text, "settings" if file is None else str(file), environment=environment, overrides=overrides)


def load_or_last_good(
    file: Path, *, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Loaded:
    """Like `load`, but a damaged file falls back to the last good copy beside it, with autonomy `observe`.

    The damaged file stays as it is. Raise SettingsError when there is no good copy, or the environment is at fault.
    """
    try:
        return load(file, environment=environment, overrides=overrides)
    except SettingsError as problem:
        copy = last_good(file)
        if not copy.exists():
            raise
        try:
            good = load(copy, environment=environment, overrides={**(overrides or {}), "autonomy": "observe"})
        except SettingsError:
            raise problem from None
        return Loaded(good.settings, good.notes, problem)


def place_of(file: Path, key: str) -> str:
    """Say where ``key`` stands, as messages do: file, line and key; without the line where the file has none for it."""
    if key.startswith("--") or not file.exists():
        return key
    line = yaml_tree.parse(read_text(file), str(file)).lines.get(tuple(key.split(".")))
    return str(Problem(str(file), key, "", line)).removesuffix(": ")


def last_good(file: Path) -> Path:
    """Return where the last good copy of a settings file is kept."""
    return file.with_name(file.name + ".last-good")


def read_text(file: Path) -> str:
    """Return the file's text, "" when it does not exist. Raise SettingsError when unreadable, unsafe or cut short."""
    source = str(file)
    try:
        raw = file.read_bytes()
        mode = file.stat().st_mode
        private = not file.parent.stat().st_mode & 0o077
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingsError([Problem(source, "", f"cannot be read: {error.strerror}")]) from error
    if os.name == "posix" and not private and mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError([Problem(source, "", f"can be changed by other users. Run: chmod go-w '{file}'")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError([Problem(source, "", "is not UTF-8 text", line)]) from None
    if text.startswith(HEADER[:20]) and not text.rstrip().endswith("\n" + FOOTER):
        raise SettingsError([Problem(source, "", "is cut short: the closing line of three dots is missing")])
    if not text.strip():
        raise SettingsError([Problem(source, "", "is empty. Delete it to start with the defaults")])
    return text


def load_text(
    text: str,
    source: str,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    renamed: Mapping[str, str] = RENAMED,
) -> Loaded:
    """Check settings given as text; see `load`."""
    tree = yaml_tree.parse(text, source)
    notes = []
    for old, new in rename(tree.values, renamed):
        _move_lines(tree, tuple(old.split(".")), tuple(new.split(".")))
        line = tree.line_of(tuple(new.split(".")))
        notes.append(f"{source}, line {line}: {old} is called {new} now; please rename it.")
    origins: dict[yaml_tree.Path, str] = {}
    for path, value, origin in _overlays(environment or {}, overrides or {}):
        _put(tree.values, path, value, origin)
        origins[path] = origin
    problems = [*_gone(tree, source), *_doubled(tree, source, renamed)]
    try:
        settings = Settings.model_validate_json(json.dumps(tree.values, allow_nan=False), strict=True)
    except ValidationError as error:
        removed = {tuple(key.split(".")) for key in [*REMOVED, *renamed]}
        problems += [
            _problem(details, tree, source, origins)
            for details in error.errors(include_url=False)
            if tuple(map(str, details["loc"])) not in removed or details["type"] != "extra_forbidden"
        ]
    except ValueError:
        problems.append(Problem(source, "", "holds a number that is too large"))
    if problems:
        raise SettingsError(sorted(problems, key=lambda problem: problem.line or 0))
    return Loaded(settings, tuple(notes))


def _overlays(
    environment: Mapping[str, str], overrides: Mapping[str, Any]
) -> Iterator[tuple[yaml_tree.Path, Any, str]]:
    for name in sorted(environment):
        if name.upper().startswith(PREFIX):
            path = tuple(part.lower() for part in name[len(PREFIX) :].split("__"))
            origin = f"environment variable {name}"
            yield path, yaml_tree.parse_value(environment[name], origin), origin
    for dotted, value in overrides.items():
        yield tuple(dotted.split(".")), value, "command line"


def _put(values: dict[str, Any], path: yaml_tree.Path, value: Any, origin: str) -> None:
    node = values
    for name in path[:-1]:
        child = node.get(name)
        if child is None:
            child = node[name] = {}
        if not isinstance(child, dict):
            raise SettingsError([Problem(origin, ".".join(path), f"{name} is a value, not a group")])
        node = child
    node[path[-1]] = value


def _move_lines(tree: yaml_tree.Tree, old: yaml_tree.Path, new: yaml_tree.Path) -> None:
    for path in [path for path in tree.lines if path[: len(old)] == old]:
        tree.lines[(*new, *path[len(old) :])] = tree.lines.pop(path)


def _gone(tree: yaml_tree.Tree, source: str) -> list[Problem]:
    return [
        Problem(source, key, why, tree.line_of(tuple(key.split("."))))
        for key, why in REMOVED.items()
        if find(tree.values, key)
    ]


def _doubled(tree: yaml_tree.Tree, source: str, renamed: Mapping[str, str]) -> list[Problem]:
    return [
        Problem(
            source,
            old,
            f"is the old name of {new}, and both are given; keep {new}",
            tree.line_of(tuple(old.split("."))),
        )
        for old, new in renamed.items()
        if find(tree.values, old)
    ]


def _problem(details: Any, tree: yaml_tree.Tree, source: str, origins: Mapping[yaml_tree.Path, str]) -> Problem:
    path = tuple(str(part) for part in details["loc"])
    where, line = source, tree.line_of(path or ("mode",))
    for origin_path, origin in origins.items():
        if path and path[: len(origin_path)] == origin_path[: len(path)]:
            where, line = origin, None
    return Problem(where, ".".join(path), _sentence(details, path), line)


def _sentence(details: Any, path: yaml_tree.Path) -> str:
    """Say what is wrong. The value is quoted only where it cannot be a secret: for a known key of a plain kind."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return f"is not a setting{_suggestion(path)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        near = difflib.get_close_matches(str(details["input"]), expected.split(", "), 1)
        return f"must be one of {expected}" + (f". Did you mean {near[0]}?" if near else "")
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "must be a group of keys, such as {kind: paper}"
    if kind == "too_short":
        return f"must have at least {context['min_length']} {'entry' if context['min_length'] == 1 else 'entries'}"
    message = str(details["msg"]).replace("Input should be", "must be").replace("String should", "must")
    return message[0].lower() + message[1:]


def _suggestion(path: yaml_tree.Path) -> str:
    model: Any = Settings
    for name in path[:-1]:
        annotation = model.model_fields[name].annotation if name in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ""
        model = annotation
    # The very name in another place is nearer than a name that only looks like it.
    homes = [dotted for dotted in keys(Settings) if dotted.rpartition(".")[2] == path[-1]]
    if len(homes) == 1:
        return f". Did you mean {homes[0]}?"
    near = difflib.get_close_matches(path[-1], model.model_fields, 1)
    if near:
        return f". Did you mean {'.'.join([*path[:-1], near[0]])}?"
    known = sorted(model.model_fields)
    return f"; known here: {', '.join(known)}" if len(known) <= 20 else "; docs/settings.md lists them"


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield every dotted key of a settings model, groups before what they hold."""
    for name, info in model.model_fields.items():
        yield prefix + name
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from keys(annotation, f"{prefix}{name}.")
