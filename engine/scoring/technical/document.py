"""The text of a strategy as a tree that remembers its lines. Only the plain core of YAML is taken."""

from collections.abc import Sequence
from typing import Any, Final

import yaml

from engine.scoring.technical.faults import Fault, StrategyError

MOST_BYTES: Final = 65_536
DEEPEST: Final = 32
_OPENS: Final = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSES: Final = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
Place = tuple[str | int, ...]
"""Keys and positions from the root, such as ("long", "enter", 0)."""


class Document:
    """A parsed text. Raises :class:`StrategyError` for one that is not YAML of keys and values."""

    def __init__(self, name: str, text: str) -> None:
        """``name`` is what an error calls the text."""
        self._root: yaml.MappingNode = _compose(name, text)
        try:
            self.data: dict[object, Any] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise StrategyError(name, (_yaml_fault(error),)) from error
        except (ValueError, RecursionError) as error:
            raise StrategyError(name, (Fault(0, "", f"not valid YAML ({error})"),)) from error

    def line(self, place: Sequence[str | int]) -> int:
        """Return the line of a key or item, counted from 1; of the nearest group around it when it is not there."""
        node: yaml.Node = self._root
        line = 1
        for step in place:
            found: tuple[int, yaml.Node] | None = None
            if isinstance(node, yaml.MappingNode):
                found = next(
                    ((k.start_mark.line, v) for k, v in node.value if getattr(k, "value", None) == str(step)), None
                )
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                found = node.value[step].start_mark.line, node.value[step]
            if found is None:
                break
            line, node = found[0] + 1, found[1]
        return line


def _compose(name: str, text: str) -> yaml.MappingNode:
    if len(text.encode("utf-8", errors="replace")) > MOST_BYTES:
        raise StrategyError(name, (Fault(0, "", f"A strategy has at most {MOST_BYTES} bytes."),))
    deep = 0
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            deep += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
            if deep > DEEPEST:
                # Here and not by the composer: a page of brackets takes the scanner a quarter of a minute.
                raise StrategyError(name, (Fault(token.start_mark.line + 1, "", "It is nested too deeply."),))
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken | yaml.TagToken):
                line = token.start_mark.line + 1
                raise StrategyError(name, (Fault(line, "", "Anchors, aliases and tags are not used in a strategy."),))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise StrategyError(name, (_yaml_fault(error),)) from error
    except RecursionError as error:
        raise StrategyError(name, (Fault(0, "", "It is nested too deeply."),)) from error
    if not isinstance(root, yaml.MappingNode):
        raise StrategyError(name, (Fault(1, "", "a strategy file holds keys and values"),))
    twice = list(_repeated(root))
    if twice:
        raise StrategyError(name, twice)
    return root


def _repeated(node: yaml.Node) -> list[Fault]:
    """YAML lets a later key silently replace an earlier one; what was meant is not known then."""
    found: list[Fault] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            word = str(getattr(key, "value", ""))
            if word in seen:
                found.append(Fault(key.start_mark.line + 1, word, "stands here twice"))
            seen.add(word)
            found += _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found += _repeated(value)
    return found


def _yaml_fault(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return Fault(mark.line + 1 if mark is not None else 0, "", f"not valid YAML ({problem})")
