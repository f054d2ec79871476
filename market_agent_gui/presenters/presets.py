"""Presets at work: they begin orders by key and in the ticket, and have actions, a menu and a place in files."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu

from engine.model.market import Side
from market_agent_gui.actions import PRESET_BUY, PRESET_SELL
from market_agent_gui.commander import Refusal
from market_agent_gui.keys.beginning import Begun, fill
from market_agent_gui.keys.staging import stage
from market_agent_gui.mirror import Price
from market_agent_gui.presenters.around import around_of
from market_agent_gui.presenters.ranges import Ranges
from market_agent_gui.presets import Presets
from market_agent_gui.translate import say

if TYPE_CHECKING:
    from market_agent_gui.shell import Shell
    from widgets.order_ticket import OrderTicket
    from widgets.ticket_draft import Draft


class PresetsPresenter(QObject):
    """Owns what :class:`Presets` keeps on behalf of keys and ticket."""

    def __init__(self, shell: "Shell") -> None:
        super().__init__(shell)
        self._shell = shell
        self._mirror = shell.bridge.mirror
        self.presets = Presets(shell.preferences, self._kind, self)
        self.ranges = Ranges(shell.bridge, self)
        self._named: set[str] = set()
        self._ticket: OrderTicket | None = None
        shell.entry.begins = self.begin
        self._shown = ("", "")
        """Symbol that the ticket began with, and what kind it was taken for: a broker may tell that late."""
        shell.links.changed.connect(lambda _pane, symbol: self._look(symbol))
        shell.bridge.rows_changed.connect(self._on_rows)
        self.presets.changed.connect(self._on_changed)
        shell.commander.register("edit_presets", self._open_menu)
        self._register()

    def _kind(self, symbol: str) -> str:
        return str(getattr(self._mirror.rows("quotes").get(symbol), "kind", ""))

    def _on_rows(self, table: str, _rows: object, _removed: object, _reset: bool) -> None:
        if table != "quotes":
            return
        symbol, kind = self._shown
        self._look(self._shell.symbol())
        if symbol and kind != self._kind(symbol) and self._ticket is not None:
            self._ticket.renew()

    def _look(self, symbol: str) -> None:
        """Ask for the average range where a preset reckons with it, before it is wanted."""
        if symbol and self.ranges.get(symbol) is None and self.presets.needs_range(symbol):
            self.ranges.ask(symbol)

    # --- orders

    def begin(
        self,
        intent: str,
        side: Side,
        price: Price,
        size: Decimal,
        preset: str = "",
        *,
        priced: bool = False,
        most: Decimal | None = None,
    ) -> Begun:
        """Return what staging makes. Raises ``ValueError`` in words."""
        plain = stage(intent, side, price, size)
        filling = self.presets.filling(price.symbol, preset)
        around = around_of(self._mirror, price.symbol, atr=self.ranges.get(price.symbol))
        if self.presets.needs_range(price.symbol):
            self.ranges.ask(price.symbol)  # for the next order: this one has the answer of the last question
        return fill(plain, filling, around, priced=priced, most=most)

    def begin_draft(self, draft: "Draft", sized: bool = True) -> "Draft":
        """Return the draft of the ticket with the presets of its symbol."""
        from widgets.ticket_preset import begin

        self._shown = (draft.symbol, self._kind(draft.symbol))
        return begin(draft, self.presets.filling(draft.symbol), sized=sized) if draft.symbol else draft

    # --- the ticket

    def attach(self, ticket: "OrderTicket") -> None:
        """Let the ticket begin with presets, and fill its menu."""
        self._ticket = ticket
        ticket.set_begin(self.begin_draft)
        ticket.bar.menu.aboutToShow.connect(lambda: self._fill(ticket.bar.menu))

    def offer(self, types: tuple[str, ...], tifs: tuple[str, ...]) -> None:
        """The broker in use has told what it takes."""
        if self.presets.offer(types, tifs) and self._ticket is not None:
            self._ticket.renew()

    def _open_menu(self) -> None:
        if self._ticket is None:
            raise Refusal(say("There is no order ticket yet"))
        self._shell.window.show_dock("ticket")
        self._ticket.bar.preset.setFocus()
        menu, button = self._ticket.bar.menu, self._ticket.bar.preset
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _fill(self, menu: QMenu) -> None:
        from widgets.ticket_preset import ALL, KIND, NAME, SYMBOL, place_words

        menu.clear()
        for sub in menu.findChildren(QMenu):
            sub.deleteLater()
        presets, symbol = self.presets, self._shell.symbol()
        for name in presets.names():
            entry = menu.addAction(say("Begin with “{name}”", name=name))
            entry.triggered.connect(lambda _=False, name=name: self._use(name))
        menu.addSeparator()
        kind = presets.kind(symbol)
        places = [*([SYMBOL + symbol] if symbol else []), *([KIND + kind] if kind else []), ALL]
        for place in places:
            whose = place_words(place)
            entry = menu.addAction(say("Keep as preset of {whose}…", whose=whose))
            entry.triggered.connect(lambda _=False, place=place: self.ask(place))
        menu.addAction(say("Keep under a name…")).triggered.connect(lambda _=False: self.ask(NAME))
        kept = presets.places()
        if kept:
            menu.addSeparator()
            change, forget = menu.addMenu(say("Change a preset")), menu.addMenu(say("Forget a preset"))
            for place in kept:
                whose = place_words(place)
                change.addAction(whose).triggered.connect(lambda _=False, place=place: self.ask(place, afresh=False))
                forget.addAction(whose).triggered.connect(lambda _=False, place=place: self.forget(place))

    def _use(self, name: str) -> None:
        """Fill the ticket by a named preset; what it leaves open comes from the others."""
        from widgets.ticket_preset import begin

        ticket = self._ticket
        if ticket is None:
            return
        try:
            filling = self.presets.filling(ticket.draft.symbol, name)
        except ValueError as error:
            self._shell.say("warn", str(error))
            return
        self._look(ticket.draft.symbol)
        ticket.fill_in(lambda draft: begin(draft, filling))

    def ask(self, place: str, *, afresh: bool = True) -> None:
        """Open the dialog that keeps a preset; ``afresh``: it begins with what the ticket holds."""
        from market_agent_gui.preset_dialog import PresetDialog
        from widgets.ticket_preset import Preset, preset_of

        now = self.presets.get(place) or Preset()
        if afresh and self._ticket is not None:
            draft = self._ticket.draft
            around = around_of(self._mirror, draft.symbol, atr=self.ranges.get(draft.symbol))
            written = preset_of(draft, around)
            missing = [field.name for field in fields(written) if getattr(written, field.name) is None]
            now = replace(written, **{name: getattr(now, name) for name in missing})
        dialog = PresetDialog(place, now, *self.presets.offered)
        dialog.kept.connect(self.keep)
        self._shell.open_dialog(dialog)

    def keep(self, place: str, preset: object) -> None:
        """Keep a preset; it holds until the end where the disk refuses."""
        from widgets.ticket_preset import Preset, place_words

        if not isinstance(preset, Preset):
            return
        try:
            self.presets.keep(place, preset)
        except OSError as error:
            self._unsaved(error)
        else:
            self._shell.say("info", say("Orders of {whose} begin with this preset now", whose=place_words(place)))

    def forget(self, place: str) -> None:
        """Forget a preset."""
        from widgets.ticket_preset import place_words

        try:
            self.presets.forget(place)
        except OSError as error:
            self._unsaved(error)
        else:
            self._shell.say("info", say("The preset of {whose} is gone", whose=place_words(place)))

    def _unsaved(self, error: OSError) -> None:
        self._shell.say("warn", say("The choice holds until the end but was not saved: {reason}", reason=error))

    # --- files

    def take(self, stored: object) -> None:
        """Take presets of an imported file where there are none yet, and say what became of them."""
        from widgets.ticket_preset import place_words

        try:
            taken, kept, faults = self.presets.take(stored)
        except OSError as error:
            self._unsaved(error)
            return
        if taken:
            names = ", ".join(place_words(place) for place in taken)
            self._shell.say("info", say("Presets taken from the file: {names}", names=names))
        if kept:
            names = ", ".join(place_words(place) for place in kept)
            self._shell.say("warn", say("Presets that stay as they were: {names}", names=names))
        if faults:
            self._shell.say("warn", say("Presets of the file that are not used: {names}", names="; ".join(faults)))

    # --- keys

    def _register(self) -> None:
        """Give every named preset its actions, and take those away whose preset is gone."""
        entry, commander, now = self._shell.entry, self._shell.commander, set(self.presets.names())
        for name in self._named - now:
            commander.forget(PRESET_BUY + name)
            commander.forget(PRESET_SELL + name)
        for name in now - self._named:
            commander.register(PRESET_BUY + name, lambda name=name: entry.stage(Side.BUY, name))
            commander.register(PRESET_SELL + name, lambda name=name: entry.stage(Side.SELL, name))
        self._named = now

    def look_at_last(self) -> None:
        """Compare with the presets that the hands knew last: the file may have been changed outside."""
        before, now = self._shell.preferences.now.keys_presets, self.presets.digest()
        if now != before:
            self._shell.fresh_keys.look("presets", before, now)
            self._shell.program.prefer(keys_presets=now)

    def _on_changed(self) -> None:
        shell = self._shell
        self._register()
        shell.fresh_keys.presets_changed()
        shell.arming.disarm(lambda: say("the presets changed"))
        shell.program.prefer(keys_presets=self.presets.digest())
        self._look(shell.symbol())
        if self._ticket is not None:
            self._ticket.renew()

    async def close(self) -> None:
        await self.ranges.close()
