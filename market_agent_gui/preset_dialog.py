"""Keeping a preset: what orders begin with. A field that is left open is taken from the next preset."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from engine.model.order import OrderType, TimeInForce
from market_agent_gui.dialogs import PlainDialog
from market_agent_gui.presets import check_place
from market_agent_gui.translate import say
from widgets.ticket_draft import AwayIn, SizeIn, TrailIn
from widgets.ticket_preset import NAME, Preset, place_words, read_texts, to_texts
from widgets.ticket_sentence import TIF_WORDS, TYPE_WORDS

_UNITS = {"size": SizeIn, "stop": AwayIn, "target": AwayIn, "trail": TrailIn}


class PresetDialog(PlainDialog):
    kept = Signal(str, object)
    """Where, and the :class:`Preset`."""

    def __init__(self, place: str, preset: Preset, types: Sequence[str] = (), tifs: Sequence[str] = ()) -> None:
        """``place`` is ``name `` for one whose name is asked for. ``types``, ``tifs``: what the broker takes; empty is
        not known, and offers everything."""
        named = place == NAME
        super().__init__(
            say("A preset with a name") if named else say("Preset of {whose}", whose=place_words(place)),
            say("Orders begin with it. What is left open comes from the next preset: name, symbol, kind, all."),
            accept=say("Keep it"),
            reject=say("Leave it"),
        )
        self._place = place
        self.name = QLineEdit()
        self.name.setMaxLength(24)
        if named:
            self.add_field(say("Name"), self.name)
        texts = to_texts(preset)
        open_ = say("left open")
        self.type = self._choice(
            [("", open_), *((kind.value, say(word, "order type")) for kind, word in TYPE_WORDS.items()
                            if not types or kind.value in types)],
            texts.get("type", ""),
        )  # fmt: skip
        self.tif = self._choice(
            [("", open_), *((kind.value, say(word)) for kind, word in TIF_WORDS.items()
                            if kind is not TimeInForce.GTD and (not tifs or kind.value in tifs))],
            texts.get("tif", ""),
        )  # fmt: skip
        self.outside = self._choice([("", open_), ("no", say("no")), ("yes", say("yes"))], texts.get("outside", ""))
        self.add_field(say("Order type"), self.type)
        self.add_field(say("Time in force"), self.tif)
        self.add_field(say("Also outside regular hours"), self.outside)
        self.numbers: dict[str, QLineEdit] = {}
        self.units: dict[str, QComboBox] = {}
        self.titles = {
            "size": say("Size"),
            "stop": say("Stop: distance from the price"),
            "target": say("Target: distance from the price"),
            "trail": say("Trailing distance"),
        }
        for name, title in self.titles.items():
            self.add_field(title, self._number(name, title, texts.get(name, "")))
        self.enter_accepts()

    def _choice(self, choices: Sequence[tuple[str, str]], now: str) -> QComboBox:
        box = QComboBox()
        for value, words in choices:
            box.addItem(words, value)
        box.setCurrentIndex(max(0, box.findData(now)))
        return box

    def _number(self, name: str, title: str, text: str) -> QWidget:
        number, _, unit = text.partition(" ")
        field = QLineEdit(number)
        field.setPlaceholderText(say("left open"))
        box = self._choice([(kind.value, say(kind.value)) for kind in _UNITS[name]], unit)
        self.numbers[name], self.units[name] = field, box
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(field, 1)
        row.addWidget(box)
        line.setFocusProxy(field)
        field.setAccessibleName(title)
        box.setAccessibleName(say("Unit of {field}", field=title))
        return line

    def preset(self) -> Preset:
        """Return what is filled in. Raises ``ValueError`` in words naming the field."""
        texts = {"type": self.type.currentData(), "tif": self.tif.currentData(), "outside": self.outside.currentData()}
        found = {name: text for name, text in texts.items() if text}
        for name, field in self.numbers.items():
            if text := field.text().strip():
                found[name] = f"{text} {self.units[name].currentData()}"
        return read_texts(found)

    def on_accept(self) -> None:
        place = self._place + self.name.text().strip() if self._place == NAME else self._place
        try:
            check_place(place)
            preset = self.preset()
        except ValueError as error:
            self.complain(str(error))
            return
        if preset.empty:
            self.complain(say("Everything is left open: there is nothing to keep."))
            return
        trails = (OrderType.TRAIL, OrderType.TRAIL_LIMIT)
        if preset.trail is not None and preset.order_type is not None and preset.order_type not in trails:
            self.complain(say("A trailing distance belongs to a trailing stop."))
            return
        self.kept.emit(place, preset)
        self.accept()
