"""Sentences of the engine in the user's language.

The engine speaks English, in its log and its audit as on the wire; only the window says it otherwise. A table holds
each sentence with numbered slots (``The order is worth {1}; the limit is {2}.``). What is shown is matched against the
table: the sentence with the longest literal text that fits wins, its slots are said again when they are words of ours;
numbers, symbols and foreign text stay. What fits nothing stays English.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from widgets.formats import THIN

_WORD = re.compile(r"[A-Za-z]+")
_SLOT = re.compile(r"\{(\d+)\}")
_BETWEEN = re.compile(r"(?<=[.!?]) +(?=[A-Z0-9])")
_PROSE = re.compile(r"[a-z]{2,}[ ,;:]+[a-z]{2,}")
_DAY = re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_FRAMES = (
    re.compile(r"(?P<aside>[A-Z][A-Z0-9_]*) (?P<core>.*)", re.DOTALL),
    re.compile(r"(?P<aside>[^:]{1,60}): (?P<core>.*)", re.DOTALL),
    re.compile(r"(?P<core>.*) \((?P<aside>[^()]*)\)\.?", re.DOTALL),
)
_DEEPEST = 5
_MOST_PIECES = 12
_STRONG = 10
"""Letters of literal text from which on a sentence is taken for ours, whatever stands in its slots."""


class _Said(NamedTuple):
    letters: int
    """How many characters of the original were recognised."""
    text: str


class _Shape:
    """A sentence with slots; the pattern is compiled when its longest literal part is seen for the first time."""

    __slots__ = ("free", "letters", "longest", "other", "pattern", "source", "word")

    def __init__(self, source: str, other: str) -> None:
        parts = _SLOT.split(source)
        literals = parts[::2]
        self.source, self.other = source, other
        self.longest = max(literals, key=len)
        self.letters = sum(len(part) for part in literals)
        self.free = {parts[i] for i in range(1, len(parts), 2) if parts[i - 1].endswith((": ", "("))}
        self.pattern: re.Pattern[str] | None = None
        whole = [
            word[0] for i, part in enumerate(literals) for word in _WORD.finditer(part) if _inside(literals, i, word)
        ]
        self.word = max(whole, key=len, default="")
        """A word that every text of this shape holds."""

    def match(self, text: str) -> dict[str, str] | None:
        """Return the slots of ``text``, or None when it is another sentence."""
        if self.longest not in text:
            return None
        if self.pattern is None:
            parts = _SLOT.split(self.source)
            made = [re.escape(part) if i % 2 == 0 else f"(?P<s{part}>.*?)" for i, part in enumerate(parts)]
            self.pattern = re.compile("".join(made), re.DOTALL)
        found = self.pattern.fullmatch(text)
        return {name[1:]: value for name, value in found.groupdict().items()} if found else None


class Sentences:
    """The sentences of one language. ``table`` is English to other, ``words`` further texts without slots."""

    def __init__(self, table: Mapping[str, str], words: Mapping[str, str] | None = None) -> None:
        self._words = dict(words or {})
        self._words |= {_bare(source): _bare(other) for source, other in table.items() if not _SLOT.search(source)}
        shapes = [_Shape(_bare(source), _bare(other)) for source, other in table.items() if _SLOT.search(source)]
        self._shapes: dict[str, list[tuple[int, _Shape]]] = {}
        for place, shape in enumerate(sorted(shapes, key=lambda shape: -shape.letters)):
            self._shapes.setdefault(shape.word, []).append((place, shape))
        self.say = lru_cache(maxsize=8192)(self._say)

    def _say(self, text: str) -> str:
        """Say ``text`` in the other language, or return it as it is."""
        lines = text.split("\n")
        if len(lines) > 1:
            return "\n".join(self.say(line) for line in lines)
        core = text.strip()
        said = self._best(core, 0)
        return text.replace(core, said.text, 1) if said is not None else text

    def _best(self, text: str, depth: int) -> _Said | None:
        """Say as much of ``text`` as is known: as one sentence, as several, or as a list."""
        if not text or depth > _DEEPEST:
            return None
        found = [self._whole(text, depth), self._listed(text, depth), self._framed(text, depth)]
        pieces = _BETWEEN.split(text)
        if 1 < len(pieces) <= _MOST_PIECES:
            found.append(self._in_turn(pieces, depth))
        return max((one for one in found if one is not None), key=lambda one: one.letters, default=None)

    def _in_turn(self, pieces: list[str], depth: int) -> _Said | None:
        """Say sentences that follow each other; some in the table are more than one, and those that are not stay."""
        best: list[_Said] = [_Said(0, "")]
        for end in range(1, len(pieces) + 1):
            ways = [_Said(best[end - 1].letters, f"{best[end - 1].text} {pieces[end - 1]}")]
            for start in range(end):
                said = self._whole(" ".join(pieces[start:end]), depth)
                if said is not None:
                    ways.append(_Said(best[start].letters + said.letters, f"{best[start].text} {said.text}"))
            best.append(max(ways, key=lambda way: way.letters))
        return _Said(best[-1].letters, best[-1].text.strip()) if best[-1].letters else None

    def _whole(self, text: str, depth: int) -> _Said | None:
        dot = text.endswith(".") and not text.endswith("..")
        bare = text[:-1] if dot else text
        end = "." if dot else ""
        if (known := self._words.get(text)) is not None:
            return _Said(len(text), known)
        if (known := self._words.get(bare)) is not None:
            return _Said(len(text), known + end)
        words = {"", *_WORD.findall(bare)}
        for _, shape in sorted(found for word in words for found in self._shapes.get(word, ())):
            slots = shape.match(bare)
            if slots is not None and (filled := self._filled(shape, slots, depth)) is not None:
                return _Said(shape.letters + filled[1], filled[0] + end)
        return None

    def _filled(self, shape: _Shape, slots: Mapping[str, str], depth: int) -> tuple[str, int] | None:
        said, known = {}, 0
        for name, value in slots.items():
            inner = self._best(value.strip(), depth + 1)
            if inner is not None:
                known += inner.letters
                said[name] = value.replace(value.strip(), inner.text, 1)
            elif shape.letters < _STRONG and name not in shape.free and _PROSE.search(value):
                return None  # too little of it is ours to take foreign prose for our slots
            else:
                said[name] = self._left(value)
        return _SLOT.sub(lambda slot: said[slot[1]], shape.other), known

    def _framed(self, text: str, depth: int) -> _Said | None:
        """Say what stands behind a code or a name (`DRIFT our …`, `AAPL: the …`) or before a remark in brackets."""
        for frame in _FRAMES:
            found = frame.fullmatch(text)
            core = self._best(found["core"], depth + 1) if found is not None else None
            if found is None or core is None or core.letters < _STRONG:
                continue
            aside = self._best(found["aside"], depth + 1)
            words = aside.text if aside is not None else self._left(found["aside"])
            start, end = sorted((found.span("core"), found.span("aside")))
            first, last = (core.text, words) if found.span("core") == start else (words, core.text)
            said = f"{text[: start[0]]}{first}{text[start[1] : end[0]]}{last}{text[end[1] :]}"
            return _Said(core.letters + (aside.letters if aside is not None else 0), said)
        return None

    def _left(self, value: str) -> str:
        """Return what is no text of ours; a comma in the thousands would be read as a decimal mark, days have names."""
        spaced = _THOUSANDS.sub(lambda number: number[0].replace(",", THIN), value)
        return _DAY.sub(lambda day: self._words.get(day[0], day[0]), spaced)

    def _listed(self, text: str, depth: int) -> _Said | None:
        """Say a list of things of ours, such as "orders, positions"."""
        for between in ("; ", ", ", " · ", " and ", " or "):
            parts = text.split(between)
            if len(parts) > 1:
                said = [self._best(part, depth + 1) for part in parts]
                if all(one is not None for one in said):
                    joint = self._words.get(between.strip(), "")
                    glue = f" {joint} " if joint else between
                    return _Said(
                        sum(one.letters for one in said if one is not None),
                        glue.join(one.text for one in said if one is not None),
                    )
        return None


def _inside(literals: list[str], at: int, word: re.Match[str]) -> bool:
    """Say whether a word cannot run on into the value of a slot beside it."""
    part = literals[at]
    return (at == 0 or word.start() > 0) and (at == len(literals) - 1 or word.end() < len(part))


def _bare(text: str) -> str:
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text
