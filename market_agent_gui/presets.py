"""The presets of a person: what orders begin with, for all, for a kind of instrument, for a symbol, by name."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from market_agent_gui.preferences import PreferencesFile
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from widgets.ticket_preset import Filling, Preset

_NAME = re.compile(r"\w[\w .+\-]{0,23}")
_SYMBOL = re.compile(r"[^\s]{1,24}")


def check_place(place: str) -> None:
    """Raise ``ValueError`` in words where no preset can be kept."""
    from widgets.ticket_preset import ALL, KIND, KIND_WORDS, NAME, SYMBOL

    if place.startswith(NAME):
        name = place.removeprefix(NAME)
        if not _NAME.fullmatch(name) or name != name.strip():
            raise ValueError(
                say("{name} is no name: letters, digits, spaces, dots, plus and dashes, at most 24", name=repr(name))
            )
    elif place.startswith(SYMBOL):
        if not _SYMBOL.fullmatch(place.removeprefix(SYMBOL)):
            raise ValueError(say("{name} is no symbol", name=repr(place.removeprefix(SYMBOL))))
    elif place != ALL and not (place.startswith(KIND) and place.removeprefix(KIND) in KIND_WORDS):
        raise ValueError(say("there is no place {place} for a preset", place=repr(place)))


class Presets(QObject):
    """Read once, written on change into the window's choices. What cannot be read is named, kept as it is, and not
    used."""

    changed = Signal()

    def __init__(self, preferences: PreferencesFile, kind: Callable[[str], str], parent: QObject | None = None) -> None:
        """``kind`` returns the kind of instrument a symbol is, empty while unknown."""
        super().__init__(parent)
        self._preferences, self._kind = preferences, kind
        self._types: tuple[str, ...] = ()
        self._tifs: tuple[str, ...] = ()
        self._bad: dict[str, object] = {}
        self._kept: dict[str, Preset] = {}
        if preferences.now.presets != {}:
            self._read(preferences.now.presets)

    def _read(self, stored: object) -> None:
        from widgets.ticket_preset import read_texts

        if not isinstance(stored, dict):
            self._preferences.complain(say("presets in window.json are not a table; there are none"))
            return
        for place, raw in stored.items():
            try:
                check_place(place)
                self._kept[place] = read_texts(raw)
            except ValueError as error:
                self._bad[place] = raw
                text = say("the preset {place} in window.json is not used: {reason}", place=repr(place), reason=error)
                self._preferences.complain(text)

    # --- what there is

    def get(self, place: str) -> "Preset | None":
        return self._kept.get(place)

    def places(self) -> list[str]:
        """Return where presets are kept: for all, kinds, symbols, names."""
        from widgets.ticket_preset import KIND, NAME, SYMBOL

        rank = {KIND: 1, SYMBOL: 2, NAME: 3}

        def order(place: str) -> tuple[int, str]:
            return next((n for start, n in rank.items() if place.startswith(start)), 0), place.casefold()

        return sorted(self._kept, key=order)

    def names(self) -> list[str]:
        """Return the names of presets that have one."""
        from widgets.ticket_preset import NAME

        return [place.removeprefix(NAME) for place in self.places() if place.startswith(NAME)]

    def kind(self, symbol: str) -> str:
        """Return the kind of instrument, empty while unknown."""
        return self._kind(symbol)

    def offer(self, types: Sequence[str], tifs: Sequence[str]) -> bool:
        """Take what the broker in use offers; say whether that is news."""
        news = (tuple(types), tuple(tifs)) != (self._types, self._tifs)
        self._types, self._tifs = tuple(types), tuple(tifs)
        return news

    @property
    def offered(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Order types and times in force that the broker takes; empty while unknown."""
        return self._types, self._tifs

    def filling(self, symbol: str, name: str = "") -> "Filling":
        """Return what an order on ``symbol`` begins with; ``name``: a preset that comes before its own.

        Raises ``ValueError`` in words where there is no preset of that name.
        """
        from widgets.ticket_preset import ALL, KIND, NAME, SYMBOL, join

        if name and NAME + name not in self._kept:
            raise ValueError(say("there is no preset “{name}”", name=name))
        nearest = ((NAME + name) if name else "", SYMBOL + symbol, KIND + self._kind(symbol), ALL)
        found = [(place, self._kept[place]) for place in nearest if place in self._kept]
        return join(found, self._types, self._tifs)

    def needs_range(self, symbol: str) -> bool:
        """Whether a preset that may fill an order on ``symbol`` reckons with the average range."""
        from widgets.ticket_draft import AwayIn
        from widgets.ticket_preset import ALL, KIND, NAME, SYMBOL

        mine = (SYMBOL + symbol, KIND + self._kind(symbol), ALL)
        used = [preset for place, preset in self._kept.items() if place in mine or place.startswith(NAME)]
        aways = [away for preset in used for away in (preset.stop, preset.target) if away is not None]
        return any(away.unit is AwayIn.ATR for away in aways)

    # --- changes

    def keep(self, place: str, preset: "Preset") -> None:
        """Keep a preset, or none where it says nothing. Raises ``ValueError`` in words, and ``OSError``."""
        check_place(place)
        if preset.empty:
            self._kept.pop(place, None)
        else:
            self._kept[place] = preset
        self._bad.pop(place, None)
        self._write()

    def forget(self, place: str) -> None:
        """Keep it no longer. Raises ``OSError``; it is gone until the end anyway."""
        self._kept.pop(place, None)
        self._bad.pop(place, None)
        self._write()

    def stored(self) -> dict[str, dict[str, str]]:
        """Return what is in use as it is written."""
        from widgets.ticket_preset import to_texts

        return {place: to_texts(self._kept[place]) for place in self.places()}

    def take(self, stored: object) -> tuple[list[str], list[str], list[str]]:
        """Take presets of a file where there are none yet; return places taken, places kept as they were, and faults.

        Raises ``OSError`` when they cannot be written.
        """
        from widgets.ticket_preset import read_texts

        taken: list[str] = []
        kept: list[str] = []
        faults: list[str] = []
        if not isinstance(stored, dict):
            return taken, kept, [say("presets: not a table")]
        for place, raw in stored.items():
            try:
                check_place(place)
                preset = read_texts(raw)
            except ValueError as error:
                faults.append(f"{place}: {error}")
                continue
            if place not in self._kept:
                self._kept[place] = preset
                taken.append(place)
            elif self._kept[place] != preset:
                kept.append(place)
        if taken:
            self._write()
        return taken, kept, faults

    def digest(self) -> str:
        """Return a short hash of what is in use."""
        return hashlib.sha256(json.dumps(self.stored(), sort_keys=True).encode()).hexdigest()[:16]

    def _write(self) -> None:
        try:
            self._preferences.change(presets={**self._bad, **self.stored()})
        finally:
            self.changed.emit()
