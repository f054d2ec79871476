"""What is wrong with a strategy file, in words for the person who wrote it: the key, and what it may hold."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

_ALTERNATIVES = re.compile(r"^\^\(([\w|-]+)\)\$$")
_BOUNDS = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "at least {min_length} long",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
    "finite_number": "a finite number",
    "int_from_float": "a whole number",
}
_KINDS = {
    "float": "a number",
    "int": "a whole number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "model": "a group of keys",
    "dict": "a group of keys",
}


def sentence(details: Mapping[str, Any], keys: Iterable[str]) -> str:
    """Say what is wrong with the key of a finding; ``keys`` are those a strategy has."""
    kind, context, given = str(details["type"]), details.get("ctx", {}), details.get("input")
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(details["loc"][-1]), list(keys), 1)
        return "is not a key of a strategy" + (f". Did you mean {near[0]}?" if near else "")
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"{given!r} is not {context['expected']!s}"
    if kind == "string_pattern_mismatch":
        found = _ALTERNATIVES.match(str(context["pattern"]))
        if found is not None:
            *some, last = found[1].split("|")
            return f"{given!r} is not {', '.join(some)} or {last}"
        return f"{given!r} must be lower-case letters, digits and underscores, a letter first, 2 to 41 of them"
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind].format(**context)}, not {given!r}"
    family = kind.partition("_")[0]
    return f"must be {_KINDS.get(family, 'of another kind')}, not {given!r}"
