"""Which strategies there are, and what one of them would have said on the bars that are known."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from widgets import formats
from widgets.row_model import Column, RowModel
from widgets.row_table import RowTable
from widgets.words import keep_said, tr


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRow:
    """``key`` is the strategy's name. ``state``: on, off, broken, new."""

    key: str
    title: str
    state: str
    horizon: str
    origin: str
    signals: int | None
    edited: bool = False
    about: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """Signals of one symbol; ``last`` are dates, newest first."""

    key: str
    bars: int
    long: int
    short: int
    entries: int
    last: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """How often one rule held: of ``known`` bars ``held``."""

    key: str
    side: str
    part: str
    text: str
    held: int
    known: int


_MARKS = {"on": "ok", "broken": "bad", "off": "off", "new": "held"}
_ROLES = {"on": "t1", "broken": "danger", "off": "t3", "new": "focus"}


def _state_word(state: str) -> str:
    return {"on": tr("on"), "off": tr("off"), "broken": tr("broken"), "new": tr("not saved")}[state]


def _origin_word(origin: str) -> str:
    words = {"own": tr("yours"), "shipped": tr("as it came"), "package": tr("of a package"), "": ""}
    return words.get(origin, origin)


def _horizon_word(horizon: str) -> str:
    return {"day": tr("day"), "swing": tr("swing"), "long": tr("long", "horizon")}.get(horizon, horizon)


def _share(row: RuleRow) -> float | None:
    return 100.0 * row.held / row.known if row.known else None


def _word_column(name: str, title: str, word: Callable[[StrategyRow], str], width_for: str) -> Column:
    return Column(id=name, title=title, format=word, align="left", colour=lambda r: "t2", width_for=width_for)


STRATEGY_COLUMNS = (
    Column(
        id="name",
        title="Strategy",
        format=lambda r: f"{r.key} •" if r.edited else r.key,
        sort=lambda r: r.key,
        align="left",
        weight=600,
        colour=lambda r: _ROLES[r.state],
        stretch=True,
        width_for="swing_trading",
        tooltip=lambda r: "\n".join(part for part in (r.title, r.about, r.place) if part),
    ),
    Column(
        id="state",
        title="State",
        format=lambda r: _state_word(r.state),
        align="left",
        colour=lambda r: _ROLES[r.state],
        mark=lambda r: _MARKS[r.state],
        width_for="broken",
    ),
    _word_column("horizon", "Horizon", lambda r: _horizon_word(r.horizon), "swing"),
    _word_column("origin", "File", lambda r: _origin_word(r.origin), "as it came"),
    Column(
        id="signals",
        title="Signals",
        format=lambda r: formats.MISSING if r.signals is None else str(r.signals),
        sort=lambda r: r.signals or 0,
        plain=lambda r: r.signals,
        width_for="1 000",
        about="Entries it has called for since the engine started",
    ),
)
SIGNAL_COLUMNS = (
    Column(id="symbol", title="Symbol", format=lambda r: r.key, align="left", weight=600, width_for="BRK.B"),
    Column(id="long", title="Long", format=lambda r: str(r.long), sort=lambda r: r.long, plain=lambda r: r.long),
    Column(id="short", title="Short", format=lambda r: str(r.short), sort=lambda r: r.short, plain=lambda r: r.short),
    Column(
        id="entries",
        title="After pauses",
        format=lambda r: str(r.entries),
        sort=lambda r: r.entries,
        plain=lambda r: r.entries,
        about="Signals that the pause between entries leaves",
    ),
    Column(id="bars", title="Bars", format=lambda r: str(r.bars), sort=lambda r: r.bars, colour=lambda r: "t2"),
    Column(
        id="last",
        title="The last ones",
        format=lambda r: " · ".join(r.last),
        align="left",
        colour=lambda r: "t2",
        stretch=True,
        width_for="11-20 15:55 long",
        tooltip=lambda r: "\n".join(r.last),
    ),
)
RULE_COLUMNS = (
    Column(
        id="side",
        title="Side",
        format=lambda r: tr("long") if r.side == "long" else tr("short"),
        align="left",
        colour=lambda r: "up" if r.side == "long" else "down",
        width_for="short",
    ),
    Column(id="part", title="Part", format=lambda r: r.part, align="left", colour=lambda r: "t2", width_for="enter"),
    Column(
        id="rule",
        title="Rule",
        format=lambda r: r.text,
        align="left",
        stretch=True,
        width_for="macd(12, 26, 9).histogram",
        tooltip=lambda r: r.text,
    ),
    Column(
        id="held", title="Bars it held", format=lambda r: str(r.held), sort=lambda r: r.held, plain=lambda r: r.held
    ),
    Column(id="known", title="Of bars", format=lambda r: str(r.known), sort=lambda r: r.known, colour=lambda r: "t2"),
    Column(
        id="share",
        title="Share %",
        format=lambda r: formats.number(_share(r), 1),
        sort=_share,
        plain=_share,
        width_for="100.0",
    ),
)


class StrategyTable(RowTable):
    """The strategies; the chosen one is edited."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(RowModel(STRATEGY_COLUMNS, sort_by="name"), "Strategies", parent=parent)
        self.flash = False
        keep_said(self, lambda: self.say(tr("Strategies"), (tr("No strategy"), tr("The engine has not told any yet"))))


class SignalTable(RowTable):
    """What a try found, a row a symbol."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(RowModel(SIGNAL_COLUMNS, sort_by="entries", descending=True), "Signals", parent=parent)
        self.flash = False
        words = tr("Try it: the engine counts signals on the bars it holds")
        keep_said(self, lambda: self.say(tr("Signals"), (tr("No signals"), words)))


class RuleTable(RowTable):
    """What a try found, a row a rule, in the order of the file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(RowModel(RULE_COLUMNS), "Rules", parent=parent)
        self.flash = False
        keep_said(self, lambda: self.say(tr("Rules"), (tr("No rules"), "")))
