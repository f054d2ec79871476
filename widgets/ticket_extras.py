"""Parts of the ticket's sentence that few orders have: a date, a shown part, an algorithm with its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QLineEdit

from widgets.cells import NEW_YORK, zone_label
from widgets.theme import current_theme, dress
from widgets.tokens import ChoiceToken, Sentence, Word, field_style
from widgets.words import tr

SHOWN = "display"
"""In the choice of how an order is worked: whole at the broker, shown in part."""
_PIXELS = 15
_FORMAT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoParam:
    """One parameter of an algorithm; without a ``default`` it may be left out."""

    name: str
    title: str
    about: str = ""
    default: str = ""
    least: Decimal = Decimal(0)
    most: Decimal = Decimal("1e9")
    choices: tuple[str, ...] = ()

    def wrong(self, text: str) -> str:
        """Say what is wrong with a value, in one sentence; empty when it can be sent."""
        if not text:
            return "" if not self.default else tr("{name}: a value is needed.", name=tr(self.title))
        if self.choices:
            return "" if text in self.choices else tr("{name}: choose one of {words}.", name=tr(self.title),
                                                      words=", ".join(self.choices))  # fmt: skip
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if value.is_finite() and self.least <= value <= self.most:
            return ""
        return tr("{name} must be from {least} to {most}.", name=tr(self.title), least=self.least, most=self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Algo:
    """A way to work an order, as the engine tells it."""

    name: str
    title: str
    params: tuple[AlgoParam, ...] = ()


def moment_text(at_ns: int, zone: str = NEW_YORK) -> str:
    """Return a moment as one types it: ``2026-11-24 16:00`` in ``zone``."""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(ZoneInfo(zone)).strftime(_FORMAT)


def read_moment(text: str, zone: str = NEW_YORK) -> int | None:
    """Return UTC ns of what was typed; None when it is no date and time, or one that the clocks skip."""
    try:
        local = datetime.strptime(text.strip(), _FORMAT).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    whole = int(local.timestamp()) * 10**9
    return whole if moment_text(whole, zone) == local.strftime(_FORMAT) else None


def usual_moment(now_ns: int, zone: str = NEW_YORK) -> int:
    """Return 16:00 a month from now, the date one starts from."""
    day = datetime.fromtimestamp(now_ns // 10**9, UTC).astimezone(ZoneInfo(zone)) + timedelta(days=30)
    return int(day.replace(hour=16, minute=0, second=0, microsecond=0).timestamp()) * 10**9


class PlainToken(QLineEdit):
    """Text as it is typed, as wide as it is long."""

    changed = Signal()

    def __init__(self, name: str, empty: str = "") -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setPlaceholderText(empty)
        self.setMaxLength(24)
        self.textEdited.connect(lambda _: self.changed.emit())
        self.textChanged.connect(lambda _: self._fit())
        self.style_now()

    def put(self, text: str) -> None:
        """Show a text without saying that it changed."""
        if self.text() != text:
            self.setText(text)

    def mark(self, problem: str) -> None:
        """Underline in red with the reason as tool tip; an empty reason clears it."""
        if self.property("invalid") != bool(problem):
            self.setProperty("invalid", bool(problem))
            self.style_now()
        self.setToolTip(problem)
        self.setAccessibleDescription(problem)

    def style_now(self) -> None:
        """Take fonts and colours of the current theme."""
        theme = current_theme()
        dress(self, field_style(theme, "QLineEdit", theme.danger if self.property("invalid") else theme.t3))
        self._fit()

    def _fit(self) -> None:
        theme = current_theme()
        font = self.font()
        font.setPixelSize(theme.px(_PIXELS))
        font.setWeight(font.Weight.DemiBold)
        width = QFontMetricsF(font).horizontalAdvance(self.text() or self.placeholderText())
        self.setFixedSize(max(theme.px(28), round(width) + theme.px(14)), theme.px(24))
        parent = self.parentWidget()
        if isinstance(parent, Sentence):
            parent.arrange()


class ParamTokens:
    """The parameters of one algorithm as parts of a sentence; made anew when another is chosen."""

    def __init__(self, sentence: Sentence, changed: Signal) -> None:
        self._sentence, self._changed = sentence, changed
        self._algo: Algo | None = None
        self._tokens: dict[str, PlainToken | ChoiceToken] = {}
        self._parts: list[Word | PlainToken | ChoiceToken] = []

    def show(self, algo: Algo | None, values: Mapping[str, str]) -> None:
        """Show the parameters of ``algo`` with ``values``, the defaults where there are none."""
        if algo is not self._algo:
            self._sentence.remove(*self._parts)
            self._algo, self._tokens, self._parts = algo, {}, []
            for param in algo.params if algo is not None else ():
                self._add(param)
        for param in algo.params if algo is not None else ():
            token, value = self._tokens[param.name], values.get(param.name, param.default)
            token.put(value)

    def say(self) -> None:
        """Say the parameters in the language of the moment; what was filled in stays."""
        algo = self._algo
        kept = {name: t.value if isinstance(t, ChoiceToken) else t.text() for name, t in self._tokens.items()}
        self.show(None, {})
        self.show(algo, kept)

    def _add(self, param: AlgoParam) -> None:
        word = Word(tr(param.title).lower(), role="t2")
        token: PlainToken | ChoiceToken
        if param.choices:
            token = ChoiceToken(tr(param.title), [(choice, tr(choice)) for choice in param.choices])
            token.changed.connect(lambda _: self._changed.emit())
        else:
            token = PlainToken(tr(param.title), tr("none"))
            token.changed.connect(self._changed)
        token.setToolTip(tr(param.about))
        self._tokens[param.name] = token
        self._parts += [word, token]
        self._sentence.add(word, token)

    def values(self) -> tuple[tuple[str, str], ...]:
        """Return (name, text) of every parameter that is filled in."""
        read = {
            name: token.value if isinstance(token, ChoiceToken) else token.text().strip().replace(",", ".")
            for name, token in self._tokens.items()
        }
        return tuple((name, text) for name, text in read.items() if text)

    def mark(self, wrong: Mapping[str, str]) -> None:
        """Underline what is wrong, by parameter."""
        for name, token in self._tokens.items():
            if isinstance(token, PlainToken):
                token.mark(wrong.get(f"algo.{name}", ""))


def zone_word() -> str:
    return zone_label(NEW_YORK)


def work_choices(algos: Sequence[Algo]) -> list[tuple[str, str]]:
    """Return the ways to work an order, (id, words)."""
    return [("", tr("sent whole")), (SHOWN, tr("shown in part")), *((algo.name, tr(algo.title)) for algo in algos)]
