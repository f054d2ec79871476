"""The strategies of a profile: ours, those of packages, and the person's own, which win over both.

What cannot be read is off. Another strategy never takes its place: the person who replaced ours wanted something else
than ours, and what that was is not known.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from engine.scoring.technical.expression import Indicators
from engine.scoring.technical.faults import Fault, StrategyError
from engine.scoring.technical.load import CompiledStrategy, parse_strategy, read_text

SUFFIX = ".yaml"


class Origin(StrEnum):
    """Whose strategy it is."""

    SHIPPED = "shipped"
    PACKAGE = "package"
    OWN = "own"


@dataclass(frozen=True)
class Offered:
    """A strategy text of an installed package."""

    id: str
    package: str
    text: str
    fault: str = ""
    """Why there is no text."""


@dataclass(frozen=True)
class Entry:
    """One strategy by name: its text, and what it says or what is wrong with it."""

    id: str
    origin: Origin
    place: str
    """The file, or the package."""
    text: str
    compiled: CompiledStrategy | None
    faults: tuple[Fault, ...] = ()
    original: str | None = None
    """The text that an own one stands in front of."""

    @property
    def hash(self) -> str:
        return content_hash(self.text)


def content_hash(text: str) -> str:
    """SHA-256 of a text as it stands in the file."""
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()


@dataclass(frozen=True)
class Reader:
    """Reads strategies with the indicators and features that rules may use."""

    indicators: Indicators
    features: frozenset[str]

    def compile(self, name: str, text: str) -> CompiledStrategy:
        """Read a text. Raises :class:`StrategyError` with every fault."""
        return parse_strategy(name, text, self.indicators, self.features)

    def library(self, shipped: Path, own: Path, offered: Iterable[Offered] = ()) -> dict[str, Entry]:
        """Read everything, by name, in order of name. Never raises for what a file holds: that is the entry's fault."""
        found: dict[str, Entry] = {path.stem: self._file(path, Origin.SHIPPED) for path in _files(shipped)}
        for offer in offered:
            before = found.get(offer.id)
            if before is None:
                found[offer.id] = self._offered(offer)
            elif before.origin is Origin.PACKAGE:
                fault = Fault(0, "", f"Two packages offer it: {before.place} and {offer.package}.")
                found[offer.id] = Entry(offer.id, Origin.PACKAGE, before.place, before.text, None, (fault,))
        for path in _files(own):
            original = found.get(path.stem)
            found[path.stem] = self._file(path, Origin.OWN, original.text if original is not None else None)
        return dict(sorted(found.items()))

    def entry(self, name: str, origin: Origin, place: str, text: str, original: str | None = None) -> Entry:
        """Read one text that is to be known as ``name``."""
        try:
            compiled = self.compile(place, text)
        except StrategyError as error:
            return Entry(name, origin, place, text, None, error.faults, original)
        if compiled.strategy.id != name:
            fault = Fault(1, "id", f"is {compiled.strategy.id}, but the file is called {name}{SUFFIX}")
            return Entry(name, origin, place, text, None, (fault,), original)
        return Entry(name, origin, place, text, compiled, (), original)

    def _offered(self, offer: Offered) -> Entry:
        """A package's text is off until a person switches it on, which keeps it as their own."""
        if offer.fault:
            return Entry(offer.id, Origin.PACKAGE, offer.package, "", None, (Fault(0, "", offer.fault),))
        entry = self.entry(offer.id, Origin.PACKAGE, offer.package, offer.text)
        if entry.compiled is None:
            return entry
        off = entry.compiled.strategy.model_copy(update={"enabled": False})
        return replace(entry, compiled=replace(entry.compiled, strategy=off))

    def _file(self, path: Path, origin: Origin, original: str | None = None) -> Entry:
        try:
            text = read_text(path)
        except StrategyError as error:
            return Entry(path.stem, origin, str(path), "", None, error.faults, original)
        return self.entry(path.stem, origin, str(path), text, original)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file() and not path.name.startswith("."))


def usable(entries: Mapping[str, Entry]) -> dict[str, CompiledStrategy]:
    """The strategies that can be used, by name."""
    return {name: entry.compiled for name, entry in entries.items() if entry.compiled is not None}


def switched(text: str, on: bool) -> str:
    """The text with ``enabled`` set; every other line, comments too, stays as it is. For a text that was read."""
    lines = text.splitlines(keepends=True)
    wanted = "enabled:" + (" true\n" if on else " false\n")
    for number, line in enumerate(lines):
        if line.startswith("enabled:"):
            lines[number] = wanted
            return "".join(lines)
    place = next((n for n, line in enumerate(lines) if line.startswith("id:")), -1) + 1
    return "".join([*lines[:place], wanted, *lines[place:]])
