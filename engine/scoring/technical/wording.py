"""What is wrong with a strategy file, in words for the person who wrote it: the key, and what it may hold."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

_ALTERNATIVES = re.compile(r"^\^\(([\w|-]+)\)\$$")
_KINDS = {
    "float": "a number",
    "int": "a whole number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "model": "a group of keys",
    "dict": "a group of keys",
}
_MOST_SHOWN = 60


def sentence(details: Mapping[str, Any], keys: Iterable[str]) -> str:
    """Say what is wrong with the key of a finding; ``keys`` are those a strategy has."""
    kind, context, given = str(details["type"]), details.get("ctx", {}), _shown(details.get("input"))
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            near = difflib.get_close_matches(str(details["loc"][-1]), list(keys), 1)
            return f"is not a key of a strategy. Did you mean {near[0]}?" if near else "is not a key of a strategy"
        case "literal_error":
            some, _, last = str(context["expected"]).rpartition(" or ")
            return f"{given} is not {some} or {last}"
        case "string_pattern_mismatch":
            found = _ALTERNATIVES.match(str(context["pattern"]))
            if found is not None:
                *first, last = found[1].split("|")
                return f"{given} is not {', '.join(first)} or {last}"
            return f"{given} must be lower-case letters, digits and underscores, a letter first, 2 to 41 of them"
        case "greater_than":
            return f"must be above {context['gt']:g}, not {given}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}, not {given}"
        case "less_than":
            return f"must be below {context['lt']:g}, not {given}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}, not {given}"
        case "too_short":
            return f"must be at least {context['min_length']} long, not {given}"
        case "string_too_short":
            return f"must be at least {context['min_length']} characters long, not {given}"
        case "string_too_long":
            return f"must be at most {context['max_length']} characters long, not {given}"
        case "finite_number":
            return f"must be {_KINDS['float']}, not {given}"
    return f"must be {_KINDS.get(kind.partition('_')[0], 'of another kind')}, not {given}"


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
