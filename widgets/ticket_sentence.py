"""The sentence of the ticket: *BUY 100 AAPL at 190.10 limit, day, stop 187.90, target 194.00*, every part editable."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from engine.model.market import Side
from engine.model.order import OrderType, TimeInForce
from widgets import formats
from widgets.ticket_draft import Draft, SizeIn, TrailIn, may_have
from widgets.ticket_extras import (
    SHOWN,
    Algo,
    ParamTokens,
    PlainToken,
    moment_text,
    read_moment,
    usual_moment,
    work_choices,
    zone_word,
)
from widgets.tokens import ChoiceToken, NumberToken, Sentence, TextToken, Word
from widgets.words import tr

TYPE_WORDS = {
    OrderType.LIMIT: "limit",
    OrderType.MARKET: "market",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop limit",
    OrderType.TRAIL: "trailing stop",
    OrderType.TRAIL_LIMIT: "trailing stop limit",
    OrderType.MARKET_ON_CLOSE: "market on close",
    OrderType.LIMIT_ON_CLOSE: "limit on close",
    OrderType.MARKET_ON_OPEN: "market on open",
    OrderType.LIMIT_ON_OPEN: "limit on open",
    OrderType.RELATIVE: "relative",
    OrderType.MIDPRICE: "midprice",
}
TIF_WORDS = {
    TimeInForce.DAY: "day",
    TimeInForce.GTC: "until cancelled",
    TimeInForce.GTD: "until",
    TimeInForce.IOC: "now or never",
    TimeInForce.FOK: "all now or never",
    TimeInForce.OPG: "at the open",
}


class TicketSentence(Sentence):
    """Shows a draft and reads it back."""

    edited = Signal()
    symbol_done = Signal(str)

    def __init__(self, tick: Callable[[], Decimal], parent: QWidget | None = None) -> None:
        """``tick`` returns the step of the price fields."""
        super().__init__(parent)
        self._types: tuple[OrderType, ...] = tuple(TYPE_WORDS)
        self._tifs: tuple[TimeInForce, ...] = tuple(TIF_WORDS)
        self._algos: tuple[Algo, ...] = ()
        self.side = ChoiceToken("", [("BUY", "")], bold=True)
        self.size_field = NumberToken(lambda: Decimal(1))
        self.size_in = ChoiceToken("", [(SizeIn.SHARES.value, "")])
        self.shares = Word(role="t2")
        self.symbol = TextToken()
        self._at, self._then, self._by, self._showing = Word(), Word(), Word(), Word()
        self.trigger, self.limit, self.trail = NumberToken(tick), NumberToken(tick), NumberToken(tick)
        self.type = ChoiceToken("", [(OrderType.LIMIT.value, "")])
        self.tif = ChoiceToken("", [(TimeInForce.DAY.value, "")])
        self.trail_in = ChoiceToken("", [(TrailIn.MONEY.value, "")])
        self.until = PlainToken("", "2026-11-24 16:00")
        self._zone = Word(zone_word(), role="t2")
        self.work = ChoiceToken("", [("", "")])
        self.display = NumberToken(lambda: Decimal(1))
        self._now_ns: Callable[[], int] = lambda: 0
        self._stop, self.stop = Word(), NumberToken(tick)
        self._target, self.target = Word(), NumberToken(tick)
        self.add(self.side)
        self.add(self.size_field, self.size_in)
        self.add(self.shares)
        self.add(self.symbol)
        self.add(self._at, self.trigger)
        self.add(self._then, self.limit)
        self.add(self._by, self.trail, self.trail_in)
        self.add(self.type)
        self.add(self.tif, self.until, self._zone)
        self.add(self._stop, self.stop)
        self.add(self._target, self.target)
        self.add(self.work)
        self.add(self._showing, self.display)
        self.params = ParamTokens(self, self.edited)
        self._fields = {
            "size": self.size_field,
            "limit": self.limit,
            "trigger": self.trigger,
            "trail": self.trail,
            "stop": self.stop,
            "target": self.target,
            "display": self.display,
        }
        for number in self._fields.values():
            number.changed.connect(self.edited)
        self.until.changed.connect(self.edited)
        self.tif.changed.connect(self._on_tif)
        self.work.changed.connect(lambda _: self.params.show(self._algo(), {}))
        for choice in (self.side, self.size_in, self.type, self.tif, self.trail_in, self.work):
            choice.changed.connect(lambda _: self.edited.emit())
        self.symbol.changed.connect(self.edited)
        self.symbol.editingFinished.connect(self._on_symbol_done)
        self.say()

    def say(self) -> None:
        """Say every part in the language of the moment."""
        self.side.say(tr("Side"), [("BUY", tr("BUY")), ("SELL", tr("SELL"))])
        self.size_field.say(tr("Size"), tr("size"))
        self.size_in.say(tr("Size in"), [(kind.value, tr(kind.value)) for kind in SizeIn])
        self.symbol.say(tr("Symbol"), tr("symbol"))
        self._at.say(tr("at"))
        self.trigger.say(tr("Trigger price"), tr("price"))
        self.limit.say(tr("Limit price"), tr("price"))
        self._by.say(tr("by"))
        self.trail.say(tr("Trailing amount"), tr("amount"))
        self.trail_in.say(tr("Trailing in"), [(kind.value, tr(kind.value)) for kind in TrailIn])
        self.until.setAccessibleName(tr("Good till"))
        self._showing.say(tr("showing"))
        self.display.say(tr("Shown part"), tr("part"))
        self._stop.say(tr("stop"))
        self.stop.say(tr("Stop"), tr("none"))
        self._target.say(tr("target"))
        self.target.say(tr("Target"), tr("none"))
        self.params.say()
        self._say_offer()

    def _say_offer(self) -> None:
        self.type.say(tr("Order type"), [(kind.value, tr(TYPE_WORDS[kind], "order type")) for kind in self._types])
        self.tif.say(tr("Time in force"), [(kind.value, tr(TIF_WORDS[kind])) for kind in self._tifs])
        self.work.say(tr("How it is worked"), work_choices(self._algos))

    def offer(self, types: Sequence[str], tifs: Sequence[str], algos: Sequence[Algo]) -> None:
        """Offer what the broker and the engine can do, nothing else."""
        self._algos = tuple(algos)
        self._types = tuple(kind for kind in TYPE_WORDS if kind.value in types)
        self._tifs = tuple(kind for kind in TIF_WORDS if kind.value in tifs)
        self._say_offer()

    def set_time(self, now_ns: Callable[[], int]) -> None:
        """Take the market's time: a date one starts from is reckoned from it."""
        self._now_ns = now_ns

    def _algo(self) -> Algo | None:
        return next((algo for algo in self._algos if algo.name == self.work.value), None)

    def _on_tif(self, choice: str) -> None:
        if choice == TimeInForce.GTD.value and not self.until.text() and self._now_ns():
            self.until.put(moment_text(usual_moment(self._now_ns())))

    def _on_symbol_done(self) -> None:
        if self.symbol.value:
            self.symbol_done.emit(self.symbol.value)

    def fill(self, draft: Draft) -> None:
        """Show a draft without saying that anything was edited."""
        self._show_side(draft.side)
        self.size_field.put(draft.size)
        self.size_in.put(draft.size_in.value)
        self.symbol.put(draft.symbol)
        self.type.put(draft.order_type.value)
        self.tif.put(draft.tif.value)
        for name in ("limit", "trigger", "trail", "stop", "target", "display"):
            self._fields[name].put(getattr(draft, name))
        self.trail_in.put(draft.trail_in.value)
        self.until.put("" if draft.good_till is None else moment_text(draft.good_till))
        self.work.put(draft.work)
        self.params.show(self._algo(), dict(draft.algo_params))

    def fill_legs(self, draft: Draft) -> None:
        """Show stop and target of a draft where they are others now; what is being typed is left alone."""
        for name in ("stop", "target"):
            if self._fields[name].value != getattr(draft, name):
                self._fields[name].put(getattr(draft, name))

    def _show_side(self, side: Side) -> None:
        self.side.put(side.value, "up" if side is Side.BUY else "down")

    def read(self, draft: Draft) -> Draft:
        """Return the draft as it was edited."""
        side = Side(self.side.value)
        self._show_side(side)
        return replace(
            draft,
            side=side,
            size=self.size_field.value,
            size_in=SizeIn(self.size_in.value),
            symbol=self.symbol.value,
            order_type=OrderType(self.type.value),
            limit=self.limit.value,
            trigger=self.trigger.value,
            trail=self.trail.value,
            trail_in=TrailIn(self.trail_in.value),
            tif=TimeInForce(self.tif.value),
            good_till=read_moment(self.until.text()),
            display=self.display.value,
            work=self.work.value,
            algo_params=self.params.values(),
            stop=self.stop.value,
            target=self.target.value,
        )

    def readable(self, draft: Draft) -> bool:
        """Say whether every number that counts is a number or empty."""
        has = (*may_have(draft.order_type), "size", "stop", "target", *(("display",) if draft.work == SHOWN else ()))
        return all(self._fields[name].readable for name in has)

    def show_draft(self, draft: Draft, size: Decimal | None, wrong: dict[str, str]) -> None:
        """Show the fields the order type has, the reckoned size, and what is wrong by field."""
        has = may_have(draft.order_type)
        for name, word in (("trigger", self._at), ("limit", self._then), ("trail", self._by)):
            self._fields[name].setVisible(name in has)
            word.setVisible(name in has)
        self.trail_in.setVisible("trail" in has)
        for part in (self.until, self._zone):
            part.setVisible(draft.tif is TimeInForce.GTD)
        for part in (self._showing, self.display):
            part.setVisible(draft.work == SHOWN)
        self.until.mark(wrong.get("good_till", "") if self.until.text() else "")
        self.params.mark(wrong)
        self._then.say(tr("limit") if "trigger" in has else tr("at"))
        reckoned = draft.size_in is not SizeIn.SHARES
        self.shares.setVisible(reckoned)
        self.shares.say(tr("= {n} shares", n=formats.quantity(size)) if reckoned else "")
        for name, field in self._fields.items():
            untouched = field.readable and not field.text()
            bad = wrong.get(name, "") if field.readable else tr("Not a positive number.")
            field.mark("" if untouched else bad)
        self.symbol.mark(wrong.get("symbol", ""))
        self.arrange()
